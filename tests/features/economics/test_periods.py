"""Periods of two calendars, and which of them a later log may change."""

from datetime import date

import pytest

from features.economics.periods import Periods, last_days_of_year, period_of
from features.errors import WindowError
from features.jalali import gregorian, jalali


def test_the_published_days_of_the_jalali_calendar():  # ECONOMICS section 0
    assert gregorian(1394, 2, 5) == date(2015, 4, 25)
    year = period_of(date(2015, 4, 25), "year", "jalali")
    assert (year.label, year.start, year.end) == ("1394", date(2015, 3, 21), date(2016, 3, 20))


@pytest.mark.parametrize(
    ("year", "start", "end"),
    [
        (1394, date(2016, 3, 10), date(2016, 3, 20)),
        (1395, date(2017, 3, 11), date(2017, 3, 21)),
    ],  # 1395 is a leap year
)
def test_the_ten_days_before_nowruz(year, start, end):  # ECONOMICS section 0
    sale = last_days_of_year(10, year)

    assert (sale.start, sale.end) == (start, end)


def test_every_day_of_a_century_and_a_half_is_a_jalali_day_and_comes_back():
    days = [
        date.fromordinal(ordinal)
        for ordinal in range(date(1921, 3, 21).toordinal(), date(2072, 3, 1).toordinal(), 17)
    ]

    assert [gregorian(*jalali(day)) for day in days] == days


def test_months_of_the_jalali_calendar_have_31_30_and_29_or_30_days():
    months = Periods(date(2015, 3, 21), date(2017, 3, 20), "month", "jalali")

    lengths = [(month.end - month.start).days for month in months]

    assert lengths == [31] * 6 + [30] * 5 + [29] + [31] * 6 + [30] * 6
    assert [month.label for month in months][10:13] == ["1394-11", "1394-12", "1395-01"]


@pytest.mark.parametrize(
    ("calendar", "first"), [("gregorian", date(2015, 4, 20)), ("jalali", date(2015, 4, 18))]
)
def test_weeks_begin_on_monday_and_in_the_jalali_calendar_on_saturday(calendar, first):
    week = period_of(date(2015, 4, 22), "week", calendar)  # a Wednesday

    assert (week.start, (week.end - week.start).days) == (first, 7)


def test_quarters_of_the_jalali_year():
    labels = [quarter.label for quarter in Periods(date(2015, 3, 21), date(2016, 3, 19), "quarter", "jalali")]

    assert labels == ["1394-Q1", "1394-Q2", "1394-Q3", "1394-Q4"]


def test_a_period_that_the_log_ends_in_is_open_and_ends_with_the_log():
    whole, cut = Periods(date(1998, 1, 1), date(1998, 3, 31)), Periods(date(1998, 1, 1), date(1998, 3, 30))

    assert whole.open.tolist() == [False, False, False]
    assert cut.open.tolist() == [False, False, True]
    assert cut.all[-1].end == date(1998, 3, 31)


def test_periods_within_the_inactivity_window_of_the_start_are_unsettled():
    periods = Periods(date(1998, 1, 10), date(1998, 6, 30))

    # 60 days from 10 January is 11 March: the months that begin before it
    assert periods.unsettled(60).tolist() == [True, True, True, False, False, False]
    # a customer of 30 April is followed up to 29 June with 60 days, one of 31 May is not
    assert periods.waiting(60).tolist() == [False, False, False, False, True, True]


def test_a_label_may_have_persian_digits_and_slashes_and_one_that_is_none_is_refused():
    periods = Periods(date(2015, 3, 21), date(2016, 3, 19), "month", "jalali")

    assert periods.number("۱۳۹۴/۰۲") == 1
    assert periods.number("1393-12") is None  # a month, but before the log
    with pytest.raises(WindowError, match="no period of this length and calendar"):
        periods.number("1394-13")
