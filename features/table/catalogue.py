"""The definition of a feature: its name, type, unit, meaning and SQL.

A feature is an expression over *totals*: exact integers, one row per customer, which the query of
`features.table.history` computes in a single pass over the purchase days (`features.table.purchase_days`).
`rfm`, `tenure`, `behaviour` and `seasons` each define their totals and features. Money stays in integer cents until a
feature's last division, so no result depends on the order of additions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Feature:
    """One column of the feature table.

    Parameters
    ----------
    name : str
        Column name, never changed: models and stored tables refer to it.
    dtype : {"int64", "float64"}
        ``float64`` columns may hold NaN, where ``meaning`` says when.
    unit : str
    meaning : str
        One sentence for the reader of the catalogue.
    expression : str
        SQL over the totals; ``{snapshot}``, ``{weekday}`` and ``{month}`` stand for the snapshot's day
        number since 1970-01-01, its weekday and its month.
    needs : str, optional
        The column of the log without which the feature is NaN.
    """

    name: str
    dtype: Literal["int64", "float64"]
    unit: str
    meaning: str
    expression: str
    needs: str | None = None


def money(cents: str) -> str:
    """Return the SQL of an exact number of cents in units of the currency."""
    return f"{cents} / 1e2"


def square(integer: str) -> str:
    """Return the SQL of the square of a 64-bit integer, in 38 digits."""
    return f"CAST({integer} AS DECIMAL(19, 0)) * CAST({integer} AS DECIMAL(19, 0))"


def sample_std(count: str, total: str, squares: str) -> str:
    """Return the SQL of the sample standard deviation of two or more values, from exact integer sums.

    ``sqrt((n·Σx² − (Σx)²) / (n·(n − 1)))``: the numerator is exact, so neither the order of the rows nor
    the number of threads changes a bit.
    """
    exact = f"{count} * {squares} - {total} * CAST({total} AS DECIMAL(38, 0))"
    return f"sqrt(({exact}) / (1e0 * {count} * ({count} - 1)))"


def catalogue_markdown(features: Iterable[Feature]) -> str:
    """Return the features as a Markdown table, for the documentation.

    Examples
    --------
    >>> frequency = Feature("frequency", "int64", "days", "Repeat purchase days.", "days - 1")
    >>> print(catalogue_markdown([frequency]))
    | feature | type | unit | meaning |
    |---|---|---|---|
    | `frequency` | int64 | days | Repeat purchase days. |
    """
    rows = (
        f"| `{f.name}` | {f.dtype} | {f.unit} | {f.meaning.replace('|', chr(92) + '|')} |" for f in features
    )
    return "\n".join(["| feature | type | unit | meaning |", "|---|---|---|---|", *rows])
