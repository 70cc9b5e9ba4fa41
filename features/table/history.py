"""The feature table: every customer as known at a snapshot date.

A log is collapsed once to purchase days (`features.table.purchase_days`); each snapshot is then one pass over
the days before it. Training data, scored lists and live requests use the same SQL, so they cannot diverge.
Rows are ordered by ``customer_id`` (byte order), columns and types are those of `FEATURES`, and the same orders
give the same bytes whatever their order in the log, and whatever the engine and its threads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from features.closing import Closing
from features.engines.choice import SMALL_LOG_ROWS, engine_for
from features.engines.engine import Engine
from features.engines.numbered import ALL, NumberedCustomers
from features.language import translatable
from features.log.customer_days import encoded
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from features.table import behaviour, rfm, seasons, tenure
from features.table.baskets import BASKET_DAYS, basket_columns, basket_days_sql, told_by
from features.table.catalogue import Feature, catalogue_markdown
from features.table.own import own_columns
from features.table.purchase_days import LOG, PURCHASE_DAYS, purchase_days_sql

FEATURES: tuple[Feature, ...] = rfm.FEATURES + tenure.FEATURES + behaviour.FEATURES + seasons.FEATURES

OF_PURCHASES = ("frequency", "recency", "T", "monetary_value", "gross_spend", "net_spend", "net_margin")
_OF_PURCHASES_TYPES = {f.name: f.dtype for f in FEATURES if f.name in OF_PURCHASES}

REFUNDS_ONLY = translatable("refunds only before the snapshot")
NO_ORDER_YET = translatable("no order before the snapshot")

_TYPES = {"int64": pa.int64(), "float64": pa.float64()}
_SQL_TYPES = {"int64": "BIGINT", "float64": "DOUBLE"}
SCHEMA = pa.schema(
    [("snapshot_date", pa.date32()), ("customer_id", pa.string())]
    + [(f.name, _TYPES[f.dtype]) for f in FEATURES]
)

_FEATURES_SQL = """WITH visible AS (
  SELECT *,
    CASE WHEN orders > 0 THEN day END AS purchase_day,
    CASE WHEN orders > 0 THEN gross_cents END AS basket
  FROM purchase_days
  WHERE day < {snapshot}
),
totals AS (
  SELECT customer_id,
    <totals>
  FROM visible
  GROUP BY customer_id
)
SELECT DATE '{date}' AS snapshot_date, customer_id,
  <features>
FROM totals
WHERE days > 0""" + (_IN_ORDER := "\nORDER BY customer_id")

_UNSCORED_SQL = f"""WITH customers AS (
  SELECT customer_id,
    max(CASE WHEN orders > 0 AND day < {{snapshot}} THEN 1 ELSE 0 END) AS bought,
    max(CASE WHEN day < {{snapshot}} THEN 1 ELSE 0 END) AS seen
  FROM purchase_days
  GROUP BY customer_id
)
SELECT customer_id, CASE WHEN seen = 1 THEN '{REFUNDS_ONLY}' ELSE '{NO_ORDER_YET}' END AS reason
FROM customers
WHERE bought = 0
ORDER BY customer_id"""

_GAPS_SQL = """SELECT gap_days, CAST(count(*) AS BIGINT) AS gaps
FROM purchase_days
WHERE gap_days IS NOT NULL AND day < {snapshot}
GROUP BY gap_days
ORDER BY gap_days"""

_REPEAT_PURCHASES_SQL = """SELECT day, CAST(sum(CASE WHEN gap_days IS NULL THEN 0 ELSE 1 END) AS INTEGER) AS repeats
FROM purchase_days
WHERE orders > 0 AND day < {snapshot}
GROUP BY day
ORDER BY day"""


class Log(Protocol):
    """Validated rows: a `TransactionLog`, or a table of the same columns."""

    @property
    def table(self) -> pa.Table:
        """The used rows, in the columns of `TransactionLog`."""


class Beside(Protocol):
    """What is known of customers beside their orders, such as `features.behaviour.files.BehaviourFiles`."""

    @property
    def own(self) -> Mapping[str, str]:
        """Own features, by name, as SQL over purchase days (`features.table.own`)."""

    @property
    def baskets(self) -> Sequence[str]:
        """Features of what customers buy and pay, which come from the log too (`features.table.baskets`)."""

    def columns(self, snapshot: Snapshot, customer_ids: np.ndarray) -> dict[str, np.ndarray]:
        """Return features of the customers as known at a snapshot, arrays of shape (n_customers,) by name."""


class PurchaseHistory(Closing):
    """A log's purchase days on an engine, from which features are computed at any snapshot.

    Parameters
    ----------
    log : Log
    engine : Engine, optional
        By default that of `engine_for`, closed with the history.
    beside : Beside, optional
        Gives further columns of the customers, behind those of the orders.
    """

    def __init__(self, log: Log, engine: Engine | None = None, beside: Beside | None = None) -> None:
        self._owned = engine is None
        self._beside = beside
        self.engine: Engine = engine or engine_for(log.table.num_rows)
        self._columns = log.table.column_names
        self._days = log.table["ordered_on"]
        if log.table.num_rows > SMALL_LOG_ROWS:
            self.engine = NumberedCustomers(self.engine, _ids_of(log))
        self.engine.register(LOG, log.table)
        self.engine.create(PURCHASE_DAYS, purchase_days_sql(self._columns))
        if beside is not None and set(beside.baskets) & set(told_by(self._columns)):
            self.engine.create(BASKET_DAYS, basket_days_sql(self._columns))

    def purchases(self, snapshot: Snapshot) -> pd.DataFrame:
        """Return the columns of `features` that models of purchases and of spend are fitted on: `OF_PURCHASES`."""
        sql = features_sql(self._columns, snapshot, OF_PURCHASES)
        found = self.engine.query(sql).drop_columns(["customer_id"])
        return found.to_pandas(date_as_object=False).astype(_OF_PURCHASES_TYPES)

    def columns(self, snapshot: Snapshot) -> dict[str, Any]:
        """Describe every customer with a purchase day before the snapshot.

        Returns
        -------
        dict of name to ndarray of shape (n_customers,)
            ``snapshot_date``, ``customer_id`` and `FEATURES`, ordered by customer_id; NaN where a feature is
            undefined. Then what is known beside the orders.
        """
        parts = self.engine.query(features_sql(self._columns, snapshot)).to_batches()
        if len(parts) > 1:
            found = _joined(parts)
        else:
            table = _typed(pa.Table.from_batches(parts)) if parts else SCHEMA.empty_table()
            found = {
                name: column.to_numpy() for name, column in zip(SCHEMA.names, table.columns, strict=True)
            }
        return found | self._further(snapshot, found["customer_id"])

    def features(self, snapshot: Snapshot) -> pd.DataFrame:
        """Return `columns` as a DataFrame of shape (n_customers, 2 + n_features), for analysis."""
        table = pa.concat_tables(self.tables(snapshot)).to_pandas(date_as_object=False)
        return table.assign(**self._further(snapshot, table["customer_id"].to_numpy(dtype=object)))

    def _further(self, snapshot: Snapshot, customer_ids: np.ndarray) -> dict[str, np.ndarray]:
        """Return the features that not every history has: of files, of baskets, and the shop's own."""
        if self._beside is None:
            return {}
        found = self._beside.columns(snapshot, customer_ids)
        if wanted := self._beside.baskets:
            found |= basket_columns(self.engine, self._columns, snapshot, wanted, customer_ids)
        own = self._beside.own
        return found | (own_columns(self.engine, self._columns, snapshot, own, customer_ids) if own else {})

    def tables(self, snapshot: Snapshot) -> Iterator[pa.Table]:
        """Yield what `columns` gives of the orders alone, as tables of `SCHEMA` one after the other."""
        parts = self.engine.parts() if isinstance(self.engine, NumberedCustomers) else [ALL]
        for part in parts:
            yield _typed(self.engine.query(features_sql(self._columns, snapshot, among=part)))

    def unscored(self, snapshot: Snapshot) -> pd.DataFrame:
        """List the log's customers without features, with the reason: scored + unscored = customers of the log.

        Returns
        -------
        DataFrame
            ``customer_id`` and ``reason``, ordered by customer_id.
        """
        return self.engine.query(unscored_sql(snapshot)).to_pandas()

    def rows_seen(self, snapshot: Snapshot) -> int:
        """Count the rows of the log before the snapshot; the others are not yet visible."""
        return int(np.count_nonzero(self._days.to_numpy() < np.datetime64(snapshot.date)))

    def repeat_purchases(self, snapshot: Snapshot) -> tuple[int, np.ndarray]:
        """Count the repeat purchases of each day before the snapshot: purchase days of customers who had bought.

        Returns
        -------
        first day of the log (days since 1970-01-01), and an ndarray of shape (n_days,) from that day on
        """
        found = self.engine.query(_at(_REPEAT_PURCHASES_SQL, snapshot))
        days, counts = (found[name].to_numpy() for name in ("day", "repeats"))
        if not len(days):
            return 0, np.zeros(0)
        return int(days[0]), np.bincount(days - days[0], weights=counts)

    def gaps(self, snapshot: Snapshot) -> tuple[np.ndarray, np.ndarray]:
        """Count the gaps between successive purchase days before a snapshot by their length.

        Returns
        -------
        two ndarrays of int of shape (n_lengths,): days, ascending, and how many gaps are as long
        """
        found = self.engine.query(_at(_GAPS_SQL, snapshot))
        return found["gap_days"].to_numpy(), found["gaps"].to_numpy()

    def close(self) -> None:
        """Close the engine, if it is the history's own."""
        if self._owned:
            self.engine.close()


def _typed(found: pa.Table) -> pa.Table:
    # Table.cast takes most of a millisecond for columns that are already of their types: as long as validating.
    typed = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(found.itercolumns(), SCHEMA, strict=True)
    ]
    return pa.table(typed, schema=SCHEMA)


def _joined(parts: list[pa.RecordBatch]) -> dict[str, np.ndarray]:
    """Return the columns of a long feature table as arrays; ``parts`` is emptied, so that it is in memory once."""
    n_customers, start = sum(part.num_rows for part in parts), 0
    found: dict[str, np.ndarray] = {}
    while parts:
        table = _typed(pa.Table.from_batches([parts.pop(0)]))
        for name, values in zip(SCHEMA.names, (column.to_numpy() for column in table.columns), strict=True):
            found.setdefault(name, np.empty(n_customers, values.dtype))[start : start + len(values)] = values
        start += table.num_rows
    return found


def _ids_of(log: Log) -> pa.DictionaryArray:
    return log.customer_ids if isinstance(log, TransactionLog) else encoded(log.table["customer_id"])


def feature_catalogue_markdown() -> str:
    """Return `FEATURES` as a Markdown table: name, type, unit, meaning."""
    return catalogue_markdown(FEATURES)


def typed_features_sql(columns: Collection[str], snapshot: Snapshot) -> str:
    """Return the query of the feature table in the types of `SCHEMA`, in no order."""
    sql = features_sql(columns, snapshot).removesuffix(_IN_ORDER)
    typed = ", ".join(f"CAST({f.name} AS {_SQL_TYPES[f.dtype]}) AS {f.name}" for f in FEATURES)
    return f"SELECT snapshot_date, customer_id, {typed}\nFROM (\n{sql}\n)"


def unscored_sql(snapshot: Snapshot) -> str:
    """Return the query of the log's customers without features, with the reason, by customer_id."""
    return _at(_UNSCORED_SQL, snapshot)


def features_sql(
    columns: Collection[str], snapshot: Snapshot, names: Collection[str] = (), among: str = ALL
) -> str:
    """Return the query of the feature table for a log with these columns; of the named features alone, if any.

    ``among`` is a condition on the customers, as `NumberedCustomers.parts` gives it.
    """
    totals = {**rfm.TOTALS, **tenure.TOTALS, **behaviour.TOTALS, **seasons.TOTALS}
    for column, of_column in behaviour.OPTIONAL_TOTALS.items():
        if column in columns:
            totals |= of_column
    lines = [f"{expression} AS {name}" for name, expression in totals.items()]
    known = {None, *columns}
    selected = [f"{f.expression if f.needs in known else 'NULL'} AS {f.name}" for f in FEATURES]
    if names:
        selected = [line for line, f in zip(selected, FEATURES, strict=True) if f.name in names]
    sql = _FEATURES_SQL.replace("<totals>", ",\n    ".join(lines))
    if among != ALL:
        sql = sql.replace("  WHERE day < {snapshot}", f"  WHERE day < {{snapshot}} AND {among}")
    return _at(sql.replace("<features>", ",\n  ".join(selected)), snapshot)


def _at(sql: str, snapshot: Snapshot) -> str:
    day = snapshot.date
    return sql.format(
        snapshot=(day - date(1970, 1, 1)).days, date=day.isoformat(), weekday=day.weekday(), month=day.month
    )
