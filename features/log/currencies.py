"""Currencies: the words and signs with which people write them, and the codes of ISO 4217 that these mean."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

_CODES = {
    **dict.fromkeys(("€", "EURO", "EUROS"), "EUR"),
    **dict.fromkeys(("$", "US$", "DOLLAR", "DOLLARS", "دلار"), "USD"),
    **dict.fromkeys(("£", "POUND", "POUNDS"), "GBP"),
    **dict.fromkeys(("RIAL", "RIALS", "ریال", "ريال", "﷼"), "IRR"),
    **dict.fromkeys(("TOMAN", "TOMANS", "TOMAAN", "تومان", "IRT"), "IRT"),
    **{"یورو": "EUR", "¥": "JPY", "₹": "INR", "₺": "TRY", "TL": "TRY", "₽": "RUB", "₩": "KRW"},
    **{"RMB": "CNY", "FR.": "CHF", "C$": "CAD", "A$": "AUD", "KR": "SEK", "ZŁ": "PLN", "درهم": "AED"},
}


def currency_code(word: str) -> str | None:
    """Return the code that a word means, if it means a currency.

    Examples
    --------
    >>> currency_code("€"), currency_code("eur "), currency_code("paid")
    ('EUR', 'EUR', None)
    """
    plain = word.strip().upper()
    return _CODES.get(plain) or (plain if plain in _known() else None)


def one_name(words: Iterable[str]) -> dict[str, str]:
    """Return each of some words for currencies under one name for all that mean the same: € is EUR beside EUR.

    Examples
    --------
    >>> one_name(["EUR", "€", "$", "points"])
    {'EUR': 'EUR', '€': 'EUR', '$': '$', 'points': 'points'}
    """
    given = list(words)
    codes = [currency_code(word) or word for word in given]
    return {word: code if codes.count(code) > 1 else word for word, code in zip(given, codes, strict=True)}


def same_currency(one: str, other: str) -> bool:
    """Tell whether two words mean one currency."""
    return (currency_code(one) or one) == (currency_code(other) or other)


@cache
def _known() -> frozenset[str]:
    from babel.numbers import list_currencies

    return frozenset(list_currencies())
