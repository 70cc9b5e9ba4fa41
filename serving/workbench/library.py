"""Offers of past campaigns, with what was measured of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from features.language import translated
from serving.store.campaign_changes import DRAWN
from serving.store.campaigns import Campaigns
from training.offers.offers import Offer


@dataclass(frozen=True)
class PastOffer:
    """An offer as it is known after a campaign, the campaign's name, and what was learnt in words."""

    offer: Offer
    campaign: str
    learnt: str


def library(campaigns: Campaigns) -> list[PastOffer]:
    """Return the offers of drawn campaigns: of each name the newest that was measured, else the newest."""
    found: dict[str, PastOffer] = {}
    drawn = [each for each in campaigns.all() if each.state in DRAWN and each.record]
    for campaign in sorted(drawn, key=lambda each: each.findings is None):  # the measured ones first
        known = (campaign.findings or campaign.record or {}).get("offers", ())
        for each in known:
            offer = Offer.model_validate(each)
            learnt = _learnt(offer.name, campaign.findings)
            found.setdefault(offer.name, PastOffer(offer, campaign.name, learnt))
    return list(found.values())


def _learnt(name: str, findings: Mapping[str, Any] | None) -> str:
    if not findings:
        return translated("Not measured yet.")
    update = findings["record"]["acceptance"].get(name)
    if update is None or update["warning"]:
        return translated("Measured; its acceptance could not be told.")
    before, after = (
        rate["alpha"] / (rate["alpha"] + rate["beta"]) for rate in (update["before"], update["after"])
    )
    return translated("Acceptance {before:.0%} before, {after:.0%} as measured.", before=before, after=after)
