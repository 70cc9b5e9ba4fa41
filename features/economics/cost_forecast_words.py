"""The forecast of costs as a table and in sentences: what is expected, how well such forecasts did, what was closer."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from features.economics.catalogue import INDICATORS
from features.economics.cost_forecast import BAND, TRAILING_MONTHS, Forecast
from features.economics.facts import Facts
from features.economics.inputs import CostInputs
from features.economics.money import MoneyUnit
from features.economics.tables import Table
from features.language import translated

_MONEY = {
    "forecast": "forecast_cents",
    "forecast_low": "low_cents",
    "forecast_high": "high_cents",
    "plain_forecast": "plain_cents",
}


def forecast_table(found: Forecast, unit: MoneyUnit) -> Table:
    """Return the forecast in money, a row for each touchpoint and pool, the last for all."""
    period, rows = found.period, found.rows
    shown = rows.assign(**{name: unit.shown(rows[cents].round()) for name, cents in _MONEY.items()})
    shown = shown.assign(period=period.label, to=period.end, forecast_closer=rows["closer"])
    shown["from"] = period.start
    columns = ["period", "from", "to", "cost_item", "forecast", "forecast_low", "forecast_high"]
    columns += ["forecast_error", "plain_method", "plain_forecast", "plain_error", "forecast_closer"]
    columns += ["months_judged", "band_tried", "band_held"]
    return Table("cost_forecast", translated("Forecast of the next month's costs"), shown[columns])


def too_few_months() -> str:
    """Say what a forecast takes."""
    return translated(
        "Costs are not forecast: that takes costs in {n:closed month|closed months} that begin after the inactivity "
        "window of the log's start.",
        n=TRAILING_MONTHS,
    )


def forecast_notes(found: Forecast, facts: Facts, unit: MoneyUnit) -> list[str]:
    """Say what the next month costs, how far such forecasts were off, and where a plain one was closer."""
    whole = found.rows.iloc[-1]
    notes = [_expected(found, whole, unit)]
    if facts.deflator is not None:
        notes.append(
            translated("The forecast of costs is in money as booked, not at the prices of one month.")
        )
    if not found.judged or np.isnan(whole["forecast_error"]):
        notes.append(
            translated(
                "The forecast of costs is not judged yet: no closed month has months enough before it."
            )
        )
        return notes
    notes.append(_comparison(found, whole, unit))
    worse = found.rows[:-1]
    names = worse.loc[worse["closer"] == False, "cost_item"].tolist()  # noqa: E712  None is neither
    if names:
        notes.append(
            translated(
                "The plain forecast was closer for {names} (cost_forecast.csv): take that for them.",
                names=list(map(repr, names)),
            )
        )
    if whole["band_tried"]:
        notes.append(
            translated(
                "The band of all costs is meant to hold {meant:.0%} of months: it held {held:,} of {n:month|months} "
                "that it was tried on, each by the months before it.",
                meant=BAND,
                held=whole["band_held"],
                n=whole["band_tried"],
            )
        )
    return notes


def _expected(found: Forecast, whole: pd.Series, unit: MoneyUnit) -> str:
    terms = {"period": found.period.label, "forecast": float(unit.shown(whole["forecast_cents"]))}
    if np.isnan(whole["low_cents"]):
        return translated(
            "Keeping customers is expected to cost {forecast:,.2f} in {period:label}; too few months are judged for a "
            "band.",
            **terms,
        )
    return translated(
        "Keeping customers is expected to cost {forecast:,.2f} in {period:label}, {low:,.2f} to {high:,.2f}.",
        low=float(unit.shown(whole["low_cents"])),
        high=float(unit.shown(whole["high_cents"])),
        **terms,
    )


def _comparison(found: Forecast, whole: pd.Series, unit: MoneyUnit) -> str:
    terms = {
        "n": found.judged,
        "error": whole["forecast_error"],
        "plain": INDICATORS["plain_method"].shown(whole["plain_method"]),
        "plain_error": whole["plain_error"],
    }
    if whole["closer"]:
        return translated(
            "Forecasts of {n:closed month|closed months}, each by the months before it, were off by {error:.1%} of the "
            "costs; the best plain forecast ({plain}) by {plain_error:.1%}.",
            **terms,
        )
    return translated(
        "Forecasts of {n:closed month|closed months}, each by the months before it, were off by {error:.1%} of the "
        "costs; a plain forecast ({plain}) did as well or better, by {plain_error:.1%}: take its {cost:,.2f}.",
        cost=float(unit.shown(whole["plain_cents"])),
        **terms,
    )


def forecast_gaps(facts: Facts, costs: CostInputs) -> list[str]:
    """Say what ends before the last closed month, and so is forecast as if it had stopped."""
    closed = int(np.count_nonzero(~facts.periods.open))
    if not closed:
        return []
    last, gaps = facts.periods.all[closed - 1], []
    if costs.touches.names:
        day = date(1970, 1, 1) + timedelta(days=int(pc.max(costs.touches.table["day"]).as_py()))
        if day < last.start:
            gaps.append(
                translated(
                    "The last touch is of {day:date}, before {period:label}: later months are forecast as if touches "
                    "had stopped. Give --touchpoints up to the log's end.",
                    day=day,
                    period=last.label,
                )
            )
    booked: dict[str, int] = {}
    for pool, month in costs.table.pool_months(facts.periods):
        if month is not None and pool.cents and month < closed:
            booked[pool.pool] = max(month, booked.get(pool.pool, 0))
    stopped = sorted(name for name, month in booked.items() if month < closed - 1)
    if stopped:
        gaps.append(
            translated(
                "No cost is booked in {period:label} for the pools {names}: they are forecast to cost nothing.",
                period=last.label,
                names=list(map(repr, stopped)),
            )
        )
    return gaps
