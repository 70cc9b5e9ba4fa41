"""Contacts: ids to the letter, columns passed through, mistakes named."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from features.errors import StayworthError
from features.log.sources import read_table
from serving.lists.contacts import Contacts
from serving.lists.export import write_table


@pytest.fixture
def scores() -> pd.DataFrame:
    """Three customers, most at risk first."""
    return pd.DataFrame({"customer_id": ["0042", "42", "آرش"], "value_at_risk": [9.5, 2.0, 1.0]})


def contacts(folder: Path, text: str) -> Contacts:
    path = folder / "crm.csv"
    path.write_text(text, encoding="utf-8")
    return Contacts(path)


def test_ids_are_matched_to_the_letter_and_the_order_of_the_list_stays(
    scores: pd.DataFrame, tmp_path: Path
) -> None:
    crm = contacts(tmp_path, "customer_id,city\nآرش,تهران\n0042,Shiraz\n7,Yazd\n")

    listed = crm.join(scores)

    assert list(listed.columns) == ["customer_id", "value_at_risk", "city"]
    assert list(listed["customer_id"]) == ["0042", "42", "آرش"]
    assert list(listed["city"].fillna("–")) == ["Shiraz", "–", "تهران"]
    assert (len(crm.matched(scores).pairs), len(crm)) == (2, 3)


def test_ids_are_read_as_the_logs_are_without_the_space_around_them(
    scores: pd.DataFrame, tmp_path: Path
) -> None:
    assert contacts(tmp_path, "customer_id,city\n 0042 ,Shiraz\n").matched(scores).pairs == {"0042": "0042"}


@pytest.mark.parametrize(
    ("written", "because"),
    [
        ("42,Yazd\n18,Qom", "without leading zeros"),
        ("'0042,Yazd\n'0018,Qom", "without an apostrophe before them"),
        ("0042.0,Yazd\n0018.0,Qom", "without .0"),
    ],
)
def test_contacts_that_name_nobody_are_explained_and_matched_loosely(
    tmp_path: Path, written: str, because: str
) -> None:
    scores = pd.DataFrame({"customer_id": ["0042", "0018"], "value_at_risk": [9.5, 2.0]})
    table = f"customer_id,city\n{written}\n"

    (warning,) = (exact := contacts(tmp_path, table)).warnings(exact.matched(scores))
    loosely = Contacts(tmp_path / "crm.csv", loosely=True)

    assert warning.startswith(
        "0 of 2 customers of the list have a contact in crm.csv. 2 more would match " + because
    )
    assert "--loose-ids" in warning
    assert list(loosely.join(scores)["city"]) == ["Yazd", "Qom"]
    assert loosely.warnings(loosely.matched(scores)) == []


def test_ids_kept_as_numbers_are_whole_numbers(scores: pd.DataFrame, tmp_path: Path) -> None:
    pd.DataFrame({"customer_id": [42.0, None], "age": [33, 44]}).to_parquet(tmp_path / "crm.parquet")

    crm = Contacts(tmp_path / "crm.parquet")

    assert (len(crm.matched(scores).pairs), len(crm)) == (1, 1)  # a row without an id is nobody's


@pytest.mark.parametrize("extension", [".csv", ".xlsx", ".parquet"])
def test_texts_and_whole_numbers_pass_through_as_they_are(
    scores: pd.DataFrame, tmp_path: Path, extension: str
) -> None:
    table = pd.DataFrame(
        {"customer_id": ["0042"], "phone": ["+98912"], "note": ['=1+1, "x"\ny'], "age": [33]}
    )
    write_table(table, tmp_path / f"crm{extension}")

    write_table(Contacts(tmp_path / f"crm{extension}").join(scores), tmp_path / "list.csv")

    listed = read_table(tmp_path / "list.csv")
    assert listed.iloc[0, 2:].to_list() == ["+98912", '=1+1, "x"\ny', "33"]
    assert listed.iloc[1, 2:].to_list() == ["", "", ""]


def test_a_column_that_the_list_has_too_is_an_error(scores: pd.DataFrame, tmp_path: Path) -> None:
    crm = contacts(tmp_path, "customer_id,value_at_risk\n0042,1\n")

    with pytest.raises(StayworthError, match=r"crm.csv and the scored list both have 'value_at_risk'"):
        crm.join(scores)


def test_customers_with_two_rows_are_an_error_with_examples(tmp_path: Path) -> None:
    with pytest.raises(StayworthError, match=r"more than one row for 2 customers, such as '7', '0042'"):
        contacts(tmp_path, "customer_id\n7\n0042\n7\n8\n0042\n7\n")


@pytest.mark.parametrize(
    ("header", "remedy"),
    [("Customer ID,city", "Rename 'Customer ID' to it."), ("a,b", "Name the column of ids 'customer_id'.")],
)
def test_contacts_without_ids_are_an_error_that_names_the_columns(
    tmp_path: Path, header: str, remedy: str
) -> None:
    first, second = header.split(",")

    with pytest.raises(
        StayworthError, match=f"no column 'customer_id'; it has '{first}', '{second}'. {remedy}"
    ):
        contacts(tmp_path, f"{header}\n1,2\n")
