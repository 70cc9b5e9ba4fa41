"""The Jalali calendar: days of Iran's years, months and leap years as Gregorian dates, and back.

Of 33 years 8 are leap years, which equals the astronomical calendar for the years 1178 to 1633.
"""

from __future__ import annotations

from datetime import date

FIRST_YEAR, LAST_YEAR = 1244, 1502


def gregorian(year: int, month: int, day: int) -> date | None:
    """Return the Gregorian date of a day of the Jalali calendar; None if there is no such day.

    Examples
    --------
    >>> gregorian(1394, 2, 5), gregorian(1403, 12, 30), gregorian(1404, 12, 30)
    (datetime.date(2015, 4, 25), datetime.date(2025, 3, 20), None)
    """
    if not (FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12 and 1 <= day <= (31 if month <= 6 else 30)):
        return None
    found = _new_year(year) + _days_before(month) + day - 1
    if found >= _new_year(year + 1):  # 30 Esfand is in leap years only
        return None
    return date.fromordinal(found)


def days_of_month(year: int, month: int) -> int:
    """Return how many days a month of the Jalali calendar has; 0 if there is no such month.

    Examples
    --------
    >>> days_of_month(1394, 12), days_of_month(1395, 12), days_of_month(1394, 6), days_of_month(1394, 13)
    (29, 30, 31, 0)
    """
    return next((days for days in (31, 30, 29) if gregorian(year, month, days)), 0)


def jalali(day: date) -> tuple[int, int, int]:
    """Return year, month and day of a Gregorian date in the Jalali calendar.

    Examples
    --------
    >>> jalali(date(2015, 4, 25)), jalali(date(2025, 3, 20)), jalali(date(2025, 3, 21))
    ((1394, 2, 5), (1403, 12, 30), (1404, 1, 1))
    """
    ordinal = day.toordinal()
    year = day.year - 621
    if ordinal < _new_year(year):
        year -= 1
    passed = ordinal - _new_year(year)
    month = passed // 31 + 1 if passed < 186 else (passed - 186) // 30 + 7
    return year, month, passed - _days_before(month) + 1


def _days_before(month: int) -> int:
    """Return the days of a year before a month: six months of 31, then months of 30."""
    return (month - 1) * 31 - max(0, month - 7)


def _new_year(year: int) -> int:
    """Return the ordinal of 1 Farvardin."""
    return 226_895 + 365 * (year - 1) + (8 * year + 21) // 33
