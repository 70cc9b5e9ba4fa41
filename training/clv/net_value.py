"""Net value: what customers' purchases bring, less what keeping them costs, in money.

A purchase brings ``u = (μ − b)·m − c``: margin less bad debt, of the spend per purchase, less the cost per order. An
active week costs g. Both parts follow the customer into the same cases, so that

    value if X = u·X − g·L_X

with X in purchases (`training.clv.value`) and L_X in active weeks (`training.clv.active_weeks`). u and the sum may be
negative: such a customer costs more than they bring.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from training.clv.quadrature import FloatArray
from training.clv.value import Cases, CustomerValues


@dataclass(frozen=True)
class NetValues:
    """Each customer's values in money.

    Parameters
    ----------
    purchases : CustomerValues
    weeks : Cases or None
        Active weeks; None where they cost nothing.
    per_purchase : ndarray of shape (n,), money that a purchase brings
    per_week : float, money that an active week costs
    """

    purchases: CustomerValues
    weeks: Cases | None
    per_purchase: FloatArray
    per_week: float

    @property
    def silent(self) -> FloatArray:
        """Value of a customer who stays silent through the churn window."""
        return self._money(lambda cases: cases.silent)

    @property
    def at_stake(self) -> FloatArray:
        """What an accepted offer saves."""
        return self._money(lambda cases: cases.at_stake)

    @property
    def resumed(self) -> FloatArray:
        """What ``at_stake`` gains from ρ = 0 to ρ = 1."""
        return self._money(lambda cases: cases.resumed)

    def expected(self, churn_probability: FloatArray) -> FloatArray:
        """Return the expected value, given the churn probability."""
        return self._money(lambda cases: cases.expected(churn_probability))

    def _money(self, of: Callable[[Cases], FloatArray]) -> FloatArray:
        brought = self.per_purchase * of(self.purchases)
        return brought if self.weeks is None else brought - self.per_week * of(self.weeks)
