"""Coverage of a log: whether it holds the orders of the contacted and of the held out alike, and since the start.

Whoever is not in the log counts as one who did not buy. A log of the contacted alone would so show an effect where
there is none, and a log that begins late would show none where there is one.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from features.errors import WindowError
from features.language import translated
from features.log.matching import MatchError
from features.log.transactions import TransactionLog
from training.campaign.assignment import Assignment

CHANCE = 0.001
"""p-value below which chance does not explain that one group is in the log less often than the other."""
_UNLIKELY = (
    0.05  # that a group has no order since the start, where the log shows no earlier ones of it either
)
_FEW_DAYS = 3


class _Found(NamedTuple):
    contacted: int
    of_contacted: int
    held_out: int
    of_held_out: int

    @property
    def one_is_absent(self) -> bool:
        return (self.contacted == 0) != (self.held_out == 0)

    @property
    def p_value(self) -> float:
        """Of Fisher's exact test that the two shares are alike."""
        inside = np.array([self.contacted, self.held_out])
        return float(
            stats.fisher_exact([inside, np.array([self.of_contacted, self.of_held_out]) - inside]).pvalue
        )


def require_both_groups(assignment: Assignment, log: TransactionLog) -> None:
    """Refuse a log that lacks customers of one group more often than chance explains.

    Before the start the groups are alike, as they were drawn at random, so their shares with an earlier order are
    compared. Since the start the shares may differ, by the campaign's effect; but a group without any order is missing.

    Raises
    ------
    MatchError
        Says how many customers of each group the log has, and what to give.
    """
    days, ids = log.table["ordered_on"], log.table["customer_id"]
    earlier = pc.less(days, pa.scalar(assignment.record.starts_on, days.type))
    before, since = (_found(assignment, ids.filter(rows)) for rows in (earlier, pc.invert(earlier)))
    start = assignment.record.starts_on
    if before.p_value < CHANCE:
        raise MatchError(
            translated(
                "{contacted:,} of {of_contacted:,} contacted and {held_out:,} of {of_held_out:,} held-out customers "
                "have orders before {start:date} in the log; chance does not explain that.",
                start=start,
                **before._asdict(),
            )
            + _remedy(start)
        )
    known = before.contacted > 0 and before.held_out > 0
    if since.one_is_absent and since.p_value < (CHANCE if known else _UNLIKELY):
        raise MatchError(
            translated(
                "{contacted:,} of {of_contacted:,} contacted and {held_out:,} of {of_held_out:,} held-out customers "
                "have orders since {start:date} in the log: one group is not there.",
                start=start,
                **since._asdict(),
            )
            + _remedy(start)
        )


def _remedy(start: date) -> str:
    return " " + translated(
        "Who is missing would count as one who did not buy. Give the shop's whole log, the orders of all customers "
        "since {start:date} at least. --allow-unmatched goes on as it is.",
        start=start,
    )


def _found(assignment: Assignment, ids: pa.ChunkedArray) -> _Found:
    customers = assignment.customers
    inside = customers["customer_id"].isin(set(pc.unique(ids).to_pylist())).to_numpy()
    contacted = customers["contacted"].to_numpy(dtype=bool)
    return _Found(
        int((inside & contacted).sum()),
        int(contacted.sum()),
        int((inside & ~contacted).sum()),
        int((~contacted).sum()),
    )


def require_from_the_start(log: TransactionLog, start: date) -> None:
    """Refuse a log that begins later than the campaign, by more days than the log elsewhere goes without an order.

    Raises
    ------
    WindowError
        Says how many days are not covered.
    """
    late = (log.first_day - start).days
    if late <= _FEW_DAYS:
        return
    days = np.sort(pc.unique(log.table["ordered_on"]).to_numpy(zero_copy_only=False).astype("datetime64[D]"))
    longest = int(np.diff(days).astype(int).max(initial=0))
    if late > longest:
        raise WindowError(
            translated(
                "The log begins on {first:date}: it does not cover the campaign's first {n:day|days}, since "
                "{start:date}. Give a log with all orders from {start:date} on.",
                first=log.first_day,
                n=late,
                start=start,
            )
        )
