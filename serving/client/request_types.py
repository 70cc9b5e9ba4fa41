"""Customers with their orders, as a request carries them.

The service decodes the same fields, with strict types in place of the ones here (:mod:`serving.api.orders_request`).
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


LISTED_FIELDS = {
    "touchpoints": ("occurred_at", "touchpoint", "quantity", "outcome", "sentiment"),
    "surveys": ("answered_at", "kind", "score"),
    "receivables": ("due_at", "amount", "issued_at", "paid_at", "paid_amount", "written_off_at"),
}
"""What a request takes of the rows of each file; of ``attributes``, one row a customer, it takes every column."""
COST_FIELDS = ("order_costs", "period_costs", "loss")


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


def customers_of(
    orders: pd.DataFrame | pa.Table, known: Mapping[str, pd.DataFrame | pa.Table] | None = None
) -> list[Customer]:
    """Gather each customer's orders from a log in the columns of the log contract; others are left out.

    Parameters
    ----------
    orders : pandas or Arrow table
    known : mapping of touchpoints, surveys, receivables, attributes or costs to such a table, by ``customer_id``
        A customer without a row there is sent with an empty list; rows of customers without orders are left out.

    Raises
    ------
    StayworthError
        If a table has no column ``customer_id``, or two rows of attributes or costs for a customer.

    Examples
    --------
    >>> import pandas as pd
    >>> customers_of(pd.DataFrame({"customer_id": ["17"], "ordered_at": ["1998-01-05"], "amount": [20.5]}))
    [{'customer_id': '17', 'transactions': [{'ordered_at': '1998-01-05', 'amount': 20.5}]}]
    """
    frame = _frame(orders, "The orders have", "who ordered")
    fields = [name for name in TRANSACTION_FIELDS if name in frame.columns]
    found: dict[str, list[Transaction]] = {}
    for customer_id, order in _rows(frame, fields):
        found.setdefault(customer_id, []).append(order)
    customers = [Customer(customer_id=who, transactions=their) for who, their in found.items()]
    for name, table in (known or {}).items():
        theirs = _known(name, table)
        for customer in customers:
            empty: Any = [] if name in LISTED_FIELDS else {}
            customer[name] = theirs.get(customer["customer_id"], empty)  # type: ignore[literal-required]
    return customers


def _known(name: str, table: pd.DataFrame | pa.Table) -> dict[str, Any]:
    """Return what a table says of each customer: a list of rows, or of attributes and costs the one row."""
    frame = _frame(table, f"The {name} have", "whose they are")
    listed = LISTED_FIELDS.get(name)
    others = (
        COST_FIELDS
        if name == "costs"
        else [str(each) for each in frame.columns if each not in _NO_ATTRIBUTES]
    )
    fields = [each for each in listed or others if each in frame.columns]
    found: dict[str, Any] = {}
    for customer_id, row in _rows(frame, fields):
        stated = {field: _plain(value) for field, value in row.items() if value is not None}
        if listed:
            found.setdefault(customer_id, []).append(stated)
        elif customer_id in found:
            raise StayworthError(
                f"The {name} have two rows of customer {customer_id!r}. Send one: as it is at the date of the score."
            )
        else:
            found[customer_id] = (
                stated if name == "costs" else {key: str(value) for key, value in stated.items()}
            )
    return found


_NO_ATTRIBUTES = ("customer_id", "valid_from")


def _frame(table: pd.DataFrame | pa.Table, what: str, whose: str) -> Any:
    frame: Any = table.to_pandas() if hasattr(table, "to_pandas") else table
    if "customer_id" not in frame.columns:
        raise StayworthError(f"{what} no column customer_id. Rename the one that says {whose}.")
    return frame


def _rows(frame: Any, fields: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield the customer and the fields of each row; what is missing is None."""
    known = frame[["customer_id", *fields]].astype(object)
    known = known.where(known.notna(), None)
    for customer_id, *cells in zip(*(known[name].tolist() for name in known.columns), strict=True):
        yield customer_id, dict(zip(fields, cells, strict=True))


def _plain(value: Any) -> Any:
    """Return a cell as a request has it: days as ISO text, whole numbers as such."""
    if isinstance(value, date):
        return value.isoformat()[:10]
    return int(value) if isinstance(value, float) and value.is_integer() else value


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
