"""The next purchase: by when it has come with a probability, as the churn probability and the purchase model say.

Whether a customer buys within the churn window is the churn model's to say, and how purchases spread over time the
purchase model's. With F0(t) its probability of a purchase within t, p0 = 1 − F0(H) and p the churn probability, the
customer's purchases come at hazards proportional to its own::

    1 − F(t) = (1 − F0(t))^k,    k = ln p / ln p0

so that F(H) = 1 − p, and F = F0 where p = p0. F reaches the level q where F0 reaches ``1 − (1 − q)^(1/k)``.

References
----------
Cox (1972), Regression Models and Life-Tables, Journal of the Royal Statistical Society B 34(2), 187-220.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_expit

from training.clv.quadrature import FloatArray

LEVELS = (0.1, 0.5, 0.9)
"""Probabilities of which a customer is told the days: low, median, high."""

_LARGEST_LOG_ODDS = 700.0  # beyond it, e to that power is no number


def log_odds_at_level(level: float, own_log_odds: FloatArray, churn_probability: FloatArray) -> FloatArray:
    """Return the log-odds that the purchase model's F0 has where F reaches a level.

    Parameters
    ----------
    level : float, in (0, 1)
    own_log_odds : ndarray of shape (n,)
        Of a purchase within the churn window, by the purchase model alone.
    churn_probability : ndarray of shape (n,), in [0, 1]

    Returns
    -------
    ndarray of shape (n,), infinite where never

    Examples
    --------
    The purchase model says that a purchase is as likely as not, the churn model that it comes with 90%: the day of
    90% is the end of the window, and the median where F0 is ``1 − .5^(ln .5 / ln .1)`` = .188.

    >>> even, p = np.array([0.0]), np.array([0.1])
    >>> odds = np.exp([log_odds_at_level(level, even, p)[0] for level in (0.5, 0.9)])
    >>> (odds / (1 + odds)).round(3)
    array([0.188, 0.5  ])
    """
    log_p0 = log_expit(-np.clip(own_log_odds, -_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS))
    with np.errstate(divide="ignore"):  # of a churn probability of 0 or 1
        log_silent = np.log1p(-level) * np.abs(log_p0) / np.abs(np.log(churn_probability))  # ln(1 − F0)
        return np.asarray(np.log(-np.expm1(log_silent)) - log_silent)
