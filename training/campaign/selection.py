"""The choice of customers within the limits of a campaign, and the random draw of its holdout among them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from features.language import translatable
from training.campaign.holdout import draw_holdout, stratify
from training.campaign.settings import PlanTerms
from training.offers.allocation import NOBODY, Allocation, allocate
from training.offers.offer_profit import (
    break_even_probability,
    expected_cost,
    greatest_cost,
    offer_profit,
    probability_of_profit,
)
from training.offers.offers import Floats, Offer

CROWDED_OUT = translatable("would pay, but budget or places went to better uses")
NOT_PAYING = translatable("no offer would pay")
NOT_FOR_THEM = translatable("no offer is for their tier, stage or segment")
UNDRAWN = {
    "offer": "",
    "channel": "",
    "held_out": False,
    "stratum": 0,
    "expected_cost": np.nan,
    "greatest_cost": np.nan,
    "incentive_cost": np.nan,
    "break_even_probability": np.nan,
    "probability_of_profit": np.nan,
    "purpose": "",
}
"""What a draw says of customers, as it is of those who are not chosen."""
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
) -> tuple[Allocation, pd.DataFrame]:
    """Allocate at limits enlarged by the holdout, draw it, and keep the contacts within the budget.

    Returns
    -------
    Allocation of the customers with a profitable offer, and the customers with offer, prices and group
    """

    def enlarged(limit: int | None) -> int | None:
        return None if limit is None else math.floor(limit / (1 - share) + 1e-9)

    paying = np.flatnonzero((profit > 0).any(axis=1))
    budget = None if terms.budget is None else terms.budget / (1 - share)
    for _ in range(_MOST_ROUNDS):
        allocation = allocate(
            profit[paying],
            cost[paying],
            budget=budget,
            max_contacts=enlarged(terms.max_contacts),
            capacities=[enlarged(offer.capacity) for offer in offers],
        )
        taken = allocation.choice != NOBODY
        rows = paying[taken]
        drawn = _draw(customers, rows, allocation.choice[taken], offers, terms, share)
        spent = float(drawn.loc[(drawn["offer"] != "") & ~drawn["held_out"], "expected_cost"].sum())
        if budget is None or terms.budget is None or spent <= terms.budget + 1e-9:
            break
        # The customers held out were cheaper than average. Choose fewer and draw again: dropping some after the
        # draw would no longer be random.
        budget *= 0.999 * terms.budget / spent
    drawn.loc[paying[~taken], "reason"] = CROWDED_OUT
    return allocation, drawn


def _draw(
    customers: pd.DataFrame,
    rows: np.ndarray[Any, Any],
    choice: np.ndarray[Any, Any],
    offers: Sequence[Offer],
    terms: PlanTerms,
    share: float,
) -> pd.DataFrame:
    """Return the customers with their offers, prices and groups filled in."""
    drawn = customers.assign(**{name: value for name, value in UNDRAWN.items() if name != "purpose"})
    for number, offer in enumerate(offers):
        fill_in(drawn, rows[choice == number], offer)
    if len(rows) and share > 0:
        part = customers.iloc[rows]
        strata = stratify(choice, part["value_at_stake"], part["churn_probability"], share)
        drawn.loc[rows, "stratum"] = strata
        drawn.loc[rows, "held_out"] = draw_holdout(strata, choice, share, terms.seed)
    return drawn


def fill_in(drawn: pd.DataFrame, rows: np.ndarray[Any, Any], offer: Offer) -> None:
    """Choose an offer for some customers: fill in its name and its prices, in place."""
    drawn.loc[rows, ["offer", "channel"]] = offer.name, offer.channel
    for inside, same in offer.by_silence(drawn["silent_days"].to_numpy()[rows]):
        mine = rows[inside]
        part, m = drawn.iloc[mine], drawn["spend_per_purchase"].to_numpy()[mine]
        p, value = part["churn_probability"].to_numpy(), part["value_at_stake"].to_numpy()
        drawn.loc[mine, "expected_profit"] = offer_profit(p, value, same, m)
        drawn.loc[mine, "expected_cost"] = expected_cost(p, same, m)
        drawn.loc[mine, "greatest_cost"] = greatest_cost(same, m)
        drawn.loc[mine, "incentive_cost"] = same.incentive(m)
        drawn.loc[mine, "break_even_probability"] = break_even_probability(value, same, m)
        drawn.loc[mine, "probability_of_profit"] = probability_of_profit(p, value, same, m)
