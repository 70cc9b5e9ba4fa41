"""Settings of audiences: each field is a key of ``stayworth.toml``, a flag and its help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

import typer
from pydantic import Field, model_validator

from features.language import Language, translated
from features.settings import Settings
from training.campaign.settings import ALLOW_UNMATCHED, LOOSE_IDS, SUPPRESS


class SyncSettings(Settings, section="sync"):
    """Who is in an audience, and the table that it is kept in: the section ``[sync]``."""

    audience: Annotated[
        str, typer.Option("--audience", help="Name of the audience, the same at every run.")
    ] = Field(min_length=1, max_length=100)
    members: Annotated[
        Path,
        typer.Option(
            "--list",
            help="Who is in it: a list of 'stayworth score', or the list.csv of a campaign; by customer_id.",
        ),
    ]
    tier: Annotated[
        list[str], typer.Option("--tier", help="Only customers of this value_tier; repeat for more.")
    ] = Field(default_factory=list)
    stage: Annotated[
        list[str], typer.Option("--stage", help="Only customers of this stage; repeat for more.")
    ] = Field(default_factory=list)
    segment: Annotated[
        list[str],
        typer.Option("--segment", help="Only customers with this value, such as city=Yazd; repeat for more."),
    ] = Field(default_factory=list)
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            envvar="STAYWORTH_AUDIENCE_DATABASE",
            help="Database to keep it in: sqlite:///file.db or postgresql://user@host/database; else --webhook.",
        ),
    ] = None
    table: Annotated[str, typer.Option("--table", help="Table of the database; made if it is not there.")] = (
        Field(default="stayworth_audiences", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")
    )
    language: Annotated[
        Language, typer.Option("--language", help="Language of what is printed: en, or fa for Persian.")
    ] = "en"
    suppress: Annotated[Path | None, typer.Option("--suppress", help=SUPPRESS)] = None
    running: Annotated[
        list[Path],
        typer.Option(
            "--running",
            help="Folder of a running campaign, beside those next to the list; repeat for more. Whom it holds out is "
            "in no audience.",
        ),
    ] = Field(default_factory=list)
    loose_ids: Annotated[bool, typer.Option("--loose-ids", help=LOOSE_IDS)] = False
    allow_unmatched: Annotated[bool, typer.Option("--allow-unmatched", help=ALLOW_UNMATCHED)] = False

    @model_validator(mode="after")
    def _segments_can_be_read(self) -> Self:
        for each in self.segment:
            name, sign, value = each.partition("=")
            if not (name.strip() and sign and value.strip()):
                raise ValueError(
                    translated("--segment {given!r} is no column=value, such as city=Yazd", given=each)
                )
        return self

    @property
    def limits(self) -> dict[str, set[str]]:
        """The values of each column that customers are to have one of."""
        found = {"value_tier": set(self.tier), "stage": set(self.stage)}
        for each in self.segment:
            name, _, value = each.partition("=")
            found.setdefault(name.strip(), set()).add(value.strip())
        return {name: values for name, values in found.items() if values}
