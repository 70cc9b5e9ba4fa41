"""Businesses: their customers come and pay as is said of each kind, and no others do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.datasets import BUSINESSES, SimulatedWorld, simulate_world
from features.errors import StayworthError
from features.log.validation import validate

YEAR = 365


def orders_of(world: SimulatedWorld) -> pd.DataFrame:
    """All orders, those after the log too, with what is true of their customers.

    ``to_next``: days to their next order; ``ahead``: days for which they are still drawn.
    """
    orders = world.orders_until(YEAR).to_pandas().merge(world.truth, on="customer_id")
    drawn_until = np.datetime64(world.ends, "s") + np.timedelta64(YEAR, "D")
    there_until = orders["died_at"].where(orders["died_at"].notna(), drawn_until)
    to_next = -orders.groupby("customer_id")["ordered_at"].diff(-1).dt.days
    return orders.assign(
        to_next=to_next, ahead=(there_until - orders["ordered_at"]).dt.total_seconds() / 86_400
    )


def assert_mean(values: pd.Series | np.ndarray, expected: float) -> None:
    """Four standard errors: one seed in 16,000 would fail, and the seed is fixed."""
    assert abs(np.mean(values) - expected) < 4 * np.std(values) / np.sqrt(len(values))


@pytest.fixture(scope="module", params=BUSINESSES)
def any_business(request: pytest.FixtureRequest) -> SimulatedWorld:
    return simulate_world(request.param, n_customers=1_000, seed=1)


def test_everybody_first_orders_within_the_log_and_nothing_after_leaving(
    any_business: SimulatedWorld,
) -> None:
    world, truth = any_business, any_business.truth.set_index("customer_id")
    days = world.orders_until(YEAR).to_pandas().groupby("customer_id")["ordered_at"]

    assert truth["acquired_at"].between(pd.Timestamp(world.begins), pd.Timestamp(world.ends)).all()
    assert (days.min().reindex(truth.index) == truth["acquired_at"]).all()
    assert not (days.max().reindex(truth.index) >= truth["died_at"]).any()
    assert truth["died_at"].notna().any()
    assert validate(world.transactions).report.customers == len(truth) == 1_000


def test_the_truth_is_that_of_the_orders_that_follow_the_log(any_business: SimulatedWorld) -> None:
    world, year = any_business, any_business.outcomes(YEAR)

    future = world.future.to_pandas()
    assert (world.ends - world.begins).days + YEAR == len(world.elapsed) - 1
    assert world.transactions["ordered_at"].to_pandas().max() < pd.Timestamp(world.ends)
    assert future["ordered_at"].between(pd.Timestamp("2023-01-01"), pd.Timestamp("2023-12-31")).all()
    days = future.drop_duplicates(["customer_id", "ordered_at"]).groupby("customer_id").size()
    assert year["purchases"].to_dict() == days.reindex(world.truth["customer_id"]).fillna(0).to_dict()
    assert year["spend"].sum() == pytest.approx(future["amount"].sum())


@pytest.mark.parametrize("name", BUSINESSES)
def test_the_same_seed_gives_the_same_business(name: str) -> None:
    one, same, other = (simulate_world(name, n_customers=200, seed=seed) for seed in (1, 1, 2))

    assert one.transactions.equals(same.transactions) and one.future.equals(same.future)
    assert one.truth.equals(same.truth)
    assert not one.transactions.equals(other.transactions)


def test_patients_come_to_check_ups_once_a_year() -> None:
    orders = orders_of(simulate_world("clinic", seed=2))

    checked = orders[orders["amount"] == 60]
    gaps = checked.groupby("customer_id")["ordered_at"].diff().dt.days.dropna()
    assert (
        checked.groupby("customer_id")["ordered_at"].min()
        == checked.groupby("customer_id").acquired_at.first()
    ).all()
    assert gaps.mean() == pytest.approx(365, abs=1)
    assert gaps.std() == pytest.approx(20, rel=0.05)


def test_a_course_of_treatment_is_4_to_10_visits_at_7_or_14_days_at_another_price() -> None:
    visits = orders_of(simulate_world("clinic", seed=3)).query("amount != 60")

    assert set(visits["amount"]) == {90.0}
    # A course takes at most 9 · 14 + 1 = 127 days. Who came within so many had one, but for a few whose two met.
    patients = visits.groupby("customer_id")
    took = (patients["ordered_at"].max() - patients["ordered_at"].min()).dt.days
    seen_whole = (took <= 127) & (patients["ahead"].max() > 127)
    took, number = took[seen_whole], patients.size()[seen_whole]
    by_step = {step: (took - step * (number - 1)).abs() <= 1 for step in (7, 14)}
    single = by_step[7] | by_step[14]
    assert single.mean() > 0.9
    assert by_step[7].sum() / single.sum() == pytest.approx(0.5, abs=0.05)
    as_said = number[single & number.between(4, 10)]
    assert len(as_said) / single.sum() > 0.99
    assert set(as_said) == set(range(4, 11))
    assert_mean(as_said, 7.0)


def test_a_patient_is_treated_at_times_whether_check_ups_are_due_or_not() -> None:
    world = simulate_world("clinic", n_customers=20_000, seed=3)
    orders = orders_of(world)

    # Courses begin at any time while a patient is there, .35 a year: none within t years with e^(−.35·t).
    patients = orders.groupby("customer_id")
    treated, years = patients["amount"].max() == 90, patients["ahead"].max() / YEAR
    assert_mean(treated - (1 - np.exp(-0.35 * years)), 0.0)


def test_shoppers_have_a_step_and_a_basket_of_their_own() -> None:
    world = simulate_world("weekly-shoppers", n_customers=2_000, seed=4)
    orders = orders_of(world)

    shares = world.truth["step_days"].value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx({7: 0.4, 14: 0.4, 28: 0.2}, abs=0.05)
    for step, visits in orders[orders["ahead"] > 200].groupby("step_days"):
        gaps = visits["to_next"]
        # Neither is the next visit skipped (88% are not) nor are they away (98%), give or take a day.
        assert_mean(gaps.between(step - 1, step + 1), 0.88 * 0.98)
        # A visit takes a step, and 2% of 3.5 weeks; a purchase 1 / .88 visits.
        assert_mean(gaps, (step + 0.02 * 24.5) / 0.88)
    assert_mean(orders["amount"] / orders["mean_spend"], 1.0)
    assert np.log(orders["amount"] / orders["mean_spend"]).std() == pytest.approx(0.3, rel=0.02)
    assert_mean(world.truth["mean_spend"], 40.0)


def test_subscribers_get_a_box_every_30_days_at_the_price_of_their_plan_until_they_leave() -> None:
    orders = orders_of(simulate_world("subscribers", n_customers=2_000, seed=5))

    boxes, extras = orders[orders["amount"] == orders["price"]], orders[orders["amount"] != orders["price"]]
    assert set(boxes["price"]) == {12.0, 25.0, 60.0} and set(extras["amount"]) == {40.0}
    assert set(boxes.groupby("customer_id")["ordered_at"].diff().dt.days.dropna()) == {30.0}
    last = boxes.groupby("customer_id").last()
    end = last["died_at"].fillna(pd.Timestamp("2024-01-01")).clip(upper=pd.Timestamp("2024-01-01"))
    assert (end - last["ordered_at"] <= pd.Timedelta(days=30)).all()
    of_each = extras.groupby("customer_id").size().reindex(last.index).fillna(0)
    expected = last["extras_per_12_boxes"].clip(upper=12) / 12 * boxes.groupby("customer_id").size()
    assert of_each.sum() == pytest.approx(
        expected.sum(), rel=0.08
    )  # some that leave before their extra comes


def test_donors_give_once_in_a_december_or_every_month() -> None:
    world = simulate_world("yearly-donors", n_customers=4_000, seed=6)
    gifts = orders_of(world)

    monthly = gifts["gives_monthly"]
    assert_mean(world.truth["gives_monthly"], 0.1)
    assert gifts.loc[monthly, "to_next"].dropna().between(28, 33).all()
    yearly = gifts[~monthly]
    assert set(yearly["ordered_at"].dt.month) == {12}
    assert not yearly.assign(year=yearly["ordered_at"].dt.year).duplicated(["customer_id", "year"]).any()
    # Of the Decembers after their first in which a donor is still there at its end, 80% bring a gift.
    donors = world.truth[~world.truth["gives_monthly"]].set_index("customer_id")
    gave = yearly.groupby([yearly["customer_id"], yearly["ordered_at"].dt.year]).size().unstack().fillna(0)
    for year in range(2018, 2024):
        there = (donors["acquired_at"].dt.year < year) & ~(donors["died_at"] < f"{year}-12-31")
        assert_mean(gave.loc[donors.index[there], year], 0.8)


def test_a_log_of_donors_without_a_december_is_refused() -> None:
    with pytest.raises(StayworthError, match="200 days from 2017-01-01 have none: draw at least a year"):
        simulate_world("yearly-donors", days=200)
