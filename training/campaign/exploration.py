"""The exploring share of a plan: contacts with customers for whom an offer may pay, though it is not expected to.

A plan that contacts only where it expects a profit never learns that it was too pessimistic. So it contacts a share of
the customers about whom there is doubt: no offer is expected to pay, but one would at the upper end of what is known of
its acceptance. They are drawn by Thompson sampling: each customer's acceptance is drawn from what is known of it, and
of those for whom an offer then pays, the most profitable are taken. As many again are held out: a contact shows
something only beside a customer like it who was left alone, and leaving alone costs nothing where no profit is
expected. As doubt goes, so does exploring; an acceptance rate of 0, as a plain number, leaves none. What exploring is
expected to lose may be more than the plan earns: where a pessimistic prior leaves nobody to contact, it is how that is
found out.

A share of the contacts would not do: a plan that has become too pessimistic contacts hardly anybody, and a share of
hardly anybody never corrects it.

References
----------
Russo et al. (2018), A Tutorial on Thompson Sampling, Foundations and Trends in Machine Learning 11(1).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.campaign.draw import Draw
from training.campaign.selection import choose_and_draw
from training.campaign.settings import PlanTerms
from training.campaign.within_reach import WithinReach
from training.offers.allocation import Allocation
from training.offers.offers import Floats, Offer

_STREAM = 1  # of random numbers, apart from that of the holdout


def add_explorers(drawn: Draw, reach: WithinReach, offers: Sequence[Offer], terms: PlanTerms) -> None:
    """Choose the exploring contacts among the doubtful, whom the plan leaves alone, and their holdout, in place.

    ``terms.explore`` of the customers in doubt, for at most this share of ``terms.budget`` and ``terms.max_contacts``;
    none without a holdout.

    Parameters
    ----------
    drawn : Draw of the customers within reach, with the offers chosen for profit
    """
    if not terms.explores or not reach.doubtful.any():
        return
    rng = np.random.default_rng([terms.seed, _STREAM])
    doubtful = np.flatnonzero(reach.doubtful)
    lots = rng.standard_normal((reach.n_candidates, len(offers)))[reach.places[doubtful]]
    sampled = np.column_stack([doubt.profit(each) for doubt, each in zip(reach.doubts, lots.T, strict=True)])
    best, most = sampled.argmax(axis=1), sampled.max(axis=1)
    places = _places(drawn, offers, terms, math.ceil(terms.explore * len(doubtful)))
    free = np.flatnonzero(most > 0)
    ranked = free[np.argsort(-most[free], kind="stable")]
    chosen = _within(ranked, best, reach.cost[doubtful], terms, places)
    held_out, first_stratum = rng.permutation(chosen)[: len(chosen) // 2], int(drawn.stratum.max()) + 1
    for number in range(len(offers)):
        mine = doubtful[chosen[best[chosen] == number]]
        drawn.give(mine, number)
        drawn.stratum[mine] = first_stratum + number
    drawn.explores[doubtful[chosen]] = True
    drawn.held_out[doubtful[held_out]] = True


def choose_with_explorers(
    reach: WithinReach, offers: Sequence[Offer], terms: PlanTerms, share: float
) -> tuple[Allocation, Draw]:
    """Choose the contacts for profit and those to learn from; without either, the limits are for profit alone.

    Returns
    -------
    As `training.campaign.selection.choose_and_draw`
    """

    def chosen(limits: PlanTerms) -> tuple[Allocation, Draw]:
        allocation, drawn = choose_and_draw(
            reach.customers, reach.profit, reach.cost, offers, limits.for_profit, share
        )
        add_explorers(drawn, reach, offers, limits)
        return allocation, drawn

    found = chosen(terms)
    if not terms.explores or (terms.budget is None and terms.max_contacts is None):
        return found
    contacted = found[1].chosen & ~found[1].held_out
    if len(np.unique(found[1].explores[contacted])) == 2:  # both to earn and to learn
        return found
    alone = chosen(terms.model_copy(update={"explore": 0.0}))
    return alone if alone[1].chosen.any() else found


def _places(drawn: Draw, offers: Sequence[Offer], terms: PlanTerms, wanted: int) -> list[int]:
    """Return how many exploring contacts each offer may have at most; the last is for all together."""
    contacted = np.bincount(drawn.number[drawn.chosen & ~drawn.held_out], minlength=len(offers)).tolist()
    left = [
        wanted if offer.capacity is None else max(offer.capacity - number, 0)
        for offer, number in zip(offers, contacted, strict=True)
    ]
    if terms.max_contacts is not None:
        wanted = min(wanted, terms.max_contacts - sum(contacted))
    return [*left, max(wanted, 0)]


def _within(
    ranked: NDArray[np.intp], best: NDArray[np.intp], costs: Floats, terms: PlanTerms, places: list[int]
) -> NDArray[np.intp]:
    """Take customers from the top, two for each contact, while places and budget last, whichever half is contacted."""
    left = [2 * number for number in places]
    money_of_contacts = math.inf if terms.budget is None else terms.explore * terms.budget
    money = 2 * money_of_contacts
    taken: list[int] = []
    cost_of = costs[ranked, best[ranked]]
    cheapest = np.minimum.accumulate(cost_of[::-1])[::-1]  # of those who are still to come
    whom = zip(ranked.tolist(), best[ranked].tolist(), cost_of.tolist(), cheapest.tolist(), strict=True)
    for place, offer, cost, least in whom:
        if left[-1] < 1 or least > money:
            break
        if left[offer] >= 1 and cost <= money:
            taken.append(place)
            left[offer], left[-1], money = left[offer] - 1, left[-1] - 1, money - cost
    price = costs[taken, best[taken]]

    def at_most(contacts: int) -> float:
        return float(np.sort(price[: 2 * contacts])[contacts:].sum())

    contacts = bisect_right(range(1, len(taken) // 2 + 1), money_of_contacts, key=at_most)
    return np.array(taken[: 2 * contacts], dtype=np.intp)
