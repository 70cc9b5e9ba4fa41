"""Metrics of a ranking of customers: the gain curve and the Gini coefficient of what it catches."""

from __future__ import annotations

import numpy as np


def gain_curve(actual: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Cumulative share of ``actual`` caught by the first customers of the ranking, from 0 to 1.

    Parameters
    ----------
    actual : ndarray of shape (n_customers,), at least 0, such as churn (0 or 1) or money
    score : ndarray of shape (n_customers,), the first of the ranking highest

    Returns
    -------
    ndarray of shape (n_customers + 1,)

    Examples
    --------
    >>> gain_curve(np.array([1, 3]), np.array([0.2, 0.9]))
    array([0.  , 0.75, 1.  ])
    """
    caught = np.cumsum(actual[np.argsort(-score, kind="stable")], dtype=float)
    return np.concatenate([[0.0], caught / caught[-1] if caught[-1] else caught])


def normalised_gini(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Gini of the spend curve when customers are ranked by prediction, over that of a perfect ranking.

    Parameters
    ----------
    actual, predicted : ndarray of shape (n_customers,), money

    Returns
    -------
    float, 1 for a perfect ranking, about 0 for a random one; NaN where all are equal

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
