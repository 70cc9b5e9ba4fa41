"""The retention model: the models, terms and cut-offs of one registered version, and its scores.

Churn model, calibrator, levels, spend and CLV parameters, value terms, tier cut-offs and the card of the
training run are one thing, saved and loaded together: a folder of ``model.json``, three LightGBM texts and the
scores of made-up customers (``example.json``), without pickle and without customers' data. What depends on the
population is decided at training and stored, so a customer's score is the same in a list of a million and in a
request of one.
"""

from __future__ import annotations

import gc
from collections import ChainMap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from features.behaviour.files import BehaviourFiles
from features.economics.money import in_real_money
from features.economics.stages import stages_of_features
from features.errors import LogError
from features.language import translated
from features.log.clock import require_known_orders
from features.log.loading import LogSource, load_log
from features.snapshot import Snapshot
from features.table.baskets import GROUP_OF
from features.table.columns import Columns, RowsOf, as_columns, rows_of
from features.table.history import PurchaseHistory
from features.table.seasons import SEASONS
from training.churn.inputs import Inputs
from training.churn.model import ChurnModel
from training.churn.spend import SpendModel
from training.clv.customer_costs import OwnCosts
from training.clv.model import CLVModel
from training.clv.value import ValueTerms
from training.model.card import TrainingCard
from training.model.reasons import add_costs, load_wording, topic_sums, word_reasons
from training.model.score_schema import MODEL_COLUMNS
from training.model.score_table import frame_of, list_order
from training.model.tiers import Tiers
from training.model.valuation import Valuation, snapshot_of

_FOREVER_DAYS = 3650
_BLOCK_ROWS = 16_384
_LONGEST_DAYS = 2.0**20  # more than any customer is old
_LIST_ROWS = 131_072
"""Customers scored at a time: what lies between the features and the scores takes ten times their memory."""


@dataclass(frozen=True)
class RetentionModel:
    """A churn model and a CLV model that were trained together.

    Parameters
    ----------
    churn : ChurnModel
    clv : CLVModel
    terms : ValueTerms
    tiers : Tiers
    card : TrainingCard
    spend : SpendModel, optional
        Corrects purchases and spend; without it, the purchase model and Gamma-Gamma stand.
    usual_gap_days : int, optional
        Days within which 80% of the gaps between purchases of the training log end: after that a customer without a
        rhythm of their own is overdue.
    own_costs : OwnCosts, optional
        Which terms customers have of their own, where a table holds them; those of all others are the means.
    kinds : mapping of touchpoints to "contact", "complaint" or "send"
        By which the touches that the model learnt from were told apart.
    own : mapping of name to SQL
        The shop's own features that the model learnt from: scores are made by these, whatever the settings say now.
    """

    churn: ChurnModel
    clv: CLVModel
    terms: ValueTerms
    tiers: Tiers
    card: TrainingCard
    spend: SpendModel | None = None
    usual_gap_days: int | None = None
    own_costs: OwnCosts | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)

    def predict(
        self,
        log: LogSource,
        snapshot_date: str | date | None = None,
        *,
        beside: BehaviourFiles | None = None,
        deflator: str | Path | None = None,
        **log_options: Any,
    ) -> pd.DataFrame:
        """Score every customer of a log of orders.

        Parameters
        ----------
        log : TransactionLog, pandas.DataFrame, pyarrow.Table, path or URI
        snapshot_date : str or datetime.date
            Only the orders before it are used. By default the day after the last order.
        beside : BehaviourFiles, optional
            What is known of customers beside their orders; what the model learnt from and is not here is missing.
        deflator : str or Path, optional
            File of an index of prices, for months after those that a model of real money knows; money as booked is
            turned into the model's by its own index otherwise.
        **log_options
            As in `features.load_log`.

        Returns
        -------
        DataFrame of shape (n_customers, 30)
            `MODEL_COLUMNS`, the recent before the dormant, each by ``value_at_risk``, the highest first, then by
            customer_id: the numbers that ``stayworth score`` writes, in its order. Customers without a purchase before
            the snapshot are left out.

        Raises
        ------
        LogError
            If the log's money is real, and the model's is not.
        """
        prices = self.card.log.terms.prices if self.card.log.terms else None
        orders = in_real_money(load_log(log, **log_options), deflator, base=prices.base if prices else None)
        if orders.prices and prices is None:
            raise LogError(
                translated(
                    "In this log money is that of {month:label}, by a deflator, and the model learnt from money as "
                    "booked. Leave the deflator out, or train with one.",
                    month=orders.prices.base,
                )
            )
        orders = orders.at_prices(prices)
        snapshot = Snapshot.after(orders.last_day) if snapshot_date is None else Snapshot.on(snapshot_date)
        require_known_orders(snapshot)
        with PurchaseHistory(orders, beside=self.beside(beside)) as history:
            table = history.features(snapshot)
        scores = self.score(table)
        recent = table["days_since_last_purchase"].to_numpy() <= self.card.dormant_after_days
        return scores.iloc[list_order(scores["value_at_risk"].to_numpy(), recent)].reset_index(drop=True)

    def score(self, table: pd.DataFrame) -> pd.DataFrame:
        """Score every customer of a feature table.

        Parameters
        ----------
        table : DataFrame of shape (n_customers, 2 + n_features)
            Of one snapshot, as `PurchaseHistory.features` gives it.

        Returns
        -------
        DataFrame of shape (n_customers, 30)
            `MODEL_COLUMNS`, as `training.model.score_schema` defines them, in the table's order; dates and
            integers are objects, None where null.
        """
        if table.empty:
            return pd.DataFrame(columns=list(MODEL_COLUMNS))
        return frame_of(self.score_columns(as_columns(table)))

    def score_columns(self, columns: Columns, *, reasons: bool = True) -> dict[str, np.ndarray]:
        """Score the customers of a feature table that is given by its columns, at least one customer.

        Parameters
        ----------
        columns : Columns
        reasons : bool
            Whether to work out the reasons; without, each customer's are empty.

        Returns
        -------
        dict of ndarrays of shape (n_customers,), as the DataFrame of `score`; dates are datetime64[D], NaT where null
        """
        snapshot, n_customers = snapshot_of(columns), len(columns["customer_id"])
        blockwise, silent_days = self._blockwise(columns, reasons), columns["days_since_last_purchase"]
        scores = {
            **blockwise,
            "customer_id": columns["customer_id"],
            "snapshot_date": np.full(n_customers, snapshot.date, dtype="datetime64[D]"),
            "value_tier": self.tiers.of(blockwise),
            "last_purchase_date": np.datetime64(snapshot.date) - silent_days.astype("timedelta64[D]"),
            "horizon_days": np.full(n_customers, self.terms.horizon_days),
            "margin": np.full(n_customers, self.terms.margin),
            "resumption": np.full(n_customers, self.terms.resumption),
            "dormant_after_days": np.full(n_customers, self.card.dormant_after_days),
            **{name: np.full(n_customers, number) for name, number in self.terms.costs.items()},
            "stage": stages_of_features(columns, self.terms.inactivity_days, self.usual_gap_days),
            "usual_gap_days": np.asarray(columns["mean_gap_days"], dtype=np.float64),
        }
        return {name: scores[name] for name in MODEL_COLUMNS}

    def _blockwise(self, columns: Columns, reasons: bool) -> dict[str, np.ndarray]:
        """Return the scores that take room to compute, of a long table some customers at a time."""
        if len(columns["customer_id"]) <= _LIST_ROWS:
            return self._score_at_once(columns, reasons)
        # Customers of one age and frequency share integrals, which are computed once per block.
        order = np.argsort(columns["frequency"] * _LONGEST_DAYS + columns["T"])
        scores: dict[str, np.ndarray] = {}
        with _uncollected():
            for start in range(0, len(order), _LIST_ROWS):
                rows = order[start : start + _LIST_ROWS]
                for name, column in self._score_at_once(RowsOf(columns, rows), reasons).items():
                    if name not in scores:
                        scores[name] = np.empty(len(order), dtype=column.dtype)
                    scores[name][rows] = column
        return scores

    def _score_at_once(self, columns: Columns, reasons: bool) -> dict[str, np.ndarray]:
        described = ChainMap(dict(self.clv.predict(columns, self.terms.horizon_days)), cast(Any, columns))
        probability, at_level_0 = self.churn.predict_both(described, snapshot_of(columns))
        money = self.valuation.money(described, probability, at_level_0)
        return {
            "churn_probability": probability,
            "p_alive": described["p_alive"],
            **money,
            **self._next_purchase(columns, probability),
            "reasons": self._reasons(described, probability, money)
            if reasons
            else _no_reasons(len(probability)),
        }

    def _reasons(
        self, described: Columns, probability: np.ndarray, money: Mapping[str, np.ndarray]
    ) -> np.ndarray:
        wording = load_wording(self.churn.inputs)
        sums = [topic_sums(self.churn.contributions(rows), wording) for rows in _blocks(described)]
        reasons = word_reasons(np.concatenate(sums), probability, described, wording)
        if self.terms.has_costs:
            net, gross = money["expected_value"], money["expected_gross_value"]
            add_costs(reasons, net, gross, self.terms.value_horizon_days, wording)
        return reasons

    @property
    def files(self) -> tuple[str, ...]:
        """The files beside the log that the model learnt from, and the groups of features of baskets.

        Without those of seasons, which every feature table has.
        """
        learnt = dict.fromkeys(name for inputs in self.inputs for name in inputs.files)
        return tuple(name for name in learnt if name != SEASONS)

    def beside(self, given: BehaviourFiles | None) -> BehaviourFiles | None:
        """Return what the model learnt from of files and baskets, and its own features; None if there is nothing."""
        baskets = [name for name in self.features if name in GROUP_OF]
        if given is None and not self.own and not baskets:
            return None
        known = (given or BehaviourFiles()).only(self.files).with_kinds(self.kinds)
        return known.with_baskets(baskets).with_own(self.own)

    @property
    def features(self) -> tuple[str, ...]:
        """What the trees of churn, frequency and price read."""
        beside = (name for inputs in self.inputs for name in inputs.beside)
        return tuple(dict.fromkeys((*self.churn.inputs.names, *beside)))

    @property
    def inputs(self) -> tuple[Inputs, ...]:
        """The inputs of the trees of churn, frequency and price."""
        spend = self.spend or SpendModel()
        return self.churn.inputs, spend.frequency.inputs, spend.price.inputs

    @property
    def valuation(self) -> Valuation:
        """The valuation with this model's parameters."""
        return Valuation(self.clv, self.terms, self.spend, self.churn.base)

    def _next_purchase(self, columns: Columns, churn_probability: np.ndarray) -> dict[str, np.ndarray]:
        """Return the dates by which a purchase has come with 10, 50 and 90%; NaT for never, or after ten years."""
        low, median, high = (
            _dates_after(snapshot_of(columns).date, days)
            for days in self.clv.next_purchase_days(
                columns, churn_probability, self.terms.horizon_days
            ).values()
        )
        return {"next_purchase_date": median, "next_purchase_low": low, "next_purchase_high": high}


def _dates_after(snapshot: date, days: np.ndarray) -> np.ndarray:
    """Return the date on which so many days end: one day after the snapshot is the end of its own."""
    dates, known = np.full(len(days), np.datetime64("NaT", "D")), days <= _FOREVER_DAYS
    dates[known] = np.datetime64(snapshot) + np.maximum(np.ceil(days[known]) - 1, 0).astype(np.int64)
    return dates


def _no_reasons(n_customers: int) -> np.ndarray:
    reasons = np.empty(n_customers, dtype=object)
    reasons[:] = [[]] * n_customers
    return reasons


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python from looking for cycles: a million lists of reasons hold none, and it would look again and again."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _blocks(columns: Columns) -> Iterator[Columns]:
    """Cut columns into blocks of rows: contributions are as many numbers as features."""
    for start in range(0, len(columns["customer_id"]), _BLOCK_ROWS):
        yield rows_of(columns, slice(start, start + _BLOCK_ROWS))
