"""One campaign as the store has it: what it is, what was drawn of it, and what it drew of a customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Campaign:
    """One campaign, without its customers and pages.

    Parameters
    ----------
    id : int
    name : str
    state : of `DRAFT`, `PLANNED`, `SENT`, `MEASURED`, `WITHDRAWN`
    version : int, higher by one with each change
    set_id : int or None, the published list that it was planned from; None: a file
    made_by, made_at, changed_at : who made it, and when; datetimes in UTC
    choices : mapping, what was chosen for a draft
    starts_on, closes_on, held_until : date; None of a draft
    record : mapping or None, as ``plan.json`` has it
    contact_columns : tuple of str, columns of contacts in its list
    money_unit : str or None
    findings : mapping or None, what was measured
    """

    id: int
    name: str
    state: str
    version: int
    set_id: int | None
    made_by: str
    made_at: datetime
    changed_at: datetime
    choices: Mapping[str, Any]
    starts_on: date | None
    closes_on: date | None
    held_until: date | None
    record: Mapping[str, Any] | None
    contact_columns: Sequence[str]
    money_unit: str | None
    findings: Mapping[str, Any] | None


@dataclass(frozen=True)
class Reached:
    """What a campaign drew of one customer: the group, the offer, and whether they were taken off the list since.

    In the state `PLANNED` nobody was contacted yet. Until ``held_until`` other campaigns leave them alone.
    """

    id: int
    name: str
    state: str
    starts_on: date
    held_until: date
    arm: str
    offer: str
    removed: bool


@dataclass(frozen=True)
class Drawn:
    """What a plan has drawn, to be kept.

    Parameters
    ----------
    record : mapping, as ``plan.json`` has it
    starts_on, closes_on, held_until : date
    groups : mapping of a group to its customers, with columns of the table ``campaign_customers``
    summary : str, the page of the plan
    contact_columns : sequence of str
    money_unit : str or None
    """

    record: Mapping[str, Any]
    starts_on: date
    closes_on: date
    held_until: date
    groups: Mapping[str, pd.DataFrame]
    summary: str
    contact_columns: Sequence[str] = ()
    money_unit: str | None = None
