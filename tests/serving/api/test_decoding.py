"""Wrong bodies cost little, however large they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serving.api.decoding import FREE_VALUES, decode
from serving.api.field_types import MAX_UNKNOWN_FIELDS
from serving.api.refusals import Refusal
from serving.api.requests import ScoreRequest
from serving.client.request_types import MAX_TRANSACTIONS

ORDER = {"ordered_at": "1998-01-05", "amount": 20.5}


def refused(body: bytes) -> Refusal:
    with pytest.raises(Refusal) as error:
        decode(ScoreRequest, body)
    assert error.value.status == 400
    return error.value


def with_orders(*orders: Any, customers: int = 1, **fields: Any) -> bytes:
    named = [{"customer_id": str(number), "transactions": list(orders)} for number in range(customers)]
    return json.dumps({"customers": named} | fields).encode()


def test_the_first_wrong_order_of_each_customer_is_told() -> None:
    wrong = [{"ordered_at": "1998-01-05", "amount": "x"}] * MAX_TRANSACTIONS

    details = refused(with_orders(*wrong, customers=2)).error.details

    assert [detail.loc for detail in details] == [
        "customers.0.transactions.0.amount",
        "customers.1.transactions.0.amount",
    ]


@pytest.mark.parametrize("place", ["request", "customer", "order", "offer", "prior"])
def test_more_unknown_fields_than_can_be_told_end_the_validation(place: str) -> None:
    unknown = {f"k{number}": number for number in range(MAX_UNKNOWN_FIELDS + 1)}
    prior = {"alpha": 3, "beta": 9} | (unknown if place == "prior" else {})
    offer = {"name": "call", "incentive_cost": 1, "acceptance_rate": prior}
    request = {
        "customers": [
            {"customer_id": "17", "transactions": [ORDER | (unknown if place == "order" else {})]}
            | (unknown if place == "customer" else {})
        ],
        "offers": [offer | (unknown if place == "offer" else {})],
    } | (unknown if place == "request" else {})

    assert "more than 50 fields" in refused(json.dumps(request).encode()).error.message


def test_fifty_unknown_fields_are_told_one_by_one() -> None:
    unknown = {f"k{number}": number for number in range(MAX_UNKNOWN_FIELDS)}

    details = refused(with_orders(ORDER, **unknown)).error.details

    assert [detail.loc for detail in details] == list(unknown)


@pytest.mark.parametrize("value", [b"0", b"{}", b"[]", b'""', b"null"])
def test_a_body_of_tiny_values_is_refused_unread(value: bytes) -> None:
    values = b",".join([value] * (4 * FREE_VALUES))

    for body in (
        b'{"customers":[' + values + b"]}",
        b"[" + values,
        b'{"customers":[{"transactions":[' + values,
    ):
        assert "more values" in refused(body).error.message


def test_the_densest_request_there_is_can_be_read() -> None:
    # 200,000 orders with every field, each as short as it can be.
    order = b'{"ordered_at":"1998-01-05","amount":1,"order_id":"a","currency":"E","channel":"c",'
    order += b'"product_id":"p","quantity":1,"margin":1}'
    rows = b",".join([order] * MAX_TRANSACTIONS)
    customers = b",".join(
        b'{"customer_id":"%d","transactions":[%b]}' % (number, rows) for number in range(20)
    )

    request = decode(ScoreRequest, b'{"customers":[' + customers + b"]}")

    assert sum(len(one.transactions) for one in request.customers) == 200_000
