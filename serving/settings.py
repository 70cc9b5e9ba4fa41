"""Settings of scoring and serving: each field is a key of ``stayworth.toml``, a flag and its help text."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Self

import typer
from pydantic import BaseModel, ConfigDict, Field, model_validator

from features.options import CONFIG_FILE
from training.settings import TrainSettings

DEFAULT_TRACKING_URI: str = TrainSettings.model_fields["tracking_uri"].default

TrackingURI = Annotated[
    str,
    typer.Option(
        "--tracking-uri",
        envvar="STAYWORTH_TRACKING_URI",
        help="MLflow's tracking store, where the champion is.",
    ),
]


DEFAULT_STORE = "sqlite:///stayworth.db"

StoreURI = Annotated[
    str,
    typer.Option(
        "--store",
        envvar="STAYWORTH_STORE",
        help="Where published scores and API keys are: sqlite:///file.db or postgresql://user@host/database.",
    ),
]


class ScoreSettings(BaseModel):
    """What a scored list holds and where it goes: the section ``[score]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write: .csv, .parquet or .xlsx. May be left out with --publish."),
    ] = None
    publish: Annotated[
        bool,
        typer.Option(
            "--publish", help="Make the whole list, whatever --top leaves of it, what the service looks up."
        ),
    ] = False
    store: StoreURI = DEFAULT_STORE
    keep_sets: Annotated[
        int, typer.Option("--keep-sets", help="Published lists that stay in the store, this one among them.")
    ] = Field(default=3, ge=1)
    snapshot_date: Annotated[
        date | None,
        typer.Option(
            "--snapshot-date",
            help="Score as of this date, by the orders before it. By default the day after the last order.",
        ),
    ] = None
    top: Annotated[
        int | None, typer.Option("--top", help="Keep this many customers, those with most at risk.")
    ] = Field(default=None, ge=1)
    min_value: Annotated[
        float | None, typer.Option("--min-value", help="Keep customers with at least this value at risk.")
    ] = None
    recent: Annotated[
        bool,
        typer.Option(
            "--recent", help="Leave out customers silent for longer than the model's --dormant-after-days."
        ),
    ] = False
    customers: Annotated[
        Path | None,
        typer.Option(
            "--customers",
            help="Table of contacts (.csv, .parquet, .xlsx) by customer_id; its other columns are added.",
        ),
    ] = None
    unscored: Annotated[
        Path | None,
        typer.Option(
            "--unscored", help="File for the customers that have no score, with the reason of each."
        ),
    ] = None
    excel: Annotated[bool, typer.Option("--excel", help="Mark a CSV as UTF-8 in the way Excel needs.")] = (
        False
    )
    tracking_uri: TrackingURI = DEFAULT_TRACKING_URI

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if self.out is None and not self.publish:
            raise ValueError(
                f"--out is missing. Give it here or as out in [score] of {CONFIG_FILE}; or give --publish, and "
                "the service looks the list up"
            )
        return self


class ServeSettings(BaseModel):
    """Where the service listens: the section ``[serve]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, typer.Option("--port", help="Port to listen on.")] = Field(
        default=3000, ge=1, le=65535
    )
    workers: Annotated[int, typer.Option("--workers", help="Processes that answer.")] = Field(default=1, ge=1)
    tracking_uri: TrackingURI = DEFAULT_TRACKING_URI
