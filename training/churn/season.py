"""Seasonal correction: the intercept of the snapshot a year earlier, in the log-odds of churn.

In a business with seasons, BG/NBD is off by a constant in the log-odds that varies through the year (from
−0.5 for windows over the autumn to +1.0 after Christmas in the Online Retail II log). The intercept of the
snapshot a year earlier is an estimate of the next one; it is used only where it was better than none on
closed windows, and where the log was old enough a year ago to tell silence from churn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from features.snapshot import Snapshot
from training.churn.fit_options import FitOptions
from training.snapshots.dataset import LabelledSnapshot, known_at

GRID_DAYS = 16
"""A year-ago date is covered if snapshots lie within half a month of it."""


@dataclass(frozen=True)
class Season:
    """Intercepts of past snapshots, looked up a year later.

    Parameters
    ----------
    days : tuple of int, ascending
        Snapshot dates as proleptic Gregorian ordinals.
    intercepts : tuple of float, log-odds
    used : bool
        If False, every intercept is 0.

    Examples
    --------
    >>> season = Season((date(2010, 9, 10).toordinal(),), (-0.52,), used=True)
    >>> season.intercept(Snapshot(date(2011, 9, 10)))
    -0.52
    >>> season.intercept(Snapshot(date(2011, 3, 10)))
    0.0
    """

    days: tuple[int, ...] = ()
    intercepts: tuple[float, ...] = ()
    used: bool = False

    def intercept(self, snapshot: Snapshot) -> float:
        """Return the intercept of a year earlier, interpolated between snapshots; 0 where there is none."""
        if not self.used or not self.days:
            return 0.0
        year_ago = snapshot.months_earlier(12).date.toordinal()
        nearest = min(abs(day - year_ago) for day in self.days)
        return float(np.interp(year_ago, self.days, self.intercepts)) if nearest <= GRID_DAYS else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON, dates in ISO form."""
        dates = [date.fromordinal(day).isoformat() for day in self.days]
        return {"snapshots": dates, "intercepts": list(self.intercepts), "used": self.used}

    @classmethod
    def from_dict(cls, numbers: dict[str, Any]) -> Season:
        """Read what `to_dict` wrote."""
        days = tuple(date.fromisoformat(text).toordinal() for text in numbers["snapshots"])
        return cls(days, tuple(numbers["intercepts"]), numbers["used"])


def season_of(
    rows: Sequence[LabelledSnapshot], intercepts: Sequence[float], options: FitOptions, *, used: bool
) -> Season:
    """Keep the intercepts of the snapshots at which the log was old enough.

    Old enough is ``dormant_after_days`` of log: before, nobody can have been silent for longer, and BG/NBD cannot
    yet tell a pause from churn.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot
    intercepts : sequence of float, one per snapshot
    options : FitOptions
    used : bool
    """
    old = sorted(
        (row.snapshot.date.toordinal(), intercept)
        for row, intercept in zip(rows, intercepts, strict=True)
        if (row.snapshot.date - options.first_order).days >= options.dormant_after_days
    )
    return Season(tuple(day for day, _ in old), tuple(value for _, value in old), used)


def season_known_at(season: Season, rows: Sequence[LabelledSnapshot], target: Snapshot) -> Season:
    """Keep the intercepts whose windows had closed by the target."""
    known = {row.snapshot.date.toordinal() for row in known_at(rows, target)}
    kept = [(day, value) for day, value in zip(season.days, season.intercepts, strict=True) if day in known]
    return Season(tuple(day for day, _ in kept), tuple(value for _, value in kept), season.used)
