"""Sentences in the chosen language, and the values in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache, partial
from math import inf
from numbers import Number
from string import Formatter
from typing import Any

from features.language.catalogue import translation
from features.language.choice import ENGLISH, current_language, locale_of, text_direction, use_language
from features.language.notation import day_in_words, in_digits, isolated

_PLURAL_TAGS: tuple[str, ...] = ("zero", "one", "two", "few", "many", "other")
_SPANS = ((14, 1.0), (182, 7.0), (1096, 30.4375), (inf, 365.25))
"""Days, weeks, months, years: up to how many days a span is told in them, and their length in days."""


def translatable(text: str) -> str:
    """Mark a constant as a sentence to translate; return it as it is."""
    return text


def translated(text: str, /, **values: Any) -> str:
    """Return a sentence in the chosen language.

    Parameters
    ----------
    text : str, in English
    values : of its placeholders

    Raises
    ------
    KeyError
        If a value is missing.

    Examples
    --------
    >>> translated("{n:order|orders} in {share:.1%} of {days:span}", n=1, share=0.5, days=65)
    '1 order in 50.0% of 9 weeks'
    >>> with use_language("fa"):
    ...     translated("Indicators")
    'شاخص‌ها'
    """
    return _filled(translation(text), values)


def translated_in(context: str, text: str, /, **values: Any) -> str:
    """Return a sentence or word in the chosen language, as it is meant in a context.

    Examples
    --------
    >>> translated_in("column", "churn rate")
    'churn rate'
    """
    return _filled(translation(text, context), values)


def written(value: Any, shape: str = "") -> str:
    """Write a value in the chosen language, by a format of `features.language` or of Python.

    Examples
    --------
    >>> written(0.125, ".1%"), written(65, "span"), written(1, "order|orders"), written("1997-01-01", "date")
    ('12.5%', '9 weeks', '1 order', '1997-01-01')
    >>> with use_language("fa"):
    ...     written("1997-01-01", "date")
    '۱۲ دی ۱۳۷۵ (۱ ژانویه ۱۹۹۷)'
    """
    if shape == "date":
        return day_in_words(value)
    if shape == "span":
        return _span(float(value))
    if shape == "label":
        return _label(str(value))
    if "|" in shape:
        return _counted(value, shape)
    if shape == "digits":
        return in_digits(str(value))
    if isinstance(value, list | tuple):
        return (", " if current_language() == ENGLISH else "، ").join(written(each, shape) for each in value)
    if isinstance(value, Number):
        return in_digits(format(value, shape))
    return isolated(format(value, shape))


def writer(shape: str) -> Callable[[float], str]:
    """Return what `written` does to numbers by one format, for many of them.

    Examples
    --------
    >>> list(map(writer(",.0f"), [1234.5, 7.0]))
    ['1,234', '7']
    >>> list(map(writer(",.2f"), [-0.001, -0.01]))
    ['0.00', '-0.01']
    """
    named = shape in ("date", "span", "label", "digits") or "|" in shape
    if named or current_language() != ENGLISH:
        return partial(written, shape=shape)
    return lambda number: in_digits(format(number, shape))


@lru_cache(maxsize=2048)
def placeholders(text: str) -> tuple[tuple[str, str | None, str, str | None], ...]:
    """Return a text's parts: literal text, the name of the placeholder after it, its format and conversion."""
    return tuple((literal, name, shape or "", turn) for literal, name, shape, turn in Formatter().parse(text))


def _filled(text: str, values: Mapping[str, Any]) -> str:
    parts = []
    for literal, name, shape, conversion in placeholders(text):
        parts.append(literal)
        if name is not None:
            parts.append(written(Formatter().convert_field(values[name], conversion), shape))
    return "".join(parts)


def currency(name: str) -> str:
    """Return a currency's name in the chosen language, by its code or "toman"; a name that is not known stays.

    Examples
    --------
    >>> with use_language("fa"):
    ...     currency("EUR"), currency("toman"), currency("points")
    ('یورو', 'تومان', 'points')
    """
    if current_language() == ENGLISH:
        return name
    if name == "toman":
        return translated_in("currency", "toman")
    return str(locale_of(current_language()).currencies.get(name, name))


def _label(period: str) -> str:
    year, _, quarter = period.partition("-Q")
    if not quarter:
        # A hyphen between two numbers after a Persian letter would swap them.
        return in_digits(period if text_direction() == "ltr" else period.replace("-", "/"))
    return translated_in("period", "{year:digits}-Q{quarter:digits}", year=year, quarter=quarter)


def span_units() -> Sequence[tuple[str, float, float]]:
    """Return the units of a span: nouns in the chosen language, days up to which it is told in them, days of one."""
    return _span_units(current_language())


@cache
def _span_units(language: str) -> Sequence[tuple[str, float, float]]:
    with use_language(language):
        nouns = (
            translated_in("unit of time", "day|days"),
            translated_in("unit of time", "week|weeks"),
            translated_in("unit of time", "month|months"),
            translated_in("unit of time", "year|years"),
        )
    return [(noun, end, length) for noun, (end, length) in zip(nouns, _SPANS, strict=True)]


def _span(days: float) -> str:
    noun, length = next((noun, length) for noun, end, length in span_units() if days < end)
    return _counted(days / length, noun)


def _counted(number: float, forms: str) -> str:
    rounded = f"{number:,.0f}"
    nouns = forms.split("|")
    if current_language() == ENGLISH:
        return f"{rounded} {nouns[0] if rounded == '1' else nouns[-1]}"
    rule = locale_of(current_language()).plural_form
    tags = [tag for tag in _PLURAL_TAGS if tag in {*rule.tags, "other"}]
    place = tags.index(rule(abs(round(number)))) if len(nouns) == len(tags) else -1
    return f"{in_digits(rounded)} {nouns[place]}"
