"""The section of the cost of keeping, always by month."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.economics.acquisition import acquisition
from features.economics.base import customer_base
from features.economics.cost_forecast import forecast_costs
from features.economics.cost_forecast_words import (
    forecast_gaps,
    forecast_notes,
    forecast_table,
    too_few_months,
)
from features.economics.costs import cost_of_keeping, shifts, shown_costs
from features.economics.indicators import with_periods
from features.economics.inputs import KEYS, CostInputs, Inputs, missing
from features.economics.money import MoneyUnit
from features.economics.sales import sales
from features.economics.segments import EVERYONE
from features.economics.tables import Section, Table
from features.language import translated, written

_MONTHS = 12
_MONTHLY = [
    *(*KEYS, "kept_customers", "direct_cost", "pool_cost", "cost_of_keeping"),
    *("margin_per_kept", "lapsed_cost", "acquisition_cost"),
]
"""Columns of the table by month."""


def cost_section(inputs: Inputs) -> Section:
    """Return what keeping customers costs, always by month."""
    title = translated("Cost of keeping")
    if inputs.costs is None:
        return Section("costs", title, missing=missing(costs=None, touchpoints=None))
    facts, unit = inputs.costs.facts, inputs.unit
    base = customer_base(facts)
    found = cost_of_keeping(facts, inputs.costs.touches, inputs.costs.table, base["start"])
    months = shown_costs(found, unit, facts.deflator).assign(provisional=facts.provisional(dated=True))
    margins = sales(facts, base, unit)["margin"].to_numpy()
    months["margin_per_kept"] = margins / months["kept_customers"].where(months["kept_customers"] > 0)
    shown = with_periods(months, facts)[_MONTHLY]
    bookings = _bookings(found.bookings, unit)
    moved = shifts(facts, inputs.costs.table, unit)
    tables = [
        Table("cost_of_keeping", translated("Cost of keeping by month"), shown),
        Table("journey", translated("Touchpoints"), _journey(found.journey, unit)),
        Table("bookings", translated("What was booked, and to whom"), bookings),
    ]
    if len(moved):
        tables.insert(
            2, Table("shift", translated("A tenth of the touches moved to a cheaper touchpoint"), moved)
        )
    if inputs.spend is not None:
        tables.insert(1, _acquiring_and_keeping(months, inputs))
    notes, gaps = [], forecast_gaps(facts, inputs.costs)
    forecast = forecast_costs(facts, inputs.costs.table)
    if forecast is None:
        notes.append(too_few_months())
    else:
        tables.insert(2, forecast_table(forecast, unit))
        notes += forecast_notes(forecast, facts, unit)
    return Section(
        "costs",
        title,
        tuple(tables),
        tuple(notes),
        missing=missing(touchpoints=bool(inputs.costs.touches.names)),
        findings=(*_findings(bookings, inputs.costs), *gaps),
    )


def _journey(found: pd.DataFrame, unit: MoneyUnit) -> pd.DataFrame:
    journey = found.assign(cost=unit.shown(found["cents"])).drop(columns="cents")
    journey["cost_per_touch"] = journey["cost"] / journey["touches"].where(journey["touches"] > 0)
    return journey


def _bookings(booked: pd.DataFrame, unit: MoneyUnit) -> pd.DataFrame:
    amounts = {name: unit.shown(booked[f"{name}_cents"]) for name in ("booked", "allocated", "unallocated")}
    return pd.DataFrame(
        {"item": booked["item"], **amounts, "touches_without_cost": booked["touches_without_cost"]}
    )


def _acquiring_and_keeping(months: pd.DataFrame, inputs: Inputs) -> Table:
    """Set what acquiring a customer costs beside a year of keeping one, by the last closed months."""
    if inputs.costs is None:
        raise ValueError("Without costs there is nothing to set beside acquisition.")
    facts = inputs.costs.facts
    closed = np.flatnonzero(~facts.periods.open)[-_MONTHS:]
    own = months[(months["segment"] == EVERYONE) & months["period"].isin(closed)]
    came = acquisition(facts, inputs.spend, inputs.unit)
    came = came[(came["channel"] == EVERYONE) & came["period"].isin(closed)]
    acquired, kept = int(came["acquired"].sum()), int(own["kept_customers"].sum())
    cac = came["spend"].sum() / acquired if acquired else np.nan
    keeping = _MONTHS * (own["direct_cost"] + own["pool_cost"]).sum() / kept if kept else np.nan
    row = {
        "from": [facts.periods.all[closed[0]].start if len(closed) else facts.periods.first_day],
        "to": [facts.periods.all[closed[-1]].end if len(closed) else facts.periods.known_until],
        "cac": [cac],
        "keeping_a_year": [keeping],
        "cac_to_keeping": [cac / keeping if keeping > 0 else np.nan],
    }
    return Table(
        "acquiring_and_keeping", translated("Acquiring a customer, and keeping one"), pd.DataFrame(row)
    )


def _findings(bookings: pd.DataFrame, costs: CostInputs) -> list[str]:
    found = [finding.message for finding in costs.touches.findings]
    unpriced = bookings[bookings["touches_without_cost"] > 0]
    if len(unpriced):
        found.append(
            translated(
                "{n:touch has|touches have} no cost on their day and count as none: {names}. "
                "Add it under [[touchpoints]], with valid_from.",
                n=int(unpriced["touches_without_cost"].sum()),
                names=[
                    f"{row['item']!r} ({written(int(row['touches_without_cost']), ',')})"
                    for _, row in unpriced.iterrows()
                ],
            )
        )
    used = set(costs.touches.names)
    idle = sorted({each.touchpoint for each in costs.table.units} - used)
    if idle:
        found.append(
            translated(
                "There are costs of touchpoints that nobody was touched by: {names}. Compare how they are written.",
                names=list(map(repr, idle)),
            )
        )
    left = float(bookings["unallocated"].sum())
    if left:
        found.append(
            translated(
                "{left:,.2f} of {booked:,.2f} booked could not be allocated, for no customer of the log drives it: "
                "{names} (bookings.csv).",
                left=left,
                names=list(map(repr, bookings["item"][bookings["unallocated"] > 0])),
                booked=float(bookings["booked"].sum()),
            )
        )
    return found
