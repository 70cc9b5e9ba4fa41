"""Reference of a version: what its training data looked like, and what performance to expect.

A `Reference` holds, as of the version's newest snapshot, how the log's orders, the customers' features and their
scores were distributed (`training.reference.distribution`), how much each of these usually drifts in a month, in two,
… (measured between the training snapshots), and the performance at the test (`training.reference.performance`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from math import ceil
from typing import Any

import pyarrow.compute as pc

from features.language import translated
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from training.reference.distribution import CategoryCounts, NumericDistribution
from training.reference.pace import UsualPace
from training.reference.performance import ExpectedPerformance

FORMAT = 1
MONTH_DAYS = 30.44

_CALENDAR_SLACK = 2  # three calendar months have up to 92 days, which are not yet a fourth


@dataclass(frozen=True)
class UsualDrift:
    """The largest drift between training snapshots at most so many months apart.

    Parameters
    ----------
    psi, psi_of_values : tuple of float
        By months apart, from 1; the last also stands for longer. Empty if there was nothing to compare.
    """

    psi: tuple[float, ...] = ()
    psi_of_values: tuple[float, ...] = ()

    def over(self, days: int) -> tuple[float, float]:
        """Return the usual indices over a time, a month begun as a whole one; NaN where nothing was measured.

        Examples
        --------
        >>> UsualDrift((0.1, 0.3), (0.0, 0.2)).over(days=61)
        (0.3, 0.2)
        """
        if not self.psi:
            return float("nan"), float("nan")
        begun = ceil((days - _CALENDAR_SLACK) / MONTH_DAYS)
        month = min(max(1, begun), len(self.psi)) - 1
        return self.psi[month], self.psi_of_values[month]


@dataclass(frozen=True)
class Reference:
    """Distributions of a version's training data and its test performance: counts, no customer's values.

    Parameters
    ----------
    snapshot : Snapshot, the newest of the training
    columns : dict of name to NumericDistribution or CategoryCounts
    usual : dict of name to UsualDrift
    expected : dict of slice ("all", "recent") to ExpectedPerformance
    rows : int
        Used rows of the log before the snapshot.
    pace : UsualPace
        Of a window's first weeks; empty in versions of earlier releases.
    """

    snapshot: Snapshot
    columns: dict[str, NumericDistribution | CategoryCounts]
    usual: dict[str, UsualDrift]
    expected: dict[str, ExpectedPerformance]
    rows: int
    pace: UsualPace = UsualPace()

    def rows_lost(self, log: TransactionLog) -> int:
        """Return how many rows fewer than the training log a log has before the snapshot; negative if more."""
        return self.rows - rows_before(log, self.snapshot)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        return {
            "format": FORMAT,
            "snapshot_date": str(self.snapshot),
            "rows": self.rows,
            "columns": {name: column.to_dict() for name, column in self.columns.items()},
            "usual": {name: asdict(usual) for name, usual in self.usual.items()},
            "promises": {name: expected.to_dict() for name, expected in self.expected.items()},
            "pace": self.pace.to_dict(),
        }

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Any]) -> Reference:
        """Read what `to_dict` wrote.

        Raises
        ------
        ValueError
            If another release wrote it in another format.
        """
        if numbers["format"] != FORMAT:
            raise ValueError(
                translated(
                    "its reference has format {found}, and this release reads {format}",
                    found=numbers["format"],
                    format=FORMAT,
                )
            )
        return cls(
            Snapshot(date.fromisoformat(numbers["snapshot_date"])),
            {
                name: CategoryCounts.from_dict(column)
                if "labels" in column
                else NumericDistribution.from_dict(column)
                for name, column in numbers["columns"].items()
            },
            {
                name: UsualDrift(tuple(usual["psi"]), tuple(usual["psi_of_values"]))
                for name, usual in numbers["usual"].items()
            },
            {name: ExpectedPerformance.from_dict(each) for name, each in numbers["promises"].items()},
            numbers["rows"],
            UsualPace.from_dict(numbers.get("pace", {})),
        )


def rows_before(log: TransactionLog, snapshot: Snapshot) -> int:
    """Count the used rows of a log before a snapshot."""
    return int(pc.sum(pc.less(log.table.column("ordered_on"), snapshot.date)).as_py() or 0)
