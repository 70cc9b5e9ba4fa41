"""A report in a real browser, on a phone and on a desk: everything is drawn and fits, nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

PHONE, DESK = 390, 1280
PATIENCE_MS = 180_000  # of a machine that is busy with other tests
DRAWN = "[...document.querySelectorAll('.picture')].every(each => each.querySelector('.main-svg text'))"
OUTSIDE = """[...document.querySelectorAll('.picture')].flatMap(picture => {
  const card = picture.closest('.card').getBoundingClientRect();
  return [...picture.querySelectorAll('text')].filter(text => {
    const box = text.getBoundingClientRect();
    return box.width && (box.left < card.left - 1 || box.right > card.right + 1);
  }).map(text => text.textContent);
})"""
SCROLLED = """[...document.querySelectorAll('.scroll')].filter(each => each.scrollWidth > each.clientWidth + 1)
  .map(each => `${each.getAttribute('aria-label')}: ${each.scrollWidth} of ${each.clientWidth}`)"""
RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
}
GRAVE = {"serious", "critical"}


@dataclass
class Visit:
    """An open page, and what it asked for and complained of."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(params=["en", "fa"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def visit(browser: Browser, shop_report: Callable[[str], Path]) -> Iterator[Callable[[str, int], Visit]]:
    """Open the shop's report in a language, in a window of a width."""
    pages = []

    def opened(language: str, width: int) -> Visit:
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        pages.append(page)
        visit = Visit(page)
        page.on("request", lambda asked: visit.asked.append(asked.url))
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.on("console", lambda said: visit.complaints.append(said.text) if said.type == "error" else None)
        page.goto((shop_report(language) / "report.html").as_uri())
        page.wait_for_function(DRAWN)
        return visit

    yield opened
    for page in pages:
        page.close()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_report_is_drawn_whole_and_fits_and_asks_for_nothing(
    visit: Callable[[str, int], Visit], language: str, width: int
) -> None:
    seen = visit(language, width)

    page = seen.page
    for place in [*page.locator("section").all(), *page.locator(".picture").all()]:
        box = place.bounding_box()
        assert box and box["width"] > 200 and box["height"] > 20
    assert page.locator("section").count() > 5 < page.locator(".picture").count()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(OUTSIDE) == []
    assert seen.complaints == []
    assert [url for url in seen.asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_a_report_is_used_without_eyes_or_a_mouse(visit: Callable[[str, int], Visit], language: str) -> None:
    # Contrast takes most of the time, and colours do not depend on the language.
    rules = {"color-contrast": {"enabled": language == "en"}}
    found = Axe().run(visit(language, PHONE).page, options=RULES | {"rules": rules}).response["violations"]

    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in GRAVE] == []


def test_no_table_scrolls_sideways_on_a_desk(visit: Callable[[str, int], Visit], language: str) -> None:
    page = visit(language, DESK).page

    assert page.locator(".scroll").count() > 5
    assert page.evaluate(SCROLLED) == []


def test_a_picture_says_everything_in_persian_and_in_its_digits(visit: Callable[[str, int], Visit]) -> None:
    texts = visit("fa", DESK).page.locator(".picture svg text").all_text_contents()

    assert len(texts) > 50
    assert [text for text in texts if re.search("[A-Za-z0-9]", text)] == []
