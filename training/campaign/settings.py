"""Settings of planning and measuring a campaign: each field is a config key, a flag and its help text."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import Field, model_validator

from features.errors import StayworthError
from features.language import Language, translated
from features.settings import Settings

LOOSE_IDS = (
    "Match customer ids of the files without case, spaces, apostrophes, .0 and leading zeros, which "
    "spreadsheets change."
)
SUPPRESS = "Table with a customer_id column: customers who must not be contacted."
ALLOW_UNMATCHED = "Go on although ids of a file name no customer, or would if they were written otherwise."

ListColumns = Literal["all", "team", "klaviyo", "mailchimp"]
COLUMNS_HELP = (
    "Columns of the list: team (name, contact, tier, risk, value at risk, reason, offer, until), klaviyo or mailchimp "
    "(to import there), or all."
)

MOST_DAYS = 3650
"""Longest span that a plan can be given: ten years."""

Measure = Literal["retention", "margin", "profit"]


class PlanTerms(Settings):
    """Limits of a campaign and how its holdout is drawn, without the files it comes from.

    Examples
    --------
    >>> PlanTerms(budget=5000, effect=0.05).holdout_share is None
    True
    """

    budget: Annotated[
        float | None,
        typer.Option(
            "--budget", help="Most that the contacts may cost, in expectation, in the log's currency."
        ),
    ] = Field(default=None, ge=0, allow_inf_nan=False)
    max_contacts: Annotated[int | None, typer.Option("--max-contacts", help="Most customers to contact.")] = (
        Field(default=None, ge=0)
    )
    holdout: Annotated[
        float | None,
        typer.Option(
            "--holdout",
            help="Share of the chosen customers to leave out at random, to measure against; 0 for none.",
            show_default="0.1",
        ),
    ] = Field(default=None, ge=0, le=0.5)
    effect: Annotated[
        float | None,
        typer.Option(
            "--effect",
            help="Instead of --holdout: hold out as many as it takes to detect an effect of this size on the "
            "share who stay, such as 0.05.",
        ),
    ] = Field(default=None, gt=0, lt=1)
    power: Annotated[
        float,
        typer.Option("--power", help="Probability of detecting an effect of that size if there is one."),
    ] = Field(default=0.8, gt=0.05, lt=1)
    primary_measure: Annotated[
        Measure,
        typer.Option(
            "--primary-measure", help="Measure that the campaign is judged by, fixed before it starts."
        ),
    ] = "retention"
    starts_on: Annotated[
        date | None,
        typer.Option(
            "--starts-on", help="First day of the campaign.", show_default="the scores' snapshot date"
        ),
    ] = Field(default=None, ge=date(1970, 1, 1), le=date(2100, 1, 1))
    cooldown_days: Annotated[
        int | None,
        typer.Option("--cooldown-days", help="Leave out customers contacted within this many days before."),
    ] = Field(default=None, ge=1, le=MOST_DAYS)
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draw of the holdout.")] = Field(
        default=7, ge=0
    )
    explore: Annotated[
        float,
        typer.Option(
            "--explore",
            help="Share of the customers in doubt (an offer is not expected to pay, but may) to contact all the same, "
            "to learn; for at most this share of the budget. 0 for none.",
        ),
    ] = Field(default=0.05, ge=0, le=0.5)
    dormant: Annotated[
        bool,
        typer.Option(
            "--dormant",
            help="Contact the dormant too: customers silent for longer than the model's dormant_after_days. What they "
            "would do after they come back, no log shows.",
        ),
    ] = False
    allow_loss_makers: Annotated[
        bool,
        typer.Option(
            "--allow-loss-makers",
            help="Contact customers too who cost more than they bring (expected value below 0), where keeping them "
            "would pay all the same.",
        ),
    ] = False
    resumption: Annotated[
        float | None,
        typer.Option(
            "--resumption",
            help="Share of their old rate's value with which customers who had left go on once an offer has brought "
            "them back: 0: they buy once, 1: as before.",
            show_default="that of the scores",
        ),
    ] = Field(default=None, ge=0, le=1)
    hold_days: Annotated[
        int | None,
        typer.Option(
            "--hold-days",
            help="Days for which later plans leave the held-out customers alone, such as 365 to measure a whole "
            "year's value.",
            show_default="the churn window",
        ),
    ] = Field(default=None, ge=1, le=MOST_DAYS)
    recontact: Annotated[
        bool,
        typer.Option(
            "--recontact",
            help="Contact customers again whom a running campaign contacts; its measured effect will be that of both.",
        ),
    ] = False
    standing_holdout: Annotated[
        float,
        typer.Option(
            "--standing-holdout",
            help="Share of all customers whom no campaign contacts, the same ones in every plan.",
        ),
    ] = Field(default=0.0, ge=0, le=0.5)
    standing_seed: Annotated[
        int, typer.Option("--standing-seed", help="Seed of the standing holdout; keep it for all campaigns.")
    ] = 0

    @model_validator(mode="after")
    def _one_way_to_size_the_holdout(self) -> PlanTerms:
        if self.holdout is not None and self.effect is not None:
            raise ValueError(translated("give --holdout or --effect, not both: either sizes the holdout"))
        return self

    @property
    def explores(self) -> bool:
        """Whether some contacts are made to learn; without a holdout they would teach nothing."""
        return self.explore > 0 and self.holdout_share != 0

    @property
    def for_profit(self) -> PlanTerms:
        """The terms of the contacts that are made for profit: limits less the exploring share."""
        if not self.explores:
            return self
        budget, places = self.budget, self.max_contacts
        return self.model_copy(
            update={
                "budget": None if budget is None else (1 - self.explore) * budget,
                "max_contacts": None if places is None else places - math.floor(self.explore * places),
            }
        )

    @property
    def holdout_share(self) -> float | None:
        """Share to hold out; None where --effect decides it."""
        return None if self.effect is not None else 0.1 if self.holdout is None else self.holdout


def require_whole_window(hold_days: int | None, horizon_days: int | None) -> None:
    """Raise a StayworthError if a holdout is to be kept for less than the churn window that it is measured over."""
    if hold_days is not None and horizon_days is not None and hold_days < horizon_days:
        raise StayworthError(
            translated(
                "The holdout is kept for at least the churn window, {least:day|days}: the campaign is measured over "
                "it. {typed:day is|days are} less. Give {least:,} or more, or nothing.",
                least=horizon_days,
                typed=hold_days,
            )
        )


class PlanSettings(PlanTerms, section="plan"):
    """Input and output files of a plan, and its terms: the section ``[plan]``."""

    scores: Annotated[
        Path | None,
        typer.Option(
            "--scores",
            help="List that 'stayworth score' wrote.",
            show_default="the list published in the store",
        ),
    ] = None
    offers: Annotated[
        Path, typer.Option("--offers", help="TOML file of the offers, a table [[offers]] for each.")
    ]
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder to write; must not exist yet. May be left out with --name."),
    ] = None
    name: Annotated[
        str | None,
        typer.Option(
            "--name", help="Keep the campaign in the store under this name, where the workbench shows it."
        ),
    ] = None
    language: Annotated[
        Language,
        typer.Option("--language", help="Language of the summary: en, or fa for Persian."),
    ] = "en"
    horizon_days: Annotated[
        int | None,
        typer.Option(
            "--horizon-days",
            help="Churn window of the scores, for a scored list without the column horizon_days.",
        ),
    ] = Field(default=None, ge=1, le=MOST_DAYS)
    margin: Annotated[
        float | None,
        typer.Option(
            "--margin", help="Margin per unit of spend, for a scored list without the column margin."
        ),
    ] = Field(default=None, gt=0, le=1, allow_inf_nan=False)
    suppress: Annotated[
        Path | None,
        typer.Option("--suppress", help=SUPPRESS),
    ] = None
    contacts: Annotated[
        Path | None,
        typer.Option(
            "--contacts",
            help="Past contacts, for --cooldown-days: a table with customer_id and contacted_on, or the folder of "
            "a campaign.",
        ),
    ] = None
    running: Annotated[
        list[Path],
        typer.Option(
            "--running",
            help="Folder of a campaign that is still running, beside those next to --out, which are always looked at; "
            "repeat for more. Its customers are left alone.",
        ),
    ] = Field(default_factory=list)
    date_format: Annotated[
        str | None,
        typer.Option(
            "--date-format",
            help="How contacted_on is written, such as '%d/%m/%Y'; without it, ISO: 2011-01-31.",
        ),
    ] = None
    loose_ids: Annotated[bool, typer.Option("--loose-ids", help=LOOSE_IDS)] = False
    allow_unmatched: Annotated[bool, typer.Option("--allow-unmatched", help=ALLOW_UNMATCHED)] = False
    customers: Annotated[
        Path | None,
        typer.Option(
            "--customers",
            help="Table of contacts (.csv, .parquet, .xlsx) by customer_id; its other columns are added to the contact "
            "list.",
        ),
    ] = None
    columns: Annotated[
        ListColumns | None,
        typer.Option(
            "--columns",
            help=COLUMNS_HELP + " Beside list.csv, which keeps all, a list_team.csv for one.",
            show_default="team in list.xlsx",
        ),
    ] = None
    xlsx: Annotated[bool, typer.Option("--xlsx", help="Write the contact list as an Excel workbook too.")] = (
        False
    )
    excel: Annotated[
        bool,
        typer.Option("--excel", help="Begin CSV files with a byte order mark, which Excel needs for UTF-8."),
    ] = False

    @model_validator(mode="after")
    def _goes_somewhere(self) -> PlanSettings:
        if self.out is None and self.name is None:
            raise ValueError(
                translated(
                    "--out is missing. Give a folder to write; or give --name, and the store keeps the campaign"
                )
            )
        return self


class MeasureTerms(Settings):
    """How a campaign is measured."""

    until: Annotated[
        date | None,
        typer.Option(
            "--until",
            help="Count orders before this day. After the churn window, up to a year after the start: what those who "
            "were brought back went on to do (the resumption).",
            show_default="the end of the churn window, or of the log",
        ),
    ] = None
    confidence: Annotated[float, typer.Option("--confidence", help="Confidence level of the intervals.")] = (
        Field(default=0.9, gt=0.5, lt=1)
    )


class MeasureSettings(MeasureTerms, section="measure"):
    """The campaign to measure, and the folder for the findings: the section ``[measure]``."""

    campaign: Annotated[
        list[Path],
        typer.Option(
            "--campaign",
            help="Folder that 'stayworth plan' wrote, or the name of a campaign in the store. Repeat it to pool "
            "several.",
        ),
    ]
    redeemed: Annotated[
        Path | None,
        typer.Option("--redeemed", help="Table with a customer_id column: customers who took the incentive."),
    ] = None
    language: Annotated[
        Language,
        typer.Option("--language", help="Language of what is said: en, or fa for Persian."),
    ] = "en"
    loose_ids: Annotated[bool, typer.Option("--loose-ids", help=LOOSE_IDS)] = False
    allow_unmatched: Annotated[bool, typer.Option("--allow-unmatched", help=ALLOW_UNMATCHED)] = False
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Folder for the findings.", show_default="the campaign's own, or the store"
        ),
    ] = None
