"""Periods: weeks, months, quarters and years of the Gregorian or the Jalali calendar, as half-open days [start, end).

Weeks begin on Monday, those of the Jalali calendar on Saturday. A period is written as what it is called:
``1998-04``, ``1998-Q2``, ``1998``, and a week by its first day, ``1998-03-30``; in the Jalali calendar ``1394-02``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from features.errors import WindowError
from features.jalali import FIRST_YEAR, LAST_YEAR, gregorian, jalali
from features.language import translated
from features.log.dates import plain_digits

PeriodLength = Literal["week", "month", "quarter", "year"]
Calendar = Literal["gregorian", "jalali"]

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_FIRST_WEEKDAY = {"gregorian": 0, "jalali": 5}  # of `date.weekday`: Monday, Saturday
_EPOCH = date(1970, 1, 1)
_EXAMPLES = {
    "week": "1998-03-30, its first day",
    "month": "1998-04",
    "quarter": "1998-Q2",
    "year": "1998",
}


@dataclass(frozen=True)
class Period:
    """A span of days that has a name.

    Attributes
    ----------
    start, end : datetime.date, the first day, and the first day after it
    label : str, in its calendar
    """

    start: date
    end: date
    label: str


def period_of(day: date, length: PeriodLength, calendar: Calendar = "gregorian") -> Period:
    """Return the period of a calendar that a day lies in.

    Examples
    --------
    >>> period_of(date(2015, 4, 25), "year", "jalali")
    Period(start=datetime.date(2015, 3, 21), end=datetime.date(2016, 3, 20), label='1394')
    >>> period_of(date(1998, 4, 5), "quarter").label, period_of(date(1998, 4, 5), "week").label
    ('1998-Q2', '1998-03-30')
    """
    if length == "week":
        start = day - timedelta(days=(day.weekday() - _FIRST_WEEKDAY[calendar]) % 7)
        return Period(start, start + timedelta(days=7), "-".join(_written(start, calendar)))
    year, month = _year_and_month(day, calendar)
    months = _MONTHS[length]
    first = (month - 1) // months * months + 1
    next_year, next_month = (year, first + months) if first + months <= 12 else (year + 1, 1)
    label = {"month": f"{year}-{first:02}", "quarter": f"{year}-Q{first // 3 + 1}", "year": f"{year}"}[length]
    return Period(_first_day(year, first, calendar), _first_day(next_year, next_month, calendar), label)


def written_date(day: date, calendar: Calendar) -> str:
    """Return a date as text in a calendar.

    Examples
    --------
    >>> written_date(date(2016, 3, 10), "jalali"), written_date(date(2016, 3, 10), "gregorian")
    ('1394-12-20', '2016-03-10')
    """
    return "-".join(_written(day, calendar))


def last_days_of_year(days: int, year: int, calendar: Calendar = "jalali") -> Period:
    """Return the last days of a calendar's year, such as the ten before Nowruz.

    Examples
    --------
    >>> sale = last_days_of_year(10, 1395)
    >>> str(sale.start), str(sale.end)
    ('2017-03-11', '2017-03-21')
    """
    end = _first_day(year + 1, 1, calendar)
    return Period(end - timedelta(days=days), end, f"last {days} days of {year}")


def _year_and_month(day: date, calendar: Calendar) -> tuple[int, int]:
    return (day.year, day.month) if calendar == "gregorian" else jalali(day)[:2]


def _first_day(year: int, month: int, calendar: Calendar) -> date:
    day = date(year, month, 1) if calendar == "gregorian" else gregorian(year, month, 1)
    if day is None:
        raise WindowError(
            translated(
                "The year {year:digits} of the Jalali calendar lies outside {first:digits} to {last:digits}. Are "
                "the log's dates Jalali already? --log-calendar jalali reads them.",
                year=year,
                first=FIRST_YEAR,
                last=LAST_YEAR,
            )
        )
    return day


def _written(day: date, calendar: Calendar) -> tuple[str, str, str]:
    year, month, of_month = (day.year, day.month, day.day) if calendar == "gregorian" else jalali(day)
    return f"{year:04}", f"{month:02}", f"{of_month:02}"


@dataclass(frozen=True)
class Periods:
    """The periods of a log, from the one in which it begins to the one in which it ends.

    The last one ends with the log if the log ends before it: it is then known so far only.

    Parameters
    ----------
    first_day, last_day : datetime.date, of the log
    length : {"week", "month", "quarter", "year"}
    calendar : {"gregorian", "jalali"}

    Examples
    --------
    >>> months = Periods(date(1998, 1, 5), date(1998, 3, 9), "month")
    >>> [(period.label, str(period.end)) for period in months]
    [('1998-01', '1998-02-01'), ('1998-02', '1998-03-01'), ('1998-03', '1998-03-10')]
    >>> months.open.tolist(), months.number("1998-02")
    ([False, False, True], 1)
    """

    first_day: date
    last_day: date
    length: PeriodLength = "month"
    calendar: Calendar = "gregorian"

    @cached_property
    def all(self) -> tuple[Period, ...]:
        """The periods in order."""
        found, day, end = [], self.first_day, self.known_until
        while day < end:
            period = period_of(day, self.length, self.calendar)
            found.append(Period(period.start, min(period.end, end), period.label))
            day = period.end
        return tuple(found)

    def __iter__(self) -> Iterator[Period]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    @property
    def known_until(self) -> date:
        """The first day that the log does not hold."""
        return self.last_day + timedelta(days=1)

    @cached_property
    def boundaries(self) -> npt.NDArray[np.int64]:
        """The starts of all periods and the end of the last, as days since 1970-01-01; one more than periods."""
        days = [*(period.start for period in self), self.all[-1].end]
        return np.array([(day - _EPOCH).days for day in days])

    @cached_property
    def open(self) -> npt.NDArray[np.bool_]:
        """Whether each period goes on after the log's end, of shape (n_periods,)."""
        last = period_of(self.last_day, self.length, self.calendar)
        return np.array([False] * (len(self) - 1) + [last.end > self.known_until])

    def unsettled(self, inactivity_days: int) -> npt.NDArray[np.bool_]:
        """Mark the periods that begin within the inactivity window of the log's start: new and returned look alike."""
        settled = (self.first_day - _EPOCH).days + inactivity_days
        return self.boundaries[:-1] < settled

    def waiting(self, window_days: int) -> npt.NDArray[np.bool_]:
        """Mark the periods of whose last customers the days after the purchase are not all in the log yet."""
        return self.boundaries[1:] - 1 + window_days > (self.last_day - _EPOCH).days

    @cached_property
    def days(self) -> npt.NDArray[np.int64]:
        """Every day from the first boundary to the last, as days since 1970-01-01."""
        return np.arange(self.boundaries[0], self.boundaries[-1] + 1)

    @cached_property
    def number_of_day(self) -> npt.NDArray[np.int64]:
        """The period of each of `days`; that of the last boundary is the number of periods."""
        return np.searchsorted(self.boundaries, self.days, side="right") - 1

    def number(self, label: str) -> int | None:
        """Return the place of a period by its label; None where the log has no such period.

        Persian digits are digits, and ``/`` stands for ``-``.

        Raises
        ------
        WindowError
            If the text is no label of a period of this length and calendar.
        """
        if not self.is_label(label):
            raise WindowError(
                translated(
                    "{label!r} is no period of this length and calendar. {how}",
                    label=label,
                    how=self.how_to_write(),
                )
            )
        plain = plain_label(label)
        return next((place for place, period in enumerate(self) if period.label == plain), None)

    def how_to_write(self) -> str:
        """Say how labels of periods are written, and which ones the log has."""
        return translated(
            "Write it as {example}; those of the log are {first} to {last}.",
            example=_EXAMPLES[self.length],
            first=self.all[0].label,
            last=self.all[-1].label,
        )

    def is_label(self, label: str) -> bool:
        """Tell whether a text is the label of a period of this length and calendar, of the log or not."""
        plain = plain_label(label)
        parts = re.fullmatch(r"(\d{4})(?:-(?:Q(\d)|(\d{2})(?:-(\d{2}))?))?", plain)
        if parts is None:
            return False
        year, quarter, month, day = (int(part) if part else 0 for part in parts.groups())
        month = month or (3 * quarter - 2 if quarter else 1)
        try:
            found = (
                date(year, month, day or 1)
                if self.calendar == "gregorian"
                else gregorian(year, month, day or 1)
            )
        except ValueError:
            return False
        return found is not None and period_of(found, self.length, self.calendar).label == plain


def plain_label(label: str) -> str:
    """Return the label of a period as `Period` has it: plain digits, and ``-`` for ``/``."""
    return plain_digits(label).strip().replace("/", "-").upper()
