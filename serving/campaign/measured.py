"""Sentences of a measurement: what the command ``measure`` says of a campaign, and of several."""

from __future__ import annotations

from features.language import translated, written
from serving.campaign.summary import bands_in_words
from training.campaign.effect import Effect
from training.campaign.measurement import Measurement
from training.campaign.pooling import PooledCampaigns
from training.campaign.power import Power
from training.campaign.resumption_learning import LearnedResumption
from training.campaign.verdict import MEASURES


def measured_sentences(found: Measurement) -> list[str]:
    """Return the verdict, the money, the power, and what was learnt, in sentences."""
    profit, rate = found.incremental_profit, found.return_on_cost
    money = {"cost": found.cost, "earned": profit.difference, "low": profit.low, "high": profit.high}
    said = [
        found.verdict(),
        translated(
            "In this period the contacts cost {cost:,.2f} and earned {earned:+,.2f} beyond that ({low:+,.2f} to "
            "{high:+,.2f}).",
            **money,
        )
        if rate is None
        else translated(
            "In this period the contacts cost {cost:,.2f} and earned {earned:+,.2f} beyond that ({low:+,.2f} to "
            "{high:+,.2f}), {rate:+.2f} per unit of cost.",
            rate=rate.difference,
            **money,
        ),
        translated(
            "The measured profit is {range}: each customer kept counts at the plan's value, less the cost, as in the "
            "expected profit.",
            range=_range(found.measured_profit),
        ),
    ]
    size = found.primary.n_contacted + found.primary.n_holdout
    said += [_power_sentence(each, size) for each in found.power]
    if found.resumption:
        said += _resumption_sentences(found.resumption)
    for name, update in found.updates.items():
        if not update.warning:
            (a, b), (c, d) = update.prior.interval(), update.posterior.interval()
            said.append(
                translated(
                    "Acceptance of {name}: {was:.2f} ({a:.2f} to {b:.2f}) before, {now:.2f} ({c:.2f} to {d:.2f}) now.",
                    **{"name": name, "was": update.prior.mean, "now": update.posterior.mean},
                    **{"a": a, "b": b, "c": c, "d": d},
                )
            )
        if update.bands:
            said.append(
                translated(
                    "Acceptance of {name} by silence: {bands}.", name=name, bands=bands_in_words(update.bands)
                )
            )
    return said


def _power_sentence(power: Power, size: int) -> str:
    expected = (
        translated("{points:.1f} points of retention", points=100 * power.expected)
        if power.measure == "retention"
        else translated(
            "{profit:,.2f} of profit per contact, at the plan's value of those kept", profit=power.expected
        )
    )
    return translated(
        "To find what the plan expected, {expected}, takes {n:customer|customers} at this holdout share ({power:.0%} "
        "power); here are {size:,}.",
        expected=expected,
        n=power.customers,
        power=power.power,
        size=size,
    )


def _resumption_sentences(found: LearnedResumption) -> list[str]:
    said = [
        translated(
            "After {days:day|days} the contacted have brought {range} of margin per customer more than the "
            "holdout. Had those who had left bought once only, it would be {once:+,.2f}; had they gone on as before, "
            "{on:+,.2f}.",
            days=found.days,
            range=_range(found.margin),
            once=found.promised_once,
            on=found.promised_on,
        )
    ]
    if not found.fits:
        return [
            *said,
            translated("No resumption from 0 to 1 fits that: the values at stake themselves are off."),
        ]
    named = {"level": found.margin.confidence, "low": found.low, "high": found.high}
    if not found.informative:
        return [
            *said,
            translated(
                "Resumption: the data can't tell yet ({level:.0%}: {low:.2f} to {high:.2f}).", **named
            ),
        ]
    return [
        *said,
        translated(
            "Resumption: {estimate:.2f} ({level:.0%}: {low:.2f} to {high:.2f}); the plan assumed {assumed:.2f}. Use it "
            "with {flag}, in 'stayworth train' for all values, or in 'stayworth plan'.",
            estimate=found.estimate,
            assumed=found.assumed,
            flag=f"--resumption {found.estimate:.2f}",
            **named,
        ),
    ]


def pooled_sentences(found: PooledCampaigns) -> list[str]:
    """Return the pooled effect on retention, and the sum of the profits, in sentences."""
    stay = found.effects["retention"]
    pooled = stay.effect
    return [
        translated(
            "{n:campaign|campaigns}, weighted by inverse variance (random effects): contacting changes the {measure} "
            "by {points:+.1f} points ({level:.0%}: {low:+.1f} to {high:+.1f}); between campaigns it varies by "
            "{between:.1f} points.",
            n=found.campaigns,
            measure=translated(MEASURES["retention"]),
            points=100 * pooled.difference,
            level=pooled.confidence,
            low=100 * pooled.low,
            high=100 * pooled.high,
            between=100 * stay.between,
        ),
        translated(
            "Together they earned {range} in their windows, beyond what the contacts cost.",
            range=_range(found.profit, pooled.confidence),
        ),
    ]


def _range(effect: Effect, level: float | None = None) -> str:
    return translated(
        "{difference:+,.2f} ({level:.0%}: {low:+,.2f} to {high:+,.2f})",
        difference=effect.difference,
        level=effect.confidence if level is None else level,
        low=effect.low,
        high=effect.high,
    )


def range_in_words(effect: Effect) -> str:
    """Write an interval without its middle."""
    return translated("{low} to {high}", low=written(effect.low, ",.2f"), high=written(effect.high, ",.2f"))


def interval_level(found: Measurement) -> str:
    """Say how sure the intervals are, and that before the window is over they hold at every look."""
    confidence = found.primary.confidence
    if found.complete:
        return translated("{level:.0%} interval", level=confidence)
    return translated("{level:.0%} interval, at every look", level=confidence)
