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

from features.language import translated
from features.log.column_checks import check_columns
from features.log.currency_checks import check_currencies
from features.log.findings import Finding
from features.log.grain_checks import check_grain
from features.log.hidden_rows import hidden_sentence
from features.log.history_checks import check_histories
from features.log.id_checks import check_ids
from features.log.loss_checks import check_losses
from features.log.settings import Columns, LogRules
from features.log.status_checks import check_statuses
from features.log.transactions import TransactionLog
from features.log.workbook_remarks import hidden_rows_of, sheets_of

OLDEST_YEAR = 1990
_MONTHS = 12
_LATE_DAYS = 0.3  # of the rows after the 12th of a month: 0.6 of all days are
_FEW_SWAPPED = 20


def check(log: TransactionLog, rules: LogRules, columns: Columns | None = None) -> list[Finding]:
    """Return what is probably wrong with a log, the worst first.

    Parameters
    ----------
    log : TransactionLog with its raw rows
    rules : LogRules by which it was read
    columns : Columns by which it was read, optional; without them nothing is said of a date column that was guessed

    Examples
    --------
    >>> import pyarrow as pa
    >>> from features.log.validation import validate
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
        *_check_hidden_rows(log),
        *check_ids(log, rules),
        *check_losses(log, rules),
        *(_check_date_column(log, columns) if columns else ()),
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


def _check_hidden_rows(log: TransactionLog) -> Iterator[Finding]:
    for file, rows in hidden_rows_of(log.quarantine.raw.schema).items():
        yield Finding("hidden-rows", hidden_sentence(file, rows))


def _check_date_column(log: TransactionLog, columns: Columns) -> Iterator[Finding]:
    """Tell which column was taken for the date, where nobody named it."""
    if (name := log.names.get("ordered_at", columns.date_column)) != columns.date_column:
        message = translated(
            "The column {column} is read as the date of the order; --date-column names another.",
            column=repr(name),
        )
        yield Finding("guessed-date", message)


def _check_dates(log: TransactionLog, rules: LogRules) -> Iterator[Finding]:
    """Look for years that no shop has, and for holes."""
    days, rows = log.rows_by_day
    first, last = log.first_day, log.last_day
    if first.year < OLDEST_YEAR and rules.earliest is None:
        early = int(rows[days < np.datetime64(date(OLDEST_YEAR, 1, 1))].sum())
        yield _early(first, last, early, log.names.get("ordered_at", "ordered_at"))
    yield from _swapped(log)
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


def _swapped(log: TransactionLog) -> Iterator[Finding]:
    """Look for days up to the 12th that were taken for months: they lie in months that have no later day."""
    days, of_day = log.rows_by_day
    months = days.astype("datetime64[M]")
    late = (days - months).astype(int) >= _MONTHS
    if of_day[late].sum() < _LATE_DAYS * of_day.sum():
        return
    each, place = np.unique(months, return_inverse=True)
    rows, later = np.bincount(place, weights=of_day), np.bincount(place, weights=late)
    odd = (later == 0) & (each > each[0]) & (each < each[-1])
    if odd.sum() < 2 or rows[odd].sum() < _FEW_SWAPPED or odd.mean() > 0.5:
        return
    yield Finding(
        "swapped-days",
        translated(
            "In {n:month|months}, such as {month:label}, all orders ({rows:,}) lie on the days 1 to 12, and in others "
            "they do not: a spreadsheet that expects the month first has taken days for months in {column}. Export "
            "the dates as text.",
            n=int(odd.sum()),
            month=str(each[odd][0]),
            rows=int(rows[odd].sum()),
            column=repr(log.names.get("ordered_at", "ordered_at")),
        ),
        fatal=True,
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
