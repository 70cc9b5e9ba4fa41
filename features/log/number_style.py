"""How numbers are written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written.

    Attributes
    ----------
    decimal : str, the decimal mark, ``.`` or ``,``
    thousands : str, the mark between groups of three digits; empty for none
    accounting : bool
        Negative numbers may stand in parentheses or end with a minus, currency signs and codes beside them.
    blank_is_zero : bool
        An empty cell means 0.
    """

    decimal: str = "."
    thousands: str = ""
    accounting: bool = False
    blank_is_zero: bool = False
