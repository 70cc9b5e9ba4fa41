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

import numpy as np

from features.table.columns import Columns
from training.clv.operational_time import DAYS_PER_WEEK
from training.clv.quadrature import FloatArray
from training.clv.value import Cases, CustomerValues, ValueTerms

OWN = {name: f"own_{name}" for name in ("cost_per_order", "cost_per_day", "bad_debt_rate", "margin")}
"""Terms that customers may have of their own, and the columns of a feature table that hold them."""


@dataclass(frozen=True)
class CustomerTerms:
    """What purchases of customers bring and what customers cost: their own numbers, or the terms' for all.

    Parameters
    ----------
    margin, bad_debt_rate : float or ndarray of shape (n,), per unit of spend
    cost_per_order, cost_per_day : float or ndarray of shape (n,), money
    """

    margin: FloatArray | float
    cost_per_order: FloatArray | float
    cost_per_day: FloatArray | float
    bad_debt_rate: FloatArray | float

    @classmethod
    def of(cls, terms: ValueTerms, columns: Columns) -> CustomerTerms:
        """Return the customers' own terms where a feature table has them, the terms' elsewhere."""
        return cls(
            **{
                name: np.ascontiguousarray(columns[column], dtype=np.float64)
                if column in columns
                else getattr(terms, name)
                for name, column in OWN.items()
            }
        )

    @property
    def cost_per_week(self) -> FloatArray | float:
        """g, the cost of an active week, money."""
        return DAYS_PER_WEEK * self.cost_per_day

    def per_purchase(self, spend_per_purchase: FloatArray) -> FloatArray:
        """Return u, what a purchase brings: ``(μ − b)·m − c``, money; negative where it costs more.

        Examples
        --------
        >>> terms = ValueTerms(margin=0.3, bad_debt_rate=0.05, cost_per_order=5.0)
        >>> CustomerTerms.of(terms, {}).per_purchase(np.array([100.0, 10.0]))
        array([20. , -2.5])
        """
        return (self.margin - self.bad_debt_rate) * spend_per_purchase - self.cost_per_order


def has_own(columns: Columns) -> bool:
    """Tell whether a feature table has customers' own terms."""
    return any(column in columns for column in OWN.values())


@dataclass(frozen=True)
class NetValues:
    """Each customer's values in money.

    Parameters
    ----------
    purchases : CustomerValues
    weeks : Cases or None
        Active weeks; None where they cost nothing.
    per_purchase : ndarray of shape (n,), money that a purchase brings
    per_week : float or ndarray of shape (n,), money that an active week costs
    """

    purchases: CustomerValues
    weeks: Cases | None
    per_purchase: FloatArray
    per_week: FloatArray | float

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
