"""Performance of a model at a snapshot whose churn window has closed, with the noise of each measure.

Log-losses of different customers cannot be compared as they stand: as a cohort ages, more customers are surely gone
and the log-loss falls by itself, whatever the model is worth. So three gauges are measured, none of which depends on
how hard the customers are to predict:

- *log-loss* against the one that the model itself expects, ``Σ −p·ln p − (1−p)·ln(1−p)`` over the customers:
  the two agree where the probabilities are right (Spiegelhalter 1986);
- *calibration-in-the-large*, mean predicted minus observed churn;
- *value ratio*, expected over actual spend of the window, on the log scale.

Noise is of two kinds: between customers (from the spread of their contributions), and between windows (a season, a
promotion), which is common to all customers and does not shrink with their number. The second is estimated at the
training snapshots, less what the first explains (DerSimonian, Laird 1986, with equal weights).

References
----------
Spiegelhalter (1986), Statistics in Medicine 5(5): a probability score against its own expectation.
DerSimonian, Laird (1986), Controlled Clinical Trials 7(3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from training.metrics.probabilities import churn_metrics

GAUGES = ("log_loss", "calibration_in_the_large", "value_ratio")


@dataclass(frozen=True)
class Performance:
    """Predictions at one snapshot against its closed window.

    Parameters
    ----------
    customers : int
    churn_rate, auc, log_loss, calibration_in_the_large, value_ratio : float
        NaN where undefined.
    expected_log_loss : float
        What the log-loss is on average if the probabilities are right.
    errors : dict of str to float
        Standard errors by gauge: of log-loss less its expectation, of calibration-in-the-large, of the
        logarithm of the value ratio.
    """

    customers: int
    churn_rate: float
    auc: float
    log_loss: float
    calibration_in_the_large: float
    value_ratio: float
    expected_log_loss: float
    errors: dict[str, float]

    def deviation(self, gauge: str) -> float:
        """Return what a gauge is off by, 0 for a perfect model: on the scale of its error."""
        if gauge == "log_loss":
            return self.log_loss - self.expected_log_loss
        if gauge == "value_ratio":
            return float(np.log(self.value_ratio)) if self.value_ratio > 0 else float("nan")
        return self.calibration_in_the_large


def measure(
    probability: np.ndarray, churned: np.ndarray, expected_spend: np.ndarray, spend: np.ndarray
) -> Performance:
    """Judge the predictions of one snapshot, with the noise of each measure.

    Parameters
    ----------
    probability : ndarray of shape (n_customers,), in [0, 1]
    churned : ndarray of shape (n_customers,), 0 or 1
    expected_spend, spend : ndarray of shape (n_customers,), money in the window

    Examples
    --------
    Of four customers at one half two churn: ln 2, as expected.

    >>> seen = measure(np.full(4, 0.5), np.array([0, 1, 0, 1]), np.full(4, 10.0), np.array([0.0, 0, 16, 16]))
    >>> round(seen.log_loss, 4), round(seen.expected_log_loss, 4), seen.value_ratio
    (0.6931, 0.6931, 1.25)
    """
    metrics = churn_metrics(churned, probability)
    p = np.clip(probability, 1e-15, 1 - 1e-15)
    expected = -p * np.log(p) - (1 - p) * np.log(1 - p)
    loss = np.where(churned == 1, -np.log(p), -np.log(1 - p))
    ratio = float(expected_spend.sum() / spend.sum()) if spend.sum() > 0 else float("nan")
    errors = {
        "log_loss": _standard_error(loss - expected),
        "calibration_in_the_large": _standard_error(p - churned),
        "value_ratio": float("nan"),
    }
    if ratio > 0:  # the delta method, customers as the sampling unit
        errors["value_ratio"] = ratio_error(expected_spend, spend)
    return Performance(
        customers=len(p),
        churn_rate=metrics["churn_rate"],
        auc=metrics["auc"],
        log_loss=metrics["log_loss"],
        calibration_in_the_large=metrics["calibration_in_the_large"],
        value_ratio=ratio,
        expected_log_loss=float(expected.mean()) if len(p) else float("nan"),
        errors=errors,
    )


@dataclass(frozen=True)
class ExpectedPerformance:
    """Performance to expect of a version: that of its test, with the variation between windows.

    Parameters
    ----------
    test : Performance
    spread : dict of str to float
        Standard deviation between windows, by gauge.
    """

    test: Performance
    spread: dict[str, float]

    @classmethod
    def of(cls, test: Performance, windows: Sequence[Performance]) -> ExpectedPerformance:
        """Take the spread from other windows of the same recipe, those of the training snapshots."""
        return cls(
            test,
            {
                gauge: between_windows([(w.deviation(gauge), w.errors[gauge]) for w in windows])
                for gauge in GAUGES
            },
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON, null where undefined."""
        return dict(_replace(asdict(self), lambda value: None if value != value else value))

    @classmethod
    def from_dict(cls, numbers: dict[str, Any]) -> ExpectedPerformance:
        """Read what `to_dict` wrote."""
        known = _replace(numbers, lambda value: float("nan") if value is None else value)
        return cls(Performance(**known["test"]), known["spread"])


def _replace(numbers: Any, change: Callable[[Any], Any]) -> Any:
    """Apply a change to every value of nested dicts."""
    if isinstance(numbers, dict):
        return {name: _replace(value, change) for name, value in numbers.items()}
    return change(numbers)


def ratio_error(expected: np.ndarray, actual: np.ndarray) -> float:
    """Return the standard error of the log of two totals' ratio, customers as the sampling unit."""
    return _standard_error(expected / expected.mean() - actual / actual.mean())


def _standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


def between_windows(windows: Sequence[tuple[float, float]]) -> float:
    """Return the standard deviation between windows, given each one's deviation and its standard error."""
    known = np.array([pair for pair in windows if np.isfinite(pair).all()])
    if len(known) < 2:
        return 0.0
    variance = known[:, 0].var(ddof=1) - np.square(known[:, 1]).mean()
    return float(np.sqrt(max(0.0, variance)))
