"""A table of own columns as the store keeps it: with sound names, and cells that are numbers or texts."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from features.errors import StayworthError
from features.language import translated
from features.log.dates import plain_digits
from features.log.identity import examples
from serving.store.tables import MOST_OWN_COLUMNS

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,12})?", re.ASCII)
"""A number that is one to a reader too; 0042 and +98912… are texts."""

_OF_PROGRAMS = re.compile(r"[+-]?(\d+(\.\d*)?e[+-]?\d+|nan|inf(inity)?)", re.ASCII | re.IGNORECASE)
"""How programs write a number too: 1.2E+05; and what is none."""

_TOO_LARGE = 1e15
_LONGEST_NAME, _LONGEST_TEXT = 60, 200


def own_table(cells: pd.DataFrame) -> pd.DataFrame:
    """Return cells as they are kept: each column of numbers, or of texts; empty cells as missing.

    Parameters
    ----------
    cells : DataFrame by customer id

    Raises
    ------
    StayworthError
        If there is no column or too many, one has no name of its own or too long a one, or numbers are infinite, too
        large or none at all.

    Examples
    --------
    >>> own_table(pd.DataFrame({"city": ["Yazd", " "], "credit": ["12.5", "۱۵۰۰"]}, index=["c0", "c1"]))
        city  credit
    c0  Yazd    12.5
    c1  None  1500.0
    """
    names = _sound_names([str(name) for name in cells.columns])
    cells = cells.set_axis(names, axis="columns").sort_index(kind="stable")
    return pd.DataFrame({name: _tidy(cells[name]) for name in names}, index=cells.index)


def _sound_names(names: list[str]) -> list[str]:
    names = [" ".join(name.split()) for name in names]
    if not names:
        raise StayworthError(translated("The file has no column besides the ids."))
    if len(names) > MOST_OWN_COLUMNS:
        raise StayworthError(
            translated(
                "The file has {n} columns besides the ids; up to {most} can be kept. Leave out the others.",
                n=len(names),
                most=MOST_OWN_COLUMNS,
            )
        )
    odd = [name for name in names if not 1 <= len(name) <= _LONGEST_NAME or names.count(name) > 1]
    if odd:
        raise StayworthError(
            translated(
                "The name of a column has 1 to {n:character|characters}, and no two are the same; {name!r} is not.",
                n=_LONGEST_NAME,
                name=odd[0][:_LONGEST_NAME],
            )
        )
    return names


def _tidy(cells: pd.Series) -> pd.Series:
    """Return cells as numbers, or as texts; empty ones as missing."""
    if pd.api.types.is_float_dtype(cells):
        return _finite(cells.astype(float), cells)
    if pd.api.types.is_integer_dtype(cells) and not (cells.abs() >= _TOO_LARGE).any():
        return cells.astype(float)
    texts = [_text(cell) for cell in cells]
    plain = [cell and plain_digits(cell).replace("٫", ".").replace("−", "-") for cell in texts]
    known = [cell for cell in plain if cell is not None]
    numbers = [cell for cell in known if _NUMBER.fullmatch(cell)]
    odd = [cell for cell in known if not _NUMBER.fullmatch(cell)]
    if all(map(_OF_PROGRAMS.fullmatch, odd)) and any(cell[-1].isdigit() for cell in (*numbers, *odd)):
        return _finite(pd.Series(plain, index=cells.index, dtype=object).astype(float), cells)
    return pd.Series(texts, index=cells.index, dtype=object)


def _text(cell: Any) -> str | None:
    """Return a cell as text, None if it is empty; yes and no as 1 and 0."""
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return None
    if pd.api.types.is_bool(cell):
        return str(int(cell))
    return str(cell).strip()[:_LONGEST_TEXT] or None


def _finite(numbers: pd.Series, cells: pd.Series) -> pd.Series:
    """Return numbers that can be ordered and shown; an empty cell is missing."""
    given = cells.notna() & (cells.astype(str).str.strip() != "")
    odd = given & ~(numbers.abs() < _TOO_LARGE)
    if odd.any():
        raise StayworthError(
            translated(
                "The column {name!r} holds numbers, but in {n:cell|cells} one that cannot be kept: {examples}, of "
                "{customers}. Write numbers of up to 15 digits, and leave empty what is not known. Nothing was "
                "changed.",
                name=cells.name,
                n=int(odd.sum()),
                examples=examples(cells[odd].astype(str).unique()),
                customers=examples(cells.index[odd]),
            )
        )
    return numbers
