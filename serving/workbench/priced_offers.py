"""Offers of campaigns, priced for one customer as a plan of the published list would price them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from features.language import translated
from serving.explanation.decision import OfferDecision, decide
from serving.explanation.recommendation import Recommendation, loss_makers, price_offers
from serving.workbench.library import PastOffer
from serving.workbench.orders import Known
from training.offers.offers import Offer

_PRICED_BY = (
    *("churn_probability", "value_at_stake", "spend_per_purchase", "expected_value", "expected_gross_value"),
    *("value_tier", "stage", "snapshot_date", "last_purchase_date"),
)


@dataclass(frozen=True)
class PricedOffer:
    """An offer, the campaign that it is of, its price for the customer, and whether it is the best that pays."""

    offer: Offer
    campaign: str
    price: OfferDecision
    best: bool


def priced_for(score: Any, past: list[PastOffer], known: Known | None) -> list[PricedOffer]:
    """Price the offers of the library, what pays most first.

    Parameters
    ----------
    score : row of the published list
    past : list of PastOffer
    known : Known or None
        What the orders say; with it an offer's decision names the days of silence after which it is the other one.
    """
    if not past or score.spend_per_purchase is None:
        return []
    offers = [each.offer for each in past]
    columns = {name: np.array([getattr(score, name)]) for name in _PRICED_BY}
    (now,) = price_offers(columns, offers)
    silent: dict[int, Recommendation] = {}
    losses: dict[int, bool] = {}
    if known and known.card.model_version == score.model_version:
        scores = known.scenarios.silent_scores
        days = [each.silent_days for each in known.scenarios.if_silent]
        silent = dict(zip(days, price_offers(scores, offers), strict=True))
        losses = dict(zip(days, loss_makers(scores), strict=True))
    named = {name: getattr(score, name) for name in _PRICED_BY}
    prices = decide(offers, named, now, silent, losses)
    found = [
        PricedOffer(each.offer, each.campaign, price, each.offer.name == now.recommended_offer)
        for each, price in zip(past, prices, strict=True)
    ]
    return sorted(
        found, key=lambda each: (not each.best, not each.price.contact, -each.price.expected_profit)
    )


def left_alone(score: Any) -> str:
    """Say why a plan leaves the customer out whatever an offer would bring; empty where it does not."""
    last, days = score.last_purchase_date, score.dormant_after_days
    if last is None or not days or (score.snapshot_date - last).days <= days:
        return ""
    return translated(
        "Silent for more than {days:day|days}: no log shows what an offer does then, and plans leave such customers "
        "out.",
        days=days,
    )
