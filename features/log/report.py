"""The report on a log: how many rows were used and set aside, and what the used ones hold."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.language import translated
from features.log.amounts import blocks
from features.log.customer_days import encoded
from features.log.quarantine import Quarantine


@dataclass(frozen=True)
class RowBalance:
    """Where the rows of a log went: ``rows_in == rows_used + sum(quarantined.values())``.

    Attributes
    ----------
    rows_in, rows_used : int
    quarantined : dict of reason to number of rows
    examples : dict of reason to a description of its first rows
    customers : int
    first_day, last_day : datetime.date, of the used rows
    """

    rows_in: int
    rows_used: int
    quarantined: dict[str, int]
    examples: dict[str, str]
    customers: int
    first_day: date
    last_day: date

    def rows(self) -> list[tuple[str, int, str]]:
        """Return the balance of rows as lines of a table: what, how many rows, where."""
        span = translated(
            "{n:customer|customers}, {first:date} to {last:date}",
            n=self.customers,
            first=self.first_day,
            last=self.last_day,
        )
        reasons = [
            (translated("quarantined: {reason}", reason=translated(why)), count, self.examples.get(why, ""))
            for why, count in self.quarantined.items()
        ]
        return [
            (translated("rows in"), self.rows_in, ""),
            (translated("used"), self.rows_used, span),
            *reasons,
        ]

    def __str__(self) -> str:
        counts = "".join(f" + {count:,} quarantined ({why})" for why, count in self.quarantined.items())
        return f"{self.rows_in:,} rows in = {self.rows_used:,} used" + (counts or " + 0 quarantined")


@dataclass(frozen=True)
class LogReport(RowBalance):
    """What validation found.

    Attributes
    ----------
    identical_rows : int, rows equal to an earlier one in every column of the contract, time of day included
    zero_amounts, refunds : int, used rows with a zero or a negative amount
    refunds_only_customers : int, customers without a purchase
    currency : str or None, where the log or the caller names it
    timezone : str, in which the days of the orders are
    fingerprint : str, SHA-256 of the used rows, whatever their order
    """

    identical_rows: int
    zero_amounts: int
    refunds: int
    refunds_only_customers: int
    currency: str | None
    timezone: str
    fingerprint: str


def report_of(
    used: pa.Table, quarantine: Quarantine, identical: int, currency: str | None, timezone: str
) -> LogReport:
    """Count and describe the used rows of a log, in the columns of its contract, and those in quarantine.

    Each ``customer_id`` is kept once: they are a dictionary.
    """
    amounts, days = used["amount_cents"], pc.min_max(used["ordered_on"]).as_py()
    ids = used["customer_id"].combine_chunks()
    customers = len(ids.dictionary)
    codes, cents, buys = ids.indices.to_numpy(), amounts.to_numpy(), np.zeros(customers, dtype=bool)
    for rows in blocks(len(codes)):
        buys[codes[rows][cents[rows] >= 0]] = True
    return LogReport(
        rows_in=quarantine.rows_in,
        rows_used=used.num_rows,
        quarantined=quarantine.counts(),
        examples=quarantine.examples(),
        customers=customers,
        first_day=days["min"],
        last_day=days["max"],
        identical_rows=identical,
        zero_amounts=pc.sum(pc.equal(amounts, 0)).as_py(),
        refunds=pc.sum(pc.less(amounts, 0)).as_py(),
        refunds_only_customers=customers - int(np.count_nonzero(buys)),
        currency=currency,
        timezone=timezone,
        fingerprint=fingerprint(used),
    )


def fingerprint(table: pa.Table) -> str:
    """Return a SHA-256 of a table's rows that does not depend on their order.

    Examples
    --------
    >>> log = pa.table({"customer_id": ["17", "18"], "amount_cents": [2050, 700]})
    >>> fingerprint(log) == fingerprint(log.take([1, 0])), fingerprint(log) == fingerprint(log.take([1, 1]))
    (True, False)
    """
    # As pandas.util.hash_pandas_object combines the hashes of columns, without a DataFrame of millions of texts.
    hashes, multiplier = np.full(table.num_rows, 0x345678, dtype="<u8"), 1_000_003
    for left, column in zip(range(table.num_columns, 0, -1), table.columns, strict=True):
        hash_of = _hasher(column)
        for rows in blocks(table.num_rows):
            hashes[rows] ^= hash_of(rows)
        hashes *= np.uint64(multiplier)
        multiplier += 82_520 + 2 * left
    hashes += np.uint64(97_531)
    hashes.sort()
    digest = hashlib.sha256(",".join(table.column_names).encode())
    digest.update(hashes.data)
    return digest.hexdigest()


def _hasher(column: pa.ChunkedArray) -> Callable[[slice], npt.NDArray[np.uint64]]:
    """Return what hashes some of a column's cells; of a text that stands in many rows it is computed once."""
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    if not (pa.types.is_string(column.type) or pa.types.is_dictionary(column.type)):
        # As pandas has a column with missing numbers.
        whole = column.cast(pa.float64()) if column.null_count else column
        return lambda rows: np.asarray(pd.util.hash_array(_cut(whole, rows).to_numpy()))
    texts = encoded(column)
    of_text = np.full(len(texts.dictionary) + 1, np.iinfo(np.uint64).max)  # the last of a cell without a text
    for rows in blocks(len(texts.dictionary)):
        written = _cut(texts.dictionary, rows).to_numpy(zero_copy_only=False)
        of_text[rows][: len(written)] = pd.util.hash_array(written, categorize=False)
    return lambda rows: np.asarray(
        of_text[pc.fill_null(_cut(texts.indices, rows), len(of_text) - 1).to_numpy()]
    )


def _cut(cells: pa.Array | pa.ChunkedArray, rows: slice) -> pa.Array | pa.ChunkedArray:
    return cells.slice(rows.start, rows.stop - rows.start)
