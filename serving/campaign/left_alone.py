"""Sentences of a campaign plan on the customers whom it leaves alone, and why."""

from __future__ import annotations

from datetime import date

from training.campaign.candidates import (
    CONTACTED_BY_RUNNING,
    HELD_OUT_BY_RUNNING,
    LOSS_MAKER,
    STANDING,
)
from training.campaign.plan import CampaignPlan
from training.campaign.running import RunningCampaign
from training.campaign.sensitivity import with_dormant
from training.report.formats import costs_in_words


def left_alone_sentences(plan: CampaignPlan) -> list[str]:
    """Say who was kept out, and why."""
    said, counts = [], plan.not_selected["reason"].value_counts()
    if plan.running:
        names = ", ".join(f"{each.name} (until {_until(each)})" for each in plan.running)
        said.append(
            f"Left alone for campaigns still running, {names}: {counts.get(HELD_OUT_BY_RUNNING, 0):,} held out, "
            f"{counts.get(CONTACTED_BY_RUNNING, 0):,} contacted. Delete the folder of a plan that "
            "was never carried out."
        )
    if standing := counts.get(STANDING, 0):
        said.append(f"Left alone as the standing holdout of all campaigns: {standing:,} customers.")
    said += _loss_maker_sentences(plan)
    if (dormant := with_dormant(plan)) is not None:
        once = dormant.profit_if_once
        hangs = "" if once is None else f" ({once:,.2f} if those who come back buy once)"
        said.append(
            f"Left out: {dormant.customers:,} dormant customers, silent for more than {plan.dormant_after_days} days. "
            f"With them the plan would promise about {dormant.profit:,.2f}{hangs} instead of "
            f"{plan.expected_profit:,.2f}; --dormant contacts them."
        )
    elif not plan.terms.dormant and plan.customers["silent_days"].isna().any():
        said.append(
            "The scored list does not say when customers last bought (last_purchase_date), so the dormant could not be "
            "left out."
        )
    return said


def _loss_maker_sentences(plan: CampaignPlan) -> list[str]:
    """Say of what the values are net, and who costs more than they bring."""
    said = []
    if costs := costs_in_words(plan.costs):
        said.append(f"Values are net of what customers cost: {costs}.")
    left_out = plan.not_selected[plan.not_selected["reason"] == LOSS_MAKER]
    if len(left_out):
        said.append(
            f"Left out: {len(left_out):,} customers who cost more than they bring: "
            f"{left_out['expected_value'].sum():,.2f} in all, and to keep them keeps the loss. --allow-loss-makers "
            "contacts those with whom an offer pays all the same."
        )
    if kept := int((plan.contacted["expected_value"] < 0).sum()):
        said.append(f"Of the contacted {kept:,} cost more than they bring.")
    return said


def _until(campaign: RunningCampaign) -> date:
    return campaign.held_until if campaign.held_out else campaign.closes_on
