"""The report: all sections from a log and the optional files there are."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from features.economics.acquisition import Spend, acquisition
from features.economics.bids import bid_ceilings
from features.economics.catalogue import BASE_COLUMNS, INDICATORS, SALES_COLUMNS
from features.economics.cohort_section import cohort_section
from features.economics.cost_section import cost_section
from features.economics.debt_section import debt_section
from features.economics.facts import Facts
from features.economics.group_section import group_section
from features.economics.indicators import churn_lead, indicators, lead_sentences, with_periods
from features.economics.inputs import KEYS, Inputs, missing
from features.economics.leads import lead_results
from features.economics.product_section import PERIOD_TABLES, product_section
from features.economics.profit_section import profit_section
from features.economics.sales import rows_as_orders
from features.economics.segments import EVERYONE
from features.economics.surveys import FIRM, attitudes, strangers, survey_results
from features.economics.tables import EconomicsReport, Section, Table, Terms
from features.economics.targets import MISSED, NO_VALUE, target_in_words
from features.language import translated, written

_SHOWN_TARGETS = 3


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
        scored_inactivity_days=inputs.scored_inactivity_days,
    )
    costs = cost_section(inputs)
    judged = [*products.tables, *_judged_beside(facts, inputs, costs)]
    sections = (
        _indicator_section(facts, inputs, table, channels, judged),
        cohort_section(facts, inputs, table, channels),
        _acquisition_section(facts, inputs, channels),
        costs,
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
    findings = rows_as_orders(facts)
    if inputs.targets is not None:
        total = channels[channels["channel"] == EVERYONE].assign(segment=EVERYONE)
        whole = table.merge(total[["segment", "period", "cac"]], "left")
        for other in products:
            whole = whole.merge(other.rows, "left") if other.name in _JUDGED_TABLES else whole
        judged = inputs.targets.judged(whole, facts.periods)
        tables.append(Table("targets", translated("Targets"), judged))
        missed = judged[judged["status"] == MISSED]
        notes += [
            translated("Missed: {target}.", target=target_in_words(row, inputs.unit.name))
            for _, row in missed.iterrows()
        ]
        findings += _without_value(judged, facts)
    return Section(
        "indicators",
        translated("Indicators"),
        tuple(tables),
        tuple(notes),
        missing(margins=facts.has_margins, targets=inputs.targets, deflator=facts.deflator),
        tuple(findings),
    )


_SAID = {"nps": ("nps",), "csat": ("satisfaction", "satisfied_share")}
_OF_LEADS = ("leads", "conversion_rate", "conversion_rate_provisional", "cost_per_lead")
_JUDGED_TABLES = (*PERIOD_TABLES, *_SAID, "leads", "kept")


def _judged_beside(facts: Facts, inputs: Inputs, costs: Section) -> list[Table]:
    """Return what else targets are set for, by segment and period: what customers say of the firm, leads, keeping."""
    if inputs.targets is None:
        return []
    tables = []
    if inputs.surveys is not None:
        found = _dated(survey_results(facts, inputs.surveys), facts)
        of_firm = found[found["about"] == FIRM]
        tables += [
            Table(kind, kind, of_firm.loc[of_firm["survey"] == kind, ["segment", "period", *names]])
            for kind, names in _SAID.items()
        ]
    if inputs.leads is not None:
        found = _dated(lead_results(facts, inputs.leads, inputs.spend, inputs.unit), facts)
        of_all = found[found["channel"] == EVERYONE].assign(segment=EVERYONE)
        tables.append(Table("leads", "leads", of_all[["segment", "period", *_OF_LEADS]]))
    kept = [table for table in costs.tables if table.name == "cost_of_keeping"]
    if kept and facts.periods.length == "month":
        tables.append(Table("kept", "kept", kept[0].rows[["segment", "period", "cost_of_keeping"]]))
    return tables


def _without_value(judged: pd.DataFrame, facts: Facts) -> list[str]:
    """Say which targets could not be judged."""
    empty = judged[judged["status"] == NO_VALUE]
    if empty.empty:
        return []
    shown = [
        f"{INDICATORS[row['indicator']].title} {written(row['period'], 'label')}"
        for _, row in empty.head(_SHOWN_TARGETS).iterrows()
    ]
    first, *_, last = (period.label for period in (*facts.periods, *facts.periods))
    return [
        translated(
            "{empty:target|targets} of {all:,} cannot be judged, such as {names}: the log of {first:label} to "
            "{last:label} has no such period, or no value there.",
            empty=len(empty),
            all=len(judged),
            names=shown,
            first=first,
            last=last,
        )
    ]


def _shown_sales(facts: Facts) -> list[str]:
    return [name for name in SALES_COLUMNS if name != "nominal_net_revenue" or facts.deflator is not None]


def _channels(facts: Facts, inputs: Inputs) -> pd.DataFrame:
    found = acquisition(facts, inputs.spend, inputs.unit, inputs.channel_of)
    still_open = facts.periods.open[found["period"].to_numpy(int)]
    unsettled = facts.periods.unsettled(facts.inactivity_days)[found["period"].to_numpy(int)]
    named = with_periods(found, facts).assign(provisional=still_open | unsettled)
    return named[["channel", "period", "from", "to", "provisional", *found.columns[2:]]]


def _acquisition_section(facts: Facts, inputs: Inputs, channels: pd.DataFrame) -> Section:
    findings: list[str] = []
    if inputs.spend is not None:
        findings += [finding.message for finding in inputs.spend.findings]
        acquiring = set(channels["channel"][channels["acquired"] > 0])
        findings += _spend_findings(inputs.spend, facts, inputs, acquiring)
    tables = [Table("channels", translated("Channels"), channels)]
    ceilings = bid_ceilings(facts, inputs)
    if ceilings is not None:
        tables.append(
            Table("bid_ceilings", translated("What acquiring a customer may cost at most"), ceilings)
        )
    if inputs.leads is not None:
        found = lead_results(facts, inputs.leads, inputs.spend, inputs.unit)
        tables.append(
            Table(
                "leads",
                translated("Leads"),
                _dated(found, facts),
                {"conversion_rate": "conversion_rate_provisional"},
            )
        )
    has_channels = "channel" in facts.columns or bool(inputs.channel_of)
    return Section(
        "acquisition",
        translated("Acquisition"),
        tuple(tables),
        missing=missing(spend=inputs.spend, channels=has_channels, leads=inputs.leads),
        findings=tuple(findings),
    )


def _dated(found: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Put labels and days of periods in place of their numbers, and mark those that the log ends in."""
    still_open = facts.periods.open[found["period"].to_numpy(int)]
    named = with_periods(found, facts).assign(provisional=still_open)
    first, _, *others = found.columns
    return named[[first, "period", "from", "to", "provisional", *others]]


def _survey_section(facts: Facts, inputs: Inputs) -> Section:
    title = translated("What customers say")
    if inputs.surveys is None:
        return Section("surveys", title, missing=missing(surveys=None))
    found = _dated(survey_results(facts, inputs.surveys), facts)
    others = strangers(facts)
    findings: list[str] = [finding.message for finding in inputs.surveys.findings]
    if others:
        findings.append(
            translated(
                "Left out of the surveys: {others:row|rows} of {all:,}, of people who are not in the log.",
                others=others,
                all=len(inputs.surveys.table),
            )
        )
    marks = {"response_rate": "response_rate_provisional"}
    tables = [Table("surveys", translated("Surveys"), found, marks)]
    said = attitudes(facts)
    if len(said):
        tables.append(Table("attitudes", translated("What customers say, and what they do"), said))
    return Section("surveys", title, tuple(tables), findings=tuple(findings))


def _spend_findings(spend: Spend, facts: Facts, inputs: Inputs, acquiring: set[str]) -> list[str]:
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
    alike = {each.casefold() for each in acquiring}
    if idle and (len(acquiring) > 1 or any(each.casefold() in alike for each in idle)):
        notes.append(
            translated(
                "Nobody was acquired through {names}: compare how the channels are written.",
                names=list(map(repr, idle)),
            )
        )
    return notes
