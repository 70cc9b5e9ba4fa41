"""Amounts: raw columns read as numbers, and exact cents.

A value that cannot be read becomes null, never a guess; who calls counts the nulls. All of it works on whole
columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import LogError
from features.language import translated
from features.log.column_text import plain, text
from features.log.currencies import one_name
from features.log.customer_days import Codes, customer_blocks
from features.log.dates import ascii_digits
from features.log.number_style import NumberStyle

Cents = npt.NDArray[np.int64]

LARGEST_AMOUNT = 1e13  # up to here a double tells every cent apart: room for orders in rials
EXPRESSION_ERROR = 5e-15  # twenty roundings of a double; half a unit of the 14th digit

_PART_OF_A_CENT = 1e-8
_BLOCK_ROWS = 65_536
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_CURRENCY_MARK = r"\b[A-Za-z]{1,3}\$|\b[Rr]s\.?|[$€£¥₹₺₽﷼₩]|\b[A-Za-z]{2,3}\b|ریال|تومان"
_SIDES = {"CR", "DR"}
SCALED = "(?i)[0-9] ?(k|tsd|tys|هزار|m|mio|mln|mill|million|millionen|میلیون|bn|b|mrd|mlrd|billion|میلیارد)(?:[^a-z]|$)"
"""Numbers such as 1.2k and 3 Mio.: of few digits, and read in no style."""
_CURRENCY = _CURRENCY_MARK + r"|\s"
_GROUPS = {" ": r"[ \x{a0}\x{202f}]", "'": "['’]"}


PLAIN = NumberStyle()


def numbers(column: pa.ChunkedArray, style: NumberStyle = PLAIN) -> pa.ChunkedArray:
    """Read a column as numbers: numeric types, or text such as ``-1234.50`` and ``1e3``.

    Nothing is guessed: ``1,234.50`` (whose comma may be a decimal mark), ``12 EUR`` or ``(5)`` are null unless
    the style says how to read them. Persian and Arabic digits are digits, and the apostrophe by which programs
    keep ``'-5`` from being a formula is taken off.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
    style : NumberStyle

    Returns
    -------
    pyarrow.ChunkedArray of double, null where missing or not a number; may hold NaN and infinities

    Examples
    --------
    >>> numbers(pa.chunked_array([[" -2.5", "+1e3", "1,234.50", ""]])).to_pylist()
    [-2.5, 1000.0, None, None]
    >>> german = NumberStyle(decimal=",", thousands=".")
    >>> numbers(pa.chunked_array([["-1.234,50", "12,5", "1.5"]]), german).to_pylist()
    [-1234.5, 12.5, None]
    >>> numbers(pa.chunked_array([["4,65,120.50", "465,120", "4,65"]]), NumberStyle(thousands=",")).to_pylist()
    [465120.5, 465120.0, None]
    >>> numbers(pa.chunked_array([["(28.64)", "5.00-", "$ 3"]]), NumberStyle(accounting=True)).to_pylist()
    [-28.64, -5.0, 3.0]
    """
    column = plain(column)
    if pa.types.is_float64(column.type) or pa.types.is_integer(column.type):
        return _filled(column.cast(pa.float64(), safe=False), style)
    if pa.types.is_floating(column.type):  # 1.005 as a short float is the double 1.00499999523: use its text
        return _filled(column.cast(pa.float32()).cast(pa.string()).cast(pa.float64()), style)
    written = text(column)
    readable = pc.match_substring_regex(written, _NUMBER)
    if style != PLAIN or pc.all(readable).as_py() is False:
        written = _plainly(written, style)
        readable = pc.match_substring_regex(written, _NUMBER)
    digits = pc.replace_substring_regex(written, r"^\+", "")
    return _filled(pc.if_else(readable, digits, pa.scalar(None, pa.string())).cast(pa.float64()), style)


def _filled(values: pa.ChunkedArray, style: NumberStyle) -> pa.ChunkedArray:
    return pc.fill_null(values, 0.0) if style.blank_is_zero else values


def currency_marks(written: pa.ChunkedArray) -> set[str]:
    """Return the marks of currencies that stand beside numbers.

    Examples
    --------
    >>> sorted(currency_marks(pa.chunked_array([["€ 500", "20.5", "500 TL"]])))
    ['TL', '€']
    """
    return {
        mark.rstrip(".")
        for each in written.unique().to_pylist()
        for mark in re.findall(_CURRENCY_MARK, each or "")
        if not re.search(SCALED, each or "")
    }


def _require_one_currency(written: pa.ChunkedArray) -> None:
    """Refuse numbers with marks of several currencies: a sum of them means nothing."""
    marks = currency_marks(written)
    if marks and marks <= _SIDES:
        raise LogError(
            translated("Amounts are marked CR and DR, credit and debit."),
            translated(
                "Which of them are refunds is for the shop to say: write those with a minus, and no marks."
            ),
            translated("Send plain numbers, with a minus before refunds."),
        )
    if len(set(one_name(marks).values())) > 1:
        raise LogError(
            translated("It mixes currencies: {names}.", names=", ".join(map(repr, sorted(marks)))),
            translated("Write them in a column of their own, and say which to use: --currency EUR."),
            translated("Send plain numbers, of one currency."),
        )


def without_marks(written: pa.ChunkedArray, currency: str = _CURRENCY_MARK) -> pa.ChunkedArray:
    """Take a currency, parentheses and a minus at the end off numbers; a minus in front stands for the last two.

    Examples
    --------
    >>> without_marks(pa.chunked_array([["1.234,50 €", "(28.64)", "5.00-"]])).to_pylist()
    ['1.234,50', '-28.64', '-5.00']
    """
    written = pc.utf8_trim_whitespace(pc.replace_substring_regex(written, currency, ""))
    written = pc.replace_substring_regex(written, r"^\((.*)\)$", r"-\1")
    return pc.replace_substring_regex(written, r"^(.*[0-9.,])-$", r"-\1")


def _plainly(written: pa.ChunkedArray, style: NumberStyle) -> pa.ChunkedArray:
    """Write numbers of a style with a decimal point, a leading minus and nothing else."""
    written = ascii_digits(written)
    for pattern, plain_form in (
        (r"^['’](?P<n>[+=-]?[(0-9.])", r"\1"),
        ("[٫．]", "."),
        ("٬", ""),
        ("[−–－]", "-"),
    ):
        written = pc.replace_substring_regex(written, pattern, plain_form)
    if style.accounting:
        _require_one_currency(written)
        scaled = pc.match_substring_regex(written, SCALED)
        written = without_marks(pc.if_else(scaled, pa.scalar(None, pa.string()), written), _CURRENCY)
    decimal = re.escape(style.decimal)
    if style.thousands:
        group = _GROUPS.get(style.thousands, re.escape(style.thousands))
        # Lakhs and crores are grouped by two: 12,34,567.
        whole = rf"[0-9]{{1,3}}({group}[0-9]{{3}})+|[0-9]{{1,2}}({group}[0-9]{{2}})+{group}[0-9]{{3}}|[0-9]*"
        grouped = rf"^[+-]?({whole})({decimal}[0-9]*)?([eE][+-]?[0-9]+)?$"
        fits = pc.match_substring_regex(written, grouped)
        written = pc.if_else(
            fits, pc.replace_substring_regex(written, group, ""), pa.scalar(None, pa.string())
        )
    if style.decimal != ".":
        unclear = pc.match_substring(written, ".")
        written = pc.if_else(unclear, pa.scalar(None, pa.string()), pc.replace_substring(written, ",", "."))
    return written


def cents(values: npt.NDArray[np.float64], relative_error: float | npt.NDArray[np.float64] = 0.0) -> Cents:
    """Round amounts half away from zero to cents, on the decimal that was written.

    The double nearest to 1.005 lies below it, and becomes 1.01 all the same: an amount rounds up if it
    reaches the *double* of the half cent, and the doubles of two short decimals are ordered as these are.

    Parameters
    ----------
    values : ndarray of double, absolute values below ``LARGEST_AMOUNT``
    relative_error : float or ndarray, what arithmetic may have taken from an amount that ends on half a cent

    Returns
    -------
    ndarray of int64

    Examples
    --------
    >>> cents(np.array([1.005, -1.005, 1.0049, 0.29, 33554.435]))
    array([    101,    -101,     100,      29, 3355444])
    >>> cents(np.array([3 * 0.145])), cents(np.array([3 * 0.145]), EXPRESSION_ERROR)
    (array([43]), array([44]))
    """
    rounded, errors = np.empty(len(values), dtype=np.int64), np.broadcast_to(relative_error, len(values))
    for rows in blocks(len(values)):
        size = np.abs(values[rows])
        floor = np.floor(size * 100)
        reached = size * (1 + errors[rows]) >= (10 * floor + 5) / 1000
        rounded[rows] = np.sign(values[rows]) * (floor + reached)
    return rounded


def blocks(rows: int) -> Iterator[slice]:
    """Cut rows into blocks, so that what is computed in between stays in the processor's cache."""
    yield from (slice(start, start + _BLOCK_ROWS) for start in range(0, rows, _BLOCK_ROWS))


def parts_of_a_cent(values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Mark the amounts that are no whole number of cents.

    Examples
    --------
    >>> parts_of_a_cent(np.array([0.29, 1.005]))
    array([False,  True])
    """
    found = np.empty(len(values), dtype=bool)
    for rows in blocks(len(values)):
        rest = np.abs(values[rows] * 100 - np.round(values[rows] * 100))
        found[rows] = rest > _PART_OF_A_CENT * np.maximum(np.abs(values[rows]), 1)
    return found


def running_cents(customers: Codes, days: pa.ChunkedArray, values: npt.NDArray[np.float64]) -> Cents | None:
    """Round amounts with parts of a cent so that each customer's sum is right to the cent at the end of every day.

    A line gets the difference of two rounded sums. Of a day's lines the smallest comes first, whatever their order.

    Returns
    -------
    ndarray of int64; None where no amount has a part of a cent, and each may be rounded alone

    Examples
    --------
    >>> lines = np.array([17, 17, 17]), pa.chunked_array([[1, 1, 2]])
    >>> running_cents(*lines, np.array([0.004, 0.004, 0.004]))
    array([0, 1, 0])
    """
    if not parts_of_a_cent(values).any():
        return None
    rounded, numbers = np.empty(len(values), dtype=np.int64), days.to_numpy()
    for rows in customer_blocks(customers):
        rounded[rows] = _running(customers[rows], numbers[rows], values[rows])
    return rounded


def _running(customers: Codes, days: npt.NDArray[Any], values: npt.NDArray[np.float64]) -> Cents:
    order = np.lexsort((values, days, customers))
    group = pd.Series(customers[order])
    exact = pd.Series(values[order]).groupby(group).cumsum().to_numpy()
    # What additions took from half a cent is given back, but never so much that a whole cent comes of it.
    sums = cents(exact, np.minimum(EXPRESSION_ERROR, _PART_OF_A_CENT / np.maximum(np.abs(exact), 1.0)))
    before = np.where(group.duplicated().to_numpy(), np.concatenate([[0], sums[:-1]]), 0)
    rounded = np.empty_like(sums)
    rounded[order] = sums - before
    return rounded
