"""Calibration: from a model's log-odds to probabilities that agree with observed frequencies.

Three candidates, simplest first: none, Platt (a line in the log-odds) and isotonic (a monotone step curve,
clipped, only with 1,000 churners and 1,000 stayers or more). Which one holds is chosen out of time; a
calibrator is a handful of numbers and is stored as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from training.metrics.probabilities import TIE

Kind = Literal["none", "platt", "isotonic"]

ISOTONIC_MIN_EVENTS = 1_000
_CLIP = 1e-4


@dataclass(frozen=True)
class Calibrator:
    """A monotone map from log-odds to a probability.

    Parameters
    ----------
    kind : {"none", "platt", "isotonic"}
    slope, intercept : float
        Of Platt's line in the log-odds.
    log_odds, probabilities : tuple of float
        The corners of the isotonic curve, linear in between.

    Examples
    --------
    >>> Calibrator("platt", slope=1.0, intercept=0.0)(np.array([0.0]))
    array([0.5])
    """

    kind: Kind = "none"
    slope: float = 1.0
    intercept: float = 0.0
    log_odds: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()

    def __call__(self, log_odds: np.ndarray) -> np.ndarray:
        """Return probabilities in (0, 1), of the shape of ``log_odds``."""
        if self.kind == "isotonic":
            return np.asarray(np.interp(log_odds, self.log_odds, self.probabilities))
        return np.asarray(expit(self.slope * log_odds + self.intercept))

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, numbers: dict[str, Any]) -> Calibrator:
        """Read what `to_dict` wrote."""
        pairs = {name: tuple(numbers[name]) for name in ("log_odds", "probabilities")}
        return cls(**(numbers | pairs))


def fit_calibrator(kind: Kind, log_odds: np.ndarray, churned: np.ndarray) -> Calibrator:
    """Fit one kind of calibrator.

    Parameters
    ----------
    kind : {"none", "platt", "isotonic"}
    log_odds : ndarray of shape (n_rows,), of rows the model was not trained on
    churned : ndarray of shape (n_rows,), 0 or 1, both present

    References
    ----------
    Platt (1999); Zadrozny and Elkan (2002), KDD.
    """
    if kind == "platt":
        line = LogisticRegression(C=np.inf).fit(log_odds.reshape(-1, 1), churned)
        return Calibrator("platt", slope=float(line.coef_[0, 0]), intercept=float(line.intercept_[0]))
    if kind == "isotonic":
        steps = IsotonicRegression(y_min=_CLIP, y_max=1 - _CLIP, out_of_bounds="clip").fit(log_odds, churned)
        return Calibrator(
            "isotonic",
            log_odds=tuple(map(float, steps.X_thresholds_)),
            probabilities=tuple(map(float, steps.y_thresholds_)),
        )
    return Calibrator()


def choose_calibrator(
    log_odds: Sequence[np.ndarray], churned: Sequence[np.ndarray]
) -> tuple[Calibrator, dict[str, float]]:
    """Choose a calibrator by leaving out one validation snapshot at a time, then fit it on all.

    With a single snapshot its rows are cut into five folds instead (a row is one customer there).

    Parameters
    ----------
    log_odds, churned : one array of shape (n_rows,) a validation snapshot

    Returns
    -------
    Calibrator, and the mean log-loss of every candidate that was tried
    """
    if len(log_odds) == 1:
        folds = np.arange(len(churned[0])) % 5
        log_odds, churned = ([column[0][folds == k] for k in range(5)] for column in (log_odds, churned))
    events = min(sum(int(y.sum()) for y in churned), sum(int((1 - y).sum()) for y in churned))
    kinds: tuple[Kind, ...] = ("none", "platt", "isotonic")
    if events < ISOTONIC_MIN_EVENTS:
        kinds = kinds[:2]
    losses: dict[str, float] = {kind: _left_out_loss(kind, log_odds, churned) for kind in kinds}
    chosen = kinds[0]
    for kind in kinds[1:]:
        if losses[kind] < losses[chosen] - TIE:
            chosen = kind
    return fit_calibrator(chosen, np.concatenate(log_odds), np.concatenate(churned)), losses


def _left_out_loss(kind: Kind, log_odds: Sequence[np.ndarray], churned: Sequence[np.ndarray]) -> float:
    losses = []
    for k in range(len(log_odds)):
        others_z = np.concatenate([z for i, z in enumerate(log_odds) if i != k])
        others_y = np.concatenate([y for i, y in enumerate(churned) if i != k])
        if len(np.unique(others_y)) < 2 or len(churned[k]) == 0:
            continue
        calibrator = fit_calibrator(kind, others_z, others_y)
        losses.append(log_loss(churned[k], calibrator(log_odds[k]), labels=[0, 1]))
    return float(np.mean(losses)) if losses else float("inf")


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
    return float(brentq(lambda o: expit(log_odds + o).mean() - rate, -50, 50))
