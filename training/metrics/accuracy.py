"""How good are the probabilities, and how good is the money? Measures on a snapshot no model saw.

Probabilities are judged by log-loss and Brier score (proper scores), their calibration by the expected
calibration error and calibration-in-the-large, the ranking by AUC. Money is judged on the spend of the
holdout window. A measure that is undefined on a slice (one class only, no spend) is NaN there.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from training.clv.uncertainty import interval_factors

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
    """Judge churn probabilities against what happened.

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


def normalised_gini(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Gini of the spend curve when customers are ranked by prediction, over that of a perfect ranking.

    Returns
    -------
    float, 1 for a perfect ranking, about 0 for a random one

    Examples
    --------
    >>> normalised_gini(np.array([0.0, 1.0, 3.0]), np.array([1.0, 2.0, 9.0]))
    1.0
    """

    def gini(order: np.ndarray) -> float:
        curve = np.cumsum(actual[order])
        return float(curve.sum() / curve[-1] / len(actual) - 0.5 * (1 + 1 / len(actual)))

    best = gini(np.argsort(-actual, kind="stable"))
    return gini(np.argsort(-predicted, kind="stable")) / best if best else float("nan")


def value_metrics(actual: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Judge expected spend against the holdout window's spend.

    Parameters
    ----------
    actual, predicted : ndarray of shape (n_customers,), money

    Returns
    -------
    dict with ``mae`` (money), ``ratio`` (predicted total / actual total), ``spearman``, ``gini`` (normalised),
    ``top_decile_share`` (share of the actual spend in the predicted top 10%) and ``oracle_top_decile_share``

    Examples
    --------
    >>> value_metrics(np.array([0.0, 10.0]), np.array([1.0, 8.0]))["mae"]
    1.5
    """
    total = actual.sum()
    if len(actual) < 2 or total <= 0:
        names = ("mae", "ratio", "spearman", "gini", "top_decile_share", "oracle_top_decile_share")
        return dict.fromkeys(names, float("nan"))
    tenth = max(1, len(actual) // 10)
    varied = np.ptp(predicted) > 0 and np.ptp(actual) > 0
    return {
        "mae": float(np.abs(actual - predicted).mean()),
        "ratio": float(predicted.sum() / total),
        "spearman": float(spearmanr(actual, predicted)[0]) if varied else float("nan"),
        "gini": normalised_gini(actual, predicted),
        "top_decile_share": float(actual[np.argsort(-predicted, kind="stable")[:tenth]].sum() / total),
        "oracle_top_decile_share": float(np.sort(actual)[-tenth:].sum() / total),
    }


def decile_table(
    actual: np.ndarray,
    predicted: np.ndarray,
    scenarios: np.ndarray | None = None,
    *,
    level_deviation: float = 0.0,
) -> pd.DataFrame:
    """Compare totals by decile of the prediction, the highest first.

    Parameters
    ----------
    actual, predicted : ndarray of shape (n_customers,), money
    scenarios : ndarray of shape (n_customers, 2k), optional
        From `RetentionModel.window_scenarios`: adds each total's 80% interval and whether it held.
    level_deviation : float
        See `training.clv.uncertainty.interval_factors`.

    Returns
    -------
    DataFrame of up to 10 rows
        ``decile`` (1 the highest), ``customers``, ``predicted``, ``actual``, ``ratio``; with scenarios ``low``,
        ``high`` and ``covered``.
    """
    groups = [g for g in np.array_split(np.argsort(-predicted, kind="stable"), 10) if len(g)]
    rows = [(len(g), float(predicted[g].sum()), float(actual[g].sum())) for g in groups]
    table = pd.DataFrame(rows, columns=["customers", "predicted", "actual"])
    table.insert(0, "decile", np.arange(1, len(table) + 1))
    table["ratio"] = table["predicted"] / table["actual"].where(table["actual"] > 0)
    if scenarios is not None:
        totals = np.stack([scenarios[g].sum(axis=0) for g in groups])
        low, high = interval_factors(totals, level_deviation=level_deviation)
        table["low"], table["high"] = low * table["predicted"], high * table["predicted"]
        table["covered"] = table["actual"].between(table["low"], table["high"])
    return table


def next_purchase_table(
    days_to_purchase: np.ndarray, quantiles: dict[float, np.ndarray], horizon_days: int
) -> pd.DataFrame:
    """Check the quantiles of the next purchase: by the day of level q, a share q should have bought.

    Only customers whose quantile lies within the window can be checked in it.

    Parameters
    ----------
    days_to_purchase : ndarray of shape (n_customers,), days, NaN without a purchase in the window
    quantiles : dict of level to ndarray of shape (n_customers,), days, NaN for never
    horizon_days : int

    Returns
    -------
    DataFrame, one row a level: ``level``, ``customers`` (checked), ``bought`` (share by that day; NaN if none)

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


def gain_curve(actual: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Cumulative share of ``actual`` caught by the first customers of the ranking, from 0 to 1.

    Returns
    -------
    ndarray of shape (n_customers + 1,)
    """
    caught = np.cumsum(actual[np.argsort(-score, kind="stable")], dtype=float)
    return np.concatenate([[0.0], caught / caught[-1] if caught[-1] else caught])
