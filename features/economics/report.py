"""The report: all sections from a log and the optional files there are."""

from __future__ import annotations

import pandas as pd

from features.economics.acquisition import Spend, acquisition
from features.economics.catalogue import BASE_COLUMNS, SALES_COLUMNS
from features.economics.cohort_section import cohort_section
from features.economics.cost_section import cost_section
from features.economics.facts import Facts
from features.economics.indicators import churn_lead, indicators, lead_sentences, with_periods
from features.economics.inputs import KEYS, NO_MARGINS, NO_SPEND, Inputs
from features.economics.leads import lead_results
from features.economics.segments import EVERYONE
from features.economics.surveys import strangers, survey_results
from features.economics.tables import EconomicsReport, Section, Table, Terms
from features.economics.targets import MISSED
from features.language import translated


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
        cohort_section(facts, inputs, table, channels),
        _acquisition_section(facts, inputs, channels),
        cost_section(inputs),
        _survey_section(facts, inputs),
    )
    return EconomicsReport(terms, sections)


def _indicator_section(facts: Facts, inputs: Inputs, table: pd.DataFrame, channels: pd.DataFrame) -> Section:
    lead = churn_lead(table)
    notes = lead_sentences(lead)
    tables = [
        Table("customer_base", "The customer base", table[[*KEYS, *BASE_COLUMNS]]),
        Table(
            "sales",
            "Sales",
            table[[*KEYS, *_shown_sales(facts)]],
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
                translated(
                    "{empty:,} of {all:,} targets have no value: the log has no such period or amount.",
                    empty=empty,
                    all=len(judged),
                )
            )
    if facts.deflator is None:
        missing.append(
            "deflator.csv (month, index; --deflator) shows all money at the prices of the last month."
        )
    return Section("indicators", translated("Indicators"), tuple(tables), tuple(notes), tuple(missing))


def _shown_sales(facts: Facts) -> list[str]:
    return [name for name in SALES_COLUMNS if name != "nominal_net_revenue" or facts.deflator is not None]


def _missed(row: pd.Series) -> str:
    who = "" if row["segment"] == EVERYONE else f" of {row['segment']}"
    values = f"{row['value']:,.4g}, the target {row['target']:,.4g}"
    return f"Missed: {row['indicator']}{who} in {row['period']} was {values}."


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
    tables = [Table("channels", "Channels", channels)]
    if inputs.leads is None:
        missing.append(
            "leads.csv (lead_id, created_at, channel, qualified, customer_id, converted_at; --leads) adds leads."
        )
    else:
        found = lead_results(facts, inputs.leads, inputs.spend, inputs.unit)
        tables.append(
            Table("leads", "Leads", _dated(found, facts), {"conversion_rate": "conversion_rate_provisional"})
        )
    return Section("acquisition", "Acquisition", tuple(tables), tuple(notes), tuple(missing))


def _dated(found: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Put labels and days of periods in place of their numbers, and mark those that the log ends in."""
    still_open = facts.periods.open[found["period"].to_numpy(int)]
    named = with_periods(found, facts).assign(provisional=still_open)
    first, _, *others = found.columns
    return named[[first, "period", "from", "to", "provisional", *others]]


def _survey_section(facts: Facts, inputs: Inputs) -> Section:
    title = "What customers say"
    if inputs.surveys is None:
        columns = "customer_id, answered_at, kind, score, sent_at, about"
        missing = f"surveys.csv ({columns}; --surveys) adds NPS and satisfaction."
        return Section("surveys", title, missing=(missing,))
    found = _dated(survey_results(facts, inputs.surveys), facts)
    others = strangers(facts)
    notes = (
        (f"{others:,} rows of surveys are of people who are not in the log; they are left out.",)
        if others
        else ()
    )
    marks = {"response_rate": "response_rate_provisional"}
    return Section("surveys", title, (Table("surveys", "Surveys", found, marks),), notes)


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
