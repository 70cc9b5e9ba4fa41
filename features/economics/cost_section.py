"""The section of the cost of keeping, always by month."""

from __future__ import annotations

import pandas as pd

from features.economics.base import customer_base
from features.economics.costs import cost_of_keeping, shifts, shown_costs
from features.economics.indicators import with_periods
from features.economics.inputs import KEYS, CostInputs, Inputs
from features.economics.sales import sales
from features.economics.tables import Section, Table
from features.language import translatable, translated

NO_COSTS = translatable(
    "costs.toml ([[touchpoints]], [[pools]]; --costs) adds what keeping customers costs, and touchpoints.csv "
    "(customer_id, occurred_at, touchpoint, quantity; --touchpoints) what for."
)


def cost_section(inputs: Inputs) -> Section:
    """Return what keeping customers costs, always by month."""
    title = translated("Cost of keeping")
    if inputs.costs is None:
        return Section("costs", title, missing=(translated(NO_COSTS),))
    facts, unit = inputs.costs.facts, inputs.unit
    base = customer_base(facts)
    found = cost_of_keeping(facts, inputs.costs.touches, inputs.costs.table, base["start"])
    months = shown_costs(found, unit, facts.deflator).assign(provisional=facts.provisional())
    margins = sales(facts, base, unit)["margin"].to_numpy()
    months["margin_per_kept"] = margins / months["kept_customers"].where(months["kept_customers"] > 0)
    columns = [
        "kept_customers",
        "direct_cost",
        "pool_cost",
        "cost_of_keeping",
        "margin_per_kept",
        "lapsed_cost",
    ]
    shown = with_periods(months, facts)[[*KEYS, *columns, "acquisition_cost"]]
    journey = found.journey.assign(cost=unit.shown(found.journey["cents"])).drop(columns="cents")
    journey["cost_per_touch"] = journey["cost"] / journey["touches"].where(journey["touches"] > 0)
    booked = found.bookings
    amounts = {name: unit.shown(booked[f"{name}_cents"]) for name in ("booked", "allocated", "unallocated")}
    bookings = pd.DataFrame(
        {"item": booked["item"], **amounts, "touches_without_cost": booked["touches_without_cost"]}
    )
    moved = shifts(facts, inputs.costs.table, unit)
    tables = [
        Table("cost_of_keeping", translated("Cost of keeping by month"), shown),
        Table("journey", translated("Touchpoints"), journey),
        Table("bookings", translated("What was booked, and to whom"), bookings),
    ]
    if len(moved):
        tables.insert(
            2, Table("shift", translated("A tenth of the touches moved to a cheaper touchpoint"), moved)
        )
    return Section("costs", title, tuple(tables), tuple(_cost_notes(bookings, inputs.costs)))


def _cost_notes(bookings: pd.DataFrame, costs: CostInputs) -> list[str]:
    notes = []
    unpriced = bookings[bookings["touches_without_cost"] > 0]
    if len(unpriced):
        notes.append(
            translated(
                "{n:,} touches have no cost on their day and count as none: {names}. "
                "Add it under [[touchpoints]], with valid_from.",
                n=int(unpriced["touches_without_cost"].sum()),
                names=list(map(repr, unpriced["item"])),
            )
        )
    used = set(costs.touches.names)
    idle = sorted({each.touchpoint for each in costs.table.units} - used)
    if idle:
        notes.append(translated("There are costs without use: {names}.", names=list(map(repr, idle))))
    left = float(bookings["unallocated"].sum())
    if left:
        notes.append(
            translated(
                "{left:,.2f} of {booked:,.2f} booked could not be allocated: no customer of the log drives it "
                "(bookings.csv).",
                left=left,
                booked=float(bookings["booked"].sum()),
            )
        )
    return notes
