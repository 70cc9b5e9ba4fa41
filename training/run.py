"""A finished training run: the model to deploy, and the verdict on its recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from training.churn.recipe import Recipe
from training.judging.race import MODEL
from training.judging.tuning_gain import Tuned
from training.model.retention_model import RetentionModel
from training.settings import TrainSettings
from training.snapshots.dataset import DescribedSnapshot, LabelledSnapshot
from training.snapshots.schedule import Schedule
from training.window.advice import Advice


@dataclass(frozen=True)
class Test:
    """The verdict on the recipe: its predictions for the test snapshot beside what happened.

    Parameters
    ----------
    row : LabelledSnapshot
    probability : ndarray of shape (n_customers,)
    expected_spend : ndarray of shape (n_customers,), money in the churn window
    race : DataFrame, from `training.judging.race.race`
    spend : DataFrame, from `training.judging.race.race_spend`
    deciles : DataFrame, from `training.metrics.accuracy.decile_table`, with intervals
    next_purchase : DataFrame, from `training.metrics.accuracy.next_purchase_table`
    """

    row: LabelledSnapshot
    probability: np.ndarray
    expected_spend: np.ndarray
    race: pd.DataFrame
    spend: pd.DataFrame
    deciles: pd.DataFrame
    next_purchase: pd.DataFrame

    @property
    def metrics(self) -> dict[str, float]:
        """The model's own measures, flat, as they are logged."""
        measured: dict[str, float] = {}
        for _, row in self.race[self.race["racer"] == MODEL].iterrows():
            part = "" if row["customers_slice"] == "all" else f"{row['customers_slice']}_"
            measured |= {f"test_{part}{name}": float(row[name]) for name in self.race.columns[2:]}
        spend = self.spend.set_index("racer").loc[MODEL]
        measured |= {f"test_spend_{name}": float(value) for name, value in spend.items()}
        bought = self.next_purchase.set_index("level")["bought"]
        measured |= {
            f"test_next_purchase_{level:.0%}".rstrip("%"): float(share) for level, share in bought.items()
        }
        return measured | {"test_spend_interval_coverage": float(self.deciles["covered"].mean())}


@dataclass(frozen=True)
class TrainingRun:
    """A finished run: the model to deploy, the recipe's verdict, and the labelled snapshots behind both.

    ``settings`` are those used, with the horizon that ``advice`` gave where none was asked for.
    """

    model: RetentionModel
    recipe: Recipe
    schedule: Schedule
    test: Test
    newest: DescribedSnapshot
    scores: pd.DataFrame
    rows: list[LabelledSnapshot]
    settings: TrainSettings
    advice: Advice | None = None
    tuned: Tuned | None = None

    @property
    def findings(self) -> dict[str, Any]:
        """What advice and tuning found, as documents to log."""
        found = {"advice": self.advice, "tuning": self.tuned}
        return {name: document.to_dict() for name, document in found.items() if document}
