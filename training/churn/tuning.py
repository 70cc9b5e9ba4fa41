"""Tuning of the residual's LightGBM parameters on rolling validation, with Optuna.

Each trial is measured as `training.churn.recipe_choice` measures the defaults: on the same rolling splits, by the
log-loss with each validation snapshot's own intercept, at the number of trees with the lowest mean. A trial that is
behind the median after a split is pruned. The defaults, free and monotone, are the first trials; the best trial
replaces them only if its gain on the validation customers is more than noise. As the best of many trials is still
biased by the selection, the gain is also measured on the test snapshot (`training.judging.tuning_gain`).

The study is kept in the database of the model registry and resumed from there: the same log, settings and seed give
the same study. A trial depends on the seed and on the trials finished before it, so an interrupted study ends like
one that was not.

Optuna and MLflow both write their schema's version into a table ``alembic_version``. So MLflow's tables must be
created first (`training.versions.registry.Registry.create`), Optuna is told not to check that table, and a study
written by another major release of Optuna is refused.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version as release
from typing import Any

import lightgbm as lgb
import numpy as np
import optuna
import pandas as pd
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import InMemoryStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState
from scipy.special import expit
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from features.errors import ModelError
from features.language import translated
from features.progress import Report
from training.churn.base import AS_SAID
from training.churn.bins import Bins
from training.churn.budget import Budget
from training.churn.calibration import intercept_of
from training.churn.fit_options import FitOptions
from training.churn.inputs import CHURN_FEATURES, ORDERS_ALONE
from training.churn.model import PARAMETERS, booster_parameters
from training.churn.rolling import MAX_ROUNDS, Split, customer_splits, loss_curves, rolling_splits
from training.churn.tuning_result import TuningResult
from training.metrics.comparison import Comparison, log_losses, paired_bootstrap
from training.snapshots.dataset import LabelledSnapshot
from training.tracking_uri import TrackingURI

SPACE: Mapping[str, BaseDistribution] = {
    "num_leaves": IntDistribution(4, 32, log=True),
    "min_data_in_leaf": IntDistribution(50, 2_000, log=True),
    "lambda_l2": FloatDistribution(1.0, 200.0, log=True),
    "feature_fraction": FloatDistribution(0.2, 1.0),
    "learning_rate": FloatDistribution(0.03, 0.25, log=True),
    "bagging_fraction": FloatDistribution(0.4, 1.0),
    "monotone": CategoricalDistribution((False, True)),
}
"""The search space. The number of trees is not in it: it is the best of each trial's mean curve."""

STARTUP_TRIALS = 10  # drawn at random before TPE has something to learn from

_DEFAULTS = [
    {name: PARAMETERS[name] for name in SPACE if name != "monotone"} | {"monotone": monotone}
    for monotone in (False, True)
]
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)

# Else LightGBM drops features for the first trial's min_data_in_leaf and bins again for every other.
_SHARED_BINS = {"feature_pre_filter": False}


def tune(
    rows: Sequence[LabelledSnapshot],
    options: FitOptions,
    *,
    budget: Budget,
    storage: str | None = None,
    report: Report | None = None,
) -> TuningResult:
    """Search the residual's parameters on rolling validation.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot, oldest first, closed windows only, the test snapshot not among them
    options : FitOptions
    budget : Budget
    storage : str, optional
        Database of the studies, as `study_storage` gives it; None keeps the study in memory only.
    report : callable, optional

    Raises
    ------
    ModelError
        If the database cannot be used.
    """
    splits = rolling_splits(rows) or customer_splits(rows)
    bins, first = Bins(), _parameters(_DEFAULTS[0], options)
    data = [bins.of_split(split, AS_SAID.target, first) for split in splits]
    name = _study_name(rows, options.seed)
    with _study(storage, name) as study:
        started = time.monotonic()
        while not (done := len(_finished(study))) or not budget.is_spent(done, time.monotonic() - started):
            if report is not None:
                report(translated("Tuning"), done, budget.trials or 0)
            _run_trial(study, data, options)
        finished = _finished(study)
    complete = [trial for trial in finished if trial.state == TrialState.COMPLETE]
    best = min(complete, key=_loss)
    default = min((trial for trial in complete if trial.params in _DEFAULTS), key=_loss)
    gain = _compare(splits, data, best, default, options)
    found = {key: value for key, value in best.params.items() if key != "monotone"}
    return TuningResult(
        parameters=found | _SHARED_BINS if gain.verdict == "better" else {},
        best=best.params | {"rounds": best.user_attrs["rounds"]},
        default_loss=_loss(default),
        best_loss=_loss(best),
        gain=gain,
        trials=len(finished),
        pruned=len(finished) - len(complete),
        study=name,
    )


def study_storage(tracking_uri: str) -> str:
    """Return the database for studies: the registry's own, or a file here where an MLflow server holds it.

    Examples
    --------
    >>> study_storage("sqlite:///mlflow.db"), study_storage("http://mlflow:5000")
    ('sqlite:///mlflow.db', 'sqlite:///stayworth-tuning.db')
    """
    is_server = tracking_uri.startswith(("http:", "https:"))
    return "sqlite:///stayworth-tuning.db" if is_server else tracking_uri


def _parameters(found: Mapping[str, Any], options: FitOptions) -> dict[str, Any]:
    chosen = {name: value for name, value in found.items() if name != "monotone"}
    tuned = chosen | _SHARED_BINS
    return booster_parameters(
        monotone=found["monotone"], seed=options.seed, threads=options.threads, tuned=tuned
    )


def _run_trial(
    study: optuna.Study, data: Sequence[tuple[lgb.Dataset, lgb.Dataset]], options: FitOptions
) -> None:
    """Run one trial to its end or until it is pruned."""
    finished = _finished(study)
    tried = [trial.params for trial in finished]
    for missing in [default for default in _DEFAULTS if default not in tried][:1]:
        study.enqueue_trial(missing)
    # A fresh sampler per trial, seeded by how many are done: resumed or not, the same trials follow.
    study.sampler = optuna.samplers.TPESampler(
        seed=options.seed * 100_003 + len(finished), n_startup_trials=STARTUP_TRIALS
    )
    trial = study.ask(fixed_distributions=dict(SPACE))
    parameters = _parameters(trial.params, options)
    curves: list[np.ndarray] = []
    for step, pair in enumerate(data):
        curves.append(loss_curves(parameters, [pair], patience=MAX_ROUNDS)[1])
        mean = np.mean(curves, axis=0)
        trial.report(float(mean.min()), step)
        if step + 1 < len(data) and trial.should_prune():
            study.tell(trial, state=TrialState.PRUNED)
            return
    trial.set_user_attr("rounds", int(mean.argmin()) + 1)
    study.tell(trial, float(mean.min()))


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=_FINISHED)


def _loss(trial: FrozenTrial) -> float:
    if trial.value is None:
        raise TypeError("a pruned trial has no loss")
    return trial.value


def _compare(
    splits: Sequence[Split],
    data: Sequence[tuple[lgb.Dataset, lgb.Dataset]],
    best: FrozenTrial,
    default: FrozenTrial,
    options: FitOptions,
) -> Comparison:
    """Compare two trials per customer: a customer's losses on several validation snapshots become their mean."""
    losses = []
    for trial in (best, default):
        parts = []
        for split, pair in zip(splits, data, strict=True):
            train, _ = pair
            booster = lgb.train(_parameters(trial.params, options), train, trial.user_attrs["rounds"])
            base = AS_SAID.log_odds(split.valid.columns)
            odds = base + intercept_of(base, split.valid.churned)
            odds = odds + np.asarray(
                booster.predict(ORDERS_ALONE.matrix(split.valid.columns), raw_score=True)
            )
            loss = log_losses(split.valid.churned, expit(odds))
            parts.append(pd.Series(loss, index=split.valid.table["customer_id"].to_numpy()))
        losses.append(pd.concat(parts).groupby(level=0).mean().to_numpy())
    return paired_bootstrap(losses[0], losses[1], options.seed)


def _study_name(rows: Sequence[LabelledSnapshot], seed: int) -> str:
    """Name the study after all that its losses depend on: the labelled snapshots, the recipe, the seed."""
    digest = hashlib.sha256()
    settings = [CHURN_FEATURES, PARAMETERS, {key: str(space) for key, space in SPACE.items()}, seed]
    digest.update(json.dumps([release("stayworth"), settings], sort_keys=True).encode())
    for row in rows:
        digest.update(f"{row.snapshot} {row.window.horizon_days} {len(row.table)}".encode())
        digest.update(np.packbits(row.churned).tobytes())
    return f"stayworth-{digest.hexdigest()[:16]}"


@contextmanager
def _study(storage: str | None, name: str) -> Iterator[optuna.Study]:
    """Open a study, or create it; errors of the database become a ModelError."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    shown = str(TrackingURI(storage)) if storage else "memory"
    kept = None
    try:
        if storage:
            _require_same_optuna(storage, shown)
            kept = RDBStorage(storage, skip_compatibility_check=True)
        yield optuna.create_study(
            study_name=name,
            storage=kept or InMemoryStorage(),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
            load_if_exists=True,
        )
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise ModelError(
            translated(
                "The studies of tuning in {shown} cannot be used: {why}",
                shown=shown,
                why=TrackingURI(storage or "").redact(str(error)).partition(chr(10))[0],
            )
        ) from None
    finally:
        if kept is not None:
            kept.remove_session()
            kept.engine.dispose()


def _require_same_optuna(storage: str, shown: str) -> None:
    """Refuse the tables of another major release of Optuna, which this one may not read."""
    engine = create_engine(storage)
    try:
        if inspect(engine).has_table("version_info"):
            with engine.connect() as connection:
                written = str(connection.execute(text("SELECT library_version FROM version_info")).scalar())
            if written.split(".")[0] != optuna.__version__.split(".")[0]:
                raise ModelError(
                    translated(
                        "The studies of tuning in {shown} were written by Optuna {written}, and this is "
                        "{now}. Install that release, or keep the registry elsewhere with --tracking-uri.",
                        shown=shown,
                        written=written,
                        now=optuna.__version__,
                    )
                )
    finally:
        engine.dispose()
