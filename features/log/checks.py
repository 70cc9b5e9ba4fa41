"""Checks of a validated log: what can be read and is probably wrong all the same, each with its remedy.

A finding has a name, by which it can be accepted. Those that make every number wrong stop the reading; the
others are said. The checks look at ids (:mod:`features.log.id_checks`), at what was lost
(:mod:`features.log.loss_checks`), at columns that contradict each other (:mod:`features.log.column_checks`), at
currencies that were added up (:mod:`features.log.currency_checks`), at words that say a row is no sale
(:mod:`features.log.status_checks`), at what a row stands for (:mod:`features.log.grain_checks`), and at the dates.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.language import translated
from features.log.column_checks import check_columns
from features.log.currency_checks import check_currencies
from features.log.findings import Finding
from features.log.grain_checks import check_grain
from features.log.history_checks import check_histories
from features.log.id_checks import check_ids
from features.log.loss_checks import check_losses
from features.log.settings import LogRules
from features.log.status_checks import check_statuses
from features.log.transactions import TransactionLog
from features.log.workbooks import sheets_of

OLDEST_YEAR = 1990


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
        *_check_sheets(log),
        *check_ids(log, rules),
        *check_losses(log, rules),
        *check_columns(log),
        *check_currencies(log),
        *_check_dates(log, rules),
        # A sale and its refund, both positive, are two lines of an order with one amount, and no total on each.
        *(each for each in check_grain(log, rules) if not (refunds and each.name == "repeated-totals")),
        *statuses,
        *check_histories(log),
        *(Finding("ignored-column", sentence) for sentence in log.ignored),
    ]
    return sorted(found, key=lambda finding: not finding.fatal)


def _check_sheets(log: TransactionLog) -> Iterator[Finding]:
    """Tell which sheets of a workbook the rows are from, where that may be others than are meant."""
    for told in sheets_of(log.quarantine.raw.schema):
        read, hidden = (
            ", ".join(f"{title!r} ({rows:,})" for title, rows in told[part].items())
            for part in ("read", "hidden")
        )
        message = (
            translated(
                "The rows of {file} are those of its {n:sheet|sheets} {read} together; hide those that hold no orders, "
                "or save the one that does as a file of its own.",
                file=told["file"],
                n=len(told["read"]),
                read=read,
            )
            if len(told["read"]) > 1
            else translated("The rows of {file} are those of its sheet {read}.", file=told["file"], read=read)
        )
        if hidden:
            message += " " + translated(
                "Hidden sheets are left out: {hidden}. Show one to have it read.", hidden=hidden
            )
        yield Finding("sheets", message)


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
