"""Intervals that hold for several policies together: max-t over the same bootstrap draws.

References
----------
Westfall, Young (1993), Resampling-Based Multiple Testing, ch. 2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from training.offers.offers import Floats

CONFIDENCE = 0.9
BOOTSTRAPS = 240
ONE_SIDED = (1 + CONFIDENCE) / 2


def standardised(draws: Floats, error: Floats) -> Floats:
    """Return centred bootstrap draws in standard errors; 0 where there is no error."""
    return np.divide(draws, error, out=np.zeros_like(draws), where=error > 0)


def greatest(errors: Floats, confidence: float) -> float:
    """Return what the greatest of all policies' errors stays below with this probability.

    Parameters
    ----------
    errors : ndarray of shape (n_draws, n_policies), in standard errors
    confidence : float in (0, 1)
    """
    return float(np.quantile(errors.max(axis=1), confidence))


def behind_the_best(estimates: Floats, draws: Floats) -> tuple[Floats, Floats]:
    """Return by how much each policy is behind the best one, and the lower ends of that.

    Parameters
    ----------
    estimates : ndarray of shape (n_policies,)
    draws : ndarray of shape (n_draws, n_policies)

    Returns
    -------
    tuple of two ndarrays of shape (n_policies,)
        Where the lower end is not above 0, chance cannot tell the policy from the best one.
    """
    best = int(estimates.argmax())
    behind, drawn = estimates[best] - estimates, draws[:, [best]] - draws
    error = drawn.std(axis=0, ddof=1)
    return behind, behind - greatest(standardised(drawn - behind, error), ONE_SIDED) * error


class Comparison(ABC):
    """Base of results of policies, dataclasses: what each policy gave, the winner, and what is level with it."""

    standings: Sequence[Any]
    winner: str | None
    level: Sequence[str]

    @abstractmethod
    def _best(self) -> str:
        """Return a sentence on the best policy, whether it has won or not."""

    def verdict(self) -> str:
        """Return a sentence on the winner."""
        if self.winner is None or not self.level:
            return self._best()
        names = " or ".join(self.level)
        return f"{self._best()} Chance can't tell {names} from it: the simplest of them is enough."

    def to_dict(self) -> dict[str, Any]:
        """Return the standings as a list of rows, the winner, what is level with it, and the verdict."""
        return {
            "policies": [asdict(each) for each in self.standings],
            "winner": self.winner,
            "level_with_winner": self.level,
            "verdict": self.verdict(),
        }
