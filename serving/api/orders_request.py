"""Customers with their orders, as a request has them: rows of one log, and what else is known or offered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import chain
from operator import itemgetter
from typing import Annotated, Any, Self

import pandas as pd
import pyarrow as pa
from pydantic import ConfigDict, FailFast, Field, StringConstraints, model_validator
from typing_extensions import TypeAliasType

from features.behaviour.files import BehaviourFiles
from features.snapshot import Snapshot
from serving.api.field_types import STRICT, Amount, Cost, Moment, StrictModel, Text, Unknown
from serving.api.known_rows import (
    StrictAnswer,
    StrictCosts,
    StrictInvoice,
    StrictTouch,
    behaviour_of,
    costs_of,
    require_all_or_none,
)
from serving.client.request_types import MAX_ROWS, MAX_TRANSACTIONS, TRANSACTION_FIELDS, TransactionFields
from training.offers.offers import BetaPrior, Offer, Share

MAX_OFFERS = 20

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


# A TypedDict, for there are up to 200,000 per request: a dict is decoded in half the time of a model.
Transaction = TypeAliasType("Transaction", TransactionFields[Moment, Amount, Text, Unknown])


_KNOWN = Field(
    max_length=MAX_TRANSACTIONS,
    description="All that there are, an empty list if there is none; given for all customers or for none.",
)


class Customer(StrictModel):
    """One customer and every order of theirs, and what else is known of them."""

    customer_id: Annotated[Text, Field(description="Given back to the letter.", examples=["0042"])]
    transactions: Annotated[list[Transaction], FailFast(), Field(min_length=1, max_length=MAX_TRANSACTIONS)]
    touchpoints: Annotated[list[StrictTouch] | None, _KNOWN] = None
    surveys: Annotated[list[StrictAnswer] | None, _KNOWN] = None
    receivables: Annotated[list[StrictInvoice] | None, _KNOWN] = None
    attributes: Annotated[
        dict[Text, Text | None] | None, Field(max_length=100, description="As they are now.")
    ] = None
    costs: Annotated[
        StrictCosts | None, Field(description="Of the last year; given for all customers or for none.")
    ] = None


class StrictPrior(BetaPrior):
    """A Beta distribution of an acceptance rate."""

    model_config = STRICT | ConfigDict(frozen=True)
    __pydantic_extra__: dict[str, Unknown]


class StrictOffer(Offer):
    """A retention offer, as in an offers file: what it costs, and how many would-be leavers it keeps."""

    model_config = STRICT | ConfigDict(frozen=True)
    __pydantic_extra__: dict[str, Unknown]

    name: Text = "offer"
    channel: Annotated[str, StringConstraints(max_length=200)] = ""
    contact_cost: Cost = 0.0
    incentive_cost: Cost | None = None
    acceptance_rate: Share | StrictPrior


class OrdersRequest(StrictModel):
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
        require_distinct([customer.customer_id for customer in self.asked()], self.place)
        fields = transactions[0].keys()
        if not all(row.keys() == fields for row in transactions):
            name, given = min(Counter(chain.from_iterable(transactions)).items(), key=itemgetter(1))
            raise ValueError(
                f"{name} is given in {given:,} of {len(transactions):,} transactions. Give it in all, null where "
                "it is not known, or in none."
            )
        require_all_or_none(self.asked())
        costs_of(self.asked())
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

    def beside(self) -> BehaviourFiles | None:
        """Return what the request says of the customers beside their orders; None if nothing."""
        return behaviour_of(self.asked())

    def costs(self) -> pd.DataFrame | None:
        """Return what customers cost in the year before, if the request says it."""
        return costs_of(self.asked())

    def snapshot(self) -> Snapshot | None:
        """Return the date to score at, if one was given."""
        return Snapshot(self.snapshot_date) if self.snapshot_date else None


def require_distinct(ids: Sequence[str], place: Callable[[int], str]) -> None:
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
