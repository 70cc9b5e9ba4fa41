"""Usual pace: how far purchases in a window's first weeks are from expectation while nothing has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

WEEK_DAYS = 7
PACE_GAUGES = ("purchases", "active_customers")

_ENOUGH_WINDOWS = 3


@dataclass(frozen=True)
class WeekPace:
    """The log of actual over expected totals in a window's first weeks, over the training snapshots.

    Parameters
    ----------
    mean : float
    deviation : float, at least 0
        Standard deviation between windows, beyond what chance explains.
    windows : int
    """

    mean: float
    deviation: float
    windows: int


@dataclass(frozen=True)
class UsualPace:
    """The usual pace of purchases, and of customers with one, in a window's first week, first two weeks, and so on.

    Examples
    --------
    >>> week = WeekPace(0.0, 0.1, 12)
    >>> UsualPace((week,), (week,)).known_weeks, UsualPace().known_weeks
    (1, 0)
    """

    purchases: tuple[WeekPace, ...] = ()
    active_customers: tuple[WeekPace, ...] = ()

    @property
    def known_weeks(self) -> int:
        """How many weeks were measured on enough windows, at the most."""
        enough = [
            min(pair, key=lambda week: week.windows).windows >= _ENOUGH_WINDOWS
            for pair in zip(self.purchases, self.active_customers, strict=True)
        ]
        return max((week for week, known in enumerate(enough, start=1) if known), default=0)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        return {gauge: [asdict(week) for week in getattr(self, gauge)] for gauge in PACE_GAUGES}

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Sequence[Mapping[str, Any]]]) -> UsualPace:
        """Read what `to_dict` wrote."""
        return cls(*(tuple(WeekPace(**week) for week in numbers.get(gauge, ())) for gauge in PACE_GAUGES))
