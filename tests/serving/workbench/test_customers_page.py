"""The table of customers is chosen, ordered, paged, kept and taken out."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from features.log.sources import read_table
from features.log.transactions import TransactionLog
from serving.campaign.list_file import read_scores
from serving.scorer import Scorer
from serving.store import customers
from serving.store.store import Store
from training.campaign.plan import plan
from training.campaign.settings import PlanTerms
from training.model.score_schema import SCORE_COLUMNS
from training.offers.offers import Offer

Opened = Callable[..., Any]
ALL = "/customers?dormant=1"


def text_of(page: str) -> str:
    """Return what a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2])).split())


def shown(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/customers/[\w-]+"><bdi>(.*?)</bdi>', page)


def link(page: str, rel: str) -> str:
    found = re.search(rf'href="([^"]+)" rel="{rel}"', page)
    assert found
    return found[1].replace("&amp;", "&")


def test_customers_are_paged_there_and_back(opened: Opened) -> None:
    browser = opened()
    first = browser.seen(ALL)

    second = browser.seen(link(first, "next"))
    third = browser.seen(link(second, "next"))

    assert [len(shown(page)) for page in (first, second, third)] == [50, 50, 30]
    assert (shown(first)[0], shown(second)[0], shown(third)[-1]) == ("c000", "c050", "c129")
    assert 'rel="next"' not in third
    assert shown(browser.seen(link(third, "prev"))) == shown(second)
    assert shown(browser.seen(link(second, "prev"))) == shown(first)


def test_by_value_at_risk_the_dormant_come_last_and_it_is_said(opened: Opened) -> None:
    browser = opened()
    last = "the dormant after the others"

    pages = [text_of(browser.seen(path)) for path in (ALL, "/customers", ALL + "&by=expected_value")]

    assert [last in page for page in pages] == [True, False, False]


def test_a_row_says_in_words_what_its_numbers_mean(opened: Opened) -> None:
    said = text_of(opened().seen(ALL))

    assert "130 customers list of 1998-07-01" in said
    assert "c000 99% every 3 weeks, silent for 1 day 1,300" in said
    assert "c001 98% every 3 weeks, silent for 4 days 1,290 0.50 vip loyal 1998-06-27 a reason" in said


def test_names_are_shown_as_they_are_written(opened: Opened) -> None:
    page = opened().seen(ALL)

    assert shown(page)[3:5] == ["&lt;b&gt;&#34;Ali&#34; &amp; sons&lt;/b&gt;", "علی رضایی"]


@pytest.mark.parametrize(
    ("query", "first", "number"),
    [
        ("dormant=1&tier=low", "c091", 39),
        ("dormant=1&tier=low&tier=vip&stage=lapsing", "c000", 22),
        ("dormant=1&band=unlikely&up=1", "c129", 26),
        ("", "c000", 60),
        ("dormant=1&by=last_purchase_date&up=1", "c129", 130),
        ("dormant=1&by=customer_id;drop&tier=boss", "c000", 130),
    ],
)
def test_filters_and_orders_choose_and_count(opened: Opened, query: str, first: str, number: int) -> None:
    page = opened().seen(f"/customers?{query}")

    assert shown(page)[0] == first
    assert f"<strong>{number} customers" in page


def test_nobody_is_a_sentence(opened: Opened) -> None:
    assert "No customer is like that." in opened().seen("/customers?dormant=1&tier=low&band=very+likely")


def test_columns_are_chosen(opened: Opened) -> None:
    page = opened().seen(
        "/customers?column=spend_per_purchase&column=next_purchase_date&column=password_hash"
    )

    heads = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', page)
    assert heads == ["Customer", "Next purchase", "Spend per purchase"]


def test_a_segment_keeps_a_choice_for_all_and_is_removed(opened: Opened, store: Store) -> None:
    browser = opened()

    kept = browser.send(
        "/segments", name=" Lost  <vips> ", tier="vip", band="very likely", by="expected_value"
    )

    assert "<strong>26 customers" in kept.text
    assert "Lost &lt;vips&gt;" in kept.text
    again = browser.send("/segments", name="Lost <vips>")
    assert again.status_code == 400
    assert "There is a segment of that name already." in again.text
    (segment,) = store.segments.all()
    browser.send(f"/segments/{segment.id}/remove")
    assert store.segments.all() == []
    assert [entry.action for entry in store.audit.newest()] == ["remove segment", "keep segment"]
    assert "kept a segment" in browser.seen("/audit")


def test_what_is_shown_is_taken_out_as_a_file_and_the_audit_says_so(
    opened: Opened, store: Store, tmp_path
) -> None:
    browser = opened()
    chosen = {"dormant": "1", "stage": "lapsing", "column": ["churn", "value_tier", "reason"]}

    csv = browser.send("/customers/export", kind="csv", **chosen)
    excel = browser.send("/customers/export", kind="xlsx", **chosen)

    (tmp_path / "list.csv").write_bytes(csv.content)
    table = read_table(tmp_path / "list.csv")
    assert list(table.columns) == ["customer_id", "churn_probability", "value_tier", "reasons"]
    assert (len(table), table["customer_id"][0]) == (44, "c000")
    (sheet,) = openpyxl.load_workbook(io.BytesIO(excel.content)).worksheets
    assert sheet.max_row == 45
    assert 'filename="customers.xlsx"' in excel.headers["content-disposition"]
    assert store.audit.newest()[0].about == "44 customers of set 1, xlsx"


def test_a_segment_goes_on_to_a_campaign_plan(
    opened: Opened, store: Store, log: TransactionLog, scorer: Scorer, tmp_path: Path
) -> None:
    scored = scorer.score_log(log)
    store.publish(scored.scores)
    browser = opened()

    sent = browser.send("/customers/export", kind="plan", tier="vip")

    (tmp_path / "scored.csv").write_bytes(sent.content)
    scores, said = read_scores(tmp_path / "scored.csv")
    vips = scored.scores[(scored.scores["value_tier"] == "vip") & scored.recent]
    assert list(scores.columns) == list(SCORE_COLUMNS)
    assert said == []
    assert list(scores["customer_id"]) == list(vips["customer_id"])
    planned = plan(
        scores, [Offer(name="call", contact_cost=0.1, incentive_cost=0, acceptance_rate=0.5)], PlanTerms()
    )
    assert len(planned.customers) == len(vips)


def test_a_list_that_is_replaced_while_it_is_taken_out_is_not_mixed(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customers, "_CHUNK_ROWS", 100)
    browser, pages = opened(), store.customers.page

    def published_after(*arguments: Any, **options: Any) -> Any:
        page = pages(*arguments, **options)
        store.publish(people())
        return page

    monkeypatch.setattr(store.customers, "page", published_after)
    answer = browser.send("/customers/export", kind="csv", dormant="1")

    assert answer.status_code == 400
    assert "Take it out again" in answer.text


def test_an_id_is_found_however_a_keyboard_writes_it(opened: Opened) -> None:
    browser = opened()

    def found(wanted: str) -> list[str]:
        return shown(browser.send("/customers/search", wanted=wanted).text)

    assert found("c۰۰۷") == found("c007") == ["c007"]
    assert found("علي") == found("علی") == ["علی رضایی"]
    assert found("۰۰۷") == []


def test_a_search_that_finds_more_than_a_page_says_so(opened: Opened) -> None:
    said = text_of(opened().send("/customers/search", wanted="c").text)

    assert "Ids that begin with c: the first 50 customers" in said
    assert "There are more than 50 of them" in said


@pytest.mark.parametrize(
    ("path", "fields", "back"),
    [
        ("/segments", {"name": ""}, "/customers"),
        ("/customers/export", {"kind": "csv", "tier": "destroyer"}, "/customers"),
        ("/models/9/promote", {"reason": ""}, "/models"),
    ],
)
def test_a_form_that_is_refused_leads_back_to_its_page(
    opened: Opened, path: str, fields: dict[str, str], back: str
) -> None:
    answer = opened().send(path, **fields)

    assert answer.status_code == 400
    assert f'<p><a href="{back}">' in answer.text


def test_nobody_is_no_file(opened: Opened) -> None:
    browser = opened()

    nobody = browser.send("/customers/export", kind="csv", dormant="1", tier="low", band="very likely")

    assert nobody.status_code == 400
    assert browser.send("/customers/export", kind="pdf").status_code == 400


def test_a_list_that_was_replaced_in_between_begins_anew_and_says_so(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame]
) -> None:
    browser = opened()
    after = link(browser.seen(ALL), "next")

    store.publish(people())

    page = browser.seen(after)
    assert "A new list was published meanwhile" in page
    assert shown(page)[0] == "c000"


def test_pages_speak_persian_with_its_digits_and_dates(opened: Opened) -> None:
    browser = opened()
    browser.send("/language", language="fa", to="/customers")

    page = browser.seen(ALL)

    assert '<html lang="fa" dir="rtl">' in page
    said = text_of(page)
    assert "۹۹٪" in said
    assert "۱۳۷۷/۰۴/۰۹" in said  # 30 June 1998
    assert not re.search("[0-9]", re.sub(r"c\d{3}", "", said))


def test_a_store_that_is_gone_is_said_in_words(opened: Opened, store: Store) -> None:
    browser = opened()
    browser.seen(ALL)
    file = store.address.file
    assert file is not None
    store.close()
    away = file.rename(file.with_suffix(".away"))

    gone = browser.get("/customers")
    away.rename(file)

    assert gone.status_code in (200, 503)
    assert "No list is published yet" in gone.text or "The store" in gone.text
    assert "130 customers" in browser.seen(ALL)


def test_the_rhythm_is_said_where_it_is_known(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame]
) -> None:
    gaps = [1.2, None, 61.0, *[9.6] * 127]
    store.publish(people(usual_gap_days=gaps))

    said = text_of(opened().seen("/customers"))

    assert "c000 99% every day, silent for 1 day" in said
    assert "c001 98% silent for 4 days" in said
    assert "c002 97% every 9 weeks, silent for 7 days" in said
    assert "every 10 days, silent for 10 days" in said


@pytest.mark.parametrize("stored", ["نسرین کریمی ۱۳۰۹۳", "نسرین کریمی 13093", "نسرين كريمي ١٣٠٩٣"])
@pytest.mark.parametrize("typed", ["نسرین کریمی ۱۳۰۹۳", "نسرین کریمی 13093", "نسرين كريمي ١٣٠٩٣"])
def test_an_id_is_found_by_whatever_digits_and_letters_it_is_typed_in(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame], stored: str, typed: str
) -> None:
    ids = [stored, *(f"c{number:03}" for number in range(1, 130))]
    store.publish(people(customer_id=ids))

    found = opened().send("/customers/search", wanted=typed)

    assert shown(found.text) == [stored]
