"""Fitting a rhythm on those who bought in closed windows, by penalised maximum likelihood.

Whether a customer buys is taken as told: the share of the window's hazard that is spent by each day is what is learnt,
and who stays silent tells nothing of it. With L = −ln p, w_d the share of day d and W_d that of the days before it, who
buys on day d has the likelihood ``e^(−L·W_d) − e^(−L·(W_d + w_d))``. Each logarithm of a step is drawn to 0, a step of
1, as by a normal prior: steps that few purchases have seen stay there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from training.clv.quadrature import FloatArray
from training.clv.rhythm import SHAPE, Rhythm, log_hazards

PRECISION = 3.0
"""Of the prior of the logarithm of a step."""

_MOST_ITERATIONS = 60
_SIZES = ((SHAPE[0], SHAPE[1]), (SHAPE[0], SHAPE[2]), (SHAPE[0], SHAPE[3]))
_CUTS = np.cumsum([rows * bins for rows, bins in _SIZES])
_LOWEST, _HIGHEST = 1e-9, 700.0


@dataclass(frozen=True)
class FirstPurchases:
    """First purchases in closed windows of one length.

    Parameters
    ----------
    cells : ndarray of int of shape (n, horizon_days)
        As `training.clv.rhythm.cells` gives them.
    day_weeks : ndarray of shape (n, horizon_days), operational weeks
    waited : ndarray of int of shape (n,), days
        From the snapshot to the purchase.
    churn_probability : ndarray of shape (n,), in (0, 1)
        As it was told at the snapshot.
    """

    cells: npt.NDArray[np.int32]
    day_weeks: FloatArray
    waited: npt.NDArray[np.int64]
    churn_probability: FloatArray


def fit_rhythm(purchases: FirstPurchases) -> Rhythm:
    """Fit the steps of the hazard."""
    loss = _Loss(purchases)
    found = minimize(
        loss, np.zeros(_CUTS[-1]), jac=True, method="L-BFGS-B", options={"maxiter": _MOST_ITERATIONS}
    )
    return Rhythm(*(tuple(map(tuple, steps.tolist())) for steps in _steps(found.x)))


class _Loss:
    """The penalised negative log-likelihood, and its slope."""

    def __init__(self, purchases: FirstPurchases) -> None:
        self.cells, self.waited = purchases.cells, purchases.waited
        self.log_weeks = np.log(np.maximum(purchases.day_weeks, _LOWEST))
        self.total = -np.log(np.clip(purchases.churn_probability, _LOWEST, 1 - _LOWEST))  # L
        self.every = np.arange(len(self.waited))
        # By how much the log-likelihood falls with the shares of the days before the purchase.
        before = np.arange(self.cells.shape[1]) < self.waited[:, None]
        self.before = self.total[:, None] * before

    def __call__(self, flat: FloatArray) -> tuple[float, FloatArray]:
        share = np.exp(log_hazards(*_steps(flat)).take(self.cells) + self.log_weeks)
        share /= share.sum(axis=1, keepdims=True)
        on_the_day = np.minimum(self.total * share[self.every, self.waited], _HIGHEST)
        likely = np.log(-np.expm1(-on_the_day)) - np.einsum("ij,ij->i", self.before, share)
        slope = -self.before * share
        slope[self.every, self.waited] = on_the_day / np.expm1(on_the_day)
        slope -= share * slope.sum(axis=1, keepdims=True)
        by_cell: Any = np.bincount(self.cells.ravel(), slope.ravel(), minlength=int(np.prod(SHAPE)))
        loss = PRECISION / 2 * float(flat @ flat) - float(likely.sum())
        return loss, np.asarray(PRECISION * flat - _by_step(by_cell.reshape(SHAPE)))


def _steps(flat: FloatArray) -> list[FloatArray]:
    parts: list[Any] = np.split(flat, _CUTS[:-1])
    return [part.reshape(size) for part, size in zip(parts, _SIZES, strict=True)]


def _by_step(by_cell: FloatArray) -> FloatArray:
    sums = (by_cell.sum(axis=axes) for axes in ((2, 3), (1, 3), (1, 2)))
    return np.concatenate([each.ravel() for each in sums])
