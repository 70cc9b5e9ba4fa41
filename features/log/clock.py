"""The clock of a log's time zone: which orders can be known today."""

from __future__ import annotations

from datetime import datetime

from features.errors import WindowError
from features.language import translated
from features.log.dates import local_now
from features.snapshot import Snapshot


def tomorrow(timezone: str = "UTC", now: datetime | None = None) -> Snapshot:
    """Return the first snapshot that sees all orders of today, on the clock of a time zone.

    Examples
    --------
    >>> str(tomorrow("Asia/Tokyo", now=datetime.fromisoformat("1998-06-30T18:00:00Z")))
    '1998-07-02'
    """
    return Snapshot.after(local_now(now, timezone).astype("datetime64[D]").item())


def require_known_orders(snapshot: Snapshot) -> None:
    """Refuse a snapshot in the future, by the clock of the time zone that is the furthest ahead."""
    latest = Snapshot.after(tomorrow().date)
    if snapshot > latest:
        raise WindowError(
            translated(
                "The snapshot {snapshot} lies in the future: the orders until then are not known. Use "
                "{latest} or earlier.",
                snapshot=snapshot,
                latest=latest,
            )
        )
