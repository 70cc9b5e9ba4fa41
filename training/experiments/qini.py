"""Qini curve and area of a ranking in a randomised experiment: outcomes gained by contacting its top.

The Qini curve counts, among the first n customers of a ranking, the outcomes of the contacted beyond those that the
uncontacted lead one to expect. The curve of a random ranking is a straight line. The Qini coefficient is the area
between curve and line, divided by that of a ranking by the known outcomes.

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
    """The order of a score, for evaluation under many weights of the customers (a bootstrap)."""

    order: NDArray[np.intp]
    last_of_tie: NDArray[np.intp]

    @classmethod
    def of(cls, score: ArrayLike) -> Ranking:
        """Rank a score, highest first; customers of equal score are taken together."""
        s = np.asarray(score, dtype=np.float64)
        order = np.argsort(-s, kind="stable")
        return cls(order, np.append(np.flatnonzero(np.diff(s[order])), s.size - 1))

    def curve(self, outcome: Floats, treated: Floats, weight: Floats) -> tuple[Floats, Floats]:
        """Return the Qini curve: customers taken from the top, and outcomes gained among the contacted of them.

        Parameters
        ----------
        outcome, treated, weight : ndarrays of shape (n_customers,)
            Treated is 1 for the contacted, else 0; a customer counts ``weight`` times.

        Examples
        --------
        >>> ranking = Ranking.of([0.9, 0.8, 0.2, 0.1])
        >>> outcome, treated = np.array([1.0, 0, 0, 0]), np.array([1.0, 0, 1, 0])
        >>> ranking.curve(outcome, treated, np.ones(4))[1].tolist()
        [0.0, 1.0, 1.0, 1.0, 1.0]
        """
        w, t = weight[self.order], treated[self.order]
        y = w * outcome[self.order]
        n1, n0, y1, y0 = (
            np.cumsum(each)[self.last_of_tie] for each in (w * t, w * (1 - t), y * t, y * (1 - t))
        )
        gained = y1 - np.divide(y0 * n1, n0, out=np.zeros(n0.size), where=n0 > 0)
        return np.append(0.0, n1 + n0), np.append(0.0, gained)


def perfect_ranking(outcome: Floats, treated: Floats) -> Ranking:
    """Return the ranking by known outcomes: contacted with an outcome first, uncontacted with one last."""
    return Ranking.of(outcome * (2 * treated - 1))


def qini_area(ranking: Ranking, outcome: Floats, treated: Floats, weight: Floats) -> float:
    """Return the area between the Qini curve and the line of a random ranking; 0 for a random ranking."""
    taken, gained = ranking.curve(outcome, treated, weight)
    return float(np.trapezoid(gained, taken) - taken[-1] * gained[-1] / 2)
