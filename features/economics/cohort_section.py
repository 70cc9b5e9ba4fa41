"""The section of cohorts: the triangle, payback, lifetime value, and what changes would add."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.economics.cohort_plan import what_if
from features.economics.cohorts import first_covering, purchases, triangle
from features.economics.facts import Facts
from features.economics.inputs import Inputs, missing
from features.economics.lifetime import create_lifetimes, lifetime_values, simple_values
from features.economics.past_costs import past_costs
from features.economics.plans import observed_plan
from features.economics.referrals import Referrals, referral_results
from features.economics.relationship import half_years
from features.economics.segments import EVERYONE
from features.economics.tables import Section, Table
from features.language import translatable, translated

NO_CLOSED_COHORT = translatable(
    "What changes would add needs a closed cohort that begins after the inactivity window of the log's start."
)
_ALL_COHORTS = "all"


def cohort_section(facts: Facts, inputs: Inputs, table: pd.DataFrame, channels: pd.DataFrame) -> Section:
    """Return what became of the customers of each period.

    Parameters
    ----------
    facts : Facts
    inputs : Inputs
    table : DataFrame of indicators
    channels : DataFrame of acquisition by channel, with labels of periods
    """
    cells = triangle(facts, inputs.unit)
    costs = past_costs(facts, inputs)
    cac = _cac_of_cohorts(facts, inputs, channels)
    tables = [Table("cohorts", translated("Cohorts"), _labelled(cells, facts))]
    halves = half_years(facts, inputs.unit, costs)
    if len(halves):
        tables.append(Table("half_years", translated("Half-years of the relationship"), halves))
    lifetimes = _lifetime(facts, inputs, cac, costs)
    tables.append(Table("lifetime_value", translated("Lifetime value per customer"), lifetimes))
    simple = simple_values(table, _period_days(facts), _cac_of_all(facts, inputs, channels))
    tables.append(Table("simple_value", translated("The textbook's value"), simple))
    notes = []
    if facts.has_margins:
        if inputs.spend is not None:
            tables.append(Table("payback", translated("Payback"), _payback(facts, inputs, cells, cac)))
        changes = _what_if(facts, inputs, cells, cac)
        tables += changes
        notes += [] if changes else [translated(NO_CLOSED_COHORT)]
    findings = []
    if inputs.referrals is not None:
        found = _referred(facts, inputs, inputs.referrals, cac, costs)
        tables.append(Table("referrals", translated("Referrers, and whom they brought"), found))
        findings += _findings_of(inputs.referrals)
    return Section(
        "cohorts",
        translated("Cohorts, payback and lifetime value"),
        tuple(tables),
        tuple(notes),
        missing(
            margins=facts.has_margins,
            spend=inputs.spend,
            potential=inputs.potential,
            referrers=inputs.referrals,
        ),
        tuple(findings),
    )


def _period_days(facts: Facts) -> float:
    lengths = np.diff(facts.periods.boundaries)[~facts.periods.open]
    return float(lengths.mean()) if lengths.size else float(np.diff(facts.periods.boundaries).mean())


def _cac_of_cohorts(facts: Facts, inputs: Inputs, channels: pd.DataFrame) -> dict[int, float]:
    """Return what acquiring each customer of a period cost, by its number, where that is known."""
    if inputs.spend is None:
        return {}
    total = channels[channels["channel"] == EVERYONE].set_index("period")["cac"].dropna()
    numbers = {period.label: number for number, period in enumerate(facts.periods)}
    return {numbers[label]: float(cost) for label, cost in total.items()}


def _cac_of_all(facts: Facts, inputs: Inputs, channels: pd.DataFrame) -> float | None:
    """Return what acquiring a customer cost in the closed periods; None without a file of spend."""
    if inputs.spend is None:
        return None
    going_on = {
        period.label for period, open_ in zip(facts.periods, facts.periods.open, strict=True) if open_
    }
    closed = channels[(channels["channel"] == EVERYONE) & ~channels["period"].isin(going_on)]
    acquired = float(closed["acquired"].sum())
    return float(closed["spend"].sum()) / acquired if acquired else np.nan


def _lifetime(facts: Facts, inputs: Inputs, cac: dict[int, float], costs: str | None) -> pd.DataFrame:
    found = lifetime_values(facts, inputs.unit, inputs.discount_rate, cac, inputs.potential, costs)
    labels = [*(period.label for period in facts.periods), _ALL_COHORTS]  # -1 is the last of them
    return found.assign(cohort=[labels[number] for number in found["cohort"]])


def _what_if(facts: Facts, inputs: Inputs, cells: pd.DataFrame, cac: dict[int, float]) -> list[Table]:
    """Return what each change would add to a customer who is acquired next."""
    own = cells[cells["segment"] == EVERYONE].reset_index(drop=True)
    settled = ~facts.periods.unsettled(facts.inactivity_days)[own["cohort"].to_numpy(int)]
    closed = settled & ~facts.periods.open[own["period"].to_numpy(int)]
    known = [cost for number, cost in cac.items() if not facts.periods.open[number]]
    newest = known[-1] if known else 0.0
    plan = observed_plan(own, closed, cac=newest, rate=inputs.discount_rate, period_days=_period_days(facts))
    if plan is None:
        return []
    gains = what_if(plan)
    rows = pd.DataFrame({"change": list(gains), "gain": list(gains.values()), "planned_value": plan.value})
    return [Table("what_if", translated("What each change alone would add"), rows)]


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


def _payback(facts: Facts, inputs: Inputs, cells: pd.DataFrame, cac_of: dict[int, float]) -> pd.DataFrame:
    """Return for each cohort of all customers when its margin covers what acquiring a customer cost."""
    by_purchase = purchases(facts, inputs.unit)
    unsettled = facts.periods.unsettled(facts.inactivity_days) | facts.periods.open
    rows = []
    for number, own in cells[cells["segment"] == EVERYONE].groupby("cohort"):
        label = facts.periods.all[number].label
        cac = cac_of.get(int(number), np.nan)
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


def _referred(
    facts: Facts, inputs: Inputs, referrals: Referrals, cac: dict[int, float], costs: str | None
) -> pd.DataFrame:
    """Return who brought whom, with their lifetime values where what customers may bring is known."""
    valued = inputs.potential is not None
    if valued:
        facts.engine.register("referrals", referrals.table)
        create_lifetimes(facts, inputs.unit, inputs.discount_rate, cac, costs)
    return referral_results(facts, referrals, inputs.unit, lifetimes=valued)


def _findings_of(referrals: Referrals) -> list[str]:
    found = [finding.message for finding in referrals.findings]
    if referrals.later:
        found.append(
            translated(
                "{later:referral is|referrals are} of somebody who had a referrer already: not used.",
                later=referrals.later,
            )
        )
    return found
