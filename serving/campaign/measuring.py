"""A campaign measured on a log of orders, whether a folder or the store has kept its draw."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.language import translated
from features.log.currencies import same_currency
from features.log.findings import Finding
from features.log.matching import match_ids, require_match
from features.log.transactions import TransactionLog
from serving.campaign.customer_files import CustomerFiles
from serving.campaign.meant_rows import REDEEMED
from serving.store.campaign import Campaign
from serving.store.campaign_changes import PLANNED
from training.campaign.assignment import Assignment
from training.campaign.coverage import require_both_groups
from training.campaign.measurement import Measurement, measure
from training.campaign.measurement_record import MeasurementRecord
from training.campaign.settings import MeasureTerms


def other_currency(assignment: Assignment, orders: TransactionLog) -> list[Finding]:
    """Find a log in another currency than the scores of a campaign, whose costs and expectations are in it."""
    mine, theirs = assignment.record.currency, orders.currency
    if mine is None or theirs is None or same_currency(mine, theirs):
        return []
    return [
        Finding(
            "other-currency",
            translated(
                "The amounts of the log are in {theirs}, the scores and costs of the campaign are in {mine}: what it "
                "earned and what it cost cannot be compared. Give the log in {mine}.",
                theirs=theirs,
                mine=mine,
            ),
            fatal=True,
        )
    ]


def measured(
    assignment: Assignment,
    orders: TransactionLog,
    terms: MeasureTerms,
    *,
    redeemed: Path | None = None,
    loosely: bool = False,
    allow_unmatched: bool | None = False,
    flag: str = "--loose-ids",
) -> tuple[Measurement, list[str]]:
    """Compare contacted and held-out customers, and return sentences on ids that do not match.

    Parameters
    ----------
    assignment : Assignment
    orders : TransactionLog
    terms : MeasureTerms
    redeemed : Path, optional
        Table of the customers who took the incentive.
    loosely, allow_unmatched, flag : as in `features.log.matching`

    Raises
    ------
    StayworthError
        If ids would name customers if they were written otherwise, a group is not in the log, or the log does not
        cover the campaign.
    """
    customers = assignment.customers["customer_id"]
    files = CustomerFiles(customers, translated("the campaign"), loosely, allow_unmatched, flag)
    took = files.ids(redeemed, REDEEMED, all_that_are_meant=True) if redeemed else None
    known = orders.table["customer_id"].unique().to_pylist()
    match = match_ids(customers, known, loosely=loosely)
    said = require_match(
        match,
        translated("customers of the campaign"),
        translated("the log"),
        flag=flag,
        allow_unmatched=allow_unmatched,
        all_that_are_meant=True,  # who is missed would count as one who did not buy
    )
    orders = orders.with_ids({other: each for each, other in match.pairs.items()})
    if not allow_unmatched:
        require_both_groups(assignment, orders)
    return measure(assignment, orders, terms, redeemed=took), [*files.report, *said]


def never_sent(campaign: Campaign) -> list[str]:
    """Warn of a campaign that nobody has said to be sent: if it was not carried out, its effect is none."""
    if campaign.state != PLANNED:
        return []
    return [
        translated(
            "Nobody had said that this campaign was sent when it was measured. If it was not carried out, the numbers "
            "are of chance alone."
        )
    ]


def findings_of(found: Measurement) -> Mapping[str, Any]:
    """Return what was measured in JSON's types: the record, all effects, and the offers as they are known now."""
    return {
        "record": MeasurementRecord.of(found).to_dict(),
        "effects": found.table().to_dict("records"),
        "offers": [offer.model_dump(mode="json", exclude_none=True) for offer in found.offers],
    }
