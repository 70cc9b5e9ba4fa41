"""Aggregates that a user writes in SQL over rows of customers: checked, and run where there is nothing else to see.

The database holds the rows that it is given and no other table, reads no file and no address, and knows no clock: what
an aggregate gives depends on the customer's own rows alone. Rows are in order and there is one thread, so that sums of
a customer are the same to the last digit, whoever else is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from features.engines.resources import engine_bytes, spill_folder
from features.errors import StayworthError
from features.language import translatable, translated
from features.suggestion import did_you_mean

_ROWS = "purchase_days"
_ALLOWED = {
    *(
        "FUNCTION",
        "CASE",
        "OPERATOR",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "COLUMN_REF",
        "CAST",
        "BETWEEN",
        "TYPE",
        "STAR",
    ),
}
_WHY_NOT = {
    "SUBQUERY": translatable("has a query of its own: it may see the customer's own days alone"),
    "WINDOW": translatable("has a window (OVER): write an aggregate, such as avg(spend)"),
}
_HOLDS = translatable("holds what no feature may ({what})")
_NO_AGGREGATE = translatable(
    "is no aggregate of the customer's days: write avg(…), sum(…), max(…) or the like around its columns"
)
_BY_CHANCE = ("approx_", "reservoir_")


def require_aggregate(expression: str, types: Mapping[str, pa.DataType], name: str) -> None:
    """Check, before any row is read, that an expression is one number of a customer's rows and of nothing else.

    Parameters
    ----------
    expression : str, SQL
    types : mapping of column to type, those of the rows
    name : str, how the expression is called in errors

    Raises
    ------
    StayworthError
        If it cannot be parsed, reads something else (a table, a file, the clock, chance), is no aggregate or no number.

    Examples
    --------
    >>> require_aggregate("sum(spend) / count(*)", {"spend": pa.float64()}, "basket")
    >>> require_aggregate("max(current_date)", {"spend": pa.float64()}, "late")
    Traceback (most recent call last):
    features.errors.StayworthError: late, 'max(current_date)', depends on something else than the customer's days: \
current_date. A feature may use the columns spend.
    """
    called = f"{name}, {expression!r},"
    for node in _nodes(_parsed(expression, called)):
        kind = node["class"]
        if kind not in _ALLOWED:
            why = translated(_WHY_NOT.get(kind, _HOLDS), what=kind.lower())
            raise StayworthError(f"{called} {why}.")
        if kind == "COLUMN_REF":
            _require_column(node["column_names"][-1], types, called)
        elif kind == "FUNCTION" and not node["is_operator"]:
            _require_function(node["function_name"], types, called)
    schema = pa.schema([("customer_id", pa.string()), *types.items()])
    try:
        found = _run(schema.empty_table(), {"x": expression})["x"].type
    except duckdb.Error as error:
        why = (
            translated(_NO_AGGREGATE)
            if "GROUP BY" in str(error)
            else translated("cannot be run: {words}", words=_words(error))
        )
        raise StayworthError(f"{called} {why}.") from None
    number = pa.types.is_integer(found) or pa.types.is_floating(found) or pa.types.is_decimal(found)
    if not (number or pa.types.is_boolean(found)):
        raise StayworthError(
            translated("{called} gives {found}, and a feature is a number.", called=called, found=found)
        )


def aggregates(rows: pa.Table, expressions: Mapping[str, str]) -> tuple[list[str], dict[str, np.ndarray]]:
    """Return the customers of some rows, in their order, and the aggregates of each.

    Parameters
    ----------
    rows : pyarrow.Table
        ``customer_id`` and what the expressions read; rows of a customer follow each other.
    expressions : mapping of name to SQL, as `require_aggregate` lets them through

    Returns
    -------
    ids, and ndarrays of shape (n_customers,) by name: NaN where an aggregate is null, infinite or undefined, as after a
    division by zero

    Raises
    ------
    StayworthError
        If an expression fails on these rows.

    Examples
    --------
    >>> rows = pa.table({"customer_id": ["a", "a", "b"], "spend": [1.0, 3.0, 0.0]})
    >>> aggregates(rows, {"mean": "avg(spend)", "odd": "1 / sum(spend)"})
    (['a', 'b'], {'mean': array([2., 0.]), 'odd': array([0.25,  nan])})
    """
    try:
        found = _run(rows, expressions)
    except duckdb.Error as error:
        raise StayworthError(
            translated("A feature of [features.own] cannot be computed: {words}.", words=_words(error))
        ) from None
    columns = {}
    for name in expressions:
        numbers = found[name].cast(pa.float64()).to_numpy(zero_copy_only=False)
        columns[name] = np.where(np.isfinite(numbers), numbers, np.nan)
    return found["customer_id"].to_pylist(), columns


@cache
def _database() -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": False,
        "python_enable_replacements": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "threads": 1,
        "memory_limit": f"{engine_bytes()}B",
        "temp_directory": str(spill_folder()),
    }
    database = duckdb.connect(":memory:", config=config)
    database.execute("SET GLOBAL error_on_division_by_zero = false")
    database.execute("SET lock_configuration = true")
    return database


def _run(rows: pa.Table, expressions: Mapping[str, str]) -> pa.Table:
    selected = ", ".join(f'({expression}) AS "{name}"' for name, expression in expressions.items())
    with _database().cursor() as cursor:
        cursor.register(_ROWS, rows)
        try:
            return cursor.sql(
                f"SELECT customer_id, {selected} FROM {_ROWS} GROUP BY customer_id ORDER BY customer_id"
            ).to_arrow_table()
        finally:
            cursor.unregister(_ROWS)


def _parsed(expression: str, called: str) -> dict[str, Any]:
    """Return the syntax tree of an expression; raise if it is none, or more than one."""
    with _database().cursor() as cursor:
        found = cursor.execute(
            "SELECT json_serialize_sql(CAST(? AS VARCHAR))", [f"SELECT ({expression}\n) FROM {_ROWS}"]
        ).fetchone()
    tree: dict[str, Any] = json.loads(found[0]) if found else {"error": True, "error_message": "nothing"}
    if tree["error"]:
        raise StayworthError(
            translated(
                "{called} is no SQL expression: {why}",
                called=called,
                why=" ".join(str(tree["error_message"]).split()),
            )
        )
    node = tree["statements"][0]["node"] if len(tree["statements"]) == 1 else {}
    plain = (
        node.get("type") == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and node["from_table"].get("table_name") == _ROWS
        and not (node["where_clause"] or node["group_expressions"] or node["having"] or node["qualify"])
        and not (node["modifiers"] or node["sample"] or node["cte_map"]["map"])
    )
    if not plain:
        raise StayworthError(translated("{called} is more than one SQL expression.", called=called))
    expression_tree: dict[str, Any] = node["select_list"][0]
    return expression_tree


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield the expressions of a syntax tree; what stands in a query of its own too."""
    if isinstance(tree, dict):
        if "class" in tree:
            yield tree
        for each in tree.values():
            yield from _nodes(each)
    elif isinstance(tree, list):
        for each in tree:
            yield from _nodes(each)


def _require_column(column: str, types: Mapping[str, pa.DataType], called: str) -> None:
    if column in types:
        return
    if column.lower().startswith("current_"):
        raise _depends(column, types, called)
    raise StayworthError(
        translated(
            "{called} uses a column {column!r}, which the days of a customer do not have.{near} They "
            "have {names}.",
            called=called,
            column=column,
            near=did_you_mean(column, types),
            names=list(types),
        )
    )


def _require_function(function: str, types: Mapping[str, pa.DataType], called: str) -> None:
    kinds = _functions().get(function.lower(), set())
    if (kinds and not kinds <= {"scalar", "aggregate", "macro"}) or function.lower().startswith(_BY_CHANCE):
        raise _depends(function, types, called)


def _depends(what: str, types: Mapping[str, pa.DataType], called: str) -> StayworthError:
    return StayworthError(
        translated(
            "{called} depends on something else than the customer's days: {what}. A feature may use "
            "the columns {names}.",
            called=called,
            what=what,
            names=list(types),
        )
    )


@cache
def _functions() -> dict[str, set[str]]:
    """Return DuckDB's functions with their kinds; "odd" is one of those that give another result another time."""
    same = "coalesce(stability, 'CONSISTENT') = 'CONSISTENT'"
    sql = f"SELECT function_name, function_type, {same} FROM duckdb_functions()"
    found: dict[str, set[str]] = {}
    with _database().cursor() as cursor:
        for name, kind, always in cursor.execute(sql).fetchall():
            found.setdefault(name.lower(), set()).add(kind if always else "odd")
    return found


def _words(error: duckdb.Error) -> str:
    return " ".join(str(error).split("\n\n")[0].split()).rstrip(".")
