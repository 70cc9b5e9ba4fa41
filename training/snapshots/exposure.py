"""Who was under the influence of a campaign, and must not teach the churn model.

The model says who leaves *if left alone*. A customer who stayed because of an offer would teach it that customers
like them stay, the next plan would leave them out, and they would leave. So the labels of the contacted are not
learnt from while the offer may still be at work; the holdout stays: it was drawn by lot, was left alone, and now
stands for the contacted.

Leaving rows out is safe because a plan chooses by what is known at the snapshot (risk, value), and by lot: given a
customer's features, the rows that are left churn as the removed ones would have. Only their mix changes, towards
customers the plan did not want; within the features of those it did want, the holdout is what is left to learn from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from training.campaign.assignment import Assignment
from training.snapshots.dataset import LabelledSnapshot


def effect_period(assignment: Assignment) -> tuple[date, date]:
    """Return the days in which an order can be the campaign's doing: from its start, one churn window long.

    Returns
    -------
    first day, first day after
    """
    return assignment.starts_on, assignment.starts_on + timedelta(days=assignment.horizon_days)


def without_contacted(
    rows: Sequence[LabelledSnapshot], assignments: Iterable[Assignment]
) -> list[LabelledSnapshot]:
    """Leave out the customers whose label a campaign may have made.

    At each snapshot whose churn window overlaps the effect period of a campaign, the customers whom that campaign
    contacted are removed. What they bought before stays in everybody's features and in BG/NBD's parameters.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot
    assignments : iterable of Assignment, one a campaign

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
            table, after = row.table[keep], row.outcomes[keep]
            kept.append(
                replace(row, table=table.reset_index(drop=True), outcomes=after.reset_index(drop=True))
            )
    return kept


def left_out(rows: Sequence[LabelledSnapshot], kept: Sequence[LabelledSnapshot]) -> int:
    """Count the labelled rows that :func:`without_contacted` removed."""
    return sum(len(row.table) for row in rows) - sum(len(row.table) for row in kept)
