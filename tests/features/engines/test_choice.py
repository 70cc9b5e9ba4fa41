"""Which engine runs the features of a log."""

from __future__ import annotations

import pytest

from features.engines.choice import SMALL_LOG_ROWS, engine_for
from features.engines.duckdb import DuckDBEngine
from features.engines.engine import Engine
from features.engines.prepared import PreparedEngine


def threads(engine: Engine) -> object:
    return engine.query("SELECT current_setting('threads') AS threads")["threads"][0].as_py()


@pytest.mark.parametrize("rows", [1, SMALL_LOG_ROWS])
def test_a_live_request_has_prepared_statements(rows: int) -> None:
    with engine_for(rows, live=True) as engine:
        assert isinstance(engine, PreparedEngine)


def test_a_large_live_request_is_read_by_one_thread_so_that_others_are_answered_too() -> None:
    with engine_for(SMALL_LOG_ROWS + 1, live=True) as engine:
        assert isinstance(engine, DuckDBEngine)
        assert threads(engine) == 1


def test_a_log_has_the_threads_that_were_asked_for() -> None:
    with engine_for(SMALL_LOG_ROWS + 1, threads=3) as engine:
        assert threads(engine) == 3


def test_a_small_log_is_read_by_one_thread() -> None:
    with engine_for(SMALL_LOG_ROWS, threads=3) as engine:
        assert threads(engine) == 1
