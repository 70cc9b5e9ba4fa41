"""The spend model: totals are the purchase model's at its level, and levels move purchases and not their price."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import lightgbm as lgb
import numpy as np
import pytest
from scipy.special import expit

from training.churn.base import base_log_odds
from training.churn.bins import Bins
from training.churn.fit_options import FitOptions
from training.churn.inputs import ORDERS_ALONE
from training.churn.level import Level, LevelRule, level_of, purchases_at_level
from training.churn.recipe import churn_missed
from training.churn.residuals import _spend_loss
from training.churn.rolling import loss_curves, raw_scores, rolling_splits
from training.churn.spend import (
    TWEEDIE,
    SpendModel,
    base_log_spend,
    centred_deviance,
    fit_spend,
    level_deviation,
    missed_sum,
    relative_spend,
    variance_beyond,
)
from training.clv.interval import total_deviation
from training.clv.model import snapshot_day
from training.clv.operational_time import Intensity
from training.clv.value import ValueTerms
from training.model.valuation import Valuation
from training.snapshots.dataset import LabelledSnapshot

TREES = TWEEDIE | {"seed": 1, "num_threads": 1}


@pytest.fixture(scope="module")
def spend(shop_rows: list[LabelledSnapshot]) -> SpendModel:
    """A residual of spend that knows all snapshots but the last."""
    return fit_spend(shop_rows[:-1], rounds=20, price_level=Level(), level_deviation=0.0, seed=1, threads=1)


def test_the_residual_explains_differences_and_leaves_the_total(
    spend: SpendModel, shop_rows: list[LabelledSnapshot]
) -> None:
    newest = shop_rows[-1].columns
    plain = np.exp(base_log_spend(newest))

    before, after = (model.expected_spend(newest) for model in (spend, spend.centred(newest)))

    assert abs(before.sum() / plain.sum() - 1) > 0.001
    assert after.sum() == pytest.approx(plain.sum())
    np.testing.assert_allclose(after / before, after[0] / before[0])
    again = spend.centred(newest).centred(newest)
    assert again.common == pytest.approx(spend.centred(newest).common)


def test_without_a_residual_there_is_nothing_to_take_out(shop_rows: list[LabelledSnapshot]) -> None:
    plain = SpendModel(None, Level())

    assert plain.centred(shop_rows[-1].columns) is plain


def test_trees_are_chosen_by_the_deviance_of_the_centred_residual(
    shop_rows: list[LabelledSnapshot],
) -> None:
    split = rolling_splits(shop_rows)[-1]
    data = Bins().of_split(split, relative_spend, TREES)

    boosters, curve = loss_curves(TREES, [data], loss=_spend_loss)

    spent, start = relative_spend(split.valid)
    for rounds in (1, len(curve)):
        log_expected = start + raw_scores(boosters[0], split.valid, rounds, ORDERS_ALONE)
        assert curve[rounds - 1] == pytest.approx(centred_deviance(spent, log_expected).mean(), rel=1e-6)
    assert isinstance(boosters[0], lgb.Booster)


def test_a_level_moves_how_many_buy_and_half_way_how_often(shop_rows: list[LabelledSnapshot]) -> None:
    row = shop_rows[-1]
    valuation = Valuation(row.clv, ValueTerms(horizon_days=60), SpendModel(None, Level()))
    at_level_0 = row.columns["p0"]
    shifted = expit(base_log_odds(row.columns) - np.log(4))

    calm, peak = (valuation.money(row.columns, p, at_level_0) for p in (at_level_0, shifted))

    if_active = row.clv.purchases_if_active(row.columns, 60)
    np.testing.assert_allclose(calm["expected_purchases"], (1 - at_level_0) * if_active)
    np.testing.assert_allclose(peak["expected_purchases"], (1 - shifted) * (1 + 2 * (if_active - 1)))
    np.testing.assert_allclose(peak["spend_per_purchase"], calm["spend_per_purchase"])


def test_whole_windows_are_predicted_with_the_purchases_of_their_level(
    shop_rows: list[LabelledSnapshot],
) -> None:
    options = FitOptions(date(2024, 1, 1), dormant_after_days=1)
    level = level_of(shop_rows, churn_missed(shop_rows), options, LevelRule("recent", 1))

    said = level_deviation(shop_rows, level, Level())

    squares, chance, by_parameters = [], [], []
    for row in shop_rows:
        shift = level.known_at(shop_rows, row.snapshot).at(row.snapshot)
        p = expit(base_log_odds(row.columns) + shift)
        purchases = (1 - p) * purchases_at_level(row.clv.purchases_if_active(row.columns, 60), shift)
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
        expected = row.columns["expected_purchases"] * row.columns["spend_per_purchase"]
        row.outcomes["spend"] = expected * np.random.default_rng(seed).gamma(0.05, 20, len(expected))

    # Each customer is off by a factor of mean 1 and deviation √20, by chance.
    off = [
        np.mean(missed_sum(row.outcomes["spend"].to_numpy(), np.exp(base_log_spend(row.columns))))
        for row in rows
    ]
    assert np.sqrt(np.mean(np.square(off))) > 0.15
    assert level_deviation(rows, Level(), Level()) < 0.6 * np.sqrt(np.mean(np.square(off)))


def of_parameters(row: LabelledSnapshot) -> float:
    """Deviation of the log of all customers' expected spend in the window, from their scenarios."""
    terms = ValueTerms(horizon_days=60, value_horizon_days=60, margin=1.0, discount_rate=0.0)
    valuation = Valuation(row.clv, terms)
    scenarios = valuation.window_scenarios(row.columns, np.asarray(row.columns["p0"])).sum(axis=0)
    return float(total_deviation(scenarios[None, :])[0])


def off_by(row: LabelledSnapshot, log_factor: float) -> LabelledSnapshot:
    """The window, had every customer spent so much more than expected."""
    row = row.part(np.ones(len(row.table), dtype=bool))
    row.outcomes["spend"] = np.exp(base_log_spend(row.columns) + log_factor)
    return row


def test_what_the_parameters_leave_open_is_no_deviation_of_a_level(shop_rows: list[LabelledSnapshot]) -> None:
    rows = [off_by(row, (-1) ** place * of_parameters(row)) for place, row in enumerate(shop_rows)]
    twice = [off_by(row, 2 * of_parameters(row)) for row in shop_rows[-1:]]

    assert of_parameters(shop_rows[0]) > 0.03
    assert level_deviation(rows, Level(), Level()) < 1e-4
    assert level_deviation(twice, Level(), Level()) == pytest.approx(
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

    assert level_deviation([young, old], Level(), Level()) == pytest.approx(0.2, abs=0.01)
    assert level_deviation([young], Level(), Level()) == pytest.approx(0.5, abs=0.01)


def test_a_fit_that_tells_nothing_does_not_hide_what_other_windows_missed() -> None:
    squares, chance, tight = np.array([0.04, 0.05, 0.03]), np.full(3, 0.001), np.full(3, 0.002)

    found = variance_beyond(squares, chance, tight)

    assert found == pytest.approx(0.04 - 0.001 - 0.002)
    for variance in (1.0, np.inf, np.nan):
        flat = variance_beyond(np.append(squares, 0.04), np.append(chance, 0.001), np.append(tight, variance))
        assert flat == pytest.approx(found, rel=0.05)
    assert variance_beyond(tight, chance, tight) == 0.0
