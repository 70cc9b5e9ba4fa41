"""The choice of customers within the limits of a campaign, and the random draw of its holdout among them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.language import translatable
from training.campaign.draw import NOT_PAYING, Draw
from training.campaign.holdout import draw_holdout, stratify
from training.campaign.settings import PlanTerms
from training.offers.allocation import NOBODY, Allocation, allocate
from training.offers.offers import Floats, Offer

NOT_FOR_THEM = translatable("no offer is for their tier, stage or segment")
_EXCHANGED = 20_000
"""Paying customers; of more, exchanging a few for one another gains less than a ten-thousandth of the profit."""

_MOST_ROUNDS = 30


def describe_best(
    customers: pd.DataFrame, candidates: np.ndarray[Any, Any], profit: Floats, offers: Sequence[Offer]
) -> None:
    """Add every candidate's best offer and its profit, in place; a reason where no offer is profitable."""
    best = profit.argmax(axis=1)
    gain = profit[np.arange(best.size), best]
    names = np.array([offer.name for offer in offers], dtype=object)
    customers["best_offer"] = ""
    customers["expected_profit"] = np.nan
    some = gain > -np.inf
    customers.loc[customers.index[candidates[some]], "best_offer"] = names[best[some]]
    customers.loc[customers.index[candidates[some]], "expected_profit"] = gain[some]
    customers.loc[customers.index[candidates[gain <= 0]], "reason"] = NOT_PAYING
    customers.loc[customers.index[candidates[~some]], "reason"] = NOT_FOR_THEM


def choose_and_draw(
    customers: pd.DataFrame,
    profit: Floats,
    cost: Floats,
    offers: Sequence[Offer],
    terms: PlanTerms,
    share: float,
) -> tuple[Allocation, Draw]:
    """Allocate at limits enlarged by the holdout, draw it, and keep the contacts within the budget.

    Returns
    -------
    Allocation of the customers with a profitable offer, and the draw of all
    """

    def enlarged(limit: int | None) -> int | None:
        return None if limit is None else math.floor(limit / (1 - share) + 1e-9)

    paying = np.flatnonzero((profit > 0).any(axis=1))
    gain, price = profit[paying], cost[paying]
    budget = None if terms.budget is None else terms.budget / (1 - share)
    for _ in range(_MOST_ROUNDS):
        allocation = allocate(
            gain,
            price,
            budget=budget,
            max_contacts=enlarged(terms.max_contacts),
            capacities=[enlarged(offer.capacity) for offer in offers],
            exchange=len(paying) <= _EXCHANGED,
        )
        taken = allocation.choice != NOBODY
        rows, choice = paying[taken], allocation.choice[taken]
        strata, held_out = _lots(customers, rows, choice, share, terms.seed)
        spent = float(cost[rows, choice][~held_out].sum())
        if budget is None or terms.budget is None or spent <= terms.budget + 1e-9:
            break
        # The customers held out were cheaper than average. Choose fewer and draw again: dropping some after the
        # draw would no longer be random.
        budget *= 0.999 * terms.budget / spent
    drawn = Draw.of(customers, offers)
    for number in range(len(offers)):
        drawn.give(rows[choice == number], number)
    drawn.stratum[rows], drawn.held_out[rows] = strata, held_out
    drawn.crowded_out[paying[~taken]] = True
    return allocation, drawn


def _lots(
    customers: pd.DataFrame,
    rows: NDArray[np.intp],
    choice: NDArray[np.int64],
    share: float,
    seed: int,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Draw the holdout among the chosen customers; return the stratum of each, and who is held out."""
    if not len(rows) or share <= 0:
        return np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=bool)
    value, risk = (customers[name].to_numpy()[rows] for name in ("value_at_stake", "churn_probability"))
    strata = stratify(choice, value, risk, share)
    return strata, draw_holdout(strata, choice, share, seed)
