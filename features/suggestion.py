"""The known name that a mistyped one was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from features.language import translated


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known name most similar to a name, whatever their case and punctuation.

    Parameters
    ----------
    name : str
    known : iterable of str
    cutoff : float in [0, 1]
        Similarity (`difflib.SequenceMatcher.ratio`) below which no name is returned.

    Examples
    --------
    >>> nearest("horizon-day", ["snapshots", "horizon_days"]), nearest("zzz", ["log", "train"])
    ('horizon_days', None)
    """
    plain: dict[str, str] = {}
    for candidate in sorted(known):
        plain.setdefault(_plain(candidate), candidate)
    found = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=cutoff)
    return plain[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that names the nearest known name, to end a message with; empty if none is near.

    Examples
    --------
    >>> did_you_mean("order.csv", ["orders.csv", "readme.md"])
    ' Did you mean orders.csv?'
    """
    found = nearest(name, known)
    return " " + translated("Did you mean {name}?", name=found) if found else ""


def _plain(name: str) -> str:
    """Return the letters and digits of a name, in lower case."""
    return "".join(filter(str.isalnum, name.casefold()))
