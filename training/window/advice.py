"""Advice on the churn window: the gaps between purchases, each candidate window's errors, the recommendation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from features.language import translated
from training.window.silences import Rate

MONTH_DAYS = 30


@dataclass(frozen=True)
class Quantile:
    """A quantile of the gaps between two purchases.

    Parameters
    ----------
    share : float, in (0, 1)
    gap_days : int
        Over all gaps, of which frequent buyers have many.
    customer_gap_days : int
        With each customer counted once.
    """

    share: float
    gap_days: int
    customer_gap_days: int


@dataclass(frozen=True)
class Window:
    """Errors of a churn window of so many days, and the snapshots that the log affords for it.

    Parameters
    ----------
    days : int
    follow_up_days : int
        Days after the window in which a return is looked for: a year, or as long as the log allows; 0 where
        that is too short to tell.
    false_churn : Rate or None
        Share of customers silent that long who come back in the follow-up; None where it is too short.
    false_churn_per_silence : Rate or None
        The same of all silences that lasted so long.
    late_returns, late_returns_per_silence : float
        Share of the returns within `Advice.reach_days` that come after the window.
    snapshots, validations, closed : int
        Monthly snapshots that a horizon of these days leaves to learn from before the test, the steps
        forward in time among them, and all that have closed; 0 where the log is too short.
    """

    days: int
    follow_up_days: int
    false_churn: Rate | None
    false_churn_per_silence: Rate | None
    late_returns: float
    late_returns_per_silence: float
    snapshots: int
    validations: int
    closed: int


@dataclass(frozen=True)
class Advice:
    """Recommended churn window of a log, with the estimates behind it.

    Parameters
    ----------
    first_day, last_day : date
    customers, returning_customers, gaps : int
    quantiles : tuple of Quantile
    reach_days : int
        Days from a purchase in which a return is looked for: a year, or two where no shorter window than a year is
        recommended, or as long as the log follows silences.
    silent, silent_per_silence : tuple of float
        Share of silences that last longer than 0, 1, 2, … `reach_days` days, each customer counting once; the
        same with each silence counting once.
    windows : tuple of Window
    window_days : int
        The recommended inactivity window.
    horizon_days, dormant_after_days : int
        Recommended for training.
    dormant_returns : Rate or None
        Share of those who reach ``dormant_after_days`` of silence who buy in the `ahead_days` after; None where the log
        follows them for less than half of those.
    notes : tuple of str
        What to know about the advice.
    """

    first_day: date
    last_day: date
    customers: int
    returning_customers: int
    gaps: int
    quantiles: tuple[Quantile, ...]
    reach_days: int
    silent: tuple[float, ...]
    silent_per_silence: tuple[float, ...]
    windows: tuple[Window, ...]
    window_days: int
    horizon_days: int
    dormant_after_days: int
    dormant_returns: Rate | None
    notes: tuple[str, ...]

    @property
    def ahead_days(self) -> int:
        """Days in which a return of the dormant is looked for: the horizon, or a month if that is longer."""
        return max(self.horizon_days, MONTH_DAYS)

    def window(self, days: int) -> Window:
        """Return the entry of one of the windows."""
        return next(window for window in self.windows if window.days == days)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        numbers = asdict(self) | {"first_day": self.first_day.isoformat()}
        return numbers | {"last_day": self.last_day.isoformat(), "notes": list(self.notes)}


def span(days: int) -> str:
    """Return a number of days in words.

    Examples
    --------
    >>> span(365), span(730), span(200)
    ('a year', 'two years', '200 days')
    """
    if days == 365:
        return translated("a year")
    return translated("two years") if days == 730 else translated("{days} days", days=days)
