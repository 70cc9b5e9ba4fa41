"""The embedded engine: tables of its own, closed doors, errors that quote the SQL."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pyarrow as pa
import pytest

from features.engines.duckdb import DuckDBEngine
from features.engines.engine import EngineError

NUMBERS = pa.table({"n": [3, 1, 2]})


@pytest.fixture(params=[False, True], ids=["large", "small"])
def engine(request):
    with DuckDBEngine(small=request.param) as engine:
        yield engine


def test_a_kept_result_can_be_queried_and_replaced(engine):
    engine.register("numbers", NUMBERS)
    engine.create("doubled", "SELECT 2 * n AS n FROM numbers")
    engine.create("doubled", "SELECT n + 1 AS n FROM doubled")

    assert engine.query("SELECT n FROM doubled ORDER BY n").to_pydict() == {"n": [3, 5, 7]}


def test_unix_date_counts_days_since_1970(engine):
    engine.register("days", pa.table({"day": [date(1970, 1, 2), date(1969, 12, 31), date(2024, 2, 29)]}))

    # 54 years of 365 days, 13 leap days (1972 to 2020), and 59 days
    assert engine.query("SELECT unix_date(day) AS n FROM days ORDER BY day").to_pydict() == {
        "n": [-1, 1, 54 * 365 + 13 + 59]
    }


def test_two_engines_do_not_see_each_others_tables(engine):
    engine.register("numbers", NUMBERS)
    engine.create("kept", "SELECT n FROM numbers")

    with DuckDBEngine() as other:
        other.register("numbers", pa.table({"n": [9]}))
        other.create("kept", "SELECT n FROM numbers")
        assert other.query("SELECT n FROM kept").to_pydict() == {"n": [9]}
    assert engine.query("SELECT sum(n) AS n FROM kept").to_pydict() == {"n": [6]}


def test_a_failing_query_is_quoted_line_by_line(engine):
    sql = "WITH doubled AS (\n  SELECT 2 * nonsense AS n\n)\nSELECT n FROM doubled"

    with pytest.raises(EngineError, match=r'"nonsense"(?s:.*)   2 \|   SELECT 2 \* nonsense AS n') as caught:
        engine.query(sql)

    assert caught.value.sql == sql


def test_a_failing_table_is_quoted_and_the_engine_goes_on(engine):
    with pytest.raises(EngineError, match="1 | CREATE OR REPLACE TEMP TABLE kept AS"):
        engine.create("kept", "SELECT missing FROM nowhere")

    assert engine.query("SELECT 1 AS one").to_pydict() == {"one": [1]}


def test_a_syntax_error_is_quoted_too(engine):
    with pytest.raises(EngineError, match="SELEKT"):
        engine.query("SELEKT 1")


def test_sql_cannot_read_files_or_python_variables(engine, tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    lying_about = NUMBERS  # DuckDB would read a variable of that name

    with pytest.raises(EngineError, match="disabled"):
        engine.query(f"SELECT * FROM '{tmp_path}/secret.csv'")
    with pytest.raises(EngineError, match="lying_about"):
        engine.query("SELECT * FROM lying_about")
    assert lying_about is NUMBERS


def test_engines_work_side_by_side_in_threads():
    def square(number: int) -> int:
        with DuckDBEngine(small=True) as engine:
            engine.register("numbers", pa.table({"n": [number]}))
            engine.create("squares", "SELECT n * n AS n FROM numbers")
            return engine.query("SELECT n FROM squares")["n"][0].as_py()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(square, range(100))) == [number * number for number in range(100)]


MEMORY = """
from features.engines.duckdb import DuckDBEngine
from features.memory import held_bytes

with DuckDBEngine() as engine:
    before = held_bytes()
    engine.create("wide", "SELECT i, md5(CAST(i AS VARCHAR)) AS a FROM range(3000000) AS t(i)")
    engine.create("ordered", "SELECT a, count(*) AS n, max(i) AS i FROM wide GROUP BY a ORDER BY a")
    answer = engine.query("SELECT * FROM ordered")
    taken = held_bytes() - before
    del answer
print(taken, held_bytes() - before)
"""


def test_the_memory_of_an_engine_is_the_process_s_again_when_it_closes():
    # In a process of its own: what others have freed may be taken again without a trace.
    said = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True).stdout
    taken, left = map(int, said.split())

    assert taken > 3e8
    assert left < taken / 4
