"""Several campaigns pooled: the mean of their effects, by a random-effects model.

Campaigns differ in offers, seasons and customers, so that their true effects differ too. Each is weighted by
1 / (its variance + the variance between campaigns), the latter by DerSimonian and Laird; where the campaigns differ by
no more than chance it is 0, and the weights are the inverse variances. The campaigns are taken as independent: each has
a draw of its own.

References
----------
DerSimonian, Laird (1986), Meta-analysis in clinical trials, Controlled Clinical Trials 7(3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from features.errors import StayworthError
from features.language import translated
from training.campaign.effect import Effect
from training.campaign.measurement import Measurement
from training.campaign.verdict import MEASURES


@dataclass(frozen=True)
class Pooled:
    """The mean effect of several campaigns, and the standard deviation of their true effects around it."""

    effect: Effect
    between: float


@dataclass(frozen=True)
class PooledCampaigns:
    """Several campaigns together.

    Parameters
    ----------
    effects : dict of measure to Pooled
    profit : Effect, of all contacts of all campaigns in their windows, money
    campaigns : int
    """

    effects: dict[str, Pooled]
    profit: Effect
    campaigns: int

    def table(self) -> pd.DataFrame:
        """Return the mean effects as rows: measure, difference, low, high, between, sizes."""
        rows = [
            {
                "measure": measure,
                "difference": pooled.effect.difference,
                "low": pooled.effect.low,
                "high": pooled.effect.high,
                "between": pooled.between,
                "n_contacted": pooled.effect.n_contacted,
                "n_holdout": pooled.effect.n_holdout,
            }
            for measure, pooled in self.effects.items()
        ]
        return pd.DataFrame(rows)


def pool_campaigns(found: Sequence[Measurement]) -> PooledCampaigns:
    """Pool the findings of several campaigns.

    Raises
    ------
    StayworthError
        If the churn window of one has not closed: its intervals hold at every look, and the others' do not.
    """
    for each in found:
        if not each.complete:
            raise StayworthError(
                translated(
                    "The campaign that began {start} has been measured for {days} of {horizon_days} days. "
                    "Pool it once the window has closed, or leave it out.",
                    start=each.start,
                    days=each.days,
                    horizon_days=each.assignment.record.horizon_days,
                )
            )
    profits = [each.incremental_profit for each in found]
    error = math.sqrt(sum(profit.standard_error**2 for profit in profits))
    contacted, holdout = (
        sum(getattr(profit, name) for profit in profits) for name in ("contacted", "holdout")
    )
    return PooledCampaigns(
        {measure: pool([each.effects["all", measure] for each in found]) for measure in MEASURES},
        _with_interval(contacted, holdout, error, profits),
        len(found),
    )


def pool(effects: Sequence[Effect]) -> Pooled:
    """Return the mean effect of independent campaigns, weighted by inverse variance, random effects.

    Examples
    --------
    Two equally sure effects, 3 standard errors of their difference apart: half of the squared difference of 18 is 9,
    less the 1 that chance explains.

    >>> one, other = (Effect(d, 0, d - 1.6, d + 1.6, 1.0, 900, 100) for d in (0.0, 18**0.5))
    >>> pooled = pool([one, other])
    >>> round(pooled.effect.difference, 3), round(pooled.between**2, 3)
    (2.121, 8.0)
    """
    differences = np.array([each.difference for each in effects])
    variances = np.array([each.standard_error**2 for each in effects])
    # Without any spread, as where nobody bought, an effect is exact, and no weight is finite.
    weights = 1 / np.maximum(variances, 1e-12)
    fixed = float(weights @ differences / weights.sum())
    excess = float(weights @ (differences - fixed) ** 2) - (len(effects) - 1)
    between = (
        max(excess / float(weights.sum() - (weights**2).sum() / weights.sum()), 0.0)
        if len(effects) > 1
        else 0.0
    )
    weights = 1 / (np.maximum(variances, 1e-12) + between)
    error = 1 / math.sqrt(weights.sum())
    contacted, holdout = (
        float(weights @ np.array([getattr(each, name) for each in effects]) / weights.sum())
        for name in ("contacted", "holdout")
    )
    return Pooled(_with_interval(contacted, holdout, error, effects), math.sqrt(between))


def _with_interval(contacted: float, holdout: float, error: float, of: Sequence[Effect]) -> Effect:
    confidence = of[0].confidence
    half = float(stats.norm.ppf((1 + confidence) / 2)) * error
    sizes = (sum(each.n_contacted for each in of), sum(each.n_holdout for each in of))
    difference = contacted - holdout
    return Effect(contacted, holdout, difference - half, difference + half, error, *sizes, confidence)
