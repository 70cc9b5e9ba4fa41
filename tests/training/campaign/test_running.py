"""Campaigns that overlap: a running holdout is nobody's target, and what each campaign teaches stays unbiased."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from serving.campaign.plan_sentences import sentences
from training.campaign.acceptance import update_acceptance
from training.campaign.plan import CampaignPlan, plan
from training.campaign.running import RunningCampaign, standing_holdout
from training.campaign.settings import PlanTerms
from training.offers.offers import BetaPrior, Offer

ACCEPTANCE = 0.3
MAIL = Offer(name="mail", contact_cost=0.1, incentive_cost=0, acceptance_rate=BetaPrior(alpha=1, beta=2))
FIRST, NEXT_MONTH = date(2024, 1, 1), date(2024, 1, 31)


def scored(n: int = 4000, on: date = FIRST, churn: np.ndarray | None = None) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    risk = rng.beta(3, 2, n)
    return pd.DataFrame(
        {
            "customer_id": [f"{i:05d}" for i in range(n)],
            "snapshot_date": on.isoformat(),
            "churn_probability": risk if churn is None else churn,
            "value_at_stake": 20.0,
            "horizon_days": 90,
            "margin": 0.3,
            "last_purchase_date": (on - timedelta(days=30)).isoformat(),
        }
    )


def as_running(made: CampaignPlan, held_days: int = 90) -> RunningCampaign:
    start = made.starts_on
    return RunningCampaign(
        "winter",
        start,
        start + timedelta(days=made.horizon_days),
        start + timedelta(days=held_days),
        frozenset(made.contacted["customer_id"]),
        frozenset(made.held_out["customer_id"]),
    )


@pytest.fixture(scope="module")
def first() -> CampaignPlan:
    return plan(scored(), [MAIL], PlanTerms(max_contacts=1500, holdout=0.3))


def test_the_customers_of_a_running_campaign_are_left_alone_and_the_summary_says_why(
    first: CampaignPlan,
) -> None:
    unaware = plan(scored(on=NEXT_MONTH), [MAIL])

    aware = plan(scored(on=NEXT_MONTH), [MAIL], running=[as_running(first)])

    held = set(first.held_out["customer_id"])
    assert len(held & set(unaware.contacted["customer_id"])) > 0.7 * len(held)
    chosen = set(aware.chosen["customer_id"])
    assert not chosen & held and not chosen & set(first.contacted["customer_id"])
    reasons = aware.not_selected["reason"].value_counts()
    assert reasons["held out by a running campaign"] == len(held)
    assert reasons["contacted by a running campaign"] == len(first.contacted)
    said = f"winter (until 2024-03-31): {len(held):,} held out, {len(first.contacted):,} contacted."
    assert said in " ".join(sentences(aware))


def test_a_campaign_that_is_over_holds_nobody_back_unless_its_holdout_is_kept(first: CampaignPlan) -> None:
    over = FIRST + timedelta(days=90)

    free = plan(scored(on=over), [MAIL], running=[as_running(first)])
    kept = plan(scored(on=over), [MAIL], running=[as_running(first, held_days=365)])

    assert free.running == ()
    reasons = kept.not_selected["reason"].value_counts()
    assert reasons["held out by a running campaign"] == len(first.held_out)
    assert "contacted by a running campaign" not in reasons


def test_contacting_again_spares_the_holdout_all_the_same(first: CampaignPlan) -> None:
    again = plan(scored(on=NEXT_MONTH), [MAIL], PlanTerms(recontact=True), running=[as_running(first)])

    chosen = set(again.chosen["customer_id"])
    assert not chosen & set(first.held_out["customer_id"])
    assert chosen & set(first.contacted["customer_id"])


def learnt(made: CampaignPlan, stayed: np.ndarray) -> float:
    chosen = made.chosen
    bought = stayed[chosen["customer_id"].astype(int)]
    return update_acceptance(
        BetaPrior(alpha=1, beta=1), bought, ~chosen["held_out"], chosen["stratum"]
    ).posterior.mean


@pytest.mark.slow
def test_overlapping_campaigns_both_learn_the_true_acceptance() -> None:
    """Two campaigns over the same 90 days; 30% of the would-be leavers stay for each contact they get."""
    found: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for seed in range(5):
        leaves = np.random.default_rng(seed).random((3, 4000))
        risk = scored()["churn_probability"].to_numpy()
        terms = PlanTerms(holdout=0.3, seed=seed)
        one = plan(scored(), [MAIL], terms.model_copy(update={"max_contacts": 1500}))
        recent = set(
            one.contacted["customer_id"]
        )  # a shop that knows whom it contacted, not whom it held out
        for aware in (True, False):
            others = {"running": [as_running(one)]} if aware else {"suppress": recent}
            two = plan(scored(on=NEXT_MONTH), [MAIL], terms, **others)  # type: ignore[arg-type]
            stayed = leaves[0] > risk
            for each, lots in ((one, leaves[1]), (two, leaves[2])):
                contacted = np.isin(np.arange(4000), each.contacted["customer_id"].astype(int))
                stayed = stayed | (contacted & (lots < ACCEPTANCE))
            found[aware].append((learnt(one, stayed), learnt(two, stayed)))

    assert np.mean(found[True], axis=0) == pytest.approx([ACCEPTANCE, ACCEPTANCE], abs=0.03)
    assert np.mean(found[False], axis=0)[0] < 0.5 * ACCEPTANCE


def test_the_standing_holdout_is_the_same_in_every_plan_and_chosen_by_none(first: CampaignPlan) -> None:
    terms = PlanTerms(standing_holdout=0.05)

    plans = [
        plan(scored(), [MAIL], terms),
        plan(scored(2000, NEXT_MONTH), [MAIL], terms.model_copy(update={"seed": 8})),
    ]

    standing = [
        set(made.not_selected.query("reason.str.startswith('standing')")["customer_id"]) for made in plans
    ]
    assert len(standing[0]) / 4000 == pytest.approx(0.05, abs=0.01)
    assert standing[1] == {each for each in standing[0] if int(each) < 2000}
    assert "standing holdout of all campaigns" in " ".join(sentences(plans[0]))


def test_another_seed_draws_another_standing_holdout() -> None:
    ids = scored()["customer_id"]

    one, other = standing_holdout(ids, 0.1), standing_holdout(ids, 0.1, seed=1)

    assert (one & other).sum() < 0.3 * one.sum()
