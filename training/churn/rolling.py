"""Rolling validation: splits forward in time, and the loss curve of fits on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from training.churn.inputs import ORDERS_ALONE, Inputs
from training.snapshots.dataset import LabelledSnapshot, known_at

if TYPE_CHECKING:
    import lightgbm as lgb

MAX_ROUNDS = 100
PATIENCE = 20
"""Rounds without a lower mean loss after which no more trees are tried."""

VALIDATIONS = 3
FOLDS = 5
SURE = 1.645
"""Standard errors above 0 that a gain has to lie: by chance it does in 5 of 100 cases."""


Loss = Callable[[np.ndarray, "lgb.Dataset"], tuple[str, float, bool]]
"""Takes predictions and what they are of; returns a name, the loss, and that higher is not better."""


@dataclass(frozen=True)
class Split:
    """One split: the snapshots to fit on, and the later one to validate on."""

    train: list[LabelledSnapshot]
    valid: LabelledSnapshot


def rolling_splits(rows: Sequence[LabelledSnapshot], limit: int = VALIDATIONS) -> list[Split]:
    """Return up to ``limit`` steps forward in time, the newest validation snapshots, oldest first.

    A training window that closes after the validation snapshot is in neither side: its customers' outcomes
    would overlap the validation's.
    """
    splits = [Split(known_at(rows, valid.snapshot), valid) for valid in rows]
    return [split for split in splits if split.train][-limit:]


def customer_splits(rows: Sequence[LabelledSnapshot]) -> list[Split]:
    """Cut the snapshots into folds of customers: a customer's rows are all on one side of each split."""
    ids = np.unique(np.concatenate([row.table["customer_id"].to_numpy() for row in rows]))
    fold_of = pd.Series(np.random.default_rng(0).permutation(len(ids)) % FOLDS, index=ids)
    folds = [fold_of.loc[row.table["customer_id"]].to_numpy() for row in rows]
    return [
        Split([row.part(f != k) for row, f in zip(rows, folds, strict=True)], rows[-1].part(folds[-1] == k))
        for k in range(min(FOLDS, len(ids)))
    ]


def loss_curves(
    parameters: dict[str, Any],
    data: Sequence[tuple[lgb.Dataset, lgb.Dataset]],
    patience: int = PATIENCE,
    loss: Loss | None = None,
) -> tuple[list[lgb.Booster], np.ndarray]:
    """Train on all splits side by side until their mean loss has not fallen for some rounds.

    Parameters
    ----------
    parameters : dict
        LightGBM's.
    data : sequence of pairs of Dataset, one a split
        To fit on, and to validate on.
    patience : int, rounds
        `MAX_ROUNDS` trains them all.
    loss : callable, optional
        As LightGBM's ``feval``; by default the objective's own.

    Returns
    -------
    The boosters, and the mean loss by round, ndarray of shape (rounds,); rounds is `MAX_ROUNDS` at the most
    """
    import lightgbm as lgb

    boosters: list[lgb.Booster] = []
    curve: list[float] = []
    if loss is not None:
        parameters = parameters | {"metric": "None"}
    for train, valid in data:
        boosters.append(lgb.Booster(parameters, train).add_valid(valid, "valid"))
    while len(curve) < MAX_ROUNDS and len(curve) - int(np.argmin(curve or [0.0])) <= patience:
        losses = []
        for booster in boosters:
            booster.update()
            losses.append(booster.eval_valid(loss)[0][2])
        curve.append(float(np.mean(losses)))
    return boosters, np.array(curve)


def raw_scores(
    booster: lgb.Booster, valid: LabelledSnapshot, rounds: int, inputs: Inputs = ORDERS_ALONE
) -> np.ndarray:
    """Return what a booster's first ``rounds`` trees add to the start of each customer."""
    return np.asarray(booster.predict(inputs.matrix(valid.columns), raw_score=True, num_iteration=rounds))


def gains_surely(gained: Sequence[np.ndarray], *, candidates: int = 1) -> bool:
    """Tell whether a candidate's mean gain on the validation snapshots is more than noise.

    Parameters
    ----------
    gained : sequence of ndarrays of shape (n_customers,), one a split
        By how much the candidate's loss is lower, for each customer. The snapshots show the same customers: that they
        are several does not lower the error.
    candidates : int, at least 1
        Of which each may win: together they do by chance in 5 of 100 cases (Bonferroni).
    """
    gain, error = gain_and_error(gained)
    return gain > errors_for(candidates) * error


def gain_and_error(gained: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return the mean gain of a candidate, ``gained`` as in `gains_surely`, and its standard error over customers."""
    gain = np.mean([each.mean() for each in gained])
    error = np.sqrt(np.mean([each.var() / each.size for each in gained]))
    return float(gain), float(error)


def errors_for(candidates: int) -> float:
    """Return the standard errors above 0 that the gain of one of so many candidates has to lie (Bonferroni).

    Examples
    --------
    >>> round(errors_for(1), 3), round(errors_for(3), 3)
    (1.645, 2.128)
    """
    return float(-ndtri(ndtr(-SURE) / candidates))
