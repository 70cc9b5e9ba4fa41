"""A campaign plan at other budgets and holdouts, before any draw."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from training.campaign.holdout import minimum_detectable_effect
from training.campaign.plan import CampaignPlan
from training.campaign.settings import PlanTerms
from training.campaign.thinned import Totals
from training.offers.allocation import NOBODY, Allocation, allocate
from training.offers.offers import Floats, Offer

_CURVE_POINTS = 10


@dataclass(frozen=True)
class Alternative:
    """The plan with another budget or holdout: contacts, money, and the smallest effect that it would show.

    ``detectable_effect`` is a difference of the share who stay, infinite without a holdout.
    """

    budget: float | None
    holdout_share: float
    contacted: int
    held_out: int
    cost: float
    profit: float
    detectable_effect: float


def budget_curve(plan: CampaignPlan) -> tuple[Floats, Floats]:
    """Return expected cost and profit of the contacts at other budgets before the draw, other limits as they are.

    Returns
    -------
    cost, profit : ndarrays of shape (10,), money, from nothing to what there is to spend
    """
    some = plan.known.thinned
    limits = tuple(_places(plan, some.scale))
    if limits not in some.curves:
        full = allocate_again(plan, some.prices, some.scale, None)
        budgets = full.cost * np.linspace(0, 1, _CURVE_POINTS) ** 2  # dense where the curve bends
        plans = [allocate_again(plan, some.prices, some.scale, budget) for budget in budgets]
        some.curves[limits] = np.array([a.cost for a in plans]), np.array([a.profit for a in plans])
    kept = (1 - plan.holdout_share) / some.scale
    cost, profit = some.curves[limits]
    right = _correction(plan)
    return kept * right.cost * cost, kept * right.profit * profit


def as_it_is(plan: CampaignPlan) -> Alternative:
    """Return the plan itself among those that `at_budgets` and `at_holdouts` give, as they are: before the draw.

    What the plan's own draw has come to is a lot's, and compares with no other row.
    """
    return _alternative(plan, plan.terms.budget, plan.holdout_share, _correction(plan))


def at_budgets(plan: CampaignPlan, budgets: Iterable[float]) -> list[Alternative]:
    """Return the plan at other budgets, all else as it is, as expected before the holdout is drawn.

    Customers who are contacted to learn are left out.
    """
    right = _correction(plan)
    return [_alternative(plan, budget, plan.holdout_share, right) for budget in budgets]


def at_holdouts(plan: CampaignPlan, shares: Iterable[float]) -> list[Alternative]:
    """Return the plan with other shares held out, all else as it is, as `at_budgets` does."""
    right = _correction(plan)
    return [_alternative(plan, plan.terms.budget, share, right) for share in shares]


@dataclass(frozen=True)
class _Correction:
    """By what a sample's numbers are multiplied, for those of the plan itself to be the plan's."""

    contacts: float = 1.0
    cost: float = 1.0
    profit: float = 1.0


def _correction(plan: CampaignPlan) -> _Correction:
    """Compare those chosen for profit with those of the sample: a few customers of great value may be missing.

    So no budget looks worse than a smaller one only because its numbers come from a sample and the plan's do not.
    """
    some, part = plan.known.thinned, plan.for_profit
    if some.scale == 1 or part.empty:
        return _Correction()
    found = _totals(plan, limits_of(plan), plan.holdout_share)
    own = (len(part), part["expected_cost"].sum(), part["expected_profit"].sum())
    sampled = [each / some.scale for each in (found.contacts, found.cost, found.profit)]
    return _Correction(*(float(a / b) if b > 0 else 1.0 for a, b in zip(own, sampled, strict=True)))


def _alternative(plan: CampaignPlan, budget: float | None, share: float, right: _Correction) -> Alternative:
    terms = plan.terms.model_copy(update={"budget": budget, "holdout": share, "effect": None})
    found = _totals(plan, terms.for_profit if len(plan.explorers) else terms, share)
    scale = plan.known.thinned.scale
    kept, chosen = (1 - share) / scale, right.contacts * found.contacts / scale
    contacted, held_out = round((1 - share) * chosen), round(share * chosen)
    return Alternative(
        budget,
        share,
        contacted,
        held_out,
        kept * right.cost * found.cost,
        kept * right.profit * found.profit,
        minimum_detectable_effect(contacted, held_out, found.stay_rate, power=terms.power),
    )


def _totals(plan: CampaignPlan, limits: PlanTerms, share: float) -> Totals:
    """Return what the sample's allocation comes to within limits, at a share held out; each is made once."""
    some = plan.known.thinned
    whole = some.scale / (1 - share)
    amount = None if limits.budget is None else limits.budget * whole
    places = _within(plan.offers, limits, whole)
    if (amount, *places) not in some.totals:
        profit, cost = some.prices
        found = allocate(
            profit, cost, budget=amount, max_contacts=places[0], capacities=places[1:], exchange=False
        )
        leavers = some.rows["churn_probability"].to_numpy()[found.choice != NOBODY]
        stay_rate = 1 - float(leavers.mean()) if len(leavers) else 0.0
        some.totals[amount, *places] = Totals(found.contacts, found.cost, found.profit, stay_rate)
    return some.totals[amount, *places]


def allocate_again(
    plan: CampaignPlan,
    money: tuple[Floats, Floats],
    scale: float,
    budget: float | None,
    *,
    enlarge: bool = False,
) -> Allocation:
    """Allocate again at other profits and costs, at the limits before the draw."""
    profit, cost = money
    places = _places(plan, scale)
    amount = budget if budget is None or not enlarge else budget * scale / (1 - plan.holdout_share)
    return allocate(
        profit, cost, budget=amount, max_contacts=places[0], capacities=places[1:], exchange=False
    )


def limits_of(plan: CampaignPlan) -> PlanTerms:
    """Return the limits of the contacts for profit: all there are where the plan has made none to learn."""
    return plan.terms.for_profit if len(plan.explorers) else plan.terms


def _places(plan: CampaignPlan, scale: float) -> list[int | None]:
    """Return the limits of contacts among some customers before the draw: of all, and of each offer."""
    return _within(plan.offers, limits_of(plan), scale / (1 - plan.holdout_share))


def _within(offers: Sequence[Offer], limits: PlanTerms, whole: float) -> list[int | None]:
    most = [limits.max_contacts, *(offer.capacity for offer in offers)]
    return [None if limit is None else math.floor(limit * whole) for limit in most]
