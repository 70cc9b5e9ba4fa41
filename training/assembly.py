"""Assembly of the model to deploy: fitted models, training card, reference for monitoring, tier cut-offs."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version as release
from typing import Any

import numpy as np
import pandas as pd

from features.log.transactions import TransactionLog
from training.churn.model import CHURN_FEATURES
from training.churn.procedure import FittedRecipe
from training.churn.recipe import Recipe
from training.clv.value import ValueTerms
from training.judging.evaluation import HeldOutEvaluation
from training.judging.race import winner
from training.model.retention_model import RetentionModel
from training.monitoring.reference_builder import build_reference, measure_slices
from training.training_data import TrainingData


def assemble_model(
    deployed: FittedRecipe,
    log: TransactionLog,
    data: TrainingData,
    evaluation: HeldOutEvaluation,
    terms: ValueTerms,
) -> RetentionModel:
    """Put together the model to deploy: fitted models, training card, reference for monitoring, tier cut-offs."""
    newest, settings = data.newest, data.settings
    card = _card(log, data, deployed.recipe, evaluation)
    model = RetentionModel(deployed.churn, newest.clv, terms, (), card, deployed.spend)
    test_performance = measure_slices(
        evaluation.labelled, evaluation.probability, evaluation.expected_spend, settings.dormancy_days
    )
    card["reference"] = build_reference(model, log, data.closed, newest, test_performance).to_dict()
    probability = deployed.churn.predict(newest.columns, data.plan.newest)
    return model.with_tiers(model.money(newest.columns, probability)["expected_value"])


def _card(
    log: TransactionLog, data: TrainingData, recipe: Recipe, evaluation: HeldOutEvaluation
) -> dict[str, Any]:
    """Return the record of the run; its metrics are of the judged fit, which knew less than the deployed one."""
    plan, newest, settings = data.plan, data.newest, data.settings
    left_out = {} if data.contacted_left_out is None else {"contacted_left_out": data.contacted_left_out}
    return {
        "release": release("stayworth"),
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "snapshot_date": plan.newest.date.isoformat(),
        "horizon_days": settings.horizon,
        "value_horizon_days": settings.value_horizon_days,
        "dormant_after_days": settings.dormancy_days,
        "log": {
            "first_day": log.first_day.isoformat(),
            "last_day": log.last_day.isoformat(),
            "rows_in": log.report.rows_in,
            "rows_used": log.report.rows_used,
            "quarantined": dict(log.report.quarantined),
            "customers": log.report.customers,
            "timezone": log.report.timezone,
            "fingerprint": log.report.fingerprint,
        },
        "snapshots": [str(snapshot) for snapshot in plan.closed],
        "snapshot_limit": settings.snapshots,
        "test": {
            "snapshot_date": str(plan.test),
            "winner": winner(evaluation.race),
            "metrics": evaluation.finite_metrics,
        },
        "recipe": recipe.to_dict(),
        "notes": [*newest.clv.notes, *_left_truncation(newest.table)],
        "features": list(CHURN_FEATURES),
    } | left_out


def _left_truncation(table: pd.DataFrame) -> list[str]:
    """Warn of a left-truncated log: the business is older than the log, and so are its first customers.

    The sign is a first month with several times the new customers of a usual month, in a business that goes on
    acquiring; a cohort acquired at once, such as CDNOW's, does not count.
    """
    age = table["tenure_days"].to_numpy()
    months = np.histogram(age, bins=np.arange(0, age.max() + 31, 30))[0]
    first_month, usual = (age > age.max() - 30).mean(), np.median(months) / len(age)
    if usual == 0 or first_month < 3 * usual:
        return []
    return [
        f"{first_month:.0%} of the customers first appear in the log's first 30 days, {usual:.0%} in a usual month: "
        "the log seems to begin in the middle of the business's life, and these customers are older than it "
        "says. To leave them out: --acquired-after DATE."
    ]
