"""Summary of a campaign plan: the sentences that the command prints, and the one-page HTML summary."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure

from serving.campaign.left_alone import left_alone_sentences
from training.campaign.holdout import customers_for
from training.campaign.plan import CampaignPlan
from training.campaign.power import customers_for_profit
from training.campaign.resumption import RESUMPTIONS
from training.campaign.sensitivity import (
    SameList,
    Swing,
    budget_curve,
    by_resumption,
    same_list,
    tornado,
)
from training.offers.acceptance_band import AcceptanceBand
from training.offers.offers import BetaPrior, Offer

INK, GREY, COLOURS = "#22313f", "#c3c9cf", ("#1f6f8b", "#d1742f", "#5b8c3e", "#8a4f9e", "#b3403a")
_MOST_DOTS = 4_000


def sentences(plan: CampaignPlan) -> list[str]:
    """Return the plan in sentences: contacts, cost, profit, and the effect that its holdout can detect."""
    contacted, held_out = len(plan.contacted), len(plan.held_out)
    if not len(plan.chosen):
        pays = (plan.customers["expected_profit"] > 0).any()
        why = (
            "the budget or the limits leave room for nobody"
            if pays
            else "no offer is worth its cost for anybody"
        )
        return [f"Treat nobody: {why}.", *left_alone_sentences(plan)]
    low, high = plan.profit_interval()
    budget = "" if plan.terms.budget is None else f" of a budget of {plan.terms.budget:,.2f}"
    said = [
        f"Contact {contacted:,} customers, hold out {held_out:,} at random, leave {len(plan.not_selected):,} "
        "alone.",
        f"Expected cost {plan.expected_cost:,.2f}{budget}; {plan.greatest_cost:,.2f} if everyone takes the "
        "incentive.",
        f"Expected profit {plan.expected_profit:,.2f} (90%: {low:,.2f} to {high:,.2f}), if the scores and the "
        "acceptance rates are right.",
    ]
    if explorers := len(plan.explorers):
        said.append(
            f"Of these contacts {explorers:,} are made to learn (purpose: explore), with customers for whom an offer "
            "may pay though it is not expected to; they are expected to earn "
            f"{plan.explorers['expected_profit'].sum():,.2f}."
        )
    said += _resumption_sentences(plan)
    if plan.allocation.budget_price > 0:
        said.append(f"One more unit of budget would bring {plan.allocation.budget_price:,.2f} more profit.")
    return said + left_alone_sentences(plan) + _experiment_sentences(plan)


def _resumption_sentences(plan: CampaignPlan) -> list[str]:
    if plan.resumption is None:
        return []
    once, half, before = (plan.profit_at_resumption(share) for share in RESUMPTIONS)
    return [
        "What those who had left do after they come back, no log shows: the same contacts earn "
        f"{once:,.2f} if they buy once (resumption 0), {half:,.2f} if they go on at half their old value (0.5), "
        f"{before:,.2f} if they go on as before (1). This plan assumes {plan.resumption:g}."
    ]


def _experiment_sentences(plan: CampaignPlan) -> list[str]:
    chosen, held_out = len(plan.chosen), len(plan.held_out)
    if held_out < 2:
        return ["Without a holdout, the effect of this campaign can't be measured."]
    seen, expected = plan.detectable_effect, plan.expected_effect
    said = [
        f"With {chosen:,} customers and a {held_out / chosen:.0%} holdout this campaign can only detect "
        f"effects of {_points(seen)} or more on the share who stay; the offers are expected to keep "
        f"{_points(expected)}."
    ]
    if 0 < expected < seen:
        needed = customers_for(expected, held_out / chosen, plan.stay_rate, power=plan.terms.power)
        said.append(
            f"So it will probably not show whether it worked. That would take {needed:,} customers at this "
            "share, or a larger holdout (--holdout, --effect)."
        )
    if (needed_for_profit := customers_for_profit(plan)) is not None:
        said.append(
            f"To find the expected profit per contact takes {needed_for_profit:,} customers at this holdout share."
        )
    return said


def _points(share: float) -> str:
    points = 100 * share
    digits = 0 if points >= 9.5 else 1
    return f"{points:.{digits}f} points"


def render_summary(plan: CampaignPlan) -> str:
    """Return the one-page HTML summary, with its pictures inside."""
    environment = Environment(
        loader=PackageLoader("serving.campaign"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["money"] = lambda amount: f"{amount:,.2f}"
    context: dict[str, Any] = {
        "plan": plan,
        "snapshot_date": plan.snapshot_date,
        "model_version": plan.customers["model_version"].iloc[0],
        "sentences": sentences(plan),
        "offers": _offer_rows(plan),
        "resumptions": by_resumption(plan) if len(plan.contacted) else [],
        "figures": [],
        "ranges": [],
    }
    if len(plan.contacted):
        context["ranges"] = [_range_sentence(each) for each in same_list(plan)]
        context["figures"] = [
            ("Customers chosen", _svg(lambda: risk_value_map(plan))),
            ("Profit at other budgets", _svg(lambda: profit_figure(plan))),
            (
                "Sensitivity of the expected profit",
                _svg(lambda: tornado_figure(tornado(plan), plan.expected_profit)),
            ),
        ]
    return environment.get_template("campaign.html").render(context)


def _offer_rows(plan: CampaignPlan) -> list[dict[str, Any]]:
    rows = []
    for offer in plan.offers:
        part = plan.contacted[plan.contacted["offer"] == offer.name]
        held = int((plan.held_out["offer"] == offer.name).sum())
        rows.append(
            {
                "name": offer.name,
                "channel": offer.channel,
                "contacted": len(part),
                "held_out": held,
                "cost": float(part["expected_cost"].sum()),
                "profit": float(part["expected_profit"].sum()),
                "acceptance": _acceptance_in_words(offer),
            }
        )
    return rows


def bands_in_words(bands: Sequence[AcceptanceBand]) -> str:
    """Return the acceptance of every band of silence, and where contact probably drives customers away.

    Examples
    --------
    >>> band = AcceptanceBand(from_days=0, mean=0.4, deviation=0.1, probability_negative=0)
    >>> old = band.model_copy(update={"from_days": 60, "mean": -0.1, "probability_negative": 0.9})
    >>> bands_in_words([band, old])
    '0.40 from day 0, -0.10 from day 60 (drives customers away)'
    """
    return ", ".join(
        f"{band.mean:.2f} from day {band.from_days:g}" + (" (drives customers away)" if band.harmful else "")
        for band in bands
    )


def _acceptance_in_words(offer: Offer) -> str:
    if offer.acceptance_by_silence:
        return bands_in_words(offer.acceptance_by_silence)
    prior = offer.acceptance_rate
    spread = "" if not isinstance(prior, BetaPrior) else " ({:.2f} to {:.2f})".format(*prior.interval())
    return f"{offer.acceptance:.2f}{spread}"


def _range_sentence(same: SameList) -> str:
    if same.low <= 0 and same.high >= 1:
        return f"{same.offer}: the list stays the same whatever its acceptance."
    return f"{same.offer}: the list stays the same for acceptance between {same.low:.2f} and {same.high:.2f}."


def risk_value_map(plan: CampaignPlan) -> Figure:
    """Draw every customer by risk and value at stake, those chosen in their offer's colour."""
    figure, axes = _canvas()
    customers = plan.customers[plan.customers["value_at_stake"] > 0]
    step = max(1, math.ceil(len(customers) / _MOST_DOTS))
    some = customers.iloc[::step]
    groups = [("not chosen", some["offer"] == "", GREY)]
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
        linewidths=0.6, label="held out", rasterized=True,
    )  # fmt: skip
    axes.set(yscale="log", xlim=(0, 1), xlabel="churn probability", ylabel="value at stake")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.14), ncols=4, frameon=False, markerscale=1.5)
    return figure


def profit_figure(plan: CampaignPlan) -> Figure:
    """Draw expected profit against expected cost, with the chosen point."""
    figure, axes = _canvas()
    cost, profit = budget_curve(plan)
    axes.plot(cost, profit, color=COLOURS[0], linewidth=2)
    axes.plot(plan.expected_cost, plan.expected_profit, "o", color=COLOURS[1], markersize=9)
    axes.annotate(
        "this plan", (plan.expected_cost, plan.expected_profit), xytext=(10, -16), textcoords="offset points"
    )
    axes.set(xlabel="expected cost of the contacts", ylabel="expected profit", xlim=(0, None), ylim=(0, None))
    _thousands(axes)
    return figure


def tornado_figure(swings: list[Swing], profit: float) -> Figure:
    """Draw how far each assumption moves the expected profit of the list."""
    figure, axes = _canvas(height=0.9 + 0.38 * len(swings))
    for row, swing in enumerate(reversed(swings)):
        for end, colour in ((swing.low_profit, COLOURS[1]), (swing.high_profit, COLOURS[0])):
            axes.barh(row, end - profit, left=profit, color=colour, height=0.62)
    axes.axvline(profit, color=INK, linewidth=1)
    axes.set_yticks(np.arange(len(swings)), [swing.assumption for swing in reversed(swings)])
    axes.set_xlabel("expected profit of this list")
    axes.locator_params(axis="x", nbins=5)
    _thousands(axes, y=False)
    return figure


def _thousands(axes: Any, y: bool = True) -> None:
    for axis in (axes.xaxis, axes.yaxis) if y else (axes.xaxis,):
        axis.set_major_formatter(lambda amount, _: f"{amount:,.0f}")


def _canvas(height: float = 3.9) -> tuple[Figure, Any]:
    figure = Figure(figsize=(6.6, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(draw: Callable[[], Figure]) -> Markup:
    """Return a figure as SVG to stand in a page; names in it are drawn, not written, so need no escaping.

    A dollar sign in an offer's name is one, and begins no formula.
    """
    text = io.StringIO()
    with rc_context({"svg.hashsalt": "stayworth", "font.size": 9.5, "text.parse_math": False}):
        draw().savefig(text, format="svg", metadata={"Date": None, "Creator": None}, dpi=150)
    return Markup("<svg" + text.getvalue().partition("<svg")[2])
