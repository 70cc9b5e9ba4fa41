"""The customers of the newest set in each order that a table shows, made when the set is published.

They are sorted here and loaded in the order of the table's key: the database sorts a million by five columns in three
times the time. A page of some kinds is then read from where it begins in each, whatever is filtered out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from features.customer_groups import STAGES, TIERS
from serving.store.loading import load, sliced
from serving.store.tables import rankings, score_sets, scores, tallies

ORDERS = ("value_at_risk", "expected_value", "churn_probability", "last_purchase_date")
"""Columns that customers are ordered by, the highest or latest first; by value at risk the dormant come last."""

BANDS = {"very likely": 0.8, "likely": 0.5, "possible": 0.2, "unlikely": 0.0}
"""Names of ranges of the churn probability, and where each begins."""

RANKED_BY = ("customer_id", "value_tier", "stage", *ORDERS)
"""Columns of a score that the rankings take."""

_KIND = ["value_tier", "stage", "churn_band", "dormant"]


@dataclass(frozen=True)
class Ranks:
    """Customers by id, what each is told by, the number of that kind, and their places in each order, from 1."""

    customer_ids: pa.Array
    told: pd.DataFrame
    kinds: np.ndarray
    places: dict[str, np.ndarray]


def ranks_of(connection: sa.Connection, set_id: int, customers: pd.DataFrame | None = None) -> Ranks:
    """Return the customers of a set in each order.

    Parameters
    ----------
    connection : Connection
    set_id : int
    customers : DataFrame of ``RANKED_BY``, by id, optional
        By default they are read from the set.
    """
    customers = _read(connection, set_id) if customers is None else customers
    chosen = sa.select(score_sets.c.snapshot_date, score_sets.c.dormant_after_days)
    head = connection.execute(chosen.where(score_sets.c.id == set_id)).one()
    told = _told(customers, head.snapshot_date, head.dormant_after_days)
    places = {name: _places(customers[name]) for name in ORDERS}
    places[ORDERS[0]] = _dormant_last(places[ORDERS[0]], told["dormant"].to_numpy())
    ids = pa.array(customers["customer_id"], pa.string())
    return Ranks(ids, told, told["kind"].to_numpy(), places)


def rank(connection: sa.Connection, set_id: int, ranks: Ranks) -> None:
    """Replace the rankings and tallies by those of a set, in the transaction that is open."""
    connection.execute(sa.delete(rankings))
    connection.execute(sa.delete(tallies))
    counted = ranks.told.groupby(["kind", *_KIND], dropna=False, observed=True)["value_at_risk"]
    sums = counted.agg(customers="size", value_at_risk="sum").reset_index()
    sums["stage"] = sums["stage"].astype(object).where(sums["stage"].notna(), None)
    connection.execute(sa.insert(tallies), sums.assign(set_id=set_id).to_dict("records"))
    for name in sorted(ORDERS):  # as the key has them
        of_order = ranking(name, set_id, ranks.customer_ids, ranks.kinds, ranks.places[name])
        load(connection, rankings, sliced(of_order))


def ranking(name: str, set_id: int, ids: pa.Array, kinds: np.ndarray, places: np.ndarray) -> pa.Table:
    """Return the rows of one order, by kind and rank."""
    order = np.lexsort((places, kinds))
    return pa.table(
        {
            "set_id": pa.repeat(pa.scalar(set_id), len(ids)),
            "ordered_by": pa.repeat(pa.scalar(name), len(ids)),
            "kind": kinds[order],
            "rank": places[order],
            "customer_id": ids.take(pa.array(order)),
        }
    )


def _places(values: pd.Series) -> np.ndarray:
    """Return the place of each customer, the highest first, of equals the one with the smaller id; empty ones last.

    Examples
    --------
    >>> _places(pd.Series([2.0, np.nan, 5.0, 2.0])).tolist()
    [2, 4, 1, 3]
    """
    numbers = values.to_numpy()
    if numbers.dtype == object or numbers.dtype.kind == "M":
        days = pd.to_datetime(values).to_numpy().astype("datetime64[D]")
        numbers = np.where(np.isnat(days), np.nan, days.astype(np.int64))
    places = np.empty(len(numbers), dtype=np.int64)
    places[np.argsort(-numbers.astype(float), kind="stable")] = np.arange(1, len(numbers) + 1)
    return places


def _dormant_last(places: np.ndarray, dormant: np.ndarray) -> np.ndarray:
    """Return places in which the dormant come after all others.

    Examples
    --------
    >>> _dormant_last(np.array([2, 4, 1, 3]), np.array([False, False, True, True])).tolist()
    [1, 2, 3, 4]
    """
    later = np.empty(len(places), dtype=np.int64)
    later[np.lexsort((places, dormant))] = np.arange(1, len(places) + 1)
    return later


def _told(customers: pd.DataFrame, snapshot_date: date, dormant_after_days: int | None) -> pd.DataFrame:
    """Return what customers are told by, and the number of each one's kind."""
    last = pd.to_datetime(customers["last_purchase_date"])
    dormant = np.zeros(len(customers), dtype=bool)
    if dormant_after_days:
        dormant = (last < pd.Timestamp(snapshot_date - timedelta(days=dormant_after_days))).to_numpy()
    names, lowest = list(BANDS), list(BANDS.values())
    churn = customers["churn_probability"].to_numpy(dtype=float)
    band = np.select([churn >= low for low in lowest], range(len(lowest)), len(lowest) - 1)
    kind = _number(customers["value_tier"], TIERS) * (len(STAGES) + 1) + _number(customers["stage"], STAGES)
    kind = (kind * len(BANDS) + band) * 2 + dormant
    told = customers[["value_tier", "stage", "value_at_risk"]]
    return told.assign(churn_band=np.array(names, dtype=object)[band], dormant=dormant, kind=kind)


def _number(values: pd.Series, names: Sequence[str]) -> np.ndarray:
    """Return the place of each value among the known ones, else after them."""
    places = {name: place for place, name in enumerate(names)}
    return np.asarray(values.map(places).fillna(len(names)), dtype=np.int64)


def _read(connection: sa.Connection, set_id: int) -> pd.DataFrame:
    """Return what the rankings take of a published set, by id."""
    columns = [scores.c[name] for name in RANKED_BY]
    chosen = sa.select(*columns).where(scores.c.set_id == set_id).order_by(scores.c.customer_id)
    rows: Iterable[Any] = connection.execute(chosen).all()
    return pd.DataFrame(map(tuple, rows), columns=list(RANKED_BY))
