"""Spellings of what somebody types to find an id: keyboards write other digits and letters than programs do."""

from __future__ import annotations

from features.log.dates import plain_digits

_TO_PERSIAN = str.maketrans("يك", "یک")
_TO_ARABIC = str.maketrans("یک", "يك")


def spellings(typed: str) -> list[str]:
    """Return a text as it was typed, and as it may be written where ids come from.

    Examples
    --------
    >>> spellings("c17"), spellings("۱۷"), spellings("علي")
    (['c17'], ['۱۷', '17'], ['علي', 'علی'])
    """
    letters = (typed, typed.translate(_TO_PERSIAN), typed.translate(_TO_ARABIC))
    return list(dict.fromkeys([*letters, *map(plain_digits, letters)]))
