"""Quarantine: the rows of a log that cannot be used, each with its row number and one reason.

A row is set aside once, for the first reason that is found; the others are used. So rows in = used +
quarantined, always.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.language import translatable, translated

Mask = npt.NDArray[np.bool_]

NO_CUSTOMER = translatable("no customer")
UNSTORABLE_CUSTOMER = translatable("customer id that no database can hold")
UNREADABLE_DATE = translatable("unreadable date")
FUTURE_DATE = translatable("date in the future")
UNREADABLE_AMOUNT = translatable("amount missing or not a number")
INFINITE_AMOUNT = translatable("infinite or NaN amount")
HUGE_AMOUNT = translatable("amount of ten trillion or more")
UNREADABLE_MARGIN = translatable("margin missing or not a finite number")
OTHER_CURRENCY = translatable("other currency")
TOO_EARLY = translatable("date before the earliest")
FURTHER_LINE = translatable("further line of an order")
LEFT_OUT = translatable("left out by --where")
ACQUIRED_EARLIER = translatable("customer acquired earlier")
IDENTICAL_ROW = translatable("identical row dropped")
EMPTY_ROW = translatable("empty row")
REPEATED_HEADER = translatable("header repeated")

NO_ORDERS = (EMPTY_ROW, REPEATED_HEADER)
"""Reasons of rows that hold nothing."""
CHOSEN = (OTHER_CURRENCY, TOO_EARLY, FURTHER_LINE, LEFT_OUT, ACQUIRED_EARLIER, IDENTICAL_ROW, *NO_ORDERS)
"""Reasons that the caller has asked for, or by which nothing is lost; rows with another are."""

EXAMPLES = 3


class Quarantine:
    """Sorts the rows of a raw log into used and quarantined.

    Parameters
    ----------
    raw : pyarrow.Table, the log as read
    part : bool
        Whether it is a part of a log only: what is judged by the share of its rows is then not judged.

    Examples
    --------
    >>> log = pa.table({"customer_id": ["17", None, ""], "amount": ["20.50", "x", "y"]})
    >>> quarantine = Quarantine(log)
    >>> quarantine.set_aside(np.array([False, True, True]), NO_CUSTOMER, "customer_id")
    >>> quarantine.set_aside(np.array([False, True, False]), UNREADABLE_AMOUNT, "amount")
    >>> quarantine.counts(), quarantine.used.tolist()
    ({'no customer': 2}, [True, False, False])
    >>> quarantine.table().to_pylist()[0]
    {'row_number': 2, 'reason': 'no customer', 'customer_id': None, 'amount': 'x'}
    """

    def __init__(self, raw: pa.Table, *, part: bool = False) -> None:
        self.raw = raw
        self.part = part
        self.used: Mask = np.ones(raw.num_rows, dtype=bool)
        self._set_aside: dict[str, tuple[npt.NDArray[np.int64], tuple[str, ...]]] = {}
        self._table: pa.Table | None = None
        self._examples: dict[str, str] | None = None

    @property
    def rows_in(self) -> int:
        """The number of rows of the raw log."""
        return int(self.used.size)

    def set_aside(self, rows: Mask, reason: str, *columns: str) -> None:
        """Quarantine those of the rows that are still in use; ``columns`` of the log show why."""
        numbers = np.flatnonzero(rows & self.used)
        if numbers.size:
            self._set_aside[reason] = (numbers, columns)
            self.used[numbers] = False

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each reason that occurred."""
        return {reason: int(numbers.size) for reason, (numbers, _) in self._set_aside.items()}

    def rows_of(self, *reasons: str) -> npt.NDArray[np.int64]:
        """Return the positions from 0 of the rows with one of the reasons, in order."""
        found = [self._set_aside[reason][0] for reason in reasons if reason in self._set_aside]
        return np.sort(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)

    def marked(self, *reasons: str) -> Mask:
        """Mark the rows that were set aside for one of the reasons."""
        mask = np.zeros(self.rows_in, dtype=bool)
        mask[self.rows_of(*reasons)] = True
        return mask

    def columns_of(self, reason: str) -> tuple[str, ...]:
        """Return the columns that show why rows were set aside for a reason."""
        return self._set_aside[reason][1] if reason in self._set_aside else ()

    def examples(self) -> dict[str, str]:
        """Describe the first rows of each reason, as in ``row 3: amount 'x'``."""
        if self._examples is not None:
            return self._examples
        return {
            reason: self.describe(numbers, *columns) for reason, (numbers, columns) in self._set_aside.items()
        }

    def describe(self, numbers: npt.NDArray[np.int64], *columns: str) -> str:
        """Describe the first of some rows, given by their positions from 0."""
        first = numbers[:EXAMPLES]
        shown = [[f"{name} {_shown(text)}" for text in self._written(name, first)] for name in columns]
        texts = (", ".join(values) for values in zip(*shown, strict=True))
        return "; ".join(
            translated("row {number}: {cells}", number=number + 1, cells=text)
            for number, text in zip(first.tolist(), texts, strict=True)
        )

    def _written(self, name: str, numbers: npt.NDArray[np.int64]) -> list[str | None]:
        texts: list[str | None] = as_written(self.raw[name].take(pa.array(numbers))).to_pylist()
        return texts

    def table(self) -> pa.Table:
        """Return the quarantined rows in order: row_number from 1, reason, the raw values as text."""
        if self._table is not None:
            return self._table
        numbers = np.flatnonzero(~self.used)
        reasons = np.empty(self.rows_in, dtype=object)
        for reason, (positions, _) in self._set_aside.items():
            reasons[positions] = reason
        rows = self.raw.take(pa.array(numbers))
        names = [f"{name} (log)" if name in ("row_number", "reason") else name for name in rows.column_names]
        return pa.Table.from_arrays(
            [
                pa.array(numbers + 1, pa.int64()),
                pa.array(reasons[numbers], pa.string()),
                *map(as_written, rows.columns),
            ],
            names=["row_number", "reason", *names],
        )

    def without_raw_rows(self) -> Quarantine:
        """Return the same account, which keeps the quarantined rows only."""
        small = copy(self)
        small._table, small._examples = self.table(), self.examples()
        small.raw = self.raw.schema.empty_table()
        return small


def _shown(text: str | None) -> str:
    return repr(text) if text else "(empty)"


def as_written(column: pa.ChunkedArray) -> Any:
    """Return the cells of a raw column as text, whatever their type."""
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # nested values, or bytes that are no text
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
