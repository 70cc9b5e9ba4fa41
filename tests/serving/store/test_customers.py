"""The newest set is read as a table: by pages, in an order, of a kind, whatever was erased from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import alembic.command
import pandas as pd
import sqlalchemy as sa

from serving.store.choice import Choice
from serving.store.own_column import key_of
from serving.store.schema import alembic_config
from serving.store.store import Store

ScoredList = Callable[..., pd.DataFrame]
FIRST = date(1998, 7, 1)  # the lists' snapshot


def people(scored_list: ScoredList) -> pd.DataFrame:
    """Ten customers: c0 with the most at risk, then in turn; c3 and c4 have the same."""
    names = [f"c{number}" for number in range(10)]
    return scored_list(
        names,
        value_at_risk=[90.0, 80.0, 70.0, 60.0, 60.0, 50.0, 40.0, 30.0, 20.0, 10.0],
        churn_probability=[0.95, 0.8, 0.79, 0.5, 0.4, 0.3, 0.2, 0.19, 0.1, 0.0],
        value_tier=["vip"] * 2 + ["medium"] * 4 + ["low"] * 4,
        stage=["loyal", "lapsing"] * 5,
        last_purchase_date=[FIRST - timedelta(days=30 * number + 1) for number in range(10)],
    )


def ids(page) -> list[str]:
    return [row.customer_id for row in page.rows]


def test_pages_follow_each_other_in_both_directions_and_orders(store: Store, scored_list: ScoredList) -> None:
    store.publish(people(scored_list))

    first = store.customers.page(Choice(), rows=4)
    second = store.customers.page(Choice(), beyond=first.rows[-1].rank, rows=4)
    last = store.customers.page(Choice(), beyond=second.rows[-1].rank, rows=4)
    back = store.customers.page(Choice(), beyond=second.rows[0].rank, back=True, rows=4)
    smallest = store.customers.page(Choice(ascending=True), rows=3)
    latest = store.customers.page(Choice(ordered_by="last_purchase_date"), rows=2)

    assert ids(first) + ids(second) + ids(last) == [f"c{number}" for number in range(10)]
    assert (first.more, second.more, last.more) == (True, True, False)
    assert ids(back) == ids(first)
    assert not back.more
    assert ids(smallest) == ["c9", "c8", "c7"]
    assert ids(latest) == ["c0", "c1"]


def test_customers_are_chosen_by_their_kind_and_counted_by_it(store: Store, scored_list: ScoredList) -> None:
    store.publish(people(scored_list))

    chosen = store.customers.page(Choice(tiers=("medium", "low"), stages=("lapsing",), bands=("possible",)))
    recent = store.customers.page(Choice(recent=True))  # 180 days are dormant: c0 to c5
    chunks = list(store.customers.all(Choice(bands=("very likely", "unlikely"))))

    assert ids(chosen) == ["c5"]
    assert ids(recent) == ["c0", "c1", "c2", "c3", "c4", "c5"]
    assert [row.customer_id for rows in chunks for row in rows] == ["c0", "c1", "c7", "c8", "c9"]
    counts = store.customers.tallies()
    assert sum(each.customers for each in counts) == 10
    assert sum(each.value_at_risk for each in counts if each.churn_band == "very likely") == 170.0
    assert sum(each.customers for each in counts if each.dormant) == 4


def test_by_value_at_risk_the_dormant_come_after_all_others(store: Store, scored_list: ScoredList) -> None:
    table = people(scored_list)
    store.publish(table.assign(value_at_risk=table["value_at_risk"].iloc[::-1].to_numpy()))

    by_risk = store.customers.page(Choice(), rows=20)
    by_value = store.customers.page(Choice(ordered_by="churn_probability"), rows=20)

    # c6 to c9 are dormant: they have the most at risk, and stand after c0 to c5; other orders are as they are named
    assert ids(by_risk) == ["c5", "c4", "c3", "c2", "c1", "c0", "c9", "c8", "c7", "c6"]
    assert [row.value_at_risk for row in by_risk.rows] == [60, 50, 40, 30, 20, 10, 90, 80, 70, 60]
    assert ids(by_value) == [f"c{number}" for number in range(10)]


def test_the_newest_set_alone_is_shown_and_the_history_tells_of_all(
    store: Store, scored_list: ScoredList
) -> None:
    store.publish(people(scored_list))
    store.publish(scored_list(["c1", "d1"], model_version="2", churn_probability=0.6))

    assert ids(store.customers.page(Choice())) == ["c1", "d1"]
    assert ids(store.customers.search("c")) == ["c1"]
    assert [each.model_version for each in store.customers.sets()] == ["2", "1"]
    assert [row.churn_probability for row in store.customers.history("c1")] == [0.6, 0.8]


def test_ids_are_searched_by_their_beginning_to_the_letter(store: Store, scored_list: ScoredList) -> None:
    store.publish(scored_list(["0017", "00170", "0018", "17", "A%_", "a%_", "علی"]))

    found = {text: ids(store.customers.search(text)) for text in ("0017", "17", "A%", "علی", "zz")}

    assert found == {"0017": ["0017", "00170"], "17": ["17"], "A%": ["A%_"], "علی": ["علی"], "zz": []}
    assert store.customers.search("00", rows=2).more


def test_an_erased_customer_is_on_no_page_and_in_no_words_of_a_user(
    store: Store, scored_list: ScoredList
) -> None:
    store.publish(people(scored_list))
    store.segments.keep("like c3, not c33", {}, "sara")
    store.audit.add("sara", "promote", "2", "because c3, called", wait_seconds=5)

    counted, erased = store.count(["c3"]), store.erase(["c3"])

    assert counted == erased == 3  # the score and two texts
    assert ids(store.customers.page(Choice(), rows=4)) == ["c0", "c1", "c2", "c4"]
    (segment,) = store.segments.all()
    assert segment.name == f"like …, not c33 ({segment.id})"
    erasure, note = store.audit.newest()[:2]
    assert (erasure.action, note.reason) == ("erase customers", "because …, called")


def test_what_an_earlier_release_published_is_ranked_when_the_workbench_starts(
    store: Store, scored_list: ScoredList
) -> None:
    store.publish(people(scored_list))
    with store._database.write() as connection:
        connection.exec_driver_sql("DELETE FROM rankings")
        connection.exec_driver_sql("DELETE FROM tallies")

    secret = store.customers.prepare()

    assert len(ids(store.customers.page(Choice()))) == 10
    assert store.customers.prepare() == secret


def test_rankings_with_the_keys_of_an_earlier_release_are_made_again(
    store: Store, scored_list: ScoredList
) -> None:
    listed = people(scored_list)
    store.publish(listed)
    cities = pd.DataFrame({"city": ["Yazd", "Qom"] * 5}, index=list(listed["customer_id"]))
    store.customers.own.replace(cities, "sara")
    store.close()
    with sa.create_engine(store.address.url, poolclass=sa.NullPool).begin() as database:
        alembic.command.downgrade(alembic_config(database), "0013")

    store.customers.prepare()

    assert ids(store.customers.page(Choice(), rows=3)) == ["c0", "c1", "c2"]
    assert ids(store.customers.page(Choice(own=(key_of("city", "Qom"),)), rows=2)) == ["c1", "c3"]
    store.publish(scored_list(["c7"]))
    assert ids(store.customers.page(Choice())) == ["c7"]


def test_postgresql_plans_with_what_a_publication_has_just_brought(
    empty_database: Callable[..., str], scored_list: ScoredList
) -> None:
    sets = (
        "SELECT tablename, most_common_vals::text FROM pg_stats WHERE attname = 'set_id' ORDER BY tablename"
    )
    with Store(empty_database()) as store:
        store.publish(people(scored_list), keep=1)
        cities = pd.DataFrame({"city": ["Yazd"] * 10}, index=[f"c{number}" for number in range(10)])
        store.customers.own.replace(cities, "sara")
        first = dict(store._database.fetch(sets, ()))
        store.publish(people(scored_list), keep=1)
        second = dict(store._database.fetch(sets, ()))

        names = ("own_places", "rankings", "scores", "tallies")
        assert (first, second) == (dict.fromkeys(names, "{1}"), dict.fromkeys(names, "{2}"))
        # Compiled, a page of a hundred kinds takes a hundred times as long.
        assert store._database.fetch("SHOW jit", ()) == [("off",)]
