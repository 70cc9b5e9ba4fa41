"""Worlds: what was asked to differ differs by as much as was asked, and nothing else does."""

from __future__ import annotations

import hashlib
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.special import hyp2f1

from features.datasets import WORLDS, SimulatedWorld, World, simulate_world
from features.datasets.worlds import changed
from features.errors import StayworthError
from features.log.validation import validate


def faithful(world: str, *, alpha: float = 80.0, seed: int) -> SimulatedWorld:
    """A world that nobody leaves and in which all buy at about the same rate, one purchase in alpha / 40 weeks."""
    return simulate_world(world, n_customers=4_000, r=40.0, alpha=alpha, a=1e-6, b=1.0, seed=seed)


def gaps(world: SimulatedWorld) -> pd.Series:
    """Gaps between a customer's purchases in mean gaps: operational weeks times the customer's rate."""
    orders = world.orders_until(365).to_pandas()
    days = (orders["ordered_at"] - pd.Timestamp(world.begins)).dt.total_seconds() / 86_400
    orders["at"] = np.interp(days, np.arange(len(world.elapsed)), world.elapsed)
    orders = orders.merge(world.truth[["customer_id", "purchase_rate"]], on="customer_id")
    return orders.groupby("customer_id")["at"].diff() * orders["purchase_rate"]


def purchases_per_day(world: SimulatedWorld, first: int, last: int) -> float:
    """Purchases per day, of days since the log's end."""
    days = (world.orders_until(365)["ordered_at"].to_pandas() - pd.Timestamp(world.ends)).dt.days
    return float(days.between(first, last - 1).sum() / (last - first))


def assert_mean(values: pd.Series | np.ndarray, expected: float) -> None:
    """Four standard errors: one seed in 16,000 would fail, and the seed is fixed."""
    assert abs(np.mean(values) - expected) < 4 * np.std(values) / np.sqrt(len(values))


def test_the_stationary_world_has_the_moments_of_its_models() -> None:
    world = simulate_world("stationary", n_customers=20_000, seed=1)

    truth = world.truth
    assert_mean(truth["purchase_rate"], 0.8 / 8)  # r/α
    assert_mean(truth["dropout_probability"], 0.6 / 4.6)  # a/(a+b)
    assert_mean(truth["mean_spend"], 6.25 * 15.44 / 2.74)  # p·v/(q−1)
    acquired = (truth["acquired_at"] - pd.Timestamp(2022, 1, 1)).dt.total_seconds() / 86_400
    assert_mean(acquired, 450)  # evenly over 900 days
    # Purchases of each customer, expected by Fader, Hardie, Lee (2005), eq. 9, of the time they are watched.
    t = (900 + 365 - acquired) / 7
    expected = 3.6 / -0.4 * (1 - (8 / (8 + t)) ** 0.8 * hyp2f1(0.8, 4, 3.6, t / (8 + t)))
    orders = world.orders_until(365).to_pandas().groupby("customer_id").size()
    assert_mean(orders.reindex(truth["customer_id"]).to_numpy() - 1 - expected, 0.0)


def test_the_log_ends_where_the_truth_begins() -> None:
    world = simulate_world("peak-ahead", n_customers=2_000, seed=2)

    assert world.begins == date(2022, 1, 1) and world.ends == date(2024, 6, 19)
    assert world.transactions["ordered_at"].to_pandas().max() < pd.Timestamp(world.ends)
    assert world.future["ordered_at"].to_pandas().min() >= pd.Timestamp(world.ends)
    assert validate(world.transactions).report.customers == 2_000
    year, month = world.outcomes(365), world.outcomes(30)
    assert year["spend"].sum() == pytest.approx(world.future["amount"].to_pandas().sum())
    dates = world.future.to_pandas().assign(day=lambda t: t["ordered_at"].dt.date)
    assert year["purchases"].sum() == len(dates.drop_duplicates(["customer_id", "day"]))
    assert month["purchases"].sum() < year["purchases"].sum()
    assert list(year.index) == list(world.truth["customer_id"])
    assert world.orders_until(0).equals(world.transactions.combine_chunks())
    assert world.orders_until(-30)["ordered_at"].to_pandas().max() < pd.Timestamp(2024, 5, 20)


def test_a_season_is_that_of_its_sine() -> None:
    peak, trough = (faithful(name, seed=3) for name in ("peak-ahead", "trough-ahead"))

    # The mean of 1 + .7·sin over the half year from the log's end: 1 + .7·2/π = 1.446, then 1 − .446.
    assert purchases_per_day(peak, 0, 182) / purchases_per_day(peak, 182, 365) == pytest.approx(
        1.446 / 0.554, rel=0.03
    )
    assert purchases_per_day(trough, 0, 182) / purchases_per_day(trough, 182, 365) == pytest.approx(
        0.554 / 1.446, rel=0.03
    )
    # 1,265 days + .7·∫ sin = .7·(cos(2π·900/365.25) − cos(2π·365/365.25))·365.25/2π = −80.4 days
    assert peak.elapsed[-1] == pytest.approx((1_265 - 80.4) / 7, rel=0.003)


def test_a_shop_that_slows_halves_in_a_year() -> None:
    world = faithful("slowing", alpha=20.0, seed=4)

    # Those of the last month of truth against the first: e^(−.7·335/365.25).
    slower = purchases_per_day(world, 335, 365) / purchases_per_day(world, 0, 30)
    assert slower == pytest.approx(np.exp(-0.7 * 335 / 365.25), rel=0.03)


@pytest.mark.parametrize("since", [30, 180])
def test_a_rate_that_halved_halves_the_purchases_from_that_day_on(since: int) -> None:
    halved, before = faithful(f"halved-{since}-days-ago", seed=5), faithful("stationary", seed=5)

    later = purchases_per_day(halved, -since, 365) / purchases_per_day(before, -since, 365)
    assert later == pytest.approx(0.5, rel=0.03)
    assert purchases_per_day(halved, -900, -since) == pytest.approx(
        purchases_per_day(before, -900, -since), rel=0.02
    )


def test_regular_buyers_have_gaps_of_the_same_mean_and_a_third_of_the_variance() -> None:
    regular = gaps(faithful("regular", alpha=20.0, seed=6))
    others = gaps(faithful("stationary", alpha=20.0, seed=6))

    # Long gaps are cut by the end: in 90 and more mean gaps of a customer that is less than two in a hundred.
    assert regular.mean() == pytest.approx(1.0, rel=0.02) and others.mean() == pytest.approx(1.0, rel=0.02)
    assert regular.var() == pytest.approx(1 / 3, rel=0.04)
    assert others.var() == pytest.approx(1.0, rel=0.04)


def test_acquisition_that_grows_has_the_mean_of_its_density() -> None:
    truth = simulate_world("growing", n_customers=20_000, seed=7).truth

    days = (truth["acquired_at"] - pd.Timestamp(2022, 1, 1)).dt.total_seconds() / 86_400
    # The mean of a density e^(gx) on [0, 1]: 1/(1 − e^(−g)) − 1/g.
    assert_mean(days / 900, 1 / (1 - np.exp(-3.5)) - 1 / 3.5)


def test_pareto_dropout_is_that_of_its_mixture_and_needs_no_purchase() -> None:
    world = simulate_world("pareto", n_customers=20_000, seed=8)

    truth = world.truth
    lived = (truth["died_at"] - truth["acquired_at"]).dt.total_seconds() / 86_400 / 7
    # P(there after t weeks) = (β/(β+t))^s; all are watched for the year after the log.
    assert_mean(~(lived < 52), (30 / 82) ** 0.6)
    last = world.orders_until(365).to_pandas().groupby("customer_id")["ordered_at"].max()
    left = truth.set_index("customer_id")["died_at"].dropna()
    assert (last[left.index] <= left).all() and (last[left.index] < left - pd.Timedelta(days=7)).mean() > 0.5


def test_the_same_seed_gives_the_same_world_and_a_world_of_ones_own_can_be_drawn() -> None:
    drop = World(changed(0.6, since=0))

    one, same, other = (simulate_world(drop, n_customers=300, seed=seed) for seed in (1, 1, 2))

    assert one.transactions.equals(same.transactions) and one.future.equals(same.future)
    assert not one.transactions.equals(other.transactions)


DRAWN = {
    "stationary": "ad0f98e9c5ca",
    "peak-ahead": "d0a5655884c2",
    "trough-ahead": "7b06a56cf022",
    "slowing": "a56a913de28f",
    "halved-180-days-ago": "4476440ef2b6",
    "halved-30-days-ago": "69fa3686025b",
    "growing": "f44dd058cb1d",
    "pareto": "a8fc45e9f0b7",
    "regular": "660848fc207b",
    "clinic": "1385466fd9fb",
    "weekly-shoppers": "851b9562b418",
    "subscribers": "b9f7f5bd9d75",
    "yearly-donors": "08a5573480ef",
}
"""Digests of the orders of 200 customers, seed 1: what was measured in a world is measured in the same one again."""


@pytest.mark.parametrize("name", DRAWN)
def test_worlds_are_drawn_as_they_were(name: str) -> None:
    orders = simulate_world(name, n_customers=200, seed=1).orders_until(365).to_pandas()

    columns = (orders["customer_id"], orders["ordered_at"], orders["amount"])
    lines = "".join(
        f"{name} {at.isoformat()} {amount:.2f}\n" for name, at, amount in zip(*columns, strict=True)
    )
    assert hashlib.sha256(lines.encode()).hexdigest()[:12] == DRAWN[name]


@pytest.mark.parametrize("name", WORLDS)
def test_every_world_has_a_year_of_truth(name: str) -> None:
    world = simulate_world(name, n_customers=300, days=400, seed=9)

    assert len(world.elapsed) == 766
    assert world.future.num_rows > 0


def test_a_world_that_is_not_known_is_refused() -> None:
    with pytest.raises(StayworthError, match="There is no world 'halved'"):
        simulate_world("halved")
