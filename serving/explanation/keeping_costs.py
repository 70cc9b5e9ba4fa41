"""Costs of keeping one customer, explained: what they bring over the value horizon, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.language import translated
from features.table.columns import Columns
from training.clv.net_value import CustomerTerms, has_own
from training.model.retention_model import RetentionModel


@dataclass(frozen=True)
class KeepingCosts:
    """What a customer brings and costs over the value horizon, discounted: money, expected.

    Parameters
    ----------
    days : int, the value horizon
    expected_gross_value : float, margin before costs
    of_orders, of_active_days, of_bad_debt : float, costs
    expected_value : float, what is left
    text : str
    """

    days: int
    expected_gross_value: float
    of_orders: float
    of_active_days: float
    of_bad_debt: float
    expected_value: float
    text: str


def keeping_costs(model: RetentionModel, features: Columns, score: Mapping[str, Any]) -> KeepingCosts | None:
    """Take a customer's expected value apart.

    Parameters
    ----------
    model : RetentionModel
    features : Columns
        Of the feature table: one row, with the customer's own costs where they are known.
    score : mapping
        The customer's churn_probability, expected_purchases, spend_per_purchase, expected_value and
        expected_gross_value.

    Returns
    -------
    KeepingCosts or None
        None: the version knows no costs.
    """
    terms = model.terms
    if not (terms.has_costs or has_own(features)):
        return None
    own = CustomerTerms.of(terms, features)
    spend, p = np.array([score["spend_per_purchase"]]), np.array([score["churn_probability"]])
    if_active = model.clv.predict(features, terms.horizon_days)["purchases_if_active"]
    more = score["expected_purchases"] / (1.0 - p) - if_active
    values = model.clv.net_values(features, terms, spend, more, model.valuation.later)
    purchases = float(values.purchases.expected(p)[0])
    weeks = 0.0 if values.weeks is None else float(values.weeks.expected(p)[0])
    gross, net, days = score["expected_gross_value"], score["expected_value"], terms.value_horizon_days
    return KeepingCosts(
        days=days,
        expected_gross_value=gross,
        of_orders=_one(own.cost_per_order) * purchases,
        of_active_days=_one(own.cost_per_week) * weeks,
        of_bad_debt=_one(own.bad_debt_rate) * float(spend[0]) * purchases,
        expected_value=net,
        text=translated(
            "costs {cost:,.2f} in {days:day|days} to keep, brings {gross:,.2f}",
            cost=gross - net,
            days=days,
            gross=gross,
        ),
    )


def _one(number: np.ndarray | float) -> float:
    """Return the number of the one customer, their own or everybody's."""
    return float(np.ravel(number)[0])
