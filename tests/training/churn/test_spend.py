"""The spend model: levels move purchases and not their price, and windows deviate by what neither explains."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.special import expit

from training.churn.base import base_log_odds
from training.churn.fit_options import FitOptions
from training.churn.frequency import Frequency
from training.churn.level import Level, LevelRule, level_of
from training.churn.price import Price, missed_sum
from training.churn.recipe import churn_missed
from training.churn.spend import SpendModel, level_deviation, variance_beyond
from training.clv.interval import total_deviation
from training.clv.model import snapshot_day
from training.clv.operational_time import Intensity
from training.clv.value import ValueTerms
from training.model.valuation import Valuation
from training.snapshots.dataset import LabelledSnapshot


def expected_spend(row: LabelledSnapshot) -> np.ndarray:
    """Of the purchase model and Gamma-Gamma."""
    return np.asarray(row.columns["expected_purchases"] * row.columns["spend_per_purchase"])


def test_a_level_moves_how_many_buy_and_half_way_how_often(shop_rows: list[LabelledSnapshot]) -> None:
    row = shop_rows[-1]
    valuation = Valuation(row.clv, ValueTerms(horizon_days=60), SpendModel())
    at_level_0 = row.columns["p0"]
    shifted = expit(base_log_odds(row.columns) - np.log(4))

    calm, peak = (valuation.money(row.columns, p, at_level_0) for p in (at_level_0, shifted))

    if_active = row.columns["purchases_if_active"]
    np.testing.assert_allclose(calm["expected_purchases"], (1 - at_level_0) * if_active)
    np.testing.assert_allclose(peak["expected_purchases"], (1 - shifted) * (1 + 2 * (if_active - 1)))
    np.testing.assert_allclose(peak["spend_per_purchase"], calm["spend_per_purchase"])


def test_whole_windows_are_predicted_with_the_purchases_of_their_level(
    shop_rows: list[LabelledSnapshot],
) -> None:
    options = FitOptions(date(2024, 1, 1), dormant_after_days=1)
    level = level_of(shop_rows, churn_missed(shop_rows), options, LevelRule("recent", 1))

    said = level_deviation(shop_rows, level, SpendModel())

    squares, chance, by_parameters = [], [], []
    for row in shop_rows:
        shift = level.known_at(shop_rows, row.snapshot).at(row.snapshot)
        p = expit(base_log_odds(row.columns) + shift)
        purchases = (1 - p) * Frequency().if_active(row.columns, shift)
        expected = purchases * row.columns["spend_per_purchase"]
        missed = missed_sum(row.outcomes["spend"].to_numpy(), expected)
        off = np.log(row.outcomes["spend"].sum() / expected.sum())
        squares.append(off**2)
        chance.append(missed.var() / len(missed))
        by_parameters.append(of_parameters(row) ** 2)
    beyond = variance_beyond(np.array(squares), np.array(chance), np.array(by_parameters))
    assert 0 < said == pytest.approx(np.sqrt(beyond))


def test_what_customers_leave_to_chance_is_no_deviation_of_a_level(shop_rows: list[LabelledSnapshot]) -> None:
    rows = [row.part(np.ones(len(row.table), dtype=bool)) for row in shop_rows]
    for seed, row in enumerate(rows):
        expected = expected_spend(row)
        row.outcomes["spend"] = expected * np.random.default_rng(seed).gamma(0.05, 20, len(expected))

    # Each customer is off by a factor of mean 1 and deviation √20, by chance.
    off = [np.mean(missed_sum(row.outcomes["spend"].to_numpy(), expected_spend(row))) for row in rows]
    assert np.sqrt(np.mean(np.square(off))) > 0.15
    assert level_deviation(rows, Level(), SpendModel()) < 0.6 * np.sqrt(np.mean(np.square(off)))


def of_parameters(row: LabelledSnapshot) -> float:
    """Deviation of the log of all customers' expected spend in the window, from their scenarios."""
    terms = ValueTerms(horizon_days=60, value_horizon_days=60, margin=1.0, discount_rate=0.0)
    valuation = Valuation(row.clv, terms)
    scenarios = valuation.window_scenarios(row.columns, np.asarray(row.columns["p0"])).sum(axis=0)
    return float(total_deviation(scenarios[None, :])[0])


def off_by(row: LabelledSnapshot, log_factor: float) -> LabelledSnapshot:
    """The window, had every customer spent so much more than expected."""
    row = row.part(np.ones(len(row.table), dtype=bool))
    row.outcomes["spend"] = expected_spend(row) * np.exp(log_factor)
    return row


def test_what_the_parameters_leave_open_is_no_deviation_of_a_level(shop_rows: list[LabelledSnapshot]) -> None:
    rows = [off_by(row, (-1) ** place * of_parameters(row)) for place, row in enumerate(shop_rows)]
    twice = [off_by(row, 2 * of_parameters(row)) for row in shop_rows[-1:]]

    assert of_parameters(shop_rows[0]) > 0.03
    assert level_deviation(rows, Level(), SpendModel()) < 1e-4
    assert level_deviation(twice, Level(), SpendModel()) == pytest.approx(
        np.sqrt(3) * of_parameters(shop_rows[-1])
    )


def test_windows_whose_log_was_too_short_for_a_season_tell_nothing_of_a_level(
    shop_rows: list[LabelledSnapshot],
) -> None:
    def in_season(row: LabelledSnapshot, log_factor: float, log_days: int) -> LabelledSnapshot:
        today = snapshot_day(row.columns)
        intensity = Intensity(today, today - log_days, harmonics=((0.0, 0.0),))
        return off_by(replace(row, clv=replace(row.clv, intensity=intensity, purchase_axes=())), log_factor)

    young, old = in_season(shop_rows[0], 0.5, 365), in_season(shop_rows[-1], 0.2, 366)

    assert level_deviation([young, old], Level(), SpendModel()) == pytest.approx(0.2, abs=0.01)
    assert level_deviation([young], Level(), SpendModel()) == pytest.approx(0.5, abs=0.01)


def test_a_fit_that_tells_nothing_does_not_hide_what_other_windows_missed() -> None:
    squares, chance, tight = np.array([0.04, 0.05, 0.03]), np.full(3, 0.001), np.full(3, 0.002)

    found = variance_beyond(squares, chance, tight)

    assert found == pytest.approx(0.04 - 0.001 - 0.002)
    for variance in (1.0, np.inf, np.nan):
        flat = variance_beyond(np.append(squares, 0.04), np.append(chance, 0.001), np.append(tight, variance))
        assert flat == pytest.approx(found, rel=0.05)
    assert variance_beyond(tight, chance, tight) == 0.0


def test_spend_is_who_buys_how_often_and_for_how_much(shop_rows: list[LabelledSnapshot]) -> None:
    row = shop_rows[-1]
    level = Level((row.snapshot.date.toordinal() - 90,), (np.log(1.1),), LevelRule("recent", 1))
    model = SpendModel(Frequency(0.5, 0.3), Price(level))
    p = np.linspace(0.05, 0.95, len(row.table))

    money = Valuation(row.clv, ValueTerms(horizon_days=60), model).money(row.columns, p)

    purchases = (1 - p) * (1 + np.exp(0.3) * np.sqrt(row.columns["purchases_if_active"] - 1))
    np.testing.assert_allclose(money["expected_purchases"], purchases)
    np.testing.assert_allclose(money["spend_per_purchase"], 1.1 * row.columns["spend_per_purchase"])
    np.testing.assert_allclose(money["expected_spend"], purchases * money["spend_per_purchase"])


def test_a_value_of_the_window_alone_is_its_spend_and_later_purchases_are_the_purchase_model_s(
    shop_rows: list[LabelledSnapshot],
) -> None:
    row = shop_rows[-1]
    p = np.asarray(row.columns["p0"])
    terms = ValueTerms(horizon_days=60, value_horizon_days=60, margin=1.0, discount_rate=0.0)
    year = replace(terms, value_horizon_days=365)
    often = SpendModel(Frequency(1.2, 0.4))

    def money(terms: ValueTerms, model: SpendModel | None = None) -> dict[str, np.ndarray]:
        return Valuation(row.clv, terms, model).money(row.columns, p)

    window = money(terms, often)
    np.testing.assert_allclose(window["expected_value"], window["expected_spend"], rtol=1e-9)
    gained = money(year, often)["expected_value"] - money(year)["expected_value"]
    np.testing.assert_allclose(gained, window["expected_spend"] - money(terms)["expected_spend"], rtol=1e-6)
    np.testing.assert_allclose(money(year, often)["value_at_stake"], money(year)["value_at_stake"])


def test_what_is_learnt_of_frequency_widens_the_interval_as_much_as_it_moves_the_value(
    shop_rows: list[LabelledSnapshot],
) -> None:
    row = shop_rows[-1]
    p, terms = np.asarray(row.columns["p0"]), ValueTerms(horizon_days=60)

    plain, more, much = (
        Valuation(row.clv, terms, SpendModel(Frequency(1.0, constant))).money(row.columns, p)
        for constant in (0.0, 0.5, 1.0)
    )

    width = [np.log(each["expected_value_high"] / each["expected_value_low"]) for each in (plain, more, much)]
    told = plain["expected_value"] > 1
    assert (width[1][told] > width[0][told]).all()
    assert (width[2][told] > width[1][told]).all()
    for each in (more, much):
        assert (each["expected_value_low"] <= each["expected_value"]).all()
        assert (each["expected_value"] <= each["expected_value_high"]).all()
