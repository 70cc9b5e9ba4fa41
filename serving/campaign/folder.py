"""The folder of a planned campaign: lists, record and summary, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from features.errors import OutputError
from features.temporary import temporary_folder
from serving.campaign.reader_lists import ReaderLists
from serving.campaign.summary import render_summary
from serving.lists.export import write_table
from training.campaign.assignment import CONTACT_LIST, HOLDOUT_LIST, LIST_COLUMNS
from training.campaign.plan import CampaignPlan
from training.campaign.record import PLAN, InputFile, record_of, write_record

REST_COLUMNS = (
    "customer_id",
    "reason",
    "best_offer",
    "expected_profit",
    "churn_probability",
    "value_at_stake",
)


def write_campaign(
    plan: CampaignPlan,
    folder: str | os.PathLike[str],
    *,
    xlsx: bool = False,
    excel: bool = False,
    readers: ReaderLists | None = None,
    inputs: Mapping[str, InputFile] | None = None,
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

    Returns
    -------
    pathlib.Path of the folder

    Raises
    ------
    OutputError
        If the folder exists, or cannot be written; then nothing is left behind.
    """
    target = Path(folder)
    require_new(target)
    try:
        with temporary_folder(f".{target.name}.", target.parent) as beside:
            _write(plan, beside, readers or ReaderLists(), xlsx=xlsx, excel=excel)
            write_record(record_of(plan, inputs), beside / PLAN)
            for file in beside.iterdir():
                file.chmod(0o600)
            beside.rename(target)
    except OSError as error:
        raise OutputError(f"Cannot write {target}: {error.strerror or error}.") from error
    return target


def require_new(folder: str | os.PathLike[str]) -> None:
    """Raise an OutputError if a folder of that name can't be made."""
    target = Path(folder)
    if target.exists():
        raise OutputError(
            f"{target} exists already. A plan is never overwritten, because its draw must be kept: choose "
            "another folder."
        )
    require_parent(target)


def require_parent(target: Path) -> None:
    """Raise an OutputError if the folder that a new folder goes into does not exist."""
    if not target.resolve().parent.is_dir():
        raise OutputError(f"Cannot write {target}: the folder {target.resolve().parent} does not exist.")


def _write(plan: CampaignPlan, folder: Path, readers: ReaderLists, *, xlsx: bool, excel: bool) -> None:
    contacted = readers.with_contacts(plan.contacted[list(LIST_COLUMNS)])
    write_table(contacted, folder / CONTACT_LIST, excel=excel)
    readers.write(plan, folder, xlsx=xlsx, excel=excel)
    write_table(plan.held_out[list(LIST_COLUMNS)], folder / HOLDOUT_LIST, excel=excel)
    write_table(plan.not_selected[list(REST_COLUMNS)], folder / "not_selected.csv", excel=excel)
    (folder / "summary.html").write_text(render_summary(plan), encoding="utf-8")
