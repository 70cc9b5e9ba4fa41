"""Reasons that were worded and kept in one language, in the language of whoever reads them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from features.language import LANGUAGES, current_language, translation
from features.retelling import read_back, retold
from training.model.reasons import read_topics, texts_of_topics

BETWEEN = "; "
"""What stands between the reasons of a cell."""


def retold_reason(text: str) -> str:
    """Return a reason in the chosen language, whichever it was worded in; names and values of own columns stay.

    Examples
    --------
    >>> from features.language import use_language
    >>> with use_language("fa"):
    ...     told = retold_reason("no order in 180 days (risk up)")
    >>> retold_reason(told)
    'no order in 180 days (risk up)'
    """
    return _retold(text, current_language())


def retold_reasons(cell: str | Sequence[str] | None) -> str:
    """Return the reasons of a cell of a list in the chosen language, as one text; None has none.

    Examples
    --------
    >>> retold_reasons(["no order in 180 days (risk up)", "of the region North"])
    'no order in 180 days (risk up); of the region North'
    """
    return BETWEEN.join(map(retold_reason, cell.split(BETWEEN) if isinstance(cell, str) else cell or ()))


def without_move(text: str) -> str:
    """Return a reason without what its frame says of the risk, for where a title says that.

    Examples
    --------
    >>> without_move("no order in 180 days (risk up)")
    'no order in 180 days'
    """
    for frame in (_topics()[0][name] for name in ("raises", "lowers")):
        before, after = translation(frame).split("{reason}")
        if text.startswith(before) and text.endswith(after):
            return text[len(before) : len(text) - len(after)]
    return text


@lru_cache(maxsize=8192)
def _retold(text: str, chosen: str) -> str:
    data, texts = _topics()
    for language in LANGUAGES:
        for frame in (data["raises"], data["lowers"]):
            found = read_back(text, frame, language) if language != chosen else None
            if found:
                return translation(frame).replace("{reason}", retold(str(found["reason"]), texts))
    return retold(text, [data["costs"]])


@cache
def _topics() -> tuple[dict[str, Any], tuple[str, ...]]:
    return read_topics(), tuple(dict.fromkeys(texts_of_topics()))
