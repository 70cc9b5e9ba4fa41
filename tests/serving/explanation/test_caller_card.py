"""The caller card: what it tells of a customer, in numbers and in words."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date

import pyarrow as pa
import pytest

from features.errors import StayworthError
from features.language import use_language
from features.snapshot import Snapshot
from serving.explanation.caller_card import KnownOfCustomer, caller_card
from serving.explanation.customer_facts import Invoice, Touch
from serving.explanation.recommendation import price_offers
from serving.scorer import Scorer
from training.offers.offers import Offer

JULY = Snapshot(date(1998, 7, 1))
FREE = Offer(name="gift", incentive_cost=0, acceptance_rate=0.3)

# Two lines of one order; the same pizza and cola three times, the last one after the snapshot; a refund.
ORDERS = pa.table(
    {
        "customer_id": ["17"] * 8,
        "ordered_at": [
            *("1998-04-01", "1998-04-01", "1998-05-01", "1998-05-01"),
            *("1998-05-31", "1998-06-20", "1998-06-20", "1998-07-05"),
        ],
        "amount": [12.0, 3.0, 12.0, 4.0, 30.0, 12.0, 3.0, 50.0],
        "product_id": ["pizza", "cola", "cola", "pizza", "lasagne", "pizza", "cola", "lasagne"],
    }
)
REFUND = pa.table(
    {"customer_id": ["17"], "ordered_at": ["1998-06-25"], "amount": [-3.0], "product_id": ["cola"]}
)


def test_the_card_tells_the_orders_the_usual_one_and_the_rhythm(scorer: Scorer) -> None:
    card = caller_card(scorer, pa.concat_tables([ORDERS, REFUND]), JULY)

    assert [(order.ordered_on, order.amount) for order in card.last_orders] == [
        ("1998-06-20", 15.0),
        ("1998-05-31", 30.0),
        ("1998-05-01", 16.0),
        ("1998-04-01", 15.0),
    ]
    assert (card.usual_order.products, card.usual_order.times) == (["cola", "pizza"], 3)
    assert card.usual_order.amount == 15.0  # of 15, 15 and 16
    # 1 April to 20 June are 80 days in 3 gaps; 11 days to the snapshot.
    assert (card.rhythm.purchase_days, card.rhythm.days_since_last_purchase) == (4, 11)
    assert card.rhythm.mean_gap_days == pytest.approx(80 / 3)
    assert (card.complaints, card.debt, card.recommended_offer) == (None, None, None)
    assert card.sentences[1:] == [
        "Last order on 1998-06-20: cola, pizza, for 15.00.",
        "Usual order: cola, pizza, 3 times so far, for 15.00.",
        "Buys every 4 weeks; the last purchase was 11 days ago.",
    ]
    json.dumps(asdict(card), allow_nan=False)


def test_tier_stage_and_numbers_are_those_of_the_score(scorer: Scorer) -> None:
    card = caller_card(scorer, ORDERS, JULY)

    scored = scorer.score_customers(ORDERS, JULY).columns
    assert (card.tier, card.stage) == (scored["value_tier"][0], scored["stage"][0])
    assert card.stage == "loyal"
    for name in ("expected_value", "churn_probability", "value_at_risk"):
        assert getattr(card, name) == scored[name][0]
    assert card.sentences[0].startswith(f"Tier {card.tier}, stage loyal: expected to bring ")


def test_orders_without_products_are_told_by_their_amounts(scorer: Scorer) -> None:
    card = caller_card(scorer, ORDERS.drop_columns("product_id").slice(0, 2), JULY)

    assert card.usual_order.products == []
    assert card.sentences[1:] == [
        "Last order on 1998-04-01, for 15.00.",
        "Half of the orders are of 15.00 or less.",
        "Bought on one day so far, 91 days ago.",
    ]


def test_complaints_and_debts_are_those_known_on_the_day(scorer: Scorer) -> None:
    touches = [
        Touch(date(1998, 6, 20), "Complaint"),
        Touch(date(1998, 4, 2), "complaint"),  # 90 days before
        Touch(date(1998, 4, 1), "complaint"),
        Touch(date(1998, 7, 1), "complaint"),
        Touch(date(1998, 6, 20), "call"),
    ]
    invoices = [
        Invoice(date(1998, 6, 1), 100.0, paid_at=date(1998, 6, 10), paid_amount=60.0),
        Invoice(date(1998, 6, 30), 5.0, paid_at=date(1998, 7, 1)),
        Invoice(date(1998, 7, 1), 100.0),  # due today
        Invoice(date(1998, 1, 1), 100.0, written_off_at=date(1998, 5, 1)),
        Invoice(date(1998, 1, 1), 100.0, paid_at=date(1998, 1, 1)),
    ]

    card = caller_card(scorer, ORDERS, JULY, KnownOfCustomer(touches, invoices, [FREE]))

    assert card.complaints is not None and card.debt is not None
    assert (card.complaints.number, card.complaints.last_on) == (2, "1998-06-20")
    assert (card.debt.overdue_amount, card.debt.overdue_days) == (45.0, 30)
    assert card.recommended_offer is None
    assert card.sentences[1:3] == [
        "Complained 2 times in 90 days, last on 1998-06-20.",
        "Owes 45.00, overdue for 30 days.",
    ]
    assert card.sentences[-1] == "Offer nothing before the debt is paid."


def test_the_best_offer_is_named_with_its_profit(scorer: Scorer) -> None:
    dear = Offer(name="dear", contact_cost=1_000, incentive_cost=0, acceptance_rate=0.5)
    scored = scorer.score_customers(ORDERS, JULY).columns
    ((_, free),) = [each.offers for each in price_offers(scored, [dear, FREE])]

    card = caller_card(scorer, ORDERS, JULY, KnownOfCustomer([], [], [dear, FREE]))
    none = caller_card(scorer, ORDERS, JULY, KnownOfCustomer(offers=[dear]))

    assert (card.recommended_offer, card.expected_profit) == ("gift", free.expected_profit)
    assert card.sentences[1:3] == ["No complaint in 90 days.", "Owes nothing that is overdue."]
    assert card.sentences[-1] == f"Offer gift: expected to earn {free.expected_profit:,.2f}."
    assert none.sentences[-1] == "Offer nothing: no offer would pay."


def test_of_the_dormant_it_is_said_that_no_log_knows_what_an_offer_does(scorer: Scorer) -> None:
    late = Snapshot(date(1999, 7, 1))

    card = caller_card(scorer, ORDERS, late, KnownOfCustomer(offers=[FREE]))

    days = scorer.model.card.dormant_after_days
    assert card.recommended_offer == "gift"
    assert card.sentences[-1].startswith(
        f"Silent for more than {days} days: no log shows what an offer does then"
    )


def test_who_costs_more_than_they_bring_is_offered_nothing(scorer: Scorer) -> None:
    terms = replace(scorer.model.terms, cost_per_order=1_000.0)
    costly = replace(scorer, model=replace(scorer.model, terms=terms))

    card = caller_card(costly, ORDERS, JULY, KnownOfCustomer(offers=[FREE]))

    assert card.expected_value < 0
    assert card.sentences[-1] == "Offer nothing: they cost more than they bring."


def test_the_card_speaks_persian(scorer: Scorer) -> None:
    with use_language("fa"):
        card = caller_card(scorer, ORDERS, JULY)

    assert "وفادار" in card.sentences[0]
    assert "۳۰ خرداد ۱۳۷۷" in card.sentences[1]
    assert not any(digit in " ".join(card.sentences) for digit in "0123456789")


def test_a_card_is_of_one_customer_who_has_bought(scorer: Scorer) -> None:
    two = pa.concat_tables([ORDERS, ORDERS.set_column(0, "customer_id", pa.array(["18"] * 8))])

    with pytest.raises(StayworthError, match="rows are of 2 customers"):
        caller_card(scorer, two, JULY)
    with pytest.raises(StayworthError, match="cannot be scored"):
        caller_card(scorer, ORDERS, Snapshot(date(1998, 1, 1)))
