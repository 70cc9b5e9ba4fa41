"""Sensitivity of a campaign plan to its assumptions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.language import translated
from training.campaign.acceptance import acceptance_prior
from training.campaign.alternatives import allocate_again, limits_of
from training.campaign.candidates import prices, profit_of_contacts
from training.campaign.plan import CampaignPlan
from training.campaign.resumption import RESUMPTIONS, at_resumption
from training.offers.allocation import NOBODY
from training.offers.offers import Offer

SAME = 0.95
"""Two lists that share this share of their customers count as the same."""
_BISECTIONS = 5
_NORMAL_90 = 1.645


@dataclass(frozen=True)
class Swing:
    """The plan's expected profit at a low and a high value of one assumption, the list staying as it is."""

    assumption: str
    low_profit: float
    high_profit: float


@dataclass(frozen=True)
class Resumed:
    """The plan at one resumption: the profit of its contacts, and the contacts and profit of a plan made for it."""

    resumption: float
    profit: float
    contacts_if_planned: int
    profit_if_planned: float


@dataclass(frozen=True)
class Dormant:
    """What a plan with the dormant would promise: contacts, profit, and profit if the returned buy once only."""

    customers: int
    contacts: int
    profit: float
    profit_if_once: float | None


@dataclass(frozen=True)
class SameList:
    """Range of an offer's acceptance rate over which (nearly) the same customers are chosen."""

    offer: str
    low: float
    high: float


def tornado(plan: CampaignPlan) -> list[Swing]:
    """Return what the expected profit of the contacts becomes as one assumption changes, widest first.

    Acceptance rates move over 90% of their prior, redemption to 0.5 and 1 of what is assumed, probabilities by
    a quarter of their odds, money by a fifth.
    """
    part = plan.contacts
    value = part["value_at_stake"].to_numpy()

    def profit(offers: Sequence[Offer] = plan.offers, odds: float = 1.0, worth: float = 1.0) -> float:
        return profit_of_contacts(part, offers, value=worth * value, odds=odds)

    def changed(**factors: float) -> list[Offer]:
        return [_scaled(offer, factors) for offer in plan.offers]

    swings = [
        Swing(translated("churn probability (odds ±25%)"), profit(odds=0.8), profit(odds=1.25)),
        Swing(translated("value at stake (±20%)"), profit(worth=0.8), profit(worth=1.2)),
        Swing(
            translated("contact cost (±20%)"),
            profit(changed(contact_cost=1.2)),
            profit(changed(contact_cost=0.8)),
        ),
        Swing(
            translated("incentive (±20%)"),
            profit([offer.incentive_times(1.2) for offer in plan.offers]),
            profit([offer.incentive_times(0.8) for offer in plan.offers]),
        ),
        Swing(translated("half of the stayers redeem"), profit(), profit(changed(redemption_rate=0.5))),
    ]
    if plan.resumption is not None:
        ends = [plan.profit_at_resumption(share) for share in (0.0, 1.0)]
        swings.append(
            Swing(translated("resumption ({assumed:g}; 0 to 1)", assumed=plan.resumption), ends[0], ends[1])
        )
    for number, offer in enumerate(plan.offers):
        if (part["number"] == number).any():
            words, low, high = _acceptance_ends(offer)
            ends = [profit([o if o is not offer else end for o in plan.offers]) for end in (low, high)]
            swings.append(
                Swing(
                    translated("acceptance of {offer} ({range})", offer=offer.name, range=words),
                    ends[0],
                    ends[1],
                )
            )
    return sorted(swings, key=lambda swing: -abs(swing.high_profit - swing.low_profit))


def _acceptance_ends(offer: Offer) -> tuple[str, Offer, Offer]:
    """Return an offer at the ends of the 90% interval of its acceptance, in all bands at once where it has some."""
    if not offer.acceptance_by_silence:
        low, high = acceptance_prior(offer).interval(0.9)
        return (
            translated("{low:.2f} to {high:.2f}", low=low, high=high),
            offer.accepting(low),
            offer.accepting(high),
        )
    low_end, high_end = (
        offer.model_copy(
            update={"acceptance_by_silence": tuple(b.shifted(z) for b in offer.acceptance_by_silence)}
        )
        for z in (-_NORMAL_90, _NORMAL_90)
    )
    return translated("90% of every band"), low_end, high_end


def _scaled(offer: Offer, factors: dict[str, float]) -> Offer:
    now = {name: getattr(offer, name) for name in factors}
    return offer.model_copy(update={name: value * factors[name] for name, value in now.items() if value})


def by_resumption(plan: CampaignPlan) -> list[Resumed]:
    """Return the plan at the resumptions 0, ½ and 1; none where the scores do not say what hangs on it."""
    if plan.resumption is None:
        return []
    some = plan.known.thinned
    kept = (1 - plan.holdout_share) / some.scale
    found = []
    for share in RESUMPTIONS:
        money = prices(at_resumption(some.rows, share), plan.offers)
        other = allocate_again(plan, money, some.scale, limits_of(plan).budget, enlarge=True)
        found.append(
            Resumed(
                share, plan.profit_at_resumption(share), round(kept * other.contacts), kept * other.profit
            )
        )
    return found


def with_dormant(plan: CampaignPlan) -> Dormant | None:
    """Return what the plan would promise if it contacted the dormant too; None where it leaves none out."""
    if not plan.known.dormant:
        return None
    some = plan.known.thinned_with_dormant
    kept = (1 - plan.holdout_share) / some.scale
    other = allocate_again(plan, some.prices, some.scale, limits_of(plan).budget, enlarge=True)
    taken = np.flatnonzero(other.choice != NOBODY)
    once = None
    if plan.resumption is not None:
        once = kept * float(some.profit_if_once[taken, other.choice[taken]].sum())
    return Dormant(plan.known.dormant, round(kept * other.contacts), kept * other.profit, once)


def same_list(plan: CampaignPlan) -> list[SameList]:
    """Return the acceptance rates between which at least 95% of the list stays, for offers that have one for all."""
    base = _chosen(plan, plan.offers)
    ranges = []
    for offer in (each for each in plan.offers if not each.acceptance_by_silence):

        def stays(rate: float, offer: Offer = offer) -> bool:
            moved = [o if o is not offer else o.accepting(rate) for o in plan.offers]
            other = _chosen(plan, moved)
            alike = ((base == other) & (base != NOBODY)).sum()
            return bool(alike >= SAME * max((base != NOBODY).sum(), (other != NOBODY).sum()))

        ends = [_edge(stays, offer.acceptance, end) for end in (0.0, 1.0)]
        ranges.append(SameList(offer.name, ends[0], ends[1]))
    return ranges


def _edge(stays: Callable[[float], bool], inside: float, outside: float) -> float:
    """Return the rate, between one where the list stays and one beyond, up to which it stays; by bisection."""
    if stays(outside):
        return outside
    for _ in range(_BISECTIONS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if stays(middle) else (inside, middle)
    return inside


def _chosen(plan: CampaignPlan, offers: Sequence[Offer]) -> NDArray[np.int64]:
    some = plan.known.thinned
    money = prices(some.rows, offers)
    return allocate_again(plan, money, some.scale, limits_of(plan).budget, enlarge=True).choice
