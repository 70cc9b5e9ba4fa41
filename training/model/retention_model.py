"""What one registered version holds, and how it turns a feature table into scores.

Churn model, calibrator, season, spend and CLV parameters, value terms, tier cut-offs and the card of the
training run are one thing, saved and loaded together: a folder of ``model.json``, two LightGBM texts and the
scores of made-up customers (``example.json``), without pickle and without customers' data. Whatever depends on
the population was decided at training and is stored, so a customer's score is the same in a list of a million
and in a request of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from features.log.clock import require_known_orders
from features.log.loading import LogSource, load_log
from features.snapshot import Snapshot
from features.table.columns import Columns, as_columns, rows_of
from features.table.history import PurchaseHistory
from training.churn.model import ChurnModel
from training.churn.spend import SpendModel
from training.clv.model import CLVModel, histories
from training.clv.uncertainty import interval_factors, value_scenarios
from training.clv.value import ValueTerms
from training.model.reasons import load_wording, topic_sums, word_reasons
from training.model.score_schema import MODEL_COLUMNS, TIERS

TIER_SHARES = (0.2, 0.3)
"""Shares of the customers in the upper tiers; the rest is the last."""

SPEND_LIMIT = 3.0
"""A spend model may move a customer's spend per purchase by this factor, no more: the long gone spend next to
nothing by any model, and a ratio of two nothings must not multiply what they would be worth if they came back."""

_FOREVER_DAYS = 3650
_BLOCK_ROWS = 16_384


@dataclass(frozen=True)
class RetentionModel:
    """A churn model and a CLV model that were trained together.

    Parameters
    ----------
    churn : ChurnModel
    clv : CLVModel
    terms : ValueTerms
    tier_cuts : tuple of float, money, descending
        Lowest expected value of each tier but the last.
    card : dict
        Of the training run: when, on what, how good. JSON-safe.
    spend : SpendModel, optional
        Corrects expected spend; without it, Gamma-Gamma's spend per purchase stands.
    """

    churn: ChurnModel
    clv: CLVModel
    terms: ValueTerms
    tier_cuts: tuple[float, ...]
    card: dict[str, Any]
    spend: SpendModel | None = None

    def predict(
        self, log: LogSource, snapshot_date: str | date | None = None, **log_options: Any
    ) -> pd.DataFrame:
        """Score every customer of a log of orders.

        Parameters
        ----------
        log : TransactionLog, pandas.DataFrame, pyarrow.Table, path or URI
        snapshot_date : str or datetime.date
            Only the orders before it are used. By default the day after the last order.
        **log_options
            As in `features.load_log`.

        Returns
        -------
        DataFrame of shape (n_customers, 21)
            `MODEL_COLUMNS`, highest ``value_at_risk`` first, then by customer_id: the numbers that
            ``stayworth score`` writes. Customers without a purchase before the snapshot are left out.
        """
        orders = load_log(log, **log_options)
        snapshot = Snapshot.after(orders.last_day) if snapshot_date is None else Snapshot.on(snapshot_date)
        require_known_orders(snapshot)
        with PurchaseHistory(orders) as history:
            scores = self.score(history.features(snapshot))
        return scores.sort_values("value_at_risk", ascending=False, kind="stable", ignore_index=True)

    def score(self, table: pd.DataFrame) -> pd.DataFrame:
        """Score every customer of a feature table.

        Parameters
        ----------
        table : DataFrame of shape (n_customers, 2 + n_features)
            Of one snapshot, as `PurchaseHistory.features` gives it.

        Returns
        -------
        DataFrame of shape (n_customers, 21)
            `MODEL_COLUMNS`, as `training.model.score_schema` defines them, in the table's order; dates and
            integers are objects, None where null.
        """
        if table.empty:
            return pd.DataFrame(columns=list(MODEL_COLUMNS))
        return pd.DataFrame(self.score_columns(as_columns(table)))

    def score_columns(self, columns: Columns) -> dict[str, np.ndarray]:
        """Score the customers of a feature table that is given by its columns, at least one customer.

        Returns
        -------
        dict of ndarrays of shape (n_customers,), as the DataFrame of `score`
        """
        snapshot, n_customers = _snapshot_of(columns), len(columns["customer_id"])
        described = {**columns, **self.clv.predict(columns, self.terms.horizon_days)}
        probability = self.churn.predict(described, snapshot)
        money = self.money(described, probability)
        wording = load_wording()
        sums = [topic_sums(self.churn.contributions(rows), wording) for rows in _blocks(described)]
        scores = {
            "customer_id": columns["customer_id"],
            "snapshot_date": np.full(n_customers, snapshot.date, dtype=object),
            "churn_probability": probability,
            "p_alive": described["p_alive"],
            **money,
            "value_tier": self._tiers(money["expected_value"]),
            "next_purchase_date": self._next_purchase(columns, 0.5),
            "next_purchase_low": self._next_purchase(columns, 0.1),
            "next_purchase_high": self._next_purchase(columns, 0.9),
            "reasons": word_reasons(np.concatenate(sums), described, wording),
            "last_purchase_date": _last_purchase(columns),
            "horizon_days": np.full(n_customers, self.terms.horizon_days),
            "margin": np.full(n_customers, self.terms.margin),
        }
        return {name: scores[name] for name in MODEL_COLUMNS}

    def money(self, described: Columns, churn_probability: np.ndarray) -> dict[str, np.ndarray]:
        """Value customers, given their churn probabilities.

        ``expected_purchases = (1 − p)·E[purchases in H | active]``, of which BG/NBD's own is the case p = p0.
        Where a spend model is deployed, the spend per purchase is corrected so that purchases times it give the
        model's expected spend, by no more than `SPEND_LIMIT` either way; every value column follows.

        Parameters
        ----------
        described : Columns
            Of the feature table, and those of `CLVModel.predict`.
        churn_probability : ndarray of shape (n_customers,), in [0, 1]

        Returns
        -------
        dict of ndarrays of shape (n_customers,)
            The columns from ``expected_purchases`` to ``value_at_risk``, and ``spend_per_purchase``.
        """
        x, _, T = histories(described)
        values = self.clv.values(described, self.terms)
        H = self.terms.horizon_weeks
        model = self.clv.purchases
        if_active = model.purchases_if_alive(x, T, H) / model.p_purchase_if_alive(x, T, H)
        purchases = (1 - churn_probability) * if_active
        spend_per_purchase = self._spend_per_purchase(described, purchases)
        unit = self.terms.margin * spend_per_purchase
        expected_value = unit * values.expected(churn_probability)
        scenarios = value_scenarios(self.clv, described, churn_probability, self.terms)
        low, high = interval_factors(scenarios, level_deviation=self.level_deviation)
        at_stake = unit * values.at_stake
        return {
            "expected_purchases": purchases,
            "expected_spend": purchases * spend_per_purchase,
            "expected_value": expected_value,
            "expected_value_low": low * expected_value,
            "expected_value_high": high * expected_value,
            "value_if_silent": unit * values.silent,
            "value_at_stake": at_stake,
            "value_at_risk": churn_probability * at_stake,
            "spend_per_purchase": spend_per_purchase,
        }

    @property
    def level_deviation(self) -> float:
        """Standard deviation of the log of a whole window's spend against its expectation."""
        return self.spend.level_deviation if self.spend else 0.0

    def window_scenarios(self, described: Columns, churn_probability: np.ndarray) -> np.ndarray:
        """Return each customer's expected spend in the churn window, in the scenarios of `value_scenarios`.

        Returns
        -------
        ndarray of shape (n_customers, 2k), money; rows may be summed
        """
        window = replace(self.terms, value_horizon_days=self.terms.horizon_days, discount_rate=0.0)
        scenarios = value_scenarios(self.clv, described, churn_probability, window)
        plain = described["spend_per_purchase"]
        spend = self.money(described, churn_probability)["spend_per_purchase"]
        corrected = np.divide(spend, plain, out=np.ones_like(plain), where=plain > 0)
        return np.asarray(scenarios * corrected[:, None])

    def _spend_per_purchase(self, described: Columns, purchases: np.ndarray) -> np.ndarray:
        spend_per_purchase = described["spend_per_purchase"]
        if self.spend is None or self.spend.booster is None:
            return spend_per_purchase
        expected = self.spend.expected_spend(described, _snapshot_of(described))
        plain = purchases * spend_per_purchase
        factor = np.divide(expected, plain, out=np.ones_like(plain), where=plain > 0)
        return np.asarray(spend_per_purchase * np.clip(factor, 1 / SPEND_LIMIT, SPEND_LIMIT))

    def with_tiers(self, expected_value: np.ndarray) -> RetentionModel:
        """Return the model with tier cut-offs at the quantiles of a population's expected values."""
        quantiles = 1 - np.cumsum(TIER_SHARES)
        return replace(self, tier_cuts=tuple(float(cut) for cut in np.quantile(expected_value, quantiles)))

    def _tiers(self, expected_value: np.ndarray) -> np.ndarray:
        place = np.searchsorted(-np.asarray(self.tier_cuts), -expected_value, side="left")
        return np.array(TIERS, dtype=object)[place]

    def _next_purchase(self, columns: Columns, level: float) -> np.ndarray:
        """Date by which a purchase has come with a probability; None where it never has, or after ten years."""
        days = np.ceil(self.clv.next_purchase_days(columns, level))
        dates = np.full(len(days), np.datetime64("NaT", "D"))  # which is None as an object
        known = days <= _FOREVER_DAYS
        dates[known] = np.datetime64(_snapshot_of(columns).date) + days[known].astype(np.int64)
        return dates.astype(object)


def _last_purchase(columns: Columns) -> np.ndarray:
    days = columns["days_since_last_purchase"].astype(np.int64)
    return np.asarray((np.datetime64(_snapshot_of(columns).date) - days).astype(object))


def _blocks(columns: Columns) -> Iterator[Columns]:
    """Cut columns into blocks of rows: contributions are as many numbers as features."""
    for start in range(0, len(columns["customer_id"]), _BLOCK_ROWS):
        yield rows_of(columns, slice(start, start + _BLOCK_ROWS))


def _snapshot_of(columns: Columns) -> Snapshot:
    return Snapshot(columns["snapshot_date"][:1].astype("datetime64[D]")[0].item())
