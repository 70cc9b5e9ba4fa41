"""Uplift models: the effect of a contact on each customer, learnt from a randomised experiment.

The T-learner fits one model to the contacted and one to the others and subtracts. The X-learner then fits each
group's imputed effects, observed less predicted by the other group's model, which suits small effects and
unequal groups. Every prediction here is cross-fitted: made by models that never saw the customer.

References
----------
Künzel et al. (2019), Metalearners for estimating heterogeneous treatment effects, PNAS 116(10).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from training.offers.offers import Floats

FOLDS = 5


@dataclass(frozen=True)
class Predictions:
    """Cross-fitted predictions for every customer of an experiment, ndarrays of shape (n_customers,).

    ``contacted`` and ``alone`` are the expected outcomes with and without contact; ``t_learner`` and
    ``x_learner`` the effect of the contact; ``fold`` is the number of the fold, whose models are its own.
    """

    contacted: Floats
    alone: Floats
    x_learner: Floats
    fold: NDArray[np.int64]

    @property
    def t_learner(self) -> Floats:
        """Difference of the two models."""
        return self.contacted - self.alone


def cross_fit(
    features: pd.DataFrame,
    treated: ArrayLike,
    outcome: ArrayLike,
    *,
    seed: int = 0,
    threads: int = 1,
) -> Predictions:
    """Predict outcomes and uplift for every customer by models fitted without them.

    Parameters
    ----------
    features : DataFrame of shape (n_customers, n_features), known before the experiment; numbers or categories
    treated : array of shape (n_customers,), true for the contacted
    outcome : array of shape (n_customers,), 0 or 1, or an amount
    seed, threads : int

    Returns
    -------
    Predictions
    """
    x = encode(features)
    arm, y = np.asarray(treated, dtype=bool), np.asarray(outcome, dtype=np.float64)
    fold = np.random.default_rng(seed).permutation(y.size) % FOLDS
    share = float(arm.mean())
    contacted, alone, crossed = (np.empty(y.size) for _ in range(3))
    for number in range(FOLDS):
        train, held = fold != number, fold == number
        ours, others = train & arm, train & ~arm
        with_contact = _fit(x[ours], y[ours], seed, threads)
        without = _fit(x[others], y[others], seed, threads)
        gained = _fit(x[ours], y[ours] - _predict(without, x[ours], threads), seed, threads, 40)
        missed = _fit(x[others], _predict(with_contact, x[others], threads) - y[others], seed, threads, 40)
        contacted[held] = _predict(with_contact, x[held], threads)
        alone[held] = _predict(without, x[held], threads)
        # Weighted towards the effects imputed from the better model, that of the larger group (Künzel et al., eq. 9).
        crossed[held] = (1 - share) * _predict(gained, x[held], threads)
        crossed[held] += share * _predict(missed, x[held], threads)
    return Predictions(contacted, alone, crossed, fold)


def cross_fit_arms(
    features: pd.DataFrame, arm: NDArray[np.int64], outcome: Floats, *, seed: int = 0, threads: int = 1
) -> Floats:
    """Predict every customer's outcome in each arm of an experiment, by models fitted without them.

    Parameters
    ----------
    features : DataFrame of shape (n_customers, n_features), known before the experiment; numbers or categories
    arm : ndarray of shape (n_customers,), the arm that each was drawn into: 0, 1, …, all of them
    outcome : ndarray of shape (n_customers,), 0 or 1, or an amount
    seed, threads : int

    Returns
    -------
    ndarray of shape (n_customers, n_arms)
    """
    x, fold = encode(features), np.random.default_rng(seed).permutation(outcome.size) % FOLDS
    predicted = np.empty((outcome.size, int(arm.max()) + 1))
    for number, each in itertools.product(range(FOLDS), range(predicted.shape[1])):
        train, held = (fold != number) & (arm == each), fold == number
        model = _fit(x[train], outcome[train], seed, threads)
        predicted[held, each] = _predict(model, x[held], threads)
    return predicted


def rank_within_folds(score: Floats, fold: NDArray[np.int64]) -> Floats:
    """Return each customer's rank in their fold, in (0, 1], equal scores equal.

    A fold in which the outcome is high by chance is missing from the training of its own models, which so predict too
    little for it: ranked together, its customers come last, and the ranking looks worse (or, where the others are
    contacted, better) than lots.
    """
    ranks = np.empty(score.size)
    for number in np.unique(fold):
        rows = fold == number
        ranks[rows] = stats.rankdata(score[rows]) / rows.sum()
    return ranks


def encode(features: pd.DataFrame) -> Floats:
    """Return features as numbers, texts as the rank of their category; missing stays missing."""
    columns = []
    for name in features.columns:
        column = features[name]
        if not pd.api.types.is_numeric_dtype(column):
            codes = column.astype("category").cat.codes.astype(np.float64)
            column = codes.where(codes >= 0)
        columns.append(column.to_numpy(dtype=np.float64))
    return np.column_stack(columns)


def _fit(x: Floats, y: NDArray[np.float64], seed: int, threads: int, rounds: int = 80) -> lightgbm.Booster:
    """Fit small, strongly regularised trees: effects are small beside the variance of outcomes."""
    binary = bool(np.isin(y, (0.0, 1.0)).all())
    parameters = {
        "objective": "binary" if binary else "regression",
        "num_leaves": 8,
        "learning_rate": 0.05,
        "min_data_in_leaf": max(5, min(200, y.size // 50)),
        "lambda_l2": 10.0,
        "seed": seed,
        "num_threads": threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    return lightgbm.train(parameters, lightgbm.Dataset(x, y), num_boost_round=rounds)


def _predict(model: lightgbm.Booster, x: Floats, threads: int) -> Floats:
    return np.asarray(model.predict(x, num_threads=threads))
