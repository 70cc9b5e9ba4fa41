"""Columns that monitoring compares: the latest orders, the features and the scores of a snapshot.

A feature over the last N days is compared among customers older than N days only: for the others the window reaches
back to before their first order. Nor is it compared among the dormant, for whom it is zero: in an old log they are so
many that half of the orders could be lost unnoticed.
"""

from __future__ import annotations

import re
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from features.behaviour.catalogue import file_of
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from features.table.columns import as_columns
from features.table.history import FEATURES
from features.table.seasons import NAMES as OF_SEASONS
from training.model.retention_model import RetentionModel
from training.reference.distribution import CategoryCounts, NumericDistribution

ORDERS = ("amount", "channel")
"""Columns of the log, over the last horizon's orders."""

SCORES = ("churn_probability", "expected_value")

_CONSTANT = ("snapshot_weekday", "snapshot_month")
# T by other names, and nearly orders_365d.
_SAME = ("tenure_days", "first_purchase_day", "purchase_days_365d")
# They change with the date, as the season does: no drift.
_OF_CALENDAR = (*_CONSTANT, *OF_SEASONS)
_WINDOW = re.compile(r"_(trend_)?(\d+)d$")


def with_predictions(model: RetentionModel, table: pd.DataFrame) -> pd.DataFrame:
    """Return a feature table with the columns that a model predicts: those of `SCORES` and ``expected_spend``.

    The same numbers as `RetentionModel.score`, without reasons, tiers and dates.
    """
    beside = [name for name in model.features if file_of(name) and name in table]
    kept = list(dict.fromkeys(["snapshot_date", "customer_id", *(f.name for f in FEATURES), *beside]))
    plain = table[kept].reset_index(drop=True)
    columns = as_columns(plain.drop(columns="customer_id"))
    columns |= model.clv.predict(columns, model.terms.horizon_days)
    snapshot = Snapshot(plain["snapshot_date"].iloc[0].date())
    probability, at_level_0 = model.churn.predict_both(columns, snapshot)
    money = model.valuation.without_intervals.money(columns, probability, at_level_0)
    return plain.assign(
        churn_probability=probability,
        expected_value=money["expected_value"],
        expected_spend=money["expected_spend"],
    )


def monitored_columns(
    log: TransactionLog, snapshot: Snapshot, predicted: pd.DataFrame, model: RetentionModel
) -> dict[str, np.ndarray]:
    """Return what is compared at a snapshot: the last horizon's orders, the features, the scores.

    Returns
    -------
    dict of name to ndarray
        ``channel`` is of str, "(none)" where the log has none, and so are attributes; the others of float, NaN where
        undefined. A feature of orders over the last N days holds recent customers older than N days only.
    """
    found = _orders(log, snapshot, model.terms.horizon_days)
    age = predicted["T"].to_numpy()
    recent = predicted["days_since_last_purchase"].to_numpy() <= model.card.dormant_after_days
    for name in [f.name for f in FEATURES if f.name not in (*_OF_CALENDAR, *_SAME)]:
        values = predicted[name].to_numpy(dtype=np.float64, na_value=np.nan)
        days = days_back(name)
        found[name] = values[recent & (age > days)] if days else values
    beside = [each for each in model.features if file_of(each) and each not in OF_SEASONS]
    for name in [each for each in beside if each in predicted]:
        found[name] = _beside(predicted[name])
    return found | {name: predicted[name].to_numpy(dtype=np.float64) for name in SCORES}


def described(values: np.ndarray) -> NumericDistribution | CategoryCounts:
    """Return the distribution of a column of `monitored_columns`."""
    return CategoryCounts.of(values) if values.dtype == object else NumericDistribution.of(values)


def _beside(column: pd.Series) -> np.ndarray:
    """Return a feature of files: numbers, or texts, "(none)" where a customer has none."""
    if pd.api.types.is_numeric_dtype(column):
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.asarray(column.astype(object).where(column.notna(), "(none)"), dtype=object)


def days_back(name: str) -> int:
    """Return how far a feature looks back, 0 for all of a customer's life.

    Examples
    --------
    >>> days_back("orders_90d"), days_back("spend_trend_90d"), days_back("frequency")
    (90, 180, 0)
    """
    window = _WINDOW.search(name)
    return int(window[2]) * (2 if window[1] else 1) if window else 0


def _orders(log: TransactionLog, snapshot: Snapshot, days: int) -> dict[str, np.ndarray]:
    """Return amount and channel of the orders in the days before a snapshot, refunds left out."""
    opens = snapshot.date - timedelta(days=days)
    on, cents = log.table.column("ordered_on"), log.table.column("amount_cents")
    inside = pc.and_(pc.greater_equal(on, opens), pc.less(on, snapshot.date))
    orders = log.table.filter(pc.and_(inside, pc.greater_equal(cents, 0)))
    channel = np.full(orders.num_rows, "(none)", dtype=object)
    if "channel" in orders.column_names:
        channel = pc.fill_null(orders.column("channel"), "(none)").to_numpy(zero_copy_only=False)
    return {"amount": orders.column("amount_cents").to_numpy() / 100, "channel": channel}
