"""Exclusions: who must not be contacted by a campaign, and why."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from features.errors import StayworthError
from features.language import translatable, translated
from training.campaign.running import RunningCampaign, standing_holdout
from training.campaign.settings import PlanTerms

HELD_OUT_BY_RUNNING = translatable("held out by a running campaign")
CONTACTED_BY_RUNNING = translatable("contacted by a running campaign")
STANDING = translatable("standing holdout: no campaign contacts them")
NO_SCORE = translatable("no score")
ASKED_NOT_TO = translatable("asked not to be contacted")
DORMANT = translatable("dormant: silent for more than {days:day|days}")
RECENTLY_CONTACTED = translatable("contacted within the last {days:day|days}")
LOSS_MAKER = translatable("costs more than they bring: expected value below 0")


@dataclass(frozen=True)
class LeftAlone:
    """Who must not be contacted, beside those whom the scores and the terms rule out.

    Parameters
    ----------
    suppress : customer ids that asked not to be
    contacts : DataFrame with customer_id and contacted_on, or None
    running : campaigns whose window overlaps that of the plan
    """

    suppress: Collection[str] = ()
    contacts: pd.DataFrame | None = None
    running: Sequence[RunningCampaign] = ()


def exclusions(
    customers: pd.DataFrame, others: LeftAlone, terms: PlanTerms, starts_on: date, dormant_after_days: int
) -> pd.Series:
    """Return the reason why a customer must not be contacted; empty for those who may be."""
    ids = customers["customer_id"]
    reason = pd.Series("", index=customers.index)
    unknown = customers[["churn_probability", "value_at_stake"]].isna().any(axis=1)
    if not terms.dormant:
        reason[customers["silent_days"] > dormant_after_days] = dormant_reason(dormant_after_days)
    if not terms.allow_loss_makers:
        reason[customers["expected_value"] < 0] = LOSS_MAKER
    reason[unknown] = NO_SCORE
    if terms.cooldown_days is not None:
        recent = _recently_contacted(others.contacts, starts_on - timedelta(days=terms.cooldown_days))
        reason[ids.isin(recent)] = _of_days(RECENTLY_CONTACTED, terms.cooldown_days)
    for campaign in others.running:
        if not terms.recontact:
            reason[ids.isin(campaign.contacted)] = CONTACTED_BY_RUNNING
    for campaign in others.running:
        reason[ids.isin(campaign.held_out)] = HELD_OUT_BY_RUNNING
    if terms.standing_holdout:
        reason[standing_holdout(ids, terms.standing_holdout, terms.standing_seed)] = STANDING
    reason[ids.isin(set(map(str, others.suppress)))] = ASKED_NOT_TO
    return reason


def dormant_reason(dormant_after_days: int) -> str:
    """Return why the dormant are not contacted."""
    return _of_days(DORMANT, dormant_after_days)


def reason_in_words(reason: str) -> str:
    """Say in the chosen language why a customer is not contacted; reasons are kept in English.

    Examples
    --------
    >>> reason_in_words(dormant_reason(180))
    'dormant: silent for more than 180 days'
    """
    days = re.search(r"(\d+) days?", reason)
    if days is None:
        return translated(reason)
    return translated(reason.replace(days[0], "{days:day|days}"), days=int(days[1]))


def _of_days(reason: str, days: int) -> str:
    """Fill in a reason in English, as it is kept."""
    return reason.replace("{days:day|days}", f"{days} {'day' if days == 1 else 'days'}")


def _recently_contacted(contacts: pd.DataFrame | None, since: date) -> set[str]:
    if contacts is None:
        raise StayworthError(translated("--cooldown-days needs the past contacts: give --contacts past.csv."))
    days = pd.to_datetime(contacts["contacted_on"], errors="coerce").dt.date
    if days.isna().any():
        raise StayworthError(
            translated(
                "{value} dates in contacted_on can't be read. Write them as YYYY-MM-DD.",
                value=int(days.isna().sum()),
            )
        )
    return set(contacts.loc[days > since, "customer_id"].astype(str))
