"""A part of a log: rows that are read by themselves, by rules that hold for the whole log.

What is judged by the whole log (which columns are used, whether most dates can be read, whether there is one currency)
is judged elsewhere, by the counts of all parts: `PartReader` only reads rows, and says of each whether it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.log.amounts import numbers, parts_of_a_cent
from features.log.expression import AmountExpression
from features.log.lines import read_discounts, read_lines
from features.log.one_currency import currency_words, set_other_currencies_aside
from features.log.quarantine import NO_ORDERS, Quarantine, as_written
from features.log.settings import LogRules
from features.log.transactions import OPTIONAL
from features.log.validation import set_no_orders_aside

REASON = "reason"
CELLS = "cells"
AMOUNT = "amount"
CURRENCY = "currency"
PART_OF_A_CENT = "part_of_a_cent"
UNREADABLE = {"margin": "unreadable_margin", "discount": "unreadable_discount"}
"""Columns that mark the rows with a cell that is no number, by the optional column that is used if it can be read."""

_TYPES = {
    REASON: pa.string(),
    CELLS: pa.list_(pa.string()),
    "customer_id": pa.string(),
    "ordered_on": pa.date32(),
    "amount_cents": pa.int64(),
    AMOUNT: pa.float64(),
    PART_OF_A_CENT: pa.bool_(),
    CURRENCY: pa.string(),
    "margin_cents": pa.int64(),
    "discount_cents": pa.int64(),
    "quantity": pa.float64(),
}


@dataclass(frozen=True)
class PartReader:
    """Reads parts of one log, all in the same way.

    Parameters
    ----------
    names : mapping of the contract's columns to those of the log, as `features.log.columns.locate` finds them
    rules : LogRules
        Of which what concerns several rows at once is not applied: identical rows, totals of orders, customers
        acquired earlier.
    now : numpy.datetime64
        Later times are in the future; on the clock of ``rules.timezone``.
    unasked : tuple of str, of ``margin`` and ``discount``
        Columns that nobody asked for: whether they can be used shows in the whole log, so their cells are marked.
    """

    names: Mapping[str, str]
    rules: LogRules
    now: np.datetime64
    unasked: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the contract that the log has, in the order of `TransactionLog`."""
        found = {role if role not in UNREADABLE else f"{role}_cents" for role in self.names}
        return ("customer_id", "ordered_on", "amount_cents", *(name for name in OPTIONAL if name in found))

    @property
    def schema(self) -> pa.Schema:
        """The columns of a part that was read."""
        named = [
            *(REASON, CELLS, *self.columns, AMOUNT, PART_OF_A_CENT),
            *([CURRENCY] if CURRENCY in self.names else []),
            *(UNREADABLE[role] for role in self.unasked),
        ]
        unreadable = dict.fromkeys(UNREADABLE.values(), pa.bool_())
        return pa.schema([(name, (_TYPES | unreadable).get(name, pa.string())) for name in named])

    def read(self, raw: pa.Table) -> pa.Table:
        """Read some rows of the log.

        Returns
        -------
        pyarrow.Table
            A row for each, in their order: ``reason`` of the quarantine, null where the row is used; ``cells``, the raw
            ones as text, where it is not; the columns of the contract, which mean something where the row is used.

        Examples
        --------
        >>> raw = pa.table({"id": ["17", None], "at": ["1998-01-05", "x"], "sum": ["20.50", "3"]})
        >>> names = {"customer_id": "id", "ordered_at": "at", "amount": "sum"}
        >>> part = PartReader(names, LogRules(), np.datetime64("1999-01-01", "us")).read(raw)
        >>> part["reason"].to_pylist(), part["cells"].to_pylist()
        ([None, 'no customer'], [None, [None, 'x', '3']])
        """
        quarantine = Quarantine(raw, part=True)
        set_no_orders_aside(quarantine, self.names)
        formula = self.rules.amount_expression
        expression = None if formula is None else AmountExpression.parse(formula)
        lines = read_lines(quarantine, dict(self.names), self.rules, expression, self.now)
        found = {name: lines[name] for name in lines.column_names}
        if CURRENCY in self.names:
            found[CURRENCY] = currency_words(lines)
            if self.rules.currency is not None:
                set_other_currencies_aside(quarantine, lines, self.names[CURRENCY], self.rules.currency)
        found["ordered_on"] = lines["ordered_at"].cast(pa.date32(), safe=False)
        found[PART_OF_A_CENT] = pa.array(parts_of_a_cent(lines[AMOUNT].to_numpy()))
        holds_some = pa.array(~quarantine.marked(*NO_ORDERS))
        found |= {UNREADABLE[role]: pc.and_(self._unreadable(raw, role), holds_some) for role in self.unasked}
        found[REASON], found[CELLS] = _reasons(quarantine), _cells(quarantine)
        return pa.table([found[field.name].cast(field.type) for field in self.schema], schema=self.schema)

    def _unreadable(self, raw: pa.Table, role: str) -> pa.Array:
        column = raw[self.names[role]]
        if role == "margin":
            return pa.array(~np.isfinite(numbers(column, self.rules.number_style).to_numpy()))
        return read_discounts(column, self.rules).combine_chunks().is_null()


def _reasons(quarantine: Quarantine) -> pa.Array:
    reasons = np.full(quarantine.rows_in, None, dtype=object)
    for reason in quarantine.counts():
        reasons[quarantine.rows_of(reason)] = reason
    return pa.array(reasons, pa.string())


def _cells(quarantine: Quarantine) -> pa.Array:
    """Return the raw cells of the rows that are set aside, and null for the others."""
    aside = np.flatnonzero(~quarantine.used)
    rows = quarantine.raw.take(pa.array(aside))
    texts = [as_written(column).to_pylist() for column in rows.columns]
    cells = np.full(quarantine.rows_in, None, dtype=object)
    for place, number in enumerate(aside):
        cells[number] = [text[place] for text in texts]
    return pa.array(cells, pa.list_(pa.string()))
