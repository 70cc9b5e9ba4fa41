"""Which language people read: chosen once for all that runs inside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Literal, get_args

from features.errors import StayworthError

if TYPE_CHECKING:
    from babel import Locale

Language = Literal["en", "fa"]
LANGUAGES = get_args(Language)
ENGLISH = "en"

_MOST_ACCEPTED = 20
_chosen: ContextVar[str] = ContextVar("language", default=ENGLISH)


@contextmanager
def use_language(language: str) -> Iterator[None]:
    """Choose the language of all that is written inside, in this thread or task.

    Raises
    ------
    StayworthError
        If there is no catalogue of it.

    Examples
    --------
    >>> from features.language import written
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
    return "ltr" if _chosen.get() == ENGLISH else str(locale_of(_chosen.get()).text_direction)


@cache
def locale_of(language: str) -> Locale:
    """Return what is known of a language's numbers, plurals and direction."""
    from babel import Locale

    return Locale.parse(language)
