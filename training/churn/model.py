"""The churn model: BG/NBD's probability of silence, corrected by LightGBM.

    logit p = base(p0) + residual(features) + level

``p0`` is BG/NBD's probability of no purchase in the window, and the base its log-odds, or a line in them
(`training.churn.base`); the residual is a LightGBM model trained with
``init_score = base + the snapshot's own intercept``, so that it explains differences between customers
and not between dates; the level of the date that is asked about is put back (`training.churn.level`), and a
calibrator, chosen out of time, closes the chain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from features.snapshot import Snapshot
from features.table.columns import Columns
from training.churn.base import AS_SAID, Base
from training.churn.bins import Bins
from training.churn.booster import Booster
from training.churn.calibration import Calibrator
from training.churn.inputs import ORDERS_ALONE, Inputs
from training.churn.level import Level
from training.churn.treeshap import TreeShap
from training.snapshots.dataset import LabelledSnapshot

_TABLE_ROWS = 100  # from here on lookup tables are faster than LightGBM

# How p must move with a feature where the residual is kept monotone: up with silence, down with habit.
MONOTONE = {"days_since_last_purchase": 1, "p0": 1, "p_alive": -1, "frequency": -1, "expected_purchases": -1}

PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 8,
    "max_bin": 63,
    "min_data_in_leaf": 300,
    "lambda_l2": 20.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
"""Strong regularisation: stacked snapshots show the same customers many times."""

LARGER: dict[str, Any] = {"num_leaves": 16, "min_data_in_leaf": 100, "lambda_l2": 5.0}
"""Over `PARAMETERS` where p0 is weighed: what it does not tell is left to the trees."""


def booster_parameters(
    *,
    monotone: bool,
    seed: int,
    threads: int,
    tuned: Mapping[str, Any] | None = None,
    inputs: Inputs = ORDERS_ALONE,
    larger: bool = False,
) -> dict[str, Any]:
    """Return LightGBM's parameters for one recipe: the defaults, replaced by tuned ones or `LARGER` where asked for."""
    signs = [MONOTONE.get(name, 0) for name in inputs.names]
    return (
        PARAMETERS
        | dict(tuned or {})
        | (LARGER if larger else {})
        | {"seed": seed, "num_threads": threads}
        | ({"monotone_constraints": signs} if monotone else {})
    )


@dataclass(frozen=True)
class ChurnModel:
    """A fitted churn model.

    Parameters
    ----------
    booster : Booster or None
        The residual; None where BG/NBD alone was better out of time.
    calibrator : Calibrator
    level : Level
    base_mean : float
        Mean of the base over the training rows; where it is negative, a customer's own is compared with it in
        `contributions`.
    inputs : Inputs
        Of the residual.
    base : Base
    """

    booster: Booster | None
    calibrator: Calibrator
    level: Level
    base_mean: float
    inputs: Inputs = ORDERS_ALONE
    base: Base = AS_SAID

    def log_odds(self, columns: Columns) -> np.ndarray:
        """Return ``base + residual``, of shape (n_customers,): before level and calibration."""
        base = self.base.log_odds(columns)
        if self.booster is None:
            return base
        return np.asarray(base + self.booster.raw_scores(self.inputs, columns))

    def predict(self, columns: Columns, snapshot: Snapshot) -> np.ndarray:
        """Return the probability that each customer buys nothing in the churn window.

        Parameters
        ----------
        columns : Columns
            Of the feature table, and those of `CLVModel.predict`.
        snapshot : Snapshot
            The date of the table: it says which level applies.

        Returns
        -------
        ndarray of shape (n_customers,), in (0, 1)
        """
        return self.predict_both(columns, snapshot)[0]

    def predict_both(self, columns: Columns, snapshot: Snapshot) -> tuple[np.ndarray, np.ndarray]:
        """Return `predict`, and the same at level 0: their difference is the level that purchases follow."""
        log_odds, shift = self.log_odds(columns), self.level.at(snapshot)
        at_zero = np.asarray(self.calibrator(log_odds))
        return (np.asarray(self.calibrator(log_odds + shift)) if shift else at_zero), at_zero

    def as_known_at(self, rows: Sequence[LabelledSnapshot], snapshot: Snapshot) -> ChurnModel:
        """Return the model with the level of those windows alone that had closed by a snapshot."""
        return replace(self, level=self.level.known_at(rows, snapshot))

    def contributions(self, columns: Columns) -> np.ndarray:
        """Split each customer's log-odds into what each feature adds.

        LightGBM's own contributions (TreeSHAP), with BG/NBD's part in two columns: ``silence``, the base less
        what it would be had the customer just bought, and ``habit``, the rest against even odds or, where that is
        lower, against the mean of the base over the training rows. So a habit raises the risk of customers who are
        likelier to stay away than to buy, or than others are. (Against the mean alone, that of a shop whose
        customers have mostly left, every habit lowers the risk.)

        Parameters
        ----------
        columns : Columns
            Of the feature table, and those of `CLVModel.predict`.

        Returns
        -------
        ndarray of shape (n_customers, n_features + 3), log-odds
            Columns as in `Inputs.contributions`: ``silence``, ``habit``, the features, and ``constant`` (the same for
            everyone). A row sums to its `log_odds`.

        References
        ----------
        Lundberg, Erion, Lee (2018), arXiv:1802.03888.
        """
        base, just_bought = self.base.log_odds(columns), self.base.log_odds(columns, "p0_just_bought")
        parts = np.zeros((len(base), len(self.inputs.contributions)))
        if self.booster is not None and len(base):
            parts[:, 2:] = self._boosted_parts(self.booster, self.inputs.matrix(columns))
        parts[:, 0] = base - just_bought
        reference = min(self.base_mean, 0.0)
        parts[:, 1] = just_bought - reference
        parts[:, -1] += reference
        return parts

    def _boosted_parts(self, booster: Booster, inputs: np.ndarray) -> np.ndarray:
        if len(inputs) < _TABLE_ROWS or self._shap is None:
            return booster.contributions(inputs)
        parts = np.empty((len(inputs), inputs.shape[1] + 1))
        parts[:, :-1] = self._shap(inputs)
        # Where LightGBM rounds otherwise on this machine, its contributions are taken.
        first = booster.contributions(inputs[:1])[0]
        if (parts[0, :-1] != first[:-1]).any():
            return booster.contributions(inputs)
        parts[:, -1] = first[-1]
        return parts

    @cached_property
    def _shap(self) -> TreeShap | None:
        return None if self.booster is None else TreeShap.of(self.booster.lightgbm)


def fit_churn(
    rows: Sequence[LabelledSnapshot],
    *,
    rounds: int,
    monotone: bool,
    calibrator: Calibrator,
    level: Level,
    seed: int,
    threads: int,
    tuned: Mapping[str, Any] | None = None,
    inputs: Inputs = ORDERS_ALONE,
    bins: Bins | None = None,
    base: Base = AS_SAID,
) -> ChurnModel:
    """Fit the residual on labelled snapshots with a recipe that was chosen before (`training.churn.recipe_choice`).

    Parameters
    ----------
    rows : sequence of LabelledSnapshot, all windows closed by the date to predict at
    rounds : int
        Trees; 0 leaves BG/NBD alone.
    tuned : mapping, optional
        LightGBM parameters over the defaults (`training.churn.tuning`).
    inputs : Inputs
    bins : Bins, optional
        Which may have these snapshots already.
    base : Base
        Any but logit p0 itself has `LARGER` trees on it.
    """
    parameters = booster_parameters(
        monotone=monotone, seed=seed, threads=threads, tuned=tuned, inputs=inputs, larger=base != AS_SAID
    )
    booster = (bins or Bins()).trees(rows, base.target, parameters, rounds, inputs)
    mean = float(np.concatenate([base.log_odds(row.columns) for row in rows]).mean())
    return ChurnModel(booster, calibrator, level, base_mean=mean, inputs=inputs, base=base)
