"""The table of a past randomised campaign: its settings and its reader."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field, field_validator, model_validator

from features.errors import StayworthError
from features.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


class TournamentSettings(Settings, section="tournament"):
    """The experiment's table and columns, and the value of its outcome: the section ``[tournament]``."""

    experiment: Annotated[
        Path,
        typer.Option(
            "--experiment", help="Table of a past campaign, one row per customer, .csv or .parquet."
        ),
    ]
    treatment: Annotated[
        str, typer.Option("--treatment", help="Column of the group that each customer was drawn into.")
    ]
    outcome: Annotated[str, typer.Option("--outcome", help="Column of the outcome: a visit, a sale, money.")]
    contacted: Annotated[
        list[str],
        typer.Option(
            "--contacted", help="Value of the treatment column for the contacted; repeat for several offers."
        ),
    ] = ["1"]
    control: Annotated[
        str, typer.Option("--control", help="Its value for those not contacted; other rows are not used.")
    ] = "0"
    ignore: Annotated[
        list[str],
        typer.Option(
            "--ignore", help="Column not to predict from: ids, and what became known later. Repeat for more."
        ),
    ] = []
    value: Annotated[str | None, typer.Option("--value", help="Column that ranks customers by value.")] = None
    cost: Annotated[
        list[float],
        typer.Option("--cost", help="Cost of a contact, in money; repeat for the cost of each --contacted."),
    ] = [0.0]
    outcome_value: Annotated[
        float, typer.Option("--outcome-value", help="Value of one unit of the outcome, in money.")
    ] = Field(default=1, gt=0)
    share: Annotated[float, typer.Option("--share", help="Share of customers that a ranking contacts.")] = (
        Field(default=0.3, gt=0, le=1)
    )
    seed: Annotated[int, typer.Option("--seed", help="Seed of folds, random ranking and bootstrap.")] = 0

    @field_validator("contacted", "cost", mode="before")
    @classmethod
    def _one_or_several(cls, given: object) -> object:
        return given if isinstance(given, list | tuple) else [given]

    @model_validator(mode="after")
    def _a_cost_for_each(self) -> TournamentSettings:
        if any(not 0 <= cost < math.inf for cost in self.cost):
            raise ValueError("--cost must be 0 or more, in money")
        if len(self.cost) not in (1, len(self.contacted)):
            raise ValueError(
                f"give one --cost, or one for each --contacted: {len(self.cost)} for {len(self.contacted)}"
            )
        if len({*self.contacted, self.control}) <= len(self.contacted):
            raise ValueError("--contacted and --control must name different groups, each once")
        return self

    @property
    def offers(self) -> dict[str, float]:
        """The cost of a contact by each offer, in the order of the arms: 1, 2, …."""
        costs = self.cost if len(self.cost) > 1 else self.cost * len(self.contacted)
        return dict(zip(self.contacted, costs, strict=True))


_FEW_MISSING = 0.01


def read_experiment(settings: TournamentSettings) -> tuple[pd.DataFrame, pd.Series]:
    """Return the rows of the groups that have an outcome, and each one's arm: 0 not contacted, 1, 2, … by which offer.

    Raises
    ------
    StayworthError
        If the table can't be read, a column is missing, a group is empty, or the outcome is no number or missing in
        more than 1% of the rows: then those without one may be others than those with one.
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
    groups = [settings.control, *settings.contacted]
    for word, flag in zip(groups, ["--control", *["--contacted"] * len(settings.contacted)], strict=True):
        if not (said == word).any():
            kinds = ", ".join(map(repr, sorted(said.unique())[:8]))
            raise StayworthError(
                f"No row of {settings.treatment!r} says {word!r}; it says {kinds}. Use {flag}."
            )
    table = table[said.isin(groups)]
    table = table[_has_outcome(table[settings.outcome], path)].reset_index(drop=True)
    return table, table[settings.treatment].astype(str).map(groups.index)


def _has_outcome(outcome: pd.Series, path: Path) -> pd.Series:
    import pandas as pd

    numbers = pd.to_numeric(outcome, errors="coerce")
    odd = outcome[numbers.isna() & outcome.notna()]
    if len(odd):
        raise StayworthError(f"Column {outcome.name!r} of {path} holds {odd.iloc[0]!r}, which is no number.")
    missing = int(numbers.isna().sum())
    if missing > _FEW_MISSING * len(outcome):
        raise StayworthError(
            f"{missing:,} of {len(outcome):,} customers have no {outcome.name!r}. Where nothing happened, write 0; "
            "leave out customers whose outcome is unknown only if that does not hang on the contact."
        )
    return numbers.notna()
