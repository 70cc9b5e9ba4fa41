"""Profit of an example offer on the test snapshot, by the list of customers it is made to.

Who churned is known there; what an accepted offer saves and how many accept is not: the first is the model's value at
stake, the second an assumption of the offer. So the comparison between lists counts, not the profit itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.language import translatable
from training.offers.offer_profit import offer_profit, realised_profit
from training.offers.offers import Offer

RISKIEST = translatable("riskiest first")


@dataclass(frozen=True)
class ListProfit:
    """Profit of one list; ``share`` is of that of perfect foresight, NaN where that earns nothing."""

    name: str
    contacted: int
    profit: float
    share: float


@dataclass(frozen=True)
class TrialOffer:
    """An offer made to the customers of a closed window, by several rankings.

    Parameters
    ----------
    offer : Offer
    realised : ndarray of shape (n_customers,), money
        Profit of contacting each customer, given who churned.
    rankings : dict of name to ndarray of shape (n_customers,), the model's first
        Expected profit, money; for `RISKIEST` the churn probability.
    """

    offer: Offer
    realised: np.ndarray
    rankings: dict[str, np.ndarray]

    @property
    def expected(self) -> np.ndarray:
        """Profit that the model expects of contacting each customer, ndarray of shape (n_customers,), money."""
        return next(iter(self.rankings.values()))

    @property
    def lists(self) -> list[ListProfit]:
        """The lists that the models make (expected profit above 0), everybody, perfect foresight."""
        chosen = {name: score > 0 for name, score in self.rankings.items() if name != RISKIEST}
        chosen |= {
            translatable("everybody"): np.ones(len(self.realised), bool),
            translatable("perfect foresight"): self.realised > 0,
        }
        best = float(self.realised[self.realised > 0].sum())
        earned = {name: float(self.realised[keep].sum()) for name, keep in chosen.items()}
        return [
            ListProfit(name, int(keep.sum()), earned[name], earned[name] / best if best else float("nan"))
            for name, keep in chosen.items()
        ]


def try_offer(
    offer: Offer,
    churned: np.ndarray,
    probabilities: dict[str, np.ndarray],
    value_at_stake: np.ndarray,
    spend_per_purchase: np.ndarray,
) -> TrialOffer:
    """Make an offer to the customers of a closed window.

    Parameters
    ----------
    offer : Offer
    churned : ndarray of shape (n_customers,), 0 or 1
    probabilities : dict of name to ndarray of shape (n_customers,), in [0, 1], the model's first
    value_at_stake, spend_per_purchase : ndarray of shape (n_customers,), money

    Examples
    --------
    A leaver saved is worth .3·(200 − 10) − 1 = 56, a stayer takes 10 and costs a contact:

    >>> offer = Offer(contact_cost=1, incentive_cost=10, acceptance_rate=0.3)
    >>> known = np.array([1, 0]), {"model": np.array([0.9, 0.1])}, np.full(2, 200.0), np.full(2, 50.0)
    >>> [(made.name, made.contacted, made.profit) for made in try_offer(offer, *known).lists]
    [('model', 1, 56.0), ('everybody', 2, 45.0), ('perfect foresight', 1, 56.0)]
    """
    rankings = {
        name: offer_profit(p, value_at_stake, offer, spend_per_purchase) for name, p in probabilities.items()
    }
    rankings[RISKIEST] = next(iter(probabilities.values()))
    realised = realised_profit(churned, value_at_stake, offer, spend_per_purchase)
    return TrialOffer(offer, realised, rankings)
