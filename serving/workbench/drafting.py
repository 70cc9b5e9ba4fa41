"""A campaign in the making: its steps, each a form, kept in the store, that can be gone back to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from features.errors import ChangedMeanwhile, StayworthError
from features.language import translatable, translated
from serving.store.campaign import Campaign
from serving.store.campaign_changes import CHANGED, DRAFT, LONGEST_NAME, confirmed, no_campaign
from serving.workbench.choices import Choices
from serving.workbench.page import page
from serving.workbench.planning import Planned, planned
from serving.workbench.visit import WAIT_SECONDS, Visit
from training.campaign.plan import CampaignPlan

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
    NotThere
        If there is none.
    ConfirmedMeanwhile
        If it is a campaign by now.
    ChangedMeanwhile
        If it was changed since the form was shown.
    """
    draft = _numbered(visit)
    if draft.state != DRAFT:
        raise confirmed(draft.name)
    return _as_shown(visit, draft)


def campaign_of(visit: Visit) -> Campaign:
    """Return the campaign in the address; with a form, the one that it was of.

    Raises
    ------
    NotThere
        If there is none.
    ChangedMeanwhile
        If it was changed since the form was shown.
    """
    return _as_shown(visit, _numbered(visit))


def _numbered(visit: Visit) -> Campaign:
    number = visit.number()
    found = None if number is None else visit.sources.store.campaigns.numbered(number)
    if found is None:
        raise no_campaign()
    return found


def _as_shown(visit: Visit, campaign: Campaign) -> Campaign:
    if visit.form and visit.sent("version") != str(campaign.version):
        raise ChangedMeanwhile(translated(CHANGED))
    return campaign


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
        begun_from=next((each for each in sets if draft and each.id == draft.set_id), None),
        problem=problem,
        longest_name=LONGEST_NAME,
        **values,
    )


@dataclass(frozen=True)
class Group:
    """Customers who are chosen for one purpose, in words: how many are to be contacted, and how many held out."""

    purpose: str
    contacted: int
    held_out: int

    @property
    def share(self) -> float:
        """The share of them who are held out."""
        return self.held_out / (self.contacted + self.held_out)


def groups_of(plan: CampaignPlan) -> list[Group]:
    """Return the chosen by purpose, and together; one group alone where they have one purpose, none without any."""
    figures = plan.figures
    found = [
        Group(purpose, int((~part["held_out"]).sum()), int(part["held_out"].sum()))
        for purpose, part in (
            (translated("The offer is expected to pay"), plan.for_profit),
            (translated("Made to learn"), figures[figures["explores"]]),
        )
        if len(part)
    ]
    together = Group(translated("Together"), len(plan.contacts), plan.n_held_out)
    return [*found, together] if len(found) > 1 else found


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
