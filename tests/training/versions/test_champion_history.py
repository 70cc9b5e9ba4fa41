"""Who was champion before whom, whatever was promoted and rolled back in which order."""

from __future__ import annotations

import time

from hypothesis import given, strategies as st

from training.versions.champion_history import champions_in_order, history_tag, previous_champion

steps = st.lists(st.sampled_from(["promote", "rollback", "by hand"]).flatmap(
    lambda what: st.tuples(st.just(what), st.sampled_from("123"))
))  # fmt: skip


def test_entries_sort_by_time_and_two_of_the_same_moment_both_stay() -> None:
    keys = []
    for version in "123":
        keys.append(history_tag("promote", version)[0])
        time.sleep(0.001)

    assert keys == sorted(keys)
    assert len({history_tag("promote", "1")[0] for _ in range(100)}) == 100


def test_two_rollbacks_go_two_champions_back() -> None:
    tags = {"champion.1": "promote 1", "champion.2": "promote 2", "champion.3": "promote 3"}

    first = previous_champion(champions_in_order(tags), "3")
    tags["champion.4"] = f"rollback {first}"
    second = previous_champion(champions_in_order(tags), "2")

    assert (first, second) == ("2", "1")


def test_a_version_promoted_again_is_followed_by_the_one_it_replaced() -> None:
    tags = {"champion.1": "promote 1", "champion.2": "promote 2", "champion.3": "promote 1"}

    assert previous_champion(champions_in_order(tags), "1") == "2"


@given(steps)
def test_a_rollback_never_goes_to_the_present_champion_and_an_end_is_reached(
    done: list[tuple[str, str]],
) -> None:
    tags: dict[str, str] = {}
    champion = ""
    for number, (what, version) in enumerate(done):
        if what == "rollback":
            version = previous_champion(champions_in_order(tags), champion) or champion
        if what != "by hand" and version:  # by hand: the alias moves, and nobody writes it down
            tags[f"champion.{number:03d}"] = f"{what} {version}"
        champion = version

    for back in range(len(done) + 1):
        before = previous_champion(champions_in_order(tags), champion)
        if before is None:
            return
        assert before != champion
        champion = before
        tags[f"champion.{len(done) + back:03d}"] = f"rollback {champion}"
    raise AssertionError("rolling back never ends")
