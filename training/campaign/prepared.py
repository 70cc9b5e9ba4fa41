"""What of a campaign's plan its budget and holdout do not change: who may be contacted, and the price of each offer.

Made once, it is chosen from as often as somebody tries other limits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import StayworthError
from features.language import translated
from training.campaign.candidates import (
    dormancy,
    prices,
    scored_customers,
    stated_by_scores,
    stated_costs,
    stated_margin,
)
from training.campaign.exclusions import LOSS_MAKER, LeftAlone, dormant_reason, exclusions
from training.campaign.resumption import at_resumption, stated_resumption
from training.campaign.running import RunningCampaign
from training.campaign.selection import describe_best
from training.campaign.settings import PlanTerms, require_whole_window
from training.campaign.thinned import Thinned
from training.campaign.within_reach import WithinReach
from training.offers.offers import Floats, Offer


@dataclass(frozen=True)
class Prepared:
    """Customers with the profit and cost of each offer to each: all of a plan that budget and holdout do not change.

    Made by `prepare`.
    """

    customers: pd.DataFrame
    candidates: NDArray[np.intp]
    profit: Floats
    cost: Floats
    offers: tuple[Offer, ...]
    starts_on: date
    horizon_days: int
    margin: float
    dormant_after_days: int
    running: tuple[RunningCampaign, ...]
    costs: dict[str, float]

    @cached_property
    def snapshot_date(self) -> date:
        """Date of the scores."""
        return snapshot_of(self.customers)

    @cached_property
    def resumption(self) -> float | None:
        """Resumption that the values assume; None for a list that does not state it."""
        return stated_resumption(self.customers)

    @cached_property
    def reach(self) -> WithinReach:
        """The candidates whom some limits would give an offer."""
        money = (self.profit, self.cost)
        return WithinReach.of(self.customers, self.candidates, *money, self.offers, self.dormant_after_days)

    @cached_property
    def beyond_reach(self) -> pd.Series:
        """How many of the others are left alone for each reason."""
        alone = np.ones(len(self.customers), dtype=bool)
        alone[self.candidates[self.reach.places]] = False
        return self.customers.loc[alone, "reason"].value_counts()

    @cached_property
    def loss_makers(self) -> tuple[int, float]:
        """How many are left alone because they cost more than they bring, and their value, money."""
        theirs = self.customers.loc[self.customers["reason"] == LOSS_MAKER, "expected_value"]
        return len(theirs), float(theirs.sum())

    @cached_property
    def thinned(self) -> Thinned:
        """Some of the candidates whom an offer is for."""
        return Thinned.of(self.customers, self._is_for_some, self.offers)

    @cached_property
    def dormant(self) -> int:
        """How many are left alone because they are dormant."""
        return int(self._is_dormant.sum())

    @cached_property
    def thinned_with_dormant(self) -> Thinned:
        """Some of these and of the dormant who are left alone."""
        return Thinned.of(self.customers, self._is_for_some | self._is_dormant, self.offers)

    @property
    def _is_for_some(self) -> pd.Series:
        return self.customers["best_offer"] != ""

    @property
    def _is_dormant(self) -> pd.Series:
        return self.customers["reason"] == dormant_reason(self.dormant_after_days)


def prepare(
    scores: pd.DataFrame,
    offers: Sequence[Offer],
    terms: PlanTerms | None = None,
    *,
    horizon_days: int | None = None,
    margin: float | None = None,
    suppress: Collection[str] = (),
    contacts: pd.DataFrame | None = None,
    running: Sequence[RunningCampaign] = (),
    costs: Mapping[str, float] | None = None,
) -> Prepared:
    """Find the customers who may be contacted, and price every offer to each.

    Parameters and errors are those of `training.campaign.plan.plan`.
    """
    terms = terms or PlanTerms()
    customers = scored_customers(scores)
    scored_on = snapshot_of(customers)
    starts_on = terms.starts_on or scored_on
    horizon = int(stated_by_scores(customers, "horizon_days", horizon_days))
    rate = stated_margin(customers, margin)
    known_costs = stated_costs(customers, costs)
    if terms.resumption is not None:
        customers = at_resumption(customers, terms.resumption)
    require_whole_window(terms.hold_days, horizon)
    silence = dormancy(customers, horizon)
    closes_on = starts_on + timedelta(days=horizon)
    still = tuple(found for each in running if (found := each.during(starts_on, closes_on)))
    others = LeftAlone(suppress, contacts, still)
    customers["reason"] = exclusions(customers, others, terms, starts_on, silence)
    candidates = np.flatnonzero(customers["reason"] == "")
    profit, cost = prices(customers.iloc[candidates], offers)
    describe_best(customers, candidates, profit, offers)
    return Prepared(
        customers,
        candidates,
        profit,
        cost,
        tuple(offers),
        starts_on,
        horizon,
        rate,
        silence,
        still,
        known_costs,
    )


def snapshot_of(customers: pd.DataFrame) -> date:
    """Return the one day as of which the list was scored."""
    dates = sorted({str(day)[:10] for day in customers["snapshot_date"].unique()})
    if len(dates) > 1:
        raise StayworthError(
            translated(
                "The scored list is of {n} snapshots, such as {example} and {example_2}: their risks and "
                "values cannot be compared. Give the list of one.",
                n=len(dates),
                example=dates[0],
                example_2=dates[1],
            )
        )
    try:
        return date.fromisoformat(dates[0])
    except ValueError:
        raise StayworthError(
            translated(
                "Column 'snapshot_date' of the scored list holds {example!r}: a spreadsheet may have "
                "changed it. Write it as 2011-01-31, or give the list that 'stayworth score' wrote.",
                example=dates[0],
            )
        ) from None
