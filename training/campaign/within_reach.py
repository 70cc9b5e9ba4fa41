"""Customers whom some limits of a campaign would give an offer, with all that the limits do not change of them.

Most customers of a list are left alone whatever may be spent: they may not be contacted, or no offer pays. What is left
is a small table, which other limits are tried on at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.campaign.acceptance_by_silence import bands_of
from training.campaign.draw import NOT_PAYING
from training.offers.offer_profit import offer_profit
from training.offers.offers import Floats, Offer

FIGURES = (
    *("churn_probability", "value_at_stake", "value_of_resumption", "resumption", "expected_value"),
    *("spend_per_purchase", "silent_days", "expected_profit"),
)
"""Columns of customers that a draw, and what it earns, is worked out from; the others are for its lists."""
UPPER_END = 1.645
"""Standard deviations above the mean: the upper end of the 90% interval."""


@dataclass(frozen=True)
class WithinReach:
    """The candidates for whom an offer is expected to pay, or would at the upper end of what is known of it.

    Parameters
    ----------
    customers : DataFrame of `FIGURES`, in the order of the candidates
    places : ndarray of their places among the candidates, of whom there are ``n_candidates``
    profit, cost : ndarrays of shape (n_customers, n_offers), money
    doubtful : ndarray of bool, those of whom no offer is expected to pay
    doubts : tuple of Doubt, one per offer, about the doubtful alone
    """

    customers: pd.DataFrame
    places: NDArray[np.intp]
    n_candidates: int
    profit: Floats
    cost: Floats
    doubtful: NDArray[np.bool_]
    doubts: tuple[Doubt, ...]

    @classmethod
    def of(
        cls,
        customers: pd.DataFrame,
        candidates: NDArray[np.intp],
        profit: Floats,
        cost: Floats,
        offers: Sequence[Offer],
        dormant_after_days: int,
    ) -> Self:
        """Find them among the candidates, which are places of customers."""
        unpaid = np.flatnonzero((customers["reason"].to_numpy() == NOT_PAYING)[candidates])
        asked = customers.iloc[candidates[unpaid]]
        doubts = [Doubt.of(asked, offer, dormant_after_days) for offer in offers]
        hopeful = np.column_stack([each.profit(np.full(len(asked), UPPER_END)) > 0 for each in doubts])
        some = np.asarray(hopeful.any(axis=1), dtype=bool)
        doubtful = np.zeros(len(candidates), dtype=bool)
        doubtful[unpaid[some]] = True
        places = np.flatnonzero(doubtful | (profit > 0).any(axis=1))
        figures = customers[[name for name in FIGURES if name in customers]]
        return cls(
            figures.take(candidates[places]).reset_index(drop=True),
            places,
            len(candidates),
            profit[places],
            cost[places],
            doubtful[places],
            tuple(each.only(some) for each in doubts),
        )


@dataclass(frozen=True)
class Doubt:
    """What an offer brings with each of some customers at any acceptance rate: profit is linear in it.

    Parameters
    ----------
    none, all_ : ndarrays of shape (n_customers,), money, profit if nobody accepts, and if everybody does; -inf for
        whom the offer is not
    mean, deviation : ndarrays of shape (n_customers,), of the acceptance rate in each one's band of silence
    harmful : ndarray of bool, whom the offer drives away
    """

    none: Floats
    all_: Floats
    mean: Floats
    deviation: Floats
    harmful: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: pd.DataFrame, offer: Offer, dormant_after_days: int) -> Self:
        """Say it of some customers."""
        if offer.acceptance_rate == 0 and not offer.acceptance_by_silence:
            never, no = np.full(len(rows), -np.inf), np.zeros(len(rows))
            return cls(never, never, no, no, no > 0)
        bands = bands_of(offer, dormant_after_days)
        silent = rows["silent_days"].fillna(0.0).to_numpy()
        place = np.searchsorted([band.from_days for band in bands], silent, side="right") - 1
        mean, deviation = (
            np.array([getattr(band, name) for band in bands]) for name in ("mean", "deviation")
        )
        harmful = np.array([band.harmful for band in bands])
        p, value = rows["churn_probability"].to_numpy(), rows["value_at_stake"].to_numpy()
        spend = rows["spend_per_purchase"].to_numpy()
        none, all_ = (offer_profit(p, value, offer.accepting(each), spend) for each in (0.0, 1.0))
        theirs = offer.eligible(rows)
        return cls(
            np.where(theirs, none, -np.inf),
            np.where(theirs, all_, -np.inf),
            mean[place],
            deviation[place],
            harmful[place],
        )

    def only(self, some: NDArray[np.bool_]) -> Self:
        """Return what is said of some of the customers."""
        return type(self)(*(getattr(self, name)[some] for name in self.__dataclass_fields__))

    def profit(self, deviations: Floats) -> Floats:
        """Return each customer's profit at an acceptance so many standard deviations from the mean of their band."""
        rate = np.minimum(self.mean + self.deviation * deviations, 1.0)
        rate[self.harmful] = -1.0  # whom an offer drives away is not contacted
        found = np.full(len(rate), -np.inf)
        theirs = np.isfinite(self.none)
        none, all_ = self.none[theirs], self.all_[theirs]
        found[theirs] = none + rate[theirs] * (all_ - none)
        return found
