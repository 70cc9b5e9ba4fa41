"""The folder of a planned campaign: lists, record and summary, written whole or not at all.

It is written from the lists of a campaign, which a plan makes, and a store may have kept (`serving.campaign.kept`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pandas as pd

from features.errors import OutputError
from features.language import translated
from features.temporary import temporary_folder
from serving.campaign.reader_lists import ReaderLists
from serving.campaign.summary import render_summary
from serving.lists.export import write_table
from training.campaign.assignment import CONTACT_LIST, HOLDOUT_LIST, LIST_COLUMNS
from training.campaign.plan import CampaignPlan
from training.campaign.record import PLAN, CampaignRecord, InputFile, record_of, write_record

REST_COLUMNS = (
    "customer_id",
    "reason",
    "best_offer",
    "expected_profit",
    "churn_probability",
    "value_at_stake",
)


@dataclass(frozen=True)
class CampaignLists:
    """What the folder of a campaign holds.

    Parameters
    ----------
    contacted : DataFrame with `LIST_COLUMNS`, and contacts after them
    held_out : DataFrame with `LIST_COLUMNS`
    not_selected : DataFrame with `REST_COLUMNS`
    record : CampaignRecord
    summary : str, a page of HTML
    """

    contacted: pd.DataFrame
    held_out: pd.DataFrame
    not_selected: pd.DataFrame
    record: CampaignRecord
    summary: str

    @classmethod
    def of(
        cls, plan: CampaignPlan, readers: ReaderLists, inputs: Mapping[str, InputFile] | None = None
    ) -> Self:
        """Return the lists of a plan made now."""
        return cls(
            readers.with_contacts(plan.contacted[list(LIST_COLUMNS)]),
            plan.held_out[list(LIST_COLUMNS)],
            plan.not_selected[list(REST_COLUMNS)],
            record_of(plan, inputs),
            render_summary(plan),
        )

    def write(self, folder: Path, *, excel: bool = False) -> None:
        """Write the five files into a folder that is there."""
        write_table(self.contacted, folder / CONTACT_LIST, excel=excel)
        write_table(self.held_out, folder / HOLDOUT_LIST, excel=excel)
        write_table(self.not_selected, folder / "not_selected.csv", excel=excel)
        (folder / "summary.html").write_text(self.summary, encoding="utf-8")
        write_record(self.record, folder / PLAN)


def export_campaign(
    lists: CampaignLists,
    folder: str | os.PathLike[str],
    *,
    more: Callable[[Path], None] | None = None,
    excel: bool = False,
) -> Path:
    """Write a campaign into a new folder of mode 0700; ``more`` writes the files beside its five.

    Raises
    ------
    OutputError
        If the folder exists, or cannot be written; then nothing is left behind.
    """
    target = Path(folder)
    require_new(target)
    try:
        with temporary_folder(f".{target.name}.", target.parent) as beside:
            lists.write(beside, excel=excel)
            if more:
                more(beside)
            for file in beside.iterdir():
                file.chmod(0o600)
            beside.rename(target)
    except OSError as error:
        raise OutputError(
            translated("Cannot write {target}: {reason}.", target=target, reason=error.strerror or error)
        ) from error
    return target


def write_campaign(
    plan: CampaignPlan,
    folder: str | os.PathLike[str],
    *,
    xlsx: bool = False,
    excel: bool = False,
    readers: ReaderLists | None = None,
    inputs: Mapping[str, InputFile] | None = None,
    lists: CampaignLists | None = None,
) -> Path:
    """Write list.csv, holdout.csv, not_selected.csv, plan.json and summary.html into a new folder of mode 0700.

    Parameters
    ----------
    plan : CampaignPlan
    folder : path that does not exist yet; a plan is never overwritten, because its draw must be kept
    xlsx : bool, write list.xlsx too
    excel : bool, begin the CSV files with a byte order mark
    readers : ReaderLists, the contacts and the columns of the list for its readers
    inputs : the files that the plan was made from, by option name; kept in plan.json
    lists : CampaignLists of the plan, where they were made already

    Returns
    -------
    pathlib.Path of the folder

    Raises
    ------
    OutputError
        If the folder exists, or cannot be written; then nothing is left behind.
    """
    readers = readers or ReaderLists()

    def for_readers(beside: Path) -> None:
        readers.write(plan, beside, xlsx=xlsx, excel=excel)

    lists = lists or CampaignLists.of(plan, readers, inputs)
    return export_campaign(lists, folder, more=for_readers, excel=excel)


def require_new(folder: str | os.PathLike[str]) -> None:
    """Raise an OutputError if a folder of that name can't be made."""
    target = Path(folder)
    if target.exists():
        raise OutputError(
            translated(
                "{target} exists already. A plan is never overwritten, because its draw must be kept: "
                "choose another folder.",
                target=target,
            )
        )
    require_parent(target)


def require_parent(target: Path) -> None:
    """Raise an OutputError if the folder that a new folder goes into does not exist."""
    if not target.resolve().parent.is_dir():
        raise OutputError(
            translated(
                "Cannot write {target}: the folder {parent} does not exist.",
                target=target,
                parent=target.resolve().parent,
            )
        )
