"""Decisions in words: one sentence an offer, with what would flip it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from serving.explanation.decision import OfferDecision, decide
from serving.explanation.recommendation import loss_makers, price_offers
from training.offers.offers import Offer


def decided(
    offer: Offer, p: float, stake: float, *, later: Sequence[float] = (), value: Sequence[float] = (300.0,)
) -> OfferDecision:
    """Decide on an offer to a customer who spends 20 per purchase; ``later`` are p after 10, 20, … days.

    ``value`` is the expected value now and then, of 310 before costs.
    """
    score = {"value_at_stake": stake, "spend_per_purchase": 20.0}
    rows = {name: np.full(1 + len(later), number) for name, number in score.items()}
    rows["churn_probability"] = np.array([p, *later])
    rows["expected_value"] = np.resize(value, 1 + len(later))
    now, *silent = price_offers(rows, [offer])
    days = {10 * (place + 1): prices for place, prices in enumerate(silent)}
    losses = dict(zip(days, loss_makers(rows)[1:], strict=True))
    score |= {"churn_probability": p, "expected_value": value[0], "expected_gross_value": 310.0}
    (decision,) = decide([offer], score, now, days, losses)
    return decision


VOUCHER = Offer(name="voucher", contact_cost=1, incentive_cost=10, acceptance_rate=0.3)


def test_a_paying_offer_says_from_where_it_pays() -> None:
    # p* = 11/67 = .1642, up to .17; γ* = (.6·10 + 1) / (.4·190) = 7/76 = 9.2%, up to 10%
    decision = decided(VOUCHER, 0.4, 200.0)

    assert decision.contact
    assert decision.decision == (
        "contact: pays from a churn probability of 17%; now 40%, and if 10% accept; assumed 30%"
    )
    assert decision.flips_after_silent_days is None


def test_an_offer_that_does_not_pay_says_what_would_do() -> None:
    # p* = 11/67; γ* = (.9·10 + 1) / (.1·190) = 10/19 = 52.6%
    decision = decided(VOUCHER, 0.1, 200.0)

    assert not decision.contact
    assert decision.decision == (
        "do not contact: would pay if 53% accepted instead of 30%, "
        "or from a churn probability of 17%; now 10%"
    )


def test_an_offer_that_few_accept_would_pay_if_more_did() -> None:
    # p* = (20 + 0) / (.1·100) = 2: never; γ* = 20 / (.9·100) = 22.2%
    dear = Offer(name="dear", contact_cost=20, incentive_cost=0, acceptance_rate=0.1)

    assert decided(dear, 0.9, 100.0).decision == "do not contact: would pay if 23% accepted instead of 10%"


def test_with_a_loyal_customer_no_acceptance_is_enough() -> None:
    # γ* = (.98·10 + 1) / (.02·190) = 2.8
    assert decided(VOUCHER, 0.02, 200.0).decision == (
        "do not contact: would pay from a churn probability of 17%; now 2%, where no acceptance is enough"
    )


def test_an_incentive_above_the_stake_cannot_pay() -> None:
    # A tenth of the spend per purchase, 20, is 2.
    share = Offer(name="share", incentive_share=0.1, acceptance_rate=0.9)

    assert decided(share, 0.9, 1.5).decision == (
        "do not contact: cannot pay at any acceptance: "
        "what is at stake (1.50) is no more than the incentive (2.00)"
    )


def test_costs_above_what_could_be_saved_cannot_pay() -> None:
    # Everybody leaving and accepting, 12 − 10 = 2 would be saved, for a contact of 5.
    dear = VOUCHER.model_copy(update={"contact_cost": 5.0})

    assert "the contact, and the incentive for those who stay" in decided(dear, 0.9, 12.0).decision


def test_the_first_silent_day_at_which_the_decision_flips_is_named() -> None:
    # p* = .1642: .15 after ten days is not enough, .2 after twenty is
    waits = decided(VOUCHER, 0.1, 200.0, later=[0.15, 0.2, 0.3])
    fades = decided(VOUCHER, 0.2, 200.0, later=[0.1, 0.3])

    assert waits.flips_after_silent_days == 20
    assert waits.decision.endswith("; after 20 more silent days it would pay")
    assert fades.flips_after_silent_days == 10
    assert fades.decision.endswith("; after 10 more silent days it would no longer pay")


@pytest.mark.parametrize(
    ("p", "words"),
    [(0.1643, "of 16.42%; now 16.43%"), (0.1641, "of 17%; now 16%"), (0.17, "of 16.5%; now 17.0%")],
)
def test_near_the_break_even_as_many_digits_are_written_as_it_takes(p: float, words: str) -> None:
    # p* = 11/67 = .16417…, written as the next larger
    assert words in decided(VOUCHER, p, 200.0).decision


def test_a_customer_who_costs_more_than_they_bring_is_left_alone_until_they_no_longer_do() -> None:
    # The voucher would pay (p* = .1642), and 310 − 330 = −20; after 20 days costs are lower
    decision = decided(VOUCHER, 0.4, 200.0, later=[0.5, 0.6], value=[-20.0, -5.0, 10.0])

    assert decision.expected_profit > 0
    assert not decision.contact
    assert decision.decision == (
        "do not contact: costs more to keep (330.00) than they bring (310.00); "
        "after 20 more silent days it would pay"
    )
    assert decision.flips_after_silent_days == 20
