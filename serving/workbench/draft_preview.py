"""The last step of a campaign: its list before it is drawn for good, and the draw."""

from __future__ import annotations

from typing import Any

import pandas as pd
from starlette.responses import Response

from features.errors import ChangedMeanwhile, StayworthError
from features.language import translated
from serving.campaign.meant_rows import opted_out_sentences
from serving.campaign.plan_sentences import sentences
from serving.lists.addresses import address_sentences
from serving.store.campaign import Campaign
from serving.store.campaign_changes import confirmed
from serving.workbench.drafting import draft_of, groups_of, show_step, try_plan
from serving.workbench.page import go_to
from serving.workbench.planning import Planned, planned
from serving.workbench.visit import WAIT_SECONDS, Visit
from training.campaign.exclusions import reason_in_words

SHOWN_CUSTOMERS = 20


def preview(visit: Visit) -> Response:
    """Show the list, the holdout, and who is left alone, before anything is drawn for good."""
    return _preview_page(visit, draft_of(visit))


def _preview_page(visit: Visit, draft: Campaign, *, problem: str = "") -> Response:
    made, why_not = try_plan(visit, draft)
    plan = made.plan if made else None
    return show_step(
        visit,
        draft,
        "preview",
        problem=problem,
        loses=plan is not None and plan.expected_profit < 0,
        why_not=why_not,
        plan=plan,
        groups=groups_of(plan) if plan else [],
        said=_said(made) if made else [],
        contacted=_rows(visit, plan.first(SHOWN_CUSTOMERS, held_out=False)) if plan else [],
        held_out=_rows(visit, plan.first(SHOWN_CUSTOMERS, held_out=True)) if plan else [],
        rest=[(reason_in_words(str(why)), int(n)) for why, n in plan.reasons.items()] if plan else [],
        beside=_beside(made) if made else "",
        shown=SHOWN_CUSTOMERS,
    )


def _said(made: Planned) -> list[str]:
    """Return what there is to say of a plan, and of contacts who have opted out."""
    contacts, remedy = (
        made.readers.contacts,
        translated("Send the same file as opt-outs too: it leaves them alone."),
    )
    chosen = made.plan.contacted
    warned = opted_out_sentences(contacts, chosen, remedy) if contacts else []
    if contacts and len(chosen):
        told = address_sentences(contacts.join(chosen[["customer_id"]]))
        warned.append(translated("To contact: {sentences}", sentences=" ".join(told)))
    return [*warned, *sentences(made.plan)]


def _rows(visit: Visit, rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{**row, "key": visit.key_of(str(row["customer_id"]))} for row in rows.to_dict("records")]


def _beside(made: Planned) -> str:
    return "-".join(map(str, sorted(made.basis.beside)))


def confirm(visit: Visit) -> Response:
    """Draw the campaign for good."""
    draft = draft_of(visit)
    store = visit.sources.store
    made = planned(store, visit.sources.audiences, draft, fresh=True)
    if draft.id in made.basis.beside:
        raise confirmed(draft.name)
    if visit.sent("beside", 10_000) != _beside(made):
        raise ChangedMeanwhile(
            translated("Another campaign was planned meanwhile. Plan again: its customers are left alone.")
        )
    if not len(made.plan.contacts):
        raise StayworthError(translated("Nobody would be contacted, so there is no campaign to keep."))
    if made.plan.expected_profit < 0 and visit.sent("loses") != "1":
        why = translated(
            "This campaign is expected to lose money. Tick that it is meant to, or plan another."
        )
        return _preview_page(visit, draft, problem=why)
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
