"""Targeting policies of a backtest: simple rules, the model's plan by expected profit, and perfect foresight.

A policy uses what was known at a snapshot and returns each customer's probability of being contacted: 0 or 1, and
a fraction where customers are chosen at random. A rule that only ranks customers contacts as many as the model's
plan does, so that the lists differ in their customers and not in their length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.language import translatable
from features.snapshot import ChurnWindow, Snapshot
from training.offers.offer_profit import offer_profit, realised_profit
from training.offers.offers import Floats, Offer

NOBODY, EVERYBODY, RANDOM = translatable("nobody"), translatable("everybody"), translatable("random")
SILENCE, VALUE = translatable("longest silent"), translatable("highest value")
RISK = translatable("highest risk")
BGNBD, CHAMPION, FORESIGHT = "BG/NBD", "stayworth", translatable("perfect foresight")
SIMPLER = [NOBODY, EVERYBODY, RANDOM, SILENCE, VALUE, RISK, BGNBD]
POLICIES = (*SIMPLER, CHAMPION, FORESIGHT)
RANKINGS = (SILENCE, VALUE, RISK, BGNBD, CHAMPION)


@dataclass(frozen=True)
class Prospects:
    """The customers of a snapshot: what was known of each, and whether they churned.

    Parameters
    ----------
    window : ChurnWindow, from the snapshot on
    customer_id : ndarray of shape (n_customers,)
    churn_probability : ndarray of shape (n_customers,), in [0, 1], the champion's
    p0 : ndarray of shape (n_customers,), in [0, 1], BG/NBD's
    days_silent : ndarray of shape (n_customers,), days since the last purchase
    value_at_stake : ndarray of shape (n_customers,), money, the same for every policy and for the account
    spend_per_purchase : ndarray of shape (n_customers,), money
    churned : ndarray of shape (n_customers,), 0 or 1, seen by the account and by perfect foresight alone
    """

    window: ChurnWindow
    customer_id: NDArray[np.object_]
    churn_probability: Floats
    p0: Floats
    days_silent: Floats
    value_at_stake: Floats
    spend_per_purchase: Floats
    churned: Floats

    @property
    def snapshot(self) -> Snapshot:
        """The date at which the policies choose."""
        return self.window.snapshot

    def expected_profit(self, probability: Floats, offer: Offer) -> Floats:
        """Return the expected profit of contacting each customer, for the given churn probabilities, money."""
        return offer_profit(probability, self.value_at_stake, offer, self.spend_per_purchase)

    def realised_profit(self, offer: Offer) -> Floats:
        """Return the profit of contacting each customer, given who churned, money."""
        return realised_profit(self.churned, self.value_at_stake, offer, self.spend_per_purchase)

    def rankings(self, offer: Offer) -> dict[str, Floats]:
        """Return the score by which each policy of `RANKINGS` ranks customers, the highest first."""
        return {
            SILENCE: self.days_silent,
            VALUE: self.value_at_stake,
            RISK: self.churn_probability,
            BGNBD: self.expected_profit(self.p0, offer),
            CHAMPION: self.expected_profit(self.churn_probability, offer),
        }


def contacts(prospects: Prospects, offer: Offer) -> dict[str, Floats]:
    """Return the probability with which each policy contacts each customer.

    Parameters
    ----------
    prospects : Prospects
    offer : Offer, its capacity ignored

    Returns
    -------
    dict of the policies in `POLICIES` to ndarrays of shape (n_customers,), in [0, 1]
    """
    n = len(prospects.churned)
    scores = prospects.rankings(offer)
    plan, bgnbd = (np.where(scores[name] > 0, 1.0, 0.0) for name in (CHAMPION, BGNBD))
    size = int(plan.sum())
    return {
        NOBODY: np.zeros(n),
        EVERYBODY: np.ones(n),
        RANDOM: np.full(n, size / n),
        SILENCE: top(scores[SILENCE], size),
        VALUE: top(scores[VALUE], size),
        RISK: top(scores[RISK], size),
        BGNBD: bgnbd,
        CHAMPION: plan,
        FORESIGHT: np.where(prospects.realised_profit(offer) > 0, 1.0, 0.0),
    }


def top(score: Floats, size: int) -> Floats:
    """Return the probability of being among the ``size`` highest scores, if ties are broken at random.

    Returns
    -------
    ndarray of the shape of ``score``, in [0, 1]; its sum is ``size``, or the number of scores if that is less

    Examples
    --------
    >>> top(np.array([5.0, 1.0, 3.0, 3.0]), 2)
    array([1. , 0. , 0.5, 0.5])
    """
    if size <= 0 or size >= score.size:
        return np.full(score.size, float(size > 0))
    last = np.partition(score, score.size - size)[score.size - size]
    above, tied = score > last, score == last
    return np.where(above, 1.0, np.where(tied, (size - above.sum()) / tied.sum(), 0.0))
