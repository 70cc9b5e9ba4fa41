"""A report in Persian: nothing is left in another language but what the files say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

from features.economics.settings import ReportSettings
from features.settings import flag_of, option_of

DATA = {
    *("web", "billboard", "Yazd", "city", "visit", "chat", "fax", "support", "spring", "voucher"),
    *("stayworth", "score", "plan", "measure"),
}
"""What the shop's files say, and what commands are called."""

NAMES = re.compile(
    r"\w+\.(csv|toml|json)( \([^()]*\))?|--[a-z-]+|\w+_\w+|\[\[\w+\]\]|support \d{4}-\d{2}|\bc\d{3}\b|old-1"
)
"""Names of files with their columns, of flags and of columns, and the shop's pools and customers."""


class Said(HTMLParser):
    """Collects what a page says to its reader: texts outside scripts and styles, titles and labels."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open = tag
        self.texts += [value for name, value in attrs if name in ("title", "aria-label") and value]

    def handle_data(self, data: str) -> None:
        if self.open not in ("script", "style") and data.strip():
            self.texts.append(data.strip())


def foreign(texts: list[str]) -> set[str]:
    """Return the texts with Latin words or digits, once names and data are taken out."""
    plain = {text: NAMES.sub("", text) for text in texts}
    return {
        text
        for text, rest in plain.items()
        if set(re.findall(r"[A-Za-z]+", rest)) - DATA or re.search("[0-9]", rest)
    }


def tables(folder: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    for path in sorted(folder.glob("*.csv")):
        yield path.name, pd.read_csv(path, dtype=str)


def test_the_shop_has_every_file_that_a_report_reads(shop_flags: set[str]) -> None:
    options = {name: option_of(field) for name, field in ReportSettings.model_fields.items()}
    files = {
        flag_of(option)
        for name, option in options.items()
        if option and "Path" in str(ReportSettings.model_fields[name].annotation)
    }

    assert files - {"--out"} - shop_flags == set()


@pytest.mark.slow
def test_a_page_says_everything_in_persian(shop_report: Callable[[str], Path]) -> None:
    page = (shop_report("fa") / "report.html").read_text(encoding="utf-8")

    assert '<html lang="fa" dir="rtl">' in page
    assert foreign(Said(page).texts) == set()


def test_what_is_missing_is_said_in_persian(shop_alone: Callable[[str], Path]) -> None:
    page = (shop_alone("fa") / "report.html").read_text(encoding="utf-8")

    assert page.count("--") > 5
    assert foreign(Said(page).texts) == set()


@pytest.mark.slow
def test_a_period_has_the_first_day_of_the_other_calendar_beside_it(
    shop_report: Callable[[str], Path], shop_alone: Callable[[str], Path]
) -> None:
    gregorian = Said((shop_report("fa") / "report.html").read_text(encoding="utf-8")).texts
    jalali = Said((shop_alone("fa") / "report.html").read_text(encoding="utf-8")).texts

    assert "از ۱۴۰۳/۰۲/۱۲" in gregorian  # 1 May 2024
    assert "از ۲۰۲۴/۰۴/۲۰" in jalali  # 1 Ordibehesht 1403


@pytest.mark.slow
def test_programs_read_the_same_files_in_every_language(shop_report: Callable[[str], Path]) -> None:
    english, persian = (dict(tables(shop_report(language))) for language in ("en", "fa"))

    assert english.keys() == persian.keys()
    for name, table in english.items():
        assert list(persian[name]) == list(table)
        if name not in ("definitions.csv", "what_if.csv"):  # what a column means, what a change is
            pd.testing.assert_frame_equal(persian[name], table)
    assert persian["definitions.csv"]["column"].equals(english["definitions.csv"]["column"])
    assert foreign(persian["definitions.csv"]["meaning"].tolist()) == set()


@pytest.mark.slow
def test_a_workbook_is_persian_from_right_to_left_and_its_numbers_are_numbers(
    shop_report: Callable[[str], Path],
) -> None:
    book = load_workbook(shop_report("fa") / "report.xlsx")
    english = load_workbook(shop_report("en") / "report.xlsx")

    assert foreign([*book.sheetnames, *(str(cell.value) for sheet in book for cell in sheet[1])]) == set()
    assert all(sheet.sheet_view.rightToLeft for sheet in book)
    assert not any(sheet.sheet_view.rightToLeft for sheet in english)
    base = book["پایگاه مشتریان"]
    heads = [cell.value for cell in base[1]]
    row = dict(zip(heads, base[2], strict=True))
    assert row["گروه مشتری"].value == "همه"
    assert row["پایان دوره"].value == 27  # of January 2022, as on the page
    assert row["پایان دوره"].number_format == "[$-3000429]#,##0"
    assert heads[heads.index("از") + 1] == "تاریخ هجری شمسی"
    assert base.cell(2, heads.index("از") + 2).value == "۱۴۰۰/۱۰/۱۱"  # 1 January 2022


def test_the_command_speaks_persian_too(shop_said: Callable[[str], str]) -> None:
    said = shop_said("fa")

    assert "پایگاه مشتریان" in said
    assert "از ۱۴۰" in said  # Jalali days beside the months
    assert foreign([line for line in said.splitlines() if "report.html" not in line]) == set()
