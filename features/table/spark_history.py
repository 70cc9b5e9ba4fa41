"""The feature table on Spark: `PurchaseHistory` of a log that lies there, by the same SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.engines.spark_log import SparkLog, drawn_sql
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory, typed_features_sql, unscored_sql
from features.table.purchase_days import PURCHASE_DAYS, purchase_days_sql

if TYPE_CHECKING:
    from features.engines.spark import DataFrame


class SparkHistory(PurchaseHistory):
    """A log's purchase days on Spark.

    What `PurchaseHistory` returns as arrays comes to the driver; what is a frame here stays on the cluster.

    Parameters
    ----------
    log : SparkLog
    customers : int, optional
        Of more, take so many, drawn by a hash of their ids.
    seed : int, of the hash
    """

    def __init__(self, log: SparkLog, customers: int | None = None, seed: int = 0) -> None:
        self._owned = False
        self._beside = None
        self._columns = list(log.columns)
        self._log = log
        self.engine = log.engine
        self.engine.create(PURCHASE_DAYS, purchase_days_sql(self._columns))
        if customers is not None:
            drawn = drawn_sql(customers, seed)
            self.engine.create(PURCHASE_DAYS, f"SELECT * FROM {PURCHASE_DAYS} WHERE customer_id IN ({drawn})")

    def frame(self, snapshot: Snapshot) -> DataFrame:
        """Return the feature table in its types, in no order."""
        return self._log.engine.frame(typed_features_sql(self._columns, snapshot))

    def unscored_query(self, snapshot: Snapshot) -> str:
        """Return the query of the customers without features, with the reason, by customer_id."""
        return unscored_sql(snapshot)

    def rows_seen(self, snapshot: Snapshot) -> int:
        """Count the rows of the log before the snapshot."""
        return self._log.rows_before(snapshot.date)
