"""Summary of a campaign plan: a page of HTML with its pictures inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from features.language import current_language, text_direction, translated, translated_in, written
from serving.campaign.pictures import profit_figure, risk_value_map, svg, tornado_figure
from serving.campaign.plan_sentences import sentences
from training.campaign.plan import CampaignPlan
from training.campaign.sensitivity import SameList, by_resumption, same_list, tornado
from training.campaign.verdict import MEASURES
from training.offers.acceptance_band import AcceptanceBand
from training.offers.offers import BetaPrior, Offer


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
