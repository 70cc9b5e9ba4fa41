"""The holdout of a campaign: a stratified random draw, and the effect that a holdout of a given size can detect.

Of the customers that a plan would contact, a random part is not contacted. Only the comparison of the two groups shows
the effect of the contact, because most of the contacted who stay would have stayed anyway. The draw is stratified by
offer, value and risk, so that the groups are alike in them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from training.offers.offers import Floats

CONFIDENCE = 0.9
"""Of the two-sided intervals that detect an effect."""
FEWEST_PER_ARM = 2
"""A stratum's variance needs two customers in each group."""
BANDS = 3
"""Bands of value, and of risk within each."""


def stratify(offer: ArrayLike, value: ArrayLike, risk: ArrayLike, holdout_share: float) -> NDArray[np.int64]:
    """Group customers by offer, band of value and band of risk; groups too small for a holdout are merged.

    Parameters
    ----------
    offer : array of shape (n_customers,), which offer each would get; never merged
    value, risk : arrays of shape (n_customers,), cut into `BANDS` bands of equal count within each offer
    holdout_share : float in (0, 1)

    Returns
    -------
    ndarray of shape (n_customers,), numbers from 0, without gaps

    Examples
    --------
    >>> value = np.arange(12.0)
    >>> stratify(np.zeros(12), value, value, holdout_share=0.5).tolist()
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    """
    offers = np.asarray(offer)
    value, risk = np.asarray(value, dtype=np.float64), np.asarray(risk, dtype=np.float64)
    enough = math.ceil(FEWEST_PER_ARM / min(holdout_share, 1 - holdout_share))
    stratum, strata = np.zeros(offers.size, dtype=np.int64), 0
    for number in np.unique(offers):
        members = np.flatnonzero(offers == number)
        by_value = _bands(value[members])
        cell = by_value * BANDS
        for band in range(BANDS):
            inside = np.flatnonzero(by_value == band)
            by_risk = _bands(risk[members[inside]])
            # Every other band runs backwards, so that neighbouring cells, which may be merged, are alike.
            cell[inside] += by_risk if band % 2 == 0 else BANDS - 1 - by_risk
        group = _merged(np.bincount(cell, minlength=BANDS**2), enough)
        stratum[members] = strata + group[cell]
        strata += int(group.max()) + 1
    return stratum


def _bands(values: Floats) -> NDArray[np.int64]:
    """Cut into bands of about equal count; equal values stay together, in the band of the first of them."""
    band = np.zeros(values.size, dtype=np.int64)
    firsts = [math.ceil(values.size * number / BANDS) for number in range(1, BANDS)]
    if values.size:
        before = np.partition(values, [first - 1 for first in firsts])
        for first in firsts:
            band += values > before[first - 1]
    return band


def _merged(counts: NDArray[np.intp], enough: int) -> NDArray[np.int64]:
    """Join neighbouring cells of so many members until each group has enough; return the group of each cell."""
    group, groups, size = np.zeros(counts.size, dtype=np.int64), 0, 0
    for cell, count in enumerate(counts.tolist()):
        group[cell] = groups
        size += count
        if size >= enough:
            groups, size = groups + 1, 0
    if groups:  # the rest joins the last full group
        group[group == groups] = groups - 1
    return group


def draw_holdout(stratum: ArrayLike, offer: ArrayLike, holdout_share: float, seed: int) -> NDArray[np.bool_]:
    """Draw the holdout: in each stratum its share, in each offer exactly ``⌈share · customers⌉``, of one customer none.

    Parameters
    ----------
    stratum, offer : arrays of shape (n_customers,), each stratum within one offer
    holdout_share : float in [0, 1)
    seed : int, the same seed and order of customers give the same holdout

    Returns
    -------
    ndarray of bool, shape (n_customers,), true for the held out

    Examples
    --------
    >>> stratum = np.repeat([0, 1], [10, 20])
    >>> held_out = draw_holdout(stratum, np.zeros(30), holdout_share=0.1, seed=7)
    >>> np.bincount(stratum, weights=held_out).tolist()
    [1.0, 2.0]
    """
    strata, offers = np.asarray(stratum), np.asarray(offer)
    rng = np.random.default_rng(seed)
    held_out = np.zeros(strata.size, dtype=bool)
    for number in np.unique(offers):
        members = np.flatnonzero(offers == number)
        # Of one customer there is nothing to draw: the plan contacts them rather than nobody.
        total = min(math.ceil(round(holdout_share * members.size, 9)), members.size - 1)
        sizes = np.bincount(strata[members])
        labels = np.flatnonzero(sizes)
        sizes = sizes[labels]
        exact = sizes * (total / members.size)
        take = np.floor(exact + 1e-9).astype(np.int64)
        # The seats that rounding leaves go to the largest remainders, ties by lot.
        order = np.lexsort((rng.random(labels.size), -(exact - take)))
        take[order[: total - take.sum()]] += 1
        for label, count in zip(labels, take, strict=True):
            inside = members[strata[members] == label]
            held_out[rng.permutation(inside)[:count]] = True
    return held_out


def minimum_detectable_effect(n_contacted: int, n_holdout: int, rate: float, *, power: float = 0.8) -> float:
    """Return the smallest effect on a rate that the comparison will find with the given power.

    ``(z_{(1+c)/2} + z_power) · sqrt(q(1 − q)(1/n₁ + 1/n₀))``, two-sided, c = 0.9.

    Parameters
    ----------
    n_contacted, n_holdout : int
    rate : float in [0, 1], the share expected to stay without contact
    power : float in (0, 1)

    Returns
    -------
    float, as a share: 0.13 is 13 points; infinite without a holdout

    Examples
    --------
    >>> round(minimum_detectable_effect(900, 100, rate=0.5), 3)  # 2.486 · .5 · sqrt(1/900 + 1/100)
    0.131
    """
    if n_contacted < 1 or n_holdout < 1:
        return math.inf
    quantiles = stats.norm.ppf((1 + CONFIDENCE) / 2) + stats.norm.ppf(power)
    return float(quantiles * math.sqrt(rate * (1 - rate) * (1 / n_contacted + 1 / n_holdout)))


def holdout_share_for(effect: float, n_customers: int, rate: float, *, power: float = 0.8) -> float | None:
    """Return the smallest holdout share that finds an effect of this size with this power.

    Returns
    -------
    float in (0, 0.5], or None where even an even split is too small

    Examples
    --------
    >>> holdout_share_for(0.131, 1000, rate=0.5), holdout_share_for(0.01, 1000, rate=0.5)
    (0.101, None)
    """
    quantiles = stats.norm.ppf((1 + CONFIDENCE) / 2) + stats.norm.ppf(power)
    # n · h(1 − h) must reach q(1 − q)(z/effect)²: a quadratic in h.
    needed = rate * (1 - rate) * (quantiles / effect) ** 2 / max(n_customers, 1)
    if needed > 0.25:
        return None
    smallest = (1 - math.sqrt(1 - 4 * needed)) / 2
    return min(math.ceil(smallest * n_customers) / n_customers, 0.5)


def customers_for(effect: float, holdout_share: float, rate: float, *, power: float = 0.8) -> int:
    """Return the number of customers a campaign needs to find an effect of this size.

    Examples
    --------
    >>> customers_for(0.05, holdout_share=0.1, rate=0.5)
    6870
    """
    quantiles = stats.norm.ppf((1 + CONFIDENCE) / 2) + stats.norm.ppf(power)
    spread = rate * (1 - rate) / (holdout_share * (1 - holdout_share))
    return int(math.ceil((quantiles / effect) ** 2 * spread))


def sample_ratio_p_value(n_contacted: int, n_holdout: int, holdout_share: float) -> float:
    """Return the p-value of the sample-ratio mismatch test: whether the split is the one planned.

    A chi-square test with one degree of freedom. A tiny value (below .001) means that the assignment was not
    kept: customers got lost or were moved after the draw, and no comparison of the groups can be trusted.

    Examples
    --------
    >>> sample_ratio_p_value(900, 100, 0.1), sample_ratio_p_value(900, 60, 0.1) < 0.001
    (1.0, True)
    """
    total = n_contacted + n_holdout
    expected = [total * (1 - holdout_share), total * holdout_share]
    return float(stats.chisquare([n_contacted, n_holdout], expected).pvalue)
