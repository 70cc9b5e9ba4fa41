"""Words for how a version compared with the champion of its day, and how it was promoted."""

from __future__ import annotations

from collections.abc import Mapping

from features.language import translatable, translated
from training.versions.version import PROMOTED

COMPARED = "promotion"
"""Tag of a version that was to be promoted: how it compared with the champion."""

BY_COMPARISON, FORCED, NO_CHAMPION, CHAMPION_LOST = "by comparison", "forced", "no champion", "champion lost"
"""What the tag ``promoted`` says of a promotion by training."""

_ROLLED_BACK = ", rolled back"

_WORDS = {
    "first": translatable("the first"),
    "better": translatable("better"),
    "tie": translatable("no better than chance allows"),
    "worse": translatable("worse"),
    "incomparable": translatable("not comparable"),
    "by hand": translatable("by hand"),
    BY_COMPARISON: translatable("by comparison"),
    FORCED: translatable("though not better"),
    NO_CHAMPION: translatable("there was no champion"),
    CHAMPION_LOST: translatable("the champion had lost its files"),
}


def promoted(tags: Mapping[str, str]) -> str:
    """Return how a version was promoted, of its tags; empty where it was not.

    Earlier releases wrote ``by comparison`` of one that had no champion to be compared with.

    Examples
    --------
    >>> promoted({"promotion": "first", "promoted": "by comparison"}), promoted({"promoted": "forced"})
    ('no champion', 'forced')
    """
    how, rolled, rest = tags.get(PROMOTED, "").partition(_ROLLED_BACK)
    if how == BY_COMPARISON and tags.get(COMPARED) == "first":
        how = NO_CHAMPION
    return how + rolled + rest


def in_words(tag: str) -> str:
    """Say what a version's tag says; a name of who promoted it stays.

    Examples
    --------
    >>> in_words("no champion"), in_words("forced, rolled back"), in_words("by sara in the workbench")
    ('there was no champion', 'though not better, rolled back', 'by sara in the workbench')
    """
    how, rolled, rest = tag.partition(_ROLLED_BACK)
    if rolled and not rest:
        return translated("{how}, rolled back", how=in_words(how))
    return translated(_WORDS[tag]) if tag in _WORDS else tag
