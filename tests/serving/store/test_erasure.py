"""A customer who asks for it is in no published set any more, nor in the bytes of the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from serving.store.store import Store

ScoredList = Callable[..., pd.DataFrame]


def test_an_erased_customer_is_in_no_set_and_the_others_stay(store: Store, scored_list: ScoredList) -> None:
    store.publish(scored_list(["ann", "bob"]))
    store.publish(scored_list(["ann", "bob", "Ann"]))

    counted, erased = store.count(["ann", "nobody", "\0"]), store.erase(["ann", "nobody", "\0"])

    found = store.lookup(["ann", "bob", "Ann"])
    assert (counted, erased, store.count(["ann"])) == (2, 2, 0)
    assert found.unknown == ["ann"]
    assert [score["customer_id"] for score in found.scores] == ["bob", "Ann"]
    assert found.publication.customers == 3  # the count of what was published


def test_of_an_erased_customer_no_byte_is_left_in_the_file(tmp_path: Path, scored_list: ScoredList) -> None:
    with Store(f"sqlite:///{tmp_path}/store.db") as store:
        for number in range(5):  # of which the last three sets stay
            store.publish(scored_list(["somebody-unique", f"other-{number}"]))
        store.erase(["somebody-unique"])

    left = [file.read_bytes() for file in tmp_path.iterdir()]
    assert not any(b"somebody-unique" in content for content in left)
    assert any(b"other-4" in content for content in left)


def test_of_what_users_wrote_of_an_erased_customer_no_byte_is_left(
    tmp_path: Path, scored_list: ScoredList
) -> None:
    with Store(f"sqlite:///{tmp_path}/store.db") as store:
        store.publish(scored_list(["somebody-unique", "other-1"]))
        store.segments.keep("with somebody-unique", {"query": "tier=vip"}, "sara")
        store.audit.add("sara", "promote", "version 2", "somebody-unique complained", wait_seconds=5)
        store.erase(["somebody-unique"])

        (segment,) = store.segments.all()
        kept = [entry.reason for entry in store.audit.newest()]

    left = [file.read_bytes() for file in tmp_path.iterdir()]
    assert not any(b"somebody-unique" in content for content in left)
    assert segment.name.startswith("with …")
    assert "… complained" in kept


def test_without_a_store_there_is_nobody_to_erase_and_none_is_made(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path}/store.db") as store:
        assert store.erase(["ann"]) == store.count(["ann"]) == 0

    assert list(tmp_path.iterdir()) == []
