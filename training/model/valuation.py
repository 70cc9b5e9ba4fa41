"""Valuation: the money columns of customers, given their churn probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logit

from features.snapshot import Snapshot
from features.table.columns import Columns
from training.churn.base import AS_SAID, Base
from training.churn.spend import SpendModel
from training.clv.interval import Scenarios, Uncertain, customer_interval
from training.clv.later_purchases import AS_TOLD, LaterPurchases
from training.clv.model import CLVModel
from training.clv.net_value import CustomerTerms, NetValues, has_own
from training.clv.uncertainty import residual_axes, value_and_cost_scenarios, value_scenarios
from training.clv.value import Cases, CustomerValues, ValueTerms


@dataclass(frozen=True)
class Valuation:
    """Values of customers, given their churn probabilities: CLV model, terms and spend model.

    Parameters
    ----------
    clv : CLVModel
    terms : ValueTerms
    spend : SpendModel, optional
        Corrects purchases and spend; without it, the purchase model and Gamma-Gamma stand.
    base : Base
        What the churn model makes of p0: intervals move with it.
    """

    clv: CLVModel
    terms: ValueTerms
    spend: SpendModel | None = None
    base: Base = AS_SAID

    @property
    def without_intervals(self) -> Valuation:
        """The valuation without intervals of expected values, which take longer than all else."""
        return replace(self, clv=replace(self.clv, purchase_axes=(), spend_axes=()))

    def money(
        self, described: Columns, churn_probability: np.ndarray, at_level_0: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Value customers, given their churn probabilities.

        ``expected_purchases = (1 − p)·E[purchases in H | active]``, of which BG/NBD's own is the case p = p0.
        With a spend model, how often the active buy is its frequency (`training.churn.frequency`), in the churn window;
        later purchases are the purchase model's, or what closed value horizons make of its word
        (`training.clv.later_purchases`). Money per purchase is its price (`training.churn.price`), in every value. A
        level of churn moves purchases, not the money of one.
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
        if_active, spend_per_purchase = self._of_buyers(described, churn_probability, at_level_0)
        purchases = (1 - churn_probability) * if_active
        more = if_active - described["purchases_if_active"]
        values = self.clv.net_values(described, self.terms, spend_per_purchase, more, self.later)
        expected_value, at_stake = values.expected(churn_probability), values.at_stake
        low, high = self._interval(described, churn_probability, values, spend_per_purchase)
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

    def in_window(
        self, described: Columns, churn_probability: np.ndarray, at_level_0: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns ``expected_purchases`` and ``spend_per_purchase`` of `money` alone.

        They need no integral over the value horizon; their product is ``expected_spend``.
        """
        if_active, spend_per_purchase = self._of_buyers(described, churn_probability, at_level_0)
        return (1 - churn_probability) * if_active, spend_per_purchase

    def _of_buyers(
        self, described: Columns, churn_probability: np.ndarray, at_level_0: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the purchases expected in the churn window of who makes one, and the spend per purchase."""
        level = _log_odds(churn_probability) - _log_odds(at_level_0) if at_level_0 is not None else 0.0
        spend = self.spend or SpendModel()
        price = spend.price.per_purchase(described, snapshot_of(described))
        return spend.frequency.if_active(described, level), price

    def _interval(
        self,
        described: Columns,
        churn_probability: np.ndarray,
        values: NetValues,
        spend_per_purchase: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the interval of the expected value, money."""
        expected_value, purchases = values.expected(churn_probability), values.purchases
        residuals = self._residual_axes(described, churn_probability, purchases, spend_per_purchase)
        rows = (self.clv, described, churn_probability, self.terms, purchases, self.base.weight)
        own = CustomerTerms.of(self.terms, described)
        per_purchase = values.per_purchase + own.cost_per_order

        def brought(scenarios: Scenarios) -> Uncertain:
            number = purchases.expected(churn_probability), purchases.ceiling
            amount, ceiling = (per_purchase * each for each in number)
            return Uncertain(amount, ceiling, scenarios.beside(residuals), self.level_deviation)

        if not (self.terms.has_costs or has_own(described)):
            return customer_interval(expected_value, brought(value_scenarios(*rows)))

        def cost_of(money: Callable[[Cases], np.ndarray]) -> np.ndarray:
            cost = np.asarray(own.cost_per_order * money(purchases))
            return cost if values.weeks is None else cost + values.per_week * money(values.weeks)

        cost = cost_of(lambda cases: cases.expected(churn_probability))
        most = cost_of(lambda cases: cases.ceiling)
        of_churn = cost_of(lambda cases: cases.expected(self.base.probability(purchases.p0)))
        number, ceiling = purchases.expected(churn_probability), purchases.ceiling
        unlearnt = [
            (cost - own.cost_per_order * (number - other), most - own.cost_per_order * (ceiling - above))
            for other, above in _without(purchases, churn_probability)
        ]
        by_scenario, costs = value_and_cost_scenarios(*rows)
        unmoved = residual_axes(cost, most, [(of_churn, most), *unlearnt], np.zeros_like(cost))
        return customer_interval(
            expected_value, brought(by_scenario), Uncertain(cost, most, costs.beside(unmoved))
        )

    def _residual_axes(
        self,
        described: Columns,
        churn_probability: np.ndarray,
        purchases: CustomerValues,
        spend_per_purchase: np.ndarray,
    ) -> Scenarios:
        """Return the scenarios along what is learnt of churn, frequency, later purchases and price in the value."""
        plain = described["spend_per_purchase"]
        number, most = purchases.expected(churn_probability), purchases.ceiling
        of_churn = purchases.expected(self.base.probability(purchases.p0))
        without = [(of_churn, most), *_without(purchases, churn_probability)]
        level = self.spend.price.level.at(snapshot_of(described)) if self.spend else 0.0
        of_price = _log_ratio(spend_per_purchase, plain * np.exp(level))
        unlearnt = [(other * plain, above * plain) for other, above in without]
        return residual_axes(number * plain, most * plain, unlearnt, of_price)

    @property
    def later(self) -> LaterPurchases:
        """What is made of the purchase model's word on purchases after the churn window."""
        return self.spend.later if self.spend else AS_TOLD

    @property
    def level_deviation(self) -> float:
        """Standard deviation of the log of a whole window's spend against its expectation."""
        return self.spend.level_deviation if self.spend else 0.0

    def window_scenarios(
        self, described: Columns, churn_probability: np.ndarray, at_level_0: np.ndarray | None = None
    ) -> np.ndarray:
        """Return each customer's expected spend in the churn window, in the scenarios of `gross_scenarios`."""
        window = replace(
            self.terms, value_horizon_days=self.terms.horizon_days, discount_rate=0.0, margin=1.0
        )
        return replace(self, terms=window).gross_scenarios(described, churn_probability, at_level_0)

    def gross_scenarios(
        self, described: Columns, churn_probability: np.ndarray, at_level_0: np.ndarray | None = None
    ) -> np.ndarray:
        """Return each customer's expected value before costs, in the scenarios of parameters and residuals.

        Returns
        -------
        ndarray of shape (n_customers, 2k), money; rows may be summed
        """
        if_active, spend = self._of_buyers(described, churn_probability, at_level_0)
        more = if_active - described["purchases_if_active"]
        purchases = self.clv.values(described, self.terms, more, self.later)
        plain = described["spend_per_purchase"]
        weight = self.base.weight
        scenarios = value_scenarios(self.clv, described, churn_probability, self.terms, purchases, weight)
        residuals = self._residual_axes(described, churn_probability, purchases, spend)
        corrected = np.divide(spend, plain, out=np.ones_like(plain), where=plain > 0)
        return np.asarray(scenarios.beside(residuals).amounts * (self.terms.margin * corrected)[:, None])


def _without(purchases: CustomerValues, churn_probability: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return what is expected, and its ceiling, without what is learnt of frequency and of later purchases."""
    return [
        (cases.expected(churn_probability), cases.ceiling)
        for cases in (purchases.without_frequency, purchases.without_later)
    ]


def _log_odds(probability: np.ndarray) -> np.ndarray:
    return np.asarray(logit(np.clip(probability, 1e-9, 1 - 1e-9)))


def _log_ratio(value: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return ln(value/other); 0 where either is 0, such as the spend of who never spent anything."""
    both = (value > 0) & (other > 0)
    ratio = np.divide(value, other, out=np.ones_like(value), where=both)
    return np.asarray(np.log(ratio, out=np.zeros_like(value), where=both))


def snapshot_of(columns: Columns) -> Snapshot:
    """Return the snapshot of a feature table."""
    return Snapshot(columns["snapshot_date"][:1].astype("datetime64[D]")[0].item())
