"""Later purchases: those between the churn window and the end of the value horizon, as closed value horizons had them.

    later purchases = exp(constant + weight·log m)

m is what the purchase model expects of them, of a customer who stays silent through the churn window or of one who buys
in it. A customer who pays by subscription and is silent once has left, and a patient who comes once a year has not:
BG/NBD can tell neither. How far its word holds a year ahead shows where a year has passed; each case has a line of its
own (`training.churn.later_fit`). By default the purchase model's word stands.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from training.clv.quadrature import FloatArray

LEAST = 1e-6
"""Purchases: fewer are told apart no more."""


@dataclass(frozen=True)
class Line:
    """A line in the logarithm of what the purchase model says.

    Parameters
    ----------
    weight : float, at least 0
    constant : float

    Examples
    --------
    >>> Line(0.5, np.log(2.0)).factor(np.array([4.0, 1.0]))  # 2·√4 = 4, 2·√1 = 2
    array([1., 2.])
    >>> Line().factor(np.array([4.0]))
    array([1.])
    """

    weight: float = 1.0
    constant: float = 0.0

    def factor(self, said: FloatArray) -> FloatArray:
        """Return by how much the line is above what is said, ndarray of shape (n,), above 0."""
        return np.asarray(np.exp(self.constant + (self.weight - 1.0) * np.log(np.maximum(said, LEAST))))


@dataclass(frozen=True)
class LaterPurchases:
    """The lines of customers who are silent in the churn window, and of those who buy in it.

    Parameters
    ----------
    silent, active : Line
    """

    silent: Line = Line()
    active: Line = Line()

    def to_dict(self) -> dict[str, dict[str, float]]:
        """Return the numbers, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, numbers: dict[str, dict[str, float]]) -> LaterPurchases:
        """Read what `to_dict` wrote."""
        return cls(**{case: Line(**line) for case, line in numbers.items()})


AS_TOLD = LaterPurchases()
