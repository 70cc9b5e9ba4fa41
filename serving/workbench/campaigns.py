"""One campaign: its lists, what is done about it, and what it did."""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import Any

from starlette.responses import HTMLResponse, Response

from features.errors import StayworthError
from features.language import current_language, translatable, translated
from features.retelling import retold_text
from serving.campaign.kept import assignment_in, record_in
from serving.campaign.measured_page import measured_page
from serving.campaign.measuring import findings_of, measured, never_sent, other_currency
from serving.store.audit import LONGEST_REASON
from serving.store.campaign import Campaign
from serving.store.campaign_changes import MEASURED, SENT, WITHDRAWN
from serving.store.campaign_rows import CONTACTED, HELD_OUT
from serving.store.users import COMMAND_LINE
from serving.workbench.draft_preview import SHOWN_CUSTOMERS
from serving.workbench.drafting import campaign_of
from serving.workbench.ledger import STATE_NAMES, found_in, line_of
from serving.workbench.list_files import list_files
from serving.workbench.models import CARD_POLICY
from serving.workbench.page import go_to, page, said
from serving.workbench.spellings import spellings
from serving.workbench.uploads import has_file, uploaded
from serving.workbench.visit import WAIT_SECONDS, Visit
from training.campaign.measurement_record import MeasurementRecord
from training.campaign.record import CampaignRecord
from training.campaign.settings import MeasureTerms
from training.campaign.verdict import verdict

LANGUAGE_NAMES = {"en": translatable("in English"), "fa": translatable("in Persian")}
_DONE = {
    "send campaign": translatable("It was sent: said on {day:date} by {who}."),
    "withdraw campaign": translatable("It was withdrawn on {day:date} by {who}."),
}
"""What is done about a campaign by the audit's actions."""

WHATEVER = translatable("use the file though something about it looks wrong")
_LONGEST_ID = 200


def _notes(campaign: Campaign, found: MeasurementRecord | None) -> list[tuple[str, str]]:
    """Return what was noted of a measurement in the reader's language, and the language of what is as it was kept."""
    kept = campaign.findings or {}
    said_in = kept.get("language", "")
    notes = [*(found.notes if found else ()), *kept.get("said", ())]
    return [(told, said_in if told == note else "") for note in notes for told in [retold_text(note)]]


def _other_language(visit: Visit, campaign: Campaign, *, measured: bool = False) -> tuple[str, str]:
    """Return the language of a page that was kept, and its name, where it is not the reader's; else empty ones."""
    language = visit.sources.store.campaigns.page_language(campaign.id, measured=measured)
    if language not in LANGUAGE_NAMES or language == current_language():
        return "", ""
    return language, translated(LANGUAGE_NAMES[language])


def _verdict(found: MeasurementRecord, record: CampaignRecord) -> str:
    """Say anew what was found: the record's own sentence is in the language of whoever measured."""
    return verdict(
        found.primary,
        found.primary_measure,
        start=found.start,
        days=(found.end - found.start).days,
        of=record.horizon_days,
        customers=record.counts.contacted + record.counts.held_out,
    )


def one(visit: Visit) -> Response:
    """Show a campaign; of a draft, the step that comes next."""
    campaign = campaign_of(visit)
    if campaign.record is None:
        step = "budget" if campaign.choices.get("offers") else "offers"
        return go_to(f"/campaigns/{campaign.id}/{step}")
    return _page(visit, campaign)


def _page(visit: Visit, campaign: Campaign, problem: str = "") -> Response:
    record, found = record_in(campaign), found_in(campaign)
    line = line_of(campaign)
    rows = visit.sources.store.campaigns.customers(campaign.id, CONTACTED, HELD_OUT, first=SHOWN_CUSTOMERS)
    rows = rows.assign(key=[visit.key_of(each) for each in rows["customer_id"]])
    return page(
        visit,
        "campaign.html",
        status=400 if problem else 200,
        campaign=campaign,
        record=record,
        line=line,
        found=found,
        verdict=_verdict(found, record) if found else "",
        notes=_notes(campaign, found),
        plan_in=_other_language(visit, campaign),
        measured_in=_other_language(visit, campaign, measured=True),
        retold=retold_text,
        learnt=_learnt(campaign),
        lists=list_files(visit, campaign)
        if visit.who.may("campaign") and campaign.state != WITHDRAWN
        else [],
        states=STATE_NAMES,
        problem=problem,
        channel=visit.sources.channel,
        delivery=visit.sources.store.deliveries.of(campaign.id),
        contacted=rows[rows["arm"] == CONTACTED].to_dict("records"),
        held_out=rows[rows["arm"] == HELD_OUT].to_dict("records"),
        shown=SHOWN_CUSTOMERS,
        longest_reason=LONGEST_REASON,
        own_log=visit.sources.new_orders.source is not None,
        whatever=WHATEVER,
        open_state=campaign.state not in (MEASURED, WITHDRAWN),
        life=_life(visit, campaign),
        known=math.isfinite,
    )


def _life(visit: Visit, campaign: Campaign) -> list[str]:
    """Say when, and by whom, a campaign was said to be sent or withdrawn; of an older store, that it was."""
    said = []
    for each in reversed(visit.sources.store.audit.about(f"campaign {campaign.id}", tuple(_DONE))):
        sentence = _DONE[each.action]
        who = translated("command line") if each.user_name == COMMAND_LINE else each.user_name
        said.append(translated(sentence, day=each.at.date(), who=who))
        if each.reason:
            said[-1] += " " + translated("Why: {reason}", reason=each.reason)
    return said


def _learnt(campaign: Campaign) -> list[tuple[str, float, float]]:
    """Return what was learnt of each offer: its acceptance before and after."""
    record = found_in(campaign)
    return [
        (name, update.before.mean, update.after.mean)
        for name, update in (record.acceptance.items() if record else ())
        if not update.warning
    ]


def plan_page(visit: Visit) -> Response:
    """Show the page of the plan, as the folder has it."""
    return _kept_page(visit, measured=False)


def measurement_page(visit: Visit) -> Response:
    """Show the page of the measurement, as the folder has it."""
    return _kept_page(visit, measured=True)


def _kept_page(visit: Visit, *, measured: bool) -> Response:
    text = visit.sources.store.campaigns.page(campaign_of(visit).id, measured=measured)
    if not text:
        return said(visit, translated("There is no such page."), status=404)
    return HTMLResponse(text, headers={"Content-Security-Policy": CARD_POLICY})


def send(visit: Visit) -> Response:
    """Say that the list was sent."""
    campaign = campaign_of(visit)
    visit.sources.store.campaigns.move(campaign, SENT, visit.who.name, wait_seconds=WAIT_SECONDS)
    return go_to(f"/campaigns/{campaign.id}")


def withdraw(visit: Visit) -> Response:
    """Withdraw a campaign that was not carried out, for a reason."""
    campaign = campaign_of(visit)
    try:
        reason = visit.reason()
    except StayworthError as error:
        return _page(visit, campaign, str(error))
    visit.sources.store.campaigns.move(campaign, WITHDRAWN, visit.who.name, reason, wait_seconds=WAIT_SECONDS)
    return go_to(f"/campaigns/{campaign.id}")


def take_off(visit: Visit) -> Response:
    """Take a customer off the list, for a reason; in the measurement they count as drawn."""
    campaign = campaign_of(visit)
    wanted = _as_drawn(visit, campaign, visit.sent("customer", _LONGEST_ID).strip())
    try:
        visit.sources.store.campaigns.take_off(
            campaign, wanted, visit.who.name, visit.reason(), wait_seconds=WAIT_SECONDS
        )
    except StayworthError as error:
        if type(error) is not StayworthError:
            raise
        return _page(visit, campaign, str(error))
    return go_to(f"/campaigns/{campaign.id}")


def _as_drawn(visit: Visit, campaign: Campaign, typed: str) -> str:
    """Return the id that somebody typed as the campaign has it, which other digits and letters may write."""
    drawn = visit.sources.store.campaigns.of_customer
    return next((each for each in spellings(typed) if any(c.id == campaign.id for c in drawn(each))), typed)


def tell(visit: Visit) -> Response:
    """Have the audience webhook told whom to contact, and who is left out again."""
    campaign = campaign_of(visit)
    if visit.sources.channel is None:
        raise StayworthError(translated("The workbench was given no webhook. Whoever runs it can name one."))
    visit.sources.store.deliveries.ask(campaign.id, visit.who.name, wait_seconds=WAIT_SECONDS)
    return go_to(f"/campaigns/{campaign.id}")


def measure(visit: Visit) -> Response:
    """Measure a campaign on the orders that were sent, or on the log that the workbench was given."""
    campaign = campaign_of(visit)
    try:
        assignment = assignment_in(visit.sources.store.campaigns, campaign)
        with ExitStack() as files:
            sent, took = (
                files.enter_context(uploaded(visit, name)) if has_file(visit, name) else None
                for name in ("orders", "redeemed")
            )
            whatever = visit.sent("whatever") == "1"
            orders, notes = visit.sources.new_orders.read(
                sent, whatever=whatever, control=translated(WHATEVER)
            )
            for finding in other_currency(assignment, orders):
                raise StayworthError(finding.message)
            loosely = visit.sent("loosely") == "1"
            found, more = measured(assignment, orders, MeasureTerms(), redeemed=took, loosely=loosely)
    except StayworthError as error:
        return _page(visit, campaign, str(error))
    findings: dict[str, Any] = {
        **findings_of(found),
        "said": [*never_sent(campaign), *notes, *more],
        "language": current_language(),
    }
    visit.sources.store.campaigns.found(
        campaign,
        findings,
        measured_page(found),
        visit.who.name,
        complete=found.complete,
        wait_seconds=WAIT_SECONDS,
    )
    return go_to(f"/campaigns/{campaign.id}")
