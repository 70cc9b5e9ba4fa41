"""Numbers and dates as a language writes them, and names that stand in it."""

from __future__ import annotations

import datetime
import re
from functools import cache

from features.jalali import jalali
from features.language.choice import ENGLISH, current_language, locale_of, text_direction

LEFT_TO_RIGHT, _RIGHT_TO_LEFT = "\u200e", "\u200f"
_FIRST_ISOLATE, _LAST_ISOLATE = "\u2068", "\u2069"
_SIGNED_ZERO = re.compile(r"[-+](0(?:\.0+)?%?)")
_DIGITS = {"arabext": "۰۱۲۳۴۵۶۷۸۹"}
JALALI_MONTHS = (
    *("فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور"),
    *("مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"),
)


def in_digits(number: str) -> str:
    """Write the digits and marks of a number that is written plainly; what rounds to zero has no sign.

    A minus sign is as good as a hyphen: pictures write it.

    Examples
    --------
    >>> in_digits("-0.00"), in_digits("+0.0%"), in_digits("-0.01"), in_digits("−5")
    ('0.00', '0.0%', '-0.01', '-5')
    >>> from features.language.choice import use_language
    >>> with use_language("fa"):
    ...     in_digits("-1,234.5%"), in_digits("1997-01")
    ('\u200e−۱٬۲۳۴٫۵٪\u200f', '۱۹۹۷-۰۱')
    """
    number = number.replace("−", "-")
    if zero := _SIGNED_ZERO.fullmatch(number):
        number = zero[1]
    language = current_language()
    if language == ENGLISH:
        return number
    digits, marks, signs = _notation(language)
    sign = signs.get(number[:1], "")
    plain = (number[1:] if sign else number).translate(digits).translate(marks)
    # The mark before a sign holds it at its number; the one behind ends that, or a number after it would change places.
    return f"{sign}{plain}{_RIGHT_TO_LEFT}" if sign.startswith(LEFT_TO_RIGHT) else f"{sign}{plain}"


@cache
def _notation(language: str) -> tuple[dict[int, int], dict[int, str], dict[str, str]]:
    """Return a language's digits, its marks and its signs, by the plain ones."""
    locale = locale_of(language)
    system = locale.default_numbering_system
    symbols = locale.number_symbols[system]
    marks = {",": symbols["group"], ".": symbols["decimal"], "%": symbols["percentSign"]}
    digits = _DIGITS.get(system, "0123456789")
    signs = {"-": symbols["minusSign"], "+": symbols["plusSign"]}
    return str.maketrans("0123456789", digits), str.maketrans(marks), signs


def isolated(text: str) -> str:
    """Keep a name in Latin letters from being torn apart in a text that runs from right to left."""
    latin = text_direction() == "rtl" and any("a" <= letter <= "z" for letter in text.lower())
    return f"{_FIRST_ISOLATE}{text}{_LAST_ISOLATE}" if latin else text


def day_of(value: datetime.date | str) -> datetime.date:
    """Return a day that may be written as ISO text."""
    return datetime.date.fromisoformat(value) if isinstance(value, str) else value


def day_in_words(value: datetime.date | str) -> str:
    """Write a day; in Persian the Jalali date, with the Gregorian one beside it."""
    day = day_of(value)
    if current_language() == ENGLISH:
        return f"{day:%Y-%m-%d}"
    from babel.dates import format_date

    gregorian = format_date(day, "long", locale=current_language())
    if current_language() != "fa":
        return in_digits(gregorian)
    year, month, of_month = jalali(day)
    return in_digits(f"{of_month} {JALALI_MONTHS[month - 1]} {year} ({gregorian})")


def short_day(day: datetime.date | None) -> str:
    """Write a day in few letters: ISO, or in Persian the Jalali date alone; no day is no letters.

    Examples
    --------
    >>> from features.language.choice import use_language
    >>> with use_language("fa"):
    ...     in_persian = short_day(datetime.date(2015, 4, 25))
    >>> short_day(datetime.date(2015, 4, 25)), in_persian
    ('2015-04-25', '۱۳۹۴/۰۲/۰۵')
    """
    if day is None:
        return ""
    if current_language() != "fa":
        return day.isoformat()
    year, month, of_month = jalali(day)
    return in_digits(f"{year}/{month:02}/{of_month:02}")
