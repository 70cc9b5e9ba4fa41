"""Nobody sees a customer who may not, and no other site sends a form in a user's name."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from limits import parse

from serving.store.store import Store
from serving.workbench import guard

Opened = Callable[..., Any]
PASSWORD = "correct horse battery"
PAGES = ("/", "/customers", "/audit")


def test_on_this_machine_without_users_it_opens_at_once_and_says_so(opened: Opened) -> None:
    page = opened().seen("/")

    assert "Open to everybody on this machine" in page
    assert "Sign out" not in page


def test_with_users_every_page_asks_who_it_is_and_then_shows_itself(opened: Opened, store: Store) -> None:
    store.users.add("sara", "admin", PASSWORD)
    browser = opened()

    asked = browser.get("/customers?tier=vip", follow_redirects=False)
    wrong = browser.sign_in("sara", PASSWORD + "?")
    inside = browser.send("/sign-in", name="sara", password=PASSWORD, to="/customers?tier=vip")

    assert asked.headers["location"] == "/sign-in?to=%2Fcustomers%3Ftier%3Dvip"
    assert wrong.status_code == 403
    assert "do not go together" in wrong.text
    assert str(inside.url) == "http://localhost/customers?tier=vip"
    assert "Open to everybody" not in inside.text
    for path in PAGES:
        assert "sara" in browser.seen(path)
    browser.send("/sign-out")
    assert [browser.get(path, follow_redirects=False).status_code for path in PAGES] == [303] * 3


def test_whoever_is_removed_is_signed_out(opened: Opened, store: Store) -> None:
    store.users.add("sara", "look", PASSWORD)
    browser = opened()
    browser.sign_in("sara")
    browser.seen("/customers")

    store.users.remove("sara")

    assert browser.get("/customers", follow_redirects=False).status_code == 303


def test_a_role_opens_its_own_pages_only(opened: Opened, store: Store) -> None:
    store.users.add("sara", "look", PASSWORD)
    browser = opened()
    browser.sign_in("sara")

    refused = [
        browser.get("/audit"),
        browser.send("/segments", name="mine"),
        browser.send("/customers/export", kind="csv"),
    ]

    assert [answer.status_code for answer in refused] == [403] * 3
    assert "It takes the role admin, and you have look." in refused[0].text
    page = browser.seen("/customers")
    assert "Take out" not in page
    assert "Keep as a segment" not in page
    assert store.segments.all() == []


def test_cookies_are_for_this_site_alone_and_off_this_machine_for_https_alone(
    opened: Opened, store: Store
) -> None:
    store.users.add("sara", "look", PASSWORD)

    here = opened().get("/sign-in").headers["set-cookie"]
    browser = opened(loopback=False)
    there = browser.send("/sign-in", name="sara", password=PASSWORD, follow_redirects=False)

    assert "HttpOnly" in here
    assert "SameSite=lax" in here
    assert "Secure" not in here
    assert all("Secure" in cookie for cookie in there.headers.get_list("set-cookie"))


def test_a_session_is_another_one_after_signing_in(opened: Opened, store: Store) -> None:
    store.users.add("sara", "look", PASSWORD)
    browser = opened()
    browser.get("/sign-in")
    before = browser.cookies["stayworth_session"]

    browser.sign_in("sara")

    assert browser.cookies["stayworth_session"] != before


@pytest.mark.parametrize("csrf", ["", "0" * 64, "ÿ"])
def test_a_form_of_another_site_changes_nothing(opened: Opened, store: Store, csrf: str) -> None:
    browser = opened()
    browser.seen("/customers")

    answer = browser.post("/segments", data={"csrf": csrf, "name": "theirs"})

    assert answer.status_code == 403
    assert "Nothing was changed" in answer.text
    assert store.segments.all() == []


def test_guessing_passwords_is_slowed_down(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "ATTEMPTS_OF_ADDRESS", parse("2/minute"))  # as 20, with fewer slow hashes
    browser = opened(loopback=False)
    page = browser.get("/sign-in").text
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]

    answers = [
        browser.post("/sign-in", data={"csrf": csrf, "name": f"user{number}", "password": ""})
        for number in range(3)
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "Too many attempts. Try again in" in answers[-1].text


def test_while_nobody_signs_in_another_name_of_this_machine_is_not_answered(
    opened: Opened, store: Store
) -> None:
    elsewhere = {"host": "rebound.example"}

    refused = opened().get("/customers", headers=elsewhere)
    store.users.add("sara", "look", PASSWORD)
    behind_a_proxy = opened().get("/sign-in", headers=elsewhere)

    assert refused.status_code == 400
    assert "c000" not in refused.text
    assert behind_a_proxy.status_code == 200


def test_pages_may_load_nothing_from_elsewhere_and_run_no_script(opened: Opened) -> None:
    browser = opened()

    for path in (*PAGES, "/nowhere", "/sign-in"):
        answer = browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; ")
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert "<script" not in answer.text
        assert " style=" not in answer.text
        assert "http://" not in answer.text.replace("http://localhost", "")


def test_who_signs_in_wrongly_keeps_the_name_and_who_is_in_keeps_the_menu_where_no_page_is(
    opened: Opened, store: Store
) -> None:
    store.users.add("sara", "look", PASSWORD)
    browser = opened()

    wrong = browser.sign_in("sara", PASSWORD + "?").text
    outside = browser.get("/nowhere")
    browser.sign_in("sara")
    inside = browser.get("/nowhere")

    assert 'name="name" value="sara"' in wrong and PASSWORD not in wrong
    assert outside.status_code == inside.status_code == 404
    assert "sara" not in outside.text and 'href="/customers"' not in outside.text
    assert 'href="/customers"' in inside.text and 'href="/audit"' not in inside.text


def test_where_to_go_after_a_form_is_never_another_site(opened: Opened) -> None:
    browser = opened()

    answer = browser.send("/language", language="fa", to="//elsewhere.example/", follow_redirects=False)

    assert answer.headers["location"] == "/"


def test_a_customer_is_in_no_address_and_no_line_of_the_log(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    browser = opened()
    caplog.set_level(logging.INFO, "stayworth")

    found = browser.send("/customers/search", wanted="c01")

    assert "c010" in found.text
    assert "c01" not in str(found.url)
    assert [
        vars(record)["fields"]["route"] for record in caplog.records if record.name == "stayworth.access"
    ] == [
        "/sign-in",
        "/customers/search",
        "/customers",
    ]
    assert "c01" not in caplog.text


@pytest.mark.parametrize("path", ["/customers?found=c010", "/customers?found=" + "A" * 4_000])
def test_a_key_that_is_none_of_ours_finds_nobody_in_particular(opened: Opened, path: str) -> None:
    assert "60 customers" in opened().seen(path)


def test_a_form_that_is_too_large_is_refused_before_it_is_read(opened: Opened) -> None:
    browser = opened()

    answer = browser.send("/customers/search", wanted="c" * 100_000)

    assert answer.status_code == 413
    assert "Too much was sent." in answer.text


def test_a_killed_server_ends_neither_sessions_nor_links(opened: Opened, store: Store) -> None:
    store.users.add("sara", "look", PASSWORD)
    before = opened()
    before.sign_in("sara")
    page = before.seen("/customers")
    link = re.search(r'href="(/customers/[\w-]+)"', page)
    assert link

    after = opened()
    after.cookies.update(before.cookies)

    assert "c000" in after.seen(link[1])


def test_letters_that_no_database_holds_find_and_break_nothing(opened: Opened) -> None:
    browser = opened()

    found = browser.send("/customers/search", wanted="c00\0 1")
    strange = browser.send(
        "/customers/search", wanted="\ud83d".encode("utf-8", "surrogatepass").decode("latin-1")
    )

    assert "No id begins like that" in found.text
    assert strange.status_code == 200


def test_the_audit_is_told_in_the_readers_language(opened: Opened, store: Store) -> None:
    browser = opened(language="fa")

    browser.send("/segments", name="spring")
    store.audit.add("command line", "take out list", "1234 customers of set 1, csv", wait_seconds=1)
    store.audit.add("sara", "take out list", "campaign 3, team", wait_seconds=1)
    store.audit.add("sara", "roll back", "version 1, before it None", wait_seconds=1)
    store.audit.add("sara", "roll back", "version 1, before it 2", wait_seconds=1)
    page = browser.seen("/audit")

    assert "None" not in page and page.count("نسخهٔ ۱") == 2
    assert "بخش ۱" in page and "خط فرمان" in page and "Excel برای تیم" in page
    assert "۱٬۲۳۴ مشتری از فهرست ۱" in page
