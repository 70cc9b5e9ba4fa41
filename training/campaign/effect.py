"""What a contact did: intention-to-treat comparison of the contacted with the holdout.

Everyone counts in the group they were drawn into, reached or not, redeemed or not. The estimate is the mean
of the strata's differences, weighted by how many of each were contacted (the effect on the contacted, whatever share
of a stratum was held out), with Neyman's standard error. What customers did before
the start narrows it (CUPED): the part of the outcome that the covariates explain is subtracted from both
groups alike, so nothing that the contact did goes with it.

Margins are skewed, and a holdout of a hundred rarely holds the one customer who matters; there, a percentile
bootstrap covers 84% where it says 90%, and Neyman's own interval little more. So the interval takes its
quantiles from the draw itself: were the effect the same for everybody, what would the studentised difference
be under every other holdout that could have been drawn? That is exact where the contact did nothing, keeps
the skewness, and is right in large samples whatever the effect looks like.

Of a handful of customers few other draws say much, and quantiles are wide beyond what can be. Where an outcome
has limits, as buying or not has, so has the effect on the contacted: what they did is seen, and what they would
have done lies between the limits (Manski's bounds). The interval is cut there, which costs no coverage.

References
----------
Imbens, Rubin (2015), Causal Inference, ch. 9. Wu, Ding (2021), Randomization tests for weak null hypotheses
in randomized experiments, JASA 116. Deng et al. (2013), CUPED. Lin (2013), Annals of Applied Statistics 7(1). Manski
(1990), Nonparametric bounds on treatment effects, American Economic Review 80(2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from features.errors import StayworthError
from features.language import translated
from training.offers.offers import Floats

DRAWS = 999
MANY_CUSTOMERS = 10_000
"""From here on the normal quantiles are as good, and redrawing the holdout would take long."""


@dataclass(frozen=True)
class Effect:
    """A difference between contacted and holdout, per customer, with its uncertainty.

    ``contacted`` and ``holdout`` are the (adjusted) means; ``low`` to ``high`` covers the true difference
    with probability ``confidence``.
    """

    contacted: float
    holdout: float
    low: float
    high: float
    standard_error: float
    n_contacted: int
    n_holdout: int
    confidence: float = 0.9

    @property
    def difference(self) -> float:
        """Contacted less holdout."""
        return self.contacted - self.holdout

    @property
    def conclusive(self) -> bool:
        """Tell whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0

    @property
    def probability_negative(self) -> float:
        """Probability that the true difference is below zero, given a flat prior."""
        if self.standard_error == 0:
            return float(self.difference < 0)
        return float(stats.norm.cdf(-self.difference / self.standard_error))

    def scaled(self, factor: float) -> Effect:
        """Return the effect in another unit, such as per campaign instead of per customer."""
        low, high = sorted((self.low * factor, self.high * factor))
        error = self.standard_error * abs(factor)
        sizes = (self.n_contacted, self.n_holdout, self.confidence)
        return Effect(self.contacted * factor, self.holdout * factor, low, high, error, *sizes)


def effect(
    outcome: ArrayLike,
    contacted: ArrayLike,
    stratum: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    *,
    confidence: float = 0.9,
    limits: tuple[float, float] | None = None,
) -> Effect:
    """Estimate the effect of being drawn into the contacted group on the mean of an outcome.

    Parameters
    ----------
    outcome : array of shape (n_customers,)
    contacted : array of bool, shape (n_customers,), as drawn, not as it went
    stratum : array of int, shape (n_customers,), the draw's strata; those without two customers in
        each group are merged with their neighbours
    covariates : array of shape (n_customers, n_covariates), known before the start; None for none
    confidence : float in (0, 1)
    limits : the least and the greatest outcome there can be, such as (0, 1) of buying or not; None for none

    Returns
    -------
    Effect

    Raises
    ------
    StayworthError
        If there are fewer than two customers in a group.

    Examples
    --------
    Contacted 3, 5, 4 with mean 4 and variance 1; holdout 1, 3 with mean 2 and variance 2:

    >>> found = effect([3, 5, 4, 1, 3], [True, True, True, False, False])
    >>> found.difference, round(found.standard_error, 6)  # sqrt(1/3 + 2/2)
    (2.0, 1.154701)

    Two of three contacted bought. Had nobody or all of them without it, the effect on them would be 2/3 or -1/3:

    >>> found = effect([1, 1, 0, 0, 1], [True, True, True, False, False], limits=(0, 1))
    >>> round(found.low, 3), round(found.high, 3)
    (-0.333, 0.667)
    """
    y, arm = np.asarray(outcome, dtype=np.float64), np.asarray(contacted, dtype=bool)
    groups = np.zeros(y.size) if stratum is None else np.asarray(stratum)
    strata = _merge_small(groups, arm)
    order = np.argsort(strata, kind="stable")
    y, arm, strata = y[order], arm[order], strata[order]
    seen = float(y[arm].mean())
    if covariates is not None:
        y = _without_covariates(
            y, np.asarray(covariates, dtype=np.float64).reshape(y.size, -1)[order], strata, arm
        )

    means, error = _compare(y, (~arm)[None, :].astype(np.float64), strata)
    difference = float(means[0, 1] - means[0, 0])
    quantiles = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if y.size > MANY_CUSTOMERS:
        low, high = stats.norm.ppf(quantiles)
    else:
        low, high = np.quantile(_studentised(y - arm * difference, arm, strata), quantiles)
    se = float(error[0])
    least, greatest = (seen - limits[1], seen - limits[0]) if limits else (-math.inf, math.inf)
    return Effect(
        contacted=float(means[0, 1]),
        holdout=float(means[0, 0]),
        low=max(float(difference - high * se), min(least, difference)),
        high=min(float(difference - low * se), max(greatest, difference)),
        standard_error=se,
        n_contacted=int(arm.sum()),
        n_holdout=int((~arm).sum()),
        confidence=confidence,
    )


def _merge_small(stratum: NDArray[Any], arm: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return strata numbered from 0, neighbours merged until each has two customers in each group."""
    if arm.sum() < 2 or (~arm).sum() < 2:
        raise StayworthError(
            translated(
                "There are {value} contacted and {value_2} held-out customers to compare; at least two "
                "of each are needed.",
                value=int(arm.sum()),
                value_2=int((~arm).sum()),
            )
        )
    labels, index = np.unique(stratum, return_inverse=True)
    counts = np.bincount(2 * index + arm, minlength=2 * labels.size).reshape(-1, 2)
    group, groups, size = np.zeros(labels.size, dtype=np.int64), 0, np.zeros(2)
    for position, count in enumerate(counts):
        group[position] = groups
        size = size + count
        if size.min() >= 2:
            groups, size = groups + 1, np.zeros(2)
    group[group == groups] = max(groups - 1, 0)
    return np.asarray(group[index])


def _without_covariates(y: Floats, x: Floats, strata: NDArray[np.int64], arm: NDArray[np.bool_]) -> Floats:
    """Subtract what the covariates explain of the differences within stratum and group."""
    x = x[:, np.ptp(x, axis=0) > 0]
    if not x.shape[1] or y.size < 10 * x.shape[1]:
        return y
    cell = 2 * strata + arm
    size = np.bincount(cell, minlength=2)
    inside = [v - (np.bincount(cell, weights=v) / np.maximum(size, 1))[cell] for v in (y, *x.T)]
    slope = np.linalg.lstsq(np.column_stack(inside[1:]), inside[0], rcond=None)[0]
    return np.asarray(y - (x - x.mean(axis=0)) @ slope)


def _compare(y: Floats, held_out: NDArray[np.floating], strata: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Compare the groups under each of many draws.

    Parameters
    ----------
    y : ndarray of shape (n_customers,)
    held_out : ndarray of shape (n_draws, n_customers), 1 for the held out; its precision is kept
    strata : ndarray of shape (n_customers,), sorted

    Returns
    -------
    means : ndarray of shape (n_draws, 2), stratified means of holdout and contacted
    errors : ndarray of shape (n_draws,), Neyman's standard error of their difference
    """
    starts = np.flatnonzero(np.append(True, np.diff(strata)))
    size = np.diff(np.append(starts, y.size)).astype(np.float64)
    y_mean = np.add.reduceat(y, starts) / size
    centred = y - y_mean[strata]  # keeps the squares small
    totals = np.stack([size, np.add.reduceat(centred, starts), np.add.reduceat(centred**2, starts)])
    held = np.zeros((3, held_out.shape[0], starts.size))
    for number, (start, count) in enumerate(zip(starts, size.astype(int), strict=True)):
        part, values = (
            held_out[:, start : start + count],
            centred[start : start + count].astype(held_out.dtype),
        )
        held[:, :, number] = (part @ np.column_stack([np.ones_like(values), values, values**2])).T
    means, variance = np.zeros((held_out.shape[0], 2)), np.zeros(held_out.shape[0])
    sent = size - held[0, 0]  # the same number in every draw
    weight = sent / sent.sum()
    for group, (n, s, q) in enumerate((held, totals[:, None, :] - held)):
        means[:, group] = (s / n + y_mean) @ weight
        variance += ((q - s**2 / n) / (n - 1) / n) @ weight**2
    return means, np.sqrt(np.maximum(variance, 0.0))


def _studentised(y: Floats, arm: NDArray[np.bool_], strata: NDArray[np.int64]) -> Floats:
    """Return the studentised difference under other draws of the holdout, the outcome being what it is."""
    sizes = np.bincount(strata)
    held = np.bincount(strata, weights=~arm).astype(int)
    means, errors = _compare(y, _redraws(tuple(sizes.tolist()), tuple(held.tolist())), strata)
    difference = means[:, 1] - means[:, 0]
    return np.divide(difference, errors, out=np.zeros(errors.size), where=errors > 0)


@lru_cache(maxsize=9)
def _redraws(sizes: tuple[int, ...], held: tuple[int, ...]) -> NDArray[np.float32]:
    """Draw other holdouts of the same size in each stratum; the same ones every time."""
    rng = np.random.default_rng(20130)
    draws = np.zeros((DRAWS, sum(sizes)), dtype=np.float32)
    start = 0
    for size, count in zip(sizes, held, strict=True):
        lots = rng.random((DRAWS, size))
        chosen = np.argpartition(lots, count - 1, axis=1)[:, :count]
        np.put_along_axis(draws, start + chosen, 1.0, axis=1)
        start += size
    return draws
