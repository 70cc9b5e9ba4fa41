"""What a campaign did on one HTML page, which opens offline: for those who do not read tables of effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from features.language import translated, translated_in, written
from serving.campaign.measured import interval_level, measured_sentences, range_in_words
from serving.campaign.pictures import COLOURS, GREY, INK, canvas, svg
from serving.campaign.summary import render_page
from training.campaign.effect import Effect
from training.campaign.measurement import Measurement
from training.campaign.verdict import MEASURES

EVERYONE = "all"


@dataclass(frozen=True)
class Part:
    """The effects on one group of customers."""

    title: str
    rows: list[list[str]]
    sizes: str


def measured_page(found: Measurement) -> str:
    """Return the page, in the chosen language."""
    groups = list(dict.fromkeys(group for group, _ in found.effects))
    context: dict[str, Any] = {
        "found": found,
        "covers": translated(
            "{start:date} to {end:date}, exclusive; judged by the {measure}",
            start=found.start,
            end=found.end,
            measure=translated(MEASURES[found.primary_measure]),
        ),
        "tiles": _tiles(found),
        "sentences": measured_sentences(found),
        "level": interval_level(found),
        "parts": [_part(group, found) for group in groups],
        "figure": svg(lambda: profit_by_group(found)),
    }
    return render_page("measured.html", context)


def _tiles(found: Measurement) -> list[tuple[str, str]]:
    effect, profit = found.effects[EVERYONE, "retention"], found.incremental_profit
    return [
        (written(effect.n_contacted, ","), translated("contacted")),
        (written(effect.n_holdout, ","), translated("held out at random")),
        (
            translated("{points:+.1f} points", points=100 * effect.difference),
            translated(MEASURES["retention"]),
        ),
        (written(found.cost, ",.2f"), translated("cost of the contacts")),
        (
            written(found.measured_profit.difference, "+,.2f"),
            translated("measured profit, at the plan's value of those kept"),
        ),
        (written(profit.difference, "+,.2f"), translated("margin that came in meanwhile, beyond their cost")),
    ]


def _part(group: str, found: Measurement) -> Part:
    effects = {name: effect for (of, name), effect in found.effects.items() if of == group}
    rows = [
        [
            translated(MEASURES[name]),
            *(_number(name, each) for each in (e.contacted, e.holdout)),
            *_difference(name, e),
        ]
        for name, e in effects.items()
    ]
    sizes = next(iter(effects.values()))
    return Part(
        group_in_words(group),
        rows,
        translated(
            "{contacted:,} contacted, {held_out:,} held out.",
            contacted=sizes.n_contacted,
            held_out=sizes.n_holdout,
        ),
    )


def _number(measure: str, value: float) -> str:
    return written(value, ".1%") if measure == "retention" else written(value, ",.2f")


def _difference(measure: str, effect: Effect) -> tuple[str, str]:
    """Write a difference and its interval, that of shares in points: per cent of a share would be another number."""
    if measure != "retention":
        return _number(measure, effect.difference), range_in_words(effect)
    low, high = (written(100 * end, "+.1f") for end in (effect.low, effect.high))
    points = translated("{points:+.1f} points", points=100 * effect.difference)
    return points, translated("{low} to {high}", low=low, high=high)


def group_in_words(group: str) -> str:
    """Return the name of a group of a measurement.

    Examples
    --------
    >>> group_in_words("all"), group_in_words("offer 10% voucher"), group_in_words("tier vip")
    ('All customers', 'Offer: 10% voucher', 'Tier: vip')
    """
    kind, _, name = group.partition(" ")
    if group == EVERYONE:
        return translated("All customers")
    if kind == "offer":
        return translated("Offer: {name}", name=name)
    return translated("Tier: {name}", name=translated_in("value", name))


def profit_by_group(found: Measurement) -> Figure:
    """Draw the profit per customer of each group with its interval."""
    effects = {group: effect for (group, name), effect in found.effects.items() if name == "profit"}
    figure, axes = canvas(height=0.9 + 0.42 * len(effects))
    for row, effect in enumerate(reversed(effects.values())):
        axes.plot([effect.low, effect.high], [row, row], color=GREY, linewidth=5, solid_capstyle="round")
        axes.plot(effect.difference, row, "o", color=COLOURS[0], markersize=8)
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_ylim(-0.6, len(effects) - 0.4)  # the first and the last stand clear of the frame
    axes.set_yticks(range(len(effects)), [group_in_words(group) for group in reversed(effects)])
    axes.set_xlabel(translated(MEASURES["profit"]))
    axes.xaxis.set_major_formatter(lambda amount, _: written(amount, ",g"))
    return figure
