"""The engine for live requests: prepared once, another request's rows each time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from features.engines.engine import EngineError
from features.engines.prepared import PreparedEngine

SQUARES = "SELECT n * n AS n FROM numbers"


def squares(*numbers: int | float, query: str = "SELECT n FROM squares ORDER BY n") -> list[int | float]:
    with PreparedEngine() as engine:
        engine.register("numbers", pa.table({"n": list(numbers)}))
        engine.create("squares", SQUARES)
        return engine.query(query)["n"].to_pylist()


def test_each_request_is_answered_from_its_own_rows() -> None:
    assert squares(3, 1, 2) == [1, 4, 9]
    assert squares(5) == [25]
    assert squares(3, 1, 2) == [1, 4, 9]


def test_a_table_of_other_types_is_another_matter() -> None:
    assert squares(3) == [9]
    assert squares(1.5) == [2.25]


def test_more_queries_than_are_kept_are_all_answered() -> None:
    for more in (*range(40), *range(40)):
        assert squares(2, query=f"SELECT n + {more} AS n FROM squares") == [4 + more]


def test_another_query_under_a_name_takes_its_place() -> None:
    assert squares(2) == [4]

    with PreparedEngine() as engine:
        engine.register("numbers", pa.table({"n": [2]}))
        engine.create("squares", "SELECT -n AS n FROM numbers")
        assert engine.query("SELECT n FROM squares ORDER BY n")["n"].to_pylist() == [-2]

    assert squares(2) == [4]


def test_nothing_is_left_of_a_request_for_the_next() -> None:
    squares(7)

    with PreparedEngine() as engine:
        engine.register("numbers", pa.table({"n": pa.array([], pa.int64())}))
        engine.create("squares", SQUARES)
        assert engine.query("SELECT n FROM squares ORDER BY n").num_rows == 0


def test_a_failing_query_is_quoted_and_the_next_request_is_answered() -> None:
    with pytest.raises(EngineError, match="1 | SELECT nonsense FROM squares"):
        squares(3, query="SELECT nonsense FROM squares")
    with pytest.raises(EngineError, match="Conversion"):
        squares(3, query="SELECT CAST('x' || n AS INTEGER) AS n FROM squares")

    assert squares(3) == [9]


def test_requests_at_the_same_time_do_not_mix() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(squares, range(200))) == [[number * number] for number in range(200)]


def test_the_table_comes_first_and_is_the_only_one() -> None:
    with pytest.raises(ValueError, match="registered first"), PreparedEngine() as engine:
        engine.query("SELECT 1 AS one")
    with pytest.raises(ValueError, match="reads one table"), PreparedEngine() as engine:
        engine.register("numbers", pa.table({"n": [1]}))
        engine.register("others", pa.table({"n": [1]}))
