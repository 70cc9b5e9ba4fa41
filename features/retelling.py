"""Sentences told again: what was written in one language, and kept as a text, in the language of whoever reads it.

A sentence with its numbers filled in is read back by the sentence it was made of, in each language that it may be in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from features.jalali import gregorian
from features.language import (
    JALALI_MONTHS,
    LANGUAGES,
    current_language,
    in_digits,
    known_sentences,
    placeholders,
    saying_instead,
    span_units,
    translated,
    translation,
    use_language,
)

_NUMBER = r"[+-]?[\d,]*\.?\d+%?"
_ISO_DAY = r"\d{4}-\d{2}-\d{2}"
_JALALI_DAY = rf"\d{{1,2}} (?:{'|'.join(JALALI_MONTHS)}) \d{{4}} \([^)]*\)"
_TURNS = "\u200e\u200f\u2068\u2069"
_ANYTHING = ".+"
_AS_TEXT = ("digits", "label")
_SENTENCE_ENDS = re.compile(rf"[.!?؟][{_TURNS}]*(?= )")
_MOST_ENDS = 20
_OWN_SHARE = 4
"""A sentence has made a text if at least one of so many letters of it is the sentence's own."""
_FRAMED = {"sentence", "warning", "why", "reason", "failure", "refused", "what", "where"}
"""Placeholders that stand for words of ours, such as a whole sentence."""
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


def retold_text(text: str) -> str:
    """Return a text in the chosen language, whichever sentences of the catalogue made it; what none has made stays.

    Texts of several sentences are retold one after the other, and so are those that stand in others.

    Examples
    --------
    >>> kept = "Warning: Incentive costs are assumed, not measured: give --redeemed to know who took them. Well then."
    >>> with use_language("fa"):
    ...     told = retold_text(kept)
    >>> told.startswith("هشدار"), told.endswith("Well then."), retold_text(told) == kept
    (True, True, True)
    """
    return _retold_text(text, current_language())


@lru_cache(maxsize=4096)
def _retold_text(text: str, chosen: str) -> str:
    for language in LANGUAGES:
        if language != chosen:
            for end in (*_ends(text), 0):
                told = _whole(text[:end].strip(), language) if end else None
                if told is not None:
                    rest = text[end:].strip()
                    return f"{told} {_retold_text(rest, chosen)}" if rest else told
    return text


def _ends(text: str) -> Iterator[int]:
    """Yield where the text ends, and its sentences, the last one first."""
    yield len(text)
    yield from reversed([found.end() for found in _SENTENCE_ENDS.finditer(text)][:_MOST_ENDS])


def _whole(text: str, language: str) -> str | None:
    """Return a text that a single sentence has made, told again; None where none has."""
    with use_language(language):
        plain = _plain(text)
    letters = sum(map(str.isalpha, plain))
    for known in _known(language):
        own = _OWN_SHARE * known.letters >= letters
        # Words such as "from … to" are in many a text; of few words of its own is what frames another sentence.
        if not (own or known.frames) or " " not in known.sentence or not known.may_be(plain):
            continue  # single words are names as often
        values = read_back(text, known.sentence, language)
        if values is None:
            continue
        inside = {
            name: told
            for name, value in values.items()
            if isinstance(value, str) and (told := _whole(value, language)) is not None
        }
        if inside or own:
            return translated(known.sentence, **values | inside)
    return None


@dataclass(frozen=True)
class _Known:
    """A sentence, its literal parts in a language, how many letters they have, and whether it frames another one."""

    sentence: str
    parts: tuple[str, ...]
    letters: int
    frames: bool

    def may_be(self, plain: str) -> bool:
        """Tell whether a text has all that the sentence has, in its order."""
        if not (plain.startswith(self.parts[0]) and plain.endswith(self.parts[-1])):
            return False
        place = 0
        for part in self.parts:
            place = plain.find(part, place) + len(part)
            if place < len(part):
                return False
        return True


@cache
def _known(language: str) -> list[_Known]:
    """Return the sentences, that with the most letters of its own first."""
    found = []
    with use_language(language), saying_instead({}):
        for sentence in known_sentences():
            pieces = placeholders(translation(sentence))
            parts = [_plain(literal) for literal, *_ in pieces]
            if pieces and pieces[-1][1] is not None:
                parts.append("")  # it ends with a value
            if own := "".join(parts).strip():
                letters, names = sum(map(str.isalpha, own)), {name for _, name, *_ in pieces}
                found.append(_Known(sentence, tuple(parts), letters, bool(names & _FRAMED)))
    return sorted(found, key=_place)


def _place(known: _Known) -> tuple[int, int, bool]:
    """Return what sorts sentences; of words that a language writes alike, those that stand in sentences are first."""
    return -known.letters, -sum(map(len, known.parts)), known.sentence[:1].isupper()


def read_back(text: str, sentence: str, language: str) -> dict[str, str | float] | None:
    """Return the values with which a sentence makes a text in a language, as far as it tells them; None: it does not.

    Numbers are as exact as they were written.

    Examples
    --------
    >>> read_back("1,234 orders, 12% in 9 weeks", "{n:order|orders}, {share:.0%} in {days:span}", "en")
    {'n': 1234, 'share': 0.12, 'days': 63.0}
    >>> read_back("no order", "{n:order|orders}", "en")
    """
    expression, shapes = _pattern(sentence, language)
    with use_language(language):
        found = expression.fullmatch(_plain(text))
        if found is None:
            return None
        groups = zip(shapes, found.groups(), strict=True)
        return {name: _value(words, shape, turn) for (name, shape, turn), words in groups}


@lru_cache(maxsize=4096)
def _pattern(sentence: str, language: str) -> tuple[re.Pattern[str], list[tuple[str, str, str | None]]]:
    """Return what a sentence looks like in a language, and names, formats and conversions of its values."""
    # As it was said where it was kept, which need not be where it is read.
    with use_language(language), saying_instead({}):
        expression, shapes = "", []
        pieces = placeholders(translation(sentence))
        for place, (literal, name, shape, turn) in enumerate(pieces):
            expression += re.escape(_plain(literal))
            if name is None:
                continue
            after, value, kind, _ = pieces[place + 1] if place + 1 < len(pieces) else ("", None, "", None)
            looks, stop = _looks(shape), _plain(after)
            if looks == _ANYTHING and stop and (value or place + 2 < len(pieces)):
                # Up to the next words of the sentence, once and for all: to try all their places takes for ever.
                following = re.escape(stop) + (_looks(kind) if value else "")
                looks = f"(?>.+?(?={following}))"
            expression += f"({looks})"
            shapes.append((name, shape, turn))
    return re.compile(expression, re.DOTALL), shapes


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
        return _JALALI_DAY if current_language() == "fa" else _ISO_DAY
    if shape == "span":
        nouns = (noun for forms, _, _ in span_units() for noun in forms.split("|"))
        return f"{_NUMBER} (?:{'|'.join(map(re.escape, nouns))})"
    if "|" in shape:
        return f"{_NUMBER} (?:{'|'.join(map(re.escape, shape.split('|')))})"
    if shape in _AS_TEXT:
        return r"\S+"
    return _NUMBER if shape else _ANYTHING


def _gregorian(words: str) -> str:
    """Return a day that was written by the Jalali calendar as ISO text; as it is where there is no such day."""
    of_month, month, year, *_ = words.split(" ")
    day = gregorian(int(year), JALALI_MONTHS.index(month) + 1, int(of_month))
    return words if day is None else day.isoformat()


def _value(words: str, shape: str, turn: str | None) -> str | float:
    if shape == "date":
        return words if re.fullmatch(_ISO_DAY, words) else _gregorian(words)
    if not shape:
        return words[1:-1] if turn == "r" and words[:1] == words[-1:] and words[:1] in ("'", '"') else words
    if shape in _AS_TEXT:
        return words.replace("/", "-")
    number = words.split(" ")[0]
    digits = number.replace(",", "").removesuffix("%")
    plain = float(digits) if "." in digits or shape == "span" else int(digits)
    if shape == "span":
        noun, first = words.removeprefix(f"{number} "), 0.0
        for forms, end, length in span_units():
            if noun in forms.split("|"):
                # The rounded number may be of a day that is told in another unit.
                return min(max(plain * length, first), end - _BEFORE)
            first = end
    return plain / 100 if number.endswith("%") else plain
