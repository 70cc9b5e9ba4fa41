"""A publication is one switch: readers, a kill, a full disk and a second publisher see the old set or the new."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pandas as pd
import psycopg
import pyarrow as pa
import pytest

from features.errors import StoreError
from features.log.transactions import TransactionLog
from serving.scorer import Scorer
from serving.store.choice import Choice
from serving.store.store import Store
from training.model.score_schema import SCORE_COLUMNS

ScoredList = Callable[..., pd.DataFrame]

CUSTOMERS = [f"{number:05}" for number in range(3_000)]
SETS = 8
# Publishes lists that it is handed as Parquet, in a process of its own: uri, file, then what to do.
PUBLISHER = """
import sys, time
import pandas as pd
from serving.store import publication
from serving.store.store import Store

uri, file, task = sys.argv[1:]
store, scores = Store(uri), pd.read_parquet(file)
if task == "halt":
    publication.SLICE_ROWS = 1000
    def halt(step, done, total):
        if done == 2000:
            print("two slices of three are in", flush=True)
            time.sleep(60)
    store.publish(scores, progress=halt)
for number in range(2, int(task) + 1):
    store.publish(scores.assign(model_version=str(number), **{
        name: float(number) for name in scores.columns[2:12]
    }), keep=2)
"""


@pytest.fixture
def publisher(store_uri: str, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a process that publishes a list; it does not outlive the test."""
    started: list[subprocess.Popen[str]] = []

    def start(scores: pd.DataFrame, task: object) -> subprocess.Popen[str]:
        file = tmp_path / "scores.parquet"
        scores.to_parquet(file)
        command = [sys.executable, "-c", PUBLISHER, store_uri, str(file), str(task)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_readers_never_see_a_mix_while_sets_are_switched(
    store: Store, scored_list: ScoredList, publisher: Callable[..., subprocess.Popen[str]]
) -> None:
    first = scored_list(CUSTOMERS, number=1.0)
    store.publish(first)
    process = publisher(first, SETS)
    seen: list[list[tuple[int, str]]] = [[], [], []]
    mixed: list[object] = []

    def read(place: int) -> None:
        choose = Random(place)
        while process.poll() is None:
            found = store.lookup(choose.sample(CUSTOMERS, 20))
            version = found.publication.model_version
            numbers = {score[name] for score in found.scores for name in SCORE_COLUMNS[2:12]}
            versions = {score["model_version"] for score in found.scores}
            if numbers != {float(version)} or versions != {version} or found.unknown:
                mixed.append(found)
            seen[place].append((found.publication.id, version))

    readers = [threading.Thread(target=read, args=(place,)) for place in range(len(seen))]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()

    assert process.returncode == 0
    assert mixed == []
    assert sum(map(len, seen)) > 1_000
    for answers in seen:
        assert answers == sorted(answers)  # nobody is thrown back to an older set
    assert len(set().union(*seen)) > 2  # and the switches did happen under the readers' eyes
    assert store.lookup(CUSTOMERS[:1]).publication.model_version == str(SETS)


def test_a_killed_publisher_leaves_the_old_set_and_the_way_free(
    store: Store, scored_list: ScoredList, publisher: Callable[..., subprocess.Popen[str]]
) -> None:
    old = store.publish(scored_list(["gone tomorrow", *CUSTOMERS]), keep=1)
    process = publisher(scored_list(CUSTOMERS), "halt")
    assert process.stdout is not None
    assert process.stdout.readline() == "two slices of three are in\n"

    process.kill()
    process.wait()

    assert store.newest() == old
    assert len(store.lookup(["gone tomorrow", *CUSTOMERS]).scores) == 1 + len(CUSTOMERS)

    new = store.publish(scored_list(CUSTOMERS), keep=1)

    assert store.lookup(["gone tomorrow"]).publication == new
    assert store.lookup(["gone tomorrow"]).unknown == ["gone tomorrow"]


def test_a_second_publisher_waits_and_readers_do_not(
    store: Store, store_uri: str, scored_list: ScoredList
) -> None:
    old = store.publish(scored_list(CUSTOMERS))
    halfway, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def halt(step: str, rows: int, total: int) -> None:
        if rows:
            halfway.set()
            go_on.wait(30)

    def publish(name: str, **how: object) -> None:
        with Store(store_uri) as own:
            own.publish(scored_list(CUSTOMERS, model_version=name), **how)  # type: ignore[arg-type]
        done.append(name)

    slow = threading.Thread(target=publish, args=("slow",), kwargs={"progress": halt})
    slow.start()
    halfway.wait(30)
    waiting = threading.Thread(target=publish, args=("waiting",))
    waiting.start()

    with pytest.raises(StoreError, match="is being written to by another process. Try again"):
        store.publish(scored_list(CUSTOMERS, model_version="impatient"), wait_seconds=0.3)
    started = time.monotonic()
    assert store.lookup(CUSTOMERS[:5]).publication == old == store.newest()
    assert time.monotonic() - started < 5
    assert done == []

    go_on.set()
    slow.join()
    waiting.join()

    assert done == ["slow", "waiting"]
    assert store.lookup(CUSTOMERS[:5]).publication.model_version == "waiting"


def test_a_full_disk_leaves_the_old_set_in_sqlite(small_disk: Path, scored_list: ScoredList) -> None:
    with Store(f"sqlite:///{small_disk}/store.db") as store:
        old = store.publish(scored_list(CUSTOMERS[:1000]))
        assert store.newest() == old  # and from now on there is a reader
        larger = scored_list([str(number) for number in range(40_000)])

        with pytest.raises(StoreError, match="is full. What was published before is intact. Free some space"):
            store.publish(larger)

        assert small_disk.joinpath("store.db-wal").stat().st_size == 0  # the readers' disk has room again
        assert store.lookup(CUSTOMERS[:1000]).publication == old
        assert len(store.lookup(CUSTOMERS[:1000]).scores) == 1000
        assert store.publish(scored_list(CUSTOMERS[:1000])).id > old.id  # there is room for a small one


def test_a_full_disk_leaves_the_old_set_in_postgresql(
    small_disk: Path, empty_database: Callable[..., str], postgres_uri: str, scored_list: ScoredList
) -> None:
    data = small_disk / "data"
    data.mkdir()
    with psycopg.connect(postgres_uri, autocommit=True) as server:
        home = Path(server.execute("SHOW data_directory").fetchone()[0])  # type: ignore[index]
        os.chown(data, home.stat().st_uid, home.stat().st_gid)
        server.execute(f"CREATE TABLESPACE small LOCATION '{data}'")
    try:
        with Store(empty_database()) as store:
            old = store.publish(scored_list(CUSTOMERS[:1000]))
            with psycopg.connect(store.address.text, autocommit=True) as database:
                database.execute("ALTER TABLE scores SET TABLESPACE small")

            with pytest.raises(StoreError, match="is full. What was published before is intact"):
                store.publish(scored_list([str(number) for number in range(40_000)]))

            assert store.lookup(CUSTOMERS[:1000]).publication == old
            assert len(store.lookup(CUSTOMERS[:1000]).scores) == 1000
            with psycopg.connect(store.address.text, autocommit=True) as database:
                database.execute("ALTER TABLE scores SET TABLESPACE pg_default")
            assert store.publish(scored_list(CUSTOMERS[:1000])).id > old.id
    finally:
        with psycopg.connect(postgres_uri, autocommit=True) as server:
            server.execute("DROP TABLESPACE small")


def test_a_file_that_may_not_grow_leaves_the_old_set(tmp_path: Path, scored_list: ScoredList) -> None:
    with Store(f"sqlite:///{tmp_path}/store.db") as store:
        old = store.publish(scored_list(CUSTOMERS[:1000]))
        unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, unlimited[1]))
        try:
            with pytest.raises(StoreError, match="disk I/O error.* that its disk has room"):
                store.publish(scored_list([str(number) for number in range(40_000)]))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)

        assert store.lookup(CUSTOMERS[:1000]).publication == old
        assert store.publish(scored_list(CUSTOMERS[:1000])).id > old.id


@pytest.mark.soak
def test_a_million_scores_are_published_and_found(
    store: Store, scored_list: ScoredList, capsys: pytest.CaptureFixture[str]
) -> None:
    customers = [f"{number:07}" for number in range(1_000_000)]
    scores = scored_list(customers)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        store.publish(scores, keep=2)
        seconds.append(round(time.perf_counter() - started, 1))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024

    started = time.process_time()
    for customer in customers[::500]:
        assert len(store.lookup([customer]).scores) == 1
    each = (time.process_time() - started) / 2_000 * 1e6

    with capsys.disabled():
        print(f"\n{store.address}: published in {seconds} s, {grown} MB more; {each:.0f} µs CPU a lookup")
    assert grown < 300


def test_a_list_is_published_the_same_as_a_frame_as_a_table_and_in_parts(
    store: Store, scorer: Scorer, log: TransactionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = scorer.score_log(log)
    monkeypatch.setattr("features.log.customer_days._PART_ROWS", 5_000)
    parts = scorer.score_log(log)
    ids = whole.scores["customer_id"].tolist()
    found = []

    for scores in (whole.scores, whole.table, parts.table):
        published = store.publish(scores)
        page = [row.customer_id for row in store.customers.page(Choice()).rows]
        found.append((published.customers, store.lookup(ids).scores, page))

    assert found[0][0] == len(ids) == len(found[0][1])
    assert found[1] == found[2] == found[0]
    with pytest.raises(StoreError, match="name a customer who is in it already"):
        store.publish(pa.concat_tables([parts.table, parts.table.slice(0, 1)]))
    with pytest.raises(StoreError, match="holds no scored customer"):
        store.publish(parts.table.slice(0, 0))
