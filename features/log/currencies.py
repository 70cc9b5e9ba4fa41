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
    **{"R$": "BRL", "HK$": "HKD", "S$": "SGD", "NZ$": "NZD", "RS": "INR", "RS.": "INR"},
}
_DOLLARS = frozenset(
    ["USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP", "UYU", "DOP"]
)
_POUNDS = frozenset(["GBP", "EGP", "LBP", "SYP", "SDG", "GIP", "FKP"])
_RUPEES = frozenset(["INR", "PKR", "LKR", "NPR", "MUR", "SCR"])
_OF_SEVERAL = {
    **dict.fromkeys(("$", "DOLLAR", "DOLLARS", "دلار"), _DOLLARS),
    **dict.fromkeys(("£", "POUND", "POUNDS"), _POUNDS),
    **dict.fromkeys(("RS", "RS."), _RUPEES),
    **dict.fromkeys(("﷼", "RIAL", "RIALS"), frozenset(["IRR", "OMR", "QAR", "SAR", "YER"])),
    **{"¥": frozenset({"JPY", "CNY"}), "KR": frozenset(["SEK", "NOK", "DKK", "ISK"])},
}
"""Words that people of several countries use, each for their own money."""


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
    """Tell whether two words mean one currency, or may.

    Examples
    --------
    >>> same_currency("€", "EUR"), same_currency("$", "CAD"), same_currency("US$", "CAD")
    (True, True, False)
    """
    return not _meanings(one).isdisjoint(_meanings(other))


def _meanings(word: str) -> frozenset[str]:
    several = _OF_SEVERAL.get(word.strip().upper())
    return several or frozenset({currency_code(word) or word})


@cache
def _known() -> frozenset[str]:
    from babel.numbers import list_currencies

    return frozenset(list_currencies())
