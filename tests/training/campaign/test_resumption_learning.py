"""Resumption learnt from a year of margins, in campaigns whose truth is known."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from features.log.transactions import TransactionLog
from features.log.validation import validate
from serving.campaign.measured import measured_sentences
from training.campaign.assignment import Assignment
from training.campaign.measurement import Measurement, measure
from training.campaign.plan import plan
from training.campaign.record import record_of
from training.campaign.settings import MeasureTerms, PlanTerms
from training.offers.offers import Offer

START = date(2024, 1, 1)
YEAR = START + timedelta(days=365)
OFFER = Offer(name="voucher", contact_cost=0.1, incentive_cost=0, acceptance_rate=0.3)


def _campaign(resumption: float, n: int = 4000) -> tuple[Assignment, TransactionLog]:
    """Of 4,000 would-be leavers half accept: they buy for 20, and those who had left later for 40 times ρ."""
    rng = np.random.default_rng(11)
    customers = pd.DataFrame(
        {
            "customer_id": [f"{i:04d}" for i in range(n)],
            "contacted": rng.permutation(n) < n // 2,
            "offer": "voucher",
            "value_tier": "high",
            "churn_probability": 0.8,
            "value_at_stake": 30.0,  # at the plan's resumption of a half: 10 + ½ · 40
            "value_of_resumption": 40.0,
            "resumption": 0.5,
            "expected_spend": 5.0,
            "expected_value": 8.0,
            "expected_profit": 5.0,
            "expected_cost": 0.1,
            "incentive_cost": 0.0,
            "stratum": 0,
        }
    )
    leaves = rng.random(n) < 0.8
    kept = leaves & customers["contacted"].to_numpy() & (rng.random(n) < 0.5)
    now = np.where(kept | ~leaves, 20.0, 0.0) * rng.lognormal(-0.02, 0.2, n)
    later = np.where(kept, 80.0 * resumption, 0.0) * rng.lognormal(-0.02, 0.2, n)
    ids = customers["customer_id"].to_numpy()
    log = pd.DataFrame(
        {
            "customer_id": [*ids[now > 0], *ids[later > 0], "other"],
            "ordered_at": [START + timedelta(days=45)] * int((now > 0).sum())
            + [START + timedelta(days=200)] * int((later > 0).sum())
            + [YEAR + timedelta(days=9)],
            "amount": np.round([*now[now > 0], *later[later > 0], 1.0], 2),
        }
    )
    scores = customers.assign(snapshot_date=START.isoformat(), horizon_days=90, margin=0.5)
    return Assignment(customers, record_of(plan(scores, [OFFER], PlanTerms(holdout=0.5)))), validate(log)


def _measured(resumption: float, until: date | None = YEAR) -> Measurement:
    return measure(*_campaign(resumption), MeasureTerms(until=until))


@pytest.mark.parametrize("resumption", [0.0, 0.3, 1.0])
def test_a_campaign_followed_for_a_year_finds_the_true_resumption(resumption: float) -> None:
    found = _measured(resumption).resumption

    # Kept are .5 · .8 of the contacted, so that the promises are .4 · 10 and .4 · 50.
    assert found is not None
    assert (found.promised_once, found.promised_on) == pytest.approx((4, 20), rel=0.08)
    assert found.estimate == pytest.approx(resumption, abs=0.05)
    assert found.low <= resumption <= found.high
    assert found.high - found.low < 0.3


def test_what_was_learnt_names_the_flag_that_uses_it() -> None:
    said = " ".join(measured_sentences(_measured(0.3)))

    assert "the plan assumed 0.50. Use it with --resumption 0.3" in said


def test_the_verdict_stays_that_of_the_churn_window() -> None:
    followed, closed = _measured(0.3), _measured(0.3, until=None)

    assert (followed.end, closed.end) == (date(2024, 3, 31), date(2024, 3, 31))
    assert followed.verdict() == closed.verdict()
    assert followed.updates == closed.updates
    assert closed.resumption is None


def test_margins_that_no_resumption_explains_are_no_estimate() -> None:
    assignment, log = _campaign(1.0)
    small = assignment.customers.assign(value_at_stake=3.0, value_of_resumption=4.0)

    found = measure(Assignment(small, assignment.record), log, MeasureTerms(until=YEAR))

    assert found.resumption is not None and not found.resumption.fits
    assert "No resumption from 0 to 1 fits that" in " ".join(measured_sentences(found))
