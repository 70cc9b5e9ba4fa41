"""What is known of a customer who calls: orders, rhythm, complaints and debt at a day.

Values are plain: text, numbers, None and lists; dates in ISO form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

import pyarrow as pa

COMPLAINT = "complaint"
COMPLAINT_DAYS = 90


@dataclass(frozen=True)
class Order:
    """One order, or all of a day where the log has no order ids; amounts are before refunds."""

    ordered_on: str
    amount: float
    products: list[str]


@dataclass(frozen=True)
class UsualOrder:
    """What the customer usually orders: the products bought together most often, and the median amount.

    ``times`` is how often these products were ordered; the products are empty where the orders name none.
    """

    products: list[str]
    times: int
    amount: float


@dataclass(frozen=True)
class Rhythm:
    """How often the customer buys; None where it cannot be told yet."""

    purchase_days: int
    days_since_last_purchase: int
    mean_gap_days: float | None
    next_purchase_date: str | None


@dataclass(frozen=True)
class Complaints:
    """Complaints of the last 90 days."""

    number: int
    last_on: str | None


@dataclass(frozen=True)
class Debt:
    """What is owed beyond the day on which it was due."""

    overdue_amount: float
    overdue_days: int


@dataclass(frozen=True)
class Touch:
    """A touch of the customer."""

    occurred_at: date
    touchpoint: str


@dataclass(frozen=True)
class Invoice:
    """An invoice of the customer, as a row of a file of receivables."""

    due_at: date
    amount: float
    issued_at: date | None = None
    paid_at: date | None = None
    paid_amount: float | None = None
    written_off_at: date | None = None

    def open_at(self, day: date) -> float:
        """Return what is open at the start of a day, money."""
        if self.written_off_at is not None and self.written_off_at < day:
            return 0.0
        if self.paid_at is None or self.paid_at >= day:
            return self.amount
        return max(self.amount - (self.amount if self.paid_amount is None else self.paid_amount), 0.0)


def orders_before(table: pa.Table, day: date) -> list[Order]:
    """Return the orders before a day, the newest first."""
    columns = {name: table[name].to_pylist() for name in table.column_names}
    blank = [None] * len(table)
    ids, products = columns.get("order_id", blank), columns.get("product_id", blank)
    found: dict[tuple[date, Any], tuple[int, dict[str, None]]] = {}
    for place, (ordered_on, cents) in enumerate(
        zip(columns["ordered_on"], columns["amount_cents"], strict=True)
    ):
        if ordered_on < day and cents >= 0:
            key = (ordered_on, ids[place] or "")
            total, named = found.get(key, (0, {}))
            if products[place] is not None:
                named[products[place]] = None
            found[key] = (total + cents, named)
    return [
        Order(ordered_on.isoformat(), total / 100, sorted(named))
        for (ordered_on, _), (total, named) in sorted(found.items(), key=lambda item: item[0], reverse=True)
    ]


def usual_order(orders: Sequence[Order]) -> UsualOrder:
    """Return the products ordered together most often, of several the ones ordered last."""
    counts = Counter(tuple(order.products) for order in orders if order.products)
    products, times = max(counts.items(), key=lambda pair: pair[1], default=((), 0))
    alike = [order.amount for order in orders if not products or tuple(order.products) == products]
    return UsualOrder(list(products), times, float(median(alike)))


def rhythm_of(orders: Sequence[Order], day: date, expected: date | None) -> Rhythm:
    """Return how often the customer bought up to a day, and when the next purchase is expected."""
    days = sorted({date.fromisoformat(order.ordered_on) for order in orders})
    gaps = len(days) - 1
    return Rhythm(
        purchase_days=len(days),
        days_since_last_purchase=(day - days[-1]).days,
        mean_gap_days=(days[-1] - days[0]).days / gaps if gaps else None,
        next_purchase_date=None if expected is None else expected.isoformat(),
    )


def recent_complaints(touches: Sequence[Touch], day: date) -> Complaints:
    """Count the complaints of the `COMPLAINT_DAYS` before a day."""
    since = day - timedelta(days=COMPLAINT_DAYS)
    days = [
        touch.occurred_at
        for touch in touches
        if touch.touchpoint.casefold() == COMPLAINT and since <= touch.occurred_at < day
    ]
    return Complaints(len(days), max(days).isoformat() if days else None)


def overdue_debt(invoices: Sequence[Invoice], day: date) -> Debt:
    """Return what is overdue at a day."""
    overdue = [each for each in invoices if each.due_at < day and each.open_at(day) > 0]
    if not overdue:
        return Debt(0.0, 0)
    oldest = min(each.due_at for each in overdue)
    return Debt(round(sum(each.open_at(day) for each in overdue), 2), (day - oldest).days)
