"""Metrics of expected spend against the spend of the holdout window.

A metric that is undefined on a slice (no spend) is NaN there.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from training.clv.interval import total_factors
from training.metrics.ranking import normalised_gini


def value_metrics(actual: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Measure expected spend against the holdout window's spend.

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
        From `RetentionModel.window_scenarios`: adds each total's 80% interval and whether it covers the actual.
    level_deviation : float
        See `training.clv.interval.total_factors`.

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
        low, high = total_factors(totals, level_deviation=level_deviation)
        table["low"], table["high"] = low * table["predicted"], high * table["predicted"]
        table["covered"] = table["actual"].between(table["low"], table["high"])
    return table
