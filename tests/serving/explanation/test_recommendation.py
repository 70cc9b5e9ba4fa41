"""Recommendations: the money of a campaign's plan, one customer at a time."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from features.log.transactions import TransactionLog
from features.table.columns import Columns, as_columns
from serving.explanation.recommendation import price_offers
from serving.scorer import Scorer
from training.campaign.candidates import prices
from training.campaign.plan import plan
from training.campaign.settings import PlanTerms
from training.offers.acceptance_band import AcceptanceBand
from training.offers.offers import BetaPrior, Offer, OfferError

VOUCHER = Offer(
    name="voucher", contact_cost=0.1, incentive_cost=5, acceptance_rate=BetaPrior(alpha=6, beta=14)
)
CALL = Offer(name="call", contact_cost=1, incentive_share=0.2, acceptance_rate=0.4, redemption_rate=0.3)
OFFERS = (VOUCHER, CALL)


def score(p: float, stake: float, *, spend_per_purchase: float = 20.0) -> Columns:
    row = {"churn_probability": p, "value_at_stake": stake, "spend_per_purchase": spend_per_purchase}
    return {name: np.array([number]) for name, number in row.items()}


@pytest.fixture(scope="module")
def scores(scorer: Scorer, log: TransactionLog) -> pd.DataFrame:
    return scorer.score_log(log).scores


def test_an_offer_is_priced_by_the_formulas() -> None:
    offer = Offer(name="voucher", contact_cost=1, incentive_cost=10, acceptance_rate=0.3)

    (found,) = price_offers(score(0.4, 200.0), [offer])

    # cost: f + d·(pγ + (1 − p)ψ) = 1 + 10·(.12 + .6) = 8.2; profit: pγV − cost = .12·200 − 8.2 = 15.8
    # p* = (f + ψd) / (γ(V − d) + ψd) = 11 / (.3·190 + 10) = 11/67; γ* = ((1 − p)ψd + f) / (p(V − d)) = 7/76
    (price,) = found.offers
    assert price.offer == found.recommended_offer == "voucher"
    assert astuple(price)[1:] == pytest.approx((15.8, 8.2, 11 / 67, 7 / 76, True))


def test_an_offer_for_a_tier_and_a_stage_is_recommended_to_nobody_else() -> None:
    best = Offer(
        name="gift", incentive_cost=1, acceptance_rate=0.9, tiers=("vip",), stages=("loyal", "lapsing")
    )
    others = Offer(name="voucher", incentive_cost=1, acceptance_rate=0.3)
    rows = {name: np.repeat(values, 3) for name, values in score(0.4, 200.0).items()}
    rows |= {"value_tier": np.array(["vip", "low", "vip"]), "stage": np.array(["lapsing", "loyal", "lapsed"])}

    found = price_offers(rows, [best, others])

    assert [each.recommended_offer for each in found] == ["gift", "voucher", "voucher"]
    assert [each.offers[0].eligible for each in found] == [True, False, False]


def test_scores_that_do_not_say_whom_an_offer_is_for_are_refused() -> None:
    offer = Offer(incentive_cost=1, acceptance_rate=0.9, segments={"city": ("Yazd",)})

    with pytest.raises(OfferError, match="by city: the scores have no such column"):
        price_offers(score(0.4, 200.0), [offer])


def test_an_incentive_may_be_a_share_of_the_spend_per_purchase() -> None:
    # 20% of 20 are 4
    fixed = CALL.model_copy(update={"incentive_share": None, "incentive_cost": 4.0})

    assert price_offers(score(0.4, 90.0), [CALL]) == price_offers(score(0.4, 90.0), [fixed])


def test_where_an_offer_can_never_pay_it_has_no_break_even() -> None:
    # At stake are 5, the incentive is 10: whoever is kept costs more than they bring.
    dear = Offer(name="dear", incentive_cost=10, acceptance_rate=0.3)

    (found,) = price_offers(score(0.9, 5.0), [dear])

    assert found.recommended_offer is None
    assert (found.offers[0].break_even_probability, found.offers[0].break_even_acceptance) == (None, None)


def test_a_break_even_of_one_is_none() -> None:
    # p* = f / γV = 50 / (.5·100) = 1, and γ* = f / pV = 50 / (.5·100) = 1: at the very best, nothing is won.
    call = Offer(name="call", contact_cost=50, incentive_cost=0, acceptance_rate=0.5)

    (found,) = price_offers(score(0.5, 100.0), [call])

    assert (found.offers[0].break_even_probability, found.offers[0].break_even_acceptance) == (None, None)


def test_nobody_is_treated_for_nothing() -> None:
    # profit = pγV − f = .5·.5·100 − 25 = 0
    call = Offer(name="call", contact_cost=25, incentive_cost=0, acceptance_rate=0.5)

    (found,) = price_offers(score(0.5, 100.0), [call])

    assert (found.offers[0].expected_profit, found.recommended_offer) == (0.0, None)


def test_of_equal_offers_the_first_is_recommended() -> None:
    (found,) = price_offers(score(0.9, 200.0), [VOUCHER, VOUCHER.model_copy(update={"name": "again"})])

    assert found.recommended_offer == "voucher"


def test_without_offers_nothing_is_recommended() -> None:
    (found,) = price_offers(score(0.9, 200.0), [])

    assert (found.offers, found.recommended_offer) == ([], None)


def test_without_customers_there_is_no_recommendation(scores: pd.DataFrame) -> None:
    assert price_offers(as_columns(scores.head(0)), OFFERS) == []


def test_two_offers_of_one_name_are_refused() -> None:
    with pytest.raises(OfferError, match=r"^Two offers are called 'call'\. Give each a name of its own\.$"):
        price_offers(score(0.9, 200.0), [CALL, VOUCHER, CALL])


def test_a_list_is_priced_to_the_last_digit_as_a_plan_prices_it(scores: pd.DataFrame) -> None:
    planned = plan(scores, OFFERS, PlanTerms(holdout=0, dormant=True)).customers.set_index("customer_id")
    profit, cost = prices(scores, OFFERS)

    found = price_offers(as_columns(scores), OFFERS)

    assert [[price.expected_profit for price in each.offers] for each in found] == profit.tolist()
    assert [[price.expected_cost for price in each.offers] for each in found] == cost.tolist()
    chosen = planned.loc[scores["customer_id"]]
    assert [each.recommended_offer or "" for each in found] == chosen["offer"].tolist()
    best = {
        customer: next(price for price in each.offers if price.offer == each.recommended_offer)
        for customer, each in zip(scores["customer_id"], found, strict=True)
        if each.recommended_offer
    }
    assert {price.offer for price in best.values()} == {"voucher", "call"}
    for name in ("expected_profit", "expected_cost", "break_even_probability"):
        assert [getattr(price, name) for price in best.values()] == planned.loc[list(best), name].tolist()


def test_the_price_of_a_customer_does_not_depend_on_the_others(scores: pd.DataFrame) -> None:
    sample = scores.iloc[::60]
    shuffled = sample.sample(frac=1, random_state=1)

    together, otherwise = (price_offers(as_columns(some), OFFERS) for some in (sample, shuffled))

    alone = [price_offers(as_columns(sample.iloc[[row]]), OFFERS)[0] for row in range(len(sample))]
    assert alone == together
    assert dict(zip(shuffled.index, otherwise, strict=True)) == dict(zip(sample.index, together, strict=True))


def test_who_is_sure_to_leave_is_priced_by_their_own_spend_per_purchase() -> None:
    gone = score(1.0, 40.0, spend_per_purchase=50.0)

    both = {name: np.concatenate([column, gone[name]]) for name, column in score(0.4, 90.0).items()}

    alone, among = price_offers(gone, OFFERS)[0], price_offers(both, OFFERS)[1]

    assert alone == among
    # voucher: .3·40 − (.1 + 5·.3) = 10.4; call, with an incentive of .2·50 = 10: .4·40 − (1 + 10·.4) = 11
    assert [price.expected_profit for price in alone.offers] == pytest.approx([10.4, 11.0])
    assert alone.recommended_offer == "call"


@given(p=st.floats(0.01, 0.99), stake=st.floats(0, 1e6), cost=st.floats(0, 1e3), incentive=st.floats(0, 1e3))
def test_an_offer_pays_on_one_side_of_its_break_evens(
    p: float, stake: float, cost: float, incentive: float
) -> None:
    offer = Offer(contact_cost=cost, incentive_cost=incentive, acceptance_rate=0.3)

    ((price,), recommended) = astuple(price_offers(score(p, stake), [offer])[0])
    _, profit, _, probability, acceptance, _ = price

    assert (recommended == "offer") == (profit > 0)
    if abs(profit) > 1e-6:  # further from zero than rounding
        assert (profit > 0) == (probability is not None and p > probability)
        assert (profit > 0) == (acceptance is not None and acceptance < 0.3)


def test_what_was_learnt_by_silence_prices_an_answer_as_it_prices_a_plan(scores: pd.DataFrame) -> None:
    known = {"deviation": 0.1, "probability_negative": 0.0}
    bands = (
        AcceptanceBand(from_days=0, mean=0.4, **known),
        AcceptanceBand(from_days=60, mean=-0.1, deviation=0.1, probability_negative=0.9),
    )
    learnt = VOUCHER.model_copy(update={"acceptance_by_silence": bands})
    profit, _ = prices(scores, [learnt])

    found = price_offers(as_columns(scores), [learnt])

    assert [each.offers[0].expected_profit for each in found] == profit[:, 0].tolist()
    silent = pd.to_datetime(scores["snapshot_date"]) - pd.to_datetime(scores["last_purchase_date"])
    assert not any(
        each.recommended_offer for each, gone in zip(found, silent.dt.days >= 60, strict=True) if gone
    )
    assert any(each.recommended_offer for each in found)


def test_no_offer_is_recommended_to_keep_a_loss() -> None:
    rows = {name: np.repeat(column, 2) for name, column in score(0.4, 200.0).items()}
    rows["expected_value"] = np.array([-0.01, 0.0])

    loss, even = price_offers(rows, [VOUCHER])

    assert loss.offers == even.offers
    assert (loss.recommended_offer, even.recommended_offer) == (None, "voucher")
