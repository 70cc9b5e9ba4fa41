"""Base of the churn model: the log-odds from which its trees start.

Those of the purchase model's p0, as it says them, wherever customers are more or less as it assumes. Where they keep
another clock (courses of treatment, yearly check-ups, subscriptions), p0 is far off, surest where it errs most, and
trees would first have to take back what it says. There it counts for what it is worth: the base is the line in logit p0
that closed windows fit best, its constant the mean of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit

from features.table.columns import Columns
from training.churn.calibration import intercept_of
from training.churn.fit_options import FitOptions
from training.churn.level import level_of
from training.snapshots.dataset import LabelledSnapshot

_LARGEST_WEIGHT = 4.0
_EXACT = 1e-3  # of a weight


def base_log_odds(columns: Columns, column: str = "p0") -> np.ndarray:
    """Return logit p0, of shape (n_customers,), kept finite."""
    return np.asarray(logit(np.clip(columns[column], 1e-9, 1 - 1e-9)))


@dataclass(frozen=True)
class Base:
    """The line ``constant + weight·logit p0``; by default logit p0 itself.

    Parameters
    ----------
    weight : float, at least 0
    constant : float

    Examples
    --------
    >>> Base(weight=0.5, constant=1.0).log_odds({"p0": np.array([0.5, 0.9])}).round(3)
    array([1.   , 2.099])
    """

    weight: float = 1.0
    constant: float = 0.0

    def log_odds(self, columns: Columns, column: str = "p0") -> np.ndarray:
        """Return the log-odds of each customer, of shape (n_customers,)."""
        return self.constant + self.weight * base_log_odds(columns, column)

    def probability(self, p0: np.ndarray) -> np.ndarray:
        """Return the churn probability that a p0 has by itself."""
        return p0 if self == AS_SAID else np.asarray(expit(self.log_odds({"p0": p0})))

    def missed(self, row: LabelledSnapshot) -> float:
        """Return what a window's churn was off by, in log-odds."""
        return intercept_of(self.log_odds(row.columns), row.churned)

    def target(self, row: LabelledSnapshot) -> tuple[np.ndarray, np.ndarray]:
        """Return who churned, and the base with the window's own intercept: a `training.churn.bins.Target`."""
        return row.churned, self.log_odds(row.columns) + self.missed(row)

    def to_dict(self) -> dict[str, float]:
        """Return the numbers, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Any]) -> Base:
        """Read what `to_dict` wrote."""
        return cls(**numbers)


AS_SAID = Base()
"""logit p0 as the purchase model says it."""


def weighed(rows: Sequence[LabelledSnapshot], options: FitOptions) -> Base:
    """Return the line in logit p0 that the windows fit best, each with a level of its own.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot, at least one
    options : FitOptions
        The constant is the mean over the windows that `training.churn.level.level_of` keeps, or of all where it keeps
        none: what p0 says in the large is not trusted either.
    """
    from scipy.optimize import minimize_scalar

    odds = [base_log_odds(row.columns) for row in rows]

    def loss(weight: float) -> float:
        means = []
        for each, row in zip(odds, rows, strict=True):
            z = weight * each
            z = z + intercept_of(z, row.churned)
            means.append(float(np.mean(np.logaddexp(0.0, z) - row.churned * z)))
        return float(np.mean(means))

    found = minimize_scalar(loss, bounds=(0.0, _LARGEST_WEIGHT), method="bounded", options={"xatol": _EXACT})
    line = Base(weight=float(found.x))
    missed = [line.missed(row) for row in rows]
    return Base(line.weight, float(np.mean(level_of(rows, missed, options).missed or missed)))
