"""A validated log of orders: its usable rows, and an account of every row that cannot be used.

What a validated row means: one order, or one line of an order, of one customer on one day; a negative amount is a
refund, a zero amount is a purchase.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.log.customer_days import (
    Codes,
    Integers,
    codes_of,
    customer_blocks,
    drawn_rows,
    encoded,
    numbered_by_text,
    part_bounds,
    perhaps_repeated,
)
from features.log.expression import amount_columns
from features.log.prices import Prices
from features.log.quarantine import IDENTICAL_ROW, Mask, Quarantine, as_written
from features.log.report import LogReport, report_of
from features.log.terms import LogTerms
from features.memory import give_back

OPTIONAL = (
    "order_id",
    "margin_cents",
    "channel",
    "product_id",
    "quantity",
    "category",
    "discount_cents",
)


@dataclass(frozen=True)
class TransactionLog:
    """A validated log: its usable rows, and an account of every row that cannot be used.

    The report, the days and the quarantine table are computed when they are first asked for: a live request
    of a few orders needs none of them.

    Attributes
    ----------
    table : pyarrow.Table
        The used rows, in the order of the input: ``customer_id`` dictionary of string, ``ordered_on`` date32 (the
        day on the clock of the chosen time zone), ``amount_cents`` int64, and where the log has them ``order_id``,
        ``channel``, ``product_id``, ``category`` string or null, ``margin_cents`` int64, ``quantity`` double or
        null, ``discount_cents`` int64, null where it cannot be read.
    quarantine : Quarantine
        The raw rows, and which of them were set aside, and why.
    lines : pyarrow.Table
        The columns of the contract for every raw row, as `features.log.lines.read_lines` returns them.
    currency : str or None, where the log or the caller names it
    timezone : str, in which the days of the orders are
    names : mapping of the contract's column names to those of the raw log
    ignored : tuple of str, sentences about optional columns that were found and not used
    amount_expression, where : str or None, the formula of the amounts and the condition on the rows
    prices : Prices or None, by which the table's money was turned into that of one month
    """

    table: pa.Table
    quarantine: Quarantine
    lines: pa.Table = field(repr=False)
    currency: str | None = None
    timezone: str = "UTC"
    names: Mapping[str, str] = field(default_factory=dict, repr=False)
    ignored: tuple[str, ...] = ()
    amount_expression: str | None = None
    where: str | None = None
    prices: Prices | None = None

    @property
    def terms(self) -> LogTerms:
        """How the log was read; logs of different terms cannot be compared."""
        return LogTerms(self.timezone, self.currency, self.amount_expression, self.where, self.prices)

    @cached_property
    def report(self) -> LogReport:
        """Counts and a description of the used rows and of those in quarantine."""
        identical = self.quarantine.counts().get(IDENTICAL_ROW)
        if identical is None:
            identical = int(identical_rows(self.lines, self.quarantine, self.customer_codes).sum())
        return report_of(self.table, self.quarantine, identical, self.currency, self.timezone)

    @property
    def amount_columns(self) -> tuple[str, ...]:
        """The raw log's columns that the amounts come from."""
        return amount_columns(self.names, self.amount_expression)

    @property
    def columns(self) -> tuple[str, ...]:
        """The optional columns that the log has."""
        return tuple(name for name in OPTIONAL if name in self.table.column_names)

    @cached_property
    def first_day(self) -> date:
        """The first day with a used row."""
        day: date = pc.min(self.table["ordered_on"]).as_py()
        return day

    @cached_property
    def last_day(self) -> date:
        """The last day with a used row."""
        day: date = pc.max(self.table["ordered_on"]).as_py()
        return day

    @cached_property
    def rows_by_day(self) -> tuple[npt.NDArray[np.datetime64], Integers]:
        """The days with a used row, ascending, and the number of rows of each."""
        numbers = self.days
        first = int(numbers.min(initial=0))
        rows = np.bincount(numbers - first)
        days = np.flatnonzero(rows)
        return (days + first).astype("datetime64[D]"), rows[days]

    @cached_property
    def customer_ids(self) -> pa.DictionaryArray:
        """The id of each used row's customer; each id is kept once."""
        return encoded(self.table["customer_id"])

    @cached_property
    def customer_codes(self) -> Codes:
        """The customer of each used row as a number, of shape (n_rows,)."""
        return codes_of(self.customer_ids)

    @property
    def days(self) -> Codes:
        """The day of each used row, of shape (n_rows,), in days since 1970-01-01."""
        return np.asarray(self.table["ordered_on"].cast(pa.int32()).to_numpy())

    @cached_property
    def customers_without_a_used_row(self) -> list[str]:
        """The ids of the customers whose every row is in quarantine, in order."""
        if self.quarantine.used.all():
            return []
        used = pa.array(self.quarantine.used)
        customers = ids_of(self.lines)
        left = set(customers.filter(pc.invert(used)).to_pylist()) - {None}
        return sorted(left.difference(customers.filter(used).to_pylist())) if left else []

    def with_ids(self, renamed: Mapping[str, str]) -> TransactionLog:
        """Return the log with some customers under another id."""
        changed = {old: new for old, new in renamed.items() if old != new}
        if not changed:
            return self
        ids = self.customer_ids
        names = encoded(pa.chunked_array([[changed.get(each, each) for each in ids.dictionary.to_pylist()]]))
        united = pa.DictionaryArray.from_arrays(names.indices.take(ids.indices), names.dictionary)
        place = self.table.column_names.index("customer_id")
        return replace(self, table=self.table.set_column(place, "customer_id", united))

    def at_prices(self, prices: Prices | None) -> TransactionLog:
        """Return the log in the money of one month; the log itself without prices, or if it is in one already.

        One that is, and knows what its money is worth in the other month, is turned into that.
        """
        if prices is None or (self.prices and self.prices.base == prices.base):
            return self
        if self.prices is None:
            return replace(self, table=prices.converted(self.table), prices=prices)
        ours = self.prices.in_money_of(prices.base)
        scale = ours.factors[0] / self.prices.factors[0]
        level = replace(ours, factors=(scale,) * len(ours.factors))
        return replace(self, table=level.converted(self.table), prices=ours)

    def sample(self, customers: int, seed: int = 0) -> TransactionLog:
        """Return the rows of so many customers, drawn by a hash of their ids; the log itself if it has no more."""
        drawn = drawn_rows(self.customer_ids, customers, seed)
        return self if drawn is None else replace(self, table=self.table.filter(pa.array(drawn)))

    def parts(self) -> Iterator[TransactionLog]:
        """Yield the log in parts of some customers each, in the order of their ids: what a part takes stays small.

        A log of up to some millions of rows is one part, itself.
        """
        if len(part_bounds(self.customer_codes)) == 1:
            yield self
            return
        numbers, names = numbered_by_text(self.customer_ids)
        for first, end in part_bounds(numbers):
            chosen = (numbers >= first) & (numbers < end)
            ids = pa.DictionaryArray.from_arrays(numbers[chosen] - first, names.slice(first, end - first))
            rows = self.table.drop_columns(["customer_id"]).filter(pa.array(chosen))
            part = replace(self, table=rows.add_column(0, "customer_id", ids))
            part.__dict__["customer_ids"] = ids  # known, and long to find again
            yield part
            del ids, rows, part
            give_back()

    def without_raw_rows(self) -> TransactionLog:
        """Return the log with everything computed, and without the raw rows: they take most of the memory."""
        kept = ("report", "customers_without_a_used_row", "customer_ids")
        computed = {name: getattr(self, name) for name in kept}
        log = replace(
            self, quarantine=self.quarantine.without_raw_rows(), lines=self.lines.schema.empty_table()
        )
        log.__dict__.update(computed)
        return log


def ids_of(lines: pa.Table) -> pa.DictionaryArray:
    """Return the customers of the lines of a log."""
    return lines["customer_id"].combine_chunks()


def identical_rows(lines: pa.Table, quarantine: Quarantine, customers: Codes) -> Mask:
    """Mark the used rows, of these customers, that equal an earlier one in every column of the raw log."""
    used = quarantine.used
    kept = lines.select(["ordered_at", "amount_cents"])
    kept = kept if used.all() else kept.filter(pa.array(used))
    moments, cents = (column.cast(pa.int64()).to_numpy() for column in kept.columns)
    perhaps = [
        rows[perhaps_repeated(customers[rows], moments[rows], cents[rows])]
        for rows in customer_blocks(customers)
    ]
    alike = np.sort(np.concatenate(perhaps))
    identical, places = np.zeros_like(used), np.flatnonzero(used)[alike]
    raw = quarantine.raw.take(pa.array(places))
    cells = pd.DataFrame({place: as_written(column).to_pandas() for place, column in enumerate(raw.columns)})
    identical[places] = cells.duplicated().to_numpy()
    return identical
