"""Who is in an audience: customers of a list, without those whom nobody may contact."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from features.errors import StayworthError
from features.language import translated
from features.log.identity import read_ids
from features.log.sources import read_table
from serving.audience.settings import SyncSettings
from serving.campaign.customer_files import CUSTOMER_ID, CustomerFiles
from serving.campaign.meant_rows import OPT_OUTS
from serving.campaign.running_campaigns import running_campaigns
from serving.lists.contact_columns import contact_columns
from training.campaign.record import PLAN, read_record
from training.campaign.running import RunningCampaign, standing_holdout


@dataclass(frozen=True)
class Members:
    """The customers of an audience.

    Attributes
    ----------
    rows : DataFrame of customer_id, by it, and the columns that a receiver can use: contacts, offer, and those by whose
        values the members are chosen
    held_out, suppressed, others : int
        Customers of the list who are not in it: held out by a campaign, asked not to be contacted, of other segments.
    said : tuple of str, on ids that do not match
    """

    rows: pd.DataFrame
    held_out: int
    suppressed: int
    others: int
    said: tuple[str, ...] = ()


def read_members(settings: SyncSettings, kept: Sequence[RunningCampaign] = ()) -> Members:
    """Read who is in an audience.

    Parameters
    ----------
    settings : SyncSettings
    kept : sequence of RunningCampaign, of the store

    Raises
    ------
    StayworthError
        If a file cannot be read or lacks a column, a customer is listed twice, or nobody is in the list.
    """
    listed = _read_list(settings.members)
    files = CustomerFiles(
        listed[CUSTOMER_ID], settings.members.name, settings.loose_ids, settings.allow_unmatched
    )
    suppress = files.ids(settings.suppress, OPT_OUTS, all_that_are_meant=True) if settings.suppress else []
    held = _held_out(settings, listed, files, kept)
    asked = listed[CUSTOMER_ID].isin(set(suppress))
    kept_out = listed[CUSTOMER_ID].isin(held) & ~asked
    wanted = _in_segment(listed, settings.limits, settings.members.name)
    rows = listed[wanted & ~asked & ~kept_out]
    useful = [*contact_columns(map(str, rows.columns)).values(), *(["offer"] if "offer" in rows else [])]
    useful += [each for each in settings.limits if each not in useful]
    return Members(
        rows[[CUSTOMER_ID, *useful]].sort_values(CUSTOMER_ID, ignore_index=True),
        held_out=int((wanted & kept_out).sum()),
        suppressed=int((wanted & asked).sum()),
        others=int((~wanted).sum()),
        said=tuple(files.report),
    )


def _read_list(path: Path) -> pd.DataFrame:
    listed = read_table(path)
    if CUSTOMER_ID not in listed:
        raise StayworthError(
            translated(
                "{path} has no column {column!r}. Give a list of 'stayworth score' or the list.csv "
                "of a campaign.",
                path=path,
                column=CUSTOMER_ID,
            )
        )
    ids = pd.Series(read_ids(listed[CUSTOMER_ID]).to_pylist(), index=listed.index, dtype="str")
    listed = listed.assign(**{CUSTOMER_ID: ids})[ids.notna()]
    twice = listed[CUSTOMER_ID][listed[CUSTOMER_ID].duplicated()].unique()
    if len(twice):
        raise StayworthError(
            translated(
                "{n:customer|customers} are in {path} more than once, such as {example!r}. Keep one row each.",
                n=len(twice),
                path=path,
                example=twice[0],
            )
        )
    return listed


def _in_segment(listed: pd.DataFrame, limits: Mapping[str, Collection[str]], name: str) -> pd.Series:
    """Tell who has one of the values of every column."""
    wanted = pd.Series(True, index=listed.index)
    for column, values in limits.items():
        if column not in listed:
            raise StayworthError(
                translated(
                    "{name} has no column {column!r}; it has {names}.",
                    name=name,
                    column=column,
                    names=list(map(str, listed.columns)),
                )
            )
        cells = listed[column].astype(str)
        unknown = sorted(set(values) - set(cells))
        if unknown:
            raise StayworthError(
                translated(
                    "No customer in {name} has {word!r} under {column}; there are {names}.",
                    name=name,
                    word=unknown[0],
                    column=column,
                    names=sorted(set(cells))[:8],
                )
            )
        wanted &= cells.isin(values)
    return wanted


def _held_out(
    settings: SyncSettings, listed: pd.DataFrame, files: CustomerFiles, kept: Sequence[RunningCampaign]
) -> set[str]:
    """Return whom a running campaign holds out, and the standing holdout of all."""
    day = _day(settings.members, listed)
    held: set[str] = set()
    for folder in _beside(settings.members):
        for campaign in running_campaigns(folder, settings.running, files, kept):
            running = campaign.during(day, day + timedelta(days=1)) if campaign.starts_on <= day else campaign
            held |= set(running.held_out) if running else set()
    for share, seed in set(_standing(settings)):
        ids = listed[CUSTOMER_ID]
        held |= set(ids[standing_holdout(ids, share, seed)])
    return held


def _beside(path: Path) -> Iterator[Path]:
    """Yield the folders whose campaigns are looked at: that of the list, and that of its campaign."""
    yield path.absolute().parent
    if (path.parent / PLAN).is_file():
        yield path.absolute().parent.parent


def _standing(settings: SyncSettings) -> Iterator[tuple[float, int]]:
    """Yield share and seed of the standing holdouts of the campaigns around."""
    folders = [*settings.running, settings.members.parent]
    folders += [each for folder in _beside(settings.members) for each in sorted(folder.iterdir())]
    for folder in folders:
        if (folder / PLAN).is_file():
            terms = read_record(folder / PLAN).terms
            if terms.standing_holdout:
                yield terms.standing_holdout, terms.standing_seed


def _day(path: Path, listed: pd.DataFrame) -> date:
    """Return the day that a list is of: its snapshot, the start of its campaign, or else today."""
    if "snapshot_date" in listed and len(listed):
        return date.fromisoformat(str(listed["snapshot_date"].iloc[0])[:10])
    if (path.parent / PLAN).is_file():
        return read_record(path.parent / PLAN).starts_on
    return date.today()
