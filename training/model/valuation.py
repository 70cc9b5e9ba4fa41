"""Valuation: the money columns of customers, given their churn probabilities."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from features.snapshot import Snapshot
from features.table.columns import Columns
from training.churn.spend import SpendModel
from training.clv.model import CLVModel
from training.clv.net_value import CustomerTerms, NetValues, has_own
from training.clv.uncertainty import (
    interval_factors,
    net_interval,
    value_and_cost_scenarios,
    value_scenarios,
)
from training.clv.value import ValueTerms

SPEND_LIMIT = 3.0
"""Largest factor, up or down, by which a spend model corrects a customer's spend per purchase: for customers long
gone both expectations are near 0, and their ratio must not multiply the value of winning them back."""


@dataclass(frozen=True)
class Valuation:
    """Values of customers, given their churn probabilities: CLV model, terms and spend model.

    Parameters
    ----------
    clv : CLVModel
    terms : ValueTerms
    spend : SpendModel, optional
        Corrects expected spend; without it, Gamma-Gamma's spend per purchase stands.
    """

    clv: CLVModel
    terms: ValueTerms
    spend: SpendModel | None = None

    def money(
        self, described: Columns, churn_probability: np.ndarray, at_level_0: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Value customers, given their churn probabilities.

        ``expected_purchases = (1 − p)·E[purchases in H | active]``, of which BG/NBD's own is the case p = p0.
        With a spend model, the spend per purchase is corrected so that the purchases at level 0 times it give the
        model's expected spend, by at most `SPEND_LIMIT` either way, and moved to the level of the money per purchase;
        every value is computed with it. A level of churn moves purchases, not the money of one.
        Values are net of what the terms say that customers cost, or customers' own columns where the table has them
        (`training.clv.net_value.OWN`); ``expected_gross_value`` is not.

        Parameters
        ----------
        described : Columns
            Of the feature table, and those of `CLVModel.predict`.
        churn_probability : ndarray of shape (n_customers,), in [0, 1]
        at_level_0 : ndarray of shape (n_customers,), in [0, 1], optional
            The churn probability before the level of windows (`ChurnModel.predict_both`); by default the same.

        Returns
        -------
        dict of ndarrays of shape (n_customers,)
            The columns from ``expected_purchases`` to ``value_at_risk``, ``spend_per_purchase``,
            ``value_of_resumption`` and ``expected_gross_value``.
        """
        if_active = self.clv.purchases_if_active(described, self.terms.horizon_days)
        purchases = (1 - churn_probability) * if_active
        at_level_0 = churn_probability if at_level_0 is None else at_level_0
        spend_per_purchase = self._spend_per_purchase(described, (1 - at_level_0) * if_active)
        values = self.clv.net_values(described, self.terms, spend_per_purchase)
        expected_value, at_stake = values.expected(churn_probability), values.at_stake
        low, high = self._interval(described, churn_probability, values, expected_value)
        gross = expected_value
        if self.terms.has_costs or has_own(described):
            own = CustomerTerms.of(self.terms, described)
            gross = own.margin * spend_per_purchase * values.purchases.expected(churn_probability)
        return {
            "expected_purchases": purchases,
            "expected_spend": purchases * spend_per_purchase,
            "expected_value": expected_value,
            "expected_value_low": low,
            "expected_value_high": high,
            "value_if_silent": values.silent,
            "value_at_stake": at_stake,
            "value_at_risk": churn_probability * at_stake,
            "spend_per_purchase": spend_per_purchase,
            "value_of_resumption": values.resumed,
            "expected_gross_value": gross,
        }

    def _interval(
        self, described: Columns, churn_probability: np.ndarray, values: NetValues, expected_value: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the interval of the expected value, money."""
        rows = (self.clv, described, churn_probability, self.terms)
        if not (self.terms.has_costs or has_own(described)):
            low, high = interval_factors(value_scenarios(*rows), level_deviation=self.level_deviation)
            return low * expected_value, high * expected_value
        own = CustomerTerms.of(self.terms, described)
        cost = own.cost_per_order * values.purchases.expected(churn_probability)
        if values.weeks is not None:
            cost = cost + values.per_week * values.weeks.expected(churn_probability)
        scenarios = value_and_cost_scenarios(*rows)
        return net_interval(expected_value, cost, scenarios, level_deviation=self.level_deviation)

    @property
    def level_deviation(self) -> float:
        """Standard deviation of the log of a whole window's spend against its expectation."""
        return self.spend.level_deviation if self.spend else 0.0

    def window_scenarios(
        self, described: Columns, churn_probability: np.ndarray, at_level_0: np.ndarray | None = None
    ) -> np.ndarray:
        """Return each customer's expected spend in the churn window, in the scenarios of `value_scenarios`.

        Returns
        -------
        ndarray of shape (n_customers, 2k), money; rows may be summed
        """
        window = replace(self.terms, value_horizon_days=self.terms.horizon_days, discount_rate=0.0)
        scenarios = value_scenarios(self.clv, described, churn_probability, window)
        plain = described["spend_per_purchase"]
        spend = self.money(described, churn_probability, at_level_0)["spend_per_purchase"]
        corrected = np.divide(spend, plain, out=np.ones_like(plain), where=plain > 0)
        return np.asarray(scenarios * corrected[:, None])

    def _spend_per_purchase(self, described: Columns, purchases: np.ndarray) -> np.ndarray:
        spend_per_purchase = described["spend_per_purchase"]
        if self.spend is None:
            return spend_per_purchase
        spend_per_purchase = spend_per_purchase * np.exp(self.spend.price_level.at(snapshot_of(described)))
        if self.spend.booster is None:
            return np.asarray(spend_per_purchase)
        expected = self.spend.expected_spend(described)
        plain = purchases * described["spend_per_purchase"]
        factor = np.divide(expected, plain, out=np.ones_like(plain), where=plain > 0)
        return np.asarray(spend_per_purchase * np.clip(factor, 1 / SPEND_LIMIT, SPEND_LIMIT))


def snapshot_of(columns: Columns) -> Snapshot:
    """Return the snapshot of a feature table."""
    return Snapshot(columns["snapshot_date"][:1].astype("datetime64[D]")[0].item())
