"""Learners that take part in the benchmark's race only: LightGBM with searched parameters, and CatBoost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import lightgbm as lgb
import numpy as np

from training.churn.rolling import MAX_ROUNDS, customer_splits, loss_curves, rolling_splits
from training.judging.race import plain_matrix, stacked_plain
from training.snapshots.dataset import LabelledSnapshot
from training.threads import cpu_quota

TRIALS = 20
NOT_INSTALLED = "not installed"

Learner = Callable[[Sequence[LabelledSnapshot], LabelledSnapshot], np.ndarray]


def lightgbm_tuned(known: Sequence[LabelledSnapshot], target: LabelledSnapshot) -> np.ndarray:
    """Predict churn by a plain LightGBM, its parameters the best of random ones on rolling validation."""
    data = []
    for split in rolling_splits(known) or customer_splits(known):
        train = _plain(split.train)
        data.append((train, _plain([split.valid], reference=train)))
    rng = np.random.default_rng(0)
    lowest, best, rounds = np.inf, _drawn(rng), 1
    for _ in range(TRIALS):
        parameters = _drawn(rng)
        curve = loss_curves(parameters, data, patience=MAX_ROUNDS)[1]
        if curve.min() < lowest:
            lowest, best, rounds = float(curve.min()), parameters, int(curve.argmin()) + 1
    booster = lgb.train(best, _plain(known), num_boost_round=rounds)
    return np.asarray(booster.predict(plain_matrix(target)))


def _plain(rows: Sequence[LabelledSnapshot], reference: lgb.Dataset | None = None) -> lgb.Dataset:
    """Stack snapshots without a start: what a learner gets that does not know BG/NBD's form."""
    return lgb.Dataset(
        stacked_plain(rows),
        np.concatenate([row.churned for row in rows]),
        params={"feature_pre_filter": False, "verbose": -1},
        reference=reference,
        free_raw_data=False,
    )


def _drawn(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "objective": "binary",
        "num_leaves": int(rng.integers(4, 32)),
        "min_data_in_leaf": int(np.exp(rng.uniform(np.log(50), np.log(1_000)))),
        "lambda_l2": float(np.exp(rng.uniform(0.0, np.log(200)))),
        "feature_fraction": float(rng.uniform(0.2, 1.0)),
        "learning_rate": float(np.exp(rng.uniform(np.log(0.03), np.log(0.2)))),
        "bagging_fraction": float(rng.uniform(0.4, 1.0)),
        "bagging_freq": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": 0,
        "num_threads": cpu_quota(),
        "verbose": -1,
    }


def catboost_defaults(known: Sequence[LabelledSnapshot], target: LabelledSnapshot) -> np.ndarray:
    """Predict churn by CatBoost with its default settings."""
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(random_seed=0, verbose=False, thread_count=cpu_quota())
    model.fit(stacked_plain(known), np.concatenate([row.churned for row in known]))
    return np.asarray(model.predict_proba(plain_matrix(target))[:, 1])


LEARNERS: dict[str, Learner | None] = {
    "LightGBM tuned": lightgbm_tuned,
    "CatBoost defaults": catboost_defaults if find_spec("catboost") else None,
}
"""By name; None where its library is not installed."""
