"""Checks of what a log has lost: rows that were set aside, and money that was read as another amount."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_tables import is_text
from features.language import translated, translation
from features.log.amounts import blocks
from features.log.column_text import blank, text
from features.log.columns import listed, quoted
from features.log.date_formats import ISO
from features.log.dates import ascii_digits, past_month
from features.log.findings import Finding
from features.log.notation import Notation, by_another_column, perhaps_grouped, written_otherwise
from features.log.quarantine import (
    CHOSEN,
    NO_CUSTOMER,
    UNREADABLE_AMOUNT,
    UNREADABLE_DATE,
    UNREADABLE_MARGIN,
    Quarantine,
)
from features.log.remedies import typed, with_replaced
from features.log.settings import LogRules
from features.log.transactions import TransactionLog, ids_of

MUCH = 0.02  # of the rows or of the money: what may be lost without a warning
FAR_TOO_MUCH = 0.1  # of the rows: what may be unreadable without stopping
_NEARLY_ALL = 0.9
_MOST_GUESTS = 0.5  # of the rows: what may be without a customer without stopping; shops do sell to guests
_SAMPLE_ROWS = 200_000
_FEW_ROWS = 10
_MOST_NOTES = 20


def check_losses(log: TransactionLog, rules: LogRules) -> Iterator[Finding]:
    """Look at what cannot be used, and at amounts that may be others than were read."""
    yield from _check_quarantine(log, rules)
    yield from _check_notes(log)
    yield from _check_decimals(log, rules)
    yield from _check_rounding(log)


def _check_quarantine(log: TransactionLog, rules: LogRules) -> Iterator[Finding]:
    """Look at the rows that were set aside against the caller's will."""
    quarantine = log.quarantine
    chosen = quarantine.rows_of(*CHOSEN).size
    lost = [reason for reason in quarantine.counts() if reason not in CHOSEN]
    rows = quarantine.rows_of(*lost)
    if not rows.size:
        return
    notations = _notations(log, rules)
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
        fatal = bool(
            max(part, worth) > MUCH
            or (negatives > refunds)
            or "thousands" in notation.how
            or notation.contradicts_itself
        )
        said = translated(
            "{count} and were not read: {examples}.",
            count=notation.counted(),
            examples=quarantine.describe(notation.rows, notation.column),
        )
        yield Finding(
            f"{notation.what}-written-otherwise",
            " ".join([said, notation.remedy, *by_another_column([notation])]),
            fatal,
        )
    explained = sum(notation.rows.size for notation in notations)
    if max(share, money) > MUCH and explained < rows.size:
        named = any(notation.what == "dates" for notation in notations)
        jalali = rules.calendar == "jalali"
        others = "" if named or jalali else rules.date_format or ISO
        unread = quarantine.rows_of(UNREADABLE_AMOUNT)
        unread = np.setdiff1d(unread, np.concatenate([unread[:0], *(each.rows for each in notations)]))
        known = None if 2 * unread.size > rows.size else money
        yield _lost(log, others, rows, share, known, form=rules.date_format, jalali=jalali)


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
            found += written_otherwise(
                raw, rows, what, *columns, read_as=rules.date_format or ISO, rules=rules
            )
    return found


def _lost(
    log: TransactionLog,
    date_format: str,
    rows: np.ndarray,
    share: float,
    money: float | None,
    *,
    form: str | None,
    jalali: bool,
) -> Finding:
    """Describe what was lost, and whether it is like the rest; name both formats if ``date_format`` read the others."""
    quarantine = log.quarantine
    dates, remarks = _written_dates(log, form, jalali=jalali)
    half = quarantine.rows_in / 2
    one_end = dates.size > MUCH * quarantine.rows_in and (
        (dates >= half).mean() > 0.95 or (dates < half).mean() > 0.95
    )
    if one_end:
        remarks.append(_two_formats(date_format, second_half=dates.mean() >= half))
    unreadable = quarantine.rows_of(UNREADABLE_DATE, UNREADABLE_AMOUNT)
    meant = quarantine.rows_in - quarantine.rows_of(*CHOSEN).size
    gone = log.customers_without_a_used_row
    if len(gone) > MUCH * max(log.report.customers, 1):
        remarks.append(translated("{n:customer is|customers are} lost with all their rows.", n=len(gone)))
    without = quarantine.rows_of(NO_CUSTOMER)
    anonymous = without.size > _MOST_GUESTS * meant
    remarks += _with_an_address(log, without)
    if anonymous:
        remarks.append(_of_nobody(log, without))
    return Finding(
        "lost-rows",
        " ".join([_counted(rows.size, share, money, _reasons(quarantine)), *remarks]),
        bool(one_end or anonymous or unreadable.size > FAR_TOO_MUCH * meant),
    )


def _reasons(quarantine: Quarantine) -> str:
    """Return how many rows were lost for which reason, with examples."""
    counts, examples = quarantine.counts(), quarantine.examples()
    return "; ".join(
        translated(
            "{n:,} {reason} ({examples})", n=counts[why], reason=translation(why), examples=examples[why]
        )
        for why in counts
        if why not in CHOSEN
    )


def _written_dates(log: TransactionLog, form: str | None, *, jalali: bool) -> tuple[np.ndarray, list[str]]:
    """Return the rows whose date may be one of another format, and what to say of a day that there is not."""
    dates = log.quarantine.rows_of(UNREADABLE_DATE)
    # An empty cell, as in a row of totals, or #REF! is no second format.
    written = ascii_digits(text(log.quarantine.raw[log.names["ordered_at"]].take(pa.array(dates))))
    is_date = pc.fill_null(pc.match_substring_regex(written, "[0-9]"), False).to_numpy()
    if not jalali:
        return dates[is_date], []
    beyond = [past_month(each, form) for each in written.to_pylist()]
    is_date = is_date & ~np.array([bool(each) for each in beyond], dtype=bool)
    return dates[is_date], list(filter(None, beyond))[:1]


def _two_formats(date_format: str, *, second_half: bool) -> str:
    said = (
        translated("Unreadable dates are all in the second half of the log: it has two date formats.")
        if second_half
        else translated("Unreadable dates are all in the first half of the log: it has two date formats.")
    )
    if not date_format:
        return said
    # An example that is neither the format that there is, nor its days and months the other way round.
    other = "%Y/%m/%d" if date_format[:2] in ("%d", "%m") else "%d/%m/%Y"
    both = f"--date-format '{date_format}|{other}'"
    return said + " " + translated("Name both: {flag}, for example.", flag=both)


def _counted(rows: int, share: float, money: float | None, counts: str) -> str:
    """Say how much was lost; of the money only if the cells that were not read hold numbers."""
    if money is None:
        return translated(
            "{n:row|rows} ({share:.1%}) cannot be used, and with how much of the money is not known: {counts}.",
            n=rows,
            share=share,
            counts=counts,
        )
    return translated(
        "{n:row|rows} ({share:.1%}) with about {money:.1%} of the money cannot be used: {counts}.",
        n=rows,
        share=share,
        money=money,
        counts=counts,
    )


def _with_an_address(log: TransactionLog, without: np.ndarray) -> list[str]:
    """Name the column of e-mail addresses that rows without a customer have, as those of guests do."""
    raw, column = log.quarantine.raw, log.names["customer_id"]
    for name in dict.fromkeys(raw.column_names) if without.size else ():
        cells = raw.column(raw.column_names.index(name))
        if name == column or not is_text(cells.type) or raw.column_names.count(name) > 1:
            continue
        written = text(cells)
        known = pc.fill_null(
            pc.match_substring_regex(written, r"^[^@\s]+@[^@\s]+\.[^@\s]+$"), False
        ).to_numpy()
        if known[without].mean() <= _NEARLY_ALL:
            continue
        flag = typed("--customer-column", name)
        if known.mean() <= _NEARLY_ALL:
            either = f"coalesce(nullif(trim({quoted(column)}), ''), {quoted(name)}) AS {quoted(column)}"
            flag = with_replaced(either)
        return [
            translated(
                "They have an address in {column}, by which they are known: {flag}.",
                column=repr(name),
                flag=flag,
            )
        ]
    return []


def _of_nobody(log: TransactionLog, without: np.ndarray) -> str:
    """Say what rows without a customer are: cells merged in a spreadsheet, where each id stands once, atop its rows."""
    column, ids = repr(log.names["customer_id"]), ids_of(log.lines).drop_null()
    if without[0] and len(ids.unique()) > _NEARLY_ALL * len(ids):
        return translated(
            "Each id in {column} stands once, above rows without one, as where cells are merged: fill the ids down.",
            column=column,
        )
    return translated(
        "Most rows have no customer in {column}: what is left stands for no whole shop. If they are guests, accept it.",
        column=column,
    )


def _check_notes(log: TransactionLog) -> Iterator[Finding]:
    """Look for notes below the table: last rows that were set aside and hold one cell each."""
    below = log.quarantine.raw.slice(int(np.flatnonzero(log.quarantine.used)[-1]) + 1)
    if not 0 < below.num_rows <= _MOST_NOTES or below.num_columns < 3:
        return
    filled = ~np.array([blank(column) for column in below.columns])
    if (filled.sum(axis=0) == 1).all():
        note = below.column(int(filled[:, 0].argmax()))[0].as_py()
        yield Finding(
            "notes-below",
            translated(
                "{n:row below the last order holds|rows below the last order hold} one cell alone, such as {note!r}: "
                "notes, which are left out.",
                n=below.num_rows,
                note=note,
            ),
        )


def _check_decimals(log: TransactionLog, rules: LogRules) -> Iterator[Finding]:
    """Look for amounts that can be read, and whose decimal mark may group thousands: 403.000 for 403,000."""
    name = log.names.get("amount")
    # Where amounts could not be read, the marks that group thousands are recognised.
    if name is None or log.quarantine.rows_of(UNREADABLE_AMOUNT).size:
        return
    grouped = perhaps_grouped(log.quarantine.raw[name].slice(0, _SAMPLE_ROWS), rules)
    if len(grouped) >= _FEW_ROWS:
        mark = rules.number_style.decimal
        yield Finding(
            "three-decimals",
            translated(
                "All amounts with the mark '{mark}' have three digits after it, such as {examples}: if it groups "
                "thousands, they are read as a thousandth of what they are. {flag} reads it so.",
                mark=mark,
                examples=listed(grouped.slice(0, 2).to_pylist()),
                flag=f"--thousands {mark}",
            ),
        )


def _check_rounding(log: TransactionLog) -> Iterator[Finding]:
    """Look for amounts for which cents are too coarse, such as those in thousands of a currency."""
    used, lines = log.quarantine.used, log.lines.select(["amount", "amount_cents"])
    lines = lines if used.all() else lines.filter(pa.array(used))
    amounts, cents = (column.to_numpy() for column in lines.columns)
    total, rounded_off = np.abs(amounts).sum(), 0.0
    for rows in blocks(len(cents)):
        rounded_off += float(np.abs(amounts[rows] - cents[rows] / 100).sum())
    if rounded_off > MUCH * total:
        yield Finding(
            "small-amounts",
            translated(
                "Amounts are kept in cents, and rounding changes {share:.0%} of the money: half of them are "
                "{median:.2g} or less. If they are in thousands, say, turn them into a smaller unit: {flag}.",
                share=rounded_off / total,
                median=float(np.median(np.abs(amounts))),
                flag=typed("--amount-expression", f"1000 * {quoted(log.names.get('amount', 'amount'))}"),
            ),
        )
