"""The customers of the newest set in each order that a table shows, made when the set is published.

One statement per order copies what a table is filtered by, sorted: a million customers take seconds, and a page of
them is then read from where it begins, whatever is filtered out.
"""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

from serving.store.tables import rankings, score_sets, scores, tallies

ORDERS = ("value_at_risk", "expected_value", "churn_probability", "last_purchase_date")
"""Columns that customers are ordered by, the highest or latest first."""

BANDS = {"very likely": 0.8, "likely": 0.5, "possible": 0.2, "unlikely": 0.0}
"""Names of ranges of the churn probability, and where each begins."""


def rank(connection: sa.Connection, set_id: int) -> None:
    """Replace the rankings and tallies by those of a set, in the transaction that is open."""
    kind = _kind(connection, set_id)
    connection.execute(sa.delete(rankings))
    connection.execute(sa.delete(tallies))
    for ordered_by in ORDERS:
        column = scores.c[ordered_by]
        place = sa.func.row_number().over(order_by=(column.desc().nulls_last(), scores.c.customer_id))
        rows = sa.select(
            sa.literal(ordered_by), place.label("place"), scores.c.set_id, scores.c.customer_id, *kind
        ).where(scores.c.set_id == set_id)
        names = ("ordered_by", "rank", "set_id", "customer_id", *_KIND)
        connection.execute(sa.insert(rankings).from_select(names, rows.order_by(sa.text("place"))))
    told = sa.select(*kind, scores.c.value_at_risk).where(scores.c.set_id == set_id).subquery()
    parts = [told.c[name] for name in _KIND]
    sums = (sa.func.count(), sa.func.sum(told.c.value_at_risk))
    grouped = sa.select(sa.literal(set_id), *parts, *sums).group_by(*parts)
    summed = ("set_id", *_KIND, "customers", "value_at_risk")
    connection.execute(sa.insert(tallies).from_select(summed, grouped))


_KIND = ("value_tier", "stage", "churn_band", "dormant")


def _kind(connection: sa.Connection, set_id: int) -> tuple[sa.ColumnElement[object], ...]:
    """Return what a customer is told by, as SQL."""
    chosen = sa.select(score_sets.c.snapshot_date, score_sets.c.dormant_after_days)
    head = connection.execute(chosen.where(score_sets.c.id == set_id)).one()
    earliest = head.snapshot_date - timedelta(days=head.dormant_after_days or 0)
    if not head.dormant_after_days:
        earliest = date.min
    last = sa.func.coalesce(scores.c.last_purchase_date, head.snapshot_date)
    band = sa.case(
        *((scores.c.churn_probability >= low, name) for name, low in BANDS.items()), else_="unlikely"
    )
    return scores.c.value_tier, scores.c.stage, band.label("churn_band"), (last < earliest).label("dormant")
