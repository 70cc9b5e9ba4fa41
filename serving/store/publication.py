"""Publication of a scored list as the newest set: checks, then a bulk load in one transaction.

Rows are inserted in the order of customer id, so that the primary key's index is only appended to, and in slices, so
that a million customers need little memory besides the list itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from features.arrow_tables import plain
from features.errors import StoreError
from features.language import translated
from serving.store.database import Database
from serving.store.loading import SLICE_ROWS, load, renew_statistics
from serving.store.own_places import place_own
from serving.store.rankings import RANKED_BY, rank, ranks_of
from serving.store.tables import own_places, rankings, score_sets, scores as scores_table, tallies
from training.model.score_schema import SCHEMA, Column
from training.model.score_table import CompactColumns

if TYPE_CHECKING:
    from features.progress import Report

_ARROW: dict[type, pa.DataType] = {
    str: pa.string(),
    float: pa.float64(),
    int: pa.int64(),
    date: pa.date32(),
    list: pa.string(),  # as JSON
}
_COLUMNS = [column for column in SCHEMA.values() if not column.per_list]
_SCHEMA = pa.schema([(column.name, _ARROW[column.type]) for column in _COLUMNS])
_JSON = json.JSONEncoder(ensure_ascii=False)
_PER_LIST = [column for column in SCHEMA.values() if column.per_list]


def publish(
    database: Database,
    scores: pd.DataFrame | pa.Table,
    keep: int,
    progress: Report | None,
    wait_seconds: float,
) -> dict[str, Any]:
    """Load a set and delete those before the last ``keep``; return the row of ``score_sets``.

    Raises
    ------
    StoreError
        As `serving.store.store.Store.publish`.
    """
    if keep < 1:
        raise StoreError(
            translated(
                "Of the published sets, {keep} should stay; keep at least 1, the one that answers.", keep=keep
            )
        )
    head = _head(scores)
    report = progress or (lambda step, done, total: None)
    report(translated("Publishing"), 0, len(scores))
    with database.write(wait_seconds=wait_seconds) as connection:
        if connection.dialect.name == "postgresql":  # conflicts with other publishers only
            connection.execute(sa.text("LOCK TABLE score_sets IN SHARE ROW EXCLUSIVE MODE"))
        # First: SQLite puts the new rows where the deleted ones were.
        _delete_all_but(connection, keep - 1)
        head["published_at"] = datetime.now(UTC)
        head["id"] = connection.scalar(sa.insert(score_sets).values(head).returning(score_sets.c.id))
        # Arrow compares texts by their bytes, as both databases do here.
        order = pc.sort_indices(_ids(scores)).to_numpy()
        slices = _slices(scores, order, head["id"])
        load(
            connection, scores_table, slices, lambda done: report(translated("Publishing"), done, len(scores))
        )
        ranks = ranks_of(connection, head["id"], _rows(scores, RANKED_BY, order).reset_index(drop=True))
        rank(connection, head["id"], ranks)
        place_own(connection, head["id"], ranks)
        renew_statistics(connection, score_sets, scores_table, rankings, tallies, own_places)
    return head


def _ids(scores: pd.DataFrame | pa.Table) -> pa.ChunkedArray | pa.Array:
    ids = scores["customer_id"]
    return ids if isinstance(scores, pa.Table) else pa.array(ids, pa.string())


def _rows(scores: pd.DataFrame | pa.Table, names: Sequence[str], places: np.ndarray) -> pd.DataFrame:
    """Return columns of some customers."""
    if isinstance(scores, pa.Table):
        return pd.DataFrame(
            dict(CompactColumns(scores.select(list(names)).take(pa.array(places)))), copy=False
        )
    return scores[list(names)].iloc[places]


def _distinct(scores: pd.DataFrame | pa.Table, name: str) -> list[Any]:
    if isinstance(scores, pa.Table):
        return list(plain(scores.select([name])).column(0).unique().to_pylist())
    return list(pd.unique(scores[name]))


def _head(scores: pd.DataFrame | pa.Table) -> dict[str, Any]:
    """Return the values that are the same for the whole list, after checking that they are."""
    if not len(scores):
        raise StoreError(translated("There is nothing to publish: the list holds no scored customer."))
    head: dict[str, Any] = {"customers": len(scores)}
    for column in _PER_LIST:
        values = _distinct(scores, column.name)
        if len(values) > 1:
            raise StoreError(
                translated(
                    "The list holds {n} values of {name}, such as {one} and {another}. Publish the scores of"
                    " one snapshot and one model version at a time.",
                    n=len(values),
                    name=column.name,
                    one=values[0],
                    another=values[1],
                )
            )
        head[column.name] = _plain(values[0], column)
    twice = len(scores) - pc.count_distinct(_ids(scores), mode="all").as_py()
    if twice:
        raise StoreError(
            translated(
                "{twice:row|rows} of the list name a customer who is in it already. Score each once.",
                twice=twice,
            )
        )
    return head


def _plain(value: Any, column: Column) -> Any:
    """Return a value of the whole list in the type that the schema says."""
    if pd.isna(value):
        raise StoreError(translated("The list has no {name}. Nothing was published.", name=column.name))
    return pd.Timestamp(value).date() if column.type is date else column.type(value)


def _delete_all_but(connection: sa.Connection, sets: int) -> None:
    """Delete the sets before the last few."""
    newest = sa.select(score_sets.c.id).order_by(score_sets.c.id.desc()).limit(sets)
    old = list(connection.scalars(sa.select(score_sets.c.id).where(score_sets.c.id.not_in(newest))))
    connection.execute(sa.delete(scores_table).where(scores_table.c.set_id.in_(old)))
    connection.execute(sa.delete(score_sets).where(score_sets.c.id.in_(old)))


def _slices(scores: pd.DataFrame | pa.Table, order: np.ndarray, set_id: int) -> Iterator[pa.Table]:
    """Yield the list in an order, as Arrow tables of the stored columns."""
    for start in range(0, len(scores), SLICE_ROWS):
        rows = _rows(scores, _SCHEMA.names, order[start : start + SLICE_ROWS])
        rows = rows.assign(reasons=[_JSON.encode(list(r)) for r in rows["reasons"]])
        table = _complete(pa.Table.from_pandas(rows, _SCHEMA, preserve_index=False))
        yield table.add_column(0, "set_id", pa.repeat(pa.scalar(set_id), table.num_rows))


def _complete(table: pa.Table) -> pa.Table:
    """Raise a StoreError if a required value is missing or a number is infinite."""
    for stated, column in zip(_COLUMNS, table.columns, strict=True):
        lacking = column.null_count if stated.required else 0
        if stated.type is float:
            lacking += pc.sum(pc.is_inf(column)).as_py() or 0
        if lacking:
            raise StoreError(
                translated(
                    "{name} is missing or infinite for some of the customers. Nothing was published.",
                    name=stated.name,
                )
            )
    return table
