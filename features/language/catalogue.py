"""The sentences of a language, by their English text: ``features/language/<language>.po``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from features.language.choice import ENGLISH, LANGUAGES, current_language
from features.language.notation import LEFT_TO_RIGHT

_FLAG = re.compile(rf"(?<![\w{LEFT_TO_RIGHT}-])--(?=[a-z])")
"""A flag whose dashes would stand behind it in a text from right to left."""
_instead: ContextVar[Mapping[str, str]] = ContextVar("said instead", default=MappingProxyType({}))


@contextmanager
def saying_instead(sentences: Mapping[str, str]) -> Iterator[None]:
    """Say other sentences in place of some, for readers who have other means, in this thread or task.

    Parameters
    ----------
    sentences : mapping of a sentence in English to another, with the same placeholders or fewer

    Examples
    --------
    >>> from features.language.sentences import translated
    >>> with saying_instead({"Use --top {n} to take fewer.": "Choose fewer filters."}):
    ...     translated("Use --top {n} to take fewer.", n=5)
    'Choose fewer filters.'
    """
    token = _instead.set(sentences)
    try:
        yield
    finally:
        _instead.reset(token)


def translation(text: str, context: str = "") -> str:
    """Return a sentence in the chosen language, its placeholders not filled."""
    language, text = current_language(), _instead.get().get(text, text)
    return text if language == ENGLISH else _catalogue(language).get((context, text), text)


@cache
def known_sentences() -> tuple[str, ...]:
    """Return the English texts of all sentences that some language has, but for words that mean more than one thing."""
    known = (_catalogue(language) for language in LANGUAGES if language != ENGLISH)
    return tuple(dict.fromkeys(text for each in known for context, text in each if not context))


@cache
def _catalogue(language: str) -> dict[tuple[str, str], str]:
    """Read a language's sentences by context and English text; those without a translation are left out."""
    from babel.messages.pofile import read_po

    with (files("features.language") / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language, charset="utf-8")
    return {
        (each.context or "", str(each.id)): _FLAG.sub(LEFT_TO_RIGHT + "--", str(each.string))
        for each in catalogue
        if each.id and each.string
    }
