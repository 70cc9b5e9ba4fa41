"""A past randomised campaign as a table: which rows are the two groups, and what to predict from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel, ConfigDict, Field

from features.errors import StayworthError

if TYPE_CHECKING:
    import pandas as pd


class TournamentSettings(BaseModel):
    """Which experiment, and what its outcome is worth: the section ``[tournament]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    experiment: Annotated[
        Path,
        typer.Option(
            "--experiment", help="Table of a past campaign, one row per customer, .csv or .parquet."
        ),
    ]
    treatment: Annotated[
        str, typer.Option("--treatment", help="Column that says who was drawn to be contacted.")
    ]
    outcome: Annotated[
        str, typer.Option("--outcome", help="Column of what is wanted: a visit, a sale, money.")
    ]
    contacted: Annotated[
        str, typer.Option("--contacted", help="What the treatment column says of the contacted.")
    ] = "1"
    control: Annotated[
        str, typer.Option("--control", help="What it says of those left alone; other rows are not used.")
    ] = "0"
    ignore: Annotated[
        list[str],
        typer.Option(
            "--ignore", help="Column not to predict from: ids, and whatever came after. Repeat for more."
        ),
    ] = []
    value: Annotated[str | None, typer.Option("--value", help="Column that ranks customers by value.")] = None
    cost: Annotated[float, typer.Option("--cost", help="Cost of a contact, in money.")] = Field(
        default=0, ge=0
    )
    outcome_value: Annotated[
        float, typer.Option("--outcome-value", help="What one unit of the outcome is worth, in money.")
    ] = Field(default=1, gt=0)
    share: Annotated[float, typer.Option("--share", help="Share of customers that a ranking contacts.")] = (
        Field(default=0.3, gt=0, le=1)
    )
    seed: Annotated[int, typer.Option("--seed", help="Seed of folds, lots and bootstrap.")] = 0


def read_experiment(settings: TournamentSettings) -> tuple[pd.DataFrame, pd.Series]:
    """Return the experiment's rows of the two groups, and who was contacted.

    Raises
    ------
    StayworthError
        If the table can't be read, a column is missing, or a group is empty.
    """
    import pandas as pd

    path = settings.experiment
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise StayworthError(f"Cannot read {path}: {error}.") from None
    for name in filter(None, (settings.treatment, settings.outcome, settings.value, *settings.ignore)):
        if name not in table.columns:
            raise StayworthError(
                f"{path} has no column {name!r}; it has {', '.join(map(str, table.columns))}."
            )
    said = table[settings.treatment].astype(str)
    for word, flag in ((settings.contacted, "--contacted"), (settings.control, "--control")):
        if not (said == word).any():
            kinds = ", ".join(map(repr, sorted(said.unique())[:8]))
            raise StayworthError(
                f"No row of {settings.treatment!r} says {word!r}; it says {kinds}. Use {flag}."
            )
    table = table[said.isin([settings.contacted, settings.control])].reset_index(drop=True)
    return table, table[settings.treatment].astype(str) == settings.contacted
