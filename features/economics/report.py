"""The report: all sections from a log and the optional files there are."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from features.economics.acquisition import Spend, acquisition
from features.economics.catalogue import BASE_COLUMNS, INDICATORS, SALES_COLUMNS
from features.economics.cohort_section import cohort_section
from features.economics.cost_section import cost_section
from features.economics.debt_section import debt_section
from features.economics.facts import Facts
from features.economics.group_section import group_section
from features.economics.indicators import churn_lead, indicators, lead_sentences, with_periods
from features.economics.inputs import KEYS, NO_MARGINS, NO_SPEND, Inputs
from features.economics.leads import lead_results
from features.economics.product_section import PERIOD_TABLES, product_section
from features.economics.profit_section import profit_section
from features.economics.segments import EVERYONE
from features.economics.surveys import strangers, survey_results
from features.economics.tables import EconomicsReport, Section, Table, Terms
from features.economics.targets import MISSED
from features.language import translated


def build_report(facts: Facts, inputs: Inputs) -> EconomicsReport:
    """Compute every section that the log and the files allow."""
    table = indicators(facts, inputs.unit)
    products = product_section(facts, inputs)
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
        _indicator_section(facts, inputs, table, channels, products.tables),
        cohort_section(facts, inputs, table, channels),
        _acquisition_section(facts, inputs, channels),
        cost_section(inputs),
        debt_section(facts, inputs),
        profit_section(facts, inputs),
        group_section(facts, inputs),
        products,
        _survey_section(facts, inputs),
    )
    return EconomicsReport(terms, sections)


def _indicator_section(
    facts: Facts, inputs: Inputs, table: pd.DataFrame, channels: pd.DataFrame, products: Sequence[Table]
) -> Section:
    lead = churn_lead(table)
    notes = lead_sentences(lead)
    tables = [
        Table("customer_base", translated("The customer base"), table[[*KEYS, *BASE_COLUMNS]]),
        Table(
            "sales",
            translated("Sales"),
            table[[*KEYS, *_shown_sales(facts)]],
            {"first_to_repeat": "first_to_repeat_provisional"},
        ),
        Table("churn_lead", translated("Churn of the last closed period"), lead),
    ]
    missing = [] if facts.has_margins else [translated(NO_MARGINS)]
    if inputs.targets is None:
        missing.append(
            translated(
                "targets.csv (indicator, period, segment, target; --targets) adds what was met and missed."
            )
        )
    else:
        total = channels[channels["channel"] == EVERYONE].assign(segment=EVERYONE)
        whole = table.merge(total[["segment", "period", "cac"]], "left")
        for other in products:
            whole = whole.merge(other.rows, "left") if other.name in PERIOD_TABLES else whole
        judged = inputs.targets.judged(whole, facts.periods)
        tables.append(Table("targets", translated("Targets"), judged))
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
            translated(
                "deflator.csv (month, index; --deflator) shows all money at the prices of the last month."
            )
        )
    return Section("indicators", translated("Indicators"), tuple(tables), tuple(notes), tuple(missing))


def _shown_sales(facts: Facts) -> list[str]:
    return [name for name in SALES_COLUMNS if name != "nominal_net_revenue" or facts.deflator is not None]


def _missed(row: pd.Series) -> str:
    judged = INDICATORS[row["indicator"]]
    named = {
        "indicator": judged.title,
        "period": row["period"],
        "value": judged.shown(row["value"]),
        "target": judged.shown(row["target"]),
    }
    if row["segment"] == EVERYONE:
        return translated("Missed: {indicator} in {period:label} was {value}, the target {target}.", **named)
    return translated(
        "Missed: {indicator} of {segment} in {period:label} was {value}, the target {target}.",
        segment=row["segment"],
        **named,
    )


def _channels(facts: Facts, inputs: Inputs) -> pd.DataFrame:
    found = acquisition(facts, inputs.spend, inputs.unit, inputs.channel_of)
    still_open = facts.periods.open[found["period"].to_numpy(int)]
    unsettled = facts.periods.unsettled(facts.inactivity_days)[found["period"].to_numpy(int)]
    named = with_periods(found, facts).assign(provisional=still_open | unsettled)
    return named[["channel", "period", "from", "to", "provisional", *found.columns[2:]]]


def _acquisition_section(facts: Facts, inputs: Inputs, channels: pd.DataFrame) -> Section:
    notes, missing = [], []
    if inputs.spend is None:
        missing.append(translated(NO_SPEND))
    else:
        notes += [finding.message for finding in inputs.spend.findings]
        notes += _spend_notes(inputs.spend, facts, inputs, set(channels["channel"][channels["acquired"] > 0]))
    if "channel" not in facts.columns and not inputs.channel_of:
        missing.append(
            translated(
                "The channels of customers are not known: they come from acquisition_channel of customers.csv "
                "(--customers), or from the log's column channel."
            )
        )
    tables = [Table("channels", translated("Channels"), channels)]
    if inputs.leads is None:
        missing.append(
            translated(
                "leads.csv (lead_id, created_at, channel, qualified, customer_id, converted_at; --leads) adds leads."
            )
        )
    else:
        found = lead_results(facts, inputs.leads, inputs.spend, inputs.unit)
        tables.append(
            Table(
                "leads",
                translated("Leads"),
                _dated(found, facts),
                {"conversion_rate": "conversion_rate_provisional"},
            )
        )
    return Section("acquisition", translated("Acquisition"), tuple(tables), tuple(notes), tuple(missing))


def _dated(found: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Put labels and days of periods in place of their numbers, and mark those that the log ends in."""
    still_open = facts.periods.open[found["period"].to_numpy(int)]
    named = with_periods(found, facts).assign(provisional=still_open)
    first, _, *others = found.columns
    return named[[first, "period", "from", "to", "provisional", *others]]


def _survey_section(facts: Facts, inputs: Inputs) -> Section:
    title = translated("What customers say")
    if inputs.surveys is None:
        missing = translated(
            "surveys.csv (customer_id, answered_at, kind, score, sent_at, about; --surveys) adds NPS and "
            "satisfaction."
        )
        return Section("surveys", title, missing=(missing,))
    found = _dated(survey_results(facts, inputs.surveys), facts)
    others = strangers(facts)
    notes = (
        (
            translated(
                "{others:,} rows of surveys are of people who are not in the log; they are left out.",
                others=others,
            ),
        )
        if others
        else ()
    )
    marks = {"response_rate": "response_rate_provisional"}
    return Section("surveys", title, (Table("surveys", translated("Surveys"), found, marks),), notes)


def _spend_notes(spend: Spend, facts: Facts, inputs: Inputs, acquiring: set[str]) -> list[str]:
    outside = int(spend.by_period(facts.periods)["outside"].sum())
    notes = []
    if outside:
        notes.append(
            translated(
                "Spend of {outside:,.2f} lies on days before or after the log's periods and is in none of them.",
                outside=float(inputs.unit.shown(outside)),
            )
        )
    idle = sorted(set(spend.channels) - acquiring)
    if idle and len(acquiring) > 1:
        notes.append(
            translated(
                "Nobody was acquired through {names}: compare how the channels are written.",
                names=list(map(repr, idle)),
            )
        )
    return notes
