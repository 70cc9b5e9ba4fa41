"""Checks of the customers' histories in a log: whether they can be learnt from, and scored at a date."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from features.language import translated
from features.log.amounts import blocks, numbers
from features.log.column_text import plain
from features.log.columns import listed
from features.log.customer_days import Codes, Integers, customer_blocks, day_keys
from features.log.findings import Finding
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot

_FEW = 50  # customers
ONE_TIME = 0.9
ONE_DAY = 0.2
ZEROS = 0.2
UNEXPLAINED = 0.15  # of the refunds
_FEW_REFUNDS = 10
_SAMPLE_ROWS = 1000
_STALE_DAYS, _STALE_GAPS = 7, 5


def check_histories(log: TransactionLog) -> Iterator[Finding]:
    """Look for a log without money, without second purchases, or with accounts that were moved in at once."""
    yield from _check_zeros(log)
    yield from _check_refunds(log)
    if log.first_day == log.last_day and log.table.num_rows >= _FEW:
        yield Finding(
            "one-day",
            translated(
                "All {rows:,} rows are of one day, {day:date}: nothing can be learnt from it of who comes back. Is "
                "{column} the day of the order, or of the export?",
                rows=log.table.num_rows,
                day=log.first_day,
                column=repr(log.names.get("ordered_at", "ordered_at")),
            ),
        )
        return
    first, last = _first_and_last_days(log)
    if len(first) < _FEW:
        return
    single = float(np.mean(first == last))
    if ONE_TIME <= single < 1:
        yield Finding(
            "one-time",
            translated(
                "{single:.0%} of {n:customer|customers} have bought on one day only: there is little to learn of who "
                "comes back, and nearly all will be expected not to. If one person has several ids (guests, one id per "
                "order), name a column that stays, such as an address: --customer-column; now {column}. Otherwise use "
                "a longer log.",
                single=single,
                n=len(first),
                column=repr(log.names.get("customer_id", "customer_id")),
            ),
        )
    yield from _check_first_days(log, first.astype("datetime64[D]"))


def _first_and_last_days(log: TransactionLog) -> tuple[Codes, Codes]:
    """Return the first and the last day with a purchase of each customer who has one, in days since 1970-01-01."""
    codes, days, cents = log.customer_codes, log.days, log.table["amount_cents"].to_numpy()
    customers, never = int(codes.max(initial=-1)) + 1, np.iinfo(np.int32)
    first, last = np.full(customers, never.max), np.full(customers, never.min)
    for rows in blocks(len(codes)):  # what a large log's purchases alone would take is not to be had
        bought = cents[rows] >= 0
        whose = codes[rows][bought].astype(np.intp)  # or `at` takes twice as long
        np.minimum.at(first, whose, days[rows][bought])
        np.maximum.at(last, whose, days[rows][bought])
    seen = last > never.min
    return first[seen], last[seen]


def _check_refunds(log: TransactionLog) -> Iterator[Finding]:
    """Look for negative amounts that give nothing back: losses, where the amounts are a profit."""
    customers, cents = log.customer_codes, log.table["amount_cents"].to_numpy()
    negative = cents < 0
    refunds = int(negative.sum())
    if refunds < _FEW_REFUNDS:
        return
    days = log.days
    unexplained = sum(
        _unexplained(customers[rows], days[rows], cents[rows]) for rows in customer_blocks(customers)
    )
    if unexplained >= _FEW_REFUNDS and unexplained > UNEXPLAINED * refunds:
        yield Finding(
            "negative-amounts",
            translated(
                "{n:amount is|amounts are} negative and count as refunds, {unexplained:,} of them of customers who had "
                "bought nothing that could be given back. If the amounts are a profit, give the sales: --amount-column "
                "(and the profit as --margin-column); if the log begins in the middle, its first refunds are of "
                "earlier orders.",
                n=refunds,
                unexplained=unexplained,
            ),
        )


def _unexplained(customers: Codes, days: Codes, cents: Integers) -> int:
    """Count the negative amounts of days until whose end a customer had bought nothing that could be given back."""
    rows = np.flatnonzero(np.isin(customers, np.unique(customers[cents < 0])))
    customers, cents = customers[rows], cents[rows]
    # A day's purchases come before its refunds, which are told of together.
    turns = (day_keys(customers, days[rows]) << 1) | (cents < 0)
    order = np.argsort(turns)
    customers, cents, turns = customers[order], cents[order], turns[order]
    total = np.cumsum(cents) - cents  # of all rows before, those of other customers too
    begins, of_customer = (np.flatnonzero(np.diff(each, prepend=-1)) for each in (turns, customers))
    before = total[begins] - total[of_customer][np.searchsorted(of_customer, begins, side="right") - 1]
    rows_of_turn = np.diff(begins, append=cents.size)
    return int(rows_of_turn[(cents[begins] < 0) & (before <= 0)].sum())


def _check_zeros(log: TransactionLog) -> Iterator[Finding]:
    rows, zeros = log.table.num_rows, log.report.zero_amounts
    if zeros <= ZEROS * rows:
        return
    others = [name for name in _columns_of_numbers(log) if name not in log.names.values()]
    said = (
        translated(
            "All {rows:,} amounts are 0: churn can be learnt, and every value in money will be 0. If the money stands "
            "elsewhere: --amount-column, or --amount-expression.",
            rows=rows,
        )
        if zeros == rows
        else translated(
            "{zeros:,} of {rows:,} amounts are 0: churn can be learnt, and they count as purchases worth nothing. If "
            "the money stands elsewhere: --amount-column, or --amount-expression.",
            zeros=zeros,
            rows=rows,
        )
    )
    if others:
        said += " " + translated("Other columns of numbers are {names}.", names=listed(others[:3]))
    yield Finding("zero-amounts", said)


def _columns_of_numbers(log: TransactionLog) -> Iterator[str]:
    raw = log.quarantine.raw.slice(0, _SAMPLE_ROWS)
    for name in dict.fromkeys(raw.column_names):
        column = plain(raw.column(raw.column_names.index(name)))
        if (
            pa.types.is_string(column.type)
            or pa.types.is_integer(column.type)
            or pa.types.is_floating(column.type)
        ):
            read = numbers(column)
            if read.null_count < len(read) / 2:
                yield name


def _check_first_days(log: TransactionLog, first: np.ndarray) -> Iterator[Finding]:
    """Look for a day on which many customers begin: their accounts were moved from another system."""
    days, counts = np.unique(first, return_counts=True)
    most = int(counts.argmax())
    share = counts[most] / len(first)
    if (
        len(days) >= 10
        and counts[most] >= _FEW
        and share > ONE_DAY
        and share > 10 * np.median(counts) / len(first)
    ):
        day = days[most]
        yield Finding(
            "moved-accounts",
            translated(
                "{n:,} of {all:customer|customers} ({share:.0%}) have their first order on {day:date}: probably "
                "accounts that were moved from another system, older than the log says. To leave out who began then "
                "or earlier: {flag}.",
                n=int(counts[most]),
                all=len(first),
                share=share,
                day=str(day),
                flag=f"--acquired-after {day + np.timedelta64(1, 'D')}",
            ),
        )


def late_snapshot(log: TransactionLog, snapshot: Snapshot) -> list[Finding]:
    """Return a finding if a log ends long before the date at which its customers are described.

    Every customer then looks silent who is only not recorded. The bound is a week, or five of the longer gaps between
    days with orders.

    Examples
    --------
    >>> from datetime import date
    >>> from features.log.validation import validate
    >>> days = [f"1998-01-{day:02}" for day in range(1, 31)]
    >>> log = validate(pa.table({"customer_id": days, "ordered_at": days, "amount": ["5"] * 30}))
    >>> late_snapshot(log, Snapshot(date(1998, 2, 5)))
    []
    >>> [finding.name for finding in late_snapshot(log, Snapshot(date(1998, 4, 1)))]
    ['late-snapshot']
    """
    silent = (snapshot.date - log.last_day).days - 1
    gaps = np.diff(log.rows_by_day[0]).astype(int)
    usual = float(np.quantile(gaps, 0.99)) if gaps.size else 1.0
    if silent <= max(_STALE_DAYS, _STALE_GAPS * usual):
        return []
    return [
        Finding(
            "late-snapshot",
            translated(
                "The log ends on {last:date}, {n:day|days} before {snapshot:date}: customers would look silent whose "
                "orders are only not in it. Give a log up to that date, or leave --snapshot-date out: it is then "
                "{after:date}.",
                last=log.last_day,
                n=silent,
                snapshot=snapshot.date,
                after=Snapshot.after(log.last_day).date,
            ),
            fatal=True,
        )
    ]
