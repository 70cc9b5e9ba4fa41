"""One own column as the store has it: its name, its kind, and the values that customers are filtered by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

OWN = "own:"
"""What names of own columns begin with in an order or among the columns of a table."""


@dataclass(frozen=True)
class OwnValue:
    """A value, or a range of numbers, that customers are filtered by.

    Parameters
    ----------
    text : str
        Of a range of numbers its ends, with a space between.
    first, last : int
        Places of its customers in the order of the column.
    key : str
        What stands for it in an address: a digest of the column's name and the value.
    """

    text: str
    first: int
    last: int
    key: str


@dataclass(frozen=True)
class OwnColumn:
    """One column; ``numeric`` ones are ordered as numbers."""

    place: int
    name: str
    numeric: bool
    values: tuple[OwnValue, ...]
    brought_at: datetime


def column_of(row: Any) -> OwnColumn:
    """Return the column of a row of ``own_columns``."""
    values = tuple(
        OwnValue(text, first, last, key_of(row.name, text)) for text, first, last in row._mapping["values"]
    )
    return OwnColumn(row.place, row.name, bool(row.numeric), values, row.brought_at)


def key_of(name: str, value: str) -> str:
    """Return what stands for a value of a column in an address.

    Examples
    --------
    >>> key_of("city", "Shiraz")
    '8e6beb4a0395634a'
    """
    return hashlib.sha256(f"{name}\0{value}".encode()).hexdigest()[:16]
