"""Schemas of the requests, for decoding them and for the OpenAPI document.

Requests are read strictly: unknown fields, numbers in place of text, NaN and infinities are refused, and a
refusal says where, without repeating the value. Ids are text, kept exactly as sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, JsonValue, model_validator

from serving.api.field_types import STRICT, StrictModel, Text
from serving.api.known_rows import StrictInvoice, StrictTouch
from serving.api.orders_request import Customer, OrdersRequest, require_distinct
from serving.client.request_types import MAX_CUSTOMERS, MAX_TRANSACTIONS
from serving.explanation.caller_card import KnownOfCustomer
from serving.explanation.customer_facts import Invoice, Touch

_ORDERS_OF_17 = {
    "customer_id": "17",
    "transactions": [
        {"ordered_at": "1998-01-05", "amount": 20.5},
        {"ordered_at": "1998-03-30", "amount": "12.00"},
    ],
}
_VOUCHER = {"name": "10% voucher", "contact_cost": 0.5, "incentive_share": 0.1, "acceptance_rate": 0.3}


def _examples(*bodies: Mapping[str, Any]) -> ConfigDict:
    examples: JsonValue = [dict(body) for body in bodies]
    return STRICT | ConfigDict(json_schema_extra={"additionalProperties": False, "examples": examples})


class ScoreRequest(OrdersRequest):
    """Customers to score, with their orders.

    Examples
    --------
    >>> request = ScoreRequest.model_validate_json(
    ...     '{"customers": [{"customer_id": "17",'
    ...     ' "transactions": [{"ordered_at": "1998-01-05", "amount": "20.50"}]}]}'
    ... )
    >>> request.rows().to_pylist()
    [{'customer_id': '17', 'ordered_at': '1998-01-05', 'amount': 20.5}]
    """

    model_config = _examples(
        {"snapshot_date": "1998-07-01", "customers": [_ORDERS_OF_17]},
        {"snapshot_date": "1998-07-01", "customers": [_ORDERS_OF_17], "offers": [_VOUCHER]},
    )

    customers: Annotated[list[Customer], Field(min_length=1, max_length=MAX_CUSTOMERS)]

    def asked(self) -> Sequence[Customer]:
        """Return the customers."""
        return self.customers


class ExplainRequest(OrdersRequest):
    """One customer to explain, with their orders."""

    model_config = _examples({"snapshot_date": "1998-07-01", "customer": _ORDERS_OF_17, "offers": [_VOUCHER]})

    customer: Customer

    def asked(self) -> Sequence[Customer]:
        """Return the customer, alone."""
        return [self.customer]

    def place(self, number: int) -> str:
        """Say where in the request the customer stands."""
        return "customer"


class CardRequest(ExplainRequest):
    """One customer who calls, with their orders, and what else is known of them."""

    model_config = _examples(
        {
            "snapshot_date": "1998-07-01",
            "customer": _ORDERS_OF_17,
            "offers": [_VOUCHER],
            "touchpoints": [{"occurred_at": "1998-06-20", "touchpoint": "complaint"}],
            "receivables": [{"due_at": "1998-06-01", "amount": 20.5}],
        }
    )

    touchpoints: Annotated[list[StrictTouch] | None, Field(max_length=MAX_TRANSACTIONS)] = None
    receivables: Annotated[list[StrictInvoice] | None, Field(max_length=MAX_TRANSACTIONS)] = None

    def asked(self) -> Sequence[Customer]:
        """Return the customer, with what stands beside them in the request."""
        given = {
            name: rows for name in ("touchpoints", "receivables") if (rows := getattr(self, name)) is not None
        }
        return [self.customer.model_copy(update=given)]

    def known(self) -> KnownOfCustomer:
        """Return what is known of the customer besides the orders."""
        (customer,) = self.asked()
        touches = None
        if customer.touchpoints is not None:
            touches = [Touch(each.occurred_at, each.touchpoint) for each in customer.touchpoints]
        invoices = None
        if customer.receivables is not None:
            invoices = [
                Invoice(
                    due_at=each.due_at,
                    amount=float(each.amount),
                    issued_at=each.issued_at,
                    paid_at=each.paid_at,
                    paid_amount=None if each.paid_amount is None else float(each.paid_amount),
                    written_off_at=each.written_off_at,
                )
                for each in customer.receivables
            ]
        return KnownOfCustomer(touches, invoices, self.offers)


class LookupRequest(StrictModel):
    """Customers whose newest published scores are wanted."""

    model_config = _examples({"customer_ids": ["17", "0042"]})

    customer_ids: Annotated[
        list[Text],
        Field(
            min_length=1,
            max_length=MAX_CUSTOMERS,
            description="To the letter; distinct.",
            json_schema_extra={"uniqueItems": True},
        ),
    ]

    @model_validator(mode="after")
    def _are_distinct(self) -> Self:
        require_distinct(self.customer_ids, "customer_ids.{}".format)
        return self


class ForgetRequest(LookupRequest):
    """Customers to erase."""
