"""Other ways of writing numbers and dates, recognised in cells that could not be read, each with its flag."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.language import translatable, translated
from features.log.amounts import numbers, without_marks
from features.log.column_text import plain, text
from features.log.columns import quoted
from features.log.date_notation import Way, matches, ways_of_dates
from features.log.dates import ascii_digits, local_times
from features.log.known_notations import (
    ACCOUNTED,
    ADVICE,
    NUMBERS,
    UNREAD_NUMBERS,
    UNSHOWN_ORDER,
)
from features.log.number_style import NumberStyle
from features.log.remedies import with_replaced
from features.log.settings import LogRules

_EITHER = translatable(
    "Days first and months first stand in one column, where 01/02/2011 may be either: export the dates as 2011-01-31."
)
_COUNTED = {
    "amounts": translatable("{n:amount is|amounts are} written {how}"),
    "margins": translatable("{n:margin is|margins are} written {how}"),
    "dates": translatable("{n:date is|dates are} written {how}"),
}


@dataclass(frozen=True)
class Notation:
    """A way of writing that some unreadable cells share.

    Attributes
    ----------
    what : str, such as ``amounts``
    how : str, such as ``in parentheses``
    flag : str, what reads them; empty where nothing can: formulas, or days first and months first in one column
    column : str, where they stand
    rows : ndarray of int64, their positions from 0
    values : ndarray of double, what the flag would read; NaN where that is not known
    orders : tuple of str
        The two formats of dates that have the day first and the month first, where no format tells which is which.
    """

    what: str
    how: str
    flag: str
    column: str
    rows: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    orders: tuple[str, ...] = ()

    def count(self) -> str:
        """Say how many of the unreadable cells there are."""
        return translated(
            "{n:of them is|of them are} written {how}", n=self.rows.size, how=translated(self.how)
        )

    def counted(self) -> str:
        """Say how many there are by their name."""
        return translated(_COUNTED[self.what], n=self.rows.size, how=translated(self.how))

    @property
    def contradicts_itself(self) -> bool:
        """Whether nothing reads the cells, as others of their column are read the other way round."""
        return not self.flag and self.how not in ADVICE

    @property
    def remedy(self) -> str:
        """What to do about them."""
        if self.how in ADVICE:
            return translated(ADVICE[self.how])
        return translated("{flag} reads them.", flag=self.flag) if self.flag else translated(_EITHER)

    def sentence(self) -> str:
        """Say how many there are, and what reads them."""
        return f"{self.count()}{':' if self.flag else '.'} {self.remedy}"


def in_sentences(notations: list[Notation]) -> list[str]:
    """Say how many there are of each, and what reads them; what is the remedy of several, once."""
    return [
        f"{each.count()}." if any(other.remedy == each.remedy for other in rest) else each.sentence()
        for rest, each in zip((notations[n + 1 :] for n in range(len(notations))), notations, strict=True)
    ]


def by_another_column(notations: list[Notation]) -> list[str]:
    """Say how a log is read whose dates have the day first in some rows and the month first in others."""
    for each in notations:
        if each.orders:
            name = quoted(each.column)
            one, other = (f"try_strptime({name}, '{form}')" for form in sorted(each.orders))
            by_condition = with_replaced(f"CASE WHEN CONDITION THEN {one} ELSE {other} END AS {name}")
            return [
                translated(
                    "Or, where another column tells which rows have the day first, read them by it: {query}.",
                    query=by_condition,
                )
            ]
    return []


def written_otherwise(
    raw: pa.Table,
    rows: npt.NDArray[np.int64],
    what: str,
    *columns: str,
    read_as: str | None = None,
    rules: LogRules | None = None,
) -> list[Notation]:
    """Recognise how unreadable cells are written.

    Parameters
    ----------
    raw : pyarrow.Table
    rows : positions of the rows with an unreadable cell
    what : str, ``dates``, or the word for a column of numbers
    columns : the columns that may hold the cells
    read_as : str, optional
        The ``--date-format`` by which other cells of the column could be read, and must still be.
    rules : LogRules, optional, by which the cells could not be read: no flag is named that contradicts them

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
    tried, rules = (read_as or "").split("|"), rules or LogRules()
    if what == "dates" and rules.calendar == "jalali":
        return []  # every format is read in that calendar, as year, month and day
    for name in columns:
        written = ascii_digits(text(raw[name].take(pa.array(rows))))
        ways = ways_of_dates(written, tried) if what == "dates" else _ways_of_numbers(written, rules)
        for how, flag, cells, values in ways:
            found.append(Notation(what, how, flag, name, rows[cells], values))
    found.sort(key=lambda notation: -notation.rows.size)
    if what != "dates":
        return found
    for each in found:
        if read_as and _reads_the_rest(each.flag, read_as, raw[each.column], rows):
            read_as = each.flag
            break
    return _with_one_format(found, read_as, raw)


def perhaps_grouped(column: pa.ChunkedArray, rules: LogRules) -> pa.ChunkedArray:
    """Return numbers whose decimal mark may group thousands, such as 403.000 for 403,000; none if others speak for it.

    A group of thousands has a digit before it that is no zero, and what has no group is below a thousand.

    Examples
    --------
    >>> perhaps_grouped(pa.chunked_array([["1.000", "2.500", "12"]]), LogRules()).to_pylist()
    ['1.000', '2.500']
    >>> perhaps_grouped(pa.chunked_array([["1.000", "2.5"]]), LogRules()).to_pylist()
    []
    """
    column = plain(column)
    if rules.thousands or not pa.types.is_string(column.type):
        return column.slice(0, 0)
    mark, written = rules.number_style.decimal, ascii_digits(text(column).drop_null())
    bare = without_marks(written) if rules.accounting else written
    fits = pc.match_substring_regex(bare, rf"^[+-]?[1-9][0-9]{{0,2}}{re.escape(mark)}[0-9]{{3}}$")
    small = pc.match_substring_regex(bare, "^[+-]?[0-9]{1,3}$")
    grouped = 2 * (pc.sum(fits).as_py() or 0) > len(bare) and pc.all(pc.or_(fits, small)).as_py()
    return written.filter(fits) if grouped else written.slice(0, 0)


def _reads_the_rest(form: str, read_as: str, column: pa.ChunkedArray, rows: npt.NDArray[np.int64]) -> bool:
    """Tell whether all dates that were read, day and month the other way round, may be of this format, too."""
    if "|" in read_as or _other_order(form[:3]) != read_as[:3]:
        return False
    rest = np.ones(len(column), dtype=bool)
    rest[rows] = False
    cells = column.filter(pa.array(rest))
    before, after = (local_times(cells, date_format=each) for each in (read_as, form))
    return not bool((np.isnat(after) & ~np.isnat(before)).any())


def _ways_of_numbers(written: pa.ChunkedArray, rules: LogRules) -> Iterator[Way]:
    """Yield how numbers are written: in words, the flag, which cells, and their values."""
    left = pc.is_valid(written).to_numpy().copy()
    for how, pattern, _ in UNREAD_NUMBERS:
        fits = left & matches(written, pattern)
        left &= ~fits
        if fits.any():
            yield how, "", np.flatnonzero(fits), np.full(int(fits.sum()), np.nan)
    bare = without_marks(written)
    for how, pattern, flag, style in NUMBERS:
        fits = left & matches(bare if style.accounting and flag != ACCOUNTED else written, pattern)
        if not fits.any() or _contradicts(style, rules):
            continue
        # A style reads plainer cells too, such as 12,5 beside 1.234,5; only numbers have a currency, not any words.
        places = np.flatnonzero(fits if style.accounting else left)
        values = numbers(written.take(pa.array(places)), style).to_numpy()
        sound = np.isfinite(values)
        if sound.any():
            left[places[sound]] = False
            yield how, flag, places[sound], values[sound]


def _contradicts(style: NumberStyle, rules: LogRules) -> bool:
    """Tell whether a style has other marks than those that were given."""
    marked = style.decimal != "." or style.thousands
    decimal = bool(marked) and rules.decimal not in (None, style.decimal)
    return decimal or bool(style.thousands and rules.thousands not in (None, style.thousands))


def _with_one_format(found: list[Notation], read_as: str | None, raw: pa.Table) -> list[Notation]:
    """Name one ``--date-format`` that reads all dates; none where days and months cannot be told apart."""
    unread = [each for each in found if not each.flag]
    found = [each for each in found if each.flag]
    forms = [] if read_as is None else read_as.split("|")
    forms += [each.flag for each in found if not each.flag.startswith("--") and each.flag not in forms]
    quote = "'" if "%" in "".join(forms) else ""
    flag = f"--date-format {quote}{'|'.join(forms)}{quote}"
    orders_of = {name: _both_orders(raw[name], forms) for name in {each.column for each in found}}
    named = []
    for each in found:
        orders = orders_of[each.column]
        of_either_order = each.flag[:2] in ("%d", "%m") or each.how == UNSHOWN_ORDER
        if orders and of_either_order:
            each = replace(each, flag="", orders=orders)
        elif not each.flag.startswith("--"):
            each = replace(each, flag=flag)
        named.append(each)
    return sorted([*named, *unread], key=lambda notation: -notation.rows.size)


def _both_orders(column: pa.ChunkedArray, forms: list[str]) -> tuple[str, ...]:
    """Return two of the formats that read a date of the column as two days; none where each date fits one alone."""
    for form in forms:
        # %d/ and %m/ contradict each other, %d. and %m/ do not.
        for other in (each for each in forms if form[:2] == "%d" and _other_order(form[:3]) == each[:3]):
            days, months = (local_times(column, date_format=each) for each in (form, other))
            if (~np.isnat(days) & ~np.isnat(months) & (days != months)).any():
                return form, other
    return ()


def _other_order(begin: str) -> str | None:
    """Return how a date with day and month the other way round begins; None of one that begins with neither."""
    other = {"%d": "%m", "%m": "%d"}.get(begin[:2])
    return other and other + begin[2:]
