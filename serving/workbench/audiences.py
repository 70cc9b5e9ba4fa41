"""What of a draft's plan its budget and holdout do not change, remembered, so that other numbers are tried at once.

An erasure or another list ends what is remembered. What is drawn is read anew.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from threading import Lock
from typing import Any, TypeVar

import pandas as pd

from features.errors import ChangedMeanwhile
from features.language import translated
from serving.campaign.published_list import published_scores
from serving.store.campaign import Campaign
from serving.store.choice import Choice
from serving.store.store import Store
from training.campaign.prepared import Prepared

_REMEMBERED = 2

_T = TypeVar("_T")


class Audiences:
    """Scores of the customers of some audiences, and what was prepared of them, as they were read last."""

    def __init__(self) -> None:
        self._scores: _Latest[pd.DataFrame] = _Latest()
        self._prepared: _Latest[Prepared] = _Latest()
        self._others: _Latest[Any] = _Latest()
        self._contacts: _Latest[pd.DataFrame] = _Latest()

    def of(self, store: Store, choice: Choice, set_id: int, *, fresh: bool) -> tuple[pd.DataFrame, Hashable]:
        """Return the chosen customers of a published set, by id, and what tells them from all others.

        Raises
        ------
        ChangedMeanwhile
            If another set was published.
        """
        choice = replace(choice, ordered_by=Choice().ordered_by, ascending=False)
        # An erasure while they are read is a later one than the mark.
        mark = store.audit.last_erasure()

        def read() -> pd.DataFrame:
            scores, found = published_scores(store.customers, choice)
            if found not in (set_id, None):
                raise ChangedMeanwhile(
                    translated("A new list was published meanwhile. Plan again, from its scores.")
                )
            return scores.sort_values("customer_id", ignore_index=True)

        key = (set_id, choice, mark, _brought(store, choice))
        return self._scores.get(key, read, fresh=fresh), key

    def others(
        self, store: Store, draft: Campaign, make: Callable[[], _T], *, fresh: bool
    ) -> tuple[_T, Hashable]:
        """Return what the files of a draft and other campaigns say, and what tells it from all else they could say."""
        versions = tuple(store.campaigns.drawn_versions())
        key = (draft.id, draft.version, versions, store.audit.last_erasure())
        return self._others.get(key, make, fresh=fresh), key

    def contacts(self, store: Store, campaign: Campaign, read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Return the contacts of a campaign that was drawn, as they were after its last change."""
        key = (campaign.id, campaign.version, store.audit.last_erasure())
        return self._contacts.get(key, read, fresh=False)

    def prepared(self, key: Hashable, make: Callable[[], Prepared], *, fresh: bool) -> Prepared:
        """Return what was prepared under a key, which tells all that it depends on."""
        return self._prepared.get(key, make, fresh=fresh)


def _brought(store: Store, choice: Choice) -> object:
    """Tell own columns from those that come in their place, where customers are chosen by them."""
    return tuple(column.brought_at for column in store.customers.own.all()) if choice.own else ()


class _Latest(dict[Hashable, _T]):
    """The values that were asked for last."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], _T], *, fresh: bool) -> _T:  # type: ignore[override]
        """Return the value of a key, made if it is not known or has to be fresh."""
        with self._lock:
            if not fresh and key in self:
                self[key] = self.pop(key)
                return self[key]
        made = make()
        with self._lock:
            self.pop(key, None)
            self[key] = made
            while len(self) > _REMEMBERED:
                del self[next(iter(self))]
        return made
