"""The workbench in a real browser, on a phone and on a desk, in both languages: it fits, asks nobody else, and is used
without a mouse or eyes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from features.log.transactions import TransactionLog
from serving.scorer import Scorer
from serving.store.store import Store

pytestmark = pytest.mark.slow

PHONE, DESK = 390, 1280
PATIENCE_MS = 60_000
PASSWORD = "correct horse battery"
RULES = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
GRAVE = {"serious", "critical"}
CUSTOMERS, CAMPAIGNS = (
    ("/customers", "one customer", "/customers?tier=destroyer"),
    ("/campaigns", "/campaigns/new"),
)
PAGES = ("/", *CUSTOMERS, *CAMPAIGNS, "/models", "/models/1", "/audit", "/nowhere")
FOCUSED = """document.activeElement === document.body ? '' :
  [...document.querySelectorAll('*')].indexOf(document.activeElement).toString()"""
TO_REACH = """[...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')].filter(
  each => each.type !== 'hidden' && each.checkVisibility() && !(each.type === 'radio' && !each.checked)).map(
  each => [...document.querySelectorAll('*')].indexOf(each).toString())"""


@dataclass
class Visit:
    """A page that somebody has signed in to, what it asked for, and what the browser complained of."""

    page: Page
    base: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def go(self, place: str) -> None:
        """Open a page; one customer's is that of the first row."""
        if place == "one customer":
            self.go("/customers")
            place = str(self.page.locator("tbody th a").first.get_attribute("href"))
        self.page.goto(self.base + place)


@pytest.fixture(scope="module")
def workbench(
    tmp_path_factory: pytest.TempPathFactory,
    scorer: Scorer,
    log: TransactionLog,
    registry_file: Path,
    served: Callable[..., AbstractContextManager[str]],
) -> Iterator[str]:
    """A server of the workbench over two lists, with a user, segments and orders; its address."""
    folder = tmp_path_factory.mktemp("workbench")
    with Store(f"sqlite:///{folder}/store.db") as store:
        scores = scorer.score_log(log).scores
        for _ in range(2):
            store.publish(scores)
        store.users.add("sara", "admin", PASSWORD)
        store.segments.keep("Lost & <found>", {"query": "tier=vip"}, "sara")
        with served(store, f"sqlite:///{registry_file}", log) as address:
            yield address


@pytest.fixture
def visit(browser: Browser, workbench: str) -> Iterator[Callable[[str, int], Visit]]:
    """Sign in, in a language and a window of a width."""
    opened = []

    def sign_in(language: str, width: int) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": 900})
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        visit = Visit(page, workbench)
        page.on("request", lambda asked: visit.asked.append(asked.url))
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.on("console", lambda said: visit.complaints.append(said.text) if said.type == "error" else None)
        visit.go("/")
        page.locator("#name").fill("sara")
        page.locator("#password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector(".tiles")
        if language != "en":
            page.locator(f"button[value={language}]").click()
            page.wait_for_selector(f"html[lang={language}]")
        return visit

    yield sign_in
    for context in opened:
        context.close()


@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_every_page_fits_and_asks_nobody_else(
    visit: Callable[[str, int], Visit], language: str, width: int
) -> None:
    seen = visit(language, width)

    for place in PAGES:
        seen.go(place)
        assert seen.page.locator("html").get_attribute("dir") == ("rtl" if language == "fa" else "ltr")
        assert seen.page.locator("main h1").count() == 1
        overflow = seen.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert (place, overflow) == (place, 0)
        for card in seen.page.locator(".card, .tile").all():
            box = card.bounding_box()
            assert box and box["x"] >= 0 and box["x"] + box["width"] <= width

    missing = [said for said in seen.complaints if "404" not in said]  # /nowhere is not there
    assert missing == []
    assert [url for url in seen.asked if not url.startswith((seen.base, "data:"))] == []


@pytest.mark.parametrize("language", ["en", "fa"])
def test_every_page_is_used_without_eyes(visit: Callable[[str, int], Visit], language: str) -> None:
    seen, axe = visit(language, PHONE), Axe()
    rules = {"color-contrast": {"enabled": language == "en"}}  # colours do not depend on the language

    found = {}
    for place in PAGES:
        seen.go(place)
        for details in seen.page.locator("details").all():
            details.locator("summary").click()
        violations = axe.run(seen.page, options=RULES | {"rules": rules}).response["violations"]
        found[place] = [
            (each["id"], each["nodes"][0]["html"]) for each in violations if each["impact"] in GRAVE
        ]

    assert found == {place: [] for place in PAGES}


def test_the_keyboard_reaches_everything(visit: Callable[[str, int], Visit]) -> None:
    seen = visit("en", DESK)

    for place in ("/customers?tier=vip", "/models", "one customer"):
        seen.go(place)
        wanted, reached = set(seen.page.evaluate(TO_REACH)), set()
        assert len(wanted) > 10
        for _ in range(len(wanted) + 20):
            seen.page.keyboard.press("Tab")
            reached.add(seen.page.evaluate(FOCUSED))
        assert wanted - reached == set()


def test_a_customer_is_searched_opened_kept_and_left_by_keys_alone(
    visit: Callable[[str, int], Visit],
) -> None:
    seen = visit("en", DESK)
    page = seen.page
    seen.go("/customers")
    wanted = str(page.locator("tbody th bdi").first.text_content())

    page.locator("#wanted").focus()
    page.keyboard.type(wanted)
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers?found=*")
    page.locator("tbody th a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("svg.line")

    assert page.locator("h1").text_content() == wanted
    assert wanted not in page.url
    page.locator("form[action='/sign-out'] button").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#password")
