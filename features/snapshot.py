"""Dates: what a snapshot sees, and the window in which silence counts as churn.

All date arithmetic of the project lives here. Everything is half-open: features at a snapshot see
``ordered_at < snapshot_date``; the churn window is ``[snapshot_date, snapshot_date + horizon_days)``.
So a window of 90 days that opens on 1 April closes on 30 June, and the log must hold every order up to
29 June for its outcome to be known.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from datetime import date, timedelta

from features.errors import WindowError
from features.language import translated


@dataclass(frozen=True, order=True)
class Snapshot:
    """A date at which customers are described; orders of that day and later are unseen.

    Parameters
    ----------
    date : datetime.date

    Examples
    --------
    >>> Snapshot(date(1998, 4, 1)).sees(date(1998, 3, 31)), Snapshot(date(1998, 4, 1)).sees(date(1998, 4, 1))
    (True, False)
    """

    date: dt.date

    @classmethod
    def after(cls, last_order: dt.date) -> Snapshot:
        """Return the first snapshot that sees every order up to ``last_order``."""
        return cls(last_order + timedelta(days=1))

    @classmethod
    def parse(cls, text: str) -> Snapshot:
        """Read an ISO date, as given on a command line.

        Raises
        ------
        WindowError
            If the text is not a date of the form YYYY-MM-DD.
        """
        try:
            return cls(date.fromisoformat(text))
        except ValueError:
            raise WindowError(
                translated(
                    "{text!r} is not a date. Write it as YYYY-MM-DD, for example 1998-04-01.", text=text
                )
            ) from None

    @classmethod
    def on(cls, day: str | dt.date) -> Snapshot:
        """Return the snapshot on a date, which may be ISO text.

        Examples
        --------
        >>> Snapshot.on("1998-04-01") == Snapshot.on(date(1998, 4, 1))
        True
        """
        if isinstance(day, str):
            return cls.parse(day)
        return cls(day.date() if isinstance(day, dt.datetime) else day)

    def sees(self, day: dt.date) -> bool:
        """Tell whether an order of that day is visible."""
        return day < self.date

    def months_earlier(self, months: int) -> Snapshot:
        """Return the snapshot ``months`` calendar months earlier, on the same day or the month's last.

        Examples
        --------
        >>> Snapshot(date(1998, 3, 31)).months_earlier(1).date
        datetime.date(1998, 2, 28)
        """
        year, month = divmod(self.date.year * 12 + self.date.month - 1 - months, 12)
        day = min(self.date.day, calendar.monthrange(year, month + 1)[1])
        return Snapshot(date(year, month + 1, day))

    def days_earlier(self, days: int) -> Snapshot:
        """Return the snapshot ``days`` days earlier."""
        return Snapshot(self.date - timedelta(days=days))

    def __str__(self) -> str:
        return self.date.isoformat()


@dataclass(frozen=True)
class ChurnWindow:
    """The days ``[snapshot, snapshot + horizon_days)``: a customer without an order in them has churned.

    Parameters
    ----------
    snapshot : Snapshot
    horizon_days : int, at least 1

    Examples
    --------
    >>> window = ChurnWindow(Snapshot(date(1998, 4, 1)), horizon_days=90)
    >>> window.closes, window.closed_by(last_order=date(1998, 6, 30))
    (datetime.date(1998, 6, 30), True)
    """

    snapshot: Snapshot
    horizon_days: int

    def __post_init__(self) -> None:
        if self.horizon_days < 1:
            raise WindowError(
                translated(
                    "The horizon is {days:day|days}; it must be at least 1.",
                    days=self.horizon_days,
                )
            )

    @property
    def opens(self) -> date:
        """The first day of the window: the snapshot date."""
        return self.snapshot.date

    @property
    def closes(self) -> date:
        """The first day after the window."""
        return self.snapshot.date + timedelta(days=self.horizon_days)

    def closed_by(self, last_order: date) -> bool:
        """Tell whether a log that ends on ``last_order`` holds the whole window."""
        return self.closes <= last_order + timedelta(days=1)

    def require_closed_by(self, last_order: date, flag: str = "--snapshot-date") -> None:
        """Raise a WindowError that names the dates and horizons that fit, unless the window is closed."""
        if self.closed_by(last_order):
            return
        end = last_order + timedelta(days=1)
        latest, longest = end - timedelta(days=self.horizon_days), (end - self.opens).days
        remedy = f"Use {flag} {latest} or earlier"
        if longest >= 1:
            remedy += f", or --horizon-days {longest} or less"
        raise WindowError(
            translated(
                "The churn window closes {closes:date} but the log ends {last:date}. {remedy}.",
                closes=self.closes,
                last=last_order,
                remedy=remedy,
            )
        )


def monthly_snapshots(newest: Snapshot, oldest: date, limit: int) -> list[Snapshot]:
    """Return up to ``limit`` snapshots, one a calendar month, from ``newest`` back to ``oldest``.

    Returns
    -------
    list of Snapshot, oldest first; empty if ``newest`` lies before ``oldest``

    Examples
    --------
    >>> [str(s) for s in monthly_snapshots(Snapshot(date(1998, 1, 1)), oldest=date(1997, 11, 15), limit=6)]
    ['1997-12-01', '1998-01-01']
    """
    candidates = (newest.months_earlier(months) for months in range(limit))
    return sorted(snapshot for snapshot in candidates if snapshot.date >= oldest)
