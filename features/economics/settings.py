"""Settings of a report: each field is a key of ``stayworth.toml``, a flag and its help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import AfterValidator, Field

from features.economics.figure_checks import require_discount_rate
from features.language import Language
from features.settings import Settings

INACTIVITY_DAYS = 90
"""Inactivity window of a report that no scored list and no flag gives one."""


class ReportSettings(Settings, section="report"):
    """What a report covers, the files beside the log, and where it goes: the section ``[report]``."""

    out: Annotated[Path, typer.Option("--out", help="Folder to write: a new one, or a report to replace.")]
    xlsx: Annotated[bool, typer.Option("--xlsx", help="Write report.xlsx too: a sheet for each table.")] = (
        False
    )
    star_schema: Annotated[
        bool,
        typer.Option(
            "--star-schema",
            help="Write the folder star_schema too: facts and dimensions as Parquet and CSV, for Power BI or Excel.",
        ),
    ] = False
    language: Annotated[
        Language, typer.Option("--language", help="Language of the report: en, or fa for Persian.")
    ] = "en"
    period: Annotated[
        Literal["week", "month", "quarter", "year"], typer.Option("--period", help="Length of the periods.")
    ] = "month"
    calendar: Annotated[
        Literal["gregorian", "jalali"],
        typer.Option("--calendar", help="Calendar of the periods; Jalali weeks begin on Saturday."),
    ] = "gregorian"
    inactivity_days: Annotated[
        int | None,
        typer.Option(
            "--inactivity-days",
            help="A customer is active for so many days after a purchase: by default those of --scores, else 90. "
            "'stayworth advise' says what suits a log.",
        ),
    ] = Field(default=None, ge=1)
    segment: Annotated[
        str | None,
        typer.Option(
            "--segment",
            help="Tell customers apart by a column of --customers, by tier (of --scores), stage, first_channel, "
            "first_product or acquisition_period, or by the [[cohorts]] of a TOML file.",
        ),
    ] = None
    margin: Annotated[
        float | None,
        typer.Option(
            "--margin",
            help="Margin per unit of net revenue, for a log without a margin column. Without either, "
            "margins are empty.",
        ),
    ] = Field(default=None, gt=0, le=1)
    discount_rate: Annotated[
        float,
        typer.Option(
            "--discount-rate",
            help="A year's discount: 0.15 is 15%. With --deflator a real rate, perhaps negative.",
        ),
        AfterValidator(require_discount_rate),
    ] = Field(default=0.15, gt=-1)
    scores: Annotated[
        Path | None,
        typer.Option(
            "--scores", help="A scored list of the log's customers: customer_id, expected_value, value_tier."
        ),
    ] = None
    earlier_scores: Annotated[
        list[Path],
        typer.Option(
            "--earlier-scores",
            help="For --segment tier: a scored list of an earlier day, so that a period's tiers are those known at its "
            "start. Repeat it for more.",
        ),
    ] = Field(default_factory=list)
    money_unit: Annotated[
        str | None,
        typer.Option("--money-unit", help="What money is called; toman shows rials divided by ten."),
    ] = Field(default=None, max_length=40)
    spend: Annotated[
        Path | None,
        typer.Option(
            "--spend", help="Spend to acquire customers: channel, from, to, amount; 'to' is excluded."
        ),
    ] = None
    targets: Annotated[
        Path | None, typer.Option("--targets", help="Targets: indicator, period, segment, target.")
    ] = None
    customers: Annotated[
        Path | None,
        typer.Option(
            "--customers",
            help="What is known of customers: customer_id, acquisition_channel, share_of_wallet, columns for "
            "--segment.",
        ),
    ] = None
    surveys: Annotated[
        Path | None,
        typer.Option(
            "--surveys",
            help="Answers of customers: customer_id, answered_at, kind (nps, csat), score, sent_at, about.",
        ),
    ] = None
    leads: Annotated[
        Path | None,
        typer.Option(
            "--leads", help="Leads: lead_id, created_at, channel, qualified, customer_id, converted_at."
        ),
    ] = None
    referrals: Annotated[
        Path | None,
        typer.Option("--referrals", help="Who brought whom: referrer_id, referred_id, referred_at, reward."),
    ] = None
    touchpoints: Annotated[
        Path | None,
        typer.Option(
            "--touchpoints", help="Touches of customers: customer_id, occurred_at, touchpoint, quantity."
        ),
    ] = None
    costs: Annotated[
        Path | None,
        typer.Option(
            "--costs", help="What touches and overhead cost: a TOML file of [[touchpoints]] and [[pools]]."
        ),
    ] = None
    receivables: Annotated[
        Path | None,
        typer.Option(
            "--receivables",
            help="Invoices: customer_id, issued_at, due_at, amount, paid_at, paid_amount, written_off_at.",
        ),
    ] = None
    campaigns: Annotated[
        Path | None,
        typer.Option(
            "--campaigns",
            help="Folder of campaigns as 'stayworth plan' wrote them: what each was to earn and did.",
        ),
    ] = None
    loose_ids: Annotated[
        bool,
        typer.Option(
            "--loose-ids",
            help="Match ids of --customers without case, spaces, apostrophes, .0 and leading zeros.",
        ),
    ] = False
