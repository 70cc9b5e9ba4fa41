"""Memory and disk of the engines: what is too much goes to the folder, and where that is full the message says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.engines.duckdb import DuckDBEngine
from features.engines.log_query import query_log
from features.engines.resources import beyond_limit, engine_bytes, exhausted, resources, use_resources
from features.errors import StayworthError
from features.memory import allowed_bytes, give_back, held_bytes

WIDE = "SELECT repeat(md5(CAST(i AS VARCHAR)), 16) AS a FROM range(600000) AS t(i)"  # 300 MB


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.engines.resources._in_use", [])


def test_engines_take_most_of_the_memory_unless_told_otherwise(tmp_path: Path) -> None:
    assert 0 < resources().memory < 0.7 * allowed_bytes()

    use_resources("1GB", None)
    use_resources(None, tmp_path)

    assert (resources().memory, resources().folder) == (10**9, tmp_path)


def test_what_a_process_holds_already_is_taken_off_what_an_engine_may_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("features.engines.resources.held_bytes", lambda: 3 * 10**9)
    use_resources("8GB", None)

    assert engine_bytes() == 3.2e9  # two fifths of the limit at least

    monkeypatch.setattr("features.engines.resources.held_bytes", lambda: 10**8)
    assert engine_bytes() == 0.6 * (8 * 10**9 - 10**8)


def test_a_process_says_what_it_holds() -> None:
    give_back()  # or what earlier tests have freed goes meanwhile
    before = held_bytes()
    block = np.ones(10**7)

    assert before + 0.9 * block.nbytes < held_bytes() < allowed_bytes()


def test_a_table_larger_than_the_memory_is_kept_in_the_folder(tmp_path: Path) -> None:
    use_resources("200MB", tmp_path)

    with DuckDBEngine(threads=1) as engine:
        engine.create("wide", WIDE)
        spilled = engine.query("SELECT sum(size) AS bytes FROM duckdb_temporary_files()")["bytes"][0].as_py()
        rows = engine.query("SELECT count(*) AS n, min(length(a)) AS least FROM wide").to_pylist()

    assert spilled > 10**7
    assert rows == [{"n": 600_000, "least": 512}]
    assert list(tmp_path.glob("stayworth-run-*"))


def test_too_little_memory_for_a_query_over_the_log_names_the_flag(tmp_path: Path) -> None:
    use_resources("200MB", tmp_path)

    with pytest.raises(
        StayworthError, match="0.2GB of memory do not suffice. Allow more: --memory-limit 8GB"
    ):
        query_log(pa.table({"n": [1]}), "SELECT list(i) AS all FROM log, range(60000000) AS t(i)")


def test_a_full_disk_is_said_with_its_folder_and_the_ways_out(tmp_path: Path) -> None:
    use_resources("500MB", tmp_path)

    said = exhausted(OSError('Could not write file "…/duckdb_temp_storage-0.tmp": No space left on device'))

    assert str(said).startswith(f"The disk of {tmp_path}, where what exceeds the memory is written, is full.")
    assert "--temp-dir" in str(said) and "--memory-limit, now 0.5GB" in str(said)
    assert exhausted(OSError("Binder Error: no such column")) is None


@pytest.mark.parametrize("name", ["none", "file"])
def test_a_folder_that_is_none_is_refused_before_any_work(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(
        StayworthError, match=f"--temp-dir .*{name} is no folder. Create it, or name another."
    ):
        use_resources(None, tmp_path / name)


def test_a_log_that_needs_more_than_the_limit_by_itself_is_told() -> None:
    use_resources("1GB", None)

    assert beyond_limit(12_000_000) == []
    (warning,) = beyond_limit(30_000_000)

    assert "30,000,000 rows take 2.4GB or more" in warning
    assert "--memory-limit is 1GB" in warning
