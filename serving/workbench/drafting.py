"""The steps from an audience to a campaign: each is a form, kept in the store, and can be gone back to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pandas as pd
from starlette.responses import Response

from features.errors import ChangedMeanwhile, StayworthError
from features.language import translatable, translated
from serving.campaign.summary import sentences
from serving.store.campaign_changes import CHANGED, DRAFT, LONGEST_NAME
from serving.store.campaigns import Campaign
from serving.workbench.choices import Choices, limits_of, offer_of
from serving.workbench.curve import curve_of
from serving.workbench.customers import options
from serving.workbench.library import library
from serving.workbench.page import go_to, page
from serving.workbench.planning import Planned, planned
from serving.workbench.query import TableQuery
from serving.workbench.visit import WAIT_SECONDS, Visit
from training.campaign.candidates import reason_in_words
from training.campaign.sensitivity import Alternative, at_budgets, at_holdouts
from training.offers.offers import require_own_names

STEPS = {
    "audience": translatable("Audience"),
    "offers": translatable("Offers"),
    "budget": translatable("Budget and holdout"),
    "files": translatable("Exclusions and contacts"),
    "preview": translatable("Preview"),
}
LIMITS = ("budget", "holdout", "starts_on", "hold_days", "standing")
OFFER_FIELDS = (
    *(
        "offer_name",
        "channel",
        "contact_cost",
        "incentive",
        "incentive_kind",
        "acceptance",
        "redemption",
        "capacity",
    ),
)
SHOWN_CUSTOMERS = 20
_BUDGETS, _HOLDOUTS = (0.5, 0.75, 1.5, 2.0), (0.05, 0.1, 0.2, 0.3, 0.5)


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


def new(visit: Visit) -> Response:
    """Ask for the name and the audience of a new campaign; the filters are those of the address."""
    return _audience_page(visit, None, TableQuery.of(visit.query))


def audience(visit: Visit) -> Response:
    """Ask for the audience again."""
    draft = draft_of(visit)
    return _audience_page(visit, draft, Choices.from_dict(draft.choices).table)


def _audience_page(
    visit: Visit, draft: Campaign | None, query: TableQuery, *, problem: str = "", name: str = ""
) -> Response:
    tallies = visit.sources.store.customers.tallies() if visit.sources.store.customers.sets() else []
    return show_step(
        visit,
        draft,
        "audience",
        problem=problem,
        query=query,
        name=name or (draft.name if draft else ""),
        number=_number(visit, query),
        options=options(tallies),
        segments=visit.sources.store.segments.all(),
    )


def _number(visit: Visit, query: TableQuery) -> int:
    customers = visit.sources.store.customers
    return sum(each.customers for each in customers.tallies() if query.choice.holds(each))


def begin(visit: Visit) -> Response:
    """Begin a draft."""
    query, name = _chosen_query(visit), visit.sent("name", 4 * LONGEST_NAME)
    store = visit.sources.store
    newest = store.campaigns.all()
    terms: Mapping[str, Any] = next((each.record["terms"] for each in newest if each.record), {})
    try:
        _require_somebody(visit, query)
        choices = Choices(
            query=urlencode(query.fields()),
            standing=terms.get("standing_holdout", 0.0),
            standing_seed=terms.get("standing_seed", 0),
        )
        sets = store.customers.sets()
        number = store.campaigns.begin(
            name, choices.to_dict(), sets[0].id, visit.who.name, wait_seconds=WAIT_SECONDS
        )
    except ChangedMeanwhile:
        raise
    except StayworthError as error:
        return _audience_page(visit, None, query, problem=str(error), name=name)
    return go_to(f"/campaigns/{number}/offers")


def choose_audience(visit: Visit) -> Response:
    """Change the audience, and the name."""
    draft, query = draft_of(visit), _chosen_query(visit)
    name = visit.sent("name", 4 * LONGEST_NAME)
    choices = replace(Choices.from_dict(draft.choices), query=urlencode(query.fields()))
    try:
        _require_somebody(visit, query)
        keep_choices(visit, draft, choices, name=name)
    except ChangedMeanwhile:
        raise
    except StayworthError as error:
        return _audience_page(visit, draft, query, problem=str(error), name=name)
    return go_to(f"/campaigns/{draft.id}/offers")


def _chosen_query(visit: Visit) -> TableQuery:
    wanted = visit.sent("segment")
    for segment in visit.sources.store.segments.all() if wanted else ():
        if str(segment.id) == wanted:
            return TableQuery.kept(segment.choice)
    return TableQuery.of(visit.form)


def _require_somebody(visit: Visit, query: TableQuery) -> None:
    if not _number(visit, query):
        raise StayworthError(translated("Nobody is in this audience. Choose fewer filters."))


def keep_choices(visit: Visit, draft: Campaign, choices: Choices, *, name: str | None = None) -> None:
    """Keep what was chosen, and the name where it is given."""
    visit.sources.store.campaigns.choose(
        draft, choices.to_dict(), visit.who.name, name=name, wait_seconds=WAIT_SECONDS
    )


def offers(visit: Visit) -> Response:
    """Show the chosen offers, a form for another, and those of past campaigns."""
    return _offers_page(visit, draft_of(visit))


def _offers_page(
    visit: Visit, draft: Campaign, *, problem: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    chosen = {offer.name for offer in Choices.from_dict(draft.choices).offers}
    past = [each for each in library(visit.sources.store.campaigns) if each.offer.name not in chosen]
    return show_step(
        visit, draft, "offers", problem=problem, past=past, typed=typed or dict.fromkeys(OFFER_FIELDS, "")
    )


def choose_offers(visit: Visit) -> Response:
    """Add an offer, typed or of the library, or take one out."""
    draft = draft_of(visit)
    choices = Choices.from_dict(draft.choices)
    typed = {name: visit.sent(name) for name in OFFER_FIELDS}
    try:
        if gone := visit.sent("remove"):
            left = tuple(offer for offer in choices.offers if offer.name != gone)
        elif past := visit.sent("past"):
            known = library(visit.sources.store.campaigns)
            left = (*choices.offers, *(each.offer for each in known if each.offer.name == past))
        else:
            left = (*choices.offers, offer_of(typed))
        require_own_names(left)
        keep_choices(visit, draft, replace(choices, offers=left))
    except ChangedMeanwhile:
        raise
    except StayworthError as error:
        return _offers_page(visit, draft, problem=str(error), typed=typed)
    return go_to(f"/campaigns/{draft.id}/offers")


def budget(visit: Visit) -> Response:
    """Show what the chosen budget and holdout bring, and others around them."""
    draft = draft_of(visit)
    choices = Choices.from_dict(draft.choices)
    typed = {
        "budget": "" if choices.budget is None else f"{choices.budget:g}",
        "holdout": f"{100 * choices.holdout:g}",
        "starts_on": choices.starts_on.isoformat() if choices.starts_on else "",
        "hold_days": str(choices.hold_days or ""),
        "standing": f"{100 * choices.standing:g}",
    }
    return _budget_page(visit, draft, typed)


def _budget_page(visit: Visit, draft: Campaign, typed: Mapping[str, str], *, problem: str = "") -> Response:
    made, why_not = (None, "") if problem else _try(visit, draft)
    found = made.plan if made else None
    return show_step(
        visit,
        draft,
        "budget",
        problem=problem,
        why_not=why_not,
        typed=typed,
        plan=found,
        said=sentences(found) if found else [],
        curve=curve_of(found) if found else None,
        budgets=_with_chosen(found, at_budgets(found, _other_budgets(found))) if found else [],
        holdouts=_with_chosen(found, at_holdouts(found, _other_holdouts(found))) if found else [],
    )


def _try(visit: Visit, draft: Campaign) -> tuple[Planned | None, str]:
    """Return the plan of a draft, or why there is none."""
    try:
        return planned(visit.sources.store, visit.sources.audiences, draft), ""
    except StayworthError as error:
        return None, str(error)


def _other_budgets(plan: Any) -> list[float]:
    around = plan.terms.budget if plan.terms.budget else plan.expected_cost
    return [around * factor for factor in _BUDGETS]


def _other_holdouts(plan: Any) -> list[float]:
    return [share for share in _HOLDOUTS if abs(share - plan.holdout_share) > 0.001]


def _with_chosen(plan: Any, others: list[Alternative]) -> list[tuple[Alternative, bool]]:
    """Return the alternatives with the plan itself among them, which is marked."""
    itself = Alternative(
        plan.terms.budget,
        plan.holdout_share,
        len(plan.contacted),
        len(plan.held_out),
        plan.expected_cost,
        plan.expected_profit,
        plan.detectable_effect,
    )

    def order(each: tuple[Alternative, bool]) -> tuple[float, float]:
        most = float("inf") if each[0].budget is None else each[0].budget
        return most, each[0].holdout_share

    return sorted([*((each, False) for each in others), (itself, True)], key=order)


def choose_budget(visit: Visit) -> Response:
    """Keep budget, holdout and days; show what they bring, or go on."""
    draft = draft_of(visit)
    typed = {name: visit.sent(name) for name in LIMITS}
    try:
        keep_choices(visit, draft, replace(Choices.from_dict(draft.choices), **limits_of(typed)))
    except ChangedMeanwhile:
        raise
    except StayworthError as error:
        return _budget_page(visit, draft, typed, problem=str(error))
    return go_to(f"/campaigns/{draft.id}/{'files' if visit.sent('go') == 'next' else 'budget'}")


def preview(visit: Visit) -> Response:
    """Show the list, the holdout, and who is left alone, before anything is drawn for good."""
    return _preview_page(visit, draft_of(visit))


def _preview_page(visit: Visit, draft: Campaign) -> Response:
    made, why_not = _try(visit, draft)
    plan = made.plan if made else None
    return show_step(
        visit,
        draft,
        "preview",
        why_not=why_not,
        plan=plan,
        said=sentences(plan) if plan else [],
        contacted=_rows(visit, plan.contacted) if plan else [],
        held_out=_rows(visit, plan.held_out) if plan else [],
        rest=[
            (reason_in_words(str(why)), int(n))
            for why, n in plan.not_selected["reason"].value_counts().items()
        ]
        if plan
        else [],
        beside=_beside(made) if made else "",
        shown=SHOWN_CUSTOMERS,
    )


def _rows(visit: Visit, rows: pd.DataFrame) -> list[dict[str, Any]]:
    first = rows.head(SHOWN_CUSTOMERS)
    return [{**row, "key": visit.key_of(str(row["customer_id"]))} for row in first.to_dict("records")]


def _beside(made: Planned) -> str:
    return "-".join(map(str, sorted(made.basis.beside)))


def confirm(visit: Visit) -> Response:
    """Draw the campaign for good."""
    draft = draft_of(visit)
    store = visit.sources.store
    made = planned(store, visit.sources.audiences, draft, fresh=True)
    if visit.sent("beside", 10_000) != _beside(made):
        raise ChangedMeanwhile(
            translated("Another campaign was planned meanwhile. Plan again: its customers are left alone.")
        )
    if not len(made.plan.contacted):
        raise StayworthError(translated("Nobody would be contacted, so there is no campaign to keep."))
    store.campaigns.keep(
        draft.name, made.drawn(), made.basis, visit.who.name, draft=draft, wait_seconds=WAIT_SECONDS
    )
    return go_to(f"/campaigns/{draft.id}")


def renew(visit: Visit) -> Response:
    """Plan again, from the list that was published since."""
    draft = draft_of(visit)
    sets = visit.sources.store.customers.sets()
    visit.sources.store.campaigns.choose(
        draft, draft.choices, visit.who.name, set_id=sets[0].id, wait_seconds=WAIT_SECONDS
    )
    return go_to(f"/campaigns/{draft.id}/budget")


def discard(visit: Visit) -> Response:
    """Delete a draft."""
    visit.sources.store.campaigns.discard(draft_of(visit), visit.who.name, wait_seconds=WAIT_SECONDS)
    return go_to("/campaigns")
