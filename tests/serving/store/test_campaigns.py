"""Campaigns in the store: two people at once, what a plan was made from, and erasure."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from features.errors import ChangedMeanwhile, ConfirmedMeanwhile, NotThere, StayworthError
from serving.store.campaign import Drawn, Reached
from serving.store.campaign_changes import Basis
from serving.store.store import Store
from serving.store.tables import VERSION_TABLE, campaign_customers
from training.campaign.assignment import LIST_COLUMNS

ScoredList = Callable[..., pd.DataFrame]


def drawn(contacted: list[str], held_out: list[str]) -> Drawn:
    groups = {"contacted": contacted, "held_out": held_out, "not_selected": []}
    return Drawn(
        {"erased": {"contacted": 0}},
        date(1998, 7, 1),
        date(1998, 9, 29),
        date(1998, 9, 29),
        {arm: pd.DataFrame({"customer_id": ids, "offer": "call"}) for arm, ids in groups.items()},
        "<p>summary</p>",
    )


def test_a_row_has_every_column_of_the_folder_s_lists() -> None:
    assert set(LIST_COLUMNS) <= {column.name for column in campaign_customers.columns}


def test_a_draft_becomes_a_plan_and_every_step_is_in_the_audit(store: Store, scored_list: ScoredList) -> None:
    published = store.publish(scored_list(["ann", "bob", "cy"]))
    number = store.campaigns.begin(" Spring  one ", {"budget": 5}, published.id, "sara")
    draft = store.campaigns.numbered(number)
    assert draft is not None

    kept = store.campaigns.keep("", drawn(["ann"], ["bob"]), Basis(published.id), "sara", draft=draft)
    planned = store.campaigns.named("Spring one")
    assert planned is not None
    store.campaigns.move(planned, "sent", "ali")
    sent = store.campaigns.numbered(number)
    assert sent is not None
    store.campaigns.take_off(sent, "ann", "ali", "opted out")

    assert kept == number
    assert (planned.state, planned.version, sent.state, sent.version) == ("planned", 2, "sent", 3)
    rows = store.campaigns.customers(number, "contacted")
    assert list(rows["customer_id"]) == ["ann"] and rows["removed_at"].notna().all()
    assert store.campaigns.groups(number) == (frozenset({"ann"}), frozenset({"bob"}))
    (reached,) = store.campaigns.of_customer("bob")
    assert reached == Reached(
        number, "Spring one", "sent", date(1998, 7, 1), date(1998, 9, 29), "held_out", "call", False
    )
    assert store.campaigns.of_customer("ann")[0].removed
    assert [entry.action for entry in store.audit.newest()] == [
        "take customer off",
        "send campaign",
        "plan campaign",
        "begin campaign",
    ]


def test_a_store_of_an_older_release_has_no_campaigns_and_is_left_as_it_is(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "store.db") as old:
        old.execute(f"CREATE TABLE {VERSION_TABLE} (version_num TEXT)")
        old.execute(f"INSERT INTO {VERSION_TABLE} VALUES ('0009')")
    old.close()

    with Store(f"sqlite:///{tmp_path}/store.db") as store:
        assert store.campaigns.all() == []
        with pytest.raises(StayworthError, match="older release"):
            store.lookup(["ann"])


def test_of_two_people_at_once_the_second_is_told(store: Store, scored_list: ScoredList) -> None:
    published = store.publish(scored_list(["ann"]))
    number = store.campaigns.begin("spring", {}, published.id, "sara")
    seen = store.campaigns.numbered(number)
    assert seen is not None
    store.campaigns.choose(seen, {"budget": 1}, "sara")

    with pytest.raises(ChangedMeanwhile, match="Somebody else has changed this campaign"):
        store.campaigns.choose(seen, {"budget": 2}, "ali")

    now = store.campaigns.numbered(number)
    assert now is not None and now.choices == {"budget": 1}
    with pytest.raises(StayworthError, match="of that name already"):
        store.campaigns.begin("spring", {}, published.id, "ali")


def test_who_confirms_a_draft_a_second_time_is_told_that_it_is_a_campaign_and_draws_nobody(
    store: Store, scored_list: ScoredList
) -> None:
    published = store.publish(scored_list(["ann", "bob"]))
    number = store.campaigns.begin("spring", {}, published.id, "sara")
    draft = store.campaigns.numbered(number)
    assert draft is not None
    store.campaigns.keep("spring", drawn(["ann"], []), Basis(published.id), "sara", draft=draft)

    with pytest.raises(ConfirmedMeanwhile, match="it is the campaign spring now"):
        store.campaigns.keep("spring", drawn(["bob"], []), Basis(published.id), "ali", draft=draft)
    with pytest.raises(ConfirmedMeanwhile):
        store.campaigns.choose(draft, {"budget": 1}, "ali")
    with pytest.raises(ConfirmedMeanwhile):
        store.campaigns.discard(draft, "ali")

    assert store.campaigns.groups(number) == (frozenset({"ann"}), frozenset())


def test_who_changes_a_draft_that_was_discarded_is_told_so(store: Store, scored_list: ScoredList) -> None:
    published = store.publish(scored_list(["ann"]))
    draft = store.campaigns.numbered(store.campaigns.begin("spring", {}, published.id, "sara"))
    assert draft is not None
    store.campaigns.discard(draft, "sara")

    with pytest.raises(NotThere, match="it may have been discarded"):
        store.campaigns.choose(draft, {"budget": 1}, "ali")
    with pytest.raises(NotThere, match="it may have been discarded"):
        store.campaigns.keep("spring", drawn(["ann"], []), Basis(published.id), "ali", draft=draft)

    assert store.campaigns.all() == []


def test_a_plan_is_refused_whose_basis_has_changed(store: Store, scored_list: ScoredList) -> None:
    first = store.publish(scored_list(["ann", "bob"]))
    store.campaigns.keep("one", drawn(["ann"], []), Basis(first.id), "sara")

    with pytest.raises(ChangedMeanwhile, match="Another campaign was planned"):
        store.campaigns.keep("two", drawn(["ann"], []), Basis(first.id), "sara")
    with pytest.raises(ChangedMeanwhile, match="erased meanwhile"):
        store.campaigns.keep("two", drawn(["gone"], []), Basis(first.id, [1]), "sara")
    store.publish(scored_list(["ann"]))
    with pytest.raises(ChangedMeanwhile, match="A new list was published"):
        store.campaigns.keep("two", drawn(["bob"], []), Basis(first.id, [1]), "sara")

    assert [each.name for each in store.campaigns.all()] == ["one"]


def test_of_an_erased_customer_no_byte_is_left_of_a_campaign_and_the_draw_still_adds_up(
    tmp_path: Path, scored_list: ScoredList
) -> None:
    with Store(f"sqlite:///{tmp_path}/store.db") as store:
        published = store.publish(scored_list(["somebody-unique", "other-1"]))
        basis = Basis(published.id)
        store.campaigns.keep("for somebody-unique", drawn(["other-1"], ["somebody-unique"]), basis, "sara")
        number = store.campaigns.begin("draft", {}, published.id, "sara")
        draft = store.campaigns.numbered(number)
        assert draft is not None
        aside = pd.DataFrame(
            {"customer_id": ["somebody-unique"], "contact": [{"email": "somebody-unique@x"}]}
        )
        store.campaigns.set_aside(draft, aside, "sara")

        counted, erased = store.count(["somebody-unique"]), store.erase(["somebody-unique"])

        kept = store.campaigns.numbered(1)
        assert kept is not None and kept.record is not None
    left = [file.read_bytes() for file in tmp_path.iterdir()]
    assert not any(b"somebody-unique" in content for content in left)
    assert counted == erased == 4  # a score, two rows of campaigns, a name
    assert kept.record["erased"] == {"contacted": 0, "held_out": 1}
