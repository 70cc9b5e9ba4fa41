"""The customers of the newest set in each order that a table shows, made when the set is published.

One statement per order copies the ids, sorted by kind and rank: a million customers take seconds, and a page of some
kinds is then read from where it begins in each, whatever is filtered out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import sqlalchemy as sa

from features.customer_groups import STAGES, TIERS
from serving.store.tables import rankings, score_sets, scores, tallies

ORDERS = ("value_at_risk", "expected_value", "churn_probability", "last_purchase_date")
"""Columns that customers are ordered by, the highest or latest first."""

BANDS = {"very likely": 0.8, "likely": 0.5, "possible": 0.2, "unlikely": 0.0}
"""Names of ranges of the churn probability, and where each begins."""


def rank(connection: sa.Connection, set_id: int) -> None:
    """Replace the rankings and tallies by those of a set, in the transaction that is open."""
    connection.execute(sa.delete(rankings))
    connection.execute(sa.delete(tallies))
    told = _told(connection, set_id)
    _tally(connection, set_id, told)
    for ordered_by in ORDERS:
        order = (told.c[ordered_by].desc().nulls_last(), told.c.customer_id)
        place = sa.func.row_number().over(order_by=order).label("place")
        rows = sa.select(
            sa.literal(ordered_by), told.c.kind, place, sa.literal(set_id), told.c.customer_id
        ).order_by(told.c.kind, sa.text("place"))
        names = ("ordered_by", "kind", "rank", "set_id", "customer_id")
        connection.execute(sa.insert(rankings).from_select(names, rows))


def _tally(connection: sa.Connection, set_id: int, told: sa.Subquery) -> None:
    """Count the customers of each kind that there is."""
    kind = [told.c[name] for name in ("kind", *_KIND)]
    sums = (sa.func.count().label("customers"), sa.func.sum(told.c.value_at_risk).label("value_at_risk"))
    counted = connection.execute(sa.select(*kind, *sums).group_by(*kind)).all()
    connection.execute(sa.insert(tallies), [{"set_id": set_id, **row._mapping} for row in counted])


_KIND = ("value_tier", "stage", "churn_band", "dormant")


def _told(connection: sa.Connection, set_id: int) -> sa.Subquery:
    """Return a set's customers with what they are told by and ordered by."""
    chosen = sa.select(score_sets.c.snapshot_date, score_sets.c.dormant_after_days)
    head = connection.execute(chosen.where(score_sets.c.id == set_id)).one()
    earliest = date.min
    if head.dormant_after_days:
        earliest = head.snapshot_date - timedelta(days=head.dormant_after_days)
    last = sa.func.coalesce(scores.c.last_purchase_date, head.snapshot_date)
    band = sa.case(
        *((scores.c.churn_probability >= low, name) for name, low in BANDS.items()), else_="unlikely"
    )
    dormant = last < earliest
    told = (scores.c.value_tier, scores.c.stage, band.label("churn_band"), dormant.label("dormant"))
    kind = _number(scores.c.value_tier, TIERS) * (len(STAGES) + 1) + _number(scores.c.stage, STAGES)
    kind = (kind * len(BANDS) + _number(band, tuple(BANDS))) * 2 + sa.case((dormant, 1), else_=0)
    columns = (scores.c.customer_id, kind.label("kind"), *told, *(scores.c[name] for name in ORDERS))
    return sa.select(*columns).where(scores.c.set_id == set_id).subquery("told")


def _number(value: sa.ColumnElement[str], names: Sequence[str]) -> sa.ColumnElement[int]:
    """Return the place of a value among the known ones, else after them."""
    return sa.case({name: place for place, name in enumerate(names)}, value=value, else_=len(names))
