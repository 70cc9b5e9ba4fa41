"""Metrics of probabilities: proper scores, calibration and ranking of churn, and quantiles of the next purchase.

Log-loss and Brier score are proper scores; calibration is measured by the expected calibration error and
calibration-in-the-large, the ranking by AUC. A metric that is undefined on a slice (one class only) is NaN there.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

TIE = 0.003
"""A difference in log-loss below this is noise between two similar models (paired bootstrap on real logs)."""


def expected_calibration_error(churned: np.ndarray, probability: np.ndarray, bins: int = 10) -> float:
    """Mean distance between predicted and observed churn over equal-count bins.

    ``Σ_b n_b/n · |mean(y_b) − mean(p_b)|`` over the customers sorted by probability.

    Parameters
    ----------
    churned : ndarray of shape (n_customers,), 0 or 1
    probability : ndarray of shape (n_customers,), in [0, 1]
    bins : int

    Returns
    -------
    float in [0, 1]

    References
    ----------
    Naeini, Cooper, Hauskrecht (2015), AAAI; equal-count bins as in Nixon et al. (2019).

    Examples
    --------
    >>> expected_calibration_error(np.array([0, 1, 1, 1]), np.array([0.25, 0.25, 0.75, 0.75]), bins=2)
    0.25
    """
    groups = np.array_split(np.argsort(probability, kind="stable"), bins)
    gaps = [len(g) * abs(churned[g].mean() - probability[g].mean()) for g in groups if len(g)]
    return float(sum(gaps) / len(churned))


def calibration_in_the_large(churned: np.ndarray, probability: np.ndarray) -> float:
    """Mean predicted minus observed churn: positive where churn is overstated."""
    return float(probability.mean() - churned.mean())


def churn_metrics(churned: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """Measure churn probabilities against the outcomes.

    Parameters
    ----------
    churned : ndarray of shape (n_customers,), 0 or 1
    probability : ndarray of shape (n_customers,), in [0, 1]

    Returns
    -------
    dict with ``auc``, ``log_loss``, ``brier``, ``calibration_error``, ``calibration_in_the_large``,
    ``churn_rate``, ``customers``; all NaN but the count where there is no customer

    Examples
    --------
    >>> round(churn_metrics(np.array([0, 1]), np.array([0.2, 0.8]))["log_loss"], 4)
    0.2231
    """
    if len(churned) == 0:
        names = ("auc", "log_loss", "brier", "calibration_error", "calibration_in_the_large", "churn_rate")
        return dict.fromkeys(names, float("nan")) | {"customers": 0.0}
    from sklearn.metrics import (  # a second, which scoring has no use for
        brier_score_loss,
        log_loss,
        roc_auc_score,
    )

    both = 0 < churned.mean() < 1
    return {
        "auc": float(roc_auc_score(churned, probability)) if both else float("nan"),
        "log_loss": float(log_loss(churned, probability, labels=[0, 1])),
        "brier": float(brier_score_loss(churned, probability, labels=[0, 1])),
        "calibration_error": expected_calibration_error(churned, probability),
        "calibration_in_the_large": calibration_in_the_large(churned, probability),
        "churn_rate": float(churned.mean()),
        "customers": float(len(churned)),
    }


def next_purchase_table(
    days_to_purchase: np.ndarray, quantiles: dict[float, np.ndarray], horizon_days: int
) -> pd.DataFrame:
    """Calibration of the next purchase's quantiles: by the day of level q, a share q should have bought.

    Only customers whose quantile lies within the window are counted.

    Parameters
    ----------
    days_to_purchase : ndarray of shape (n_customers,), days, NaN without a purchase in the window
    quantiles : dict of level to ndarray of shape (n_customers,), days, NaN for never
    horizon_days : int

    Returns
    -------
    DataFrame, one row per level: ``level``, ``customers`` (counted), ``bought`` (share by that day; NaN if none)

    Examples
    --------
    >>> next_purchase_table(np.array([3.0, np.nan]), {0.5: np.array([5.0, 20.0])}, horizon_days=30)
       level  customers  bought
    0    0.5          2     0.5
    """
    rows = []
    for level, days in quantiles.items():
        within = days <= horizon_days
        bought = days_to_purchase[within] < days[within]
        rows.append((level, int(within.sum()), float(bought.mean()) if within.any() else float("nan")))
    return pd.DataFrame(rows, columns=["level", "customers", "bought"])
