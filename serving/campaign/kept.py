"""Campaigns in the store: what a plan drew goes in, and comes out as the lists of a folder or as an assignment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from features.economics.money import MoneyUnit
from features.errors import StayworthError
from features.language import translated
from serving.campaign.folder import REST_COLUMNS, CampaignLists
from serving.campaign.reader_lists import ReaderLists
from serving.lists.contact_columns import contact_columns
from serving.lists.team_list import ListTerms
from serving.store.campaign import Campaign, Drawn
from serving.store.campaign_changes import DRAWN, Basis
from serving.store.campaign_rows import CONTACTED, HELD_OUT, NOT_SELECTED
from serving.store.campaigns import Campaigns
from training.campaign.assignment import LIST_COLUMNS, Assignment, assignment_of
from training.campaign.plan import CampaignPlan
from training.campaign.record import PLAN, CampaignError, CampaignRecord
from training.campaign.running import RunningCampaign


def drawn_of(plan: CampaignPlan, lists: CampaignLists, readers: ReaderLists) -> Drawn:
    """Return what a plan has drawn, to be kept in the store.

    Parameters
    ----------
    plan : CampaignPlan
    lists : CampaignLists of the plan
    readers : ReaderLists, whose contacts the lists have
    """
    record = lists.record
    in_list = [name for name in lists.contacted.columns if name not in LIST_COLUMNS]
    # Those of the scored list itself are not in list.csv, but its readers get them.
    others = [
        name for name in contact_columns(map(str, plan.contacted.columns)).values() if name not in in_list
    ]
    contacts = pd.concat([lists.contacted[in_list], plan.contacted[others]], axis="columns")
    contacted = _plain(lists.contacted[list(LIST_COLUMNS)])
    if len(contacts.columns):
        cells = contacts.astype(object).where(contacts.notna(), None)
        contacted = contacted.assign(contact=[_document(row) for row in cells.to_dict("records")])
    return Drawn(
        record=record.to_dict(),
        starts_on=record.starts_on,
        closes_on=record.closes_on,
        held_until=record.held_until,
        groups={
            CONTACTED: contacted,
            HELD_OUT: _plain(lists.held_out),
            NOT_SELECTED: _plain(lists.not_selected),
        },
        summary=lists.summary,
        contact_columns=in_list,
        money_unit=readers.unit_of(plan),
    )


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with their reasons as one text, as a CSV has them."""
    if "reasons" not in rows:
        return rows
    texts = ["; ".join(cell) if isinstance(cell, list | tuple) else cell for cell in rows["reasons"]]
    return rows.assign(reasons=texts)


def _document(row: dict[Any, Any]) -> dict[str, Any]:
    """Return a contact in JSON's types: numbers and texts as they are, all else as text."""
    kinds = (str, int, float, bool)
    return {
        str(name): cell if cell is None or isinstance(cell, kinds) else getattr(cell, "item", cell.__str__)()
        for name, cell in row.items()
    }


def record_in(campaign: Campaign) -> CampaignRecord:
    """Return the record of a campaign that was drawn.

    Raises
    ------
    CampaignError
        If it is a draft still.
    """
    if campaign.record is None:
        raise CampaignError(
            translated("{name} is a draft: nobody was drawn yet. Plan it to its end.", name=campaign.name)
        )
    return CampaignRecord.from_dict(campaign.record)


def lists_of(campaigns: Campaigns, campaign: Campaign) -> CampaignLists:
    """Return what the folder of a campaign holds: as it was drawn, less those who were erased."""
    record = record_in(campaign)
    rows = campaigns.customers(campaign.id, CONTACTED, HELD_OUT, NOT_SELECTED)
    contacted = _with_contacts(rows[rows["arm"] == CONTACTED], list(campaign.contact_columns))
    return CampaignLists(
        contacted=contacted[[*LIST_COLUMNS, *campaign.contact_columns]],
        held_out=_drawn(rows[rows["arm"] == HELD_OUT])[list(LIST_COLUMNS)],
        not_selected=rows.loc[rows["arm"] == NOT_SELECTED, list(REST_COLUMNS)].reset_index(drop=True),
        record=record,
        summary=campaigns.page(campaign.id),
    )


def list_to_send(campaigns: Campaigns, campaign: Campaign) -> tuple[pd.DataFrame, ListTerms]:
    """Return whom to contact now, with contacts, without those taken off since the draw; and what the list is of."""
    record = record_in(campaign)
    rows = campaigns.customers(campaign.id, CONTACTED)
    still = rows[rows["removed_at"].isna()]
    terms = ListTerms(
        MoneyUnit.of(campaign.money_unit, None),
        record.snapshot_date,
        record.horizon_days,
        record.model_version,
        ends="campaign",
        starts=record.starts_on,
    )
    return _with_contacts(still, list(campaign.contact_columns)), terms


def contacts_to_send(campaigns: Campaigns, campaign: Campaign) -> pd.DataFrame:
    """Return ids and channels of whom to contact now, and the columns of their contacts: a part of `list_to_send`."""
    rows = campaigns.contacts(campaign.id)
    return pd.concat(
        [rows[["customer_id", "channel"]], _contacts_of(rows, list(campaign.contact_columns))], axis="columns"
    )


def _drawn(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.reset_index(drop=True).astype({"stratum": "int64"})


def _with_contacts(rows: pd.DataFrame, first: list[str]) -> pd.DataFrame:
    """Return the columns of the list, those of the contacts that it has, and other contacts."""
    drawn = _drawn(rows)
    return pd.concat([drawn[list(LIST_COLUMNS)], _contacts_of(drawn, first)], axis="columns")


def _contacts_of(rows: pd.DataFrame, first: list[str]) -> pd.DataFrame:
    """Return the contacts that the store keeps as documents as columns: the named ones first."""
    found = [each or {} for each in rows["contact"]]
    names = list(dict.fromkeys([*first, *(name for each in found for name in each)]))
    columns = {name: pd.Series([each.get(name) for each in found], dtype=object) for name in names}
    for name, column in columns.items():
        numbers = column.dropna()
        if len(numbers) and all(type(cell) is int for cell in numbers):
            columns[name] = column.astype("Int64")
    return pd.DataFrame(columns, index=rows.index)


def assignment_in(campaigns: Campaigns, campaign: Campaign) -> Assignment:
    """Return the assignment of a campaign, as it was drawn.

    Raises
    ------
    CampaignError
        If it is a draft, or was planned without a holdout.
    """
    record = record_in(campaign)
    rows = campaigns.customers(campaign.id, CONTACTED, HELD_OUT)
    contacted, held_out = (_drawn(rows[rows["arm"] == arm]) for arm in (CONTACTED, HELD_OUT))
    return assignment_of(contacted, held_out, record)


def running_in(campaigns: Campaigns) -> tuple[list[RunningCampaign], Basis]:
    """Return the drawn campaigns of a store, for the plan of another, and their numbers."""
    drawn = [each for each in campaigns.all() if each.state in DRAWN]
    return [_running(campaigns, each) for each in drawn], Basis(None, [each.id for each in drawn])


def _running(campaigns: Campaigns, campaign: Campaign) -> RunningCampaign:
    record = record_in(campaign)
    contacted, held_out = campaigns.groups(campaign.id)
    dates = (record.starts_on, record.closes_on, record.held_until)
    return RunningCampaign(campaign.name, *dates, contacted, held_out)


def campaign_named(campaigns: Campaigns, name: Path) -> Campaign | None:
    """Return the store's campaign of a name that was given where a folder may be; None: it is a folder.

    Raises
    ------
    StayworthError
        If there is neither.
    """
    if (name / PLAN).is_file():
        return None
    found = campaigns.named(str(name))
    if found is None and not name.exists():
        known = [each.name for each in campaigns.all() if each.record]
        there = (
            translated("The store has {names}.", names=known) if known else translated("The store has none.")
        )
        raise StayworthError(
            translated(
                "There is neither a folder nor a campaign {name}. {there}", name=str(name), there=there
            )
        )
    return found
