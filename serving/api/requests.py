"""Schemas of the requests, for decoding them and for the OpenAPI document.

Requests are read strictly: unknown fields, numbers in place of text, NaN and infinities are refused, and a
refusal says where, without repeating the value. Ids are text, kept exactly as sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import chain
from operator import itemgetter
from typing import Annotated, Any, Self

import pyarrow as pa
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    JsonValue,
    StringConstraints,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticKnownError
from typing_extensions import TypeAliasType

from features.log.amounts import LARGEST_AMOUNT
from features.snapshot import Snapshot
from serving.client.request_types import (
    MAX_CUSTOMERS,
    MAX_ROWS,
    MAX_TRANSACTIONS,
    TRANSACTION_FIELDS,
    TransactionFields,
)
from serving.explanation.caller_card import KnownOfCustomer
from serving.explanation.customer_facts import Invoice, Touch
from training.offers.offers import BetaPrior, Offer, Share

MAX_OFFERS = 20
MAX_UNKNOWN_FIELDS = 50

_DECIMAL = r"^[+-]?[0-9]{1,12}(\.[0-9]{1,9})?$"
_LEAP_YEAR = r"([1-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)"
_DAY_OF_ANY_YEAR = (
    r"((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
)
_DAY = rf"([1-9][0-9]{{3}}-{_DAY_OF_ANY_YEAR}|{_LEAP_YEAR}-02-29)"  # each is one that exists
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?"
_CONTROL = r"\x00-\x1f\x7f-\x9f"
_TRIMMED = rf"^[^\s{_CONTROL}]([^{_CONTROL}]*[^\s{_CONTROL}])?$"

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_TRIMMED)]
Moment = Annotated[
    str,
    StringConstraints(max_length=40, pattern=rf"^{_DAY}([T ]{_TIME})?$"),
    Field(examples=["1998-01-05"]),
]
Amount = Annotated[
    Annotated[float, Field(gt=-LARGEST_AMOUNT, lt=LARGEST_AMOUNT)]
    | Annotated[str, StringConstraints(max_length=40, pattern=_DECIMAL)],
    Field(examples=[20.5, "20.50"]),
]

Cost = Annotated[float, Field(ge=0, lt=LARGEST_AMOUNT)]

_NUMBERS = ("amount", "quantity", "margin", "discount")
_DATE_HINT = "should be a date or time that exists, such as 1998-01-05 or 1998-01-05T14:30:00Z"
_NUMBER_HINT = "should be a number below ten trillion, or a decimal string such as '20.50'"
_TEXT_HINT = "should be text of 1 to 200 characters, without spaces at its ends or control characters"
HINTS = {
    "ordered_at": _DATE_HINT,
    **dict.fromkeys(_NUMBERS, _NUMBER_HINT),
    **dict.fromkeys(("customer_id", "order_id", "currency", "channel", "product_id", "category"), _TEXT_HINT),
    "customer_ids": _TEXT_HINT,
}


class TooManyUnknownFields(Exception):
    """A request has more unknown fields than it is worth to report."""


def _refuse_unknown(value: object, info: ValidationInfo) -> object:
    """Refuse a field that is not in the schema; the last of too many ends the validation.

    ``extra="forbid"`` would make an error of each, however many. The validation's context counts them.
    """
    if info.context is not None and next(info.context) >= MAX_UNKNOWN_FIELDS:
        raise TooManyUnknownFields
    raise PydanticKnownError("extra_forbidden")


Unknown = Annotated[Any, BeforeValidator(_refuse_unknown)]
_STRICT = ConfigDict(
    strict=True,
    extra="allow",  # and then refused by the type of what is extra
    hide_input_in_errors=True,
    json_schema_extra={"additionalProperties": False},
)


# A TypedDict, for there are up to 200,000 per request: a dict is decoded in half the time of a model.
Transaction = TypeAliasType("Transaction", TransactionFields[Moment, Amount, Text, Unknown])


class StrictModel(BaseModel):
    """A part of a request, without unknown fields."""

    model_config = _STRICT
    __pydantic_extra__: dict[str, Unknown]


class Customer(StrictModel):
    """One customer and every order of theirs."""

    customer_id: Annotated[Text, Field(description="Given back to the letter.", examples=["0042"])]
    transactions: Annotated[list[Transaction], FailFast(), Field(min_length=1, max_length=MAX_TRANSACTIONS)]


class StrictPrior(BetaPrior):
    """A Beta distribution of an acceptance rate."""

    model_config = _STRICT | ConfigDict(frozen=True)
    __pydantic_extra__: dict[str, Unknown]


class StrictOffer(Offer):
    """A retention offer, as in an offers file: what it costs, and how many would-be leavers it keeps."""

    model_config = _STRICT | ConfigDict(frozen=True)
    __pydantic_extra__: dict[str, Unknown]

    name: Text = "offer"
    channel: Annotated[str, StringConstraints(max_length=200)] = ""
    contact_cost: Cost = 0.0
    incentive_cost: Cost | None = None
    acceptance_rate: Share | StrictPrior


class _Orders(StrictModel):
    """Customers with their orders, the date they are seen at, and what they could be offered.

    What a transaction may leave out is given in all transactions of the request (null where it is not known)
    or in none: they are the rows of one log, and nobody's score depends on who else is asked about.
    """

    snapshot_date: Annotated[
        date | None,
        Field(
            description="Score as of this date, by the orders before it. By default tomorrow, in the time "
            "zone of the log that the model learnt from."
        ),
    ] = None
    offers: Annotated[
        list[StrictOffer],
        Field(max_length=MAX_OFFERS, description="Each is priced for each customer, and the best is named."),
    ] = []

    def asked(self) -> Sequence[Customer]:
        """Return the customers."""
        raise NotImplementedError

    def place(self, number: int) -> str:
        """Say where in the request a customer stands."""
        return f"customers.{number}"

    @model_validator(mode="after")
    def _is_one_log(self) -> Self:
        """Check what concerns several customers: the number of rows, the ids, the columns, the offers."""
        transactions = [row for customer in self.asked() for row in customer.transactions]
        if len(transactions) > MAX_ROWS:
            raise ValueError(
                f"The request holds {len(transactions):,} transactions; the most is {MAX_ROWS:,}. Split it."
            )
        _require_distinct([customer.customer_id for customer in self.asked()], self.place)
        fields = transactions[0].keys()
        if not all(row.keys() == fields for row in transactions):
            name, given = min(Counter(chain.from_iterable(transactions)).items(), key=itemgetter(1))
            raise ValueError(
                f"{name} is given in {given:,} of {len(transactions):,} transactions. Give it in all, null where "
                "it is not known, or in none."
            )
        _require_distinct_offers(self.offers)
        return self

    def rows(self) -> pa.Table:
        """Return the transactions as a raw log, in the columns of the log contract that were given.

        Margins that are not all known are left out, for a log sets aside an order without its margin; the answer's
        notes say so where the model learnt from margins.
        """
        transactions: list[Mapping[str, Any]] = [row for one in self.asked() for row in one.transactions]
        ids = [one.customer_id for one in self.asked() for _ in one.transactions]
        columns: dict[str, Any] = {"customer_id": pa.array(ids)}
        for name in TRANSACTION_FIELDS:
            if name in transactions[0] and not (
                name == "margin" and any(row["margin"] is None for row in transactions)
            ):
                columns[name] = _column(name, [row[name] for row in transactions])
        return pa.table(columns)

    def snapshot(self) -> Snapshot | None:
        """Return the date to score at, if one was given."""
        return Snapshot(self.snapshot_date) if self.snapshot_date else None


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
    return _STRICT | ConfigDict(json_schema_extra={"additionalProperties": False, "examples": examples})


class ScoreRequest(_Orders):
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


class ExplainRequest(_Orders):
    """One customer to explain, with their orders."""

    model_config = _examples({"snapshot_date": "1998-07-01", "customer": _ORDERS_OF_17, "offers": [_VOUCHER]})

    customer: Customer

    def asked(self) -> Sequence[Customer]:
        """Return the customer, alone."""
        return [self.customer]

    def place(self, number: int) -> str:
        """Say where in the request the customer stands."""
        return "customer"


class StrictTouch(StrictModel):
    """One touch of the customer, as a row of a file of touchpoints."""

    occurred_at: date
    touchpoint: Annotated[Text, Field(description="`complaint` is one; others are not looked at.")]


class StrictInvoice(StrictModel):
    """One invoice of the customer, as a row of a file of receivables."""

    due_at: date
    amount: Amount
    issued_at: date | None = None
    paid_at: date | None = None
    paid_amount: Annotated[Amount | None, Field(description="With `paid_at`; by default all.")] = None
    written_off_at: date | None = None

    @model_validator(mode="after")
    def _was_paid_on_a_day(self) -> Self:
        if self.paid_amount is not None and self.paid_at is None:
            raise ValueError("paid_amount is given without paid_at. Give the day, or leave both out.")
        return self


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

    def known(self) -> KnownOfCustomer:
        """Return what is known of the customer besides the orders."""
        touches = None
        if self.touchpoints is not None:
            touches = [Touch(each.occurred_at, each.touchpoint) for each in self.touchpoints]
        invoices = None
        if self.receivables is not None:
            invoices = [
                Invoice(
                    due_at=each.due_at,
                    amount=float(each.amount),
                    issued_at=each.issued_at,
                    paid_at=each.paid_at,
                    paid_amount=None if each.paid_amount is None else float(each.paid_amount),
                    written_off_at=each.written_off_at,
                )
                for each in self.receivables
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
        _require_distinct(self.customer_ids, "customer_ids.{}".format)
        return self


class ForgetRequest(LookupRequest):
    """Customers to erase."""


def _require_distinct(ids: Sequence[str], place: Callable[[int], str]) -> None:
    """Raise a ValueError with the places of two equal ids."""
    if len(set(ids)) == len(ids):
        return
    first: dict[str, int] = {}
    for number, customer_id in enumerate(ids):
        if (earlier := first.setdefault(customer_id, number)) != number:
            raise ValueError(f"{place(number)} and {place(earlier)} have the same customer_id.")


def _require_distinct_offers(offers: Sequence[Offer]) -> None:
    if len({offer.name for offer in offers}) < len(offers):
        raise ValueError("Two offers have the same name. Give each a name of its own.")


def _column(name: str, values: list[Any]) -> pa.Array:
    if name in _NUMBERS:
        return pa.array([value if value is None else float(value) for value in values], pa.float64())
    return pa.array(values, pa.string())
