"""What a campaign's measurement shows, in a sentence of the reader's language."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any, Protocol

from features.language import translatable, translated, written
from training.campaign.settings import Measure

MEASURES = {
    "retention": translatable("share who bought"),
    "orders": translatable("orders per customer"),
    "margin": translatable("margin per customer"),
    "profit": translatable("profit per customer"),
    "future_profit": translatable("profit per customer, at the plan's value of those kept"),
    "delay_days": translatable("days to the next order"),
}
_MOST_TIMES = 1000


class Difference(Protocol):
    """Contacted less held out, and the interval that holds it with this confidence."""

    @property
    def difference(self) -> float:
        """Per customer."""

    @property
    def low(self) -> float:
        """Lower end."""

    @property
    def high(self) -> float:
        """Upper end."""

    @property
    def confidence(self) -> float:
        """Of the interval, in (0, 1)."""


def verdict(found: Difference, measure: Measure, *, start: date, days: int, of: int, customers: int) -> str:
    """Say in a sentence what the measure that a campaign is judged by shows, or what it would take.

    Parameters
    ----------
    found : Difference
    measure : one of ``MEASURES``
    start : date, first day of the campaign
    days, of : int
        Days that were measured, and those of the churn window.
    customers : int, contacted and held out
    """
    complete, conclusive = days >= of, found.low > 0 or found.high < 0
    named = {
        "name": translated(MEASURES[measure]),
        "shown": _interval(found, measure, complete, signed=not conclusive),
        "days": days,
        "of": of,
        "closes": start + timedelta(days=of),
    }
    if conclusive:
        return _conclusive(complete, found.difference > 0, named)
    if not complete:
        return translated(
            "No verdict yet, after {days:,} of {of:day|days}: the {name} differs by {shown}. The window closes on "
            "{closes:date}.",
            **named,
        )
    said = translated("The data can't tell yet: the {name} differs by {shown}.", **named)
    times = _times_the_customers(found)
    if math.isfinite(times) and times < _MOST_TIMES:
        return f"{said} " + translated(
            "If that is the true size, about {n:customer|customers} would show it.",
            n=math.ceil(times * customers),
        )
    return f"{said} " + translated("There is no difference in sight that more customers would show.")


def _times_the_customers(found: Difference) -> float:
    """Return by how much a campaign would have to grow for this difference to stand clear of zero.

    Examples
    --------
    >>> from training.campaign.effect import Effect
    >>> round(_times_the_customers(Effect(2.0, 1.0, -1.0, 3.0, 1.2, 900, 100)), 1)  # half width 2 beside 1: 2²
    4.0
    """
    half = (found.high - found.low) / 2
    return math.inf if found.difference == 0 else (half / abs(found.difference)) ** 2


def _conclusive(complete: bool, raised: bool, named: dict[str, Any]) -> str:
    if complete and raised:
        return translated("The campaign raised the {name} by {shown}.", **named)
    if complete:
        return translated("The campaign lowered the {name} by {shown}.", **named)
    early = translated(
        "Early differences often shrink; the whole window closes on {closes:date}.", closes=named["closes"]
    )
    said = (
        translated("After {days:,} of {of:day|days} the campaign has raised the {name} by {shown}.", **named)
        if raised
        else translated(
            "After {days:,} of {of:day|days} the campaign has lowered the {name} by {shown}.", **named
        )
    )
    return f"{said} {early}"


def _interval(found: Difference, measure: str, complete: bool, *, signed: bool) -> str:
    """Write a difference with its interval; without its sign where the sentence says it."""
    times, shape = (100, "+,.1f") if measure == "retention" else (1, "+,.2f")
    difference, low, high = (
        written(times * each, shape) for each in (found.difference, found.low, found.high)
    )
    if not signed:
        difference = written(times * abs(found.difference), shape[1:])
    named = {"level": found.confidence, "shown": difference, "low": low, "high": high}
    if measure == "retention" and complete:
        return translated("{shown} points ({level:.0%}: {low} to {high})", **named)
    if measure == "retention":
        return translated("{shown} points ({level:.0%}, at whatever day one looks: {low} to {high})", **named)
    if complete:
        return translated("{shown} ({level:.0%}: {low} to {high})", **named)
    return translated("{shown} ({level:.0%}, at whatever day one looks: {low} to {high})", **named)
