"""Own columns: brought by an administrator or a command; shown, ordered, filtered, kept in segments and taken out."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from serving.cli import app
from serving.store.store import Store

Opened = Callable[..., Any]
FILE = "customer_id,city,credit\nc000,Yazd,12.5\nc001,شیراز,1500\nc002,Yazd,\nstranger,Qom,7\n"


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2])).split())


def bring(browser: Any, content: bytes) -> Any:
    csrf = re.search(r'name="csrf" value="(\w+)"', browser.seen("/customers"))
    assert csrf
    files = {"columns": ("crm.csv", content)}
    return browser.post("/customers/columns", data={"csrf": csrf[1]}, files=files)


def key_of(page: str, value: str) -> str:
    found = re.search(rf'name="own" value="(\w+)"[^>]*/> <bdi>{value}</bdi>', page)
    assert found
    return found[1]


def customers(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/customers/[^"]+"><bdi>([^<]+)</bdi>', page)


def test_own_columns_are_shown_ordered_filtered_kept_and_taken_out(opened: Opened, store: Store) -> None:
    browser = opened()

    brought = bring(browser, FILE.encode())
    page = browser.seen("/customers?dormant=1&column=own:city&column=own:credit&by=own:city&up=1")
    yazd = key_of(page, "Yazd")
    chosen = f"/customers?dormant=1&own={yazd}&column=own:city"
    segment = browser.send("/segments", name="Yazd", dormant="1", own=yazd, column="own:city")
    table = browser.send(
        "/customers/export", kind="csv", own=yazd, column=["churn", "own:city", "own:credit"]
    )
    one = browser.seen(re.findall(r'<a href="(/customers/[^"]+)"><bdi>c001', page)[0])

    assert brought.status_code == 200
    assert "credit 12.5 1,500 Dormant" in text_of(page)
    assert "3 of 130 customers of the published list have a row in crm.csv" in unescape(brought.text)
    assert customers(page)[:3] == ["c002", "c000", "c001"]
    assert "c000 Yazd 12.5" in text_of(page) and "c001 شیراز 1,500" in text_of(page)
    assert customers(browser.seen(chosen)) == ["c000", "c002"]
    assert "2 customers list of" in text_of(browser.seen(chosen))
    assert "with the dormant · city: Yazd" in text_of(browser.seen(chosen))
    assert "Yazd" not in str(segment.url) and customers(segment.text) == ["c000", "c002"]
    rows = pd.read_csv(io.BytesIO(table.content), dtype=str, keep_default_na=False)
    assert list(rows.columns) == ["customer_id", "churn_probability", "city", "credit"]
    assert rows[["customer_id", "city", "credit"]].to_numpy().tolist() == [
        ["c000", "Yazd", "12.5"],
        ["c002", "Yazd", ""],
    ]
    assert "city شیراز credit 1,500" in text_of(one)


def test_a_campaign_is_planned_for_a_value_of_an_own_column(opened: Opened) -> None:
    browser = opened()
    bring(browser, FILE.encode())
    yazd = key_of(browser.seen("/campaigns/new"), "Yazd")

    form = text_of(browser.seen(f"/campaigns/new?dormant=1&own={yazd}"))
    begun = browser.send("/campaigns", name="spring", dormant="1", own=yazd)
    bring(browser, FILE.replace("Yazd", "Ahvaz").encode())
    number = begun.url.path.split("/")[2]
    gone = browser.seen(f"/campaigns/{number}/audience")

    assert "By these filters: 2 customers" in form
    assert begun.url.path.endswith("/offers")
    assert "By these filters: 0 customers" in text_of(gone)  # and not everybody


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x89PNG\r\n", "cannot be kept"),
        (b"id,city\nc000,Yazd\n", "has no column 'customer_id'"),
        (b"customer_id,stage\nc000,x\n", "both have 'stage'"),
        (b"customer_id\nc000\n", "no column besides the ids"),
        (b"customer_id\n", "crm.csv has columns (customer_id) but no rows."),
        (
            b"customer_id,city\nnobody,Yazd\n",
            "crm.csv has a row for nobody of the published list. Compare the ids",
        ),
        (
            b"customer_id,city\nC000,Yazd\n",
            "A tick at “match ids that a spreadsheet has changed” matches them so.",
        ),
        (
            b"customer_id,credit\nc000,12.5\nc001,inf\n",
            "The column 'credit' holds numbers, but in 1 cell one",
        ),
        (
            b"customer_id,credit\nc000,1e308\nc001,nan\n",
            "that cannot be kept: '1e308', 'nan', of 'c000', 'c001'.",
        ),
    ],
)
def test_a_file_that_cannot_be_kept_is_said_and_changes_nothing(
    opened: Opened, store: Store, content: bytes, says: str
) -> None:
    browser = opened()
    bring(browser, FILE.encode())

    answer = bring(browser, content)

    assert answer.status_code == 400 and says in unescape(answer.text)
    assert "contact" not in text_of(answer.text)  # they are own columns
    assert [column.name for column in store.customers.own.all()] == ["city", "credit"]


def test_what_was_kept_is_told_in_the_readers_language(opened: Opened, store: Store) -> None:
    rows = "customer_id,شهر,اعتبار\nc000,یزد,۱۵۰۰\nc001,یزد,1.2E+05\nstranger,قم,7\n"

    said = unescape(bring(opened(language="fa"), rows.encode()).text)

    assert "۲ از ۱۳۰ مشتری فهرست منتشرشده در \u2068crm.csv\u2069 سطری دارند." in said
    assert "۱ سطر آن از مشتریانی است که در فهرست نیستند" in said
    assert "شهر، اعتبار (عدد)" in said
    assert [column.numeric for column in store.customers.own.all()] == [False, True]
    assert store.customers.own.cells_of(["c000", "c001"]) == {"c000": ["یزد", 1500], "c001": ["یزد", 120000]}


def test_an_order_by_a_column_that_is_gone_is_the_usual_one(opened: Opened) -> None:
    browser = opened()
    bring(browser, FILE.encode())
    segment = browser.send("/segments", name="by credit", by="own:credit", up="1", dormant="1")
    bring(browser, b"customer_id,manager\nc000,Sara\n")

    kept = browser.seen(f"/customers?{segment.url.query.decode()}")
    table = browser.send("/customers/export", kind="csv", by="own:credit", up="1")

    assert "ordered by is there no more: it is in the usual order" in text_of(kept)
    assert customers(kept)[:3] == customers(browser.seen("/customers?dormant=1"))[:3]
    assert table.status_code == 200


def test_persian_texts_are_in_the_order_of_their_alphabet(opened: Opened) -> None:
    browser = opened()
    cities = ["یزد", "گرگان", "هرمز", "پاوه", "تهران", "چابهار"]
    rows = "".join(f"c{number:03},{city}\n" for number, city in enumerate(cities, 5))
    bring(browser, f"customer_id,شهر\n{rows}".encode())

    page = browser.seen("/customers?dormant=1&by=own:شهر&up=1&column=own:شهر")

    shown = re.findall(r'<td class="text"><bdi>([^<]+)</bdi>', page)
    assert shown == ["پاوه", "تهران", "چابهار", "گرگان", "هرمز", "یزد"]


def test_who_is_no_administrator_brings_no_columns(opened: Opened, store: Store) -> None:
    store.users.add("sara", "campaign", "correct horse battery")
    browser = opened(loopback=False)
    browser.sign_in("sara")

    answer = bring(browser, FILE.encode())
    browser.cookies.clear()
    later = bring(browser, FILE.encode())

    assert (answer.status_code, later.status_code) == (403, 403)  # the file is not even read
    assert "It takes the role admin, and you have campaign." in answer.text
    assert "Your session has ended. The file was not read: sign in, and send it again." in later.text
    assert store.customers.own.all() == []
    assert "File of own columns" not in browser.seen("/customers")


def test_the_command_brings_lists_and_removes_columns(store: Store, tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/store.db"
    pd.DataFrame({"customer_id": ["c000"], "city": ["Yazd"], "mail": ["a@x"]}).to_csv(
        tmp_path / "crm.csv", index=False
    )

    def run(*words: str) -> str:
        return CliRunner().invoke(app, ["columns", *words, "--store", address]).output

    brought = run("bring", str(tmp_path / "crm.csv"), "--only", "city")
    listed = run("list")
    removed = run("remove")

    assert "1 of 130 customers of the published list have a row in crm.csv. Own columns: city." in brought
    assert "city" in listed and "Yazd" in listed
    assert "removed" in removed and "no own column" in run("list")
