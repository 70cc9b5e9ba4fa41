"""A scored list made on Spark: features and scores stay where the log lies, and only counts come to the driver.

The driver loads the champion once; its files travel with the function that Spark sends to its workers, each of which
makes the model of them once. A task scores the customers of its partition by the code that scores any list, so a
customer gets the same numbers, to the last digit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from features.behaviour.catalogue import file_in_words
from features.engines.spark_log import SparkLog, spark_schema
from features.errors import ModelError
from features.language import current_language, translated, use_language
from features.log.clock import require_known_orders
from features.snapshot import Snapshot
from features.table.spark_history import SparkHistory
from features.temporary import temporary_folder
from serving.scorer import Scorer
from training.model.files import load_model, save_model
from training.model.score_schema import SCHEMA

if TYPE_CHECKING:
    from features.engines.spark import DataFrame

SCORED = "scored_customers"

RECENT = "datediff(snapshot_date, last_purchase_date) <= dormant_after_days"
"""SQL condition of the customers who are not dormant."""

_ORDER = f"{RECENT} DESC, value_at_risk + 0e0 DESC, customer_id"
"""The order of a list, as `training.model.score_table.list_order` has it."""

_TYPES: dict[Any, pa.DataType] = {
    str: pa.string(),
    float: pa.float64(),
    int: pa.int64(),
    date: pa.date32(),
    list: pa.list_(pa.string()),
}


@dataclass(frozen=True)
class Counted:
    """How many customers, and their value at risk in money; how many of them are dormant."""

    customers: int
    value_at_risk: float
    dormant: int


@dataclass(frozen=True)
class SparkList:
    """The customers of a log on Spark, scored or with the reason why not.

    Parameters
    ----------
    log : SparkLog
    history : SparkHistory
    snapshot : Snapshot
    scored : Counted
    unscored : dict of reason to number of customers
    rows_not_visible : int, used rows at or after the snapshot
    """

    log: SparkLog
    history: SparkHistory
    snapshot: Snapshot
    scored: Counted
    unscored: dict[str, int]
    rows_not_visible: int

    def part(self, where: str = "true", top: int | None = None) -> DataFrame:
        """Return the part of the list for which an SQL condition on its columns holds, in its order."""
        limit = "" if top is None else f"\nLIMIT {top}"
        return self.log.engine.frame(f"SELECT * FROM {SCORED} WHERE {where}\nORDER BY {_ORDER}{limit}")

    def counted(self, where: str = "true", top: int | None = None) -> Counted:
        """Count the customers of `part`, and sum up their value at risk."""
        limit = "" if top is None else f" ORDER BY {_ORDER} LIMIT {top}"
        return _counted(self.log, f"(SELECT * FROM {SCORED} WHERE {where}{limit})")


def require_scorable(scorer: Scorer) -> None:
    """Refuse a version that takes more than the orders of each customer.

    Raises
    ------
    ModelError
        Names what it takes.
    """
    model = scorer.model
    taken = [
        *map(file_in_words, model.files),
        *([translated("own features")] if model.own else []),
        *([translated("real money")] if scorer.prices else []),
    ]
    if taken:
        raise ModelError(
            translated(
                "Version {version} takes {taken}, and --engine spark scores by orders alone. Use --engine duckdb, or "
                "train a version without them.",
                version=scorer.version,
                taken=taken,
            )
        )


def score_on_spark(scorer: Scorer, log: SparkLog, snapshot: Snapshot | None = None) -> SparkList:
    """Score every customer of a log that lies on Spark.

    Parameters
    ----------
    scorer : Scorer, whose version `require_scorable` lets through
    log : SparkLog
    snapshot : Snapshot
        By default the day after the log's last order.

    Raises
    ------
    WindowError
        If the snapshot lies in the future.
    """
    snapshot = snapshot or Snapshot.after(log.last_day)
    require_known_orders(snapshot)
    history = SparkHistory(log)
    schema = _schema(log.currency)
    scored = _scored(packed(scorer), scorer.version, schema, log.currency, current_language())
    log.engine.keep(SCORED, history.frame(snapshot).mapInArrow(scored, spark_schema(schema)))
    counts = _counted(log, SCORED)
    unscored = log.engine.query(
        f"SELECT reason, count(*) AS n FROM ({history.unscored_query(snapshot)}) GROUP BY reason ORDER BY n DESC"
    )
    return SparkList(
        log,
        history,
        snapshot,
        counts,
        {each["reason"]: each["n"] for each in unscored.to_pylist()},
        log.rows_used - history.rows_seen(snapshot),
    )


def _counted(log: SparkLog, rows: str) -> Counted:
    found = log.engine.query(
        f"SELECT count(*) AS n, coalesce(sum(value_at_risk), 0e0) AS money, count_if(NOT {RECENT}) AS dormant\n"
        f"FROM {rows}"
    )
    return Counted(*(found[name][0].as_py() for name in ("n", "money", "dormant")))


def packed(scorer: Scorer) -> dict[str, bytes]:
    """Return the files of a version, which hold no customer's data, by name."""
    with temporary_folder() as folder:
        save_model(scorer.model, folder)
        return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@cache
def _unpacked(files: tuple[tuple[str, bytes], ...], digest: str, version: str) -> Scorer:
    with temporary_folder() as folder:
        for name, content in files:
            (folder / name).write_bytes(content)
        return Scorer(load_model(folder), version)


def _scored(
    files: dict[str, bytes], version: str, schema: pa.Schema, currency: str | None, language: str
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function of the workers: from rows of the feature table to rows of the list."""
    content = tuple(files.items())
    digest = hashlib.sha256(b"".join(files.values())).hexdigest()

    def scored(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scorer = _unpacked(content, digest, version)
        with use_language(language):
            for batch in batches:
                if batch.num_rows:
                    yield _list_of(scorer, batch, schema, currency)

    return scored


def _list_of(
    scorer: Scorer, batch: pa.RecordBatch, schema: pa.Schema, currency: str | None
) -> pa.RecordBatch:
    table = {
        name: column.to_numpy(zero_copy_only=False)
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    }
    columns = scorer.score_columns(table)
    columns["currency"] = np.full(batch.num_rows, currency, dtype=object)
    return pa.record_batch(
        [pa.array(columns[field.name], field.type, from_pandas=True) for field in schema], schema=schema
    )


def _schema(currency: str | None) -> pa.Schema:
    fields = [(column.name, _TYPES[column.type]) for column in SCHEMA.values()]
    return pa.schema([*fields, *([("currency", pa.string())] if currency else [])])
