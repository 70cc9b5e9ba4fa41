"""A finished training run: the model to deploy, and the evaluation of its recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from features.behaviour.files import BehaviourFiles
from features.log.transactions import TransactionLog
from training.churn.recipe import Recipe
from training.judging.evaluation import HeldOutEvaluation
from training.judging.tuning_gain import TuningReport
from training.model.retention_model import RetentionModel
from training.settings import TrainSettings
from training.snapshots.dataset import DescribedSnapshot, LabelledSnapshot
from training.snapshots.schedule import Schedule
from training.window.advice import Advice


@dataclass(frozen=True)
class TrainingRun:
    """A finished run: the model to deploy, the evaluation of its recipe, and the snapshots behind both.

    Parameters
    ----------
    log : TransactionLog
        Of the customers that were learnt from: the whole one, or a sample of its customers.
    model : RetentionModel
        To deploy; fitted on every closed window.
    recipe : Recipe
    schedule : Schedule
    test : HeldOutEvaluation
    newest : DescribedSnapshot
        The day after the last order.
    scores : DataFrame
        The model's, for the newest snapshot, of the customers that were learnt from.
    labelled : list of LabelledSnapshot
        Without the customers under a campaign's influence.
    settings : TrainSettings
        As used, with the horizon that ``advice`` gave where none was set.
    advice : Advice or None
    tuning : TuningReport or None
    beside : BehaviourFiles or None
        What was known of customers beside their orders.
    """

    log: TransactionLog
    model: RetentionModel
    recipe: Recipe
    schedule: Schedule
    test: HeldOutEvaluation
    newest: DescribedSnapshot
    scores: pd.DataFrame
    labelled: list[LabelledSnapshot]
    settings: TrainSettings
    advice: Advice | None = None
    tuning: TuningReport | None = None
    beside: BehaviourFiles | None = None

    @property
    def documents(self) -> dict[str, Any]:
        """The advice and the tuning report by name, ready for JSON; without those that there are not."""
        parts = {"advice": self.advice, "tuning": self.tuning}
        return {name: part.to_dict() for name, part in parts.items() if part}
