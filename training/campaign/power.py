"""Power of a campaign: how many customers the effects that its plan expected would take to be found."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from training.campaign.effect import Effect
from training.campaign.holdout import CONFIDENCE
from training.campaign.plan import CampaignPlan
from training.campaign.record import CampaignRecord


@dataclass(frozen=True)
class Power:
    """Customers that the expected effect on a measure takes, at this campaign's spread and share of holdout.

    Parameters
    ----------
    measure : str
    expected : float, the effect per contacted customer that the plan expected
    customers : int, contacted and held out, that find it with probability ``power``
    """

    measure: str
    expected: float
    customers: int
    power: float


def power_of(retention: Effect, profit: Effect, record: CampaignRecord) -> tuple[Power, ...]:
    """Return the power for the expected effects on retention and on profit; none for an effect of 0 or less.

    Parameters
    ----------
    retention : Effect on the share who bought
    profit : Effect on the profit per customer, at the plan's value of those kept
    record : CampaignRecord, with the effects that the plan expected
    """
    contacted = record.counts.contacted
    expected = {
        "retention": (retention, record.experiment.expected_effect),
        "profit": (profit, record.expected.profit / contacted if contacted else 0.0),
    }
    return tuple(
        Power(measure, size, customers_to_find(size, found, record.experiment.power), record.experiment.power)
        for measure, (found, size) in expected.items()
        if size > 0 and found.standard_error > 0
    )


def customers_for_profit(plan: CampaignPlan) -> int | None:
    """Return how many customers a campaign like this takes to find its expected profit per contact.

    The spread is that of ``value at stake if they stay, else nothing``, by which a measurement counts profit, over the
    chosen customers; what the measurement's covariates explain of it is left in, so that fewer may do. None without a
    holdout, or where no profit is expected.
    """
    chosen, contacted = plan.figures, len(plan.contacts)
    share = plan.n_held_out / max(len(chosen), 1)
    if not 0 < share < 1 or plan.expected_profit <= 0:
        return None
    stays, value = 1 - chosen["churn_probability"], chosen["value_at_stake"]
    deviation = math.sqrt(max(float((stays * value**2).mean() - (stays * value).mean() ** 2), 0.0))
    quantiles = stats.norm.ppf((1 + CONFIDENCE) / 2) + stats.norm.ppf(plan.terms.power)
    times = (float(quantiles) * deviation / (plan.expected_profit / contacted)) ** 2
    return math.ceil(times / (share * (1 - share)))


def customers_to_find(expected: float, found: Effect, power: float) -> int:
    """Return how many customers find an effect of a size with a probability, at the spread of a measured effect.

    ``n · ((z_{(1+c)/2} + z_power) · standard error / size)²``, two-sided, c = 0.9.

    Examples
    --------
    >>> found = Effect(2.0, 1.0, -1.0, 3.0, 1.0, 900, 100)
    >>> customers_to_find(2.0, found, 0.8)  # 1,000 · (2.486 / 2)²
    1546
    """
    quantiles = stats.norm.ppf((1 + CONFIDENCE) / 2) + stats.norm.ppf(power)
    times = (float(quantiles) * found.standard_error / expected) ** 2
    return math.ceil(times * (found.n_contacted + found.n_holdout))
