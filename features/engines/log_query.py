"""SQL over the raw rows of a log: a condition that chooses rows, or a query that makes the log's columns.

The database holds nothing but the log, and can reach no file and no address.
"""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.engines.resources import engine_bytes, exhausted, spill_folder
from features.errors import LogError
from features.language import translated

LOG = "log"


def rows_where(table: pa.Table, condition: str) -> npt.NDArray[np.bool_]:
    """Tell for each row whether an SQL condition over the log's columns holds; unknown is no.

    Raises
    ------
    LogError
        If the condition cannot be run; says what DuckDB says.

    Examples
    --------
    >>> log = pa.table({"status": ["paid", "failed", None], "amount": ["5", "7", "9"]})
    >>> rows_where(log, "status = 'paid' OR CAST(amount AS DOUBLE) > 8")
    array([ True, False,  True])
    """
    kept = _run(table, f"SELECT coalesce(({condition}), false) AS kept FROM {LOG}", "--where", condition)
    if kept.num_rows != table.num_rows or not pa.types.is_boolean(kept.schema.field(0).type):
        raise LogError(
            translated(
                "--where {condition!r} is no condition. For example: --where \"status = 'paid'\".",
                condition=condition,
            )
        )
    return np.asarray(kept["kept"].to_numpy(), dtype=bool)


def query_log(table: pa.Table, sql: str) -> pa.Table:
    """Return the rows of a SELECT over the log, which is called ``log``.

    Raises
    ------
    LogError
        If the query cannot be run; says what DuckDB says.

    Examples
    --------
    >>> log = pa.table({"kind": ["sale", "refund"], "amount": ["5.00", "7.00"]})
    >>> sql = "SELECT CASE kind WHEN 'refund' THEN '-' || amount ELSE amount END AS amount FROM log"
    >>> query_log(log, sql)["amount"].to_pylist()
    ['5.00', '-7.00']
    """
    return _run(table, sql, "The query", sql)


def _run(table: pa.Table, sql: str, what: str, shown: str) -> pa.Table:
    config: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": False,
        "python_enable_replacements": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "lock_configuration": True,
        "memory_limit": f"{engine_bytes()}B",
        "temp_directory": str(spill_folder()),
    }
    with duckdb.connect(":memory:", config=config) as database:
        database.register(LOG, table)
        try:
            statements = database.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise LogError(translated("{what} {shown!r} is not one SELECT.", what=what, shown=shown))
            return database.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            if short := exhausted(error):
                raise short from None
            words = " ".join(str(error).split("\n\n")[0].split())
            raise LogError(
                translated(
                    "{what} {shown!r} cannot be run over the log: {words}.",
                    what=what,
                    shown=shown,
                    words=words,
                )
            ) from None
