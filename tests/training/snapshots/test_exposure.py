"""Exposure: the contacted must not teach the model that customers like them stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from features.datasets import simulate_log
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.campaign.assignment import Assignment
from training.campaign.plan import plan
from training.campaign.record import record_of
from training.churn.calibration import Calibrator
from training.churn.level import Level
from training.churn.model import fit_churn
from training.offers.offers import Offer
from training.snapshots.dataset import LabelledSnapshot, labelled_snapshots
from training.snapshots.exposure import left_out, without_contacted

FREE = Offer(name="e-mail", incentive_cost=0, acceptance_rate=0.5)


def campaign(
    customers: list[str], contacted: list[bool], starts_on: date, horizon_days: int = 60
) -> Assignment:
    chosen = pd.DataFrame({"customer_id": customers, "contacted": contacted})
    known = {"snapshot_date": starts_on.isoformat(), "churn_probability": 0.5, "value_at_stake": 1.0}
    planned = plan(chosen.assign(**known, horizon_days=horizon_days, margin=0.3), [FREE])
    return Assignment(chosen, record_of(planned))


def test_the_contacted_are_left_out_and_the_holdout_stays(shop_rows: list[LabelledSnapshot]) -> None:
    row = shop_rows[-1]
    first, second, *others = row.table["customer_id"]

    (kept,) = without_contacted([row], [campaign([first, second], [True, False], row.snapshot.date)])

    assert kept.table["customer_id"].tolist() == [second, *others]
    assert left_out([row], [kept]) == 1
    assert np.array_equal(kept.churned, row.churned[1:])
    assert kept.table.index.equals(pd.RangeIndex(len(row.table) - 1))
    assert kept.window == row.window


@pytest.mark.parametrize(
    ("days_from_snapshot", "removed"),
    [
        (-60, 0),  # the effect ended on the day before the window opens
        (-59, 1),
        (0, 1),
        (59, 1),
        (60, 0),  # the campaign starts when the window has closed
    ],
)
def test_only_windows_within_the_effect_period_are_touched(
    shop_rows: list[LabelledSnapshot], days_from_snapshot: int, removed: int
) -> None:
    row = shop_rows[-1]
    starts_on = row.snapshot.date + timedelta(days=days_from_snapshot)

    kept = without_contacted([row], [campaign([row.table["customer_id"].iloc[0]], [True], starts_on)])

    assert left_out([row], kept) == removed


def test_two_campaigns_remove_a_customer_once(shop_rows: list[LabelledSnapshot]) -> None:
    row = shop_rows[-1]
    ids = row.table["customer_id"].head(3).tolist()
    campaigns = [
        campaign(ids[:2], [True, True], row.snapshot.date),
        campaign(ids[1:], [True, True], row.snapshot.date),
    ]

    assert left_out([row], without_contacted([row], campaigns)) == 3


def test_a_snapshot_without_anyone_left_is_left_out(shop_rows: list[LabelledSnapshot]) -> None:
    row = shop_rows[-1]
    everybody = campaign(row.table["customer_id"].tolist(), [True] * len(row.table), row.snapshot.date)

    assert without_contacted([row], [everybody]) == []
    assert without_contacted([row], [])[0] is row


def mean_prediction(rows: list[LabelledSnapshot], target: LabelledSnapshot, members: np.ndarray) -> float:
    model = fit_churn(
        rows,
        rounds=30,
        monotone=False,
        calibrator=Calibrator(),
        level=Level(),
        seed=0,
        threads=1,
    )
    return float(model.predict(target.columns, target.snapshot)[members].mean())


def test_the_treated_bias_churn_down_and_leaving_them_out_repairs_it() -> None:
    months = [date(2024, 8, 1), date(2024, 10, 1), date(2024, 12, 1), date(2025, 2, 1)]
    simulated = simulate_log(
        6_000, r=0.6, alpha=6.0, a=0.8, b=2.4, p=6.0, q=4.0, v=15.0, start=date(2024, 1, 1), weeks=66, seed=1
    )
    with PurchaseHistory(validate(simulated.transactions)) as history:
        *past, target = labelled_snapshots(history, [Snapshot(day) for day in months], 60)

    # At each past snapshot those of middling risk were chosen, 15% of them held out; the offer keeps every other
    # customer whom it reaches.
    rng = np.random.default_rng(0)
    treated, campaigns = [], []
    for row in past:
        chosen = row.table["p0"].between(0.4, 0.8).to_numpy()
        contacted = chosen & (rng.random(len(chosen)) < 0.85)
        kept_by_offer = contacted & (rng.random(len(chosen)) < 0.5)
        after = row.outcomes.assign(churned=np.where(kept_by_offer, 0, row.churned))
        treated.append(replace(row, outcomes=after))
        ids = row.table["customer_id"][chosen].tolist()
        campaigns.append(campaign(ids, contacted[chosen].tolist(), row.snapshot.date))
    alike = target.table["p0"].between(0.4, 0.8).to_numpy()
    truth = target.churned[alike].mean()  # .637 of 1,148, when left alone

    poisoned = mean_prediction(treated, target, alike)
    repaired = mean_prediction(without_contacted(treated, campaigns), target, alike)

    assert poisoned < truth - 0.1
    assert repaired == pytest.approx(truth, abs=0.03)
    assert repaired == pytest.approx(mean_prediction(past, target, alike), abs=0.02)
