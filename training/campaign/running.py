"""Customers whom a plan leaves alone for the sake of a comparison: those of running campaigns, and a standing holdout.

A held-out customer whom the next campaign contacts is no longer one who was left alone: the running campaign's effect
then looks smaller than it is. A customer whom both campaigns contact shows the effect of both. So a plan leaves both
groups of a running campaign alone until its churn window closes, and its holdout for as long as it was planned to be
held. The standing holdout is no campaign's target at all: it shows what all campaigns together do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

_HASH_BITS = 64


@dataclass(frozen=True)
class RunningCampaign:
    """Another campaign, as far as a new plan has to know it.

    Parameters
    ----------
    name : str, to say whose customers they are
    starts_on, closes_on : date, its churn window, half-open
    held_until : date, first day on which its holdout may be contacted
    contacted, held_out : sets of customer ids
    """

    name: str
    starts_on: date
    closes_on: date
    held_until: date
    contacted: frozenset[str]
    held_out: frozenset[str]

    def during(self, opens: date, closes: date) -> RunningCampaign | None:
        """Return the campaign with the customers to leave alone in ``[opens, closes)``; None where there are none.

        Examples
        --------
        >>> spring = RunningCampaign(
        ...     "spring", date(2024, 3, 1), date(2024, 6, 1), date(2025, 3, 1), frozenset("a"), frozenset("b")
        ... )
        >>> later = spring.during(date(2024, 6, 1), date(2024, 9, 1))
        >>> later.contacted, later.held_out  # its holdout is kept for a year
        (frozenset(), frozenset({'b'}))
        >>> spring.during(date(2025, 3, 1), date(2025, 6, 1)) is None
        True
        """
        if closes <= self.starts_on:
            return None
        contacted = self.contacted if opens < self.closes_on else frozenset()
        held_out = self.held_out if opens < self.held_until else frozenset()
        return replace(self, contacted=contacted, held_out=held_out) if contacted or held_out else None


def standing_holdout(customer_ids: Iterable[str], share: float, seed: int = 0) -> NDArray[np.bool_]:
    """Mark the customers of the standing holdout: by a hash of seed and id, so that every plan finds the same ones.

    A larger share only adds customers.

    Parameters
    ----------
    customer_ids : iterable of str
    share : float in [0, 1]
    seed : int

    Returns
    -------
    ndarray of bool, shape (n_customers,)

    Examples
    --------
    >>> ids = [f"{i:05d}" for i in range(10_000)]
    >>> held = standing_holdout(ids, 0.02)
    >>> int(held.sum()), bool((held <= standing_holdout(ids, 0.05)).all())
    (196, True)
    """
    limit = share * 2.0**_HASH_BITS
    return np.array([_number(each, seed) < limit for each in customer_ids], dtype=bool)


def _number(customer_id: str, seed: int) -> int:
    digest = hashlib.blake2b(f"{seed}:{customer_id}".encode(), digest_size=_HASH_BITS // 8)
    return int.from_bytes(digest.digest())
