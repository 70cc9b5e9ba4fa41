"""Whether Gamma-Gamma counts the first purchase: where first purchases are like the later ones, and not elsewhere."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.datasets import SimulatedWorld, simulate_world
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.churn.first_spend import choose_first_spend
from training.clv.model import CLVForm, CLVModel
from training.snapshots.dataset import LabelledSnapshot, in_form, labelled_snapshots

HORIZON = 60


@pytest.fixture(scope="module")
def world() -> SimulatedWorld:
    return simulate_world("stationary", seed=3, n_customers=2_000)


def rows_of(world: SimulatedWorld, transactions: pa.Table) -> list[LabelledSnapshot]:
    """Describe and label a log at four closed snapshots."""
    ago = (200, 120, 90, 60)
    with PurchaseHistory(validate(transactions)) as history:
        return labelled_snapshots(history, [Snapshot(world.ends - timedelta(days)) for days in ago], HORIZON)


def with_trial_prices(world: SimulatedWorld) -> pa.Table:
    """Return the world's log with first orders whose amounts, between 1 and 200, say nothing of the later ones."""
    orders = world.transactions.to_pandas()
    first = ~orders.duplicated("customer_id")
    orders.loc[first, "amount"] = np.random.default_rng(0).uniform(1, 200, first.sum()).round(2)
    return pa.Table.from_pandas(orders, preserve_index=False)


def test_first_purchases_like_the_later_ones_count(world: SimulatedWorld) -> None:
    rows = rows_of(world, world.transactions)

    counts, losses = choose_first_spend(rows)

    assert counts
    assert losses["spend_of_all_purchases"] < losses["spend_of_repeats"]


def test_first_purchases_unlike_the_later_ones_do_not(world: SimulatedWorld) -> None:
    counts, losses = choose_first_spend(rows_of(world, with_trial_prices(world)))

    assert not counts
    assert losses["spend_of_all_purchases"] > losses["spend_of_repeats"]


def test_without_a_split_forward_in_time_they_do_not(world: SimulatedWorld) -> None:
    assert choose_first_spend(rows_of(world, world.transactions)[-1:]) == (False, {})


def test_free_orders_have_no_spend_to_choose_by(world: SimulatedWorld) -> None:
    free = world.transactions.set_column(2, "amount", pc.multiply(world.transactions["amount"], 0.0))

    assert choose_first_spend(rows_of(world, free)) == (False, {})


def test_one_purchase_then_moves_what_is_expected_and_purchases_stay(world: SimulatedWorld) -> None:
    row = rows_of(world, world.transactions)[-1]
    counted = in_form(row, CLVForm(first_spend=True), HORIZON)
    spend = counted.clv.spend

    once = row.table["frequency"] == 0
    paid = row.table.loc[once, "gross_spend"]
    assert row.table.loc[once, "spend_per_purchase"].nunique() == 1
    expected = spend.p * (spend.v + paid) / (spend.p + spend.q - 1) * counted.clv.net_ratio
    np.testing.assert_allclose(counted.table.loc[once, "spend_per_purchase"], expected)
    pd.testing.assert_series_equal(counted.table["expected_purchases"], row.table["expected_purchases"])
    assert (spend.p, spend.q, spend.v) == pytest.approx((6.25, 3.74, 15.44), rel=0.15)
    assert CLVModel.from_dict(counted.clv.to_dict()) == counted.clv
