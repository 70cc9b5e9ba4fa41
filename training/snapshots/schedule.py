"""Schedule of a training run: the snapshots to learn from, the test snapshot, the newest.

Snapshots are a calendar month apart, counted back from the date to predict at, so that one of them is the same day a
year earlier. A model that predicts at a date is fitted on windows that had closed by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from features.errors import WindowError
from features.language import translated
from features.snapshot import ChurnWindow, Snapshot, monthly_snapshots

WARM_UP_DAYS = 60
"""Days of log before the oldest snapshot: with fewer, too few customers have had time to come back."""


@dataclass(frozen=True)
class Schedule:
    """The snapshots of a training run.

    Parameters
    ----------
    before_test : list of Snapshot
        Their windows had closed when the test snapshot opens: what the judged model learns from.
    test : Snapshot
    closed : list of Snapshot
        Their windows have closed by the end of the log: what the deployed model learns from.
    newest : Snapshot
        The day after the last order, at which the deployed model predicts.
    """

    before_test: list[Snapshot]
    test: Snapshot
    closed: list[Snapshot]
    newest: Snapshot

    @property
    def snapshots(self) -> list[Snapshot]:
        """All labelled snapshots, oldest first, each once."""
        return sorted({*self.before_test, self.test, *self.closed})


def closed_snapshots(target: Snapshot, first_order: date, horizon_days: int, limit: int) -> list[Snapshot]:
    """Return up to ``limit`` monthly snapshots whose windows have closed by ``target``, oldest first.

    Examples
    --------
    >>> [str(s) for s in closed_snapshots(Snapshot(date(1998, 4, 1)), date(1997, 1, 1), 90, limit=3)]
    ['1997-11-01', '1997-12-01', '1998-01-01']
    """
    months = (target.date - first_order).days // 28 + 1
    grid = monthly_snapshots(target, first_order + timedelta(days=WARM_UP_DAYS), limit=max(months, 1))
    return [s for s in grid if ChurnWindow(s, horizon_days).closes <= target.date][-limit:]


def schedule(
    first_order: date, last_order: date, horizon_days: int, *, limit: int, test: Snapshot | None = None
) -> Schedule:
    """Return the schedule of a training run.

    Parameters
    ----------
    first_order, last_order : date
        Of the log.
    horizon_days : int
    limit : int
        How many snapshots to learn from at the most.
    test : Snapshot, optional
        By default the newest monthly one whose window has closed.

    Raises
    ------
    WindowError
        If the log is too short, or the test window has not closed; the message names what fits.

    Examples
    --------
    >>> plan = schedule(date(1997, 1, 1), date(1998, 6, 30), 90, limit=12)
    >>> str(plan.test), len(plan.before_test), str(plan.closed[-1]), str(plan.newest)
    ('1998-04-01', 10, '1998-04-01', '1998-07-01')
    """
    newest, given = Snapshot.after(last_order), test
    closed = closed_snapshots(newest, first_order, horizon_days, limit)
    if test is not None:
        ChurnWindow(test, horizon_days).require_closed_by(last_order, flag="--test-snapshot")
    elif closed:
        test = closed[-1]
    before = closed_snapshots(test, first_order, horizon_days, limit) if test else []
    if not before or test is None:
        raise WindowError(_too_short(first_order, last_order, horizon_days, given))
    return Schedule(before, test, closed, newest)


def _too_short(first_order: date, last_order: date, horizon_days: int, test: Snapshot | None) -> str:
    days = (last_order - first_order).days + 1
    longest = longest_horizon_days(first_order, last_order)
    least = shortest_log_days(first_order, horizon_days)
    remedy = translated("Use a longer log, of {least} days at least.", least=least)
    if longest:
        remedy = translated("Use --horizon-days {longest} or less.", longest=longest)
    if test and longest >= horizon_days:
        remedy = translated(
            "Use --horizon-days {longest} or less, or a later --test-snapshot.", longest=longest
        )
    settings = f"--horizon-days {horizon_days}"
    if test:
        settings = translated("{horizon} and --test-snapshot {test}", horizon=settings, test=test)
    short = translated(
        "The log is too short for {settings}: it runs {days:day|days}, from {first:date} to {last:date}, and needs "
        "{warm_up} days before a first snapshot, then one closed window to learn from and another to be judged on.",
        settings=settings,
        days=days,
        first=first_order,
        last=last_order,
        warm_up=WARM_UP_DAYS,
    )
    return f"{short} {remedy}"


def shortest_log_days(first_order: date, horizon_days: int) -> int:
    """Return how many days a log that begins on a date has to run to afford a training run for a churn window.

    Examples
    --------
    >>> shortest_log_days(date(1997, 1, 1), 90), shortest_log_days(date(1997, 1, 1), 14)
    (244, 121)
    """
    days = WARM_UP_DAYS + 2 * horizon_days
    while True:
        closed = closed_snapshots(
            Snapshot(first_order + timedelta(days=days)), first_order, horizon_days, limit=1
        )
        if closed and closed_snapshots(closed[-1], first_order, horizon_days, limit=1):
            return days
        days += 1


def longest_horizon_days(first_order: date, last_order: date) -> int:
    """Return the longest churn window for which the log affords a training run; 0 if it is too short for any.

    Examples
    --------
    >>> longest_horizon_days(date(1997, 1, 1), date(1998, 6, 30))
    214
    """
    newest = Snapshot.after(last_order)
    for horizon_days in range((last_order - first_order).days // 2, 0, -1):
        closed = closed_snapshots(newest, first_order, horizon_days, limit=1)
        if closed and closed_snapshots(closed[-1], first_order, horizon_days, limit=1):
            return horizon_days
    return 0
