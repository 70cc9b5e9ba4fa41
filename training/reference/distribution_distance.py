"""Distances between two distributions, as counts over the same bins.

- *Population stability index*: ``Σ_b (q_b − p_b)·ln(q_b / p_b)``, p the shares then and q those of now.
- *Kolmogorov-Smirnov*: the largest distance between the two distribution functions at the bins' edges.

With tens of thousands of customers every p-value is tiny. A distance is judged by its size, against a rule of
thumb and against the usual drift; the p-value is only reported.

References
----------
Yurdakul, Naranjo (2020), Statistical properties of the population stability index, Journal of Risk Model
Validation 14(4): the rule of thumb (below .1 little change, above .25 a significant one), and that without a
change the index is about ``(1/n + 1/m)·χ²`` with bins − 1 degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, kolmogorov

FLOOR = 0.0005
"""Added to each share, so that an empty bin does not make the index infinite."""

_NOISE = 0.001


@dataclass(frozen=True)
class DistributionDistance:
    """Distance of a column's later distribution from an earlier one.

    Parameters
    ----------
    psi : float, from 0
        Population stability index over all bins, "missing" and "zero" among them.
    psi_of_values : float, from 0
        The same among values that are neither missing nor zero; 0 where there are too few to tell.
    noise : float
        What ``psi`` stays below in 999 of 1000 cases when nothing has moved.
    noise_of_values : float
    ks : float in [0, 1]
        Kolmogorov-Smirnov distance of the values that are not missing.
    p_value : float in [0, 1]
        Its asymptotic p-value, an upper bound: the distance is taken at the stored edges only.
    """

    psi: float
    psi_of_values: float
    noise: float
    noise_of_values: float
    ks: float
    p_value: float

    @property
    def beyond_noise(self) -> tuple[float, float]:
        """The two indices, 0 where noise explains them."""
        return (
            self.psi if self.psi > self.noise else 0.0,
            self.psi_of_values if self.psi_of_values > self.noise_of_values else 0.0,
        )


def stability(then: np.ndarray, now: np.ndarray) -> tuple[float, float]:
    """Return the population stability index of two counts over the same bins, and its noise.

    A small constant is added to each share: so an empty bin does not make the index infinite, and a total change
    gives the same index whatever the number of customers. Bins empty in both are left out.

    Parameters
    ----------
    then, now : ndarray of shape (n_bins,), counts

    Returns
    -------
    psi : float, from 0; 0 where one of the two holds nothing or all lies in one bin
    noise : float
        Its 99.9% quantile when nothing has moved.

    Examples
    --------
    Shares (.5, .5) become (.8, .2): .3·ln(.8/.5) − .3·ln(.2/.5) = .3·ln 4 = .416, less a little for the constant.

    >>> round(stability(np.array([5000, 5000]), np.array([8000, 2000]))[0], 3)
    0.415
    """
    present = (then + now) > 0
    bins = int(present.sum())
    if bins < 2 or not then.sum() or not now.sum():
        return 0.0, 0.0
    shares = [(c[present] / c.sum() + FLOOR) / (1 + FLOOR * bins) for c in (then, now)]
    psi = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    return psi, float(chdtri(bins - 1, _NOISE) * (1 / then.sum() + 1 / now.sum()))


def kolmogorov_smirnov(then: Sequence[int], now: Sequence[int]) -> tuple[float, float]:
    """Return the largest distance of two distribution functions at the same edges, and its p-value."""
    n, m = sum(then), sum(now)
    if not n or not m:
        return 0.0, 1.0
    distance = float(np.abs(np.cumsum(then) / n - np.cumsum(now) / m).max())
    return distance, float(kolmogorov(distance * np.sqrt(n * m / (n + m))))
