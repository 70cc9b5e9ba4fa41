"""Operational time: a season and a trend change the clock, and the models on it stay as they are."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import trapezoid

from training.clv.bgnbd import BGNBD
from training.clv.operational_time import CONSTANT, Discount, Intensity, IntensityForm, RepeatDays
from training.clv.value import Future, ValueTerms, customer_values

BG = BGNBD(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881)
DAY = 15_000
SEASON = Intensity(snapshot_day=DAY, first_day=DAY - 1_000, harmonics=((0.3, -0.5), (0.1, 0.2)))
TREND = Intensity(snapshot_day=DAY, first_day=DAY - 1_000, trend=-0.7)
# shut on ten of a hundred days, and at half on two: 89 of 100 days of trade
PAUSED = Intensity(
    DAY, DAY - 100, pauses=(*((DAY - 40 + day, 0.0) for day in range(10)), (DAY - 5, 0.5), (DAY - 4, 0.5))
)


def test_without_season_and_trend_weeks_are_calendar_weeks() -> None:
    assert CONSTANT.weeks(DAY - 21, DAY) == 3.0
    assert CONSTANT.days_after(DAY, np.array([2.0])).tolist() == [14.0]
    assert CONSTANT.form == IntensityForm(0, False)


@pytest.mark.parametrize("intensity", [SEASON, TREND])
def test_operational_time_is_the_integral_of_the_intensity(intensity: Intensity) -> None:
    # 30 days from the snapshot, the intensity constant within a day: the sum of 30 intensities, in weeks
    def log_intensity(day: int) -> float:
        angle = 2 * np.pi * day / 365.25
        season = sum(
            a * np.cos(k * angle) + b * np.sin(k * angle) for k, (a, b) in enumerate(intensity.harmonics, 1)
        )
        ahead = day - DAY
        years = (365.25 / 2 + 365 * (1 - np.exp(-ahead / 365))) / 365.25
        return float(season + intensity.trend * years)

    by_hand = sum(np.exp(log_intensity(day)) for day in range(DAY, DAY + 30)) / 7

    assert intensity.weeks(DAY, DAY + 30) == pytest.approx(by_hand)


def test_a_season_averages_out_over_a_year_and_days_after_inverts_weeks() -> None:
    days = np.array([5.0, 90.0, 365.0])

    weeks = SEASON.weeks(DAY, DAY + days)

    np.testing.assert_allclose(SEASON.days_after(DAY, weeks), days)
    logs = np.log(np.diff(SEASON.weeks(DAY - 365, DAY - 365 + np.arange(366.0))) * 7)
    assert logs.mean() == pytest.approx(0.0, abs=2e-3)


def test_a_trend_fades_and_never_turns() -> None:
    weekly = np.diff(TREND.weeks(DAY, DAY + 7.0 * np.arange(500)))

    assert (np.diff(weekly) < 0).all()
    # at most a year of trend is left: exp(−.7·(182.625 + 365)/365.25) of a week
    assert weekly[-1] == pytest.approx(np.exp(-0.7 * (182.625 + 365) / 365.25), rel=1e-3)


def test_a_trend_of_a_year_may_go_on_for_three_and_a_half_years_or_for_three_months() -> None:
    later, sooner = TREND.trend_scenarios
    weekly = [np.diff(each.weeks(DAY, DAY + 7.0 * np.arange(1_500)))[-1] for each in (later, sooner)]

    # thirty years on, 3.5 times a year of trend is left, or a year/3.5
    left = np.exp([1.25, -1.25]) * 365
    assert weekly == pytest.approx(np.exp(-0.7 * (182.625 + left) / 365.25), rel=2e-3)
    assert SEASON.trend_scenarios == ()


def test_a_season_takes_a_year_of_log_and_two_beside_a_trend() -> None:
    def founded(days: int, harmonics: int, trend: float) -> bool:
        return Intensity(DAY, DAY - days, ((0.1, 0.2),) * harmonics, trend).is_founded

    assert Intensity(DAY, DAY - 10).is_founded
    assert [founded(days, 1, 0.0) for days in (365, 366)] == [False, True]
    assert [founded(days, 0, 0.1) for days in (365, 366)] == [False, True]
    assert [founded(days, 2, 0.1) for days in (730, 731)] == [False, True]


def test_discounting_stays_in_calendar_time() -> None:
    weeks = SEASON.weeks(DAY, DAY + np.array([70.0]))

    assert Discount(0.01, DAY, SEASON)(weeks) == pytest.approx([np.exp(-0.1)])


def test_a_value_integrates_over_the_season_ahead() -> None:
    # P(alive)·∫ e^(−δt) dE(Λ(t)), numerically over the calendar
    x, t_x, T = np.array([3.0]), np.array([20.0]), np.array([30.0])
    terms = ValueTerms(horizon_days=60, value_horizon_days=200)

    values = customer_values(BG, x, t_x, T, Future.of(terms, SEASON, DAY))

    days = np.arange(0.0, 200.5, 0.5)
    purchases = [BG.purchases_if_alive(x, T, float(SEASON.weeks(DAY, DAY + day)))[0] for day in days]
    delta = terms.discount_per_week / 7
    by_parts = np.exp(-delta * 200) * purchases[-1] + delta * trapezoid(
        np.exp(-delta * days) * purchases, days
    )
    expected = BG.p_alive(x, t_x, T)[0] * by_parts
    assert values.expected(values.p0)[0] == pytest.approx(expected, rel=1e-5)


def test_a_pause_is_no_time_and_a_week_is_one_of_average_intensity() -> None:
    assert PAUSED.weeks(DAY - 40, DAY - 30) == pytest.approx(0.0, abs=1e-9)
    assert PAUSED.weeks(DAY - 30, DAY - 23) == pytest.approx(1 / 0.89)
    assert PAUSED.weeks(DAY - 6, DAY - 3) == pytest.approx((1 + 0.5 + 0.5) / 7 / 0.89)
    # over the log, and beyond it on either side, weeks are calendar weeks
    assert PAUSED.weeks(DAY - 100, DAY) == pytest.approx(100 / 7)
    assert PAUSED.weeks(DAY - 114, DAY - 100) == pytest.approx(2.0)
    assert PAUSED.weeks(DAY, DAY + 21) == pytest.approx(3.0)


def test_days_after_inverts_weeks_across_pauses_and_ahead_of_them() -> None:
    days = np.array([3.0, 20.5, 60.0])

    for start in (DAY - 50, DAY - 20):
        np.testing.assert_allclose(PAUSED.days_after(start, PAUSED.weeks(start, start + days)), days)
    assert PAUSED.days_after(DAY, np.array([2.0])).tolist() == [14.0]


def test_past_pauses_leave_what_is_ahead_in_calendar_time() -> None:
    weeks = np.array([0.0, 10.0])

    assert not Discount(0.01, DAY, PAUSED).in_operational_weeks
    assert Discount(0.01, DAY, PAUSED)(weeks).tolist() == Discount(0.01)(weeks).tolist()
    assert Discount(0.01, DAY - 50, PAUSED).in_operational_weeks
    assert not PAUSED.is_constant
    assert PAUSED.form == IntensityForm(0, False)


def test_pauses_come_back_from_json_and_stay_where_coefficients_move() -> None:
    assert Intensity.from_dict(json.loads(json.dumps(PAUSED.to_dict()))) == PAUSED
    assert PAUSED.moved(np.zeros(0)) is PAUSED
    assert replace(TREND, pauses=PAUSED.pauses).moved(np.array([0.2])).pauses == PAUSED.pauses


def test_an_intensity_that_knew_of_no_pauses_is_read() -> None:
    numbers = SEASON.to_dict()
    del numbers["pauses"]

    assert Intensity.from_dict(numbers) == SEASON


def test_an_intensity_comes_back_from_json_and_moves_by_its_coefficients() -> None:
    assert Intensity.from_dict(SEASON.to_dict()) == SEASON
    assert SEASON.moved(np.array([0.1, 0.0, 0.0, -0.2])).harmonics == ((0.4, -0.5), (0.1, 0.0))
    assert TREND.moved(np.array([0.2])).trend == pytest.approx(-0.5)
    assert CONSTANT.moved(np.zeros(0)) is CONSTANT


STEP = Intensity(DAY, DAY - 800, steps=((DAY - 100, float(np.log(0.5))),))


def test_before_a_rate_halved_a_week_counts_twice() -> None:
    starts = np.array([DAY - 900, DAY - 107, DAY - 100, DAY + 500])

    assert STEP.weeks(starts, starts + 7) == pytest.approx([2.0, 2.0, 1.0, 1.0])
    assert STEP.days_after(DAY - 107, np.array([1.0, 2.0, 3.0])) == pytest.approx([3.5, 7.0, 14.0])


def test_from_a_step_on_operational_time_is_calendar_time() -> None:
    assert not STEP.is_constant
    assert STEP.is_calendar_from(DAY) and STEP.is_calendar_from(DAY - 100)
    assert not STEP.is_calendar_from(DAY - 101)
    assert not Discount(0.01, DAY, STEP).in_operational_weeks


def test_a_step_comes_back_from_json_and_moves() -> None:
    assert Intensity.from_dict(json.loads(json.dumps(STEP.to_dict()))) == STEP
    assert STEP.moved(np.array([0.1])).steps == ((DAY - 100, pytest.approx(np.log(0.5) + 0.1)),)
    assert STEP.form == IntensityForm(steps=True)


def test_a_step_that_was_looked_for_and_not_found_is_constant_intensity() -> None:
    none = Intensity(DAY, DAY - 800, steps=())

    assert none.is_constant and none.form == IntensityForm(steps=True)
    assert none.moved(np.zeros(0)) is none


def test_an_intensity_that_knew_of_no_steps_is_read() -> None:
    numbers = SEASON.to_dict()
    del numbers["steps"]

    assert Intensity.from_dict(numbers) == SEASON


def test_repeat_days_end_before_a_day() -> None:
    days = RepeatDays(100, np.array([1.0, 2.0, 3.0]))

    assert days.before(102).counts.tolist() == [1.0, 2.0]
    assert days.before(90).counts.tolist() == []
