"""SQL that a caller brings to a log: one SELECT, which reads the log and nothing else."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from features.engines.log_query import query_log, rows_where
from features.errors import LogError

LOG = pa.table({"status": ["paid", "failed"], "amount": ["5", "7"]})


@pytest.mark.parametrize(
    "sql",
    [
        "COPY log TO '{folder}/new.csv'",
        "COPY (SELECT * FROM log) TO '{folder}/new.parquet' (FORMAT parquet)",
        "EXPORT DATABASE '{folder}/new'",
        "ATTACH '{folder}/new.duckdb' AS other",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA enable_profiling='json'",
        "SET enable_external_access = true",
        "CREATE TABLE t AS SELECT * FROM log",
        "SELECT 1; COPY log TO '{folder}/new.csv'",
        "SELECT * FROM log; SELECT * FROM log",
        "EXPLAIN ANALYZE SELECT * FROM log",
        "CALL pragma_version()",
        "VACUUM",
        "CHECKPOINT",
        "WITH x AS (SELECT 1) INSERT INTO log SELECT 'a', 'b'",
    ],
)
def test_a_query_that_is_no_single_select_is_refused_and_writes_nothing(tmp_path: Path, sql: str) -> None:
    with pytest.raises(LogError, match="is not one SELECT|cannot be run over the log"):
        query_log(LOG, sql.format(folder=tmp_path))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "source",
    [
        "'{file}'",
        "read_csv('{file}')",
        "read_text('{file}')",
        "read_blob('{file}')",
        "glob('{folder}/*')",
        "read_parquet('https://127.0.0.1/x.parquet')",
        "sniff_csv('{file}')",
        "query_table('{file}')",
        "query('COPY log TO ''{folder}/new.csv''')",
        "python_variable",
    ],
)
def test_a_select_reads_no_file_no_address_and_no_variable(tmp_path: Path, source: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    python_variable = LOG

    with pytest.raises(LogError, match="cannot be run over the log"):
        query_log(LOG, "SELECT * FROM " + source.format(file=secret, folder=tmp_path))

    assert list(tmp_path.iterdir()) == [secret]
    assert python_variable is LOG


@pytest.mark.parametrize(
    "condition", ["true) FROM log; COPY log TO 'x.csv' --", "true), (SELECT 1", "amount", "1 = 1) --"]
)
def test_a_condition_is_one(condition: str) -> None:
    with pytest.raises(LogError, match="--where"):
        rows_where(LOG, condition)
