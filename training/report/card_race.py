"""The races as the card shows them: each racer's measures, on churn by slice of customers, and the model's on spend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from training.judging.race import MODEL, winner
from training.metrics.probabilities import TIE

if TYPE_CHECKING:
    from training.run import TrainingRun


def row_of(race: pd.DataFrame, part: str, racer: str) -> dict[str, Any]:
    """Return a racer's measures on a slice of the customers."""
    found = race[(race["racer"] == racer) & (race["customers_slice"] == part)]
    return dict(found.iloc[0].to_dict())


def winner_of(race: pd.DataFrame, part: str) -> str:
    """Return the winner; an empty text where the slice has no customers."""
    measured = race.loc[race["customers_slice"] == part, "log_loss"].notna().any()
    return winner(race, part) if measured else ""


def racers(race: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the race by racer, each slice marked: ``winner``, ``tie`` with the lowest log-loss, or nothing."""
    rows = []
    for racer in race["racer"].unique():
        row: dict[str, Any] = {"name": racer}
        for part in ("all", "recent"):
            own = row_of(race, part, racer)
            lowest = race.loc[race["customers_slice"] == part, "log_loss"].min()
            tied = own["log_loss"] <= lowest + TIE
            won = tied and racer == winner_of(race, part)
            row[part] = own | {"mark": "winner" if won else "tie" if tied else ""}
        rows.append(row)
    return rows


def spend_of_model(run: TrainingRun) -> dict[str, float]:
    """Return the model's row of the race on spend."""
    return dict(run.test.spend.set_index("racer").loc[MODEL].to_dict())
