"""Intervals of expected values: as wide as random draws of the parameters make them."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import qmc

from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from features.table.columns import Columns, as_columns
from features.table.history import PurchaseHistory
from training.clv.fitting import fit_clv
from training.clv.interval import Scenarios, Uncertain, customer_interval, total_deviation, total_factors
from training.clv.model import CLVModel, snapshot_day
from training.clv.operational_time import Intensity
from training.clv.purchase_models import PURCHASE_MODELS
from training.clv.uncertainty import (
    residual_axes,
    sum_deviation,
    value_and_cost_scenarios,
    value_scenarios,
)
from training.clv.value import Future, ValueTerms, customer_values

TERMS = ValueTerms()


@pytest.fixture(scope="module")
def table(shop_log: TransactionLog) -> pd.DataFrame:
    """The simulated shop's customers at the log's end."""
    with PurchaseHistory(shop_log) as history:
        return history.features(Snapshot.after(shop_log.last_day))


@pytest.fixture(scope="module", params=PURCHASE_MODELS)
def clv(table: pd.DataFrame, request: pytest.FixtureRequest) -> CLVModel:
    """Each purchase model, fitted to them."""
    return fit_clv(table, model=request.param)


def ends(
    clv: CLVModel, columns: Columns, p: np.ndarray, terms: ValueTerms = TERMS, level_deviation: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The interval's ends and the expected values, per unit of margin; without costs."""
    values, spend = clv.values(columns, terms), clv.spend_per_purchase(columns)
    expected, scenarios = values.expected(p) * spend, value_scenarios(clv, columns, p, terms)
    low, high = customer_interval(
        expected, Uncertain(expected, values.ceiling * spend, scenarios, level_deviation)
    )
    return low, high, expected


def drawn_values(clv: CLVModel, table: pd.DataFrame, p: np.ndarray, draws: int) -> np.ndarray:
    """Expected values, per unit of margin, under random parameters, p moving with p0: shape (draws, n)."""
    parts = ((clv.purchases, clv.purchase_axes), (clv.spend, clv.spend_axes))
    size = sum(len(axes) for _, axes in parts)
    normals = qmc.MultivariateNormalQMC(np.zeros(size), rng=9).random(draws)
    x, t_x, T = (table[name].to_numpy(float) for name in ("frequency", "recency", "T"))
    rows = []
    model: Any
    spend: Any
    for normal in normals:
        drawn = np.split(normal, [len(clv.purchase_axes)])
        model, spend = (
            type(part)(*(np.array(astuple(part)) * np.exp(z @ np.array(axes))))
            for (part, axes), z in zip(parts, drawn, strict=True)
        )
        future = Future.of(TERMS)
        values = customer_values(model, x, t_x / 7, T / 7, future)
        p0 = clv.purchases.p_no_purchase(x, t_x / 7, T / 7, future.window)
        number = values.expected(expit(logit(p) + logit(values.p0) - logit(p0)))
        rows.append(number * spend.expected_spend(x, table["monetary_value"].to_numpy()) * clv.net_ratio)
    return np.array(rows)


def test_the_interval_is_that_of_random_parameters(clv: CLVModel, table: pd.DataFrame) -> None:
    some = table.iloc[::50].reset_index(drop=True)
    p = clv.predict(as_columns(some), TERMS.horizon_days)["p0"]

    low, high, _ = ends(clv, as_columns(some), p)

    # 80% of the draws between the 10% and 90% quantiles; 512 quasi-random draws are good to some 3% of the width
    drawn = np.log(drawn_values(clv, some, p, draws=512))
    width = np.quantile(drawn, 0.9, axis=0) - np.quantile(drawn, 0.1, axis=0)
    assert np.median(np.log(high / low) / width) == pytest.approx(1.0, abs=0.05)
    np.testing.assert_allclose(np.log(high / low), width, rtol=0.25)


def test_the_estimate_lies_within_its_interval(clv: CLVModel, table: pd.DataFrame) -> None:
    p = clv.predict(as_columns(table), TERMS.horizon_days)["p0"]

    low, high, expected = ends(clv, as_columns(table), p)

    assert ((low > 0) & (low < expected) & (high > expected) & (high < 2 * expected)).all()


def test_nobody_is_said_to_be_worth_more_than_if_they_were_surely_active(
    clv: CLVModel, table: pd.DataFrame
) -> None:
    gone, p = as_columns(table), np.full(len(table), 1 - 1e-9)
    doubtful = replace(clv, purchase_axes=tuple(tuple(30 * z for z in axis) for axis in clv.purchase_axes))
    most = clv.values(gone, TERMS).ceiling * clv.spend_per_purchase(gone)

    for model in (clv, doubtful):
        low, high, expected = ends(model, gone, p)
        moved = value_scenarios(model, gone, p, TERMS).shares()[0]
        assert ((low >= 0) & (low <= expected) & (expected <= high)).all()
        assert (high <= most * np.exp(1.2816 * np.sqrt((moved**2).sum(axis=1)))).all()


def test_an_interval_has_the_same_bits_alone_and_in_any_company(clv: CLVModel, table: pd.DataFrame) -> None:
    p = clv.predict(as_columns(table), TERMS.horizon_days)["p0"]
    together = ends(clv, as_columns(table), p)

    for place in range(0, len(table), 101):
        row = slice(place, place + 1)
        copy = replace(clv)  # its scenarios remember nothing
        alone = ends(copy, as_columns(table.iloc[row]), p[row])
        assert (alone[0][0], alone[1][0]) == (together[0][place], together[1][place])


def test_a_total_is_surer_than_the_worst_of_its_parts(clv: CLVModel, table: pd.DataFrame) -> None:
    scenarios = value_scenarios(clv, as_columns(table), np.full(len(table), 0.7), TERMS).amounts

    _, each = total_factors(scenarios)
    _, total = total_factors(scenarios.sum(axis=0, keepdims=True))

    assert 1 < total[0] < each.max()


@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0])
def test_a_probability_moves_with_p0_by_its_weight(clv: CLVModel, table: pd.DataFrame, weight: float) -> None:
    columns, p = as_columns(table), np.full(len(table), 0.7)
    fitted, spend = clv.values(columns, TERMS), clv.spend_per_purchase(columns)

    found = value_scenarios(clv, columns, p, TERMS, p0_weight=weight).amounts

    for place, (model, intensity) in enumerate(clv.purchase_scenarios):
        moved = replace(clv, purchases=model, intensity=intensity).values(columns, TERMS)
        odds = np.log(0.7 / 0.3) + weight * (logit(moved.p0) - logit(fitted.p0))
        np.testing.assert_allclose(found[:, place], moved.expected(expit(odds)) * spend, rtol=1e-6)


def test_the_sum_of_a_window_deviates_as_its_scenarios_do(clv: CLVModel, table: pd.DataFrame) -> None:
    columns = as_columns(table)
    day = snapshot_day(columns)
    season = Intensity(day, day - 500, harmonics=((0.3, -0.2),), trend=0.4)
    axes = tuple((*axis, 0.05, 0.02, 0.1) for axis in clv.purchase_axes)
    window = replace(TERMS, horizon_days=60, value_horizon_days=60, discount_rate=0.0)

    for model in (clv, replace(clv, intensity=season, purchase_axes=axes)):
        described = {**columns, **model.predict(columns, 60)}
        scenarios = value_scenarios(model, columns, described["p0"], window).amounts
        by_scenario = total_deviation(scenarios.sum(axis=0, keepdims=True))[0]
        assert 0 < sum_deviation(model, described, 60) == pytest.approx(by_scenario, rel=1e-6)


def test_a_model_without_axes_claims_no_interval(table: pd.DataFrame, clv: CLVModel) -> None:
    bare = CLVModel(clv.purchases, clv.spend)

    low, high, expected = ends(bare, as_columns(table.head(3)), np.full(3, 0.5))

    assert low.tolist() == high.tolist() == expected.tolist()


COSTLY = replace(TERMS, cost_per_order=2.0, cost_per_day=0.12, bad_debt_rate=0.05, inactivity_days=90)


def test_the_interval_of_net_values_is_that_of_random_parameters(table: pd.DataFrame) -> None:
    clv, some = fit_clv(table), table.iloc[::100].reset_index(drop=True)
    columns = as_columns(some)
    p = clv.predict(columns, TERMS.horizon_days)["p0"]
    values = clv.net_values(columns, COSTLY, clv.spend_per_purchase(columns))
    cost = COSTLY.cost_per_order * values.purchases.expected(p)
    assert values.weeks is not None
    cost += COSTLY.cost_per_week * values.weeks.expected(p)

    most = COSTLY.cost_per_order * values.purchases.ceiling + COSTLY.cost_per_week * values.weeks.ceiling

    brought, costs = value_and_cost_scenarios(clv, columns, p, COSTLY)
    per_purchase = values.per_purchase + COSTLY.cost_per_order
    low, high = customer_interval(
        values.expected(p),
        Uncertain(values.expected(p) + cost, per_purchase * values.purchases.ceiling, brought),
        Uncertain(cost, most, costs),
    )

    # as for gross values, of 256 quasi-random draws; some of the values are negative
    normals = qmc.MultivariateNormalQMC(np.zeros(7), rng=9).random(256)
    drawn = np.array([drawn_net(clv, columns, p, normal) for normal in normals])
    width = np.quantile(drawn, 0.9, axis=0) - np.quantile(drawn, 0.1, axis=0)
    assert 0.1 < (values.expected(p) < 0).mean() < 0.9
    assert np.median((high - low) / width) == pytest.approx(1.0, abs=0.05)
    np.testing.assert_allclose(high - low, width, rtol=0.4)
    assert ((drawn < low).mean(axis=0) < 0.2).all()
    assert ((drawn > high).mean(axis=0) < 0.2).all()


def drawn_net(clv: CLVModel, columns: Columns, p: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Net values under one draw of the parameters, p moving with p0."""
    purchases, spend = (
        type(part)(*(np.array(astuple(part)) * np.exp(z @ np.array(axes))))
        for part, axes, z in (
            (clv.purchases, clv.purchase_axes, normal[: len(clv.purchase_axes)]),
            (clv.spend, clv.spend_axes, normal[len(clv.purchase_axes) :][: len(clv.spend_axes)]),
        )
    )
    drawn = replace(clv, purchases=purchases, spend=spend)  # type: ignore[arg-type]
    values = drawn.net_values(columns, COSTLY, drawn.spend_per_purchase(columns))
    p0 = clv.predict(columns, TERMS.horizon_days)["p0"]
    return values.expected(expit(logit(p) + logit(values.purchases.p0) - logit(p0)))


def test_at_no_cost_the_interval_of_net_values_is_that_of_gross_ones(
    clv: CLVModel, table: pd.DataFrame
) -> None:
    some = as_columns(table.iloc[::50].reset_index(drop=True))
    p = np.full(len(some["T"]), 0.6)
    low, high, gross = ends(clv, some, p, level_deviation=0.1)
    scenarios, none = value_scenarios(clv, some, p, TERMS), np.zeros_like(gross)
    ceiling = clv.values(some, TERMS).ceiling * clv.spend_per_purchase(some)
    ones = np.ones_like(scenarios.amounts)

    net = customer_interval(
        gross, Uncertain(gross, ceiling, scenarios, 0.1), Uncertain(none, none, Scenarios(ones, ones))
    )

    np.testing.assert_allclose(net, (low, high))


def test_a_correction_that_lowers_what_is_expected_leaves_the_best_customers_a_lower_end() -> None:
    # .97 of both cases together; before a correction by 3 purchases, more than these are now
    amount, ceiling = np.array([9.7]), np.array([10.0])

    axes = residual_axes(amount, ceiling, [(np.array([12.7]), np.array([13.0]))], np.zeros(1))

    assert axes.amounts.min() > 0.6 * amount[0]
    assert axes.amounts.max() < 13


def test_what_windows_refuted_is_no_upper_end() -> None:
    # the trees say 1% where p0 said 99%
    axes = residual_axes(
        np.array([0.1]), np.array([10.0]), [(np.array([9.9]), np.array([10.0]))], np.zeros(1)
    )

    assert axes.amounts.max() < 0.1 * np.exp(1.0)
