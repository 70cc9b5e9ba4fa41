"""Usual pace: how far purchases in a window's first weeks are from expectation while nothing has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

WEEK_DAYS = 7

_ENOUGH_WINDOWS = 3


@dataclass(frozen=True)
class WeekPace:
    """The log of actual over expected pace in a window's first weeks, over the training snapshots.

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
    """The usual pace of a window's first week, first two weeks, and so on.

    Examples
    --------
    >>> UsualPace((WeekPace(0.0, 0.1, 12),)).known(weeks=1), UsualPace().known(weeks=1)
    (True, False)
    """

    weeks: tuple[WeekPace, ...] = ()

    def known(self, weeks: int) -> bool:
        """Whether it was measured on enough windows."""
        return weeks <= len(self.weeks) and self.weeks[weeks - 1].windows >= _ENOUGH_WINDOWS

    def to_dict(self) -> list[dict[str, Any]]:
        """Return the numbers, ready for JSON."""
        return [asdict(week) for week in self.weeks]

    @classmethod
    def from_dict(cls, numbers: Sequence[Mapping[str, Any]]) -> UsualPace:
        """Read what `to_dict` wrote."""
        return cls(tuple(WeekPace(**week) for week in numbers))
