"""The contact list of a campaign for its readers: with contacts, in the columns of a team or of another program."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from features.economics.money import MoneyUnit
from serving.lists.contacts import Contacts
from serving.lists.team_list import ListTerms
from serving.lists.written_list import columns_for, write_list
from training.campaign.assignment import LIST_COLUMNS
from training.campaign.plan import CampaignPlan
from training.campaign.settings import ListColumns

WORKBOOK = "list.xlsx"


@dataclass
class ReaderLists:
    """Lists that a campaign's readers get beside ``list.csv``, which keeps the draw.

    Parameters
    ----------
    contacts : Contacts, optional
        Their columns are added to the contacted; the held out get none, for nobody is to reach them.
    columns : of ``list.xlsx``, and of a ``list_<columns>.csv`` of its own; None: the team's, and no such file
    money_unit : str, optional
        What money is called; else as the scored list says in its column ``currency``.

    Attributes
    ----------
    said : list of str, sentences on contacts that are missing, and on who was left out
    """

    contacts: Contacts | None = None
    columns: ListColumns | None = None
    money_unit: str | None = None
    said: list[str] = field(default_factory=list)

    def with_contacts(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return customers with the columns of their contacts.

        Raises
        ------
        StayworthError
            If a column of the contacts has the name of one of the list's.
        """
        return rows if self.contacts is None else self.contacts.join(rows)

    def unit_of(self, plan: CampaignPlan) -> str | None:
        """Return what money is called; None where nobody has said it."""
        return self.money_unit or plan.currency

    def write(self, plan: CampaignPlan, folder: Path, *, xlsx: bool, excel: bool) -> None:
        """Write ``list.xlsx`` on request, and the list in the columns that were asked for."""
        rows = plan.contacted
        if self.contacts is not None:
            match = self.contacts.matched(rows)
            self.said += self.contacts.warnings(match)
            added = self.contacts.table.columns
            rows = self.contacts.join(rows.drop(columns=[each for each in added if each in rows]), match)
        terms = _terms(plan, self.money_unit)
        if xlsx:
            path = folder / WORKBOOK
            kept: ListColumns = "all" if self.columns == "all" else "team"
            shown = self.with_contacts(plan.contacted[list(LIST_COLUMNS)]) if kept == "all" else rows
            write_list(shown, path, columns_for(path, kept), terms)
        if self.columns not in (None, "all"):
            path = folder / f"list_{self.columns}.csv"
            self.said += write_list(rows, path, columns_for(path, self.columns), terms, excel=excel).said


def _terms(plan: CampaignPlan, money_unit: str | None) -> ListTerms:
    return ListTerms(
        MoneyUnit.of(money_unit, plan.currency),
        plan.snapshot_date,
        plan.horizon_days,
        str(plan.known.customers["model_version"].iloc[0]),
        ends="campaign",
        starts=plan.starts_on,
    )
