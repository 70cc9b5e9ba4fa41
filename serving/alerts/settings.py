"""Settings of alerts: each field is a key of ``stayworth.toml``, a flag and its help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import Field

from features.language import Language
from features.settings import Settings
from training.campaign.settings import ALLOW_UNMATCHED, LOOSE_IDS, SUPPRESS


class AlertSettings(Settings, section="alerts"):
    """What raises an alert, and the files that it is seen in: the section ``[alerts]``."""

    scores: Annotated[Path, typer.Option("--scores", help="List that 'stayworth score' wrote, the newest.")]
    out: Annotated[Path, typer.Option("--out", help="File to write: .csv, .parquet or .xlsx.")]
    before: Annotated[
        Path | None,
        typer.Option("--before", help="The list before it: who has become likelier to leave since."),
    ] = None
    risk_rise: Annotated[
        float,
        typer.Option("--risk-rise", help="Rise of the churn probability since then that raises an alert."),
    ] = Field(default=0.15, gt=0, lt=1)
    offers: Annotated[
        Path | None,
        typer.Option("--offers", help="TOML file of [[offers]]: the best that pays is named, else: call."),
    ] = None
    touchpoints: Annotated[
        Path | None,
        typer.Option(
            "--touchpoints",
            help="Touches of customers, complaints among them: customer_id, occurred_at, touchpoint.",
        ),
    ] = None
    complaint: Annotated[
        list[str],
        typer.Option("--complaint", help="Touchpoint that is a complaint; repeat for more."),
    ] = Field(default_factory=lambda: ["complaint"])
    complaint_days: Annotated[
        int, typer.Option("--complaint-days", help="A complaint is open for so many days.")
    ] = Field(default=30, ge=1)
    receivables: Annotated[
        Path | None,
        typer.Option(
            "--receivables", help="Invoices: customer_id, issued_at, due_at, amount, paid_at, paid_amount."
        ),
    ] = None
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", help="Folder of 'stayworth report --targets': each missed target is an alert."
        ),
    ] = None
    suppress: Annotated[
        Path | None,
        typer.Option("--suppress", help=SUPPRESS),
    ] = None
    running: Annotated[
        list[Path],
        typer.Option(
            "--running",
            help="Folder of a running campaign; repeat for more. Whom it holds out is in no alert.",
        ),
    ] = Field(default_factory=list)
    language: Annotated[
        Language,
        typer.Option("--language", help="Language of the reasons: en, or fa for Persian."),
    ] = "en"
    date_format: Annotated[
        str | None,
        typer.Option("--date-format", help="How the files write dates, such as '%d/%m/%Y'; without it, ISO."),
    ] = None
    decimal: Annotated[
        Literal[".", ","] | None,
        typer.Option("--decimal", help="Decimal mark of debts, a point or a comma.", show_default="a point"),
    ] = None
    thousands: Annotated[
        Literal[".", ",", " ", "'"] | None,
        typer.Option(
            "--thousands", help="Mark between groups of three digits in debts.", show_default="none"
        ),
    ] = None
    loose_ids: Annotated[bool, typer.Option("--loose-ids", help=LOOSE_IDS)] = False
    allow_unmatched: Annotated[bool, typer.Option("--allow-unmatched", help=ALLOW_UNMATCHED)] = False
    excel: Annotated[bool, typer.Option("--excel", help="Mark a CSV as UTF-8 in the way Excel needs.")] = (
        False
    )
