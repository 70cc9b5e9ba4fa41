"""Own columns are filtered and ordered by in the store, whatever list is published, and are erased with a customer."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from features.errors import StayworthError
from serving.store.choice import Choice
from serving.store.own_column import key_of
from serving.store.store import Store

ScoredList = Callable[..., pd.DataFrame]
NAMES = [f"c{number}" for number in range(8)]


@pytest.fixture
def cells() -> pd.DataFrame:
    """Of c0 to c5, and of somebody who is in no list; c6 and c7 have none."""
    return pd.DataFrame(
        {
            "city": ["Yazd", "Ahvaz", "Yazd", None, "ahvaz", "Qom", "Tehran"],
            "credit": [10.0, 5.5, None, 7, 5.5, 300, 1],
        },
        index=["c0", "c1", "c2", "c3", "c4", "c5", "other"],
    )


@pytest.fixture
def filled(store: Store, scored_list: ScoredList, cells: pd.DataFrame) -> Store:
    store.publish(scored_list(NAMES, value_at_risk=[80.0, 70, 60, 50, 40, 30, 20, 10]))
    store.customers.own.replace(cells, "sara")
    return store


def ids(store: Store, choice: Choice, **options: object) -> str:
    page = store.customers.page(choice, **options)  # type: ignore[arg-type]
    return " ".join(row.customer_id for row in page.rows)


def test_customers_are_chosen_by_values_of_own_columns_in_any_order(filled: Store) -> None:
    yazd, qom, rich = key_of("city", "Yazd"), key_of("city", "Qom"), key_of("credit", "10")

    both = Choice(own=(yazd, qom))
    small = Choice(own=(yazd, qom), ascending=True)

    assert ids(filled, both) == "c0 c2 c5"
    assert ids(filled, small) == "c5 c2 c0"
    assert ids(filled, Choice(own=(yazd, rich))) == "c0"
    assert ids(filled, Choice(own=(yazd,), tiers=("low",))) == ""
    assert (
        ids(filled, Choice(own=(yazd, key_of("city", "Shiraz")))) == ""
    )  # a value that is gone widens nothing
    assert [filled.customers.count(each) for each in (both, Choice(own=("gone",)), Choice())] == [3, 0, 8]


def test_the_empty_are_last_in_the_order_that_one_looks_at_first(filled: Store) -> None:
    by_city, by_credit = Choice(ordered_by="own:city", ascending=True), Choice(ordered_by="own:credit")

    assert ids(filled, by_city) == "c1 c4 c5 c2 c0 c7 c6 c3"
    assert ids(filled, by_credit) == "c5 c0 c3 c1 c4 c2 c6 c7"
    assert ids(filled, Choice(ordered_by="own:street")) == ""


def test_pages_in_an_own_order_follow_each_other_in_both_directions(filled: Store) -> None:
    choice = Choice(ordered_by="own:credit")
    first = filled.customers.page(choice, rows=3)
    second = filled.customers.page(choice, beyond=first.rows[-1].rank, rows=3)

    assert [row.customer_id for row in second.rows] == ["c1", "c4", "c2"]
    assert ids(filled, choice, beyond=second.rows[0].rank, back=True, rows=3) == "c5 c0 c3"
    assert [row.customer_id for rows in filled.customers.all(choice) for row in rows][-1] == "c7"


def test_cells_stay_when_another_list_is_published(filled: Store, scored_list: ScoredList) -> None:
    filled.publish(scored_list(["c2", "other", "new"], value_at_risk=[1.0, 2, 3]))

    assert ids(filled, Choice(own=(key_of("city", "Yazd"),))) == "c2"
    assert ids(filled, Choice(ordered_by="own:city", ascending=True)) == "other c2 new"
    assert filled.customers.own.cells_of(["c2", "new", "c5"]) == {"c2": ["Yazd", None], "c5": ["Qom", 300]}
    values = [[each.text for each in column.values] for column in filled.customers.own.all()]
    assert values == [["Tehran", "Yazd"], ["1"]]


def test_many_different_numbers_are_filtered_by_ranges_of_about_as_many_customers(
    store: Store, scored_list: ScoredList
) -> None:
    names = [f"n{number:03}" for number in range(100)]
    store.publish(scored_list(names))
    store.customers.own.replace(pd.DataFrame({"age": range(100), "mail": names}, index=names), "sara")

    age, mail = store.customers.own.all()

    assert [each.text for each in age.values] == ["80 99", "60 79", "40 59", "20 39", "0 19"]
    assert store.customers.count(Choice(own=(age.values[1].key,))) == 20
    assert mail.values == ()


def test_an_erased_customer_is_in_no_own_column_nor_is_a_value_that_only_they_had(filled: Store) -> None:
    found = filled.count(["c5", "other"])
    erased = filled.erase(["c5", "other"])

    assert found == erased == 3  # a score, and two rows of cells
    assert filled.customers.own.cells_of(["c5", "other"]) == {}
    assert ids(filled, Choice(ordered_by="own:credit")) == "c0 c3 c1 c4 c2 c6 c7"
    values = [[each.text for each in column.values] for column in filled.customers.own.all()]
    assert values == [["Ahvaz", "ahvaz", "Yazd"], ["10", "7", "5.5"]]


def test_columns_that_cannot_be_kept_are_refused_and_those_before_stay(filled: Store) -> None:
    with pytest.raises(StayworthError, match="up to 12 can be kept"):
        filled.customers.own.replace(pd.DataFrame(1, index=["c0"], columns=list("abcdefghijklm")), "sara")
    with pytest.raises(StayworthError, match="no two are the same; 'a' is not"):
        filled.customers.own.replace(pd.DataFrame(1, index=["c0"], columns=["a", " a"]), "sara")

    assert [column.name for column in filled.customers.own.all()] == ["city", "credit"]
    filled.customers.own.remove("sara")
    assert filled.customers.own.all() == [] and filled.customers.own.cells_of(["c0"]) == {}
    assert [entry.action for entry in filled.audit.newest()] == ["remove own columns", "bring own columns"]


@pytest.mark.parametrize(
    ("brought", "kept"),
    [
        (["1.5", "−۱۲٫۵", " 7 "], [1.5, -12.5, 7]),
        (["1.2E+05", "-3", ""], [120000, -3, None]),
        ([True, None, False], [1, None, 0]),
        ([6037991122334455, 6037991122334456, 7], ["6037991122334455", "6037991122334456", "7"]),  # cards
        (["0042", "7", "nan"], ["0042", "7", "nan"]),
        (["Nan", "Yazd", "12"], ["Nan", "Yazd", "12"]),  # a city of Thailand
        ([2.5, float("nan"), 1], [2.5, None, 1]),
    ],
)
def test_cells_are_numbers_where_all_are_and_else_texts(
    filled: Store, brought: list[object], kept: list[object]
) -> None:
    (column,) = filled.customers.own.replace(pd.DataFrame({"it": brought}, index=["c0", "c1", "c2"]), "sara")

    found = filled.customers.own.cells_of(["c0", "c1", "c2"])
    assert [found[each][0] for each in ("c0", "c1", "c2")] == kept
    assert column.numeric == any(isinstance(each, int | float) for each in kept)


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "nan", "1e308", "1e15", float("inf"), 1e15])
def test_a_number_that_cannot_be_ordered_or_shown_is_refused_and_changes_nothing(
    filled: Store, cell: object
) -> None:
    cells = pd.DataFrame(
        {"it": [1.5, cell] if isinstance(cell, float) else ["1.5", cell]}, index=["c0", "c1"]
    )

    with pytest.raises(StayworthError, match=r"column 'it' holds numbers, but in 1 cell one .*, of 'c1'\."):
        filled.customers.own.replace(cells, "sara")

    assert [column.name for column in filled.customers.own.all()] == ["city", "credit"]
