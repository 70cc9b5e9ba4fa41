"""The last contest for a champion's place that it won: until the log has grown, another would end the same way."""

from __future__ import annotations

from features.snapshot import Snapshot
from training.versions.registry import Registry
from training.versions.version import CHAMPION, PROMOTED, Version

AGAINST, TRAINED_UP_TO = "promotion_against", "trained_up_to"
"""Tags of a version that competed: the champion's version, and the day after the last order that the version knew."""


def lost_lately(registry: Registry, champion: Version, newest: Snapshot) -> Version | None:
    """Return the version that lost to this champion and knows all closed windows that a log affords.

    Snapshots are a calendar month apart: so long after the newest one that the loser knew, there is another window to
    learn from and to be judged on.

    Parameters
    ----------
    registry : Registry
    champion : Version
    newest : Snapshot
        The day after the log's last order.

    Returns
    -------
    Version or None
        None where there is none, or a month of orders has come since.
    """
    a_month_ago = str(newest.months_earlier(1))
    for version in registry.versions():
        tags = version.tags
        if CHAMPION in version.aliases or PROMOTED in tags or tags.get(AGAINST) != champion.version:
            continue
        if a_month_ago < tags.get(TRAINED_UP_TO, "") <= str(newest):
            return version
    return None
