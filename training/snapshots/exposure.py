"""Exposure to past campaigns: contacted customers are left out of the labels that the churn model learns from.

The model predicts who leaves *without a campaign*. With the labels of customers who stayed because of an offer, it
would learn that such customers stay, the next plan would leave them out, and they would leave. So contacted customers
are removed while the offer may still have an effect; the held-out customers remain: they were drawn at random and not
contacted, and now represent the contacted.

Removing rows does not bias the model, because a plan chooses by what is known at the snapshot (risk, value) and at
random: given the features, the remaining customers churn as the removed ones would have. Only the mix of customers
changes, and where a plan contacts all but the holdout, the holdout is what remains to learn from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from training.campaign.assignment import Assignment
from training.snapshots.dataset import LabelledSnapshot


def effect_period(assignment: Assignment) -> tuple[date, date]:
    """Return the days on which an order can be due to the campaign: one churn window from its start.

    Returns
    -------
    first day, first day after
    """
    start = assignment.record.starts_on
    return start, start + timedelta(days=assignment.record.horizon_days)


def without_contacted(
    rows: Sequence[LabelledSnapshot], assignments: Iterable[Assignment]
) -> list[LabelledSnapshot]:
    """Leave out the customers whose label a campaign may have changed.

    At each snapshot whose churn window overlaps the effect period of a campaign, the customers whom that campaign
    contacted are removed. What they bought before stays in everybody's features and in BG/NBD's parameters.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot
    assignments : iterable of Assignment, one per campaign

    Returns
    -------
    list of LabelledSnapshot
        In the same order; a snapshot whose customers were all contacted is left out.
    """
    campaigns = [(*effect_period(each), each.contacted()) for each in assignments]
    kept = []
    for row in rows:
        exposed: set[str] = set()
        for opens, closes, contacted in campaigns:
            if opens < row.window.closes and row.window.opens < closes:
                exposed |= contacted
        keep = ~row.table["customer_id"].isin(list(exposed)).to_numpy()
        if keep.all():
            kept.append(row)
        elif keep.any():
            kept.append(row.part(keep))
    return kept


def left_out(rows: Sequence[LabelledSnapshot], kept: Sequence[LabelledSnapshot]) -> int:
    """Count the labelled rows that :func:`without_contacted` removed."""
    return sum(len(row.table) for row in rows) - sum(len(row.table) for row in kept)
