"""Paired bootstrap over customers: whether one model's loss is lower than another's, or the difference is noise.

Two models are evaluated on the same customers, and each customer's difference in loss varies far less than either
loss. Customers are drawn with replacement, the mean difference is taken each
time, and where the middle 95% of those means spans zero, the difference is noise.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy.stats import bootstrap

SAMPLES = 2_000
CONFIDENCE = 0.95

_BATCH_CELLS = 5_000_000  # customers drawn at a time: 80 MB


@dataclass(frozen=True)
class Comparison:
    """Difference in mean loss of model a less model b, with its 95% interval.

    Parameters
    ----------
    difference : float
        Mean loss of a less that of b, over the customers: negative where a is better.
    low, high : float
        The 95% interval of that mean.
    customers : int

    Examples
    --------
    >>> Comparison(-0.002, -0.004, 0.001, 500).verdict
    'noise'
    """

    difference: float
    low: float
    high: float
    customers: int

    @property
    def verdict(self) -> Literal["better", "worse", "noise"]:
        """Whether a is better or worse than b; ``"noise"`` where the interval holds zero, or one customer."""
        if self.customers < 2:
            return "noise"
        if self.high < 0:
            return "better"
        return "worse" if self.low > 0 else "noise"

    def __str__(self) -> str:
        return f"{self.difference:+.4f} (95% interval {self.low:+.4f} to {self.high:+.4f}: {self.verdict})"

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers and the verdict, ready for JSON."""
        return asdict(self) | {"verdict": self.verdict}


def paired_bootstrap(
    loss_a: np.ndarray, loss_b: np.ndarray, seed: int = 0, *, samples: int = SAMPLES
) -> Comparison:
    """Compare two models by their losses on the same customers.

    Parameters
    ----------
    loss_a, loss_b : ndarray of shape (n_customers,)
        Each customer's loss under a and under b, in the same order, one row per customer: rows of one customer
        at several dates are no independent draws, take their mean first.
    seed : int
        The same losses and seed give the same interval.
    samples : int
        Bootstrap samples.

    Raises
    ------
    ValueError
        If the two differ in length, are empty, or hold a loss that is no finite number.

    References
    ----------
    Efron, Tibshirani (1993), An Introduction to the Bootstrap, ch. 13: the percentile interval.

    Examples
    --------
    >>> a, b = np.array([0.1, 0.2, 0.1, 0.3]), np.array([0.2, 0.4, 0.2, 0.5])
    >>> comparison = paired_bootstrap(a, b)
    >>> round(comparison.difference, 3), comparison.verdict
    (-0.15, 'better')
    """
    if loss_a.shape != loss_b.shape or loss_a.ndim != 1 or not len(loss_a):
        raise ValueError(
            f"Give one loss per customer, of the same customers: got {loss_a.shape} and {loss_b.shape}."
        )
    differences = loss_a - loss_b
    if not np.isfinite(differences).all():
        raise ValueError(f"{int((~np.isfinite(differences)).sum())} losses are not finite.")
    mean = float(differences.mean())
    if np.ptp(differences) == 0:  # one customer, or the same difference for all: nothing to draw
        return Comparison(mean, mean, mean, len(differences))
    interval = bootstrap(
        (differences,),
        np.mean,
        n_resamples=samples,
        batch=max(1, _BATCH_CELLS // len(differences)),
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Comparison(mean, float(interval.low), float(interval.high), len(differences))


def log_losses(churned: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Return each customer's log-loss, ``−log p`` of the outcome.

    Parameters
    ----------
    churned : ndarray of shape (n_customers,), 0 or 1
    probability : ndarray of shape (n_customers,), in [0, 1]
        Kept off 0 and 1 by the last digit of a float, so that one certain mistake costs 36, not infinity.

    Returns
    -------
    ndarray of shape (n_customers,), at least 0

    Examples
    --------
    >>> log_losses(np.array([1, 0]), np.array([0.5, 0.2])).round(4)
    array([0.6931, 0.2231])
    """
    happened = np.where(churned == 1, probability, 1 - probability)
    return np.asarray(-np.log(np.clip(happened, np.finfo(float).eps, 1.0)))
