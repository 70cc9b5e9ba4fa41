"""The language that people read: sentences, numbers and dates. Names that machines read stay English.

A sentence is written in English where it is said, with named placeholders::

    translated("{used:,} of {given:alias|aliases} are in the log.", used=3, given=5)

That text is the key of its translation in ``features/languages/<language>.po``; English has no such file. The language
is chosen once, by `use_language`, for all that runs inside it: a command, a request. A sentence that is a constant is
marked by `translatable` where it stands, and translated where it is shown. A word of two meanings gets a context
(`translated_in`). CONTRIBUTING says how a catalogue is kept.

A placeholder has a format of Python's, or one of these:

- ``{n:order|orders}``: a count with its noun in the language's plural forms ("one|other" in English);
- ``{days:span}``: a number of days in the unit that one would say it in, "9 weeks";
- ``{names}`` of a list: its values, with the language's comma between them;
- ``{period:label}``: the name of a period, such as 1997-02 or 1997-Q1;
- ``{day:date}``: a `datetime.date` or its ISO text; Persian writes the Jalali date beside the Gregorian one.

Numbers have the digits and marks of the language.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache, partial
from importlib.resources import files
from math import inf
from numbers import Number
from string import Formatter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from features.errors import StayworthError
from features.jalali import jalali

if TYPE_CHECKING:
    from babel import Locale

Language = Literal["en", "fa"]
LANGUAGES = get_args(Language)
ENGLISH = "en"

_DIGITS = {"arabext": "۰۱۲۳۴۵۶۷۸۹"}
_MOST_ACCEPTED = 20
_PLURAL_TAGS: tuple[str, ...] = ("zero", "one", "two", "few", "many", "other")
_LEFT_TO_RIGHT, _RIGHT_TO_LEFT = "\u200e", "\u200f"
_FLAG = re.compile(rf"(?<![\w{_LEFT_TO_RIGHT}-])--(?=[a-z])")
"""A flag whose dashes would stand behind it in a text from right to left."""
_FIRST_ISOLATE, _LAST_ISOLATE = "\u2068", "\u2069"
_chosen: ContextVar[str] = ContextVar("language", default=ENGLISH)
_instead: ContextVar[Mapping[str, str]] = ContextVar("said instead", default=MappingProxyType({}))

_SPANS = ((14, 1.0), (182, 7.0), (1096, 30.4375), (inf, 365.25))
"""Days, weeks, months, years: up to how many days a span is told in them, and their length in days."""


@contextmanager
def use_language(language: str) -> Iterator[None]:
    """Choose the language of all that is written inside, in this thread or task.

    Raises
    ------
    StayworthError
        If there is no catalogue of it.

    Examples
    --------
    >>> with use_language("fa"):
    ...     written(1234.5, ",.2f")
    '۱٬۲۳۴٫۵۰'
    """
    if language not in LANGUAGES:
        raise StayworthError(f"There is no language {language!r}; there are {', '.join(LANGUAGES)}.")
    token = _chosen.set(language)
    try:
        yield
    finally:
        _chosen.reset(token)


@contextmanager
def saying_instead(sentences: Mapping[str, str]) -> Iterator[None]:
    """Say other sentences in place of some, for readers who have other means, in this thread or task.

    Parameters
    ----------
    sentences : mapping of a sentence in English to another, with the same placeholders or fewer

    Examples
    --------
    >>> with saying_instead({"Use --top {n} to take fewer.": "Choose fewer filters."}):
    ...     translated("Use --top {n} to take fewer.", n=5)
    'Choose fewer filters.'
    """
    token = _instead.set(sentences)
    try:
        yield
    finally:
        _instead.reset(token)


def preferred_language(accepted: str) -> str:
    """Return the language that a header ``Accept-Language`` likes best of those there are, else English.

    References
    ----------
    RFC 9110, section 12.5.4: languages with weights, of which 0 is a refusal.

    Examples
    --------
    >>> preferred_language("de, fa-IR;q=0.9, en;q=0.5"), preferred_language("de"), preferred_language("fa;q=x")
    ('fa', 'en', 'en')
    """
    best, most = ENGLISH, 0.0
    for each in accepted.split(",")[:_MOST_ACCEPTED] if accepted else ():
        name, _, weight = each.partition(";")
        language = name.strip().lower().partition("-")[0]
        try:
            liking = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if language in LANGUAGES and liking > most:
            best, most = language, liking
    return best


def current_language() -> str:
    """Return the chosen language, of `LANGUAGES`."""
    return _chosen.get()


def text_direction() -> str:
    """Return "ltr" or "rtl", as HTML names it."""
    return "ltr" if _chosen.get() == ENGLISH else str(_locale(_chosen.get()).text_direction)


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
    """Write a value in the chosen language, by a format of this module or of Python.

    Examples
    --------
    >>> written(0.125, ".1%"), written(65, "span"), written(1, "order|orders"), written("1997-01-01", "date")
    ('12.5%', '9 weeks', '1 order', '1997-01-01')
    >>> with use_language("fa"):
    ...     written("1997-01-01", "date")
    '۱۲ دی ۱۳۷۵ (۱ ژانویه ۱۹۹۷)'
    """
    if shape == "date":
        return _date(value)
    if shape == "span":
        return _span(float(value))
    if shape == "label":
        return _label(str(value))
    if "|" in shape:
        return _counted(value, shape)
    if shape == "digits":
        return in_digits(str(value))
    if isinstance(value, list | tuple):
        return (", " if _chosen.get() == ENGLISH else "، ").join(written(each, shape) for each in value)
    if isinstance(value, Number):
        return in_digits(format(value, shape))
    return _isolated(format(value, shape))


def writer(shape: str) -> Callable[[float], str]:
    """Return what `written` does to numbers by one format, for many of them.

    Examples
    --------
    >>> list(map(writer(",.0f"), [1234.5, 7.0]))
    ['1,234', '7']
    """
    named = shape in ("date", "span", "label", "digits") or "|" in shape
    return partial(written, shape=shape) if named or _chosen.get() != ENGLISH else f"{{:{shape}}}".format


def in_digits(number: str) -> str:
    """Write the digits and marks of a number that is written plainly.

    Examples
    --------
    >>> with use_language("fa"):
    ...     in_digits("-1,234.5%"), in_digits("1997-01")
    ('\u200e−۱٬۲۳۴٫۵٪\u200f', '۱۹۹۷-۰۱')
    """
    language = _chosen.get()
    if language == ENGLISH:
        return number
    digits, marks, signs = _notation(language)
    sign = signs.get(number[:1], "")
    plain = (number[1:] if sign else number).translate(digits).translate(marks)
    # The mark before a sign holds it at its number; the one behind ends that, or a number after it would change places.
    return f"{sign}{plain}{_RIGHT_TO_LEFT}" if sign.startswith(_LEFT_TO_RIGHT) else f"{sign}{plain}"


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


def translation(text: str, context: str = "") -> str:
    """Return a sentence in the chosen language, its placeholders not filled."""
    language, text = _chosen.get(), _instead.get().get(text, text)
    return text if language == ENGLISH else _catalogue(language).get((context, text), text)


@cache
def _catalogue(language: str) -> dict[tuple[str, str], str]:
    """Read a language's sentences by context and English text; those without a translation are left out."""
    from babel.messages.pofile import read_po

    with (files("features") / "languages" / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language, charset="utf-8")
    return {
        (each.context or "", str(each.id)): _FLAG.sub(_LEFT_TO_RIGHT + "--", str(each.string))
        for each in catalogue
        if each.id and each.string
    }


@cache
def _locale(language: str) -> Locale:
    from babel import Locale

    return Locale.parse(language)


@cache
def _notation(language: str) -> tuple[dict[int, int], dict[int, str], dict[str, str]]:
    """Return a language's digits, its marks and its signs, by the plain ones."""
    locale = _locale(language)
    system = locale.default_numbering_system
    symbols = locale.number_symbols[system]
    marks = {",": symbols["group"], ".": symbols["decimal"], "%": symbols["percentSign"]}
    digits = _DIGITS.get(system, "0123456789")
    minus = symbols["minusSign"]
    signs = {"-": minus, "−": minus, "+": symbols["plusSign"]}
    return str.maketrans("0123456789", digits), str.maketrans(marks), signs


def _isolated(text: str) -> str:
    """Keep a name in Latin letters from being torn apart in a text that runs from right to left."""
    latin = text_direction() == "rtl" and any("a" <= letter <= "z" for letter in text.lower())
    return f"{_FIRST_ISOLATE}{text}{_LAST_ISOLATE}" if latin else text


def currency(name: str) -> str:
    """Return a currency's name in the chosen language, by its code or "toman"; a name that is not known stays.

    Examples
    --------
    >>> with use_language("fa"):
    ...     currency("EUR"), currency("toman"), currency("points")
    ('یورو', 'تومان', 'points')
    """
    if _chosen.get() == ENGLISH:
        return name
    if name == "toman":
        return translated_in("currency", "toman")
    return str(_locale(_chosen.get()).currencies.get(name, name))


def day_of(value: datetime.date | str) -> datetime.date:
    """Return a day that may be written as ISO text."""
    return datetime.date.fromisoformat(value) if isinstance(value, str) else value


def _date(value: datetime.date | str) -> str:
    day = day_of(value)
    if _chosen.get() == ENGLISH:
        return f"{day:%Y-%m-%d}"
    from babel.dates import format_date

    gregorian = format_date(day, "long", locale=_chosen.get())
    if _chosen.get() != "fa":
        return in_digits(gregorian)
    year, month, of_month = jalali(day)
    return in_digits(f"{of_month} {_JALALI_MONTHS[month - 1]} {year} ({gregorian})")


_JALALI_MONTHS = (
    *("فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور"),
    *("مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"),
)


def _label(period: str) -> str:
    year, _, quarter = period.partition("-Q")
    if not quarter:
        # A hyphen between two numbers after a Persian letter would swap them.
        return in_digits(period if text_direction() == "ltr" else period.replace("-", "/"))
    return translated_in("period", "{year:digits}-Q{quarter:digits}", year=year, quarter=quarter)


def span_units() -> Sequence[tuple[str, float, float]]:
    """Return the units of a span: nouns in the chosen language, days up to which it is told in them, days of one."""
    return _span_units(_chosen.get())


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
    if _chosen.get() == ENGLISH:
        return f"{rounded} {nouns[0] if rounded == '1' else nouns[-1]}"
    rule = _locale(_chosen.get()).plural_form
    tags = [tag for tag in _PLURAL_TAGS if tag in {*rule.tags, "other"}]
    place = tags.index(rule(abs(round(number)))) if len(nouns) == len(tags) else -1
    return f"{in_digits(rounded)} {nouns[place]}"
