"""Settings of scoring and serving: each field is a key of ``stayworth.toml``, a flag and its help text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

import typer
from pydantic import Field, field_validator, model_validator

from features.language import Language, translated
from features.settings import CONFIG_FILE, Settings
from training.campaign.settings import COLUMNS_HELP, LOOSE_IDS, ListColumns

DEFAULT_STORE = "sqlite:///stayworth.db"


def require_rate_limit(text: str) -> None:
    """Raise a ValueError if a text is no rate limit, such as ``600/minute``.

    Examples
    --------
    >>> require_rate_limit("0/minute")
    Traceback (most recent call last):
    ValueError: '0/minute' is no rate limit. Write it as 600/minute, 10/second or 1000 per 1 hour, for example.
    """
    import limits

    try:
        found = limits.parse_many(text)
    except ValueError:
        found = []
    if len(found) != 1 or found[0].amount < 1 or found[0].multiples < 1:
        raise ValueError(
            translated(
                "{given!r} is no rate limit. Write it as 600/minute, 10/second or 1000 per 1 hour, for "
                "example.",
                given=text,
            )
        )


class StoreSettings(Settings, section="store"):
    """Where published scores and API keys are kept, for every command: the section ``[store]``."""

    moved_here = {"store": "uri"}

    uri: Annotated[
        str,
        typer.Option(
            "--store",
            envvar="STAYWORTH_STORE",
            help="Database of published scores and API keys: sqlite:///file.db or postgresql://user@host/database.",
        ),
    ] = DEFAULT_STORE


class MoneySettings(Settings, section="money"):
    """What money is called in lists: the section ``[money]``."""

    unit: Annotated[
        str | None,
        typer.Option(
            "--money-unit",
            help="What money is called in lists for readers; toman shows rials divided by ten.",
            show_default="the log's currency",
        ),
    ] = Field(default=None, max_length=40)


class ScoreSettings(Settings, section="score"):
    """Contents and destination of a scored list: the section ``[score]``."""

    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="File to write: .csv, .parquet or .xlsx. May be left out with --publish or --to."
        ),
    ] = None
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            help="Table of a database for all columns of the list, made or its rows replaced: "
            "postgresql://user@host/database?table=scores, or another database whose SQLAlchemy driver is installed.",
        ),
    ] = None
    publish: Annotated[
        bool,
        typer.Option(
            "--publish", help="Publish the whole list, regardless of --top, for the service to look up."
        ),
    ] = False
    language: Annotated[
        Language,
        typer.Option(
            "--language", help="Language of the reasons and the team's columns: en, or fa for Persian."
        ),
    ] = "en"
    shrink: Annotated[
        bool,
        typer.Option(
            "--shrink", help="Publish a list that has lost a large part of the published one's customers."
        ),
    ] = False
    older: Annotated[
        bool,
        typer.Option("--older", help="Publish a list of an earlier day than the published one's."),
    ] = False
    keep_sets: Annotated[
        int, typer.Option("--keep-sets", help="Published lists to keep in the store, this one included.")
    ] = Field(default=3, ge=1)
    snapshot_date: Annotated[
        date | None,
        typer.Option(
            "--snapshot-date",
            help="Score as of this date, by the orders before it. By default the day after the last order.",
        ),
    ] = None
    top: Annotated[
        int | None,
        typer.Option(
            "--top",
            help="Keep this many customers from the top: those with the most value at risk, the dormant last.",
        ),
    ] = Field(default=None, ge=1)
    min_value: Annotated[
        float | None, typer.Option("--min-value", help="Keep customers with at least this value at risk.")
    ] = Field(default=None, allow_inf_nan=False)
    recent: Annotated[
        bool,
        typer.Option(
            "--recent",
            help="Leave out the dormant: customers silent for longer than the model's --dormant-after-days.",
        ),
    ] = False
    customers: Annotated[
        Path | None,
        typer.Option(
            "--customers",
            help="Table of contacts (.csv, .parquet, .xlsx) by customer_id; its other columns are added.",
        ),
    ] = None
    columns: Annotated[
        ListColumns | None,
        typer.Option("--columns", help=COLUMNS_HELP, show_default="team in .xlsx, else all"),
    ] = None
    loose_ids: Annotated[bool, typer.Option("--loose-ids", help=LOOSE_IDS)] = False
    unscored: Annotated[
        Path | None,
        typer.Option(
            "--unscored", help="File for the customers that have no score, with the reason of each."
        ),
    ] = None
    without_reasons: Annotated[
        bool,
        typer.Option(
            "--without-reasons",
            help="Leave the reasons empty, which take a tenth of the time of scoring a large list.",
        ),
    ] = False
    excel: Annotated[bool, typer.Option("--excel", help="Mark a CSV as UTF-8 in the way Excel needs.")] = (
        False
    )

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if self.out is None and self.to is None and not self.publish:
            raise ValueError(
                translated(
                    "--out is missing. Give it here or as out in [score] of {config_file}; or give --publish,"
                    " and the service looks the list up; or --to, a table of a database",
                    config_file=CONFIG_FILE,
                )
            )
        return self


class ServeSettings(Settings, section="serve"):
    """Address, access and limits of the service: the section ``[serve]``."""

    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, typer.Option("--port", help="Port to listen on.")] = Field(
        default=3000, ge=1, le=65535
    )
    workers: Annotated[int, typer.Option("--workers", help="Processes that answer.")] = Field(default=1, ge=1)
    poll_seconds: Annotated[
        float,
        typer.Option(
            "--poll-seconds", envvar="STAYWORTH_POLL_SECONDS", help="How often to look for a new champion."
        ),
    ] = Field(default=15.0, gt=0)
    cache: Annotated[
        Path,
        typer.Option(
            "--cache",
            envvar="STAYWORTH_CACHE",
            help="Folder for a copy of the champion, for when the registry is down.",
        ),
    ] = Path(".stayworth")
    auth: Annotated[
        Literal["auto", "always", "off"],
        typer.Option(
            "--auth",
            envvar="STAYWORTH_AUTH",
            help="Whether to ask for an API key; auto: on loopback once there is one, elsewhere always. "
            "off: only on loopback.",
        ),
    ] = "auto"
    rate_limit: Annotated[
        str | None,
        typer.Option(
            "--rate-limit",
            envvar="STAYWORTH_RATE_LIMIT",
            help="Requests a key may send, such as 600/minute, where it has no limit of its own.",
        ),
    ] = None
    max_body_mb: Annotated[
        int,
        typer.Option("--max-body-mb", envvar="STAYWORTH_MAX_BODY_MB", help="Largest body, in MiB."),
    ] = Field(default=32, ge=1, le=1024)
    metrics: Annotated[
        Literal["auto", "open", "key", "off"],
        typer.Option(
            "--metrics",
            envvar="STAYWORTH_METRICS",
            help="Who may read /metrics; auto: whoever has a key, on loopback everybody.",
        ),
    ] = "auto"

    @field_validator("rate_limit")
    @classmethod
    def _can_be_read(cls, limit: str | None) -> str | None:
        if limit is not None:
            require_rate_limit(limit)
        return limit

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings that have an environment variable; without one for ``auth``, keys are required.

        For a service that is started without ``stayworth serve``.

        Examples
        --------
        >>> ServeSettings.from_environment({"STAYWORTH_POLL_SECONDS": "5"}).poll_seconds
        5.0
        """
        return super().from_environment({"STAYWORTH_AUTH": "always", **environment})


class WorkbenchSettings(Settings, section="workbench"):
    """Address, language and orders of the workbench: the section ``[workbench]``."""

    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; any but this machine's own takes users.")
    ] = "127.0.0.1"
    port: Annotated[int, typer.Option("--port", help="Port to listen on.")] = Field(
        default=3100, ge=1, le=65535
    )
    language: Annotated[
        Language,
        typer.Option(
            "--language", help="Language of the pages until a visitor chooses: en, or fa for Persian."
        ),
    ] = "en"
    transactions: Annotated[
        str | None,
        typer.Option(
            "--transactions", help="Log of orders, for a customer's timeline, rhythm and what would change."
        ),
    ] = None
    report: Annotated[
        Path | None,
        typer.Option("--report", help="Folder of 'stayworth report', whose page is shown among the others."),
    ] = None
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", help="Certificate (PEM) for https; none behind a proxy that has one."),
    ] = None
    private_key: Annotated[
        Path | None, typer.Option("--private-key", help="The certificate's private key (PEM).")
    ] = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError(translated("--certificate and --private-key go together: give both, or neither"))
        return self
