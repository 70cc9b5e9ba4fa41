"""Lists for people: the columns that a manager reads first, on paper and in Persian, and those of other programs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from features.economics.money import MoneyUnit
from features.errors import OutputError, StayworthError
from features.language import use_language
from features.log.sources import read_table
from serving.erasure.tables import erase_rows
from serving.lists.presets import preset_table, reached
from serving.lists.team_list import ListTerms
from serving.lists.written_list import columns_for, write_list

EVIL = '=HYPERLINK("http://evil.example")'
TERMS = ListTerms(MoneyUnit("EUR"), date(1998, 7, 1), 90, "3", ends="window", starts=date(1998, 7, 1))


@pytest.fixture
def rows() -> pd.DataFrame:
    """Five customers with their contacts: a formula for a name, no address, the address of another, a local number."""
    return pd.DataFrame(
        {
            "customer_id": ["001", "002", "003", "004", "005"],
            "churn_probability": [0.875, 0.5, 0.25, 0.25, 0.25],
            "value_at_stake": [1000.0, 20.0, 10.0, 10.0, 10.0],
            "value_tier": ["vip", "low", "medium", "low", "low"],
            "reasons": [["silent for 7 months", "few orders"], ["only 2 purchases"], [], [], ["x"]],
            "Full name": [EVIL, "Ann & Bob", None, "Dup", "+1 or less"],
            "E-mail": ["a@example.com", "", "c@example.com", "A@example.com", "no address"],
            "Mobile": ["0098 912 345 6789", "", "0912 345 6789", "", "+۹۸۹۱۲۰۰۰۰۰۰۰"],
            "City": ["Yazd"] * 5,
        }
    )


def test_a_workbook_begins_with_what_a_manager_reads_and_runs_no_formula(
    rows: pd.DataFrame, tmp_path: Path
) -> None:
    write_list(rows, tmp_path / "list.xlsx", "team", TERMS)

    book = openpyxl.load_workbook(tmp_path / "list.xlsx")
    sheet, legend = book["List"], book["Legend"]
    assert [cell.value for cell in sheet[1]] == [
        *(
            "Name",
            "E-mail",
            "Phone",
            "Tier",
            "Risk, %",
            "Value at risk (EUR)",
            "Reason",
            "Until",
            "customer_id",
        ),
    ]
    first = sheet[2]
    assert [cell.value for cell in first[:6]] == [
        EVIL,
        "a@example.com",
        "0098 912 345 6789",
        "vip",
        0.875,
        875,
    ]
    assert [cell.data_type for cell in first] == ["s", "s", "s", "s", "n", "n", "s", "d", "s"]
    assert (first[4].number_format, first[5].number_format) == ("0%", "#,##0.00")
    assert (first[6].value, first[6].alignment.wrap_text) == ("silent for 7 months\nfew orders", True)
    assert first[7].value.date() == date(1998, 9, 28)  # the last of 90 days from 1 July
    assert {row[0].value for row in legend.iter_rows()} >= {cell.value for cell in sheet[1]}
    assert {cell.data_type for row in legend.iter_rows() for cell in row} == {"s"}


def test_a_workbook_says_that_the_dormant_come_last_where_there_are_any(
    rows: pd.DataFrame, tmp_path: Path
) -> None:
    write_list(rows, tmp_path / "some.xlsx", "team", replace(TERMS, dormant_after_days=180))
    write_list(rows, tmp_path / "none.xlsx", "team", TERMS)

    some, none = (
        " ".join(str(cell.value) for cell in openpyxl.load_workbook(tmp_path / name)["Legend"]["B"])
        for name in ("some.xlsx", "none.xlsx")
    )
    assert "Those silent for more than 180 days are dormant: they come after all others" in some
    assert "5 customers on the list." in none and "dormant" not in none


def test_a_workbook_prints_on_a4_with_its_head_on_every_page(rows: pd.DataFrame, tmp_path: Path) -> None:
    write_list(rows, tmp_path / "list.xlsx", "team", TERMS)

    sheet = openpyxl.load_workbook(tmp_path / "list.xlsx")["List"]
    setup = sheet.page_setup
    assert (setup.paperSize, setup.orientation) == (9, "landscape")
    assert (sheet.sheet_properties.pageSetUpPr.fitToPage, setup.fitToHeight) == (
        True,
        0,
    )  # as wide as one page
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.freeze_panes == "B2"


def test_a_persian_list_runs_from_right_to_left_in_its_words_digits_and_calendar(
    rows: pd.DataFrame, tmp_path: Path
) -> None:
    with use_language("fa"):
        write_list(rows, tmp_path / "list.xlsx", "team", replace(TERMS, unit=MoneyUnit.of("toman", "IRR")))

    book = openpyxl.load_workbook(tmp_path / "list.xlsx")
    sheet = book.worksheets[0]
    heads = [cell.value for cell in sheet[1]]
    assert [each.sheet_view.rightToLeft for each in book.worksheets] == [True, True]
    assert heads[:4] == ["نام", "ایمیل", "تلفن", "رده"]
    assert (heads[5], sheet["F2"].value) == ("ارزش در خطر (تومان)", 87.5)  # ten rials
    assert sheet["F2"].number_format == "[$-3000429]#,##0.00"
    assert sheet["D2"].value == "باارزش"
    assert "۱۳۷۷/۰۷/۰۶" in [cell.value for cell in sheet[2]]  # 28 September 1998


def test_a_csv_of_the_team_says_the_same_and_stays_harmless(rows: pd.DataFrame, tmp_path: Path) -> None:
    write_list(rows, tmp_path / "list.csv", "team", TERMS)

    read = read_table(tmp_path / "list.csv")
    assert read["Risk, %"].astype(float).tolist() == [87.5, 50, 25, 25, 25]
    assert read["Name"].iloc[0] == EVIL
    raw = (tmp_path / "list.csv").read_text(encoding="utf-8")
    assert "\n\"'=HYPERLINK" in raw
    assert '"\'+1 or less"' in raw


def test_without_contacts_the_list_begins_with_the_id(rows: pd.DataFrame, tmp_path: Path) -> None:
    write_list(
        rows[["customer_id", "churn_probability", "value_at_stake", "value_tier", "reasons"]],
        tmp_path / "list.csv",
        "team",
        replace(TERMS, unit=MoneyUnit()),
    )

    read = read_table(tmp_path / "list.csv")
    assert read.columns.tolist() == ["customer_id", "Tier", "Risk, %", "Value at risk", "Reason", "Until"]


def test_a_list_that_a_customer_asked_to_be_taken_from_keeps_its_legend(
    rows: pd.DataFrame, tmp_path: Path
) -> None:
    with use_language("fa"):
        write_list(rows, tmp_path / "list.xlsx", "team", TERMS)

    found = erase_rows(tmp_path / "list.xlsx", ["003"], "customer_id")

    book = openpyxl.load_workbook(tmp_path / "list.xlsx")
    assert found.rows == 1
    assert [book.worksheets[0].max_row, len(book.worksheets)] == [5, 2]


def test_klaviyo_gets_whom_it_can_reach_once_each_and_the_others_are_counted(rows: pd.DataFrame) -> None:
    found = preset_table(rows, "klaviyo", TERMS)

    assert found.rows.iloc[:, :4].to_numpy().tolist() == [
        ["a@example.com", "+989123456789", EVIL, "001"],
        ["c@example.com", "", "", "003"],
        ["", "+989120000000", "+1 or less", "005"],
    ]
    assert found.rows.columns.tolist() == [
        *("Email", "Phone Number", "First Name", "customer_id", "stayworth_tier", "stayworth_risk"),
        *("stayworth_value_at_risk", "stayworth_reason", "stayworth_until"),
    ]
    assert found.rows["stayworth_value_at_risk"].tolist() == [875, 2.5, 2.5]
    assert found.said == (
        "Left empty: 1 e-mail address that is none.",
        "Left empty: 1 phone number without a country code, as in +98 912 000 0000.",
        "Left out: 1 customer without an address (Email, Phone Number).",
        "Left out: 1 customer whose Email another customer before them has.",
    )


def test_a_programs_list_has_those_alone_whose_offer_it_sends(rows: pd.DataFrame) -> None:
    offers = rows.assign(offer="voucher", channel=["phone", "E-Mail", "", "پیامک", "phone"][: len(rows)])

    mailchimp, klaviyo = preset_table(offers, "mailchimp", TERMS), preset_table(offers, "klaviyo", TERMS)

    assert "001" not in set(mailchimp.rows["customer_id"]) | set(klaviyo.rows["customer_id"])
    assert mailchimp.said[0] == "Left out: 2 customers whose offer goes by another channel, phone."
    assert mailchimp.said[1] == "Left out: 1 customer whose offer goes by another channel, پیامک."
    assert klaviyo.said[0] == mailchimp.said[0] and "پیامک" not in " ".join(klaviyo.said)
    for found, counted in ((mailchimp, reached(offers, "mailchimp")), (klaviyo, reached(offers, "klaviyo"))):
        assert (len(counted.rows), counted.said) == (len(found.rows), found.said)


def test_mailchimp_needs_an_address_and_takes_the_name_as_the_contacts_divide_it(rows: pd.DataFrame) -> None:
    named = rows.assign(fname="Ann", surname="Lee").drop(columns="Mobile")

    found = preset_table(named, "mailchimp", TERMS)

    assert found.rows.iloc[:, :3].to_numpy().tolist() == [
        ["a@example.com", "Ann", "Lee"],
        ["c@example.com", "Ann", "Lee"],
    ]
    with pytest.raises(StayworthError, match="mailchimp needs a column 'email', which the list has not"):
        preset_table(rows.drop(columns="E-mail"), "mailchimp", TERMS)


@pytest.mark.parametrize(
    ("path", "columns", "complaint"),
    [
        ("list.xlsx", "klaviyo", "imports a CSV. Name the file list.csv"),
        ("l.parquet", "team", "Name the file l.xlsx"),
    ],
)
def test_columns_that_are_for_another_kind_of_file_are_refused(
    path: str, columns: str, complaint: str
) -> None:
    with pytest.raises(OutputError, match=complaint):
        columns_for(Path(path), columns)  # type: ignore[arg-type]
