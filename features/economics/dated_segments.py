"""Segments that change with time: in each period customers are in that of its start, by what was known then.

Stages come from the ladder at every boundary, tiers from scored lists of several days. Who has bought for the first
time in a period is `NEW` in it. Tables that are not by period, such as profitability, tell customers apart by one
segment for the whole log.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from features.customer_groups import STAGES, TIERS
from features.economics.segments import NEW, UNKNOWN, ListedSegments, Segments
from features.economics.stages import StageInputs, create_stages
from features.errors import StayworthError
from features.language import translated, written

if TYPE_CHECKING:
    import numpy.typing as npt

    from features.economics.people import ScoredCustomers
    from features.economics.periods import Periods
    from features.engines.engine import Engine

STAGE, TIER = "stage", "tier"
_LAPSED = STAGES[0]

# Who has bought by then and is not active has lapsed; who has not bought yet is in no stage.
_STAGE_MEMBERS = f"""SELECT customers.customer AS customer,
  CASE WHEN customers.first_day < {{day}} THEN coalesce(stage_names.name, '{_LAPSED}')
    WHEN customers.first_day IS NULL THEN '{UNKNOWN}' ELSE '{NEW}' END AS segment
FROM customers
LEFT JOIN stages ON stages.customer = customers.customer AND stages.boundary = {{boundary}}
LEFT JOIN stage_names ON stage_names.stage = stages.stage"""
_STAGES_AT = """SELECT customer, boundary AS known, stage_names.name AS segment
FROM stages JOIN stage_names ON stage_names.stage = stages.stage"""
_TIERS_AT = """SELECT customer, known, segment
FROM tier_lists JOIN customers ON customers.customer_id = tier_lists.customer_id"""


class StageSegments(Segments):
    """Stages at the start of each period; for the whole log those at the start of the last closed one.

    Parameters
    ----------
    inactivity_days : int
    inputs : StageInputs
    """

    others = _LAPSED

    def __init__(self, inactivity_days: int, inputs: StageInputs) -> None:
        self.inactivity_days, self.inputs = inactivity_days, inputs
        self._known_on: date | None = None

    def known_at(self, periods: Periods) -> npt.NDArray[np.int64]:
        """Return the number of each period: its start is a boundary of stages."""
        return np.arange(len(periods))

    def members(self, engine: Engine, periods: Periods) -> list[str]:
        """Create the tables ``membership`` and ``membership_at``."""
        number = max(int(np.count_nonzero(~periods.open)) - 1, 0)
        self._known_on = periods.all[number].start
        create_stages(engine, periods, self.inactivity_days, self.inputs)
        names = {"stage": pa.array(range(len(STAGES)), pa.int32()), "name": pa.array(STAGES, pa.string())}
        engine.register("stage_names", pa.table(names))
        start = int(periods.boundaries[number])
        engine.create("membership", _STAGE_MEMBERS.format(boundary=number, day=start))
        engine.create("membership_at", _STAGES_AT)
        return _names(engine, [*STAGES, NEW], self.others)

    def settled_on(self, segment: str) -> date | None:
        """Return the date of the stages that stand for the whole log."""
        return self._known_on


class TierSegments(Segments):
    """Tiers of the last scored list that was known at the start of each period; for the whole log those of the newest.

    Before the first list, its tiers stand for those that nobody knew: in hindsight, and provisional.

    Parameters
    ----------
    lists : sequence of ScoredCustomers, each of a day of its own

    Raises
    ------
    StayworthError
        If a list does not say its day, or two are of one.
    """

    others = UNKNOWN

    def __init__(self, lists: Sequence[ScoredCustomers]) -> None:
        days = [each.snapshot for each in lists]
        if None in days or len(set(days)) < len(days):
            raise StayworthError(
                translated(
                    "Scored lists of several days need a snapshot_date each, and no two of one day: those given are of "
                    "{days}.",
                    days=["?" if day is None else written(day, "date") for day in days],
                )
            )
        self._lists = sorted(lists, key=lambda each: each.snapshot or date.min)
        self._days = np.array([each.snapshot for each in self._lists], dtype="datetime64[D]")
        self.dated_from = self._lists[0].snapshot

    def known_at(self, periods: Periods) -> npt.NDArray[np.int64]:
        """Return the place of the list that was known at each period's start."""
        starts = np.array([period.start for period in periods], dtype="datetime64[D]")
        return np.maximum(np.searchsorted(self._days, starts, side="right") - 1, 0)

    def members(self, engine: Engine, periods: Periods) -> list[str]:
        """Create the tables ``membership`` and ``membership_at``."""
        named = ListedSegments(TIER, self._lists[-1].tiers).members(engine, periods)
        rows = [
            (customer, place, tier)
            for place, each in enumerate(self._lists)
            for customer, tier in each.tiers.items()
        ]
        types = pa.schema([("customer_id", pa.string()), ("known", pa.int32()), ("segment", pa.string())])
        columns = [list(column) for column in zip(*rows, strict=True)]
        engine.register("tier_lists", pa.table(columns, schema=types))
        engine.create("membership_at", _TIERS_AT)
        return _names(engine, [*TIERS, NEW, *(name for name in named if name not in TIERS)], self.others)

    def settled_on(self, segment: str) -> date | None:
        """Return the day of the newest list."""
        return self._lists[-1].snapshot


def _names(engine: Engine, order: Sequence[str], others: str) -> list[str]:
    """Return the names of all segments in their order."""
    found = engine.query(
        "SELECT DISTINCT segment FROM membership UNION SELECT DISTINCT segment FROM membership_at"
    )
    there = {*found["segment"].to_pylist(), NEW, others}
    return [name for name in dict.fromkeys([*order, UNKNOWN]) if name in there]
