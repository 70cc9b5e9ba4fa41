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
from matplotlib.ticker import NullFormatter

from features.language import current_language, text_direction, translated, translated_in, written
from features.log.findings import WARNING
from serving.campaign.left_alone import left_alone_sentences
from training.campaign.holdout import customers_for
from training.campaign.measurement import MEASURES
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
_STALE_DAYS = 365
_MOST_DOTS = 4_000
_LEAST_MONEY = 0.005
"""What is written as 0.00 is not worth a sentence."""


def sentences(plan: CampaignPlan) -> list[str]:
    """Return the plan in sentences: contacts, cost, profit, and the effect that its holdout can detect."""
    return [*_stale_sentences(plan), *_plan_sentences(plan)]


def _stale_sentences(plan: CampaignPlan) -> list[str]:
    """Warn of a campaign that starts when the scores say nothing any more."""
    days = abs((plan.starts_on - plan.snapshot_date).days)
    if days <= _STALE_DAYS:
        return []
    said = translated(
        "The campaign starts on {start:date}, {n:day|days} from the scores' snapshot, {snapshot:date}: they do not say "
        "who leaves then.",
        start=plan.starts_on,
        n=days,
        snapshot=plan.snapshot_date,
    )
    return [translated(WARNING, sentence=said)]


def _plan_sentences(plan: CampaignPlan) -> list[str]:
    contacted, held_out = len(plan.contacts), plan.n_held_out
    if not contacted + held_out:
        pays = (plan.known.customers["expected_profit"] > 0).any()
        nobody = (
            translated("Treat nobody: the budget or the limits leave room for nobody.")
            if pays
            else translated("Treat nobody: no offer is worth its cost for anybody.")
        )
        return [nobody, *left_alone_sentences(plan)]
    low, high = plan.profit_interval()
    said = [
        translated(
            "Contact {contacted:customer|customers}, hold out {held_out:,} at random, leave {left:,} alone.",
            contacted=contacted,
            held_out=held_out,
            left=len(plan.known.customers) - contacted - held_out,
        ),
        _cost_sentence(plan),
        translated(
            "Expected profit {profit:,.2f} (90%: {low:,.2f} to {high:,.2f}), if the scores and the acceptance rates "
            "are right.",
            profit=plan.expected_profit,
            low=low,
            high=high,
        ),
    ]
    if explorers := len(learning := plan.explorers):
        said.append(
            translated(
                "Of these contacts {explorers:,} are made to learn (purpose: explore), with customers for whom an "
                "offer may pay though it is not expected to; they are expected to earn {profit:,.2f}.",
                explorers=explorers,
                profit=learning["expected_profit"].sum(),
            )
        )
    said += _resumption_sentences(plan)
    if plan.allocation.budget_price >= _LEAST_MONEY:
        said.append(
            translated(
                "One more unit of budget would bring {profit:,.2f} more profit.",
                profit=plan.allocation.budget_price,
            )
        )
    return said + left_alone_sentences(plan) + _experiment_sentences(plan)


def _cost_sentence(plan: CampaignPlan) -> str:
    cost = {"cost": plan.expected_cost, "most": plan.greatest_cost}
    if plan.terms.budget is None:
        return translated("Expected cost {cost:,.2f}; {most:,.2f} if everyone takes the incentive.", **cost)
    return translated(
        "Expected cost {cost:,.2f} of a budget of {budget:,.2f}; {most:,.2f} if everyone takes the incentive.",
        budget=plan.terms.budget,
        **cost,
    )


def _resumption_sentences(plan: CampaignPlan) -> list[str]:
    if plan.resumption is None:
        return []
    once, half, before = (plan.profit_at_resumption(share) for share in RESUMPTIONS)
    return [
        translated(
            "What those who had left do after they come back, no log shows: the same contacts earn {once:,.2f} if they "
            "buy once (resumption 0), {half:,.2f} if they go on at half their old value (0.5), {before:,.2f} if they "
            "go on as before (1). This plan assumes {assumed:g}.",
            once=once,
            half=half,
            before=before,
            assumed=plan.resumption,
        )
    ]


def _experiment_sentences(plan: CampaignPlan) -> list[str]:
    chosen, held_out = len(plan.figures), plan.n_held_out
    if held_out < 2:
        return [translated("Without a holdout, the effect of this campaign can't be measured.")]
    seen, expected = plan.detectable_effect, plan.expected_effect
    said = [
        translated(
            "With {chosen:customer|customers} and a {share:.0%} holdout this campaign can only detect effects of "
            "{seen} or more on the share who stay; the offers are expected to keep {expected}.",
            chosen=chosen,
            share=held_out / chosen,
            seen=_points(seen),
            expected=_points(expected),
        )
    ]
    if 0 < expected < seen:
        needed = customers_for(expected, held_out / chosen, plan.stay_rate, power=plan.terms.power)
        said.append(
            translated(
                "So it will probably not show whether it worked. That would take {needed:customer|customers} at this "
                "share, or a larger holdout (--holdout, --effect).",
                needed=needed,
            )
        )
    if (needed_for_profit := customers_for_profit(plan)) is not None:
        said.append(
            translated(
                "To find the expected profit per contact takes {needed:customer|customers} at this holdout share.",
                needed=needed_for_profit,
            )
        )
    return said


def _points(share: float) -> str:
    points = 100 * share
    digits = 0 if points >= 9.5 else 1
    return translated("{points} points", points=written(points, f".{digits}f"))


def render_summary(plan: CampaignPlan) -> str:
    """Return the one-page HTML summary, with its pictures inside."""
    context: dict[str, Any] = {
        "plan": plan,
        "covers": _covers(plan),
        "sentences": sentences(plan),
        "offers": _offer_rows(plan),
        "resumptions": by_resumption(plan) if len(plan.contacts) else [],
        "figures": [],
        "ranges": [],
    }
    if len(plan.contacts):
        context["ranges"] = [_range_sentence(each) for each in same_list(plan)]
        context["figures"] = [
            (translated("Customers chosen"), svg(lambda: risk_value_map(plan))),
            (translated("Profit at other budgets"), svg(lambda: profit_figure(plan))),
            (
                translated("Sensitivity of the expected profit"),
                svg(lambda: tornado_figure(tornado(plan), plan.expected_profit)),
            ),
        ]
    return render_page("campaign.html", context)


def render_page(template: str, context: dict[str, Any]) -> str:
    """Return a page of a campaign in the chosen language."""
    environment = Environment(
        loader=PackageLoader("serving.campaign"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["money"] = lambda amount: written(amount, ",.2f")
    environment.filters["count"] = lambda amount: written(amount, ",")
    environment.globals.update(
        translated=translated,
        translated_in=translated_in,
        language=current_language(),
        direction=text_direction(),
    )
    return environment.get_template(template).render(context)


def _covers(plan: CampaignPlan) -> str:
    """Say which scores the plan is made from, and what it is judged by."""
    measured = translated(MEASURES[plan.terms.primary_measure])
    known = {"day": plan.snapshot_date, "measure": measured, "days": plan.horizon_days}
    if version := plan.known.customers["model_version"].iloc[0]:
        return translated(
            "Scores of {day:date}, model version {version:digits}; judged by the {measure} over {days:day|days}",
            version=version,
            **known,
        )
    return translated("Scores of {day:date}; judged by the {measure} over {days:day|days}", **known)


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
    return written([_band_in_words(band) for band in bands])


def _band_in_words(band: AcceptanceBand) -> str:
    if band.harmful:
        return translated(
            "{mean:.2f} from day {day:g} (drives customers away)", mean=band.mean, day=band.from_days
        )
    return translated("{mean:.2f} from day {day:g}", mean=band.mean, day=band.from_days)


def _acceptance_in_words(offer: Offer) -> str:
    if offer.acceptance_by_silence:
        return bands_in_words(offer.acceptance_by_silence)
    if not isinstance(offer.acceptance_rate, BetaPrior):
        return written(offer.acceptance, ".2f")
    low, high = offer.acceptance_rate.interval()
    return translated("{mean:.2f} ({low:.2f} to {high:.2f})", mean=offer.acceptance, low=low, high=high)


def _range_sentence(same: SameList) -> str:
    if same.low <= 0 and same.high >= 1:
        return translated("{offer}: the list stays the same whatever its acceptance.", offer=same.offer)
    return translated(
        "{offer}: the list stays the same for acceptance between {low:.2f} and {high:.2f}.",
        offer=same.offer,
        low=same.low,
        high=same.high,
    )


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
    axes.plot(plan.expected_cost, plan.expected_profit, "o", color=COLOURS[1], markersize=9)
    axes.annotate(
        translated("this plan"),
        (plan.expected_cost, plan.expected_profit),
        xytext=(10, -16),
        textcoords="offset points",
    )
    axes.set(xlabel=translated("expected cost of the contacts"), ylabel=translated("expected profit"))
    axes.set(xlim=(0, None), ylim=(None if plan.expected_profit < 0 else 0, None))
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
        shape = (
            ",.0f" if high - low >= 5 else ",.2f"
        )  # ticks of little money would all be rounded to the same
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
