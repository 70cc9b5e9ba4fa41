"""A source that has been opened: what it is called, its columns, and its rows in chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from features.errors import LogError
from features.language import translated


@dataclass(frozen=True)
class Stream:
    """An open source.

    Attributes
    ----------
    name : str, what messages call it; holds no password
    names : sequence of str, all its columns
    schema : pyarrow.Schema of the batches
    batches : iterator of pyarrow.RecordBatch
    total_rows : int, 0 if unknown
    dates : mapping of a text column to the date or timestamp type that it has at the source
    """

    name: str
    names: Sequence[str]
    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    total_rows: int = 0
    dates: Mapping[str, pa.DataType] = field(default_factory=dict)


def require_distinct(names: Sequence[str], where: str) -> None:
    """Raise a LogError if a source has two columns of one name.

    Examples
    --------
    >>> require_distinct(["id", "amount"], "orders.parquet")
    """
    twice = next((name for name in names if list(names).count(name) > 1), None)
    if twice is not None:
        raise LogError(
            translated(
                "{where} has more than one column {twice!r}. Rename all but one.", where=where, twice=twice
            )
        )
