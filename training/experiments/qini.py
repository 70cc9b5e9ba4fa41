"""Qini: how much better than by lot a ranking finds the customers on whom a contact works.

The Qini curve counts, among the first so many of a ranking, the outcomes that the contacted have beyond what
the uncontacted lead one to expect. A ranking by lot climbs it in a straight line. The coefficient is the area
between curve and line, as a share of the area that a ranking knowing every outcome would have.

References
----------
Radcliffe (2007), Using control groups to target on predicted lift. Normalised as scikit-uplift's
``qini_auc_score`` does, with negative effects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.offers.offers import Floats


@dataclass(frozen=True)
class Ranking:
    """The order of a score, ready to be evaluated under many weights of the customers."""

    order: NDArray[np.intp]
    last_of_tie: NDArray[np.intp]

    @classmethod
    def of(cls, score: ArrayLike) -> Ranking:
        """Rank a score, highest first; customers of equal score are taken together."""
        s = np.asarray(score, dtype=np.float64)
        order = np.argsort(-s, kind="stable")
        return cls(order, np.append(np.flatnonzero(np.diff(s[order])), s.size - 1))

    def curve(self, outcome: Floats, treated: Floats, weight: Floats) -> tuple[Floats, Floats]:
        """Return customers taken, and outcomes gained among the contacted of them."""
        w, t = weight[self.order], treated[self.order]
        y = w * outcome[self.order]
        n1, n0, y1, y0 = (
            np.cumsum(each)[self.last_of_tie] for each in (w * t, w * (1 - t), y * t, y * (1 - t))
        )
        gained = y1 - np.divide(y0 * n1, n0, out=np.zeros(n0.size), where=n0 > 0)
        return np.append(0.0, n1 + n0), np.append(0.0, gained)


def qini_curve(outcome: ArrayLike, score: ArrayLike, treated: ArrayLike) -> tuple[Floats, Floats]:
    """Return the Qini curve: customers taken from the top, and outcomes gained among the contacted of them.

    Parameters
    ----------
    outcome : array of shape (n_customers,)
    score : array of shape (n_customers,), the ranking, highest first
    treated : array of shape (n_customers,), 1 for the contacted of a randomised experiment

    Returns
    -------
    taken, gained : ndarrays, from none to all

    Examples
    --------
    >>> taken, gained = qini_curve([1, 0, 0, 0], [0.9, 0.8, 0.2, 0.1], [1, 0, 1, 0])
    >>> gained.tolist()
    [0.0, 1.0, 1.0, 1.0, 1.0]
    """
    y, t = np.asarray(outcome, dtype=np.float64), np.asarray(treated, dtype=np.float64)
    return Ranking.of(score).curve(y, t, np.ones(y.size))


def qini_coefficient(outcome: ArrayLike, score: ArrayLike, treated: ArrayLike) -> float:
    """Return the Qini coefficient: 0 for a ranking by lot, 1 for one that knows every outcome.

    Examples
    --------
    >>> outcome, treated = [1, 1, 0, 0], [1, 0, 1, 0]
    >>> qini_coefficient(outcome, [4, 1, 3, 2], treated)  # as good as can be
    1.0
    """
    y, t = np.asarray(outcome, dtype=np.float64), np.asarray(treated, dtype=np.float64)
    once = np.ones(y.size)
    best = qini_area(perfect_ranking(y, t), y, t, once)
    return qini_area(Ranking.of(score), y, t, once) / best if best else 0.0


def perfect_ranking(outcome: Floats, treated: Floats) -> Ranking:
    """Rank as one who knows the outcomes: contacted with one first, uncontacted with one last."""
    return Ranking.of(outcome * (2 * treated - 1))


def qini_area(ranking: Ranking, outcome: Floats, treated: Floats, weight: Floats) -> float:
    """Return the area between Qini curve and line, of customers who count ``weight`` times each."""
    taken, gained = ranking.curve(outcome, treated, weight)
    return float(np.trapezoid(gained, taken) - taken[-1] * gained[-1] / 2)
