"""The ledger of campaigns: what each was to do and did, its state, and of an early look how early it was."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime

from starlette.responses import Response

from features.language import translatable, translated, written
from serving.campaign.kept import record_in
from serving.campaign.ledger import Entry, counted, entry_of, future_profit_of, together
from serving.store.campaign import Campaign
from serving.store.campaign_changes import DRAFT, SENT, WITHDRAWN
from serving.workbench.page import page
from serving.workbench.visit import Visit
from training.campaign.measurement_record import MeasurementRecord
from training.campaign.record import CampaignRecord

STATE_NAMES = {
    "draft": translatable("draft"),
    "planned": translatable("planned"),
    "waiting": translatable("sent, begins later"),
    "running": translatable("running"),
    "over": translatable("over, to be measured"),
    "measured": translatable("measured"),
    "withdrawn": translatable("withdrawn"),
}


@dataclass(frozen=True)
class Line:
    """A campaign in the ledger: its number, its state, and what it was to do and did, where it was drawn.

    ``early`` says of a look before the window's end how many of its days it saw; it is empty of a whole measurement.
    """

    id: int
    name: str
    state: str
    entry: Entry | None
    effect: str = ""
    interval: str = ""
    early: str = ""


def show(visit: Visit) -> Response:
    """Show all campaigns."""
    lines = [line_of(each) for each in visit.sources.store.campaigns.all()]
    drawn = [each.entry for each in lines if each.entry and each.state != WITHDRAWN]
    return page(
        visit,
        "campaigns.html",
        lines=lines,
        states=STATE_NAMES,
        total=next(iter(together(drawn)), None),
        measured=len(counted(drawn)),
        drawn=len(drawn),
        published=bool(visit.sources.store.customers.sets()),
        known=math.isfinite,
    )


def line_of(campaign: Campaign) -> Line:
    """Return the line of a campaign as of today."""
    today = datetime.now(UTC).date()
    if campaign.record is None:
        return Line(campaign.id, campaign.name, DRAFT, None)
    record, found = record_in(campaign), found_in(campaign)
    effects = campaign.findings["effects"] if campaign.findings else ()
    entry = entry_of(campaign.name, record, today, found, future_profit_of(effects))
    state = _state(campaign, record, today)
    if found is None:
        return Line(campaign.id, campaign.name, state, entry)
    return Line(campaign.id, campaign.name, state, entry, *_effect(found), _early(found, record))


def found_in(campaign: Campaign) -> MeasurementRecord | None:
    """Return what a campaign was measured to have done; None if it was not."""
    return MeasurementRecord.from_dict(campaign.findings["record"]) if campaign.findings else None


def _effect(found: MeasurementRecord) -> tuple[str, str]:
    """Say the effect on what the campaign is judged by, and its interval."""
    factor, shape = (100, "+.1f") if found.primary_measure == "retention" else (1, "+,.2f")
    numbers = (factor * each for each in (found.primary.difference, found.primary.low, found.primary.high))
    middle, low, high = (written(each, shape) for each in numbers)
    if found.primary_measure == "retention":
        middle = translated("{points} points", points=middle)
    return middle, translated("{low} to {high}", low=low, high=high)


def _early(found: MeasurementRecord, record: CampaignRecord) -> str:
    if found.complete:
        return ""
    return translated(
        "an early look: {days:,} of {of:day|days}",
        days=(found.end - found.start).days,
        of=record.horizon_days,
    )


def _state(campaign: Campaign, record: CampaignRecord, today: date) -> str:
    if campaign.state != SENT:
        return campaign.state
    if today < record.starts_on:
        return "waiting"
    return "running" if today < record.closes_on else "over"
