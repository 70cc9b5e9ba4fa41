"""The pictures of a campaign's pages: who is chosen, profit at other budgets, and what it hangs on."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from features.language import text_direction, translated, written
from training.campaign.alternatives import as_it_is, budget_curve
from training.campaign.plan import CampaignPlan
from training.campaign.sensitivity import Swing

INK, GREY, COLOURS = "#22313f", "#c3c9cf", ("#1f6f8b", "#d1742f", "#5b8c3e", "#8a4f9e", "#b3403a")
_MOST_DOTS = 4_000


def risk_value_map(plan: CampaignPlan) -> Figure:
    """Draw every customer by risk and value at stake, those chosen in their offer's colour."""
    figure, axes = canvas()
    customers = plan.customers[plan.customers["value_at_stake"] > 0]
    step = max(1, math.ceil(len(customers) / _MOST_DOTS))
    some = customers.iloc[::step]
    groups = [(translated("not chosen"), some["offer"] == "", GREY)]
    groups += [
        (offer.name, some["offer"] == offer.name, COLOURS[k % len(COLOURS)])
        for k, offer in enumerate(plan.offers)
    ]
    for label, rows, colour in groups:
        part = some[rows]
        if len(part):
            dots = {"s": 9, "linewidths": 0, "alpha": 0.65, "rasterized": True}
            axes.scatter(part["churn_probability"], part["value_at_stake"], color=colour, label=label, **dots)
    held = some[some["held_out"]]
    axes.scatter(
        held["churn_probability"], held["value_at_stake"], s=16, facecolors="none", edgecolors=INK,
        linewidths=0.6, label=translated("held out"), rasterized=True,
    )  # fmt: skip
    axes.set(
        yscale="log", xlim=(0, 1), xlabel=translated("churn probability"), ylabel=translated("value at stake")
    )
    axes.xaxis.set_major_formatter(lambda share, _: written(share, ".1f"))
    axes.yaxis.set_major_formatter(lambda amount, _: written(amount, ",g"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.14), ncols=4, frameon=False, markerscale=1.5)
    return figure


def profit_figure(plan: CampaignPlan) -> Figure:
    """Draw expected profit against expected cost, with the chosen point."""
    figure, axes = canvas()
    cost, profit = budget_curve(plan)
    axes.plot(cost, profit, color=COLOURS[0], linewidth=2)
    itself = as_it_is(plan)
    axes.plot(itself.cost, itself.profit, "o", color=COLOURS[1], markersize=9)
    axes.annotate(
        translated("this plan"),
        (itself.cost, itself.profit),
        xytext=(10, -16),
        textcoords="offset points",
    )
    axes.set(xlabel=translated("expected cost of the contacts"), ylabel=translated("expected profit"))
    axes.set(xlim=(0, None), ylim=(None if itself.profit < 0 else 0, None))
    _thousands(axes)
    return figure


def tornado_figure(swings: list[Swing], profit: float) -> Figure:
    """Draw how far each assumption moves the expected profit of the list."""
    figure, axes = canvas(height=0.9 + 0.38 * len(swings))
    for row, swing in enumerate(reversed(swings)):
        for end, colour in ((swing.low_profit, COLOURS[1]), (swing.high_profit, COLOURS[0])):
            axes.barh(row, end - profit, left=profit, color=colour, height=0.62)
    axes.axvline(profit, color=INK, linewidth=1)
    axes.set_yticks(np.arange(len(swings)), [swing.assumption for swing in reversed(swings)])
    axes.set_xlabel(translated("expected profit of this list"))
    axes.locator_params(axis="x", nbins=5)
    _thousands(axes, y=False)
    return figure


def _thousands(axes: Any, y: bool = True) -> None:
    for axis in (axes.xaxis, axes.yaxis) if y else (axes.xaxis,):
        low, high = axis.get_view_interval()
        # Ticks of little money would all be rounded to the same.
        shape = ",.0f" if high - low >= 5 else ",.2f"
        axis.set_major_formatter(lambda amount, _, shape=shape: written(amount, shape))


def canvas(height: float = 3.9) -> tuple[Figure, Any]:
    """Return an empty picture of a page and its axes."""
    figure = Figure(figsize=(6.6, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def svg(draw: Callable[[], Figure]) -> Markup:
    """Return a figure as SVG to stand in a page; names in it are drawn, or escaped by matplotlib.

    Where letters join and run from right to left they are written, for the browser to shape: matplotlib cannot.
    A dollar sign in an offer's name is one, and begins no formula.
    """
    text = io.StringIO()
    letters = "path" if text_direction() == "ltr" else "none"
    with rc_context(
        {"svg.hashsalt": "stayworth", "svg.fonttype": letters, "font.size": 9.5, "text.parse_math": False}
    ):
        draw().savefig(text, format="svg", metadata={"Date": None, "Creator": None}, dpi=150)
    return Markup("<svg" + text.getvalue().partition("<svg")[2])
