"""All customers of a log, in the columns that models of purchases and of spend are fitted on, at one snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from features.engines.choice import engine_for
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.clv.operational_time import RepeatDays


@dataclass(frozen=True)
class Population:
    """Customers by their purchases.

    Parameters
    ----------
    purchases : DataFrame of shape (n_customers, n_columns)
        As `PurchaseHistory.purchases` returns them.
    repeat_days : RepeatDays
        Their repeat purchases per day before the snapshot.
    """

    purchases: pd.DataFrame = field(repr=False)
    repeat_days: RepeatDays

    @classmethod
    def of(cls, history: PurchaseHistory, snapshot: Snapshot) -> Population:
        """Return the customers of a history."""
        return cls(history.purchases(snapshot), repeat_days_before(history, snapshot))

    @classmethod
    def of_log(cls, log: TransactionLog, snapshot: Snapshot, threads: int) -> Population:
        """Return the customers of a log, of a large one part by part: the engine holds the orders of one at a time."""
        found = []
        for part in log.parts():
            with (
                engine_for(part.table.num_rows, threads=threads) as engine,
                PurchaseHistory(part, engine) as history,
            ):
                found.append(cls.of(history, snapshot))
        if len(found) == 1:
            return found[0]
        purchases = pd.concat([each.purchases for each in found], ignore_index=True)
        return cls(purchases, _summed([each.repeat_days for each in found]))


def repeat_days_before(history: PurchaseHistory, snapshot: Snapshot) -> RepeatDays:
    """Count the repeat purchases of each day before a snapshot."""
    first_day, counts = history.repeat_purchases(snapshot)
    return RepeatDays(first_day, counts)


def _summed(several: list[RepeatDays]) -> RepeatDays:
    known = [each for each in several if len(each.counts)]
    if not known:
        return several[0]
    first = min(each.first_day for each in known)
    counts = np.zeros(max(each.first_day + len(each.counts) for each in known) - first)
    for each in known:
        counts[each.first_day - first :][: len(each.counts)] += each.counts
    return RepeatDays(first, counts)
