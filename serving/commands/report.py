"""The command ``report``: what customers cost and bring, as tables."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from features.commands.console import progress, show_json, show_table
from features.commands.log import open_log
from features.commands.options import AsJson, options
from features.economics.settings import ReportSettings
from features.language import currency, translated, use_language
from features.log.settings import Columns, LogSettings
from features.progress import Report

if TYPE_CHECKING:
    import pandas as pd

    from features.economics.facts import Facts
    from features.economics.inputs import Inputs
    from features.economics.people import CustomerTable
    from features.economics.stages import StageInputs
    from features.economics.tables import EconomicsReport
    from features.economics.touches import Touches
    from features.log.transactions import TransactionLog

_SHOWN_PERIODS = 6


@options
def report(settings: ReportSettings, log: LogSettings, columns: Columns, as_json: AsJson = False) -> None:
    """Report what customers cost and bring: the customer base, sales, cohorts, payback, acquisition.

    Example: stayworth report --transactions orders.csv --out report

    With files of your own: stayworth report --transactions orders.csv --spend spend.csv --customers customers.csv
    --segment city --out report

    The folder gets report.html, which opens in any browser without a network, every table as CSV, definitions.csv with
    the meaning of each column, and report.json with all of it; with --xlsx a workbook too,
    with --star-schema facts and dimensions for Power BI.
    A part whose file is missing says which file would fill it.
    """
    from serving.report.folder import require_target, write_report

    require_target(settings.out)
    with use_language(settings.language):
        with progress() as step:
            made, said = made_report(settings, log, columns, step)
            step("Writing", 0, 0)
            write_report(made, settings.out, workbook=settings.xlsx)
        _tell(made, said, settings, as_json)


def _tell(made: EconomicsReport, said: list[str], settings: ReportSettings, as_json: bool) -> None:
    for sentence in said:
        typer.secho(sentence, fg=typer.colors.YELLOW, err=True)
    if as_json:
        show_json(made.to_dict())
    else:
        _show(made, settings.out)


def made_report(
    settings: ReportSettings, log: LogSettings, columns: Columns, step: Report
) -> tuple[EconomicsReport, list[str]]:
    """Read the log and the files, and compute the report; also return sentences about the files."""
    from features.economics.cost_table import CostTable
    from features.economics.facts import Facts
    from features.economics.identities import read_identities
    from features.economics.inputs import CostInputs
    from features.economics.money import Deflator
    from features.economics.people import CustomerTable, read_scored
    from features.economics.periods import Periods
    from features.economics.report import build_report
    from features.economics.segments import STAGE, StageSegments, read_segments
    from serving.campaign.ledger import ledger_section

    aliases = read_identities(settings.identities, log) if settings.identities else {}
    orders = open_log(log, columns, step)
    said = _united(orders, aliases, settings.identities)
    orders = orders.with_ids(aliases)
    step("Computing", 0, 0)
    span = (orders.first_day, orders.last_day)
    people = scored = None
    known = orders.table["customer_id"].unique().to_pylist() if settings.customers or settings.scores else []
    if settings.customers:
        people = CustomerTable(settings.customers, known, log, aliases, loosely=settings.loose_ids)
        said += people.notes
    if settings.scores:
        scored = read_scored(settings.scores, known, log, aliases)
        said += scored.notes
    stages = None
    if settings.segment == STAGE:
        stages = StageSegments(settings.inactivity_days, _stage_inputs(settings, log, people, aliases))
    segments = None
    if settings.segment:
        segments = read_segments(settings.segment, people, orders.columns, scored, stages)
    facts_by = partial(
        Facts,
        orders,
        inactivity_days=settings.inactivity_days,
        margin=settings.margin,
        deflator=Deflator.read(settings.deflator, *span, settings.calendar, log)
        if settings.deflator
        else None,
        segments=segments,
    )
    with facts_by(Periods(*span, settings.period, settings.calendar)) as facts, ExitStack() as stack:
        inputs = _inputs(settings, log, orders, facts, people, aliases)
        if scored:
            inputs = replace(
                inputs, potential=scored.potential, potential_high=scored.high, tiers=scored.tiers
            )
        if settings.costs:
            table = CostTable.read(settings.costs)
            inputs = replace(inputs, unpaid_rates=table.unpaid_rates)
            if table.units or table.pools:
                months = facts
                if settings.period != "month":
                    months = stack.enter_context(facts_by(Periods(*span, "month", settings.calendar)))
                inputs = replace(inputs, costs=CostInputs(months, _touches(settings, log, aliases), table))
        made = build_report(facts, inputs)
        if settings.star_schema:
            from features.economics.star_schema import star_schema

            made = replace(made, star_schema=star_schema(facts, inputs, made))
        ledger = ledger_section(settings.campaigns, facts.periods.known_until, inputs.unit)
        return replace(made, sections=(*made.sections, ledger)), said


def _stage_inputs(
    settings: ReportSettings, log: LogSettings, people: CustomerTable | None, aliases: dict[str, str]
) -> StageInputs:
    """Read what stages take beside the log."""
    from features.economics.people import SHARE_OF_WALLET, read_wallets
    from features.economics.referrals import Referrals
    from features.economics.stages import StageInputs
    from features.economics.surveys import Surveys

    return StageInputs(
        Referrals.read(settings.referrals, log, aliases) if settings.referrals else None,
        Surveys.read(settings.surveys, log, aliases) if settings.surveys else None,
        read_wallets(people) if people and people.has(SHARE_OF_WALLET) else {},
    )


def _touches(settings: ReportSettings, log: LogSettings, aliases: dict[str, str]) -> Touches:
    from features.economics.touches import Touches

    return Touches.read(settings.touchpoints, log, aliases) if settings.touchpoints else Touches.none()


def _united(orders: TransactionLog, aliases: dict[str, str], path: Path | None) -> list[str]:
    if not path:
        return []
    known = set(orders.table["customer_id"].unique().to_pylist())
    used = sum(alias in known for alias in aliases)
    return [
        translated(
            "{used:,} of {given:,} aliases of {file} are in the log; they count as their customers.",
            used=used,
            given=len(aliases),
            file=path.name,
        )
    ]


def _inputs(
    settings: ReportSettings,
    log: LogSettings,
    orders: TransactionLog,
    facts: Facts,
    people: CustomerTable | None,
    aliases: dict[str, str],
) -> Inputs:
    from features.economics.acquisition import Spend
    from features.economics.inputs import Inputs
    from features.economics.leads import Leads
    from features.economics.money import MoneyUnit
    from features.economics.people import ACQUISITION_CHANNEL, SHARE_OF_WALLET, read_wallets
    from features.economics.receivables import Receivables
    from features.economics.referrals import Referrals
    from features.economics.surveys import Surveys
    from features.economics.targets import Targets

    margin = translated("{share:g} of net revenue", share=settings.margin) if settings.margin else ""
    return Inputs(
        unit=MoneyUnit.of(settings.money_unit, orders.currency),
        spend=Spend.read(settings.spend, log) if settings.spend else None,
        targets=Targets.read(settings.targets, facts.periods, facts.groups, log)
        if settings.targets
        else None,
        surveys=Surveys.read(settings.surveys, log, aliases) if settings.surveys else None,
        leads=Leads.read(settings.leads, log, aliases) if settings.leads else None,
        referrals=Referrals.read(settings.referrals, log, aliases) if settings.referrals else None,
        receivables=Receivables.read(settings.receivables, log, aliases) if settings.receivables else None,
        channel_of=people.values(ACQUISITION_CHANNEL) if people and people.has(ACQUISITION_CHANNEL) else None,
        wallets=read_wallets(people) if people and people.has(SHARE_OF_WALLET) else None,
        segment=settings.segment or "",
        discount_rate=settings.discount_rate,
        margin=translated("the log's margins") if "margin_cents" in orders.columns else margin,
    )


def _show(made: EconomicsReport, folder: Path) -> None:
    """Print the newest periods of all customers, and what was found and what is missing."""
    from features.economics.catalogue import INDICATORS
    from features.economics.segments import EVERYONE
    from serving.report.folder import PAGE

    terms = made.terms
    said = [
        translated(
            "Log of {first:date} to {last:date}. A customer is active for {days:day|days} after a purchase "
            "(--inactivity-days).",
            first=terms.first_day,
            last=terms.last_day,
            days=terms.inactivity_days,
        )
    ]
    if terms.money_unit:
        said.append(translated("Money is in {unit}.", unit=currency(terms.money_unit)))
    if terms.real_money_of:
        said.append(translated("Money is at the prices of {month:label}.", month=terms.real_money_of))
    typer.echo(" ".join(said) + "\n")
    shown = {
        "customer_base": ["period", "start", "new", "returned", "lost", "end", "churn_rate"],
        "sales": ["period", "buyers", "orders", "net_revenue", "average_order", "repeat_rate"],
    }
    for name, columns in shown.items():
        table = made.table(name)
        newest = table.rows[table.rows["segment"] == EVERYONE].tail(_SHOWN_PERIODS)
        heads = [INDICATORS[column] for column in columns]
        rows = [[*(head.shown(row[head.name]) for head in heads), _mark(row)] for _, row in newest.iterrows()]
        show_table(table.title, [*(head.title.capitalize() for head in heads), ""], rows)
        typer.echo()
    for section in made.sections:
        for sentence in section.notes:
            typer.echo(f"{sentence}\n")
    missing = dict.fromkeys(sentence for section in made.sections for sentence in section.missing)
    if missing:
        typer.echo(translated("Not in the report:"))
        for sentence in missing:
            typer.echo(f"- {sentence}")
    typer.echo()
    typer.echo(
        translated(
            "The report: {page}, and its {tables:table|tables} beside it",
            page=str(folder / PAGE),
            tables=len(list(made.tables)),
        )
    )


def _mark(row: pd.Series) -> str:
    return translated("provisional") if row["provisional"] else ""
