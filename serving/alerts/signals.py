"""Signals: what is to be seen at a date in scores, touches, invoices and targets that somebody should look at.

Each function returns a table of `SIGNAL_COLUMNS`, at most a row for each customer and kind.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from features.economics.targets import MISSED, target_in_words
from features.economics.touches import Touches
from features.errors import StayworthError
from features.language import translatable, translated
from features.log.sources import read_table
from training.campaign.candidates import scored_customers

KIND_NAMES = {
    "overdue": translatable("overdue"),
    "risk": translatable("risk"),
    "complaint": translatable("complaint"),
    "debt": translatable("debt"),
    "target": translatable("target"),
}
_GAP_OVER = translatable("Overdue: the usual gap is over.")
_NO_PURCHASE = translatable("Overdue: no purchase for {days:day|days}.")
_ROSE = translatable("The churn probability rose from {before:.0%} to {now:.0%}.")
_COMPLAINED = translatable("Complained on {day:date}.")
_COMPLAINED_OFTEN = translatable("Complained {n:time|times} in {days:day|days}, last on {day:date}.")
_OWES = translatable("Owes {amount:,.2f}, overdue for {days:day|days}.")
REASONS = (_GAP_OVER, _NO_PURCHASE, _ROSE, _COMPLAINED, _COMPLAINED_OFTEN, _OWES)
"""What is said of a customer, and kept in the language of whoever looked for alerts."""

CLOSED_BY_PURCHASE = ("overdue", "risk")
SIGNAL_COLUMNS = ("customer_id", "kind", "about", "since", "reason")

_EPOCH = date(1970, 1, 1)
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Scored:
    """A scored list as alerts read it.

    Attributes
    ----------
    customers : DataFrame, as `training.campaign.candidates.scored_customers` gives it
    snapshot : date
    """

    customers: pd.DataFrame
    snapshot: date

    @classmethod
    def of(cls, scores: pd.DataFrame) -> Scored:
        """Return a scored list, with numbers as numbers.

        Raises
        ------
        StayworthError
            If a column is missing, or the list is of several days.
        """
        customers = scored_customers(scores)
        days = sorted(set(customers["snapshot_date"].astype(str).str[:10]))
        if len(days) != 1:
            raise StayworthError(
                translated(
                    "The scored list is of {n:,} days, {first} to {last}. Give that of one.",
                    n=len(days),
                    first=days[0],
                    last=days[-1],
                )
            )
        return cls(customers, date.fromisoformat(days[0]))

    def of_customers(self, names: Mapping[str, str]) -> Scored:
        """Return the rows of some customers, by their ids here, with the ids that these map to."""
        ids = self.customers["customer_id"].map(names)
        return Scored(self.customers.assign(customer_id=ids)[ids.notna()], self.snapshot)


def overdue(scored: Scored) -> pd.DataFrame:
    """Return who is lapsing: silent for longer than their own gaps explain.

    Raises
    ------
    StayworthError
        If the list does not say stages.
    """
    customers = scored.customers
    if "stage" not in customers or not customers["stage"].astype(bool).any():
        raise StayworthError(
            translated(
                "The scored list has no column 'stage', so nobody can be said to be overdue. Score "
                "again: stayworth score."
            )
        )
    rows = customers[customers["stage"] == "lapsing"]
    reasons = [
        translated(_GAP_OVER) if days != days else translated(_NO_PURCHASE, days=days)
        for days in rows["silent_days"]
    ]
    return _signals(rows["customer_id"], "overdue", scored.snapshot, reasons)


def risen(scored: Scored, before: Scored, rise: float) -> pd.DataFrame:
    """Return whose churn probability has risen since an earlier list.

    Raises
    ------
    StayworthError
        If the earlier list is not of an earlier day.
    """
    if before.snapshot >= scored.snapshot:
        raise StayworthError(
            translated(
                "--before is a list of {before:date}, and --scores one of {now:date}. Give an earlier one.",
                before=before.snapshot,
                now=scored.snapshot,
            )
        )
    customers = scored.customers
    known = before.customers.set_index("customer_id")["churn_probability"]
    earlier, now = (
        known.reindex(customers["customer_id"]).to_numpy(),
        customers["churn_probability"].to_numpy(),
    )
    higher = now - earlier >= rise - _ROUNDING
    reasons = [
        translated(_ROSE, before=was, now=is_now)
        for was, is_now in zip(earlier[higher], now[higher], strict=True)
    ]
    return _signals(customers["customer_id"][higher], "risk", scored.snapshot, reasons)


def complaints(touches: Touches, names: Collection[str], snapshot: date, days: int) -> pd.DataFrame:
    """Return who has complained in the days before a snapshot, with the day of the last complaint."""
    table = touches.table.to_pandas()
    last = (snapshot - _EPOCH).days
    folded = {name.casefold() for name in names}
    recent = table["touchpoint"].str.casefold().isin(folded) & table["day"].between(last - days, last - 1)
    found = table[recent & table["customer_id"].notna()].groupby("customer_id")["day"].agg(["max", "size"])
    since = [_EPOCH + timedelta(days=int(day)) for day in found["max"]]
    reasons = [
        translated(_COMPLAINED, day=day)
        if count == 1
        else translated(_COMPLAINED_OFTEN, n=count, days=days, day=day)
        for day, count in zip(since, found["size"], strict=True)
    ]
    return _signals(found.index, "complaint", since, reasons)


def debts(receivables: pa.Table, snapshot: date) -> pd.DataFrame:
    """Return who owes what is overdue at a snapshot, with the day after the oldest was due.

    Parameters
    ----------
    receivables : pyarrow.Table
        customer_id, issued, due, paid, written_off (days since 1970-01-01), amount_cents, paid_cents
    snapshot : date
    """
    table, today = receivables.to_pandas(), (snapshot - _EPOCH).days
    paid = np.where(table["paid"] < today, table["paid_cents"], 0)
    table = table.assign(open_cents=table["amount_cents"] - paid)
    overdue_ones = (table["due"] < today) & (table["issued"] < today) & (table["open_cents"] > 0)
    written_off = (table["written_off"] < today).fillna(False)
    rows = table[overdue_ones & ~written_off & table["customer_id"].notna()]
    found = rows.groupby("customer_id").agg(cents=("open_cents", "sum"), due=("due", "min"))
    since = [_EPOCH + timedelta(days=int(day) + 1) for day in found["due"]]
    reasons = [
        translated(_OWES, amount=amount / 100, days=today - int(day))
        for amount, day in zip(found["cents"], found["due"], strict=True)
    ]
    return _signals(found.index, "debt", since, reasons)


def missed_targets(folder: Path, snapshot: date) -> pd.DataFrame:
    """Return the targets that a report says were missed, in the last period of each indicator and segment.

    Raises
    ------
    StayworthError
        If the folder is no report with targets.
    """
    path = folder / "targets.csv"
    if not path.is_file():
        raise StayworthError(
            translated(
                "{folder} is no report with targets. Write one: stayworth report --targets targets.csv "
                "--out {folder}",
                folder=folder,
            )
        )
    table = read_table(path)
    judged = table[table["status"].isin(("met", MISSED))]
    last = judged.groupby(["indicator", "segment"], sort=False).tail(1)
    rows = last[last["status"] == MISSED]
    reasons = [
        translated("Missed: {target}.", target=target_in_words(row, _money_unit(folder)))
        for _, row in rows.iterrows()
    ]
    found = _signals(pd.Series([""] * len(rows)), "target", snapshot, reasons)
    return found.assign(about=(rows["indicator"] + " of " + rows["segment"]).to_numpy())


def _money_unit(folder: Path) -> str:
    """Return what a report calls its money; empty if it does not say."""
    try:
        record = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        return str(record["terms"]["money_unit"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _signals(
    customers: Collection[str], kind: str, since: date | list[date], reasons: list[str]
) -> pd.DataFrame:
    rows = {
        "customer_id": pd.Series(list(customers), dtype=object),
        "reason": pd.Series(reasons, dtype=object),
    }
    found = pd.DataFrame(rows).assign(kind=kind, about="", since=since)
    return found[list(SIGNAL_COLUMNS)].astype(object)
