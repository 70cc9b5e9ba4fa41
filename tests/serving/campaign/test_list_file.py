"""Scored lists that a spreadsheet has saved again: read as what they were, or refused for what was lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from features.errors import StayworthError
from serving.campaign.list_file import read_scores
from serving.lists.id_length import with_id_lengths

# As 'stayworth score' writes it: Ann bought on 30 January, Bob on 2 December.
LIST = pd.DataFrame(
    {
        "customer_id": ["0017", "0418"],
        "snapshot_date": ["2024-02-05", "2024-02-05"],
        "churn_probability": ["0.25", "0.9537656414"],
        "value_at_stake": ["1234.5", "0.75"],
        "value_at_risk": ["308.625", "0.71532"],
        "last_purchase_date": ["2024-01-30", "2023-12-02"],
        "next_purchase_date": ["2024-03-01", ""],
        "horizon_days": ["90", "90"],
    }
)
NUMBERS = ["churn_probability", "value_at_stake", "value_at_risk"]
DATES = ["snapshot_date", "last_purchase_date", "next_purchase_date"]


def saved(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame], **how: str) -> Path:
    path = folder / "list.csv"
    change(LIST.copy()).to_csv(path, index=False, **how)  # type: ignore[call-overload]
    return path


def german(table: pd.DataFrame) -> pd.DataFrame:
    table[NUMBERS] = table[NUMBERS].map(lambda cell: f"{float(cell):,}".translate(str.maketrans(",.", ".,")))
    return rewritten("%d.%m.%Y")(table)


def rewritten(date_format: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table[DATES] = table[DATES].map(lambda cell: pd.Timestamp(cell).strftime(date_format) if cell else "")
        return table

    return change


def american(table: pd.DataFrame) -> pd.DataFrame:
    table["value_at_stake"] = ["1,234.50", "0.75"]
    return rewritten("%m/%d/%Y")(table)


@pytest.mark.parametrize(
    ("change", "how", "said"),
    [
        (lambda table: table, {}, []),
        (german, {"sep": ";"}, ["decimal commas", "dates as %d.%m.%Y"]),
        (german, {"sep": "\t", "encoding": "utf-16"}, ["decimal commas", "dates as %d.%m.%Y"]),
        (american, {}, ["commas for thousands", "dates as %m/%d/%Y"]),
        (rewritten("%d/%m/%Y 00:00"), {}, ["dates as %d/%m/%Y"]),
    ],
)
def test_a_list_that_a_spreadsheet_saved_is_read_as_it_was(
    tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], how: dict[str, str], said: list[str]
) -> None:
    scores, sentences = read_scores(saved(tmp_path, change, **how))

    for name in NUMBERS:
        assert scores[name].tolist() == LIST[name].astype(float).tolist()
    assert scores[["customer_id", *DATES]].equals(
        LIST[["customer_id", *DATES]].astype(scores["customer_id"].dtype)
    )
    assert [words in sentence for words, sentence in zip(said, sentences, strict=True)] == [True] * len(said)


@pytest.mark.parametrize(
    ("column", "cells", "complaint"),
    [
        (
            "churn_probability",
            ["25%", "95%"],
            "2 cells that are no numbers, such as '25%': a spreadsheet has rounded it",
        ),
        ("churn_probability", ["0.25", "high"], "1 cells that are no numbers, such as 'high'"),
        (
            "value_at_stake",
            ["1.2E+03", "7.5E-01"],
            "scientific notation, such as '1.2E+03': a spreadsheet has rounded",
        ),
        (
            "customer_id",
            ["1.5159E+18", "2"],
            "In list.csv 1 id is in scientific notation, such as '1.5159E+18'",
        ),
        ("snapshot_date", ["soon", "soon"], "such as 'soon', are read by none of its ways"),
        ("snapshot_date", ["2131-01-01"] * 2, "is of 2131-01-01, which lies ahead"),
    ],
)
def test_what_was_lost_is_refused_with_an_example(
    tmp_path: Path, column: str, cells: list[str], complaint: str
) -> None:
    path = saved(tmp_path, lambda table: table.assign(**{column: cells}))

    with pytest.raises(StayworthError, match=complaint.replace("+", r"\+")):
        read_scores(path)


def test_small_numbers_with_an_exponent_and_a_decimal_comma_are_read(tmp_path: Path) -> None:
    small = {"churn_probability": ["7,470741064e-05", "0,95"], "value_at_risk": ["0,0922262984", "0,7125"]}
    path = saved(tmp_path, lambda table: german(table).assign(**small), sep=";")

    scores, _ = read_scores(path)

    assert scores["churn_probability"].tolist() == [7.470741064e-05, 0.95]


@pytest.mark.parametrize(
    ("changes", "row", "shown"),
    [
        ({"value_at_stake": ["0.75", "1234.5"]}, 1, "has 308.62, and the two make 0.19"),
        ({"churn_probability": ["0.25", "0.9"]}, 2, "has 0.72, and the two make 0.68"),
        ({"value_at_risk": ["308.625", "0.75"]}, 2, "has 0.75, and the two make 0.72"),
    ],
    ids=["sorted apart", "rounded", "changed"],
)
def test_a_row_whose_numbers_are_not_of_one_customer_is_refused(
    tmp_path: Path, changes: dict[str, list[str]], row: int, shown: str
) -> None:
    path = saved(tmp_path, lambda table: table.assign(**changes))

    with pytest.raises(
        StayworthError, match=rf"value_at_stake: row {row} {shown}. A column was sorted without"
    ):
        read_scores(path)


def test_a_number_that_a_narrow_cell_has_cut_to_six_digits_is_of_its_row(tmp_path: Path) -> None:
    cut = {"churn_probability": ["7.47074E-05", "0.953766"], "value_at_risk": ["0.0922263", "0.715324"]}

    scores, said = read_scores(saved(tmp_path, lambda table: table.assign(**cut)))

    assert (scores["value_at_risk"].tolist(), said) == ([0.0922263, 0.715324], [])


def test_dates_that_may_be_read_in_two_ways_need_a_format(tmp_path: Path) -> None:
    path = saved(
        tmp_path, lambda table: table.assign(snapshot_date="03/02/2024", last_purchase_date="01/02/2023")
    )

    with pytest.raises(StayworthError, match="such as '03/02/2024', may be read in several ways"):
        read_scores(path)
    scores, _ = read_scores(path, "%d/%m/%Y")

    assert set(scores["snapshot_date"]) == {"2024-02-03"}


def test_ids_that_may_have_lost_their_zeros_are_said(tmp_path: Path) -> None:
    LIST.assign(customer_id=[17, 418]).to_excel(tmp_path / "list.xlsx", index=False)

    _, (said,) = read_scores(tmp_path / "list.xlsx")

    assert said.startswith("Warning: the ids of list.xlsx are numbers, such as '17', '418'")


def test_the_zeros_of_ids_that_a_spreadsheet_took_are_put_back_from_their_lengths(tmp_path: Path) -> None:
    ids = ["0017", "00418", "9", "A-007"]
    written = with_id_lengths(pd.concat([LIST, LIST]).assign(customer_id=ids))

    path = tmp_path / "list.csv"
    written.assign(customer_id=["17", "418", "9", "A-007"]).to_csv(path, index=False)
    scores, (said,) = read_scores(path)

    assert scores["customer_id"].tolist() == ids
    assert "id_length" not in scores
    assert said.startswith("Warning: 2 ids of list.csv had lost their leading zeros")
    assert said.endswith("such as '17' to '0017'.")


def test_an_id_of_another_length_than_it_was_written_with_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, lambda table: with_id_lengths(table).assign(customer_id=["0017", "0418b"]))

    with pytest.raises(StayworthError, match="In list.csv 1 id has another length .* such as '0418b'"):
        read_scores(path)
