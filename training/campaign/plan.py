"""A campaign: from scored customers and offers to a list of whom to contact, and whom to hold out.

Every customer × offer is priced; the best affordable choice is made; then, and only then, lots are drawn
among the chosen. So the holdout is a random part of those who would have been contacted, and nobody takes its
place: a campaign that fills the gap with the next best customers has nothing left to compare with.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from features.errors import StayworthError
from training.campaign.candidates import exclusions, prices, scored_customers
from training.campaign.holdout import draw_holdout, holdout_share_for, minimum_detectable_effect, stratify
from training.campaign.settings import PlanTerms
from training.offers.allocation import NOBODY, Allocation, allocate
from training.offers.offer_profit import (
    break_even_probability,
    expected_cost,
    greatest_cost,
    offer_profit,
    probability_of_profit,
)
from training.offers.offers import BetaPrior, Floats, Offer

_MOST_ROUNDS = 30


@dataclass(frozen=True)
class CampaignPlan:
    """Who is contacted with what, who is held out, and why the others are not.

    Parameters
    ----------
    customers : DataFrame, one row per scored customer, by customer_id; ``offer`` is the name of the chosen
        offer or empty, ``held_out`` and ``stratum`` say how the draw went, ``reason`` why one is not chosen
    allocation : Allocation, of the candidates, before the draw
    """

    customers: pd.DataFrame
    offers: tuple[Offer, ...]
    terms: PlanTerms
    allocation: Allocation
    holdout_share: float
    starts_on: date

    @property
    def chosen(self) -> pd.DataFrame:
        """Contacted and held out, the most profitable first."""
        return self._ranked(self.customers["offer"] != "")

    @property
    def contacted(self) -> pd.DataFrame:
        """Customers to contact now."""
        return self._ranked((self.customers["offer"] != "") & ~self.customers["held_out"])

    @property
    def held_out(self) -> pd.DataFrame:
        """Customers not to be contacted, for the comparison."""
        return self._ranked(self.customers["held_out"])

    @property
    def not_selected(self) -> pd.DataFrame:
        """Everyone else, with the reason."""
        return self._ranked(self.customers["offer"] == "")

    def _ranked(self, rows: pd.Series) -> pd.DataFrame:
        part = self.customers[rows]
        return part.sort_values(
            ["expected_profit", "customer_id"], ascending=[False, True], ignore_index=True
        )

    @property
    def expected_cost(self) -> float:
        """Expected cost of the contacts, money."""
        return float(self.contacted["expected_cost"].sum())

    @property
    def greatest_cost(self) -> float:
        """Cost of the contacts if everyone takes the incentive, money."""
        return float(self.contacted["greatest_cost"].sum())

    @property
    def expected_profit(self) -> float:
        """Expected profit of the contacts, money."""
        return float(self.contacted["expected_profit"].sum())

    @property
    def expected_effect(self) -> float:
        """Share of the contacted whom the offers are expected to keep."""
        part = self.contacted
        acceptance = part["offer"].map({offer.name: offer.acceptance for offer in self.offers})
        return float((part["churn_probability"] * acceptance).mean()) if len(part) else 0.0

    @property
    def stay_rate(self) -> float:
        """Share of the chosen expected to stay without any contact."""
        chosen = self.chosen
        return float(1 - chosen["churn_probability"].mean()) if len(chosen) else 0.0

    @property
    def detectable_effect(self) -> float:
        """Smallest effect on the share who stay that the holdout will show with the plan's power."""
        sizes = (len(self.contacted), len(self.held_out))
        return minimum_detectable_effect(*sizes, self.stay_rate, power=self.terms.power)

    def profit_interval(self, confidence: float = 0.9) -> tuple[float, float]:
        """Return where the profit of the contacts will lie, if the scores are right.

        What is not known of the acceptance rates is in it, and the luck of who leaves and who accepts.
        """
        variance = 0.0
        for offer in self.offers:
            part = self.contacted[self.contacted["offer"] == offer.name]
            p, gain = part["churn_probability"].to_numpy(), part["value_at_stake"].to_numpy()
            d = part["incentive_cost"].to_numpy()
            kept, taken = p * offer.acceptance, (1 - p) * offer.redemption_rate
            mean = kept * (gain - d) - taken * d
            variance += float((kept * (gain - d) ** 2 + taken * d**2 - mean**2).sum())
            if isinstance(prior := offer.acceptance_rate, BetaPrior):
                spread = stats.beta.var(prior.alpha, prior.beta)
                variance += float(spread * (p * (gain - d)).sum() ** 2)
        half = float(stats.norm.ppf((1 + confidence) / 2)) * math.sqrt(variance)
        return self.expected_profit - half, self.expected_profit + half


def plan(
    scores: pd.DataFrame,
    offers: Sequence[Offer],
    terms: PlanTerms | None = None,
    *,
    suppress: Collection[str] = (),
    contacts: pd.DataFrame | None = None,
) -> CampaignPlan:
    """Choose whom to contact with which offer, and draw the holdout.

    Parameters
    ----------
    scores : DataFrame, a scored list (customer_id, snapshot_date, churn_probability, value_at_stake, …)
    offers : sequence of Offer
    terms : PlanTerms, budget, limits, holdout, seed
    suppress : customer ids never to be contacted
    contacts : DataFrame with customer_id and contacted_on, past contacts, for ``terms.cooldown_days``

    Returns
    -------
    CampaignPlan

    Raises
    ------
    StayworthError
        If a column is missing, customers are listed twice, or the asked effect is out of reach.

    Examples
    --------
    >>> scores = pd.DataFrame(
    ...     {
    ...         "customer_id": ["1", "2"],
    ...         "snapshot_date": ["2024-01-01"] * 2,
    ...         "churn_probability": [0.9, 0.1],
    ...         "value_at_stake": [200.0, 200.0],
    ...     }
    ... )
    >>> voucher = Offer(name="voucher", contact_cost=1, incentive_cost=10, acceptance_rate=0.3)
    >>> plan(scores, [voucher], PlanTerms(holdout=0)).contacted["customer_id"].tolist()
    ['1']
    """
    terms = terms or PlanTerms()
    customers = scored_customers(scores)
    starts_on = terms.starts_on or date.fromisoformat(str(customers["snapshot_date"].iloc[0])[:10])
    customers["reason"] = exclusions(customers, suppress, contacts, terms, starts_on)
    candidates = np.flatnonzero(customers["reason"] == "")
    profit, cost = prices(customers.iloc[candidates], offers)
    _describe_best(customers, candidates, profit, offers)

    share = 0.1 if terms.holdout_share is None else terms.holdout_share
    for _ in range(_MOST_ROUNDS):
        allocation, drawn = _choose_and_draw(customers, candidates, profit, cost, offers, terms, share)
        result = CampaignPlan(drawn, tuple(offers), terms, allocation, share, starts_on)
        if terms.effect is None:
            return result
        needed = _share_for_effect(result, terms.effect)
        if math.isclose(needed, share, abs_tol=0.002):
            return result
        share = needed
    return result


def _share_for_effect(result: CampaignPlan, effect: float) -> float:
    chosen, rate, power = len(result.chosen), result.stay_rate, result.terms.power
    if not chosen:
        return result.holdout_share
    share = holdout_share_for(effect, chosen, rate, power=power)
    if share is None:
        best = minimum_detectable_effect(chosen // 2, chosen // 2, rate, power=power)
        raise StayworthError(
            f"With {chosen:,} customers even a holdout of half can only see effects of {100 * best:.1f} "
            f"points or more, not {100 * effect:.1f}. Use --effect {math.ceil(100 * best) / 100:.2f} or "
            "more, or a larger budget."
        )
    return share


def _describe_best(
    customers: pd.DataFrame, candidates: np.ndarray[Any, Any], profit: Floats, offers: Sequence[Offer]
) -> None:
    """Note every candidate's best offer, in place; who has no profitable one gets the reason."""
    best = profit.argmax(axis=1)
    gain = profit[np.arange(best.size), best]
    names = np.array([offer.name for offer in offers], dtype=object)
    customers["best_offer"] = ""
    customers["expected_profit"] = np.nan
    customers.loc[customers.index[candidates], "best_offer"] = names[best]
    customers.loc[customers.index[candidates], "expected_profit"] = gain
    customers.loc[customers.index[candidates[gain <= 0]], "reason"] = "no offer would pay"


def _choose_and_draw(
    customers: pd.DataFrame,
    candidates: np.ndarray[Any, Any],
    profit: Floats,
    cost: Floats,
    offers: Sequence[Offer],
    terms: PlanTerms,
    share: float,
) -> tuple[Allocation, pd.DataFrame]:
    """Allocate at limits enlarged by the holdout, draw it, and keep the contacts within the budget."""

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
        rows = candidates[paying[taken]]
        drawn = _draw(customers, rows, allocation.choice[taken], offers, terms, share)
        spent = float(drawn.loc[(drawn["offer"] != "") & ~drawn["held_out"], "expected_cost"].sum())
        if budget is None or terms.budget is None or spent <= terms.budget + 1e-9:
            break
        # The lots fell on cheap customers. Choosing fewer keeps the draw a draw; dropping some after it would not.
        budget *= 0.999 * terms.budget / spent
    left = candidates[paying[~taken]]
    drawn.loc[drawn.index[left], "reason"] = "would pay, but budget or places went to better uses"
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
    drawn = customers.assign(offer="", channel="", held_out=False, stratum=0)
    for name in (
        "expected_cost",
        "greatest_cost",
        "incentive_cost",
        "break_even_probability",
        "probability_of_profit",
    ):
        drawn[name] = np.nan
    spend = customers["spend_per_purchase"].to_numpy()
    for number, offer in enumerate(offers):
        mine = rows[choice == number]
        part, m = customers.iloc[mine], spend[mine]
        p, value = part["churn_probability"].to_numpy(), part["value_at_stake"].to_numpy()
        drawn.loc[mine, ["offer", "channel"]] = offer.name, offer.channel
        drawn.loc[mine, "expected_profit"] = offer_profit(p, value, offer, m)
        drawn.loc[mine, "expected_cost"] = expected_cost(p, offer, m)
        drawn.loc[mine, "greatest_cost"] = greatest_cost(offer, m)
        drawn.loc[mine, "incentive_cost"] = offer.incentive(m)
        drawn.loc[mine, "break_even_probability"] = break_even_probability(value, offer, m)
        drawn.loc[mine, "probability_of_profit"] = probability_of_profit(p, value, offer, m)
    if len(rows) and share > 0:
        part = customers.iloc[rows]
        strata = stratify(choice, part["value_at_stake"], part["churn_probability"], share)
        drawn.loc[rows, "stratum"] = strata
        drawn.loc[rows, "held_out"] = draw_holdout(strata, choice, share, terms.seed)
    return drawn
