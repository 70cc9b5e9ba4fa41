"""What is published is what is looked up, on SQLite and on PostgreSQL."""

from __future__ import annotations

import math
import socket
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest
import sqlalchemy as sa

from features.errors import NothingPublished, StoreError
from serving.store.store import Store
from training.model.score_schema import SCORE_COLUMNS

ScoredList = Callable[..., pd.DataFrame]

NUMBERS = [0.1 + 0.2, 5e-324, 1.7976931348623157e308, 0.0, 1 / 3, 2**53 + 2.0, 1e-7]


def test_every_field_comes_back_as_it_was_published(store: Store, scored_list: ScoredList) -> None:
    rng = np.random.default_rng(7)
    numbers = [*NUMBERS, *np.exp(rng.normal(0, 20, 200))]
    customers = [f"{place:04}" for place in range(len(numbers))]
    published = scored_list(customers, number=np.array(numbers))

    publication = store.publish(published)

    found = store.lookup(customers)
    assert found.publication == publication == store.newest()
    assert found.unknown == []
    assert [tuple(score) for score in found.scores] == [SCORE_COLUMNS] * len(customers)
    for score, number in zip(found.scores, numbers, strict=True):
        assert {
            score[name] for name in (*SCORE_COLUMNS[2:12], "spend_per_purchase", "value_of_resumption")
        } == {number}
    assert found.scores[0] | {name: 0.0 for name in SCORE_COLUMNS[2:12]} == {
        "customer_id": "0000",
        "snapshot_date": date(1998, 7, 1),
        **{name: 0.0 for name in SCORE_COLUMNS[2:12]},
        "value_tier": "vip",
        "next_purchase_date": date(1998, 8, 1),
        "next_purchase_low": date(1998, 8, 1),
        "next_purchase_high": date(1998, 8, 1),
        "reasons": ["a reason"],
        "model_version": "1",
        "spend_per_purchase": NUMBERS[0],
        "last_purchase_date": date(1998, 6, 1),
        "horizon_days": 90,
        "margin": 0.3,
        "value_of_resumption": NUMBERS[0],
        "resumption": 0.5,
        "dormant_after_days": 180,
        "expected_gross_value": NUMBERS[0],
        "cost_per_order": 2.5,
        "cost_per_day": 0.03,
        "bad_debt_rate": 0.02,
        "inactivity_days": 120,
        "stage": "loyal",
        "usual_gap_days": 21.4,
    }


def test_a_publication_says_when_and_what(store: Store, scored_list: ScoredList) -> None:
    publication = store.publish(scored_list(["1", "2"], model_version="12"))

    assert datetime.now(UTC) - publication.published_at < timedelta(minutes=1)
    assert publication.published_at.utcoffset() == timedelta(0)
    assert (publication.model_version, publication.snapshot_date) == ("12", date(1998, 7, 1))
    assert publication.customers == 2


def test_what_is_not_known_is_none_and_never_nan(store: Store, scored_list: ScoredList) -> None:
    never = {name: [None, date(1999, 1, 1)] for name in ("next_purchase_date", "next_purchase_high")}
    unsure = {"expected_value_low": [math.nan, 1.0], "expected_value_high": [None, 2.0]}

    store.publish(scored_list(["a", "b"], **never, **unsure))

    first, second = store.lookup(["a", "b"]).scores
    assert [first[name] for name in (*never, *unsure)] == [None] * 4
    assert [second[name] for name in (*never, *unsure)] == [date(1999, 1, 1)] * 2 + [1.0, 2.0]


@pytest.mark.parametrize("snapshot_date", [pd.Timestamp("1998-07-01"), date(1998, 7, 1)])
def test_dates_may_come_as_timestamps(store: Store, scored_list: ScoredList, snapshot_date: object) -> None:
    later = pd.to_datetime(["1998-09-30", None])

    store.publish(scored_list(["a", "b"], snapshot_date=snapshot_date, next_purchase_date=later))

    found = store.lookup(["a", "b"]).scores
    assert [score["next_purchase_date"] for score in found] == [date(1998, 9, 30), None]
    assert {score["snapshot_date"] for score in found} == {date(1998, 7, 1)}


def test_ids_and_reasons_are_kept_to_the_letter(store: Store, scored_list: ScoredList) -> None:
    customers = [
        *("0042", "42", " 42", "آرش", "Ali", "ali", 'O\'Brien, "Bob"', '"', ",", "\\.", "\\N", "NULL", ""),
        *("a\nb", "a\r\nb", "\t", "%s", "?", ":name", "{}", "\u00e9", "e\u0301", "😀", "x" * 200),
    ]
    reasons = [[customer, '"quoted", [and] \\ more'] for customer in customers]
    reasons[0] = []

    store.publish(scored_list(customers, reasons=reasons))

    found = store.lookup(customers)
    assert found.unknown == []
    assert [score["customer_id"] for score in found.scores] == customers
    assert [score["reasons"] for score in found.scores] == reasons


def test_an_answer_is_in_the_order_asked_and_names_the_unknown(store: Store, scored_list: ScoredList) -> None:
    store.publish(scored_list(["1", "2", "3"]))

    found = store.lookup(["3", "nobody", "1", "3", "nul\0", "half \ud800", "0"])

    assert [score["customer_id"] for score in found.scores] == ["3", "1"]
    assert found.unknown == ["nobody", "nul\0", "half \ud800", "0"]


def test_five_thousand_may_be_asked_at_once(store: Store, scored_list: ScoredList) -> None:
    customers = [str(number) for number in range(5000)]
    store.publish(scored_list(customers))

    found = store.lookup(customers[::-1])

    assert [score["customer_id"] for score in found.scores] == customers[::-1]


def test_nothing_is_known_before_the_first_publication(store: Store, tmp_path: Path) -> None:
    assert store.newest() is None
    with pytest.raises(NothingPublished, match="Publish first: stayworth score"):
        store.lookup(["1"])
    assert store.keys.all() == []

    assert list(tmp_path.iterdir()) == []  # reading makes no file
    if store.address.file is None:  # and no table
        with psycopg.connect(store.address.text) as database:
            tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
            assert database.execute(tables).fetchone() == (0,)


def test_a_store_that_holds_only_keys_has_nothing_published(store: Store) -> None:
    store.keys.add("crm-1", scopes=["lookup"])

    assert store.newest() is None
    with pytest.raises(NothingPublished):
        store.lookup(["1"])


def test_the_last_sets_are_kept(store: Store, scored_list: ScoredList) -> None:
    sets = [store.publish(scored_list(["1", "2"]), keep=2) for _ in range(4)]

    with sa.create_engine(store.address.url, poolclass=sa.NullPool).connect() as database:
        kept = database.execute(sa.text("SELECT id FROM score_sets ORDER BY id")).scalars().all()
        rows = database.execute(sa.text("SELECT DISTINCT set_id FROM scores ORDER BY 1")).scalars().all()
    assert list(kept) == list(rows) == [sets[2].id, sets[3].id]
    assert store.newest() == sets[3]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"model_version": ["1", "2"]}, "2 values of model_version, such as 1 and 2"),
        ({"snapshot_date": [date(1998, 7, 1), date(1998, 8, 1)]}, "2 values of snapshot_date"),
        ({"customer_id": ["1", "1"]}, "1 row of the list name a customer who is in it already"),
        ({"churn_probability": [0.5, math.nan]}, "churn_probability is missing or infinite"),
        ({"expected_value_high": [1.0, math.inf]}, "expected_value_high is missing or infinite"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(
    store: Store, scored_list: ScoredList, changes: dict[str, object], complaint: str
) -> None:
    before = store.publish(scored_list(["1"]))

    with pytest.raises(StoreError, match=complaint):
        store.publish(scored_list(["1", "2"]).assign(**changes))

    assert store.lookup(["1"]).publication == before


def test_an_empty_list_is_refused(store: Store, scored_list: ScoredList, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no scored customer"):
        store.publish(scored_list([]))
    with pytest.raises(StoreError, match="keep at least 1"):
        store.publish(scored_list(["1"]), keep=0)

    assert list(tmp_path.iterdir()) == []


def test_progress_is_told(store: Store, scored_list: ScoredList) -> None:
    told: list[tuple[str, int, int]] = []

    store.publish(scored_list(["1", "2"]), progress=lambda *step: told.append(step))

    assert told == [("Publishing", 0, 2), ("Publishing", 2, 2)]


def test_threads_share_a_store(store: Store, scored_list: ScoredList) -> None:
    store.publish(scored_list([str(number) for number in range(100)]))
    store.close()  # all of them come upon a store with no connection
    answers: dict[int, bool] = {}

    def ask(thread: int) -> None:
        asked = [str(number) for number in range(thread, 100, 12)]
        found = [[score["customer_id"] for score in store.lookup(asked).scores] for _ in range(30)]
        answers[thread] = found == [asked] * 30

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == dict.fromkeys(range(12), True)


def test_a_server_that_is_down_is_an_error_without_the_password(postgres_uri: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        store = Store(f"postgresql://crm:s3cr%40t@127.0.0.1:{port}/scores?password=s3cr%40t")

        for ask in (store.newest, store.keys.all, lambda: store.lookup(["1"]), store.require_publishable):
            with pytest.raises(
                StoreError, match="Connection refused.* Check that the server runs"
            ) as refused:
                ask()
            assert "s3cr" not in str(refused.value)
            assert "crm:***@127.0.0.1" in str(refused.value)
            assert not isinstance(refused.value, NothingPublished)


def test_a_wrong_password_is_not_shown(postgres_uri: str) -> None:
    wrong = postgres_uri.replace("open%40sesame", "open%40barley")

    with Store(wrong) as store, pytest.raises(StoreError, match="authentication failed") as refused:
        store.newest()

    assert "barley" not in str(refused.value)


def test_a_connection_that_the_server_cut_is_replaced_unnoticed(
    empty_database: Callable[..., str], scored_list: ScoredList
) -> None:
    with Store(empty_database()) as store:
        store.publish(scored_list(["1"]))
        for ask in (lambda: store.lookup(["1"]).publication, store.newest):
            answer = ask()
            with psycopg.connect(store.address.text, autocommit=True) as database:
                database.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

            assert ask() == answer


def test_a_server_that_comes_back_answers_again(
    postgres: Any, empty_database: Callable[..., str], scored_list: ScoredList
) -> None:
    with Store(empty_database()) as store:
        publication = store.publish(scored_list(["1"]))
        assert store.newest() == publication

        postgres.stop()
        try:
            for _ in range(2):
                with pytest.raises(StoreError, match="Connection refused"):
                    store.lookup(["1"])
        finally:
            postgres.start()

        assert store.lookup(["1"]).publication == publication


def test_another_file_in_the_place_of_the_store_is_noticed(tmp_path: Path, scored_list: ScoredList) -> None:
    file, spare = tmp_path / "store.db", tmp_path / "spare.db"
    with Store(f"sqlite:///{file}") as store, Store(f"sqlite:///{spare}") as other:
        store.publish(scored_list(["1"], model_version="old"))
        other.publish(scored_list(["1"], model_version="new"))
        other.close()
        assert store.lookup(["1"]).publication.model_version == "old"

        file.unlink()

        with pytest.raises(NothingPublished):
            store.lookup(["1"])

        spare.rename(file)

        assert store.lookup(["1"]).publication.model_version == "new"


def test_a_file_that_is_no_store_is_said_to_be_none(tmp_path: Path, scored_list: ScoredList) -> None:
    (tmp_path / "orders.csv").write_text("customer_id,ordered_at,amount\n" * 100)
    store = Store(f"sqlite:///{tmp_path}/orders.csv")

    for act in (store.newest, store.require_publishable, lambda: store.publish(scored_list(["1"]))):
        with pytest.raises(StoreError, match="file is not a database"):
            act()


@pytest.mark.parametrize(
    ("uri", "complaint"),
    [
        ("mysql://crm:s3cret@db/scores", "names no database that is known here"),
        ("stayworth.db", "names no database that is known here"),
        ("sqlite://", "cannot be read"),
        ("sqlite:///:memory:", "cannot be read"),
        ("postgresql://crm:s3cret@db:port/scores", "cannot be read"),
        ("postgresql://crm:s3c@ret@db/scores@", "cannot be read"),
        ("postgresql://crm:s3cret@db", "cannot be read"),
    ],
)
def test_a_uri_that_names_no_store_is_refused_at_once(uri: str, complaint: str) -> None:
    with pytest.raises(StoreError, match=complaint) as refused:
        Store(uri)

    assert "s3c" not in str(refused.value)
