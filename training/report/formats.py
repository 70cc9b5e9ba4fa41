"""Formats of numbers and dates in reports; undefined values are a dash."""

from __future__ import annotations

from datetime import date
from math import isfinite


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
