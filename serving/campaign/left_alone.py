"""Sentences of a campaign plan on the customers whom it leaves alone, and why."""

from __future__ import annotations

from datetime import date

from features.language import translated
from training.campaign.exclusions import CONTACTED_BY_RUNNING, HELD_OUT_BY_RUNNING, STANDING
from training.campaign.plan import CampaignPlan
from training.campaign.running import RunningCampaign
from training.campaign.sensitivity import Dormant, with_dormant
from training.report.formats import costs_in_words


def left_alone_sentences(plan: CampaignPlan) -> list[str]:
    """Say who was kept out, and why."""
    said, counts = [], plan.reasons
    if plan.running:
        names = [
            translated("{name} (until {day:date})", name=each.name, day=_until(each)) for each in plan.running
        ]
        said.append(
            translated(
                "Left alone for campaigns still running, {names}: {held_out:,} held out, {contacted:,} contacted. "
                "Delete the folder of a plan that was never carried out, or withdraw it where the store keeps it.",
                names=names,
                held_out=counts.get(HELD_OUT_BY_RUNNING, 0),
                contacted=counts.get(CONTACTED_BY_RUNNING, 0),
            )
        )
    if standing := counts.get(STANDING, 0):
        said.append(
            translated(
                "Left alone as the standing holdout of all campaigns: {n:customer|customers}.", n=standing
            )
        )
    said += _loss_maker_sentences(plan)
    if (dormant := with_dormant(plan)) is not None:
        said.append(_dormant_sentence(plan, dormant))
    elif not plan.terms.dormant and plan.known.customers["silent_days"].isna().any():
        said.append(
            translated(
                "The scored list does not say when customers last bought (last_purchase_date), so the dormant could "
                "not be left out."
            )
        )
    return said


def _dormant_sentence(plan: CampaignPlan, dormant: Dormant) -> str:
    known = {
        "n": dormant.customers,
        "days": plan.dormant_after_days,
        "profit": dormant.profit,
        "instead": plan.expected_profit,
    }
    if dormant.profit_if_once is None:
        return translated(
            "Left out: {n:dormant customer|dormant customers}, silent for more than {days:day|days}. With them the "
            "plan would promise about {profit:,.2f} instead of {instead:,.2f}; --dormant contacts them.",
            **known,
        )
    return translated(
        "Left out: {n:dormant customer|dormant customers}, silent for more than {days:day|days}. With them the plan "
        "would promise about {profit:,.2f} ({once:,.2f} if those who come back buy once) instead of {instead:,.2f}; "
        "--dormant contacts them.",
        once=dormant.profit_if_once,
        **known,
    )


def _loss_maker_sentences(plan: CampaignPlan) -> list[str]:
    """Say of what the values are net, and who costs more than they bring."""
    said = []
    if costs := costs_in_words(plan.costs):
        said.append(translated("Values are net of what customers cost: {costs}.", costs=costs))
    left_out, their_value = plan.known.loss_makers
    if left_out:
        said.append(
            translated(
                "Left out: {n:customer|customers} who cost more than they bring: {value:,.2f} in all, and to keep "
                "them keeps the loss. --allow-loss-makers contacts those with whom an offer pays all the same.",
                n=left_out,
                value=their_value,
            )
        )
    if kept := int((plan.contacts["expected_value"] < 0).sum()):
        said.append(translated("Of the contacted {kept:,} cost more than they bring.", kept=kept))
    return said


def _until(campaign: RunningCampaign) -> date:
    return campaign.held_until if campaign.held_out else campaign.closes_on
