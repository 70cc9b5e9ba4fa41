"""The economics report with what campaigns cost and earned: read, computed, and not yet written."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

from features.commands.log import open_log
from features.economics.identities import aliases_of
from features.economics.report import build_report
from features.economics.settings import ReportSettings
from features.economics.star_schema import star_schema
from features.economics.tables import EconomicsReport
from features.language import translated
from features.log.settings import Columns, LogSettings
from features.progress import Report
from serving.campaign.campaign_costs import campaign_costs
from serving.campaign.ledger import ledger_section
from serving.report.sources import ReportSources


def made_report(
    settings: ReportSettings, log: LogSettings, columns: Columns, step: Report
) -> EconomicsReport:
    """Read the log and the files, and compute the report.

    Raises
    ------
    StayworthError
        If one of them cannot be read or used.
    """
    aliases = aliases_of(log)
    # The page says how many were united, and shows money as booked beside real money, so the sources do both.
    orders = open_log(log.model_copy(update={"identities": None, "deflator": None}), columns, step)
    step(translated("Computing"), 0, 0)
    known_until = orders.last_day + timedelta(days=1)
    campaigns = campaign_costs(settings.campaigns, known_until, aliases) if settings.campaigns else None
    sources = ReportSources(settings, log, orders, aliases, campaigns)
    with sources.facts() as facts, ExitStack() as stack:
        inputs = sources.inputs(facts, stack)
        made = build_report(facts, inputs)
        if settings.star_schema:
            made = replace(made, star_schema=star_schema(facts, inputs, made))
        ledger = ledger_section(settings.campaigns, facts.periods.known_until, inputs.unit)
        return replace(made, sections=(*made.sections, ledger), about_files=tuple(sources.said))
