"""Calibration: from a model's log-odds to probabilities that agree with observed frequencies.

Three candidates, simplest first: none, Platt (a line in the log-odds) and beta calibration (a line on either side of
even odds, joined smoothly). A richer one must win at each later snapshot, fitted on the earlier ones: a curve that was
right for a young log is not let loose on an old one. A calibrator is shrunk towards none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import expit, log_expit

from training.metrics.probabilities import TIE

Kind = Literal["none", "platt", "beta"]

SHRINKAGE = TIE
"""Log-loss that a slope must gain to move by 1: what is noise between two models moves it little."""

_FOLDS = 5


@dataclass(frozen=True)
class Calibrator:
    """A monotone map from log-odds z to a probability: ``logit p = intercept + slope·z − bend·ln(1 − expit(z))``.

    Parameters
    ----------
    kind : {"none", "platt", "beta"}
    slope, intercept : float
        Platt's line; the slope is the one below even odds.
    bend : float
        Of beta calibration: the slope far above even odds is slope + bend.

    References
    ----------
    Platt (1999); Kull, Silva Filho, Flach (2017), AISTATS: beta calibration, with a = slope and b = slope + bend.

    Examples
    --------
    >>> Calibrator("platt", slope=1.0, intercept=0.0)(np.array([0.0]))
    array([0.5])
    """

    kind: Kind = "none"
    slope: float = 1.0
    intercept: float = 0.0
    bend: float = 0.0

    def __call__(self, log_odds: np.ndarray) -> np.ndarray:
        """Return probabilities in (0, 1), of the shape of ``log_odds``."""
        line = self.slope * log_odds + self.intercept
        return np.asarray(expit(line - self.bend * log_expit(-log_odds) if self.bend else line))

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, numbers: dict[str, Any]) -> Calibrator:
        """Read what `to_dict` wrote."""
        return cls(**numbers)


def fit_calibrator(kind: Kind, log_odds: np.ndarray, churned: np.ndarray) -> Calibrator:
    """Fit one kind of calibrator: the least mean log-loss plus `SHRINKAGE` times the squared moves of the slopes.

    Parameters
    ----------
    kind : {"none", "platt", "beta"}
    log_odds : ndarray of shape (n_rows,), of rows the model was not trained on
    churned : ndarray of shape (n_rows,), 0 or 1, both present
    """
    if kind == "none":
        return Calibrator()
    above = -log_expit(-log_odds)  # the log-odds far above even odds, 0 far below
    inputs = np.stack(
        [np.ones_like(log_odds), log_odds - above, above]
    )  # intercept, slope below, slope above
    if kind == "platt":
        inputs = np.stack([inputs[0], log_odds])
    aim = np.array([0.0, *np.ones(len(inputs) - 1)])
    free = np.array([0.0, *np.full(len(inputs) - 1, SHRINKAGE)])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        z = weights @ inputs
        gap = weights - aim
        value = np.mean(churned * -log_expit(z) + (1 - churned) * -log_expit(-z)) + free @ gap**2
        return float(value), inputs @ (expit(z) - churned) / len(z) + 2 * free * gap

    from scipy.optimize import minimize

    bounds = [(None, None)] + [(0.0, None)] * (len(inputs) - 1)
    intercept, below, *rest = (float(w) for w in minimize(loss, aim, jac=True, bounds=bounds).x)
    return Calibrator(kind, slope=below, intercept=intercept, bend=rest[0] - below if rest else 0.0)


def choose_calibrator(
    log_odds: Sequence[np.ndarray], churned: Sequence[np.ndarray]
) -> tuple[Calibrator, dict[str, float]]:
    """Choose a calibrator forward in time, then fit it on all validation snapshots.

    Each snapshot but the first is predicted by calibrators fitted on those before it. With a single snapshot its rows
    are cut into five folds instead (a row is one customer there).

    Parameters
    ----------
    log_odds, churned : one array of shape (n_rows,) per validation snapshot, oldest first

    Returns
    -------
    Calibrator, and the mean log-loss of every candidate
    """
    if len(log_odds) == 1:
        folds = np.arange(len(churned[0])) % _FOLDS
        log_odds, churned = ([column[0][folds == k] for k in range(_FOLDS)] for column in (log_odds, churned))
    kinds: tuple[Kind, ...] = ("none", "platt", "beta")
    losses = {kind: _forward_losses(kind, log_odds, churned) for kind in kinds}
    chosen = kinds[0]
    for kind in kinds[1:]:
        if len(losses[kind]) and (losses[kind] < losses[chosen] - TIE).all():
            chosen = kind
    means = {str(kind): float(loss.mean()) if len(loss) else float("nan") for kind, loss in losses.items()}
    return fit_calibrator(chosen, np.concatenate(log_odds), np.concatenate(churned)), means


def _forward_losses(kind: Kind, log_odds: Sequence[np.ndarray], churned: Sequence[np.ndarray]) -> np.ndarray:
    from sklearn.metrics import log_loss

    losses = []
    for k in range(1, len(log_odds)):
        earlier_z, earlier_y = np.concatenate(log_odds[:k]), np.concatenate(churned[:k])
        if len(np.unique(earlier_y)) == 2 and len(churned[k]):
            calibrator = fit_calibrator(kind, earlier_z, earlier_y)
            losses.append(log_loss(churned[k], calibrator(log_odds[k]), labels=[0, 1]))
    return np.array(losses)


def intercept_of(log_odds: np.ndarray, churned: np.ndarray) -> float:
    """Return the constant that makes the mean probability equal the churn rate.

    The root o of ``mean(expit(z + o)) = mean(y)``.

    Parameters
    ----------
    log_odds : ndarray of shape (n_rows,)
    churned : ndarray of shape (n_rows,), 0 or 1

    Returns
    -------
    float; 0 where everybody churned or nobody did, for then no constant does

    Examples
    --------
    >>> intercept_of(np.zeros(4), np.array([1, 1, 1, 0])).__round__(4)  # log(3)
    1.0986
    """
    rate = churned.mean()
    if not 0 < rate < 1:
        return 0.0
    from scipy.optimize import brentq

    return float(brentq(lambda o: expit(log_odds + o).mean() - rate, -50, 50))
