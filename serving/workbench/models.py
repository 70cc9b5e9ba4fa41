"""The registered versions: what was measured, who promoted which, and promotion and its undoing with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from starlette.responses import HTMLResponse, Response

from features.errors import NotThere
from features.language import current_language, translated, written
from features.temporary import temporary_folder
from serving.store.audit import LONGEST_REASON
from serving.workbench.list_and_champion import PUBLISH, another_version
from serving.workbench.page import go_to, page, said
from serving.workbench.visit import WAIT_SECONDS, Visit
from training.versions.card_file import page_of
from training.versions.version import CHAMPION, Version
from training.versions.version_words import COMPARED, in_words, promoted

CARD_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
"""The card is one file with its styles inside: it may do nothing, and is told so by the browser."""

_MEASURED = {
    "test_auc": ".3f",
    "test_log_loss": ".4f",
    "test_calibration_in_the_large": "+.3f",
    "test_spend_ratio": ".2f",
}


@dataclass(frozen=True)
class Row:
    """A version as a row."""

    number: str
    is_champion: bool
    registered_on: date
    promoted: str
    compared: str
    test: date | None
    measured: list[str]


def show(visit: Visit) -> Response:
    """Show the versions, the newest first."""
    versions, champion = visit.sources.versions.all(), visit.sources.versions.champion()
    newest = visit.sources.store.newest()
    listed = another_version(newest.model_version, champion.version) if newest and champion else ""
    return page(
        visit,
        "models.html",
        rows=[row_of(version) for version in versions],
        champion=champion,
        listed=listed,
        publish=PUBLISH,
        longest_reason=LONGEST_REASON,
    )


def row_of(version: Version) -> Row:
    """Return a version as a row."""
    return Row(
        number=version.version,
        is_champion=CHAMPION in version.aliases,
        registered_on=version.created_at.date(),
        promoted=in_words(promoted(version.tags)),
        compared=in_words(version.tags.get(COMPARED, "")),
        test=_day(version.params.get("test_snapshot", "")),
        measured=_numbers(version.metrics),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _numbers(metrics: Mapping[str, float]) -> list[str]:
    return [written(metrics[name], shape) if name in metrics else "–" for name, shape in _MEASURED.items()]


def promote(visit: Visit) -> Response:
    """Make a version the champion, for a reason."""
    reason, number = visit.reason(), visit.path["number"]
    versions = visit.sources.versions
    if number not in {version.version for version in versions.all()}:
        raise NotThere(translated("There is no such version."))
    versions.registry.promote(number, f"by {visit.who.name} in the workbench")
    versions.forget()
    visit.sources.store.audit.add(
        visit.who.name, "promote", f"version {number}", reason, wait_seconds=WAIT_SECONDS
    )
    return go_to("/models")


def roll_back(visit: Visit) -> Response:
    """Make the champion before this one score again, for a reason."""
    reason, versions = visit.reason(), visit.sources.versions
    now, before = versions.registry.rollback()
    versions.forget()
    about = f"version {now}, before it {before}" if before else f"version {now}"
    visit.sources.store.audit.add(visit.who.name, "roll back", about, reason, wait_seconds=WAIT_SECONDS)
    return go_to("/models")


def card(visit: Visit) -> Response:
    """Show the model card of a version."""
    number = visit.path["number"]
    if number not in {version.version for version in visit.sources.versions.all()}:
        return said(visit, translated("There is no such version."), status=404, back="/models")
    with temporary_folder() as folder:
        file = page_of(visit.sources.versions.registry.download(number, folder), current_language())
        if file is None:
            without = translated("This version was registered without a card.")
            return said(visit, without, status=404, back="/models")
        return HTMLResponse(
            file.read_text(encoding="utf-8"), headers={"Content-Security-Policy": CARD_POLICY}
        )
