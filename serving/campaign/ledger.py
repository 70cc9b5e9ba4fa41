"""The ledger of campaigns: what each was expected to cost and earn, and what it did.

A campaign's expected profit is at the plan's value of those whom it keeps; so is the measured one beside it
(``future_profit`` of a measurement), and what came in within the churn window stands apart. Campaigns are independent,
so the squares of each side of their measured profits' intervals add up: a single one keeps its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from scipy import stats

from features.economics.inputs import missing
from features.economics.money import MoneyUnit
from features.economics.segments import EVERYONE
from features.economics.tables import Section, Table
from features.errors import StayworthError
from features.language import translated
from features.log.sources import read_table
from training.campaign.measurement_record import MeasurementRecord
from training.campaign.record import PLAN, CampaignRecord, read_record

CONFIDENCE = 0.9
_MEASURED = "measured.json"
_EFFECTS = "measured.csv"


@dataclass(frozen=True)
class Entry:
    """A line of the ledger: the columns of `features.economics.campaign_definitions`, NaN where not known."""

    campaign: str
    starts_on: date | None
    closes_on: date | None
    state: str
    contacted: int
    held_out: int
    expected_cost: float
    campaign_cost: float
    expected_profit: float
    expected_profit_low: float
    expected_profit_high: float
    measured_profit: float
    measured_profit_low: float
    measured_profit_high: float
    window_profit: float
    window_profit_low: float
    window_profit_high: float
    campaign_return: float
    measured_to_expected: float
    measured_to_expected_low: float
    measured_to_expected_high: float


MONEY = [each.name for each in fields(Entry) if "_cost" in each.name or "_profit" in each.name]

_FIRST = (
    *("campaign", "state", "contacted", "held_out", "campaign_cost", "expected_profit", "measured_profit"),
    *("measured_profit_low", "measured_profit_high", "campaign_return", "measured_to_expected"),
)
"""What a reader looks for stands first."""


def ledger_section(folder: Path | None, known_until: date, unit: MoneyUnit) -> Section:
    """Return the ledger of all campaigns in a folder, or of a folder that is one.

    Parameters
    ----------
    folder : Path or None
    known_until : date, the first day after the log: a campaign whose window goes on then is running
    unit : MoneyUnit

    Raises
    ------
    StayworthError
        If there is no campaign in the folder.
    """
    title = translated("Campaigns")
    if folder is None:
        return Section("campaigns", title, missing=missing(campaigns=None))
    entries, findings = [], []
    for each in campaigns_of(folder):
        try:
            entries.append(_entry(each, known_until))
        except StayworthError as error:
            findings.append(translated("Left out: {why}", why=str(error)))
    entries.sort(key=lambda entry: (entry.starts_on or date.max, entry.campaign))
    rows = pd.DataFrame([vars(entry) for entry in [*entries, *together(entries)]])
    if len(rows):
        rows[MONEY] = rows[MONEY].apply(lambda column: unit.shown(100 * column))
    first = [name for name in _FIRST if name in rows]
    rows = rows[[*first, *(name for name in rows if name not in first)]]
    table = Table("ledger", translated("What each campaign was to earn, and what it did"), rows)
    return Section("campaigns", title, (table,), tuple(_notes(entries)), findings=tuple(findings))


def together(entries: Sequence[Entry]) -> list[Entry]:
    """Return the line of the measured campaigns; none where nothing is measured, or there is a single campaign.

    Examples
    --------
    >>> together([])
    []
    """
    measured = counted(entries)
    if len(entries) < 2 or not measured:
        return []

    def total(name: str) -> float:
        return math.fsum(getattr(each, name) for each in measured)

    def side(name: str, end: str) -> float:
        """Add up one side of the intervals, which need not be as long as the other."""
        return math.hypot(*(getattr(each, f"{name}_{end}") - getattr(each, name) for each in measured))

    def interval(name: str) -> tuple[float, float, float]:
        middle = total(name)
        return middle, middle - side(name, "low"), middle + side(name, "high")

    profit, window, expected = (
        interval("measured_profit"),
        interval("window_profit"),
        interval("expected_profit"),
    )
    cost = total("campaign_cost")
    return [
        Entry(
            EVERYONE,
            None,
            None,
            "",
            sum(each.contacted for each in measured),
            sum(each.held_out for each in measured),
            total("expected_cost"),
            cost,
            *expected,
            *profit,
            *window,
            _ratio(profit[0], cost),
            *(_ratio(number, expected[0]) for number in profit),
        )
    ]


def counted(entries: Sequence[Entry]) -> list[Entry]:
    """Return the campaigns whose window is over and whose profit was measured: the line of all is of them."""
    return [each for each in entries if each.state == "measured" and not math.isnan(each.measured_profit)]


def campaigns_of(folder: Path) -> Iterator[Path]:
    """Yield the folders of the campaigns in a folder, or the folder itself if it is one."""
    if (folder / PLAN).is_file():
        yield folder
        return
    found = sorted(path.parent for path in folder.glob(f"*/{PLAN}")) if folder.is_dir() else []
    if not found:
        raise StayworthError(
            translated(
                "There is no campaign in {folder}: no folder in it holds {file}, which 'stayworth plan' "
                "writes.",
                folder=folder,
                file=PLAN,
            )
        )
    yield from found


def _entry(folder: Path, known_until: date) -> Entry:
    """Read a campaign.

    Raises
    ------
    StayworthError
        If a file is damaged.
    """
    record = read_record(folder / PLAN)
    return entry_of(folder.name, record, known_until, measured_of(folder), _future_profit(folder, record))


def entry_of(
    name: str,
    record: CampaignRecord,
    known_until: date,
    found: MeasurementRecord | None,
    future_profit: tuple[float, float, float],
) -> Entry:
    """Return the line of a campaign.

    Parameters
    ----------
    name : str
    record : CampaignRecord
    known_until : date, the first day that nothing is known of
    found : MeasurementRecord or None
    future_profit : profit of all contacts at the plan's value of those kept, and its interval, at the confidence of
        ``found``; NaN where not known
    """
    expected = (record.expected.profit, record.expected.profit_low, record.expected.profit_high)
    nothing = (math.nan,) * 3
    cost, window, profit = math.nan, nothing, nothing
    state = "running" if record.closes_on > known_until else "not measured"
    if found:
        state = "measured" if found.complete else "looked at early"
        cost = found.cost
        earned = found.incremental_profit
        window = _at(CONFIDENCE, (earned.difference, earned.low, earned.high), earned.confidence)
        profit = _at(CONFIDENCE, future_profit, earned.confidence)
    return Entry(
        name,
        record.starts_on,
        record.closes_on,
        state,
        record.counts.contacted,
        record.counts.held_out,
        record.expected.cost,
        cost,
        *expected,
        *profit,
        *window,
        _ratio(profit[0], cost),
        *(_ratio(number, record.expected.profit) for number in profit),
    )


def measured_of(folder: Path) -> MeasurementRecord | None:
    """Read what a campaign was measured to have done; None if it was not.

    Raises
    ------
    StayworthError
        If the file is damaged.
    """
    path = folder / _MEASURED
    if not path.is_file():
        return None
    try:
        return MeasurementRecord.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, OSError):
        raise StayworthError(
            translated(
                "{path} cannot be read. Measure again: stayworth measure --campaign {folder} …",
                path=path,
                folder=folder,
            )
        ) from None


def _future_profit(folder: Path, record: CampaignRecord) -> tuple[float, float, float]:
    """Return the profit of all contacts at the plan's value of those kept, with its interval; NaN if not written."""
    path = folder / _EFFECTS
    if not path.is_file():
        return (math.nan,) * 3
    return future_profit_of(read_table(path).to_dict("records"))


def future_profit_of(effects: Iterable[Mapping[Any, Any]]) -> tuple[float, float, float]:
    """Return the profit of all contacts at the plan's value of those kept, with its interval; NaN if not measured."""
    wanted = (each for each in effects if (each["group"], each["measure"]) == ("all", "future_profit"))
    row = next(wanted, None)
    if row is None:
        return (math.nan,) * 3
    contacted = float(row["n_contacted"])
    middle, low, high = (contacted * float(row[name]) for name in ("difference", "low", "high"))
    return middle, low, high


def _at(confidence: float, interval: tuple[float, float, float], stated: float) -> tuple[float, float, float]:
    """Return a normal interval at another confidence."""
    middle, low, high = interval
    scale = float(stats.norm.ppf((1 + confidence) / 2) / stats.norm.ppf((1 + stated) / 2))
    return middle, middle - scale * (middle - low), middle + scale * (high - middle)


def _ratio(number: float, of: float) -> float:
    return number / of if of > 0 else math.nan


def _notes(entries: Sequence[Entry]) -> list[str]:
    notes, measured = [], len(counted(entries))
    if 0 < measured < len(entries):
        notes.append(
            translated(
                "The line of all is of {n:,} of {all:campaign|campaigns}, those that were measured.",
                n=measured,
                all=len(entries),
            )
        )
    if waiting := [each.campaign for each in entries if each.state == "not measured"]:
        notes.append(
            translated(
                "Closed and not measured: {names}. 'stayworth measure' compares them with their holdouts.",
                names=waiting,
            )
        )
    return notes
