"""The card of a customer who calls: what they bought last and usually buy, how they are doing, and what to offer.

Its values are plain (text, numbers, None, lists; dates in ISO form), and what it tells is said in sentences too, in the
chosen language (`features.language`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median
from typing import Any

import pyarrow as pa

from features.errors import StayworthError
from features.language import translated, translated_in
from features.log.clock import tomorrow
from features.log.columns import text
from features.snapshot import Snapshot
from serving.explanation.recommendation import Recommendation, price_offers
from serving.scorer import Scorer
from training.offers.offers import Offer, require_own_names

SHOWN_ORDERS = 5
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
class CallerCard:
    """A customer at a glance.

    Parameters
    ----------
    tier, stage : str
    complaints, debt : Complaints and Debt, or None where nothing was sent to tell them by
    recommended_offer, expected_profit : str and float, or None: offer nothing
    sentences : list of str
        All of it in words, what matters first.
    notes : list of str
        As in `ScoredList.notes`.
    """

    customer_id: str
    snapshot_date: str
    model_version: str
    tier: str
    stage: str
    expected_value: float
    churn_probability: float
    value_at_risk: float
    last_orders: list[Order]
    usual_order: UsualOrder
    rhythm: Rhythm
    complaints: Complaints | None
    debt: Debt | None
    recommended_offer: str | None
    expected_profit: float | None
    sentences: list[str]
    notes: list[str]


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


@dataclass(frozen=True)
class KnownOfCustomer:
    """What is known of a customer besides the orders; None: nothing was sent."""

    touches: Sequence[Touch] | None = None
    invoices: Sequence[Invoice] | None = None
    offers: Sequence[Offer] = field(default=())


def caller_card(
    scorer: Scorer, rows: pa.Table, snapshot: Snapshot | None = None, known: KnownOfCustomer | None = None
) -> CallerCard:
    """Describe one customer to whoever talks to them.

    Parameters
    ----------
    scorer : Scorer
    rows : pyarrow.Table
        The customer's orders, in the columns of the log contract.
    snapshot : Snapshot
        By default tomorrow, so that today's orders count.
    known : KnownOfCustomer

    Raises
    ------
    StayworthError
        If the rows are of several customers, the customer cannot be scored (with the reason), or two offers share a
        name; as `Scorer.score_customers` if the rows cannot be used or the snapshot lies ahead.
    """
    known = known or KnownOfCustomer()
    require_own_names(known.offers)
    log = scorer.request_log(rows)
    customers = len(text(rows["customer_id"]).drop_null().unique())
    if customers != 1:
        raise StayworthError(f"The rows are of {customers:,} customers. Send those of one.")
    day = snapshot or tomorrow(log.report.timezone)
    scored = scorer.score_log(log, day, threads=1)
    if not len(scored.columns["customer_id"]):
        raise StayworthError(f"The customer cannot be scored: {scored.unscored['reason'].iloc[0]}.")
    score = {name: column[0] for name, column in scored.columns.items()}
    (offered,) = price_offers(scored.columns, known.offers)
    orders = _orders(log.table, day.date)
    complaints = None if known.touches is None else _complaints(known.touches, day.date)
    debt = None if known.invoices is None else _debt(known.invoices, day.date)
    recommended, profit = _offer(offered, debt)
    rhythm, usual = _rhythm(orders, day.date, score["next_purchase_date"]), _usual(orders)
    days = scorer.model.terms.value_horizon_days
    return CallerCard(
        customer_id=str(score["customer_id"]),
        snapshot_date=day.date.isoformat(),
        model_version=scorer.version,
        tier=str(score["value_tier"]),
        stage=str(score["stage"]),
        **{name: float(score[name]) for name in ("expected_value", "churn_probability", "value_at_risk")},
        last_orders=orders[:SHOWN_ORDERS],
        usual_order=usual,
        rhythm=rhythm,
        complaints=complaints,
        debt=debt,
        recommended_offer=recommended,
        expected_profit=profit,
        sentences=[
            _who(score, days),
            *_troubles(complaints, debt),
            _last(orders[0]),
            _usually(usual),
            _rhythm_in_words(rhythm, str(score["stage"])),
            *(_offer_in_words(recommended, profit, score, debt) if known.offers else ()),
        ],
        notes=list(scorer.notes(log)),
    )


def _orders(table: pa.Table, day: date) -> list[Order]:
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


def _usual(orders: Sequence[Order]) -> UsualOrder:
    """Return the products ordered together most often, of several the ones ordered last."""
    counts = Counter(tuple(order.products) for order in orders if order.products)
    products, times = max(counts.items(), key=lambda pair: pair[1], default=((), 0))
    alike = [order.amount for order in orders if not products or tuple(order.products) == products]
    return UsualOrder(list(products), times, float(median(alike)))


def _rhythm(orders: Sequence[Order], day: date, expected: date | None) -> Rhythm:
    days = sorted({date.fromisoformat(order.ordered_on) for order in orders})
    gaps = len(days) - 1
    return Rhythm(
        purchase_days=len(days),
        days_since_last_purchase=(day - days[-1]).days,
        mean_gap_days=(days[-1] - days[0]).days / gaps if gaps else None,
        next_purchase_date=None if expected is None else expected.isoformat(),
    )


def _complaints(touches: Sequence[Touch], day: date) -> Complaints:
    since = day - timedelta(days=COMPLAINT_DAYS)
    days = [
        touch.occurred_at
        for touch in touches
        if touch.touchpoint.casefold() == COMPLAINT and since <= touch.occurred_at < day
    ]
    return Complaints(len(days), max(days).isoformat() if days else None)


def _debt(invoices: Sequence[Invoice], day: date) -> Debt:
    overdue = [each for each in invoices if each.due_at < day and each.open_at(day) > 0]
    if not overdue:
        return Debt(0.0, 0)
    oldest = min(each.due_at for each in overdue)
    return Debt(round(sum(each.open_at(day) for each in overdue), 2), (day - oldest).days)


def _offer(offered: Recommendation, debt: Debt | None) -> tuple[str | None, float | None]:
    """Return the best offer and its profit; who owes what is overdue is offered nothing."""
    if offered.recommended_offer is None or (debt and debt.overdue_amount):
        return None, None
    price = next(each for each in offered.offers if each.offer == offered.recommended_offer)
    return price.offer, price.expected_profit


def _who(score: dict[str, Any], days: int) -> str:
    return translated(
        "Tier {tier}, stage {stage}: expected to bring {value:,.2f} in {days:span}; probability of leaving {p:.0%}.",
        tier=translated_in("value", str(score["value_tier"])),
        stage=translated_in("value", str(score["stage"])),
        value=float(score["expected_value"]),
        days=days,
        p=float(score["churn_probability"]),
    )


def _troubles(complaints: Complaints | None, debt: Debt | None) -> list[str]:
    said = []
    if complaints and complaints.last_on:
        said.append(
            translated(
                "Complained {n:time|times} in {days:day|days}, last on {day:date}.",
                n=complaints.number,
                days=COMPLAINT_DAYS,
                day=complaints.last_on,
            )
        )
    elif complaints:
        said.append(translated("No complaint in {days:day|days}.", days=COMPLAINT_DAYS))
    if debt and debt.overdue_amount:
        said.append(
            translated(
                "Owes {amount:,.2f}, overdue for {days:day|days}.",
                amount=debt.overdue_amount,
                days=debt.overdue_days,
            )
        )
    elif debt:
        said.append(translated("Owes nothing that is overdue."))
    return said


def _last(order: Order) -> str:
    if order.products:
        return translated(
            "Last order on {day:date}: {products}, for {amount:,.2f}.",
            day=order.ordered_on,
            products=order.products,
            amount=order.amount,
        )
    return translated(
        "Last order on {day:date}, for {amount:,.2f}.", day=order.ordered_on, amount=order.amount
    )


def _usually(usual: UsualOrder) -> str:
    if usual.products:
        return translated(
            "Usual order: {products}, {n:time|times} so far, for {amount:,.2f}.",
            products=usual.products,
            n=usual.times,
            amount=usual.amount,
        )
    return translated("A usual order is of {amount:,.2f}.", amount=usual.amount)


def _rhythm_in_words(rhythm: Rhythm, stage: str) -> str:
    if rhythm.mean_gap_days is None:
        return translated(
            "Bought on one day so far, {days:day|days} ago.", days=rhythm.days_since_last_purchase
        )
    late = stage in ("lapsing", "lapsed")
    sentence = (
        translated(
            "Buys every {gap:span}; the last purchase was {days:day|days} ago: overdue.",
            gap=rhythm.mean_gap_days,
            days=rhythm.days_since_last_purchase,
        )
        if late
        else translated(
            "Buys every {gap:span}; the last purchase was {days:day|days} ago.",
            gap=rhythm.mean_gap_days,
            days=rhythm.days_since_last_purchase,
        )
    )
    return sentence


def _offer_in_words(
    offer: str | None, profit: float | None, score: dict[str, Any], debt: Debt | None
) -> list[str]:
    if offer is not None:
        return [translated("Offer {offer}: expected to earn {profit:,.2f}.", offer=offer, profit=profit)]
    if debt and debt.overdue_amount:
        return [translated("Offer nothing before the debt is paid.")]
    if score["expected_value"] < 0:
        return [translated("Offer nothing: they cost more than they bring.")]
    return [translated("Offer nothing: no offer would pay.")]
