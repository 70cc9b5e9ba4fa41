"""The report: all sections from a log and the optional files there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.economics.acquisition import Spend, acquisition
from features.economics.base import customer_base
from features.economics.catalogue import BASE_COLUMNS, SALES_COLUMNS
from features.economics.cohorts import first_covering, purchases, triangle
from features.economics.cost_table import CostTable
from features.economics.costs import cost_of_keeping, shown_costs
from features.economics.facts import Facts
from features.economics.indicators import churn_lead, indicators, lead_sentence, with_periods
from features.economics.money import MoneyUnit
from features.economics.relationship import half_years
from features.economics.sales import sales
from features.economics.segments import EVERYONE
from features.economics.tables import EconomicsReport, Section, Table, Terms
from features.economics.targets import MISSED, Targets
from features.economics.touches import Touches

_KEYS = ["segment", "period", "from", "to", "provisional"]
NO_MARGINS = (
    "Margins are empty: they come from the log's column margin, or from --margin, a share of net revenue."
)

NO_SPEND = (
    "spend.csv (channel, from, to, amount; --spend) adds what acquiring a customer costs, and when a cohort has "
    "paid back."
)


@dataclass(frozen=True)
class CostInputs:
    """What the cost of keeping is computed from: the facts by month, touches, and what they and overhead cost."""

    facts: Facts
    touches: Touches
    table: CostTable


@dataclass(frozen=True)
class Inputs:
    """What there is beside the log.

    Attributes
    ----------
    unit : MoneyUnit
    spend, targets : optional
    channel_of : mapping of customer ids to their acquisition channel, optional
    segment : str, what customers are told apart by; empty for nothing
    margin : str, where margins come from; empty if they are not known
    costs : CostInputs, optional
    """

    unit: MoneyUnit = MoneyUnit()
    spend: Spend | None = None
    targets: Targets | None = None
    channel_of: Mapping[str, str | None] | None = None
    segment: str = ""
    margin: str = ""
    costs: CostInputs | None = None


def build_report(facts: Facts, inputs: Inputs) -> EconomicsReport:
    """Compute every section that the log and the files allow."""
    table = indicators(facts, inputs.unit)
    channels = _channels(facts, inputs)
    periods = facts.periods
    terms = Terms(
        inactivity_days=facts.inactivity_days,
        period=periods.length,
        calendar=periods.calendar,
        first_day=periods.first_day.isoformat(),
        last_day=periods.last_day.isoformat(),
        money_unit=inputs.unit.name,
        real_money_of=facts.deflator.base if facts.deflator else "",
        segment=inputs.segment,
        margin=inputs.margin,
    )
    sections = (
        _indicator_section(facts, inputs, table, channels),
        _cohort_section(facts, inputs, channels),
        _acquisition_section(facts, inputs, channels),
        _cost_section(inputs),
    )
    return EconomicsReport(terms, sections)


def _indicator_section(facts: Facts, inputs: Inputs, table: pd.DataFrame, channels: pd.DataFrame) -> Section:
    lead = churn_lead(table)
    notes = [lead_sentence(row) for _, row in lead[lead["alert"].astype(bool)].iterrows()]
    tables = [
        Table("customer_base", "The customer base", table[[*_KEYS, *BASE_COLUMNS]]),
        Table(
            "sales",
            "Sales",
            table[[*_KEYS, *_shown_sales(facts)]],
            {"first_to_repeat": "first_to_repeat_provisional"},
        ),
        Table("churn_lead", "Churn of the last closed period", lead),
    ]
    missing = [] if facts.has_margins else [NO_MARGINS]
    if inputs.targets is None:
        missing.append(
            "targets.csv (indicator, period, segment, target; --targets) adds what was met and missed."
        )
    else:
        total = channels[channels["channel"] == EVERYONE].assign(segment=EVERYONE)
        judged = inputs.targets.judged(
            table.merge(total[["segment", "period", "cac"]], "left"), facts.periods
        )
        tables.append(Table("targets", "Targets", judged))
        notes += [_missed(row) for _, row in judged[judged["status"] == MISSED].iterrows()]
        if empty := int((judged["status"] == "").sum()):
            notes.append(
                f"{empty:,} of {len(judged):,} targets have no value: the log has no such period or amount."
            )
    if facts.deflator is None:
        missing.append(
            "deflator.csv (month, index; --deflator) shows all money at the prices of the last month."
        )
    return Section("indicators", "Indicators", tuple(tables), tuple(notes), tuple(missing))


def _shown_sales(facts: Facts) -> list[str]:
    return [name for name in SALES_COLUMNS if name != "nominal_net_revenue" or facts.deflator is not None]


def _missed(row: pd.Series) -> str:
    who = "" if row["segment"] == EVERYONE else f" of {row['segment']}"
    values = f"{row['value']:,.4g}, the target {row['target']:,.4g}"
    return f"Missed: {row['indicator']}{who} in {row['period']} was {values}."


def _cohort_section(facts: Facts, inputs: Inputs, channels: pd.DataFrame) -> Section:
    cells = triangle(facts, inputs.unit)
    tables = [Table("cohorts", "Cohorts", _labelled(cells, facts))]
    halves = half_years(facts, inputs.unit)
    if len(halves):
        tables.append(Table("half_years", "Half-years of the relationship", halves))
    missing = []
    if not facts.has_margins:
        missing.append(NO_MARGINS)
    if inputs.spend is None:
        missing.append(NO_SPEND)
    if facts.has_margins and inputs.spend is not None:
        tables.append(Table("payback", "Payback", _payback(facts, inputs, cells, channels)))
    return Section("cohorts", "Cohorts and payback", tuple(tables), (), tuple(missing))


def _labelled(cells: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Put labels in place of numbers, and mark the cells that a later log may change."""
    labels = [period.label for period in facts.periods]
    unsettled, still_open = facts.periods.unsettled(facts.inactivity_days), facts.periods.open
    provisional = unsettled[cells["cohort"].to_numpy(int)] | still_open[cells["period"].to_numpy(int)]
    named = cells.assign(
        cohort=[labels[number] for number in cells["cohort"]],
        period=[labels[number] for number in cells["period"]],
        provisional=provisional,
    )
    return named[["segment", "cohort", "age", "period", "provisional", *cells.columns[4:]]]


def _payback(facts: Facts, inputs: Inputs, cells: pd.DataFrame, channels: pd.DataFrame) -> pd.DataFrame:
    """Return for each cohort of all customers when its margin covers what acquiring a customer cost."""
    total = channels[channels["channel"] == EVERYONE].set_index("period")["cac"]
    by_purchase = purchases(facts, inputs.unit)
    unsettled = facts.periods.unsettled(facts.inactivity_days) | facts.periods.open
    rows = []
    for number, own in cells[cells["segment"] == EVERYONE].groupby("cohort"):
        label = facts.periods.all[number].label
        cac = float(total.get(label, np.nan))
        cumulative = own["cumulative_margin_per_acquired"].to_numpy()
        purchase = first_covering(by_purchase.loc[number].to_numpy(), cac)
        rows.append(
            {
                "cohort": label,
                "provisional": bool(unsettled[number]),
                "acquired": int(own["acquired"].iloc[0]),
                "cac": cac,
                "cumulative_margin_per_acquired": cumulative[-1],
                "margin_to_cac": cumulative[-1] / cac if cac > 0 else np.nan,
                "payback_age": first_covering(cumulative, cac),
                "payback_purchases": None if purchase is None else purchase + 1,
            }
        )
    return pd.DataFrame(rows).astype({"payback_age": "Int64", "payback_purchases": "Int64"})


def _channels(facts: Facts, inputs: Inputs) -> pd.DataFrame:
    found = acquisition(facts, inputs.spend, inputs.unit, inputs.channel_of)
    still_open = facts.periods.open[found["period"].to_numpy(int)]
    unsettled = facts.periods.unsettled(facts.inactivity_days)[found["period"].to_numpy(int)]
    named = with_periods(found, facts).assign(provisional=still_open | unsettled)
    return named[["channel", "period", "from", "to", "provisional", *found.columns[2:]]]


def _acquisition_section(facts: Facts, inputs: Inputs, channels: pd.DataFrame) -> Section:
    notes, missing = [], []
    if inputs.spend is None:
        missing.append(NO_SPEND)
    else:
        notes += [finding.message for finding in inputs.spend.findings]
        notes += _spend_notes(inputs.spend, facts, inputs, set(channels["channel"][channels["acquired"] > 0]))
    if "channel" not in facts.columns and not inputs.channel_of:
        missing.append(
            "The channels of customers are not known: they come from acquisition_channel of customers.csv "
            "(--customers), or from the log's column channel."
        )
    return Section(
        "acquisition", "Acquisition", (Table("channels", "Channels", channels),), tuple(notes), tuple(missing)
    )


def _spend_notes(spend: Spend, facts: Facts, inputs: Inputs, acquiring: set[str]) -> list[str]:
    outside = int(spend.by_period(facts.periods)["outside"].sum())
    notes = []
    if outside:
        notes.append(
            f"Spend of {float(inputs.unit.shown(outside)):,.2f} lies on days before or after the log's "
            f"periods and is in "
            "none of them."
        )
    idle = sorted(set(spend.channels) - acquiring)
    if idle and len(acquiring) > 1:
        notes.append(
            f"Nobody was acquired through {', '.join(map(repr, idle))}: compare how the channels are written."
        )
    return notes


def _cost_section(inputs: Inputs) -> Section:
    """Return what keeping customers costs, always by month."""
    title = "Cost of keeping"
    if inputs.costs is None:
        return Section(
            "costs",
            title,
            missing=(
                "costs.toml ([[touchpoints]], [[pools]]; --costs) adds what keeping customers costs, and "
                "touchpoints.csv (customer_id, occurred_at, touchpoint, quantity; --touchpoints) what for.",
            ),
        )
    facts, unit = inputs.costs.facts, inputs.unit
    base = customer_base(facts)
    found = cost_of_keeping(facts, inputs.costs.touches, inputs.costs.table, base["start"])
    months = shown_costs(found, unit).assign(provisional=facts.provisional())
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
    shown = with_periods(months, facts)[[*_KEYS, *columns, "acquisition_cost"]]
    journey = found.journey.assign(cost=unit.shown(found.journey["cents"])).drop(columns="cents")
    journey["cost_per_touch"] = journey["cost"] / journey["touches"].where(journey["touches"] > 0)
    booked = found.bookings
    amounts = {name: unit.shown(booked[f"{name}_cents"]) for name in ("booked", "allocated", "unallocated")}
    bookings = pd.DataFrame(
        {"item": booked["item"], **amounts, "touches_without_cost": booked["touches_without_cost"]}
    )
    tables = (
        Table("cost_of_keeping", "Cost of keeping by month", shown),
        Table("journey", "Touchpoints", journey),
        Table("bookings", "What was booked, and to whom", bookings),
    )
    return Section("costs", title, tables, tuple(_cost_notes(bookings, inputs.costs)))


def _cost_notes(bookings: pd.DataFrame, costs: CostInputs) -> list[str]:
    notes = []
    unpriced = bookings[bookings["touches_without_cost"] > 0]
    if len(unpriced):
        names = ", ".join(map(repr, unpriced["item"]))
        notes.append(
            f"{int(unpriced['touches_without_cost'].sum()):,} touches have no cost on their day and count "
            f"as none: {names}. "
            "Add it under [[touchpoints]], with valid_from."
        )
    used = set(costs.touches.names)
    idle = sorted({each.touchpoint for each in costs.table.units} - used)
    if idle:
        notes.append(f"There are costs without use: {', '.join(map(repr, idle))}.")
    left = float(bookings["unallocated"].sum())
    if left:
        notes.append(
            f"{left:,.2f} of {float(bookings['booked'].sum()):,.2f} booked could not be allocated: no "
            f"customer of the log "
            "drives it (bookings.csv)."
        )
    return notes
