"""Other ways of writing numbers and dates, recognised in cells that could not be read, each with its flag."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.log.amounts import numbers
from features.log.columns import text
from features.log.dates import ascii_digits
from features.log.settings import NumberStyle

_BLANK = r"[ \x{a0}\x{202f}]"
_SIGN = "[+-]?"
_GERMAN = NumberStyle(decimal=",", thousands=".")
_ACCOUNTING = NumberStyle(accounting=True)
# What it is, a pattern of the whole cell, the flag that reads it, and the style that the flag makes.
_NUMBERS: tuple[tuple[str, str, str, NumberStyle], ...] = (
    ("with dots for thousands", rf"^{_SIGN}[0-9]{{1,3}}(\.[0-9]{{3}}){{2,}}$", "--thousands .", _GERMAN),
    (
        "with dots for thousands and a decimal comma",
        rf"^{_SIGN}[0-9]{{1,3}}(\.[0-9]{{3}})+,[0-9]+$",
        "--decimal , --thousands .",
        _GERMAN,
    ),
    (
        "with commas for thousands",
        rf"^{_SIGN}[0-9]{{1,3}}(,[0-9]{{3}})+(\.[0-9]*)?$",
        "--thousands ,",
        NumberStyle(thousands=","),
    ),
    ("with a decimal comma", rf"^{_SIGN}[0-9]+,[0-9]*$", "--decimal ,", NumberStyle(decimal=",")),
    (
        "with spaces for thousands",
        rf"^{_SIGN}[0-9]{{1,3}}({_BLANK}[0-9]{{3}})+(\.[0-9]*)?$",
        "--thousands ' '",
        NumberStyle(thousands=" "),
    ),
    (
        "with spaces for thousands and a decimal comma",
        rf"^{_SIGN}[0-9]{{1,3}}({_BLANK}[0-9]{{3}})+,[0-9]*$",
        "--decimal , --thousands ' '",
        NumberStyle(decimal=",", thousands=" "),
    ),
    (
        "with apostrophes for thousands",
        rf"^{_SIGN}[0-9]{{1,3}}(['’][0-9]{{3}})+(\.[0-9]*)?$",
        '--thousands "\'"',
        NumberStyle(thousands="'"),
    ),
    ("in parentheses", r"^[^(]*\(.*[0-9].*\)$", "--accounting", _ACCOUNTING),
    ("with a minus at the end", r"^[0-9.]+ ?-$", "--accounting", _ACCOUNTING),
    (
        "with a currency beside them",
        r"^-?([^0-9.,()-]{1,4}-?[0-9][0-9.]*|[0-9][0-9.]*[^0-9.,()-]{1,4})$",
        "--accounting",
        _ACCOUNTING,
    ),
)
_DATES: tuple[tuple[str, str, str], ...] = (
    ("in seconds since 1970", r"^(8|9|1[0-9]|2[0-4])[0-9]{8}(\.[0-9]+)?$", "--date-format epoch"),
    ("in milliseconds since 1970", r"^(8|9|1[0-9]|2[0-4])[0-9]{11}$", "--date-format epoch-ms"),
    ("as Excel's day numbers", r"^(3[0-9]|4[0-9]|5[0-9])[0-9]{3}(\.[0-9]+)?$", "--date-format excel"),
    ("in the Jalali calendar", r"^1[34][0-9]{2}/[0-9]{1,2}/[0-9]{1,2}", "--log-calendar jalali"),
    ("with an AM or PM", r"(?i)[0-9] ?[ap]\.? ?m\.?$", "--date-format, with %I and %p"),
    ("with the day first", r"^(1[3-9]|2[0-9]|3[01])[./-][0-9]{1,2}[./-][0-9]{4}", "--date-format '%d/%m/%Y'"),
    ("with the month first", r"^[0-9]{1,2}/(1[3-9]|2[0-9]|3[01])/[0-9]{4}", "--date-format '%m/%d/%Y'"),
)


@dataclass(frozen=True)
class Notation:
    """A way of writing that some unreadable cells share.

    Attributes
    ----------
    what : str, such as ``amounts``
    how : str, such as ``in parentheses``
    flag : str, what reads them
    column : str, where they stand
    rows : ndarray of int64, their positions from 0
    values : ndarray of double, what the flag would read; NaN where that is not known
    """

    what: str
    how: str
    flag: str
    column: str
    rows: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]

    def count(self) -> str:
        """Say how many there are."""
        return f"{self.rows.size:,} of them are written {self.how}"

    def sentence(self) -> str:
        """Say how many there are, and what reads them."""
        return f"{self.count()}: {self.flag} reads them."


def written_otherwise(raw: pa.Table, rows: npt.NDArray[np.int64], what: str, *columns: str) -> list[Notation]:
    """Recognise how unreadable cells are written.

    Parameters
    ----------
    raw : pyarrow.Table
    rows : positions of the rows with an unreadable cell
    what : str, ``dates``, or the word for a column of numbers
    columns : the columns that may hold the cells

    Returns
    -------
    list of Notation, the most frequent first; a cell counts once

    Examples
    --------
    >>> log = pa.table({"amount": ["1", "(28.64)", "x", "1.234,50"]})
    >>> for found in written_otherwise(log, np.array([1, 2, 3]), "amounts", "amount"):
    ...     print(found.how, found.flag, found.values)
    with dots for thousands and a decimal comma --decimal , --thousands . [1234.5]
    in parentheses --accounting [-28.64]
    """
    found: list[Notation] = []
    for name in columns:
        written = ascii_digits(text(raw[name].take(pa.array(rows))))
        left = pc.fill_null(pc.is_valid(written), False).to_numpy().copy()
        forms = [(how, pattern, flag, None) for how, pattern, flag in _DATES] if what == "dates" else _NUMBERS
        for how, pattern, flag, style in forms:
            fits = pc.fill_null(pc.match_substring_regex(written, pattern), False).to_numpy() & left
            if not fits.any():
                continue
            left &= ~fits
            cells = written.filter(pa.array(fits))
            values = np.full(len(cells), np.nan) if style is None else numbers(cells, style).to_numpy()
            found.append(Notation(what, how, flag, name, rows[fits], values))
    return sorted(found, key=lambda notation: -notation.rows.size)
