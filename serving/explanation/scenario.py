"""Scenarios: a customer's scores had they just bought, and after more days of silence.

Nothing is extrapolated: an order is added, or the same orders are seen from a later date, and the customer is
scored as usual. A scenario's date may lie in the future; a score's may not.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.behaviour.files import BehaviourFiles, OfOneCustomer
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from features.table.columns import Columns, rows_of
from features.table.history import PurchaseHistory
from features.table.purchase_days import PURCHASE_DAYS
from training.model.retention_model import RetentionModel

SILENT_DAYS = (30, 60, 90, 180)

# One history holds the customer twice, under names that sort in this order.
_AS_IS, _BOUGHT = "0 as it is", "1 had they bought"

_ORDERS_SQL = f"""SELECT CAST(sum(orders) AS BIGINT) AS orders
FROM {PURCHASE_DAYS}
GROUP BY customer_id
ORDER BY customer_id"""


@dataclass(frozen=True)
class Outlook:
    """Numbers of a score in a scenario, ready for JSON.

    Parameters
    ----------
    snapshot_date : str, ISO date that the score would be of
    churn_probability : float in [0, 1]
    expected_value, value_at_stake, value_at_risk : float, money
    """

    snapshot_date: str
    churn_probability: float
    expected_value: float
    value_at_stake: float
    value_at_risk: float


_FOR_OFFERS = ("spend_per_purchase", "last_purchase_date", "value_tier", "stage")
_PRICED = [*(field.name for field in fields(Outlook)), *_FOR_OFFERS]


@dataclass(frozen=True)
class IfTheyBuy(Outlook):
    """The score with one more order, of the mean purchase day's amount, on the day before the snapshot."""

    ordered_on: str
    amount: float


@dataclass(frozen=True)
class IfSilent(Outlook):
    """The score after so many more days without an order."""

    silent_days: int


@dataclass(frozen=True)
class Scenarios:
    """A customer's features, and their scores in the scenarios.

    Parameters
    ----------
    features : Columns
        Of the feature table: one row, the customer as they are.
    orders : int
        Before the snapshot, as the features count them.
    if_they_buy : IfTheyBuy
    if_silent : list of IfSilent, fewest days first
    silent_scores : Columns
        What an offer's price takes, in the order of ``if_silent``.
    """

    features: Columns
    orders: int
    if_they_buy: IfTheyBuy
    if_silent: list[IfSilent]
    silent_scores: Columns


def score_scenarios(
    model: RetentionModel,
    log: TransactionLog,
    snapshot: Snapshot,
    beside: BehaviourFiles | None = None,
    own: Columns | None = None,
) -> Scenarios:
    """Score a customer in every scenario.

    Parameters
    ----------
    model : RetentionModel
    log : TransactionLog
        One customer's, with a purchase before the snapshot; orders from the snapshot on play no part.
    snapshot : Snapshot
    beside : BehaviourFiles, optional
        What is known of the customer beside the orders; in a scenario it is seen from the scenario's date.
    own : Columns, optional
        The customer's own costs (`training.clv.net_value.OWN`), one row; they are the same in every scenario.

    Returns
    -------
    Scenarios
    """
    known = beside and OfOneCustomer(beside, log.table["customer_id"][0].as_py())
    seen = log.table.filter(pc.less(log.table["ordered_on"], pa.scalar(snapshot.date)))
    usual = _usual_order(seen, snapshot)
    both = pa.concat_tables([_renamed(seen, _AS_IS), _renamed(seen, _BOUGHT), usual])
    with PurchaseHistory(replace(log, table=both), beside=known) as history:
        twice = {name: np.repeat(column, 2) for name, column in (own or {}).items()}
        now = {**history.columns(snapshot), **twice}
        later = [
            {**rows_of(history.columns(_after(snapshot, days)), slice(1)), **(own or {})}
            for days in SILENT_DAYS
        ]
        orders = history.engine.query(_ORDERS_SQL)["orders"][0].as_py()
    ordered_on, amount = usual["ordered_on"][0].as_py(), usual["amount_cents"][0].as_py() / 100
    # One by one: a feature table has one snapshot.
    scores = [model.score_columns(columns, reasons=False) for columns in later]
    silent = {name: np.concatenate([columns[name] for columns in scores]) for name in _PRICED}
    return Scenarios(
        features=rows_of(now, slice(1)),
        orders=orders,
        if_they_buy=IfTheyBuy(
            **_outlooks(model.score_columns(rows_of(now, slice(1, None)), reasons=False))[0],
            ordered_on=ordered_on.isoformat(),
            amount=amount,
        ),
        if_silent=[
            IfSilent(**outlook, silent_days=days)
            for outlook, days in zip(_outlooks(silent), SILENT_DAYS, strict=True)
        ],
        silent_scores=silent,
    )


def _outlooks(scores: Columns) -> list[dict[str, Any]]:
    """Return the fields of `Outlook`, one mapping per row."""
    shown = {field.name: scores[field.name].tolist() for field in fields(Outlook)}
    shown["snapshot_date"] = [day.isoformat() for day in shown["snapshot_date"]]
    return [dict(zip(shown, row, strict=True)) for row in zip(*shown.values(), strict=True)]


def _after(snapshot: Snapshot, days: int) -> Snapshot:
    return Snapshot(snapshot.date + timedelta(days=days))


def _usual_order(seen: pa.Table, snapshot: Snapshot) -> pa.Table:
    """Return an order of the mean purchase day's amount, without channel and product."""
    purchases = seen.filter(pc.greater_equal(seen["amount_cents"], 0))
    days = pc.count_distinct(purchases["ordered_on"]).as_py()
    order: dict[str, Any] = {
        "customer_id": _BOUGHT,
        "ordered_on": snapshot.date - timedelta(days=1),
    }
    for money in ("amount_cents", "margin_cents"):
        if money in purchases.column_names:
            order[money] = round(pc.sum(purchases[money]).as_py() / days)
    return pa.Table.from_pylist([order], schema=seen.schema)


def _renamed(table: pa.Table, customer_id: str) -> pa.Table:
    place = table.column_names.index("customer_id")
    return table.set_column(
        place, table.field(place), pa.array([customer_id] * len(table), table.field(place).type)
    )
