"""Formats of numbers and dates in reports; undefined values are a dash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from math import isfinite

from features.language import in_digits, translated, written
from features.table.own import OWN_PREFIX
from training.churn.recipe import Recipe


def number(value: float, form: str = ".4f") -> str:
    """Write a number in a form of `format`, with a true minus sign.

    Examples
    --------
    >>> number(-0.00673), number(0.02, "+.3f"), number(float("nan"))
    ('−0.0067', '+0.020', '–')
    """
    return format(value, form).replace("-", "−") if isfinite(value) else "–"


def money(value: float) -> str:
    """Write an amount: with cents below a thousand, without them above.

    Examples
    --------
    >>> money(36.294), money(-12_345.6)
    ('36.29', '−12,346')
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


def day(value: date | str) -> str:
    """Write a date in words; a text is read as ISO.

    Examples
    --------
    >>> day("1998-04-01")
    '1 April 1998'
    """
    value = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{value.day} {value:%B %Y}"


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
        (order, translated("{cost} per order", cost=in_digits(money(order)))),
        (
            day,
            translated(
                "{cost} per day until {days:.0f} days after a purchase",
                cost=in_digits(money(day)),
                days=until,
            ),
        ),
        (lost, translated("{share} of spend never paid", share=in_digits(share(lost)))),
    )
    return written([text for cost, text in words if cost])


def files_in_words(recipe: Recipe) -> Iterator[str]:
    """Say what each file beside the log bought on rolling validation, and whether the models learn from it."""
    for name, gain in recipe.files.items():
        found = [f"log-loss of churn {number(gain.alone)} with it, {number(gain.without)} without"]
        kept = ["churn"] if gain.kept else []
        if spend := recipe.spend_files.get(name):
            found.append(f"deviance of spend {number(spend.alone)} and {number(spend.without)}")
            kept += ["spend"] if spend.kept else []
        learnt = (
            f"learnt from for {' and '.join(kept)}" if kept else "left out, as it gains no more than noise"
        )
        what = f"The feature {name}" if name.startswith(OWN_PREFIX) else f"The file of {name}"
        yield f"{what}: {'; '.join(found)}: {learnt}."
