"""Gamma-Gamma: a customer's mean spend per purchase, shrunk towards the population's.

A customer's spend per purchase day is Gamma(p, ν) and ν ~ Gamma(q, v) over customers, independent of how
often they buy. m is the mean *gross* spend of the x repeat purchase days.

References
----------
Fader, Hardie (2013), The Gamma-Gamma Model of Monetary Value, brucehardie.com/notes/025.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import betaln, digamma

from features.language import translated
from training.clv.quadrature import FloatArray
from training.clv.row_cache import once_per_count

_HARDLY = 0.2  # standard deviation over mean
_TAIL = 20.0  # largest over median


@dataclass(frozen=True)
class GammaGamma:
    """The Gamma-Gamma model of spend.

    Parameters
    ----------
    p, v : float, above 0
    q : float, above 1
        At 1 or below the mean over customers is infinite.

    Examples
    --------
    >>> model = GammaGamma(p=6.25, q=3.74, v=15.44)
    >>> model.expected_spend(np.array([2.0, 0.0]), np.array([22.35, 0.0])).round(1)
    array([24.7, 35.2])
    """

    p: float
    q: float
    v: float

    name: ClassVar[str] = "gammagamma"
    title: ClassVar[str] = "Gamma-Gamma"
    at_edge: ClassVar[str] = ""  # what it means depends on the spend: `edge_meaning`
    scale_parameters: ClassVar[tuple[str, ...]] = ("v",)  # those in units of money

    def log_likelihood(self, x: FloatArray, m: FloatArray, weights: FloatArray | float = 1.0) -> float:
        """Return the log-likelihood of the mean spends m > 0 of x > 0 purchases (eq. 1a)."""
        p, q, v = self.p, self.q, self.v
        px = p * x
        terms = q * np.log(v) - once_per_count(lambda x: betaln(p * x, q), x) + (px - 1.0) * np.log(m)
        terms = terms + once_per_count(lambda x: p * x * np.log(np.where(x > 0, x, 1.0)), x)
        return float((weights * (terms - (px + q) * np.log(x * m + v))).sum())

    def slope(self, x: FloatArray, m: FloatArray, weights: FloatArray | float = 1.0) -> FloatArray:
        """Return by how much `log_likelihood` rises with the logarithms of p, q and v, of shape (3,).

        Examples
        --------
        >>> x, m = np.array([2.0, 1.0]), np.array([22.35, 40.0])
        >>> low, high = GammaGamma(6.25, 3.74, 15.44 * 0.999), GammaGamma(6.25, 3.74, 15.44 * 1.001)
        >>> rise = (high.log_likelihood(x, m) - low.log_likelihood(x, m)) / np.log(1.001 / 0.999)
        >>> bool(np.isclose(GammaGamma(6.25, 3.74, 15.44).slope(x, m)[2], rise, rtol=1e-5))
        True
        """
        p, q, v = self.p, self.q, self.v
        both = once_per_count(lambda x: digamma(p * x + q), x)
        total = np.log(x * m + v)
        by_p = once_per_count(lambda x: digamma(p * np.where(x > 0, x, 1.0)), x)
        return np.array(
            [
                p * (weights * x * (both - by_p + np.log(x * m) - total)).sum(),
                q * (weights * (np.log(v) + both - digamma(q) - total)).sum(),
                (weights * (q - v * (p * x + q) / (x * m + v))).sum(),
            ]
        )

    @property
    def population_mean(self) -> float:
        """The mean spend per purchase of a customer without a repeat purchase, ``p·v/(q−1)``."""
        return self.p * self.v / (self.q - 1.0)

    def expected_spend(self, x: FloatArray, m: FloatArray) -> FloatArray:
        """Return the expected gross spend per purchase, ``p·(v + x·m)/(p·x + q − 1)`` (eq. 5).

        m is ignored where x = 0: such a customer gets the population mean.
        """
        spent = np.where(x > 0, x * np.where(x > 0, m, 0.0), 0.0)
        return self.p * (self.v + spent) / (self.p * x + self.q - 1.0)


@dataclass(frozen=True)
class EmpiricalSpend:
    """Observed mean spend, where Gamma-Gamma does not fit: a repeat buyer's own mean, the overall mean for others.

    That is the limit of the Gamma-Gamma's expectation as the spread over customers grows (q to 1 from above).

    Parameters
    ----------
    mean : float, at least 0
        Mean over repeat buyers of their mean spend per repeat purchase day.

    Examples
    --------
    >>> EmpiricalSpend(mean=30.0).expected_spend(np.array([2.0, 0.0]), np.array([22.35, 0.0]))
    array([22.35, 30.  ])
    """

    mean: float

    name: ClassVar[str] = "empirical"

    @property
    def population_mean(self) -> float:
        """The mean spend per purchase of a customer without a repeat purchase."""
        return self.mean

    def expected_spend(self, x: FloatArray, m: FloatArray) -> FloatArray:
        """Return the expected gross spend per purchase."""
        return np.where(x > 0, m, self.mean)


def edge_meaning(m: FloatArray) -> str:
    """Say what a parameter of Gamma-Gamma without a finite estimate means, from the customers' mean spends m > 0.

    Examples
    --------
    >>> edge_meaning(np.array([20.0, 20.0, 21.0]))
    'Spend hardly varies, within customers or between them.'
    >>> edge_meaning(np.array([5.0, 8.0, 10.0, 9000.0]))
    'Spend has a heavy tail (the largest mean spend is 1,000 times the median): a single order may decide it.'
    """
    if m.std() < _HARDLY * m.mean():
        return translated("Spend hardly varies, within customers or between them.")
    times = m.max() / np.median(m)
    if times > _TAIL:
        return translated(
            "Spend has a heavy tail (the largest mean spend is {times:,.0f} times the median): a single order may "
            "decide it.",
            times=float(times),
        )
    return translated(
        "A customer's purchases hardly vary in amount, or too few were repeated to tell how much they do."
    )


def spend_correlation(x: FloatArray, m: FloatArray) -> float | None:
    """Return the correlation of frequency and mean spend over repeat buyers; Gamma-Gamma assumes 0.

    None where there are fewer than three, or where one of the two does not vary.

    Examples
    --------
    >>> round(spend_correlation(np.array([1.0, 2.0, 3.0, 0.0]), np.array([10.0, 20.0, 30.0, 0.0])), 6)
    1.0
    """
    repeats = (x > 0) & (m > 0)
    x, m = x[repeats], m[repeats]
    if len(x) < 3 or np.ptp(x) == 0.0 or np.ptp(m) == 0.0:
        return None
    return float(np.corrcoef(x, m)[0, 1])
