"""Sentences of a measurement: what the command ``measure`` says of a campaign, and of several."""

from __future__ import annotations

from serving.campaign.summary import bands_in_words
from training.campaign.effect import Effect
from training.campaign.measurement import MEASURES, Measurement
from training.campaign.pooling import PooledCampaigns
from training.campaign.power import Power
from training.campaign.resumption_learning import LearnedResumption


def measured_sentences(found: Measurement) -> list[str]:
    """Return the verdict, the money, the power, and what was learnt, in sentences."""
    profit, rate = found.incremental_profit, found.return_on_cost
    said = [
        found.verdict(),
        f"In this period the contacts cost {found.cost:,.2f} and earned {profit.difference:+,.2f} beyond that "
        f"({profit.low:+,.2f} to {profit.high:+,.2f})"
        + ("." if rate is None else f", {rate.difference:+.2f} per unit of cost."),
    ]
    size = found.primary.n_contacted + found.primary.n_holdout
    said += [_power_sentence(each, size) for each in found.power]
    if found.resumption:
        said += _resumption_sentences(found.resumption)
    for name, update in found.updates.items():
        if not update.warning:
            (a, b), (c, d) = update.prior.interval(), update.posterior.interval()
            said.append(
                f"Acceptance of {name}: {update.prior.mean:.2f} ({a:.2f} to {b:.2f}) before, "
                f"{update.posterior.mean:.2f} ({c:.2f} to {d:.2f}) now."
            )
        if update.bands:
            said.append(f"Acceptance of {name} by silence: {bands_in_words(update.bands)}.")
    return said


def _power_sentence(power: Power, size: int) -> str:
    expected = (
        f"{100 * power.expected:.1f} points of retention"
        if power.measure == "retention"
        else f"{power.expected:,.2f} of profit per contact, at the plan's value of those kept"
    )
    return (
        f"To find what the plan expected, {expected}, takes {power.customers:,} customers at this holdout share "
        f"({power.power:.0%} power); here are {size:,}."
    )


def _resumption_sentences(found: LearnedResumption) -> list[str]:
    margin, level = found.margin, f"{found.margin.confidence:.0%}"
    said = [
        f"After {found.days} days the contacted have brought {_range(margin, level)} of margin per customer more than "
        f"the holdout. Had those who had left bought once only, it would be {found.promised_once:+,.2f}; had they gone "
        f"on as before, {found.promised_on:+,.2f}."
    ]
    if not found.fits:
        return [*said, "No resumption from 0 to 1 fits that: the values at stake themselves are off."]
    if not found.informative:
        return [*said, f"Resumption: the data can't tell yet ({level}: {found.low:.2f} to {found.high:.2f})."]
    interval = f"{level}: {found.low:.2f} to {found.high:.2f}"
    return [
        *said,
        f"Resumption: {found.estimate:.2f} ({interval}); the plan assumed {found.assumed:.2f}. Use it with "
        f"--resumption {found.estimate:.2f}, in 'stayworth train' for all values, or in 'stayworth plan'.",
    ]


def pooled_sentences(found: PooledCampaigns) -> list[str]:
    """Return the pooled effect on retention, and the sum of the profits, in sentences."""
    profit = found.profit
    stay = found.effects["retention"]
    pooled, level = stay.effect, f"{stay.effect.confidence:.0%}"
    return [
        f"{found.campaigns} campaigns, weighted by inverse variance (random effects): contacting changes the "
        f"{MEASURES['retention']} by {100 * pooled.difference:+.1f} points ({level}: {100 * pooled.low:+.1f} to "
        f"{100 * pooled.high:+.1f}); between campaigns it varies by {100 * stay.between:.1f} points.",
        f"Together they earned {_range(profit, level)} in their windows, beyond what the contacts cost.",
    ]


def _range(effect: Effect, level: str) -> str:
    return f"{effect.difference:+,.2f} ({level}: {effect.low:+,.2f} to {effect.high:+,.2f})"
