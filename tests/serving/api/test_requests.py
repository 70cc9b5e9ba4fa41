"""Requests are read to the letter, or refused with the place and without the value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from features.log.transactions import OPTIONAL
from features.log.validation import validate
from serving.api.answers import CustomerScore
from serving.api.refusals import Problem, problems
from serving.api.requests import (
    ExplainRequest,
    LookupRequest,
    ScoreRequest,
)
from serving.client.request_types import MAX_CUSTOMERS, MAX_ROWS, TRANSACTION_FIELDS
from training.model.score_schema import SCORE_COLUMNS


def order(**fields: Any) -> dict[str, Any]:
    return {"ordered_at": "1998-01-05", "amount": 20.5} | fields


def customer(*orders: dict[str, Any], customer_id: Any = "17") -> dict[str, Any]:
    return {"customer_id": customer_id, "transactions": list(orders) or [order()]}


def read(*customers: dict[str, Any], **fields: Any) -> ScoreRequest:
    return ScoreRequest.model_validate_json(json.dumps({"customers": list(customers)} | fields))


def refused(text: str | bytes) -> list[Problem]:
    with pytest.raises(ValidationError) as error:
        ScoreRequest.model_validate_json(text)
    return problems(error.value.errors())


def refused_order(**fields: Any) -> Problem:
    (problem,) = refused(json.dumps({"customers": [customer(order(**fields))]}))
    return problem


def test_a_request_becomes_rows_of_a_log_with_the_columns_that_were_given() -> None:
    request = read(
        customer(
            order(channel="web"), order(amount="-3.10", ordered_at="1998-02-01T10:00:00Z", channel=None)
        ),
        customer(order(channel="web"), customer_id="0042"),
    )

    assert request.rows().to_pylist() == [
        {"customer_id": "17", "ordered_at": "1998-01-05", "amount": 20.5, "channel": "web"},
        {"customer_id": "17", "ordered_at": "1998-02-01T10:00:00Z", "amount": -3.1, "channel": None},
        {"customer_id": "0042", "ordered_at": "1998-01-05", "amount": 20.5, "channel": "web"},
    ]


def test_every_optional_field_reaches_the_validated_log() -> None:
    full = order(order_id="a1", currency="EUR", channel="web", product_id="p", quantity="2", margin=4)
    full |= {"category": "tea", "discount": "0.50"}

    log = validate(read(customer(full)).rows())

    assert log.columns == OPTIONAL
    assert log.report.currency == "EUR"
    assert log.table["margin_cents"].to_pylist() == [400]


def test_a_margin_that_is_not_known_sets_no_order_aside() -> None:
    request = read(
        customer(order(margin=4), order(margin=None)), customer(order(margin=2), customer_id="0042")
    )

    log = validate(request.rows())

    assert (log.report.rows_in, log.report.rows_used) == (3, 3)


@pytest.mark.parametrize("customer_id", ["0042", "آرش ۲", "a b", "17\u200c", "=1+1", "x" * 200])
def test_ids_are_kept_to_the_letter(customer_id: str) -> None:
    log = validate(read(customer(customer_id=customer_id)).rows())

    assert log.table["customer_id"].to_pylist() == [customer_id]


@pytest.mark.parametrize("customer_id", [17, None, "", " 17", "17\n", "a\x00b", "\u3000", "x" * 201, ["17"]])
def test_what_is_no_id_is_refused(customer_id: Any) -> None:
    (problem,) = refused(json.dumps({"customers": [customer(customer_id=customer_id)]}))

    assert problem.loc == "customers.0.customer_id"
    assert problem.message.startswith("should be text of 1 to 200 characters")


@pytest.mark.parametrize(("amount", "value"), [(20, 20.0), ("20.50", 20.5), ("-0.005", -0.005), (0, 0.0)])
def test_amounts_are_numbers_or_decimal_strings(amount: Any, value: float) -> None:
    assert read(customer(order(amount=amount))).rows()["amount"].to_pylist() == [value]


@pytest.mark.parametrize(
    "amount",
    ["NaN", "Infinity", "-Infinity", "1e999", "1e13", "1" + "0" * 400, "true", "null", '"1e5"', '"12 EUR"']
    + ['"1,234.50"', '"١٢"', '""', "[1]", f'"{"9" * 100_000}"'],
)
def test_what_is_no_finite_amount_is_refused(amount: str) -> None:
    body = json.dumps({"customers": [customer(order(amount="HERE"))]}).replace('"HERE"', amount)

    assert refused(body) == [
        Problem(
            loc="customers.0.transactions.0.amount",
            message="should be a number below ten trillion, or a decimal string such as '20.50'",
        )
    ]


@pytest.mark.parametrize(
    "moment", ["1998-01-05", "1998-01-05 14:30", "1998-01-05T14:30:00.123456", "1998-01-05T14:30:00+09:00"]
)
def test_dates_and_times_are_iso(moment: str) -> None:
    log = validate(read(customer(order(ordered_at=moment))).rows())

    assert log.report.rows_used == 1


@pytest.mark.parametrize(
    "moment",
    ["05/01/1998", "19980105", "1998-1-5", "1998-W02-1", "", "now", 883958400, None]
    + ["1998-13-01", "0000-00-00", "1998-01-05T24:30:00", "1998-01-05T10:00:00+99:00"]
    + ["1998-02-30", "1999-02-29T10:00", "1900-02-29", "1998-04-31"],  # days that do not exist
)
def test_other_dates_are_refused(moment: Any) -> None:
    problem = refused_order(ordered_at=moment)

    assert problem.loc == "customers.0.transactions.0.ordered_at"
    assert problem.message.startswith("should be a date or time that exists")


@pytest.mark.parametrize(
    ("body", "loc", "message"),
    [
        ("", "body", "Invalid JSON"),
        ("{", "body", "Invalid JSON"),
        ("[]", "body", "object"),
        ("[" * 100_000, "body", "recursion"),
        ('{"customers":' * 100_000, "body", "recursion"),
        (b'{"customers": "\xff"}', "body", "Invalid JSON"),
        ("{}", "customers", "required"),
        ('{"customers": []}', "customers", "at least 1"),
        (
            '{"customers": [{"customer_id": "17", "transactions": []}]}',
            "customers.0.transactions",
            "at least 1",
        ),
        ('{"customers": [{"customer_id": "17"}]}', "customers.0.transactions", "required"),
        ('{"customers": [17]}', "customers.0", "object"),
    ],
)
def test_a_body_of_another_form_is_refused(body: str | bytes, loc: str, message: str) -> None:
    (problem,) = refused(body)

    assert problem.loc == loc
    assert message in problem.message


@pytest.mark.parametrize(
    ("place", "loc"),
    [
        ({"customers": [customer()], "snapshot": "1998-07-01"}, "snapshot"),
        ({"customers": [customer() | {"name": "Arash"}]}, "customers.0.name"),
        ({"customers": [customer(order(reduction=1))]}, "customers.0.transactions.0.reduction"),
    ],
)
def test_unknown_keys_are_refused_wherever_they_stand(place: dict[str, Any], loc: str) -> None:
    assert [problem.loc for problem in refused(json.dumps(place))] == [loc]


def test_an_unknown_key_is_not_repeated_at_length() -> None:
    (problem,) = refused(json.dumps({"customers": [customer()], "x" * 1_000_000: 1}))

    assert len(problem.loc) == 200


def test_the_first_fifty_problems_are_told() -> None:
    wrong = [customer(order(amount=None), customer_id=str(number)) for number in range(60)]

    assert len(refused(json.dumps({"customers": wrong}))) == 50


def test_a_customer_asked_about_twice_is_refused_by_place_not_by_id() -> None:
    (problem,) = refused(
        json.dumps({"customers": [customer(), customer(customer_id="18"), customer(customer_id="17")]})
    )

    assert problem == Problem(loc="body", message="customers.2 and customers.0 have the same customer_id.")


def test_an_optional_field_is_given_everywhere_or_nowhere() -> None:
    # Else a customer's score would depend on who else is asked about.
    (problem,) = refused(json.dumps({"customers": [customer(order(product_id="p"), order())]}))

    assert problem.message == (
        "product_id is given in 1 of 2 transactions. Give it in all, null where it is not known, or in none."
    )


def test_more_customers_or_orders_than_the_limit_are_refused() -> None:
    crowd = [customer(customer_id=str(number)) for number in range(MAX_CUSTOMERS + 1)]
    busy = [customer(*[order()] * 10_000, customer_id=str(number)) for number in range(21)]

    assert "at most 5000" in refused(json.dumps({"customers": crowd}))[0].message
    assert refused(json.dumps({"customers": busy})) == [
        Problem(
            loc="body", message=f"The request holds 210,000 transactions; the most is {MAX_ROWS:,}. Split it."
        )
    ]


@pytest.mark.parametrize("snapshot_date", ["1998-02-30", "01/07/1998", 899251200, "tomorrow"])
def test_a_snapshot_date_is_an_iso_date(snapshot_date: Any) -> None:
    (problem,) = refused(json.dumps({"customers": [customer()], "snapshot_date": snapshot_date}))

    assert problem.loc == "snapshot_date"


def test_a_refusal_does_not_hold_what_it_refuses() -> None:
    body = json.dumps(
        {"customers": [customer(order(amount="s3cret", ordered_at="s3cret"), customer_id=" s3cret")]}
    )

    with pytest.raises(ValidationError) as error:
        ScoreRequest.model_validate_json(body)

    assert "s3cret" not in str(error.value)
    assert "s3cret" not in str(problems(error.value.errors()))


def test_a_score_has_the_columns_of_the_contract_in_their_order() -> None:
    assert tuple(CustomerScore.model_fields) == SCORE_COLUMNS


def test_a_transaction_has_the_fields_of_the_log_contract() -> None:
    optional = {name.removesuffix("_cents") for name in OPTIONAL} | {"currency"}

    assert set(TRANSACTION_FIELDS) == {"ordered_at", "amount"} | optional


OFFER = {"name": "voucher", "contact_cost": 1, "incentive_cost": 10, "acceptance_rate": 0.3}


def test_offers_are_read_as_strictly_as_the_rest() -> None:
    assert read(customer(), offers=[OFFER]).offers[0].acceptance == 0.3

    for wrong in ({"acceptance_rate": "0.3"}, {"acceptance_rate": 1.5}, {"discount": 1}, {"name": " x"}):
        body = {"customers": [customer()], "offers": [OFFER | wrong]}
        (problem,) = {problem.loc.rpartition(".")[0] for problem in refused(json.dumps(body))}
        assert problem.startswith("offers.0")


def test_two_offers_of_one_name_are_refused() -> None:
    (problem,) = refused(json.dumps({"customers": [customer()], "offers": [OFFER, OFFER]}))

    assert problem.message == "Two offers have the same name. Give each a name of its own."


def test_one_customer_to_explain_is_found_at_its_own_place() -> None:
    request = ExplainRequest.model_validate({"customer": customer(customer_id="0042")})
    assert request.rows().to_pylist() == [{"customer_id": "0042", "ordered_at": "1998-01-05", "amount": 20.5}]

    with pytest.raises(ValidationError) as error:
        ExplainRequest.model_validate({"customer": customer(order(ordered_at="1998-02-30"))})

    (problem,) = problems(error.value.errors())
    assert problem.loc == "customer.transactions.0.ordered_at"


@pytest.mark.parametrize(
    ("ids", "loc", "message"),
    [
        (["17", "18", "17"], "body", "customer_ids.2 and customer_ids.0 have the same customer_id."),
        (["17", 18], "customer_ids.1", "should be text of 1 to 200 characters"),
        (["17", " 18"], "customer_ids.1", "should be text of 1 to 200 characters"),
        ([], "customer_ids", "at least 1 item"),
        ("17", "customer_ids", "should be a valid list"),
    ],
)
def test_ids_to_look_up_are_distinct_texts(ids: Any, loc: str, message: str) -> None:
    with pytest.raises(ValidationError) as error:
        LookupRequest.model_validate({"customer_ids": ids})

    (problem,) = problems(error.value.errors())
    assert problem.loc == loc
    assert message in problem.message
