"""The published list that a new one takes the place of, and what would be lost by it: customers, or days."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from features.language import translated
from features.log.findings import Finding
from serving.settings import ScoreSettings

if TYPE_CHECKING:
    from serving.store.store import Store

_KEPT = 0.8  # of the published customers: a smaller list is published on request only


def losses(store: Store, customers: int, day: date, settings: ScoreSettings) -> list[Finding]:
    """Return what speaks against publishing a list in place of the one before, unless the settings say it is meant.

    Parameters
    ----------
    store : Store
    customers : int
        Of the new list.
    day : date
        Its snapshot.
    settings : ScoreSettings
        ``shrink`` and ``older`` are what is meant.
    """
    store.upgrade()  # one that an older release has left is read then too
    before = store.newest()
    found = []
    if before and customers < _KEPT * before.customers and not settings.shrink:
        sentence = translated(
            "The list has {n:customer|customers}, the published one of {day:date} has {before:,}: the others would "
            "have no score any more. Is the log whole? If it is meant: {flag}.",
            n=customers,
            day=before.snapshot_date,
            before=before.customers,
            flag="--shrink",
        )
        found.append(Finding("shrunken-list", sentence, fatal=True))
    if before and day < before.snapshot_date and not settings.older:
        sentence = translated(
            "The list is of {day:date}, the published one of {before:date}: older scores would take the place of newer "
            "ones. Does the log end too early, or is --snapshot-date too early? If it is meant: {flag}.",
            day=day,
            before=before.snapshot_date,
            flag="--older",
        )
        found.append(Finding("older-list", sentence, fatal=True))
    return found
