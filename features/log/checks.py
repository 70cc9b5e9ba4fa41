"""Checks of a validated log: what can be read and is probably wrong all the same, each with its remedy.

A finding has a name, by which it can be accepted. Those that make every number wrong stop the reading; the
others are said. The checks look at ids (:mod:`features.log.id_checks`), at what was lost, at the dates, and
at what a row stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.language import translated
from features.log.columns import listed, plain, text
from features.log.findings import Finding
from features.log.history_checks import check_histories
from features.log.id_checks import check_ids
from features.log.notation import Notation, written_otherwise
from features.log.quarantine import CHOSEN, UNREADABLE_AMOUNT, UNREADABLE_DATE, UNREADABLE_MARGIN
from features.log.settings import ISO, LogRules
from features.log.transactions import TransactionLog

MUCH = 0.02  # of the rows or of the money: what may be lost without a warning
FAR_TOO_MUCH = 0.1  # of the rows: what may be unreadable without stopping
OLDEST_YEAR = 1990
_SAMPLE_ROWS = 200_000
_FEW_ROWS = 20
_NEARLY_ALL = 0.95
_STATUS_VALUES = 30
_BAD_STATUS = (
    *("failed", "failure", "cancelled", "canceled", "void", "voided", "declined", "pending", "unpaid"),
    *("draft", "test", "chargeback", "expired", "abandoned", "error", "rejected", "on-hold", "refunded"),
)
_REFUND_WORDS = ("refund", "return", "credit note", "credit_note", "creditnote", "chargeback")


def check(log: TransactionLog, rules: LogRules) -> list[Finding]:
    """Return what is probably wrong with a log, the worst first.

    Parameters
    ----------
    log : TransactionLog with its raw rows
    rules : LogRules by which it was read

    Examples
    --------
    >>> from features.log.transactions import validate
    >>> raw = pa.table({
    ...     "customer_id": ["17", "18"] * 20,
    ...     "ordered_at": ["1998-01-05"] * 40,
    ...     "amount": ["20.50"] * 30 + ["(5.00)"] * 10,
    ... })
    >>> worst, *_ = check(validate(raw), LogRules())
    >>> worst.name, worst.fatal
    ('amounts-written-otherwise', True)
    """
    statuses = list(_check_statuses(log))
    refunds = any(finding.name == "positive-refunds" for finding in statuses)
    found = [
        *check_ids(log, rules),
        *_check_losses(log, rules),
        *_check_decimals(log, rules),
        *_check_rounding(log),
        *_check_dates(log, rules),
        # A sale and its refund, both positive, are two lines of an order with one amount, and no total on each.
        *(each for each in _check_grain(log, rules) if not (refunds and each.name == "repeated-totals")),
        *statuses,
        *check_histories(log),
        *(Finding("ignored-column", sentence) for sentence in log.ignored),
    ]
    return sorted(found, key=lambda finding: not finding.fatal)


def _check_losses(log: TransactionLog, rules: LogRules) -> Iterator[Finding]:
    """Look at the rows that were set aside against the caller's will."""
    quarantine = log.quarantine
    chosen = quarantine.rows_of(*CHOSEN).size
    lost = [reason for reason in quarantine.counts() if reason not in CHOSEN]
    rows = quarantine.rows_of(*lost)
    if not rows.size:
        return
    # What is read as Jalali already and still unreadable is no day of that calendar.
    used = f"--log-calendar {rules.calendar}"
    notations = [notation for notation in _notations(log, rules) if notation.flag != used]
    cents = np.abs(log.lines["amount_cents"].to_numpy().astype(float))
    for notation in notations:
        cents[notation.rows] = np.abs(np.nan_to_num(notation.values)) * 100
    kept = cents[quarantine.used].sum()
    money = cents[rows].sum() / max(cents[rows].sum() + kept, 1)
    share = rows.size / max(quarantine.rows_in - chosen, 1)
    refunds = int(pc.sum(pc.less(log.table["amount_cents"], 0)).as_py() or 0)
    for notation in notations:
        part = notation.rows.size / max(quarantine.rows_in - chosen, 1)
        worth = cents[notation.rows].sum() / max(cents[rows].sum() + kept, 1)
        negatives = int((notation.values < 0).sum())
        fatal = (
            max(part, worth) > MUCH
            or (negatives > refunds)
            or "thousands" in notation.how
            or not notation.flag
        )
        examples = quarantine.describe(notation.rows, notation.column)
        yield Finding(
            f"{notation.what}-written-otherwise",
            translated("{count} and were not read: {examples}.", count=notation.counted(), examples=examples)
            + f" {notation.remedy}",
            fatal,
        )
    explained = sum(notation.rows.size for notation in notations)
    if max(share, money) > MUCH and explained < rows.size:
        named = any(notation.what == "dates" for notation in notations)
        yield _lost(log, "" if named else rules.date_format or ISO, rows, share, money)


def _notations(log: TransactionLog, rules: LogRules) -> list[Notation]:
    raw, names, found = log.quarantine.raw, log.names, []
    for reason, what, role in (
        (UNREADABLE_AMOUNT, "amounts", "amount"),
        (UNREADABLE_MARGIN, "margins", "margin"),
        (UNREADABLE_DATE, "dates", "ordered_at"),
    ):
        rows = log.quarantine.rows_of(reason)
        columns = [names[role]] if role in names else list(log.quarantine.columns_of(reason))
        if rows.size and columns:
            found += written_otherwise(raw, rows, what, *columns, read_as=rules.date_format or ISO)
    return found


def _lost(log: TransactionLog, date_format: str, rows: np.ndarray, share: float, money: float) -> Finding:
    """Describe what was lost, and whether it is like the rest; name both formats if ``date_format`` read the others."""
    quarantine = log.quarantine
    reasons = [reason for reason in quarantine.counts() if reason not in CHOSEN]
    examples = quarantine.examples()
    counts = "; ".join(f"{quarantine.counts()[why]:,} {why} ({examples[why]})" for why in reasons)
    remarks = []
    dates = quarantine.rows_of(UNREADABLE_DATE)
    half = quarantine.rows_in / 2
    one_end = dates.size > MUCH * quarantine.rows_in and (
        (dates >= half).mean() > 0.95 or (dates < half).mean() > 0.95
    )
    if one_end:
        said = (
            translated("Unreadable dates are all in the second half of the log: it has two date formats.")
            if dates.mean() >= half
            else translated("Unreadable dates are all in the first half of the log: it has two date formats.")
        )
        both = f"--date-format '{date_format}|%d/%m/%Y'"
        hint = " " + translated("Name both: {flag}, for example.", flag=both) if date_format else ""
        remarks.append(said + hint)
    unreadable = quarantine.rows_of(UNREADABLE_DATE, UNREADABLE_AMOUNT)
    meant = quarantine.rows_in - quarantine.rows_of(*CHOSEN).size
    gone = log.customers_without_a_used_row
    if len(gone) > MUCH * max(log.report.customers, 1):
        remarks.append(translated("{n:customer is|customers are} lost with all their rows.", n=len(gone)))
    return Finding(
        "lost-rows",
        translated(
            "{n:row|rows} ({share:.1%}) with about {money:.1%} of the money cannot be used: {counts}.",
            n=rows.size,
            share=share,
            money=money,
            counts=counts,
        )
        + "".join(f" {remark}" for remark in remarks),
        bool(one_end or unreadable.size > FAR_TOO_MUCH * meant),
    )


def _check_decimals(log: TransactionLog, rules: LogRules) -> Iterator[Finding]:
    """Look for amounts that can be read, and whose decimal mark may group thousands: 403.000 for 403,000."""
    mark, name = rules.number_style.decimal, log.names.get("amount")
    column = None if name is None else plain(log.quarantine.raw[name].slice(0, _SAMPLE_ROWS))
    known = log.quarantine.rows_of(
        UNREADABLE_AMOUNT
    ).size  # then the marks that group thousands are recognised
    if column is None or known or rules.thousands or not pa.types.is_string(column.type):
        return
    written = text(column).drop_null()
    fits = pc.match_substring_regex(written, rf"^[+-]?[0-9]{{1,3}}{re.escape(mark)}[0-9]{{3}}$")
    if len(written) >= _FEW_ROWS and pc.mean(fits.cast(pa.int8())).as_py() > _NEARLY_ALL:
        yield Finding(
            "three-decimals",
            translated(
                "Nearly all amounts have three digits after the mark '{mark}', such as {examples}: if it groups "
                "thousands, they are read as a thousandth of what they are. {flag} reads it so.",
                mark=mark,
                examples=listed(written.filter(fits).slice(0, 2).to_pylist()),
                flag=f"--thousands {mark}",
            ),
        )


def _check_rounding(log: TransactionLog) -> Iterator[Finding]:
    """Look for amounts for which cents are too coarse, such as those in thousands of a currency."""
    used = pa.array(log.quarantine.used)
    amounts, cents = (log.lines[name].filter(used).to_numpy() for name in ("amount", "amount_cents"))
    total, rounded_off = np.abs(amounts).sum(), np.abs(amounts - cents / 100).sum()
    if rounded_off > MUCH * total:
        yield Finding(
            "small-amounts",
            translated(
                "Amounts are kept in cents, and rounding changes {share:.0%} of the money: half of them are "
                "{median:.2g} or less. If they are in thousands, say, turn them into a smaller unit: {flag}.",
                share=rounded_off / total,
                median=float(np.median(np.abs(amounts))),
                flag=f"--amount-expression '1000 * {log.names.get('amount', 'amount')}'",
            ),
        )


def _check_dates(log: TransactionLog, rules: LogRules) -> Iterator[Finding]:
    """Look for years that no shop has, and for holes."""
    days = np.unique(log.table["ordered_on"].to_numpy())
    first, last = log.first_day, log.last_day
    if first.year < OLDEST_YEAR and rules.earliest is None:
        early = pc.less(log.table["ordered_on"], pa.scalar(date(OLDEST_YEAR, 1, 1)))
        yield _early(first, last, int(pc.sum(early).as_py()), log.names.get("ordered_at", "ordered_at"))
    gaps = np.diff(days).astype(int)
    if gaps.size >= 20:
        widest, usual = int(gaps.max()), float(np.quantile(gaps, 0.9))
        if widest > max(90, 20 * usual):
            start, after = days[int(gaps.argmax())], days[int(gaps.argmax()) + 1]
            yield Finding(
                "hole",
                translated(
                    "No order of {days:day|days} from {start:date} on: if the shop was closed or the archive is lost, "
                    "silence in it is no churn. Use what comes after it: {earliest}, or only customers who came after "
                    "it: {acquired}.",
                    days=widest,
                    start=str(start),
                    earliest=f"--earliest {after}",
                    acquired=f"--acquired-after {after}",
                ),
            )


def _early(first: date, last: date, rows: int, name: str) -> Finding:
    if first.year >= 1300 and last.year < 1430:
        message = translated(
            "The log lies in the years {first:digits} to {last:digits}, which are years of the Jalali calendar. "
            "--log-calendar jalali reads them.",
            first=first.year,
            last=last.year,
        )
    elif first.year >= 1400 and last.year < 1500:
        message = translated(
            "The log lies in the years {first:digits} to {last:digits}, which look like years of the Islamic "
            "calendar. Convert the dates to the Gregorian one.",
            first=first.year,
            last=last.year,
        )
    else:
        message = translated(
            "{n:row is|rows are} older than {year:digits}, the first of {first}: probably placeholders or two-digit "
            "years in {name}. {flag} sets them aside; an earlier date keeps them.",
            n=rows,
            year=OLDEST_YEAR,
            first=first.isoformat(),
            name=repr(name),
            flag=f"--earliest {OLDEST_YEAR}-01-01",
        )
    return Finding("absurd-dates", message, fatal=True)


def _check_grain(log: TransactionLog, rules: LogRules) -> Iterator[Finding]:
    """Look at what a row stands for: a line, an order, or a total."""
    table = log.table
    cents = table["amount_cents"].to_numpy()
    total = int(cents.sum())
    largest = int(np.abs(cents).argmax())
    if cents.size >= 10 and abs(int(cents[largest]) * 2 - total) <= 1 and total:
        row = int(np.flatnonzero(log.quarantine.used)[largest])
        customer = table["customer_id"][largest].as_py()
        yield Finding(
            "totals-row",
            translated(
                "Row {row:,}, of customer {customer}, is the sum of all others: a totals row. Leave it out: {flag}.",
                row=row + 1,
                customer=repr(customer),
                flag=f"--where \"{log.names.get('customer_id', 'customer_id')} <> '{customer}'\"",
            ),
            fatal=True,
        )
    identical = log.report.identical_rows
    if identical > MUCH * table.num_rows and not rules.drop_identical:
        yield Finding(
            "identical-rows",
            translated(
                "{n:row equals|rows equal} ({share:.1%}) an earlier one in every column, and count: if they come from "
                "exports that overlap, --drop-identical uses them once.",
                n=identical,
                share=identical / table.num_rows,
            ),
        )
    if "order_id" in table.column_names and not rules.amount_per_order:
        yield from _repeated_totals(log)


def _repeated_totals(log: TransactionLog) -> Iterator[Finding]:
    orders = log.table.group_by("order_id").aggregate(
        [("amount_cents", "count"), ("amount_cents", "min"), ("amount_cents", "max")]
    )
    several = orders.filter(
        pc.and_(pc.greater(orders["amount_cents_count"], 1), pc.is_valid(orders["order_id"]))
    )
    if several.num_rows < 10:
        return
    same = several.filter(pc.equal(several["amount_cents_min"], several["amount_cents_max"]))
    different_lines = same.num_rows > 0.9 * several.num_rows and log.report.identical_rows < 0.5 * (
        pc.sum(same["amount_cents_count"]).as_py() - same.num_rows
    )
    if different_lines:
        yield Finding(
            "repeated-totals",
            translated(
                "In {same:,} of {several:order|orders} with several lines all lines have the same amount: probably the "
                "order's total, counted once per line. --amount-per-order counts it once.",
                same=same.num_rows,
                several=several.num_rows,
            ),
        )


def _check_statuses(log: TransactionLog) -> Iterator[Finding]:
    """Look for columns that say which rows are no sale, or are refunds."""
    used = pa.array(log.quarantine.used[:_SAMPLE_ROWS])
    raw = log.quarantine.raw.slice(0, _SAMPLE_ROWS).filter(used)
    cents = log.table["amount_cents"].slice(0, raw.num_rows)
    mapped, amount = set(log.names.values()), log.names.get("amount", "amount")
    for name in dict.fromkeys(raw.column_names):
        column = raw.column(raw.column_names.index(name))
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if name in mapped or not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            continue
        values = pc.utf8_lower(text(column))
        counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(values).to_pylist()}
        if len(counts) > _STATUS_VALUES:
            continue
        bad = [value for value in counts if value and value.removeprefix("wc-") in _BAD_STATUS]
        refunds = [value for value in counts if value and _is_refund(value)]
        positive = pc.and_(pc.is_in(values, value_set=pa.array(refunds, pa.string())), pc.greater(cents, 0))
        if refunds and not set(refunds) <= set(bad) and pc.any(positive).as_py():
            yield Finding(
                "positive-refunds",
                translated(
                    "Column {name} says {words} in {n:row|rows} with a positive amount, which count as purchases. Turn "
                    "them with a query: {flag}.",
                    name=repr(name),
                    words=listed(refunds),
                    n=pc.sum(positive).as_py(),
                    flag=_turned(name, refunds, amount),
                ),
            )
        elif bad and len(counts) > 1:
            rows = sum(counts[value] for value in bad)
            yield Finding(
                "statuses",
                translated(
                    "Column {name} has {n:row|rows} of {words}, which count as orders. Leave out what is none: {flag}.",
                    name=repr(name),
                    n=rows,
                    words=listed(bad),
                    flag=f'--where "lower({_quoted(name)}) NOT IN ({", ".join(map(repr, bad))})"',
                ),
            )


def _turned(name: str, refunds: list[str], amount: str) -> str:
    """Return the flag of a query that makes the amounts of refunds negative."""
    return (
        f'--transactions "FILE?query=SELECT * REPLACE (CASE WHEN lower({_quoted(name)}) IN '
        f"({', '.join(map(repr, refunds))}) THEN '-' || {_quoted(amount)} ELSE {_quoted(amount)} END AS "
        f'{_quoted(amount)}) FROM log"'
    )


def _is_refund(status: str) -> bool:
    """Tell whether a status means a refund; a sale of which a part was refunded is a sale."""
    return any(word in status for word in _REFUND_WORDS) and "partial" not in status


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f'"{name}"'
