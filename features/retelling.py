"""Sentences told again: what was written in one language, and kept as a text, in the language of whoever reads it.

A sentence with its numbers filled in is read back by the sentence it was made of, in each language that it may be in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache

from features.language import (
    LANGUAGES,
    current_language,
    in_digits,
    placeholders,
    span_units,
    translated,
    translation,
    use_language,
)

_NUMBER = r"[+-]?[\d,]*\.?\d+%?"
_ISO_DAY = r"\d{4}-\d{2}-\d{2}"
_TURNS = "\u200e\u200f\u2068\u2069"
_BEFORE = 1e-6  # days: a span's end is of the next unit


def retold(text: str, sentences: Sequence[str]) -> str:
    """Return a text in the chosen language; as it is where none of the sentences has made it in another one.

    Parameters
    ----------
    text : str
    sentences : of `features.language.translated`, in English

    Examples
    --------
    >>> kept = "3 orders in 9 weeks"
    >>> with use_language("fa"):
    ...     told = retold(kept, ["silent for {days:span}", "silent for {days:date}"]), retold("abc", ["abc {n}"])
    >>> told == (kept, "abc")
    True
    """
    for language in LANGUAGES:
        if language != current_language():
            for sentence in sentences:
                values = read_back(text, sentence, language)
                if values is not None:
                    return translated(sentence, **values)
    return text


def read_back(text: str, sentence: str, language: str) -> dict[str, str | float] | None:
    """Return the values with which a sentence makes a text in a language, as far as it tells them; None: it does not.

    Numbers are as exact as they were written; a day is read from English alone.

    Examples
    --------
    >>> read_back("1,234 orders, 12% in 9 weeks", "{n:order|orders}, {share:.0%} in {days:span}", "en")
    {'n': 1234.0, 'share': 0.12, 'days': 63.0}
    >>> read_back("no order", "{n:order|orders}", "en")
    """
    pattern = _pattern(sentence, language)
    if pattern is None:
        return None
    expression, shapes = pattern
    with use_language(language):
        found = expression.fullmatch(_plain(text))
        if found is None:
            return None
        return {
            name: _value(words, shape) for (name, shape), words in zip(shapes, found.groups(), strict=True)
        }


@lru_cache(maxsize=1024)
def _pattern(sentence: str, language: str) -> tuple[re.Pattern[str], list[tuple[str, str]]] | None:
    """Return what a sentence looks like in a language, and names and formats of its values; None: it is not known."""
    with use_language(language):
        expression, shapes = "", []
        for literal, name, shape, _ in placeholders(translation(sentence)):
            expression += re.escape(_plain(literal))
            if name is None:
                continue
            if shape == "date" and language != "en":
                return None
            expression += f"({_looks(shape)})"
            shapes.append((name, shape))
    return re.compile(expression), shapes


def _plain(text: str) -> str:
    """Write the digits and marks of a text of the chosen language plainly, and leave out what turns its direction."""
    return text.translate(_notation(current_language()))


@cache
def _notation(language: str) -> dict[int, str | None]:
    with use_language(language):
        plain: dict[int, str | None] = {
            ord(in_digits(each).strip(_TURNS)): each for each in "0123456789,.%+-"
        }
    return plain | dict.fromkeys(map(ord, _TURNS))


def _looks(shape: str) -> str:
    """Return what a value in a format looks like in the chosen language, its digits plain."""
    if shape == "date":
        return _ISO_DAY
    if shape == "span":
        nouns = (noun for forms, _, _ in span_units() for noun in forms.split("|"))
        return f"{_NUMBER} (?:{'|'.join(map(re.escape, nouns))})"
    if "|" in shape:
        return f"{_NUMBER} (?:{'|'.join(map(re.escape, shape.split('|')))})"
    return _NUMBER if shape else ".+"


def _value(words: str, shape: str) -> str | float:
    if not shape or shape == "date":
        return words
    number = words.split(" ")[0]
    plain = float(number.replace(",", "").removesuffix("%"))
    if shape == "span":
        noun, first = words.removeprefix(f"{number} "), 0.0
        for forms, end, length in span_units():
            if noun in forms.split("|"):
                # The rounded number may be of a day that is told in another unit.
                return min(max(plain * length, first), end - _BEFORE)
            first = end
    return plain / 100 if number.endswith("%") else plain
