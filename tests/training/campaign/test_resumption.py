"""Resumption and dormancy: what a plan's profit hangs on where no log can tell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.errors import StayworthError
from serving.campaign.plan_sentences import sentences
from training.campaign.plan import plan
from training.campaign.sensitivity import by_resumption, tornado, with_dormant
from training.campaign.settings import PlanTerms
from training.offers.offers import Offer

MAIL = Offer(name="mail", contact_cost=1, incentive_cost=0, acceptance_rate=0.5)
EVERYBODY = PlanTerms(holdout=0, dormant=True)


def scored() -> pd.DataFrame:
    """Two customers who bought last month; two silent for 200 and 181 days, whose value hangs on the resumption."""
    return pd.DataFrame(
        {
            "customer_id": ["new", "fresh", "gone", "away"],
            "snapshot_date": "2024-07-01",
            "last_purchase_date": ["2024-06-01", "2024-01-03", "2023-12-14", "2024-01-02"],
            "churn_probability": 0.5,
            "value_at_stake": [8.0, 3.0, 40.0, 20.0],
            "value_of_resumption": [2.0, 0.0, 80.0, 36.0],
            "resumption": 0.5,
            "horizon_days": 90,
            "margin": 0.3,
            "dormant_after_days": 180,
        }
    )


def test_the_dormant_are_left_out_and_what_they_would_promise_is_said() -> None:
    made = plan(scored(), [MAIL], PlanTerms(holdout=0))

    # .5·.5·8 − 1 = 1 for "new", −.25 for "fresh", silent for exactly 180 days; "gone" and "away" would add 9 and 4,
    # and if they bought once, .25·0 − 1 and .25·2 − 1.
    assert made.contacted["customer_id"].tolist() == ["new"]
    reasons = made.not_selected.set_index("customer_id")["reason"]
    assert set(reasons[["gone", "away"]]) == {"dormant: silent for more than 180 days"}
    assert reasons["fresh"] == "no offer would pay"
    left = with_dormant(made)
    assert left is not None
    assert (left.customers, left.contacts, left.profit) == (2, 3, pytest.approx(1 + 9 + 4))
    assert left.profit_if_once == pytest.approx((0.25 * 7 - 1) - 1 - 0.5)
    said = " ".join(sentences(made))
    assert "2 dormant customers, silent for more than 180 days" in said
    assert "about 14.00 (-0.75 if those who come back buy once) instead of 1.00" in said


def test_the_dormant_are_contacted_where_that_is_asked_for() -> None:
    made = plan(scored(), [MAIL], EVERYBODY)

    assert made.contacted["customer_id"].tolist() == ["gone", "away", "new"]
    assert with_dormant(made) is None


def test_a_version_that_states_no_dormancy_means_two_horizons() -> None:
    made = plan(scored().drop(columns="dormant_after_days").assign(horizon_days=95), [MAIL])

    assert made.dormant_after_days == 190
    assert set(made.customers.query("reason.str.startswith('dormant')")["customer_id"]) == {"gone"}


def test_a_list_without_dates_of_purchases_says_that_the_dormant_are_in_it() -> None:
    made = plan(scored().drop(columns="last_purchase_date"), [MAIL], PlanTerms(holdout=0))

    assert set(made.contacted["customer_id"]) == {"gone", "away", "new"}
    assert "the dormant could not be left out" in " ".join(sentences(made))


def test_the_plan_shows_its_profit_at_each_resumption_and_what_would_be_planned_for_it() -> None:
    made = plan(scored(), [MAIL], EVERYBODY)

    once, half, before = by_resumption(made)

    # Values at 0: 7, 0, 2; at ½: 8, 40, 20; at 1: 9, 80, 38. A quarter of each is earned, less 1.
    assert [each.profit for each in (once, half, before)] == pytest.approx([-0.75, 14, 28.75])
    assert half.profit == pytest.approx(made.expected_profit)
    assert (once.contacts_if_planned, once.profit_if_planned) == (1, pytest.approx(0.75))
    assert before.contacts_if_planned == 3
    (swing,) = [each for each in tornado(made) if each.assumption.startswith("resumption")]
    assert (swing.low_profit, swing.high_profit) == pytest.approx((-0.75, 28.75))
    assert "the same contacts earn -0.75 if they buy once (resumption 0), 14.00" in " ".join(sentences(made))


def test_a_plan_can_be_made_for_another_resumption() -> None:
    terms = EVERYBODY.model_copy(update={"resumption": 0.0})

    made = plan(scored(), [MAIL], terms)

    assert made.contacted["customer_id"].tolist() == ["new"]
    assert made.resumption == 0.0
    assert made.profit_at_resumption(1.0) == pytest.approx(0.25 * 9 - 1)


def test_a_list_that_does_not_state_what_hangs_on_the_resumption_is_planned_without_it() -> None:
    older = scored().drop(columns=["resumption", "value_of_resumption"])

    made = plan(older, [MAIL], EVERYBODY)

    assert made.resumption is None and by_resumption(made) == []
    assert not any("resumption" in each.assumption for each in tornado(made))
    with pytest.raises(StayworthError, match="does not say how much of the value at stake hangs on"):
        plan(older, [MAIL], PlanTerms(resumption=0.0))


def test_values_at_two_resumptions_differ_by_the_stated_part_of_the_value() -> None:
    low, high = (
        plan(scored(), [MAIL], EVERYBODY.model_copy(update={"resumption": share})).customers
        for share in (0.25, 1)
    )

    gain = high["value_at_stake"] - low["value_at_stake"]
    assert np.allclose(gain, 0.75 * high["value_of_resumption"])
