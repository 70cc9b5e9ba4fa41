"""Features that a shop writes itself: SQL aggregates over a customer's purchase days before the snapshot.

They are given in ``stayworth.toml``::

    [features.own]
    weekend_share = "avg(CASE WHEN dayofweek(day) IN (0, 6) THEN 1 ELSE 0 END)"

What an expression sees are the days strictly before the snapshot, and nothing else (`features.engines.aggregates`): a
later day is not among the rows, so no expression can look at it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.engines.aggregates import aggregates, require_aggregate
from features.engines.engine import Engine
from features.errors import StayworthError
from features.language import translated
from features.snapshot import Snapshot
from features.table.purchase_days import PURCHASE_DAYS

OWN_PREFIX = "own_"
"""Before the name of an own feature, which could be that of another."""

DAY_COLUMNS: dict[str, pa.DataType] = {
    "day": pa.date32(),
    "days_ago": pa.int32(),
    "orders": pa.int32(),
    "spend": pa.float64(),
    "refunded": pa.float64(),
    "margin": pa.float64(),
    "gap_days": pa.int32(),
    "new_month": pa.int32(),
    "new_products": pa.int32(),
    "channels": pa.int32(),
    "new_channels": pa.int32(),
}
"""What an expression may use of a purchase day; null where the log does not say."""

_CENTS = {"spend": "gross_cents", "refunded": "refund_cents", "margin": "margin_cents"}
_NEEDS = {
    "margin": "margin_cents",
    "new_products": "product_id",
    "channels": "channel",
    "new_channels": "channel",
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MOST = 50


def require_own(own: Mapping[str, str]) -> None:
    """Check own features, before any row is read.

    Raises
    ------
    StayworthError
        If a name is none, an expression is not one number of a customer's days, or there are too many.

    Examples
    --------
    >>> require_own({"weekend_share": "avg(CASE WHEN dayofweek(day) IN (0, 6) THEN 1 ELSE 0 END)"})
    """
    if len(own) > _MOST:
        raise StayworthError(
            translated(
                "[features.own] has {n} features, and at most {most} are tried.", n=len(own), most=_MOST
            )
        )
    for name, expression in own.items():
        if not _NAME.fullmatch(name):
            raise StayworthError(
                translated(
                    "[features.own]: {name!r} is no name of a feature. Use small letters, digits and _, such "
                    "as weekend_share.",
                    name=name,
                )
            )
        require_aggregate(expression, DAY_COLUMNS, f"[features.own] {name}")


def own_columns(
    engine: Engine,
    columns: Collection[str],
    snapshot: Snapshot,
    own: Mapping[str, str],
    customer_ids: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return own features of customers at a snapshot, by their prefixed names; NaN where undefined.

    Parameters
    ----------
    engine : Engine, which has the purchase days
    columns : collection of str, those of the log
    customer_ids : ndarray of shape (n_customers,)
    """
    ids, found = aggregates(_visible(engine, columns, snapshot), own)
    place = {name: number for number, name in enumerate(ids)}
    order = np.array([place[each] for each in customer_ids], dtype=np.int64)
    return {f"{OWN_PREFIX}{name}": values[order] for name, values in found.items()}


def _visible(engine: Engine, columns: Collection[str], snapshot: Snapshot) -> pa.Table:
    """Return the purchase days strictly before a snapshot, customer by customer, in the columns of `DAY_COLUMNS`."""
    day = (snapshot.date - date(1970, 1, 1)).days
    known = [
        name
        for name in DAY_COLUMNS
        if name not in ("day", "days_ago") and _NEEDS.get(name) in (None, *columns)
    ]
    selected = ", ".join(["customer_id", "day", *(_CENTS.get(name, name) for name in known)])
    found = engine.query(
        f"SELECT {selected} FROM {PURCHASE_DAYS} WHERE orders > 0 AND day < {day} ORDER BY customer_id, day"
    )
    numbers = found["day"].cast(pa.int32())
    made = {"day": numbers.cast(pa.date32()), "days_ago": pc.subtract(pa.scalar(day, pa.int32()), numbers)}
    for name in known:
        column = found[_CENTS.get(name, name)]
        made[name] = pc.divide(column.cast(pa.float64()), 100.0) if name in _CENTS else column
    typed = [
        made[name].cast(kind) if name in made else pa.nulls(found.num_rows, kind)
        for name, kind in DAY_COLUMNS.items()
    ]
    return pa.table([found["customer_id"], *typed], names=["customer_id", *DAY_COLUMNS])
