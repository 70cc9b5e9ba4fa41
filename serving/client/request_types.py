"""Customers with their orders, as a request carries them.

The service decodes the same fields, with strict types in place of the ones here (:mod:`serving.api.requests`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, Never, NotRequired, TypeAlias, TypeVar

from typing_extensions import TypedDict  # typing's own is not enough for pydantic before Python 3.12

from features.errors import StayworthError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MAX_CUSTOMERS = 5_000
MAX_TRANSACTIONS = 10_000
"""Orders of one customer."""
MAX_ROWS = 200_000
"""Transactions of all customers of a request together."""


MomentT = TypeVar("MomentT")
NumberT = TypeVar("NumberT")
TextT = TypeVar("TextT")
UnknownT = TypeVar("UnknownT")


class TransactionFields(  # type: ignore[call-arg]
    TypedDict,
    Generic[MomentT, NumberT, TextT, UnknownT],
    extra_items=UnknownT,  # type: ignore[misc]
):
    """One order, or one line of an order."""

    # For pydantic, where the service decodes: unknown fields are refused by their type, and the texts below fields
    # describe them.
    __pydantic_config__ = {  # type: ignore[misc]
        "title": "Transaction",
        "strict": True,
        "extra": "allow",
        "hide_input_in_errors": True,
        "json_schema_extra": {"additionalProperties": False},
        "use_attribute_docstrings": True,
    }

    ordered_at: MomentT
    """A date or a time; a time without an offset is in the time zone of the log that the model learnt from."""
    amount: NumberT
    """Money. Negative: a refund."""
    order_id: NotRequired[TextT | None]
    currency: NotRequired[TextT | None]
    channel: NotRequired[TextT | None]
    product_id: NotRequired[TextT | None]
    quantity: NotRequired[NumberT | None]
    category: NotRequired[TextT | None]
    discount: NotRequired[NumberT | None]
    margin: NotRequired[NumberT | None]


TRANSACTION_FIELDS = tuple(TransactionFields.__annotations__)

Transaction: TypeAlias = TransactionFields[str | date, float | str | Decimal, str, Never]
"""A transaction as a Python program has it."""


class Customer(TypedDict):
    """One customer and every order of theirs.

    What else is known, where the model learnt from it: rows as in the files of those names, all that there are. And
    what the customer cost in the year before: order_costs, period_costs, loss.
    """

    customer_id: str
    transactions: Sequence[Transaction]
    touchpoints: NotRequired[Sequence[Mapping[str, Any]]]
    surveys: NotRequired[Sequence[Mapping[str, Any]]]
    receivables: NotRequired[Sequence[Mapping[str, Any]]]
    attributes: NotRequired[Mapping[str, str | None]]
    costs: NotRequired[Mapping[str, float | str]]


def parts(customers: Sequence[Customer]) -> Iterator[list[Customer]]:
    """Yield the customers in parts that fit a request; a customer's orders stay together.

    Raises
    ------
    StayworthError
        If an id comes twice: in two parts, the service could not see it. If a customer has more orders than the
        service takes of one.

    Examples
    --------
    >>> orders = [Transaction(ordered_at="1998-01-05", amount=20.5)] * 9_000
    >>> [len(part) for part in parts([Customer(customer_id=f"{n}", transactions=orders) for n in range(50)])]
    [22, 22, 6]
    """
    _require_distinct(customers)
    part: list[Customer] = []
    rows = 0
    for position, customer in enumerate(customers):
        more = len(customer["transactions"])
        if more > MAX_TRANSACTIONS:
            raise StayworthError(
                f"customers.{position} has {more:,} transactions, and the service takes {MAX_TRANSACTIONS:,} of a "
                "customer. Send one per day, with the day's sum: orders of one day count as one purchase."
            )
        if part and (len(part) == MAX_CUSTOMERS or rows + more > MAX_ROWS):
            yield part
            part, rows = [], 0
        part.append(customer)
        rows += more
    yield part


def customers_of(orders: pd.DataFrame | pa.Table) -> list[Customer]:
    """Gather each customer's orders from a log in the columns of the log contract; others are left out.

    Raises
    ------
    StayworthError
        If it has no column ``customer_id``.

    Examples
    --------
    >>> import pandas as pd
    >>> customers_of(pd.DataFrame({"customer_id": ["17"], "ordered_at": ["1998-01-05"], "amount": [20.5]}))
    [{'customer_id': '17', 'transactions': [{'ordered_at': '1998-01-05', 'amount': 20.5}]}]
    """
    frame: Any = orders.to_pandas() if hasattr(orders, "to_pandas") else orders
    if "customer_id" not in frame.columns:
        raise StayworthError("The orders have no column customer_id. Rename the one that says who ordered.")
    fields = [name for name in TRANSACTION_FIELDS if name in frame.columns]
    known = frame[["customer_id", *fields]].astype(object)
    known = known.where(known.notna(), None)  # what is missing is null in JSON
    found: dict[str, list[Transaction]] = {}
    for customer_id, *cells in zip(*(known[name].tolist() for name in known.columns), strict=True):
        order: Any = dict(zip(fields, cells, strict=True))
        found.setdefault(customer_id, []).append(order)
    return [Customer(customer_id=who, transactions=their) for who, their in found.items()]


def require_list(given: object, name: str, example: str) -> None:
    """Refuse a single text or mapping: taken for a list, it would be one of letters or of keys."""
    if isinstance(given, str | bytes | Mapping):
        raise StayworthError(f"{name} is to be a list, also for one customer: {name}={example}.")


def _require_distinct(customers: Sequence[Customer]) -> None:
    first: dict[str, int] = {}
    for position, customer in enumerate(customers):
        earlier = first.setdefault(customer["customer_id"], position)
        if earlier != position:
            raise StayworthError(f"customers.{position} and customers.{earlier} have the same customer_id.")
