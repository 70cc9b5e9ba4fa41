"""Formats of numbers and dates in reports; undefined values are a dash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from math import isfinite

from features.language import ENGLISH, current_language, day_of, in_digits, translatable, translated, written
from features.table.baskets import PRICES, PRODUCTS
from features.table.own import OWN_PREFIX
from features.table.seasons import SEASONS
from training.churn.file_choice import FileGain
from training.churn.recipe import Recipe

_LEARNT = {
    (True, True): translatable("learnt from for churn and spend"),
    (True, False): translatable("learnt from for churn"),
    (False, True): translatable("learnt from for spend"),
    (False, False): translatable("left out, as it gains no more than noise"),
}
"""By whether the models of churn and of spend keep a file."""


def number(value: float, form: str = ".4f") -> str:
    """Write a number in a form of `format`.

    Examples
    --------
    >>> number(-0.00673), number(0.02, "+.3f"), number(float("nan"))
    ('-0.0067', '+0.020', '–')
    """
    return in_digits(format(value, form)) if isfinite(value) else "–"


def money(value: float) -> str:
    """Write an amount: with cents below a thousand, without them above.

    Examples
    --------
    >>> money(36.294), money(-12_345.6)
    ('36.29', '-12,346')
    """
    return number(value, ",.0f" if abs(value) >= 999.995 else ",.2f")


def share(value: float) -> str:
    """Write a share as a percentage.

    Examples
    --------
    >>> share(0.8599)
    '86.0%'
    """
    return number(value, ".1%")


def between(low: str, high: str) -> str:
    """Write an interval by its ends.

    Examples
    --------
    >>> between("0.10", "0.20")
    '0.10 to 0.20'
    """
    return translated("{low} to {high}", low=low, high=high)


def count(value: float) -> str:
    """Write a count.

    Examples
    --------
    >>> count(69659)
    '69,659'
    """
    return number(value, ",.0f")


def day(value: date | str) -> str:
    """Write a date in words; a text is read as ISO.

    Examples
    --------
    >>> day("1998-04-01")
    '1 April 1998'
    """
    value = day_of(value)
    return f"{value.day} {value:%B %Y}" if current_language() == ENGLISH else written(value, "date")


def costs_in_words(costs: Mapping[str, float]) -> str:
    """Say what customers cost, of `ValueTerms.costs` or of a scored list; an empty text where they cost nothing.

    Examples
    --------
    >>> costs_in_words({"cost_per_order": 4, "cost_per_day": 0.05, "bad_debt_rate": 0, "inactivity_days": 180})
    '4.00 per order, 0.05 per day until 180 days after a purchase'
    """
    order, day, lost = (costs.get(name, 0) for name in ("cost_per_order", "cost_per_day", "bad_debt_rate"))
    until = costs.get("inactivity_days", 0)
    words = (
        (order, translated("{cost} per order", cost=money(order))),
        (
            day,
            translated(
                "{cost} per day until {days:.0f} days after a purchase",
                cost=money(day),
                days=until,
            ),
        ),
        (lost, translated("{share} of spend never paid", share=share(lost))),
    )
    return written([text for cost, text in words if cost])


def files_in_words(recipe: Recipe) -> Iterator[str]:
    """Say what each file beside the log bought on rolling validation, and whether the models learn from it."""
    for name, gain in recipe.files.items():
        found = translated(
            "log-loss of churn {alone} with it, {without} without",
            alone=number(gain.alone),
            without=number(gain.without),
        )
        of_spend = []
        if frequency := recipe.frequency_files.get(name):
            found = translated(
                "{before}; deviance of frequency {alone} and {without}", **_before(found, frequency)
            )
            of_spend.append(frequency.kept)
        if price := recipe.price_files.get(name):
            found = translated("{before}; deviance of price {alone} and {without}", **_before(found, price))
            of_spend.append(price.kept)
        learnt = translated(_LEARNT[gain.kept, any(of_spend)])
        yield translated("{what}: {gain}: {learnt}.", what=_what(name), gain=found, learnt=learnt)


def _before(found: str, gain: FileGain) -> dict[str, str]:
    return {"before": found, "alone": number(gain.alone), "without": number(gain.without)}


_GROUPS = {
    SEASONS: translatable("The time of year at which customers buy (anniversaries ahead)"),
    PRODUCTS: translatable("What customers buy (products, categories, units)"),
    PRICES: translatable("What customers pay (prices, discounts, margins)"),
}


def _what(name: str) -> str:
    """Name a file, a group of features of seasons or baskets, or an own feature."""
    if name in _GROUPS:
        return translated(_GROUPS[name])
    if name.startswith(OWN_PREFIX):
        return translated("The feature {name}", name=name)
    return translated("The file of {name}", name=name)
