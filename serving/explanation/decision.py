"""Decisions in words: whether an offer pays with a customer, and what would have to change for it to flip."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.language import translatable, translated, written
from serving.explanation.recommendation import OfferPrice, Recommendation, silent_days
from training.offers.offers import Offer

_MOST_DIGITS = 7
_DATED = ("churn_probability", "snapshot_date", "last_purchase_date")


@dataclass(frozen=True)
class OfferDecision(OfferPrice):
    """One offer to one customer, priced, and what would flip the decision.

    Parameters
    ----------
    contact : bool
        Whether the offer pays, with a customer who brings more than they cost. Of several, `Recommendation` names the
        best.
    decision : str
    flips_after_silent_days : int or None
        The first of the days of silence looked at after which the decision is the other one.
    """

    contact: bool
    decision: str
    flips_after_silent_days: int | None


def decide(
    offers: Sequence[Offer],
    score: Mapping[str, Any],
    now: Recommendation,
    silent: Mapping[int, Recommendation],
    losses: Mapping[int, bool],
) -> list[OfferDecision]:
    """Word the decision on every offer.

    Parameters
    ----------
    offers : sequence of Offer
    score : mapping
        The customer's churn_probability, value_at_stake, spend_per_purchase, snapshot_date and last_purchase_date,
        expected_value and expected_gross_value.
    now : Recommendation
        Their offers' prices.
    silent : mapping of int to Recommendation
        The same after so many more days of silence, fewest first.
    losses : mapping of int to bool
        Whether they cost more than they bring by then.

    Returns
    -------
    list of OfferDecision, one per offer, in their order
    """
    decisions, loss = [], score["expected_value"] < 0
    for place, (offer, price) in enumerate(zip(offers, now.offers, strict=True)):
        contact = price.pays and not loss
        flips = (
            days
            for days, later in silent.items()
            if (later.offers[place].pays and not losses[days]) != contact
        )
        days = next(flips, None)
        text = _loss(score) if loss else _sentence(offer, price, score)
        if not price.eligible and not loss:
            text = _not_for(offer)
        if days is not None:
            text = _flipping(text, days, contact)
        decisions.append(
            OfferDecision(**vars(price), contact=contact, decision=text, flips_after_silent_days=days)
        )
    return decisions


def _flipping(decision: str, days: int, contact: bool) -> str:
    if contact:
        return translated(
            "{decision}; after {days:more silent day|more silent days} it would no longer pay",
            decision=decision,
            days=days,
        )
    return translated(
        "{decision}; after {days:more silent day|more silent days} it would pay", decision=decision, days=days
    )


def _loss(score: Mapping[str, Any]) -> str:
    gross = score["expected_gross_value"]
    return translated(
        "do not contact: costs more to keep ({cost:,.2f}) than they bring ({gross:,.2f})",
        cost=gross - score["expected_value"],
        gross=gross,
    )


def _not_for(offer: Offer) -> str:
    whom = "; ".join(f"{name}: {', '.join(values)}" for name, values in offer.limits.items())
    return translated("do not contact: the offer is for others only ({whom})", whom=whom)


def _sentence(offer: Offer, price: OfferPrice, score: Mapping[str, Any]) -> str:
    """Word an offer's decision; break-evens are rounded up, so that an offer does pay from them."""
    stake = score["value_at_stake"]
    incentive = float(offer.incentive(score["spend_per_purchase"]))
    p, gamma = score["churn_probability"], _acceptance(offer, score)
    if gamma < 0:
        return translated("do not contact: as measured, the offer drives customers like them away")
    p_needed, gamma_needed = price.break_even_probability, price.break_even_acceptance
    facts: dict[str, Any] = {"incentive": incentive, "value_at_stake": stake}
    facts["p_needed"], facts["p"] = _apart(p if p_needed is None else p_needed, p)
    facts["gamma_needed"], facts["gamma"] = _apart(gamma if gamma_needed is None else gamma_needed, gamma)
    return translated(_text(price, incentive >= stake), **facts)


def _acceptance(offer: Offer, score: Mapping[str, Any]) -> float:
    """Return the acceptance expected of a customer: of those as long silent, where that was learnt."""
    (silent,) = silent_days({name: np.array([value]) for name, value in score.items() if name in _DATED})
    return next(same.acceptance for rows, same in offer.by_silence([silent]) if rows.all())


def _text(price: OfferPrice, incentive_too_dear: bool) -> str:
    if price.pays:
        return translatable(
            "contact: pays from a churn probability of {p_needed}; now {p}, and if {gamma_needed} accept; "
            "assumed {gamma}"
        )
    if incentive_too_dear:
        return translatable(
            "do not contact: cannot pay at any acceptance: what is at stake ({value_at_stake:,.2f}) is no more than "
            "the incentive ({incentive:,.2f})"
        )
    if price.break_even_acceptance is not None and price.break_even_probability is not None:
        return translatable(
            "do not contact: would pay if {gamma_needed} accepted instead of {gamma}, or from a churn probability of "
            "{p_needed}; now {p}"
        )
    if price.break_even_acceptance is not None:
        return translatable("do not contact: would pay if {gamma_needed} accepted instead of {gamma}")
    if price.break_even_probability is not None:
        return translatable(
            "do not contact: would pay from a churn probability of {p_needed}; now {p}, where no acceptance is enough"
        )
    return translatable(
        "do not contact: cannot pay at any acceptance: the contact, and the incentive for those who stay anyway, cost "
        "more than could be saved"
    )


def _apart(needed: float, given: float) -> tuple[str, str]:
    """Write two shares with the fewest digits of a per cent that show which is larger; the first is rounded up.

    Examples
    --------
    >>> _apart(0.4712, 0.3), _apart(0.4112, 0.413)
    (('48%', '30%'), ('41.2%', '41.3%'))
    """
    for digits in range(2, _MOST_DIGITS):
        up, near = math.ceil(round(needed * 10**digits, 6)) / 10**digits, round(given, digits)
        if up != near and (up < near) == (needed < given):
            break
    return _percent(up, digits), _percent(near, digits)


def _percent(share: float, digits: int) -> str:
    """Write a share as 23%."""
    return written(share, f".{digits - 2}%")
