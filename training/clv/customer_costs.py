"""Each customer's own costs, margin and bad debt, shrunk to the means of all.

Of the trailing year (`features.economics.trailing`), with the means of all as so many purchases or days more::

    c = (C + 3·c̄) / (purchases + 3)            cost of a purchase, C the costs that come with orders
    g = (G + 90·ḡ) / (active days + 90)        cost of an active day, G those that come with time
    b = (loss + 3·m̄·b̄) / (revenue + 3·m̄)      bad debt per unit of spend
    μ = (margin + 3·m̄·μ̄) / (revenue + 3·m̄)    margin per unit of spend

A purchase is a purchase day, as in the purchase models: c·X is then what X purchases cost. The means live in the terms
of a version, so that whoever is scored without these files, a live request, is scored by them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from features.economics.trailing import TrailingYear
from features.errors import StayworthError
from features.language import translated
from training.clv.net_value import OWN
from training.clv.quadrature import FloatArray
from training.clv.value import ValueTerms

PRIOR_PURCHASES = 3
PRIOR_DAYS = 90


@dataclass(frozen=True)
class OwnCosts:
    """Which terms of value customers have of their own, and how they are shrunk.

    Parameters
    ----------
    names : tuple of str, of `OWN`: cost_per_order, cost_per_day, bad_debt_rate, margin; the means are in the terms
    spend_per_purchase : float, above 0, m̄: mean net revenue per purchase of the trailing year, money
    """

    names: tuple[str, ...]
    spend_per_purchase: float

    @classmethod
    def learnt(
        cls, year: TrailingYear, terms: ValueTerms, *, margin_given: bool
    ) -> tuple[OwnCosts, ValueTerms]:
        """Return what customers have of their own by a trailing year, and the terms with the means of all.

        Parameters
        ----------
        year : TrailingYear
        terms : ValueTerms, without these means
        margin_given : bool, whether the caller says the margin: then it is everybody's

        Raises
        ------
        StayworthError
            If nothing was sold in the year.
        """
        sums = year.customers.sum(numeric_only=True)
        if sums["purchases"] <= 0 or sums["revenue"] <= 0:
            raise StayworthError(
                translated(
                    "In the year before the snapshot nothing was sold: what customers cost cannot be set "
                    "against it. Leave --touchpoints and --receivables out, and state [costs]."
                )
            )
        means: dict[str, Any] = {}
        if "order" in year.per:
            means["cost_per_order"] = float(sums["order_costs"] / sums["purchases"])
        if "period" in year.per:
            means["cost_per_day"] = float(sums["period_costs"] / max(sums["active_days"], 1.0))
        if year.has_losses:
            means["bad_debt_rate"] = float(np.clip(sums["loss"] / sums["revenue"], 0.0, 1.0))
        if year.has_margins and not margin_given and sums["margin"] > 0:
            means["margin"] = float(sums["margin"] / sums["revenue"])
        own = cls(tuple(means), float(sums["revenue"] / sums["purchases"]))
        return own, replace(terms, **means)

    def columns(
        self, year: TrailingYear, terms: ValueTerms, customer_ids: np.ndarray
    ) -> dict[str, FloatArray]:
        """Return the columns of a feature table that hold customers' own terms.

        What the files do not give, though the version has it, is left to the means.

        Parameters
        ----------
        year : TrailingYear
        terms : ValueTerms, with the means
        customer_ids : ndarray of shape (n_customers,), all with a purchase before the snapshot

        Returns
        -------
        dict of ndarrays of shape (n_customers,)
        """
        found = year.customers.set_index("customer_id").reindex(pd.Index(customer_ids))
        spend = PRIOR_PURCHASES * self.spend_per_purchase
        revenue = found["revenue"].clip(lower=0) + spend
        shrunk = {
            "cost_per_order": (found["order_costs"] + PRIOR_PURCHASES * terms.cost_per_order)
            / (found["purchases"] + PRIOR_PURCHASES),
            "cost_per_day": (found["period_costs"] + PRIOR_DAYS * terms.cost_per_day)
            / (found["active_days"] + PRIOR_DAYS),
            "bad_debt_rate": ((found["loss"] + spend * terms.bad_debt_rate) / revenue).clip(0, 1),
            "margin": (found["margin"] + spend * terms.margin).fillna(spend * terms.margin) / revenue,
        }
        return {OWN[name]: shrunk[name].to_numpy(np.float64) for name in self.given(year)}

    def given(self, year: TrailingYear) -> tuple[str, ...]:
        """Return which of the names a trailing year gives."""
        known = {
            "cost_per_order": "order" in year.per,
            "cost_per_day": "period" in year.per,
            "bad_debt_rate": year.has_losses,
            "margin": year.has_margins,
        }
        return tuple(name for name in self.names if known[name])

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self) | {"names": list(self.names)}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> OwnCosts:
        """Read what `to_dict` wrote."""
        return cls(tuple(record["names"]), float(record["spend_per_purchase"]))
