"""Features of the season ahead: how many of a customer's purchases were made at the time of year that comes next.

A donor gives every December, a family books every spring: what they bought lately says little of the months ahead, and
what they bought at the same time of year says much. The anniversary of a purchase comes every 365.25 days; the share of
the purchase days whose anniversary lies in the next N days is N/365 for customers who buy all the year round. It
changes with the date, as the season does, and is unknown of customers so new that none can lie there.

Not every business has customers with seasons of their own, and with few years of log a share is mostly chance. So
training tries these features as it tries a file beside the log, and a version has them where they surely make it
better.
"""

from __future__ import annotations

from features.table.catalogue import Feature

SEASONS = "seasons"
"""The name of the group as training tries it."""

AHEAD_DAYS = (30, 90, 180)
_QUARTERS = 1461  # quarters of a day in a year of 365.25 days: whole numbers are exact


def _ahead(days: int) -> str:
    """Return the SQL of the purchase days whose anniversary lies in ``[snapshot, snapshot + days)``."""
    since = f"mod(4 * ({{snapshot}} - purchase_day) - 1, {_QUARTERS})"
    return f"sum(CASE WHEN {since} >= {_QUARTERS - 1 - 4 * days} THEN 1 ELSE 0 END)"


TOTALS = {f"anniversaries_{days}": _ahead(days) for days in AHEAD_DAYS}

FEATURES = tuple(
    Feature(
        f"anniversary_share_{days}d",
        "float64",
        "0 to 1",
        f"Share of the purchase days whose anniversary lies in the {days} days from the snapshot on; NaN for customers "
        f"of {365 - days} days or less, of whom none can lie there.",
        f"CASE WHEN {{snapshot}} - first_day > {365 - days} THEN anniversaries_{days} / (1e0 * days) END",
    )
    for days in AHEAD_DAYS
)

NAMES = frozenset(feature.name for feature in FEATURES)
