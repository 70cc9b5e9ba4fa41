"""The whole loop in a real browser, by clicks: from an audience to a measured campaign, on a phone and on a desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from serving.store.store import Store

pytestmark = pytest.mark.slow

CUSTOMERS = 300
PASSWORD = "correct horse battery"
PATIENCE_MS = 120_000
OFFER = {"offer_name": "<b>call</b>", "contact_cost": "0.5", "incentive": "2", "acceptance": "40"}
GRAVE = {"serious", "critical"}
RULES = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Opt-outs, contacts, and orders of the campaign's window."""
    folder, rng = tmp_path_factory.mktemp("files"), np.random.default_rng(1)
    ids = [f"c{number:03}" for number in range(CUSTOMERS)]
    (folder / "optouts.csv").write_text("customer_id\nc001\nc002\n", encoding="utf-8")
    pd.DataFrame({"customer_id": ids, "email": [f"{each}@x.example" for each in ids]}).to_csv(
        folder / "crm.csv", index=False
    )
    buys = [each for each in ids if rng.random() < 0.5]
    days = [date(1998, 7, 1) + timedelta(days=int(d)) for d in rng.integers(0, 90, len(buys))]
    log = pd.DataFrame({"customer_id": buys, "ordered_at": days, "amount": 10.0})
    log.loc[len(log)] = ["late", date(1998, 12, 1), 1.0]
    log.to_csv(folder / "orders.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def workbench(
    tmp_path_factory: pytest.TempPathFactory,
    scored_list: Callable[..., pd.DataFrame],
    served: Callable[..., AbstractContextManager[str]],
) -> Iterator[str]:
    """A server of the workbench over a list whose customers an offer pays for."""
    ids = [f"c{number:03}" for number in range(CUSTOMERS)]
    columns = {"churn_probability": np.linspace(0.95, 0.05, CUSTOMERS), "value_at_stake": 40.0}
    with Store(f"sqlite:///{tmp_path_factory.mktemp('workbench')}/store.db") as store:
        store.publish(scored_list(ids, expected_value=50.0, spend_per_purchase=20.0, **columns))
        store.users.add("sara", "campaign", PASSWORD)
        with served(store) as address:
            yield address


@pytest.mark.parametrize(("language", "width"), [("en", 390), ("en", 1280), ("fa", 390), ("fa", 1280)])
def test_a_campaign_is_planned_sent_and_measured_by_clicks(
    browser: Browser, workbench: str, files: Path, language: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    _sign_in(page, workbench, language)
    axe, found = Axe(), {}

    def looked_at(step: str) -> None:
        page.wait_for_load_state()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0, step
        violations = axe.run(page, options=RULES).response["violations"]
        found[step] = [
            (each["id"], each["nodes"][0]["html"]) for each in violations if each["impact"] in GRAVE
        ]

    page.locator("nav a[href='/campaigns']").click()
    page.locator("main a[href='/campaigns/new']").click()
    page.locator("#name").fill(f"{language} {width}")
    looked_at("audience")
    page.locator("main button.main").click()
    for name, value in {
        "offer_name": "<b>call</b>",
        "contact_cost": "0.5",
        "incentive": "2",
        "acceptance": "40",
    }.items():
        page.locator(f"#{name}").fill(value)
    page.locator("form:has(#offer_name) button.main").click()
    page.wait_for_selector("#chosen")
    looked_at("offers")
    page.locator("main a.main").click()
    page.locator("#budget").fill("60")
    page.locator("#holdout").fill("25")
    page.locator("button[value=stay]").click()
    page.wait_for_selector("svg.curve")
    looked_at("budget")
    before = page.locator(".tile b").first.text_content()
    page.locator("#budget-slider").focus()
    page.keyboard.press("Home")
    for _ in range(8):
        page.keyboard.press("ArrowRight" if language == "en" else "ArrowLeft")
    page.wait_for_function("before => document.querySelector('.tile b').textContent !== before", arg=before)
    assert float(page.locator("#budget").input_value()) < 60
    page.locator("#budget").fill("60")
    page.locator("button[value=next]").click()
    for field, file in {"exclusions": "optouts.csv", "contacts": "crm.csv"}.items():
        page.locator(f"#{field}").set_input_files(files / file)
        page.locator(f"form:has(#{field}) button").click()
        page.wait_for_selector(".note ul")
    looked_at("files")
    page.locator("main a.main").click()
    looked_at("preview")
    page.locator("form[action$='/confirm'] button").click()
    page.locator("form[action$='/sent'] button").click()
    with page.expect_download() as taken:
        page.locator("button[value=klaviyo]").click()
    page.locator("#orders").set_input_files(files / "orders.csv")
    page.locator("form:has(#orders) button").click()
    page.wait_for_selector("#result")
    looked_at("campaign")
    page.locator("nav a[href='/campaigns']").click()
    looked_at("ledger")

    assert "@x.example" in Path(taken.value.path()).read_text(encoding="utf-8")
    assert page.locator(".state.measured").count() >= 1
    assert complaints == []
    assert found == {step: [] for step in found}
    context.close()


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Your session has ended"), ("fa", "نشست شما پایان یافته")]
)
def test_a_slider_moved_after_the_session_has_ended_says_so_and_leads_back(
    browser: Browser, workbench: str, language: str, words: str
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    _sign_in(page, workbench, language)
    page.goto(f"{workbench}/campaigns/new")
    page.locator("#name").fill(f"slid {language}")
    page.locator("main button.main").click()
    for name, value in OFFER.items():
        page.locator(f"#{name}").fill(value)
    page.locator("form:has(#offer_name) button.main").click()
    page.wait_for_selector("#chosen")
    page.locator("main a.main").click()
    page.wait_for_selector("svg.curve")
    hidden = page.locator("#ended").is_hidden()

    context.clear_cookies(name="stayworth_session")
    page.locator("#budget-slider").fill("20")
    page.wait_for_selector("#ended:not([hidden])")
    said = page.locator("#ended").text_content() or ""
    page.locator("#ended a").click()
    page.locator("#password").fill(PASSWORD)
    page.locator("main #name").fill("sara")
    page.locator("main button.main").click()
    page.wait_for_selector("svg.curve")

    assert hidden and words in said
    assert float(page.locator("#budget").input_value()) == 20
    context.close()


def _sign_in(page: Page, base: str, language: str) -> None:
    page.goto(base)
    page.locator("#name").fill("sara")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".tiles")
    if language != "en":
        page.locator(f"button[value={language}]").click()
        page.wait_for_selector(f"html[lang={language}]")
