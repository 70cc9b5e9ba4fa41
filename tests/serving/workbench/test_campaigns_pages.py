"""A campaign goes from its audience to what it did; people, files and lists that come between are told in words."""

from __future__ import annotations

import io
import re
import sqlite3
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.language import use_language
from features.log.sources import read_table
from serving.delivery.settings import WebhookSettings
from serving.store.deliveries import MOST_TRIES
from serving.store.store import Store
from serving.workbench import uploads
from serving.workbench.audience_channel import AudienceChannel
from serving.workbench.telling import tell_due
from training.model.retold_reasons import retold_reason

Opened = Callable[..., Any]
OFFER = {
    "offer_name": "call",
    "channel": "phone",
    "contact_cost": "0.1",
    "incentive": "0.5",
    "incentive_kind": "amount",
    "acceptance": "50",
}


@pytest.fixture
def people(people: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    """All have enough at stake for an offer to pay."""
    return lambda **others: people(**{"value_at_stake": 20.0, "expected_value": 30.0, **others})


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2])).split())


def version_of(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found, text_of(page)
    return found[1]


def step(browser: Any, path: str, *, on: str = "", **fields: object) -> Any:
    """Send the form of a page as it is shown."""
    return browser.send(path, version=version_of(browser.seen(on or path)), **fields)


def send_file(
    browser: Any, path: str, field: str, content: bytes, *, name: str = "file.csv", on: str = ""
) -> Any:
    page = browser.seen(on or path)
    csrf = re.search(r'name="csrf" value="(\w+)"', page)
    assert csrf
    fields = {"csrf": csrf[1], "version": version_of(page)}
    return browser.post(path, data=fields, files={field: (name, content)})


def begun(browser: Any, *, channel: object = "phone", **fields: object) -> str:
    """Begin a draft with an offer; return its address."""
    page = browser.send("/campaigns", **{"name": "spring", "dormant": "1", **fields})
    assert page.url.path.endswith("/offers"), text_of(page.text)
    draft = page.url.path.removesuffix("/offers")
    added = step(browser, f"{draft}/offers", **OFFER | {"channel": str(channel)})
    assert 'id="chosen"' in added.text and added.status_code == 200, text_of(added.text)
    return draft


def planned(browser: Any, **fields: object) -> str:
    """Plan a campaign; return its address."""
    draft = begun(browser, **fields)
    preview = browser.seen(f"{draft}/preview")
    beside = re.search(r'name="beside" value="([\d-]*)"', preview)
    assert beside, text_of(preview)
    page = browser.send(f"{draft}/confirm", version=version_of(preview), beside=beside[1])
    assert page.status_code == 200, text_of(page.text)
    return draft


def orders(ids: list[str]) -> bytes:
    """Orders of most customers in the window of the campaign, and one after it."""
    rng = np.random.default_rng(3)
    buys = [each for each in ids if rng.random() < 0.6]
    days = [date(1998, 7, 1) + timedelta(days=int(d)) for d in rng.integers(0, 90, len(buys))]
    log = pd.DataFrame({"customer_id": buys, "ordered_at": days, "amount": 10.0})
    log.loc[len(log)] = ["late", date(1998, 12, 1), 1.0]
    return log.to_csv(index=False).encode()


def test_a_campaign_goes_from_its_audience_to_what_it_did(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame]
) -> None:
    browser = opened()
    draft = begun(browser, tier=["vip", "medium"])

    worked_out = step(browser, f"{draft}/budget", budget="40", holdout="20", go="stay")
    excluded = send_file(browser, f"{draft}/files", "exclusions", b"customer_id\nc000\nc001\nnobody\n")
    contacts = b"customer_id,email\nc002,two@x.example\nc005,five@x.example\n"
    with_contacts = send_file(browser, f"{draft}/files", "contacts", contacts)
    preview = browser.seen(f"{draft}/preview")
    kept = browser.send(f"{draft}/confirm", version=version_of(preview), beside="")
    sent = step(browser, f"{draft}/sent", on=draft)
    assert "Over, and to be measured: spring." in text_of(browser.seen("/"))
    rows = store.campaigns.customers(1, "contacted")
    gone = rows["customer_id"][0]
    step(browser, f"{draft}/take-off", on=draft, customer=gone, reason="opted out")
    plain = step(browser, f"{draft}/list", on=draft, kind="plain")
    folder = step(browser, f"{draft}/list", on=draft, kind="folder")
    measured = send_file(
        browser, f"{draft}/measure", "orders", orders(list(people()["customer_id"])), on=draft
    )

    assert "this plan" in worked_out.text and "<polyline" in worked_out.text
    assert "2 of 3 opt-outs of file.csv are in the published list" in unescape(excluded.text)
    assert "2 of 130 customers of the published list have a contact in file.csv" in unescape(
        with_contacts.text
    )
    assert "asked not to be contacted" in preview
    assert "spring planned" in text_of(kept.text) and "spring over, to be measured" in text_of(sent.text)
    table = read_table_of(plain.content)
    held = store.campaigns.groups(1)[1]
    assert not {gone, "c000", "c001", *held} & set(table["customer_id"])
    assert len(table) == len(rows) - 1 and len(held) > 2
    assert "email" in table.columns
    shown = re.findall(
        r'<th scope="row"><a href="(/customers/[^"]+)"><bdi>([^<]+)</bdi>', browser.seen(draft)
    )
    key = next(address for address, customer in shown if customer in held)
    assert "held out at random; no campaign contacts them before 1998-" in browser.seen(key)
    names = zipfile.ZipFile(io.BytesIO(folder.content)).namelist()
    assert "campaign-1/plan.json" in names and "campaign-1/holdout.csv" in names
    assert measured.status_code == 200, text_of(measured.text)
    assert "What it did" in measured.text and "spring measured" in text_of(measured.text)
    library = text_of(browser.send("/campaigns", name="summer", tier="low", dormant="1").text)
    assert re.search(
        r"call spring (Acceptance 50% before|Measured; its acceptance could not be told)", library
    )
    ledger = text_of(browser.seen("/campaigns"))
    assert re.search(r"spring measured 1998-07-01 .* points", ledger)
    audit = text_of(browser.seen("/audit"))
    for words in (
        "began a campaign",
        "planned a campaign",
        "sent a campaign",
        "measured a campaign",
        "opted out",
    ):
        assert words in audit
    assert gone not in audit
    kept_one = store.campaigns.numbered(1)
    assert kept_one and kept_one.findings
    english = [unescape(each) for each in re.findall(r'<p class="note"[^>]*>([^<]*)</p>', measured.text)]
    verdict = kept_one.findings["record"]["verdict"]
    assert verdict in unescape(browser.seen(draft))
    browser.send("/language", language="fa")
    retold = browser.seen(draft)
    assert "سهم خریداران" in retold and verdict not in unescape(retold)
    notes = [unescape(each) for each in re.findall(r'<p class="note"[^>]*>([^<]*)</p>', retold)]
    assert len(notes) >= 3 and not any(re.search(r"\b(is|are|the|of)\b", each) for each in notes), notes
    assert "برنامه در یک صفحه (به انگلیسی)" in text_of(retold)  # pages stay as they were written
    assert 'measured" hreflang="en"' in retold and "(in English)" not in text_of(measured.text)
    step(browser, f"{draft}/measure", on=draft)  # in Persian, without a file: nothing is kept
    again = send_file(browser, f"{draft}/measure", "orders", orders(list(people()["customer_id"])), on=draft)
    browser.send("/language", language="en")
    back = [unescape(each) for each in re.findall(r'<p class="note"[^>]*>([^<]*)</p>', browser.seen(draft))]
    assert again.status_code == 200 and back == english


def read_table_of(content: bytes) -> pd.DataFrame:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        path.write_bytes(content)
        return read_table(path)


def test_a_campaign_is_measured_on_the_log_that_the_operator_gave(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    log = tmp_path / "orders.csv"
    log.write_bytes(orders(list(people()["customer_id"])))
    browser = opened(new_orders=log)
    campaign = planned(browser)

    page = step(browser, f"{campaign}/measure", on=campaign)
    unreadable = send_file(
        browser, f"{campaign}/measure", "orders", b"\x89PNG", name="orders.csv", on=campaign
    )

    assert "What it did" in page.text, text_of(page.text)
    assert [each.state for each in store.campaigns.all()] == ["measured"]
    assert unreadable.status_code == 400 and "orders.csv" in unreadable.text
    assert "What it did" in unreadable.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"budget": "-5"}, "The budget is a number from 0 to 1,000,000,000,000; '-5' is not."),
        ({"budget": "1e308"}, "'1e308' is not"),
        ({"budget": "nan"}, "'nan' is not"),
        ({"holdout": "60"}, "The holdout in per cent is a number from 0 to 50"),
        ({"starts_on": "tomorrow"}, "Write the first day as 2026-03-21"),
        ({"explore": "51"}, "The share made to learn in per cent is a number from 0 to 50"),
        ({"hold_days": "1.5"}, "The number of days is a whole number"),
        (
            {"hold_days": "60"},
            "kept for at least the churn window, 90 days: the campaign is measured over it.",
        ),
        ({"starts_on": "1990-01-01"}, "The first day, 1990-01-01, is before that of the list, 1998-07-01"),
    ],
)
def test_a_figure_out_of_bounds_is_refused_in_words_and_stays_typed(
    opened: Opened, fields: dict[str, str], words: str
) -> None:
    browser = opened()
    draft = begun(browser)

    refused = step(browser, f"{draft}/budget", **fields)

    assert refused.status_code == 400
    assert words in unescape(refused.text)
    assert f'value="{next(iter(fields.values()))}"' in refused.text


def test_an_offer_is_called_as_it_is_typed_and_runs_nothing(opened: Opened) -> None:
    browser = opened()
    draft = begun(browser)

    page = step(browser, f"{draft}/offers", **OFFER | {"offer_name": "<script>alert(1)</script>"})
    twice = step(browser, f"{draft}/offers", **OFFER)

    assert "<script" not in page.text and "&lt;script&gt;alert(1)" in page.text
    assert "<script>" not in browser.seen(f"{draft}/budget") + browser.seen(f"{draft}/preview")
    assert twice.status_code == 400 and "Two offers are called 'call'" in unescape(twice.text)


@pytest.mark.parametrize(
    ("language", "fields", "words"),
    [
        ("en", {"capacity": "0"}, "The most customers is a number from 1 to 1,000,000,000; '0' is not."),
        ("fa", {"capacity": "۰"}, "حداکثر مشتری عددی از ۱ تا"),
        (
            "en",
            {"offer_name": "x" * 500},
            "The name of an offer has at most 60 characters; this one has 500.",
        ),
        ("fa", {"offer_name": "x" * 61}, "نام پیشنهاد حداکثر ۶۰ نویسه دارد؛ این یکی ۶۱ نویسه دارد."),
        ("en", {"acceptance": "0"}, "An offer that nobody accepts keeps nobody. Say how many of 100"),
        ("fa", {"acceptance": "۰"}, "پیشنهادی که هیچ‌کس نپذیرد، کسی را نگه نمی‌دارد."),
        ("en", {"channel": "y" * 61}, "The channel of an offer has at most 60 characters"),
    ],
)
def test_an_offer_out_of_bounds_is_refused_in_words(
    opened: Opened, store: Store, language: str, fields: dict[str, str], words: str
) -> None:
    browser = opened(language=language)
    draft = begun(browser)

    refused = step(browser, f"{draft}/offers", **OFFER | {"offer_name": "another"} | fields)
    kept = store.campaigns.numbered(1)

    assert refused.status_code == 400 and words in text_of(refused.text)
    assert f'value="{next(iter(fields.values()))}"' in refused.text
    assert kept and [each["name"] for each in kept.choices["offers"]] == ["call"]


def test_an_audience_of_nobody_is_refused_with_what_was_typed(opened: Opened) -> None:
    page = opened().send("/campaigns", name="nobody's", tier="low", band="very likely", dormant="1")

    assert page.status_code == 400
    assert "Nobody is in this audience" in page.text
    assert 'value="nobody&#39;s"' in page.text


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("picture.png", b"\x89PNG\r\n\x1a\n", "picture.png"),
        ("list.csv", b"\x00\x01\x02\xff\xfe", "list.csv"),
        ("list.csv", b"customer_id\nX1\nX2\n", "opt-outs of list.csv"),
        ("list.csv", b"id\nc000\n", "no column 'customer_id'"),
    ],
)
def test_a_file_that_is_none_or_names_nobody_is_refused_in_words(
    opened: Opened, name: str, content: bytes, words: str
) -> None:
    browser = opened()
    draft = begun(browser)

    answer = send_file(browser, f"{draft}/files", "exclusions", content, name=name)

    assert answer.status_code == 400, text_of(answer.text)
    assert words in unescape(answer.text)
    assert "/tmp" not in answer.text


def test_ids_that_a_spreadsheet_changed_are_explained_with_the_forms_own_remedy(opened: Opened) -> None:
    browser = opened()
    draft = begun(browser)

    stop = send_file(browser, f"{draft}/files", "exclusions", b"customer_id\nc000\n'c001\n")
    contacts = send_file(
        browser, f"{draft}/files", "contacts", b"customer_id,email\nC002,a@x.example\nc005,b@x.example\n"
    )

    assert stop.status_code == 400
    said = unescape(stop.text)
    assert (
        "1 of 2 opt-outs of file.csv are in the published list. 1 more would match without an apostrophe"
        in said
    )
    assert "A tick at “match ids that a spreadsheet has changed” matches them so" in said
    assert "--" not in text_of(re.findall(r'<p[^>]*role="alert".*?</p>', stop.text, re.DOTALL)[0])
    assert "in file.csv. 1 more would match in lower case. A tick at “match ids" in unescape(contacts.text)


def test_whom_one_file_excludes_the_next_does_not_let_in(opened: Opened, store: Store) -> None:
    browser = opened()
    draft = begun(browser)

    first = send_file(browser, f"{draft}/files", "exclusions", b"customer_id\nc000\n")
    both = send_file(browser, f"{draft}/files", "exclusions", b"customer_id\nc001\n")
    excluded = set(store.campaigns.customers(1, "aside")["customer_id"])
    dropped = step(browser, f"{draft}/files", drop="reason")

    assert "2 customers are left alone by a file." in both.text
    assert "Together with those sent before, 2 customers are left alone by a file." in both.text
    assert "sent before" not in first.text + dropped.text
    assert excluded == {"c000", "c001"}
    assert "0 customers are left alone by a file." in dropped.text


def test_a_file_of_contacts_without_a_contact_is_refused(opened: Opened) -> None:
    browser = opened()
    draft = begun(browser)

    answer = send_file(browser, f"{draft}/files", "contacts", b"customer_id\nc000\n")

    assert answer.status_code == 400
    assert "file.csv has no column of contacts beside the customers' ids" in unescape(answer.text)


@pytest.mark.parametrize(
    ("language", "content", "said"),
    [
        (
            "en",
            "customer_id,city\n{},Yazd",
            "Nobody has an address in it: no column of e-mails or phones was sent.",
        ),
        (
            "en",
            "customer_id,email\n{},",
            "Nobody has an address in it: its e-mail addresses and phone numbers are",
        ),
        ("en", "customer_id,email,phone\n{},a@x.example,", "Of 130 customers 130 have an e-mail address."),
        ("fa", "customer_id,email\n{},", "هیچ‌کس در آن نشانی ندارد: ایمیل‌ها و شماره تلفن‌ها خالی است."),
    ],
)
def test_contacts_say_how_many_have_an_address_before_the_list_is_drawn(
    opened: Opened, people: Callable[..., pd.DataFrame], language: str, content: str, said: str
) -> None:
    browser = opened(language=language)
    draft = begun(browser)
    head, row = content.split("\n")
    rows = "\n".join(
        [head, *(row.format(f'"{each.replace(chr(34), chr(34) * 2)}"') for each in people()["customer_id"])]
    )

    files = send_file(browser, f"{draft}/files", "contacts", rows.encode())
    preview = text_of(browser.seen(f"{draft}/preview"))

    assert said in text_of(files.text)
    assert said.partition("130")[0] in preview
    assert ("Warning" in preview or "هشدار" in preview) == ("a@x" not in content)


@pytest.mark.parametrize(
    ("language", "words", "asked"),
    [
        ("en", "all of its contacts are made to learn.", "Tick that it is meant to, or plan another."),
        ("fa", "همه تماس‌هایش برای یادگیری است.", "تیک بزنید که عمدی است"),
    ],
)
def test_a_plan_that_loses_is_confirmed_by_a_tick_alone(
    opened: Opened, store: Store, language: str, words: str, asked: str
) -> None:
    browser = opened(language=language)
    draft = begun(browser)
    earning = browser.seen(f"{draft}/preview")
    step(browser, f"{draft}/offers", remove="call")
    step(browser, f"{draft}/offers", **OFFER | {"contact_cost": "3", "acceptance": "8"})
    step(browser, f"{draft}/budget", holdout="10", explore="50")

    preview = browser.seen(f"{draft}/preview")
    refused = browser.send(f"{draft}/confirm", version=version_of(preview), beside="")
    kept = browser.send(f"{draft}/confirm", version=version_of(preview), beside="", loses="1")

    assert words in text_of(preview) and 'name="loses"' in preview and 'name="loses"' not in earning
    assert refused.status_code == 400 and asked in text_of(refused.text)
    assert kept.status_code == 200 and [each.state for each in store.campaigns.all()] == ["planned"]


def test_contacts_who_have_opted_out_are_warned_of_before_the_list_is_drawn(
    opened: Opened, people: Callable[..., pd.DataFrame]
) -> None:
    browser = opened()
    draft = begun(browser)
    rows = "".join(f"{each},{'nein' if n % 2 else 'ja'}\n" for n, each in enumerate(people()["customer_id"]))

    send_file(browser, f"{draft}/files", "contacts", f"customer_id,Werbung\n{rows}".encode())
    preview = unescape(browser.seen(f"{draft}/preview"))

    assert re.search(
        r"Warning: \d+ customers have opted out, as Werbung of contacts says, and \d+ are to be", preview
    )
    assert "Send the same file as opt-outs too: it leaves them alone." in preview


def test_a_file_that_is_too_large_is_refused_in_words(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LARGEST_UPLOAD", 1000)
    browser = opened()
    draft = begun(browser)

    answer = send_file(browser, f"{draft}/files", "exclusions", b"customer_id\n" + b"c000\n" * 1000)

    assert answer.status_code == 413
    assert "A file may have up to" in answer.text


def test_scores_that_were_replaced_in_between_are_told_and_planned_again(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame]
) -> None:
    browser = opened()
    draft = begun(browser)
    preview = browser.seen(f"{draft}/preview")

    store.publish(people())
    late = browser.send(f"{draft}/confirm", version=version_of(preview), beside="")
    page = browser.seen(f"{draft}/preview")
    again = step(browser, f"{draft}/renew", on=f"{draft}/budget")

    assert late.status_code == 409 and "A new list was published" in late.text
    assert "A new list was published since this campaign was begun" in page
    assert "Confirm the campaign" not in page
    assert "A new list was published" not in again.text
    assert "Confirm the campaign" in browser.seen(f"{draft}/preview")


def test_a_list_that_replaces_a_newer_one_is_called_older(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame]
) -> None:
    browser, persian = opened(), opened(language="fa")
    draft = begun(browser)

    store.publish(people(snapshot_date=date(1998, 6, 1)))
    older = browser.seen(f"{draft}/budget")

    assert (
        "and it is the older one: of 1998-06-01, where the campaign was begun from that of 1998-07-01."
        in older
    )
    assert "Plan again from the older list of 1998-06-01" in older and "A new list" not in older
    assert "این فهرست قدیمی‌تر است" in persian.seen(f"{draft}/budget")


def test_of_two_people_at_once_the_second_is_told(opened: Opened) -> None:
    sara, ali = opened(), opened()
    draft = begun(sara)
    seen = version_of(ali.seen(f"{draft}/budget"))
    step(sara, f"{draft}/budget", budget="10", holdout="10")

    late = ali.send(f"{draft}/budget", version=seen, budget="99", holdout="10")

    assert late.status_code == 409
    assert "Somebody else has changed this campaign" in late.text
    assert 'value="10"' in ali.seen(f"{draft}/budget")


@pytest.mark.parametrize(
    ("language", "said", "link"),
    [
        (
            "en",
            "It is confirmed already. This draft has been confirmed: it is the campaign spring now.",
            "To the",
        ),
        ("fa", "این پیش‌نویس تأیید شده و اکنون کمپین spring است.", "به کمپین"),
    ],
)
def test_who_confirms_in_a_second_window_is_led_to_the_campaign(
    opened: Opened, store: Store, language: str, said: str, link: str
) -> None:
    one, other = opened(language=language), opened(language=language)
    draft = begun(one)
    version = version_of(other.seen(f"{draft}/preview"))

    one.send(f"{draft}/confirm", version=version, beside="")
    late = other.send(f"{draft}/confirm", version=version, beside="")
    opened_late = other.get(f"{draft}/preview")
    sent_late = other.send(f"{draft}/budget", version=version, budget="5", holdout="10")

    for answer in (late, opened_late, sent_late):
        assert answer.status_code == 409
        assert said in text_of(answer.text).replace("\u2068", "").replace("\u2069", "")
        assert f'<a href="{draft}">{link}' in answer.text and 'href="/customers"' in answer.text
    assert [each.action for each in store.audit.newest()].count("plan campaign") == 1


def test_of_confirms_at_one_moment_all_but_one_are_led_to_the_campaign(opened: Opened, store: Store) -> None:
    browsers = [opened() for _ in range(4)]
    draft = begun(browsers[0])
    versions = [version_of(each.seen(f"{draft}/preview")) for each in browsers]
    at_once = Barrier(len(browsers))

    def confirm(browser: Any, version: str) -> Any:
        at_once.wait()
        return browser.send(f"{draft}/confirm", version=version, beside="")

    with ThreadPoolExecutor(len(browsers)) as threads:
        answers = list(threads.map(confirm, browsers, versions))

    assert sorted(each.status_code for each in answers) == [200, 409, 409, 409]
    for late in (each for each in answers if each.status_code == 409):
        assert "It is confirmed already. This draft has been confirmed" in text_of(late.text)
        assert f'<a href="{draft}">To the campaign' in late.text
    assert [each.action for each in store.audit.newest()].count("plan campaign") == 1


@pytest.mark.parametrize(
    "path",
    [
        *("/campaigns/99", "/campaigns/99/preview", "/campaigns/x", "/campaigns/99/plan", "/models/99"),
        *("/models/99/card", "/customers/nobody", "/customers?segment=99", "/nowhere"),
    ],
)
@pytest.mark.parametrize(("language", "no_such"), [("en", "There is no such"), ("fa", "چنین")])
def test_what_is_not_there_is_said_in_words_on_a_page_with_the_menu(
    opened: Opened, registry_file: Path, path: str, language: str, no_such: str
) -> None:
    browser = opened(language=language, tracking_uri=f"sqlite:///{registry_file}")

    answer = browser.get(path)

    assert answer.status_code == 404
    assert no_such in text_of(answer.text)
    assert 'href="/campaigns"' in answer.text.partition("<main")[0]


def test_forms_of_what_is_gone_say_so_and_change_nothing(
    opened: Opened, store: Store, registry_file: Path
) -> None:
    browser = opened(tracking_uri=f"sqlite:///{registry_file}")
    draft = begun(browser)

    audience = browser.send("/campaigns", name="summer", segment="99", dormant="1")
    removed = step(browser, f"{draft}/offers", remove="letter")
    taken = step(browser, f"{draft}/offers", past="letter")
    promoted = browser.send("/models/99/promote", reason="better")

    assert audience.status_code == 400 and "There is no such segment" in text_of(audience.text)
    assert 'value="summer"' in audience.text and len(store.campaigns.all()) == 1
    for answer in (removed, taken):
        assert answer.status_code == 400 and "There is no offer letter any more." in text_of(answer.text)
    assert promoted.status_code == 404 and "There is no such version." in text_of(promoted.text)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Say why: the reason is kept with it."), ("fa", "بنویسید چرا")]
)
def test_what_cannot_be_taken_back_asks_why(opened: Opened, store: Store, language: str, words: str) -> None:
    browser = opened(language=language)
    campaign = planned(browser)
    whom = min(store.campaigns.groups(1)[0])

    refused = [
        step(browser, f"{campaign}/withdraw", on=campaign, reason=" "),
        step(browser, f"{campaign}/take-off", on=campaign, customer=whom),
    ]
    assert [(each.status_code, words in text_of(each.text)) for each in refused] == [(400, True)] * 2
    step(browser, f"{campaign}/withdraw", on=campaign, reason="the printer broke")

    newest = store.audit.newest()
    assert (newest[0].action, newest[0].reason) == ("withdraw campaign", "the printer broke")
    assert [each.action for each in newest].count("take customer off") == 0


def test_a_held_out_customer_is_drawn_by_no_other_campaign(opened: Opened, store: Store) -> None:
    browser = opened()
    first = planned(browser, name="first")
    held = store.campaigns.groups(1)[1]

    draft = begun(browser, name="second")
    preview = browser.seen(f"{draft}/preview")

    assert held
    assert "held out by a running campaign" in preview
    step(browser, f"{first}/withdraw", on=first, reason="never printed")
    assert "held out by a running campaign" not in browser.seen(f"{draft}/preview")


def test_roles_are_respected(opened: Opened, store: Store) -> None:
    admin = opened()
    campaign = planned(admin)
    draft = begun(admin, name="draft")
    store.users.add("lo", "look", "correct horse battery")
    looking = opened(loopback=False)
    looking.sign_in("lo")

    assert "spring" in looking.seen("/campaigns")
    page = looking.seen(campaign)
    assert "To contact" in page and "Klaviyo" not in page
    for path in ("/campaigns/new", f"{draft}/budget"):
        assert looking.get(path).status_code == 403
    for path in (f"{campaign}/list", f"{campaign}/sent", f"{draft}/confirm", f"{draft}/files"):
        assert looking.send(path, version="1", kind="plain").status_code == 403


def test_what_was_typed_survives_a_session_that_ended(opened: Opened, store: Store) -> None:
    store.users.add("sara", "campaign", "correct horse battery")
    browser = opened(loopback=False)
    browser.sign_in("sara")
    draft = begun(browser)
    seen = version_of(browser.seen(f"{draft}/budget"))
    browser.cookies.clear()

    typed = {"version": seen, "budget": "۱۲٫۵", "holdout": "30", "go": "next", "csrf": "old"}
    elsewhere = browser.post(f"{draft}/budget", data=typed, headers={"Origin": "https://elsewhere.example"})
    asked = browser.post(f"{draft}/budget", data=typed, headers={"Origin": "https://workbench.example"})
    kept = unescape(re.search(r'name="typed" value="([^"]*)"', asked.text)[1])  # type: ignore[index]
    back = browser.send(
        "/sign-in", name="sara", password="correct horse battery", to=f"{draft}/budget", typed=kept
    )
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', back.text.partition("<main")[2]))
    done = browser.post(f"{draft}/budget", data=fields)

    assert elsewhere.status_code == 403 and "typed" not in elsewhere.text
    assert "What you typed is kept" in asked.text
    assert f'action="{draft}/budget"' in back.text
    assert done.url.path == f"{draft}/files"
    assert 'value="12.5"' in browser.seen(f"{draft}/budget")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Your session has ended. Nothing was changed: sign in, and do it again."),
        ("fa", "نشست شما پایان یافته است. چیزی تغییر نکرد: وارد شوید و دوباره انجام دهید."),
    ],
)
def test_who_confirms_after_the_session_has_ended_signs_in_and_is_back_at_the_draft(
    opened: Opened, store: Store, language: str, words: str
) -> None:
    store.users.add("sara", "campaign", "correct horse battery")
    browser = opened(loopback=False, language=language)
    browser.sign_in("sara")
    draft = begun(browser)
    version = version_of(browser.seen(f"{draft}/preview"))
    browser.cookies.clear()

    ended = browser.post(f"{draft}/confirm", data={"csrf": "old", "version": version, "beside": ""})
    to = unescape(re.search(r'name="to" value="([^"]*)"', ended.text.partition("<main")[2])[1])  # type: ignore[index]
    back = browser.send("/sign-in", name="sara", password="correct horse battery", to=to)

    assert ended.status_code == 403 and words in text_of(ended.text)
    assert to == draft and back.url.path == f"{draft}/budget"
    assert [each.state for each in store.campaigns.all()] == ["draft"]


def test_the_form_of_another_site_is_refused(opened: Opened) -> None:
    browser = opened()
    draft = begun(browser)

    answer = browser.post(f"{draft}/confirm", data={"csrf": "forged", "version": "2"})

    assert answer.status_code == 403
    assert 'href="/customers"' in answer.text  # with the menu


def test_offers_of_campaigns_are_priced_for_each_customer_as_the_plan_has_priced_them(
    opened: Opened, store: Store
) -> None:
    browser = opened()
    planned(browser)
    plan = store.campaigns.customers(1, "contacted").set_index("customer_id")
    page = browser.seen("/customers?by=churn_probability")
    shown = re.findall(r'<th scope="row"><a href="(/customers/[^"]+)"><bdi>(c\d+)</bdi>', page)
    key, customer = next(each for each in shown if each[1] in plan.index)

    said = text_of(browser.seen(key))

    profit = plan.loc[customer, "expected_profit"]
    assert "call pays most contact: pays from a churn probability of" in said
    assert f"+{profit:,.2f}" in said and profit > 1


def test_a_log_without_a_needed_column_is_refused_in_the_readers_language(opened: Opened) -> None:
    browser = opened()
    campaign = planned(browser)
    browser.send("/language", language="fa")
    renamed = orders(["c001", "c002"]).replace(b"ordered_at", b"ts", 1)

    refused = send_file(browser, f"{campaign}/measure", "orders", renamed, on=campaign)

    assert refused.status_code == 400
    said = text_of(refused.text)
    assert "ستون" in said and "'ts' به 'ordered_at'" in said.replace("\u2068", "").replace("\u2069", "")
    assert not re.search("--[a-z]|toml", said)
    assert "log has no column" not in said and "Perhaps" not in said


def test_an_erased_customer_is_gone_from_a_preview_at_once(opened: Opened, store: Store) -> None:
    browser = opened()
    draft = begun(browser)
    before = browser.seen(f"{draft}/preview")
    gone = re.findall(r'<a href="/customers/[^"]+"><bdi>(c\d+)</bdi>', before)[0]

    store.erase([gone])

    after = browser.seen(f"{draft}/preview")
    assert f"<bdi>{gone}</bdi>" in before and f"<bdi>{gone}</bdi>" not in after
    assert "erased customers 1 customer " in text_of(browser.seen("/audit"))
    assert gone not in browser.seen("/audit")


def test_a_list_is_planned_again_for_a_budget_from_what_is_known(opened: Opened, store: Store) -> None:
    browser = opened()
    draft = begun(browser)
    found = {
        budget: text_of(step(browser, f"{draft}/budget", budget=budget, holdout="20", go="stay").text)
        for budget in ("10", "30", "10 ")
    }

    contacted = {
        budget: int(re.findall(r"Contact (\d+) customers", said)[0]) for budget, said in found.items()
    }
    assert contacted["10"] == contacted["10 "] < contacted["30"]
    excluded = send_file(browser, f"{draft}/files", "exclusions", b"customer_id\nc000\n")
    assert excluded.status_code == 200
    assert "asked not to be contacted" in browser.seen(f"{draft}/preview")


def test_the_audience_webhook_is_told_whom_to_contact_and_never_of_the_held_out(
    opened: Opened, store: Store, receiver: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAYWORTH_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    settings = WebhookSettings(url=receiver.url, retry_seconds=0.0)
    channel = AudienceChannel(settings, tmp_path / "store.db")
    browser = opened(channel=channel)
    campaign = planned(browser)

    def tell() -> str:
        step(browser, f"{campaign}/tell", on=campaign)
        tell_due(store, channel)
        return text_of(browser.seen(campaign))

    contacted, held_out = store.campaigns.groups(1)
    gone = min(contacted)

    asked = step(browser, f"{campaign}/tell", on=campaign)
    assert not receiver.taken and "The webhook is being told." in text_of(asked.text)
    told = tell()
    step(browser, f"{campaign}/take-off", on=campaign, customer=gone, reason="opted out")
    again = tell()
    step(browser, f"{campaign}/withdraw", on=campaign, reason="not sent")
    tell()

    first, second, last = (data for _, _, data in receiver.taken)
    assert {each["customer_id"] for each in first["joined"]} == contacted and held_out
    assert first["joined"][0]["offer"] == "call" and first["audience"] == "spring"
    assert [each["customer_id"] for each in second["left"]] == [gone]
    assert {each["customer_id"] for each in last["left"]} == contacted - {gone}
    assert f": {len(contacted)} joined, 0 left" in told
    assert "0 joined, 1 left" in again
    audit = text_of(browser.seen("/audit"))
    assert f"campaign 1, {len(contacted)} joined, 0 left, 0 changed" in audit and gone not in audit
    assert "token=" not in told  # the address may hold a key
    assert browser.get(f"{campaign}/tell").url.path == campaign  # another language chosen after it
    assert "Tell the audience webhook" not in opened().seen(campaign)


def test_a_webhook_that_fails_is_told_later_and_each_customer_once(
    opened: Opened, store: Store, receiver: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAYWORTH_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    settings = WebhookSettings(url=receiver.url, retry_seconds=0.0)
    channel = AudienceChannel(settings, tmp_path / "store.db")
    browser = opened(channel=channel)
    campaign = planned(browser)
    contacted, _ = store.campaigns.groups(1)

    receiver.answers = [500]
    step(browser, f"{campaign}/tell", on=campaign)
    assert tell_due(store, channel) == 1
    failed = text_of(browser.seen(campaign))
    too_early = tell_due(store, channel)
    waits = store.deliveries.of(1)
    _make_due(store)
    assert tell_due(store, channel) == 1
    told = text_of(browser.seen(campaign))

    assert "it is tried again by itself" in failed and "answers 500" in failed
    assert "Of 1 message it took 0; 1 are kept, and sent the next time." in failed
    assert too_early == 0 and waits and (waits.state, waits.tries) == ("pending", 1)
    assert [len(data["joined"]) for _, _, data in receiver.taken] == [len(contacted)]
    assert {name for name, *_ in receiver.asked} == {receiver.taken[0][0]}  # one id, however often it is sent
    assert f"{len(contacted)} joined" in told and tell_due(store, channel) == 0


def test_a_delivery_of_a_killed_worker_is_taken_over_and_given_up_in_the_end(
    opened: Opened, store: Store, receiver: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAYWORTH_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    channel = AudienceChannel(WebhookSettings(url=receiver.url, retry_seconds=0.0), tmp_path / "store.db")
    browser = opened(channel=channel)
    campaign = planned(browser)
    step(browser, f"{campaign}/tell", on=campaign)
    (due,) = store.deliveries.due()
    assert store.deliveries.take(due)  # and is killed

    assert (store.deliveries.take(due), tell_due(store, channel)) == (False, 0)
    receiver.answers = [500] * 20
    for _ in range(20):
        _make_due(store)
        tell_due(store, channel)

    given_up = store.deliveries.of(1)
    assert given_up and (given_up.state, given_up.tries) == ("failed", MOST_TRIES)
    assert "is not tried again until somebody asks" in text_of(browser.seen(campaign))
    receiver.answers = []
    step(browser, f"{campaign}/tell", on=campaign)
    tell_due(store, channel)
    assert len(receiver.taken) == 1


def _make_due(store: Store) -> None:
    with sqlite3.connect(str(store.address.file)) as database:
        database.execute("UPDATE deliveries SET next_try_at = '2000-01-01 00:00:00.000000'")


def test_who_took_the_incentive_is_sent_with_the_orders(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame]
) -> None:
    browser = opened()
    campaign = planned(browser)
    contacted, _ = store.campaigns.groups(1)
    page = browser.seen(campaign)
    csrf = re.search(r'name="csrf" value="(\w+)"', page)
    assert csrf
    took = sorted(contacted)[:20]

    measured = browser.post(
        f"{campaign}/measure",
        data={"csrf": csrf[1], "version": version_of(page)},
        files={
            "orders": ("orders.csv", orders(list(people()["customer_id"]))),
            "redeemed": ("took.csv", "\n".join(["customer_id", *took]).encode()),
        },
    )

    assert measured.status_code == 200, text_of(measured.text)
    kept = store.campaigns.numbered(1)
    assert kept and kept.findings
    # 20 incentives of 0.5, and a contact of 0.1 for each
    assert kept.findings["record"]["cost"] == pytest.approx(20 * 0.5 + 0.1 * len(contacted))


@pytest.mark.parametrize(
    ("language", "earning", "learning"),
    [
        ("en", "The offer is expected to pay", "Made to learn"),
        ("fa", "انتظار می‌رود پیشنهاد صرف کند", "برای یادگیری"),
    ],
)
def test_contacts_made_to_learn_are_chosen_in_the_wizard_and_shown_apart(
    opened: Opened, store: Store, language: str, earning: str, learning: str
) -> None:
    browser = opened(language=language)
    draft = begun(browser, name="spring")
    step(browser, f"{draft}/offers", on=f"{draft}/offers", remove="call")
    # An offer that pays for some, and may for others.
    step(browser, f"{draft}/offers", **OFFER | {"contact_cost": "3", "acceptance": "30"})

    step(browser, f"{draft}/budget", holdout="10", explore="40", go="stay")
    some = browser.seen(f"{draft}/budget")
    preview = browser.seen(f"{draft}/preview")
    step(browser, f"{draft}/budget", holdout="10", explore="0", go="stay")
    none = browser.seen(f"{draft}/budget")

    def row(page: str, name: str) -> tuple[int, int, str]:
        cells = re.search(
            rf'<th scope="row">{name}</th><td>([^<]+)</td><td>([^<]+)</td><td>([^<]+)</td>', page
        )
        assert cells, text_of(page)
        return int(cells[1]), int(cells[2]), cells[3]

    earners, learners = row(some, earning), row(some, learning)
    assert earners[1] == round(0.1 * sum(earners[:2])) and earners[0] > 20
    assert 1 <= learners[0] <= learners[1] <= learners[0] + 1
    assert row(preview, earning) == earners and row(preview, learning) == learners
    assert row(none, earning) == earners and f'<th scope="row">{learning}</th>' not in none
    # The plan's own row is of the same customers as the rows beside it, and as the plan without contacts to learn.
    own = re.compile(r'<tr class="chosen">.*?</tr>')
    assert [re.findall(r"<td>([^<]*)</td>", each)[:4] for each in own.findall(some)] == [
        re.findall(r"<td>([^<]*)</td>", each)[:4] for each in own.findall(none)
    ]
    assert 'name="explore" type="text" value="0"' in none
    # The smallest visible effect of that row is named where the words have another.
    visible = re.findall(r"<td>([^<]*)</td>", own.findall(some)[0])[4].split()[0]
    assert re.search(rf"\({visible} points without those|آمده، {visible} واحد\)", text_of(some))


@pytest.mark.parametrize(
    ("language", "own_draw", "before"),
    [
        ("en", "This is what the draw of this plan has come to.", "Before the draw"),
        ("fa", "این حاصل قرعه‌کشی همین برنامه است.", "پیش از قرعه‌کشی"),
    ],
)
def test_the_budget_page_compares_what_is_expected_before_the_draw(
    opened: Opened, language: str, own_draw: str, before: str
) -> None:
    browser = opened(language=language)

    def pages(name: str) -> list[str]:
        draft = begun(browser, name=name)
        asked = [f"{draft}/budget?budget=10&holdout={share}" for share in (20, 30)]
        return [browser.seen(each) for each in asked]

    def row(page: str, share: str) -> list[str]:
        found = re.findall(r'<tr[^>]*><th scope="row">([^<]*).*?</th>(.*?)</tr>', page)
        return {name.strip(): re.findall("<td>([^<]*)</td>", cells) for name, cells in found}[share]

    one, other = pages("spring"), pages("summer")  # of two draws
    (of_20, of_30), share = one, "30%" if language == "en" else "۳۰٪"

    assert row(of_20, share) == row(of_30, share) == row(other[1], share)
    assert [each.partition("<svg")[2].partition("</svg")[0] for each in one] == [
        each.partition("<svg")[2].partition("</svg")[0] for each in other
    ]
    assert own_draw in text_of(of_20) and before in text_of(of_20)
    assert "on a sample" not in of_20 and "نمونه‌ای از آنان" not in of_20


def test_sliders_try_values_that_are_not_kept(opened: Opened, store: Store) -> None:
    browser = opened()
    draft = begun(browser)
    step(browser, f"{draft}/budget", budget="30", holdout="20", go="stay")

    tried = browser.get(f"{draft}/budget?budget=10&holdout=50")
    odd = browser.get(f"{draft}/budget?budget=-5")
    kept = text_of(browser.seen(f"{draft}/budget"))

    numbers = [int(re.findall(r"(\d+) to contact", said)[0]) for said in (text_of(tried.text), kept)]
    assert 0 < numbers[0] < numbers[1]
    assert 'type="range" hidden' in tried.text and 'value="10.0"' in tried.text
    assert "script-src 'self'; connect-src 'self'" in tried.headers["content-security-policy"]
    assert odd.status_code == 400 and "'-5' is not" in unescape(odd.text)
    choices = store.campaigns.numbered(1)
    assert choices and choices.choices["budget"] == 30
    assert [each.action for each in store.audit.newest()].count("change draft") == 2


def test_a_plan_names_no_flag_of_the_command(opened: Opened) -> None:
    browser = opened()
    draft = begun(browser, tier="vip")

    said = text_of(browser.seen(f"{draft}/budget")) + text_of(browser.seen(f"{draft}/preview"))

    assert "or a larger holdout." in said
    assert not re.search(r"--[a-z]", said)


def test_a_store_that_is_away_is_said_and_is_whole_when_it_is_back(opened: Opened, store: Store) -> None:
    browser = opened()
    draft = begun(browser)
    version = version_of(browser.seen(f"{draft}/budget"))
    file = store.address.file
    assert file

    file.rename(file.with_suffix(".away"))
    seen = browser.get("/customers")
    sent = browser.send(f"{draft}/budget", version=version, budget="7", holdout="10")
    file.with_suffix(".away").rename(file)
    back = browser.send(f"{draft}/budget", version=version, budget="7", holdout="10")

    assert (seen.status_code, sent.status_code, back.status_code) == (503, 503, 200)
    assert "Its file is not there just now." in text_of(seen.text)
    assert 'value="7"' in back.text


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x91" * 50, b"PK\x03\x04", b"", b"name\nali\n"])
def test_a_file_that_is_none_is_refused_in_words_that_name_no_flag(opened: Opened, content: bytes) -> None:
    browser = opened()
    draft = begun(browser)

    refused = send_file(browser, f"{draft}/files", "exclusions", content)

    said = text_of(refused.text)
    assert refused.status_code == 400 and "file.csv" in said
    assert not re.search(r"--[a-z]", said)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("list.png", b"\x89PNG", "جدولی به صورت CSV"),
        ("list.png", b"%PDF-1.4", "سند PDF"),
        ("list.csv", b"customer_id\n\xff\xfe\n", "سطر ۲"),
        ("list.csv", b"", "خالی است"),
        ("list.csv", b"\xd0\xcf\x11\xe0", "کارپوشهٔ قدیمی"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_the_readers_language_alone(
    opened: Opened, name: str, content: bytes, words: str
) -> None:
    browser = opened(language="fa")
    draft = begun(browser)

    refused = send_file(browser, f"{draft}/files", "exclusions", content, name=name)

    said = unescape(refused.text).partition('role="alert">')[2].partition("</p>")[0]
    assert refused.status_code == 400 and words in said
    assert not re.search(r"URI|\b(is|not|line|Save|Give|empty|it)\b", said)


def test_a_draft_for_customers_who_are_all_in_another_campaign_says_so(opened: Opened) -> None:
    browser = opened()
    planned(browser, tier="vip")
    draft = begun(browser, name="summer", tier="vip")

    budget, preview = browser.get(f"{draft}/budget"), browser.get(f"{draft}/preview")

    assert (budget.status_code, preview.status_code) == (200, 200)
    assert "Left alone for campaigns still running, spring" in text_of(preview.text)


def test_lists_say_their_reasons_in_the_language_of_whoever_takes_them_out(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame]
) -> None:
    reasons = [["no order in 180 days (risk up)", "of the region North"]] * len(people())
    store.publish(people(reasons=reasons))
    browser = opened(language="fa")
    draft = begun(browser, channel="e-mail")
    ids = people()["customer_id"]
    contacts = "customer_id,email\n" + "".join(f"{each},c{n}@x.example\n" for n, each in enumerate(ids[5:]))
    send_file(browser, f"{draft}/files", "contacts", contacts.encode())
    preview = browser.seen(f"{draft}/preview")
    browser.send(f"{draft}/confirm", version=version_of(preview), beside="")

    taken = {
        kind: step(browser, f"{draft}/list", on=draft, kind=kind)
        for kind in ("plain", "team", "klaviyo", "mailchimp", "folder")
    }
    customers = browser.send("/customers/export", kind="csv", column=["reason"], dormant="1")
    for_a_plan = browser.send("/customers/export", kind="plan", dormant="1")

    kept, told = "no order in 180 days (risk up)", "بدون سفارش در ۱۸۰ روز (افزایش ریسک)"
    with use_language("fa"):
        assert retold_reason(kept) == told
    team = pd.read_excel(io.BytesIO(taken["team"].content), sheet_name=0)
    assert set(team["دلیل"]) == {f"{told}\nof the region North"}
    for kind in ("plain", "klaviyo", "mailchimp"):
        assert told in taken[kind].text and kept not in taken[kind].text
    assert told in customers.text and kept not in customers.text
    assert kept in for_a_plan.text and told not in for_a_plan.text  # read by a program
    kept_list = zipfile.ZipFile(io.BytesIO(taken["folder"].content)).read("campaign-1/list.csv").decode()
    assert kept in kept_list and told not in kept_list  # as it was drawn


@pytest.mark.parametrize(
    ("language", "no_mail", "left_out", "none_that_is"),
    [
        (
            "en",
            "no e-mail address in it.",
            "without an address (Email Address).",
            "1 e-mail address that is none",
        ),
        ("fa", "نشانی ایمیل ندارد.", "بدون نشانی", "نشانی ایمیل نادرست"),
    ],
)
def test_each_list_says_how_many_lines_it_has_and_who_lacks_an_address(
    opened: Opened,
    store: Store,
    people: Callable[..., pd.DataFrame],
    language: str,
    no_mail: str,
    left_out: str,
    none_that_is: str,
) -> None:
    browser = opened(language=language)
    draft = begun(browser, channel="e-mail")
    step(browser, f"{draft}/budget", holdout="0")  # so that no lot takes one of them off the lists
    mails = [f"c{n}@x.example" for n in range(len(people()))]
    phones = [f"+98912000{n:04}" for n in range(len(people()))]
    mails[5:25], phones[5:15], mails[25] = [""] * 20, [""] * 10, "c25"
    contacts = pd.DataFrame({"customer_id": people()["customer_id"], "email": mails, "phone": phones})
    send_file(browser, f"{draft}/files", "contacts", contacts.to_csv(index=False).encode())
    preview = browser.seen(f"{draft}/preview")
    page = browser.send(f"{draft}/confirm", version=version_of(preview), beside="").text

    def lines(page: str) -> dict[str, int]:
        cells = re.findall(r'name="kind" value="(\w+)">[^<]*</button></th><td>([^<]+)</td>', page)
        return {kind: int(number) for kind, number in cells}

    def taken() -> dict[str, int]:
        files = {kind: step(browser, f"{draft}/list", on=draft, kind=kind).content for kind in lines(page)}
        team = pd.read_excel(io.BytesIO(files.pop("team")), sheet_name=0)
        return {"team": len(team)} | {kind: len(read_table_of(each)) for kind, each in files.items()}

    assert lines(page) == taken() and set(lines(page)) == {"plain", "team", "klaviyo", "mailchimp"}
    assert lines(page)["plain"] > lines(page)["klaviyo"] > lines(page)["mailchimp"] > 50
    said = text_of(page)
    assert no_mail in said and left_out in said and none_that_is in said
    gone = next(
        each
        for each in sorted(store.campaigns.groups(1)[0])
        if each not in list(people()["customer_id"][5:26])
    )
    after = step(browser, f"{draft}/take-off", on=draft, customer=gone, reason="opted out").text
    assert lines(after) == {kind: number - 1 for kind, number in lines(page).items()} == taken()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "customers whose offer goes by another channel, phone."),
        ("fa", "مشتری که پیشنهادشان از راه دیگری، phone، می‌رسد."),
    ],
)
def test_whom_an_offer_is_to_be_phoned_to_is_in_no_list_for_emails(
    opened: Opened, people: Callable[..., pd.DataFrame], language: str, words: str
) -> None:
    browser = opened(language=language)
    draft = begun(browser)
    contacts = "".join(f"{each},{n}@x.example\n" for n, each in enumerate(people()["customer_id"][5:]))
    send_file(browser, f"{draft}/files", "contacts", f"customer_id,email\n{contacts}".encode())
    page = browser.send(
        f"{draft}/confirm", version=version_of(browser.seen(f"{draft}/preview")), beside=""
    ).text

    plain = step(browser, f"{draft}/list", on=draft, kind="plain")
    refused = step(browser, f"{draft}/list", on=draft, kind="mailchimp")

    assert set(read_table_of(plain.content)["channel"]) == {"phone"}
    assert text_of(page).replace("\u2068", "").replace("\u2069", "").count(words) == 2
    assert len(re.findall(r'name="kind" value="(?:klaviyo|mailchimp)" disabled>', page)) == 2
    assert refused.status_code == 400


def test_of_a_withdrawn_campaign_only_the_folder_is_taken_out(opened: Opened) -> None:
    browser = opened()
    campaign = planned(browser)
    step(browser, f"{campaign}/withdraw", on=campaign, reason="the printer broke")

    taken = step(browser, f"{campaign}/list", on=campaign, kind="plain")
    folder = step(browser, f"{campaign}/list", on=campaign, kind="folder")

    assert taken.status_code == 400 and "It was withdrawn: nobody is to be contacted." in text_of(taken.text)
    assert folder.headers["content-type"] == "application/zip"
    assert 'value="plain"' not in browser.seen(campaign)


def test_a_list_that_would_be_empty_cannot_be_taken_out_and_says_why(opened: Opened) -> None:
    browser = opened()
    campaign = planned(browser)

    page = browser.seen(campaign)

    assert len(re.findall(r'name="kind" value="(?:klaviyo|mailchimp)" disabled>', page)) == 2
    assert "Nobody has an address in it: no column of e-mails or phones was sent." in text_of(page)
    assert "A list for mailchimp needs a column 'email', which this one has not." in text_of(page)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "A campaign that was planned into a folder alone is not known here"),
        ("fa", "کمپینی که تنها در یک پوشه برنامه‌ریزی شده باشد"),
    ],
)
def test_an_empty_ledger_says_that_folders_are_not_known(opened: Opened, language: str, words: str) -> None:
    page = text_of(opened(language=language).seen("/campaigns"))

    assert words in page and "--name spring" in page


def test_campaigns_together_are_those_measured_and_one_of_them_has_its_own_interval(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame]
) -> None:
    browser = opened()
    first = planned(browser, tier=["vip", "medium"])
    planned(browser, name="summer", tier="low")
    nothing_measured = text_of(browser.seen("/campaigns"))

    send_file(browser, f"{first}/measure", "orders", orders(list(people()["customer_id"])), on=first)
    ledger = text_of(browser.seen("/campaigns"))
    browser.send("/language", language="fa")
    persian = text_of(browser.seen("/campaigns"))

    contacted, held_out = map(len, store.campaigns.groups(1))
    measured = r"(-?[\d,]+ -?[\d,]+ to -?[\d,]+)"
    own = re.search(rf"spring measured .* {contacted} {held_out} .* to [^ ]+ {measured} Together", ledger)
    total = re.search(
        rf"Together 1 of 2 campaigns: those measured {contacted} {held_out} .* {measured} Profit", ledger
    )
    assert own and total and own[1] == total[1]
    assert "Together 1" not in nothing_measured and "Together 0" not in nothing_measured
    assert "۱ از ۲ کمپین: سنجیده‌شده‌ها" in persian


def test_the_ledger_and_the_campaigns_page_have_one_measured_profit(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame]
) -> None:
    browser = opened()
    campaign = planned(browser)

    sent = send_file(
        browser, f"{campaign}/measure", "orders", orders(list(people()["customer_id"])), on=campaign
    )
    ledger = text_of(browser.seen("/campaigns"))

    kept = store.campaigns.numbered(1)
    assert kept and kept.findings
    row = next(e for e in kept.findings["effects"] if (e["group"], e["measure"]) == ("all", "future_profit"))
    profit, low, high = (row["n_contacted"] * row[each] for each in ("difference", "low", "high"))
    within = kept.findings["record"]["incremental_profit"]["difference"]
    page = text_of(sent.text)
    assert (
        f"{profit:+,.0f} measured profit, at the plan's value of those kept {low:+,.0f} to {high:+,.0f}"
        in page
    )
    assert f"{profit:,.0f} {low:,.0f} to {high:,.0f}" in ledger
    # another quantity, though a draw of the holdout may bring both to the same whole number
    assert f"the contacted brought {within:+,.0f} of margin" in page and within != profit


@pytest.mark.parametrize(
    ("language", "early", "so_far"),
    [
        ("en", "an early look: 45 of 90 days", "so far; {} planned"),
        ("fa", "نگاهی زودهنگام: ۴۵ از ۹۰ روز", "تا کنون؛ {} در برنامه"),
    ],
)
def test_an_early_look_says_in_the_ledger_how_early_it_is_and_that_its_cost_is_so_far(
    opened: Opened, people: Callable[..., pd.DataFrame], language: str, early: str, so_far: str
) -> None:
    browser = opened(language=language)
    campaign = planned(browser)
    before = text_of(browser.seen("/campaigns"))
    log = pd.read_csv(io.BytesIO(orders(list(people()["customer_id"]))))
    half = log[pd.to_datetime(log["ordered_at"]) < "1998-08-14"]
    half.loc[len(log)] = ["late", "1998-08-14", 1.0]

    page = send_file(browser, f"{campaign}/measure", "orders", half.to_csv(index=False).encode(), on=campaign)
    ledger = text_of(browser.seen("/campaigns"))

    assert early in text_of(page.text) and early in ledger and early not in before
    assert re.search(so_far.format(r"[\d,٬۰-۹]+"), ledger)
    assert ("planned" if language == "en" else "برنامه‌ریزی‌شده") in before


def test_the_page_says_when_a_campaign_was_sent_and_by_whom_and_a_measurement_that_nobody_did(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame]
) -> None:
    store.users.add("sara", "campaign", "correct horse battery")
    browser = opened(loopback=False)
    browser.sign_in("sara")
    first, second = planned(browser, tier=["vip", "medium"]), planned(browser, name="summer", tier="low")
    log = orders(list(people()["customer_id"]))

    key_planned = re.search(r'<a href="(/customers/[^"]+)"><bdi>', browser.seen(first))
    not_sent = text_of(browser.seen(key_planned[1])) if key_planned else ""
    sent = step(browser, f"{first}/sent", on=first)
    of_sent = send_file(browser, f"{first}/measure", "orders", log, on=first)
    of_unsent = send_file(browser, f"{second}/measure", "orders", log, on=second)

    key = re.search(r'<a href="(/customers/[^"]+)"><bdi>', sent.text)
    assert key and "from 1998-07-01: contacted, call" in text_of(browser.seen(key[1]))
    assert key_planned and "contacted, call" not in not_sent
    assert "from 1998-07-01: to contact, call; it was not sent yet" in not_sent
    for page in (sent, of_sent):
        assert re.search(r"It was sent: said on \d{4}-\d\d-\d\d by sara\.", text_of(page.text))
    assert "Nobody had said that this campaign was sent" not in text_of(of_sent.text)
    assert "Nobody had said that this campaign was sent when it was measured." in text_of(of_unsent.text)
    assert "It was sent:" not in text_of(of_unsent.text)


def test_a_campaign_that_was_withdrawn_or_only_planned_has_contacted_nobody_in_the_ledger(
    opened: Opened, store: Store
) -> None:
    browser = opened()
    planned(browser, tier=["vip", "medium"])
    gone = planned(browser, name="summer", tier="low")
    contacted = [len(store.campaigns.groups(number)[0]) for number in (1, 2)]

    page = step(browser, f"{gone}/withdraw", on=gone, reason="the printer broke")
    ledger = text_of(browser.seen("/campaigns"))

    assert re.search(rf"spring planned 1998-07-01 {contacted[0]} to contact \d+ \d+ planned", ledger)
    assert "summer withdrawn 1998-07-01 – – – – – –" in ledger
    assert re.search(r"It was withdrawn on \S+ by .+\. Why: the printer broke", text_of(page.text))


PERSIAN, LATIN = "۰۱۲۳۴۵۶۷۸۹", "0123456789"


@pytest.mark.parametrize(("stored", "typed"), [(PERSIAN, LATIN), (LATIN, PERSIAN)])
def test_a_customer_is_taken_off_by_whatever_digits_the_id_is_typed_in(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame], stored: str, typed: str
) -> None:
    digits = str.maketrans(LATIN, stored)
    table = people()
    store.publish(table.assign(customer_id=[f"مشتری {n}".translate(digits) for n in range(len(table))]))
    browser = opened()
    campaign = planned(browser)
    wanted = store.campaigns.customers(1, "contacted")["customer_id"][0]

    page = step(
        browser,
        f"{campaign}/take-off",
        on=campaign,
        customer=wanted.translate(str.maketrans(stored, typed)),
        reason="opted out",
    )

    assert page.status_code == 200
    assert re.search(rf"<bdi>{wanted}</bdi></a> <span[^>]*>taken off", page.text)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Your session has ended. The file was not read: sign in, and send it again."),
        ("fa", "نشست شما پایان یافته است. فایل خوانده نشد: وارد شوید و دوباره بفرستید."),
    ],
)
def test_a_file_of_an_ended_session_leads_to_sign_in_and_back(
    opened: Opened, store: Store, language: str, words: str
) -> None:
    store.users.add("sara", "campaign", "correct horse battery")
    browser = opened(loopback=False, language=language)
    browser.sign_in("sara")
    campaign = planned(browser)
    browser.cookies.clear()
    file = {"orders": ("orders.csv", orders(["c001"]))}

    ended = browser.post(f"{campaign}/measure", data={"csrf": "old"}, files=file)
    to = unescape(re.search(r'name="to" value="([^"]*)"', ended.text.partition("<main")[2])[1])  # type: ignore[index]
    back = browser.send("/sign-in", name="sara", password="correct horse battery", to=to)
    assert store.address.file
    store.address.file.rename(store.address.file.with_suffix(".away"))
    away = browser.post(f"{campaign}/measure", data={"csrf": "old"}, files=file)

    assert ended.status_code == 403 and words in text_of(ended.text)
    assert back.url.path == campaign
    assert away.status_code == 503 and words not in text_of(away.text)


def test_a_log_without_any_needed_column_is_told_which_columns_it_needs_and_no_flag(opened: Opened) -> None:
    browser = opened()
    campaign = planned(browser)

    refused = [
        text_of(send_file(browser, f"{campaign}/measure", "orders", content, on=campaign).text)
        for content in (b"foo,bar\n1,2\n", b"customer,ts,value\n1,2011-01-01,5\n")
    ]

    for said in refused:
        assert "the id of the customer, the day of the order and its amount, called 'customer_id'," in said
        assert not re.search("--[a-z]|toml|COLUMN", said)
    assert (
        "Rename in its first line: 'customer' to 'customer_id'; 'ts' to 'ordered_at'; 'value' to"
        in refused[1]
    )
    assert "Rename" not in refused[0]
