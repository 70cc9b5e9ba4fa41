"""Checks of a validated log: what can be read and is probably wrong all the same, each with its remedy.

A finding has a name, by which it can be accepted. Those that make every number wrong stop the reading; the
others are said. The checks look at ids (:mod:`features.log.id_checks`), at what was lost
(:mod:`features.log.loss_checks`), at columns that contradict each other (:mod:`features.log.column_checks`), at words
that say a row is no sale (:mod:`features.log.status_checks`), at the dates, and at what a row stands for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.language import translated
from features.log.column_checks import check_columns
from features.log.findings import Finding
from features.log.history_checks import check_histories
from features.log.id_checks import check_ids
from features.log.loss_checks import MUCH, check_losses
from features.log.settings import LogRules
from features.log.status_checks import check_statuses
from features.log.transactions import TransactionLog

OLDEST_YEAR = 1990
_FEW_ROWS = 50
_DOMINANT = 0.5  # of the money, in one row


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
    statuses = list(check_statuses(log))
    refunds = any(finding.name == "positive-refunds" for finding in statuses)
    found = [
        *check_ids(log, rules),
        *check_losses(log, rules),
        *check_columns(log),
        *_check_dates(log, rules),
        # A sale and its refund, both positive, are two lines of an order with one amount, and no total on each.
        *(each for each in _check_grain(log, rules) if not (refunds and each.name == "repeated-totals")),
        *statuses,
        *check_histories(log),
        *(Finding("ignored-column", sentence) for sentence in log.ignored),
    ]
    return sorted(found, key=lambda finding: not finding.fatal)


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
    elif cents.size >= _FEW_ROWS and abs(int(cents[largest])) > _DOMINANT * np.abs(cents).sum():
        yield Finding(
            "dominant-amount",
            translated(
                "One amount, {amount:,.2f} of customer {customer} on {day:date}, is {share:.0%} of all money: a "
                "mistake?",
                amount=cents[largest] / 100,
                customer=repr(table["customer_id"][largest].as_py()),
                day=table["ordered_on"][largest].as_py(),
                share=abs(int(cents[largest])) / np.abs(cents).sum(),
            ),
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
    # As --amount-per-order has it: one id may be that of a refund, or of another customer's order, too.
    orders = log.table.group_by(["order_id", "customer_id", "ordered_on"]).aggregate(
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
