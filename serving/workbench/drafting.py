"""A campaign in the making: its steps, each a form, kept in the store, that can be gone back to."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from features.errors import ChangedMeanwhile, StayworthError
from features.language import translatable, translated
from serving.store.campaign import Campaign
from serving.store.campaign_changes import CHANGED, DRAFT, LONGEST_NAME
from serving.workbench.choices import Choices
from serving.workbench.page import page
from serving.workbench.planning import Planned, planned
from serving.workbench.visit import WAIT_SECONDS, Visit

STEPS = {
    "audience": translatable("Audience"),
    "offers": translatable("Offers"),
    "budget": translatable("Budget and holdout"),
    "files": translatable("Exclusions and contacts"),
    "preview": translatable("Preview"),
}


def draft_of(visit: Visit) -> Campaign:
    """Return the draft in the address; with a form, the one that it was of.

    Raises
    ------
    StayworthError
        If there is none.
    ChangedMeanwhile
        If it was planned meanwhile, or changed since the form was shown.
    """
    draft = campaign_of(visit)
    if draft.state != DRAFT:
        raise ChangedMeanwhile(translated("This campaign is no draft any more: it was planned."))
    return draft


def campaign_of(visit: Visit) -> Campaign:
    """Return the campaign in the address; with a form, the one that it was of.

    Raises
    ------
    StayworthError
        If there is none.
    ChangedMeanwhile
        If it was changed since the form was shown.
    """
    number = visit.path["number"]
    known = number.isascii() and number.isdigit() and len(number) < 10
    found = visit.sources.store.campaigns.numbered(int(number)) if known else None
    if found is None:
        raise StayworthError(translated("There is no such campaign: it may have been discarded."))
    if visit.form and visit.sent("version") != str(found.version):
        raise ChangedMeanwhile(translated(CHANGED))
    return found


def show_step(
    visit: Visit, draft: Campaign | None, step: str, *, problem: str = "", **values: Any
) -> Response:
    """Return the page of a step, with what is wrong where something is."""
    sets = visit.sources.store.customers.sets()
    if not sets:
        return page(visit, "empty.html")
    choices = Choices.from_dict(draft.choices) if draft else Choices()
    return page(
        visit,
        f"draft_{step}.html",
        status=400 if problem else 200,
        draft=draft,
        step=step,
        steps=STEPS,
        choices=choices,
        newest=sets[0],
        replaced=draft is not None and draft.set_id != sets[0].id,
        problem=problem,
        longest_name=LONGEST_NAME,
        **values,
    )


def keep_choices(visit: Visit, draft: Campaign, choices: Choices, *, name: str | None = None) -> None:
    """Keep what was chosen, and the name where it is given."""
    visit.sources.store.campaigns.choose(
        draft, choices.to_dict(), visit.who.name, name=name, wait_seconds=WAIT_SECONDS
    )


def try_plan(visit: Visit, draft: Campaign) -> tuple[Planned | None, str]:
    """Return the plan of a draft, or why there is none."""
    try:
        return planned(visit.sources.store, visit.sources.audiences, draft), ""
    except StayworthError as error:
        return None, str(error)
