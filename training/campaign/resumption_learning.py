"""Resumption, learnt: what the customers whom a campaign brought back went on to do.

A kept customer is worth the value at stake at the true resumption ρ, ``V₀ + ρ·R``: V₀ if those who had left buy once
only, R more if they go on at their old rate's value. So the contact adds as much margin as it adds to
``bought · (V₀ + ρ·R)``, and the effect of the contact on

    margin − bought in the churn window · (V₀ + ρ·R)

is zero at the true ρ, whatever the acceptance and whoever accepted. The estimate is the ρ at which the estimated
effect is zero; the interval has every ρ at which its interval holds zero (Fieller). Margins are not discounted, so
that ρ comes out too great by about half a year's interest.

Before a year has passed, only a part of the promise has had time to come true: V₀ and R are counted by the share of
the days between the middle of the churn window, where the offer's purchase is taken to be, and the end of the year.
The first purchase itself is not spread over the year, so that an early ρ is only a first indication.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from features.log.transactions import TransactionLog
from training.campaign.assignment import Assignment
from training.campaign.effect import Effect, effect
from training.campaign.outcomes import LONGEST_DAYS, campaign_outcomes, covariates
from training.offers.offers import Floats

_STEP = 0.05


@dataclass(frozen=True)
class LearnedResumption:
    """What a campaign followed for longer than its churn window shows of the resumption.

    Parameters
    ----------
    days : int, that the campaign was followed
    margin : Effect, margin per customer over these days, contacted against held out
    promised_once, promised_on : float, money per customer: what the kept should have added by now at ρ 0 and at ρ 1
    estimate : float in [0, 1]
    low, high : float in [0, 1], with the confidence of ``margin``; NaN where no ρ from 0 to 1 fits what happened
    assumed : float or None, the plan's
    """

    days: int
    margin: Effect
    promised_once: float
    promised_on: float
    estimate: float
    low: float
    high: float
    assumed: float | None

    @property
    def fits(self) -> bool:
        """Whether some ρ from 0 to 1 fits what happened."""
        return self.low == self.low

    @property
    def informative(self) -> bool:
        """Whether the campaign rules out a part of what ρ could be."""
        return self.fits and self.high - self.low < 1


def learn_resumption(
    assignment: Assignment, log: TransactionLog, until: date, bought: pd.Series, confidence: float
) -> LearnedResumption | None:
    """Learn the resumption from the margins of contacted and held out until a day after the churn window.

    Parameters
    ----------
    bought : Series of bool, one per customer of the assignment, in the churn window
    confidence : float in (0, 1)

    Returns
    -------
    LearnedResumption, or None where the campaign's lists do not say what hangs on the resumption
    """
    customers, start = assignment.customers, assignment.record.starts_on
    assumed, at_hand = assignment.record.resumption, customers["value_of_resumption"]
    if assumed is None or at_hand.isna().any():
        return None
    outcomes = campaign_outcomes(assignment, log, start, until)
    share = _share_of_promise((until - start).days, assignment.record.horizon_days)
    kept = bought.to_numpy(dtype=np.float64) * share
    on = kept * at_hand.to_numpy()
    once = kept * (customers["value_at_stake"] - assumed * at_hand).to_numpy()
    margin = outcomes["margin"].to_numpy()

    def contact(outcome: Floats) -> Effect:
        groups = (customers["contacted"].to_numpy(), customers["stratum"].to_numpy())
        return effect(outcome, *groups, covariates(customers, outcomes), confidence=confidence)

    found, at_once, at_on = contact(margin), contact(once).difference, contact(once + on).difference
    slope = at_on - at_once
    estimate = float(np.clip((found.difference - at_once) / slope, 0, 1)) if slope > 0 else assumed
    tried = np.append(np.arange(0, 1 + _STEP / 2, _STEP), estimate)
    fitting = [rho for rho in tried if (left := contact(margin - once - rho * on)).low <= 0 <= left.high]
    return LearnedResumption(
        days=(until - start).days,
        margin=found,
        promised_once=at_once,
        promised_on=at_on,
        estimate=estimate,
        low=float(max(min(fitting) - _STEP, 0))
        if fitting
        else np.nan,  # the ends lie within a step of those tried
        high=float(min(max(fitting) + _STEP, 1)) if fitting else np.nan,
        assumed=assumed,
    )


def _share_of_promise(days: int, horizon_days: int) -> float:
    """Return the share of a year's promise that has had time to come true."""
    middle = horizon_days / 2
    return min((days - middle) / (LONGEST_DAYS - middle), 1.0)
