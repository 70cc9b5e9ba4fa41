"""What the workbench calls ranges, columns and kinds, and how it says in a few words what a number means."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from features.language import short_day, translatable, translated, translated_in, written
from serving.store.rankings import BANDS
from training.model.retold_reasons import retold_reason

BAND_NAMES = {
    "very likely": translatable("very likely to leave"),
    "likely": translatable("likely to leave"),
    "possible": translatable("may leave"),
    "unlikely": translatable("likely to stay"),
}
COLUMN_NAMES = {
    "churn": translatable("Churn"),
    "value_at_risk": translatable("Value at risk"),
    "expected_value": translatable("Expected value"),
    "value_at_stake": translatable("Value at stake"),
    "value_tier": translatable("Tier"),
    "stage": translatable("Stage"),
    "last_purchase_date": translatable("Last purchase"),
    "next_purchase_date": translatable("Next purchase"),
    "spend_per_purchase": translatable("Spend per purchase"),
    "reason": translatable("Reason"),
}
"""Columns that the table of customers can show besides the id."""

USUAL_COLUMNS = (
    *("churn", "value_at_risk", "expected_value", "value_tier", "stage", "last_purchase_date", "reason"),
)
ORDER_NAMES = {
    "value_at_risk": translatable("value at risk"),
    "expected_value": translatable("expected value"),
    "churn_probability": translatable("churn probability"),
    "last_purchase_date": translatable("last purchase"),
}


def band_of(probability: float) -> str:
    """Return the range of a churn probability.

    Examples
    --------
    >>> band_of(0.8), band_of(0.1999)
    ('very likely', 'unlikely')
    """
    return next(name for name, lowest in BANDS.items() if probability >= lowest or lowest == 0.0)


def silence(last: date | None, snapshot: date) -> str:
    """Say how long a customer had been silent at a day.

    Examples
    --------
    >>> silence(date(2026, 1, 1), date(2026, 3, 5)), silence(date(2026, 3, 4), date(2026, 3, 5))
    ('silent for 9 weeks', 'silent for 1 day')
    """
    if last is None:
        return ""
    return translated("silent for {days:span}", days=(snapshot - last).days)


def rhythm(usual_gap_days: float | None) -> str:
    """Say how often a customer buys; empty where it is not known, as of who bought once.

    Examples
    --------
    >>> rhythm(21.4), rhythm(1.0), rhythm(None)
    ('every 3 weeks', 'every day', '')
    """
    if usual_gap_days is None:
        return ""
    days = max(round(usual_gap_days), 1)
    return translated("every day") if days == 1 else translated("every {days:span}", days=days)


def habit(row: Any, snapshot: date) -> str:
    """Say a customer's rhythm and silence at a day, as ``every 3 weeks, silent for 9 weeks``."""
    said = [rhythm(row.usual_gap_days), silence(row.last_purchase_date, snapshot)]
    return translated("{often}, {silent}", often=said[0], silent=said[1]) if all(said) else "".join(said)


def money(value: float | None) -> str:
    """Write money without its fraction where it is large.

    Examples
    --------
    >>> money(1234.56), money(12.345), money(None)
    ('1,235', '12.35', '–')
    """
    if value is None:
        return "–"
    return written(value, ",.0f" if abs(value) >= 100 else ",.2f")


CELLS: dict[str, Callable[[Any], str]] = {
    "value_at_risk": lambda row: money(row.value_at_risk),
    "expected_value": lambda row: money(row.expected_value),
    "value_at_stake": lambda row: money(row.value_at_stake),
    "value_tier": lambda row: translated_in("value", row.value_tier),
    "stage": lambda row: translated_in("value", row.stage) if row.stage else "",
    "last_purchase_date": lambda row: short_day(row.last_purchase_date),
    "next_purchase_date": lambda row: short_day(row.next_purchase_date) or "–",
    "spend_per_purchase": lambda row: money(row.spend_per_purchase),
    "reason": lambda row: retold_reason(row.reasons[0]) if row.reasons else "",
}
"""How a cell of a column is written; the column ``churn`` is drawn by the template."""
