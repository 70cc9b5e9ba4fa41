"""The scores of an audience, remembered for a minute, so that other numbers are tried without reading them again.

What is drawn is read anew.
"""

from __future__ import annotations

import time
from dataclasses import replace
from threading import Lock

import pandas as pd

from features.errors import ChangedMeanwhile
from features.language import translated
from serving.campaign.published_list import published_scores
from serving.store.customers import Choice, Customers

FRESH_SECONDS = 60.0
_REMEMBERED = 2


class Audiences:
    """Scores of the customers of some audiences, as they were read last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[tuple[int, Choice], tuple[float, pd.DataFrame]] = {}

    def of(self, customers: Customers, choice: Choice, set_id: int, *, fresh: bool) -> pd.DataFrame:
        """Return the chosen customers of a published set.

        Raises
        ------
        ChangedMeanwhile
            If another set was published.
        """
        choice = replace(choice, ordered_by=Choice().ordered_by, ascending=False)
        with self._lock:
            read_at, known = self._known.get((set_id, choice), (float("-inf"), pd.DataFrame()))
        if not fresh and time.monotonic() - read_at < FRESH_SECONDS:
            return known
        scores, found = published_scores(customers, choice)
        if found not in (set_id, None):
            raise ChangedMeanwhile(
                translated("A new list was published meanwhile. Plan again, from its scores.")
            )
        with self._lock:
            self._known[set_id, choice] = (time.monotonic(), scores)
            while len(self._known) > _REMEMBERED:
                del self._known[min(self._known, key=lambda each: self._known[each][0])]
        return scores
