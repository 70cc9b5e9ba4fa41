"""Checks of the figures that a calculation is given, and of what comes of it."""

from __future__ import annotations

import math

from features.errors import StayworthError
from features.language import translated

_HIGHEST_RATE, _WHOLE_RATE, _HIGHEST_DISCOUNT = 10, 2, 2


def require(holds: bool, message: str) -> None:
    """Raise a StayworthError unless a condition holds."""
    if not holds:
        raise StayworthError(message)


def require_finite(value: float) -> float:
    """Return a number; raise a StayworthError if it is none, or an infinite one."""
    require(
        math.isfinite(value), f"The result is {value:g}: a figure is no number, or far too large or small."
    )
    return value


def power(base: float, exponent: float) -> float:
    """Return ``base ** exponent``; raise a StayworthError if that is too large for a number."""
    try:
        return require_finite(float(base**exponent))
    except (OverflowError, ZeroDivisionError):
        raise StayworthError(
            translated(
                "{base} to the power of {exponent} is too large for a number: give fewer years, or another rate.",
                base=f"{base:g}",
                exponent=f"{exponent:g}",
            )
        ) from None


def require_share(value: float, what: str) -> None:
    """Raise a StayworthError if a number is no share in [0, 1]."""
    require(0 <= value <= 1, f"{what} is {value:g}; it must be between 0 and 1. Write 5% as 0.05.")


def require_discount_rate(value: float) -> float:
    """Return a yearly discount rate; raise a StayworthError if it is none, such as 8.5 for 8.5%.

    Examples
    --------
    >>> require_discount_rate(0.085)
    0.085
    """
    require_rate(value, "The discount rate", highest=_HIGHEST_DISCOUNT)
    return value


def require_rate(value: float, what: str, *, highest: float = _HIGHEST_RATE) -> None:
    """Raise a StayworthError if a yearly rate is at or below -100%, or as high as a percentage that is no fraction.

    Inflation of 211% a year is one that there was: only a whole number from 2 on, and all from 10 on, are percentages.
    """
    require(value > -1, f"{what} must be above -100%.")
    percentage = value >= highest or (value >= _WHOLE_RATE and value == round(value))
    require(not percentage, f"{what} is {value:g}, which is {value:.0%} a year. Write 15% as 0.15.")
