"""What the service takes and gives: one definition for decoding, answers and the OpenAPI document.

Requests are read strictly: unknown keys, numbers where text is due, NaN and infinities are refused, and a
refusal says where, without repeating the value. Ids are text, kept to the letter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import chain
from typing import Annotated, Any, NotRequired, Self

import pyarrow as pa
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    StringConstraints,
    model_validator,
)
from typing_extensions import TypedDict

from features.log.amounts import LARGEST_AMOUNT
from serving.scorer import ScoredList
from training.model import SCORE_COLUMNS, TIERS

MAX_CUSTOMERS = 5_000
MAX_TRANSACTIONS = 10_000
MAX_ROWS = 200_000
"""Orders of all customers of a request together."""

_DECIMAL = r"^[+-]?[0-9]{1,12}(\.[0-9]{1,9})?$"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
_CONTROL = r"\x00-\x1f\x7f-\x9f"
_TRIMMED = rf"^[^\s{_CONTROL}]([^{_CONTROL}]*[^\s{_CONTROL}])?$"

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_TRIMMED)]
Moment = Annotated[str, StringConstraints(max_length=40, pattern=rf"^{_DAY}([T ]{_TIME})?$")]
Number = (
    Annotated[float, Field(gt=-LARGEST_AMOUNT, lt=LARGEST_AMOUNT)]
    | Annotated[str, StringConstraints(max_length=40, pattern=_DECIMAL)]
)

_NUMBERS = ("amount", "quantity", "margin")
_DATE_HINT = "should be a date or time that exists, such as 1998-01-05 or 1998-01-05T14:30:00Z"
_NUMBER_HINT = "should be a number below a trillion, or a decimal string such as '20.50'"
_TEXT_HINT = "should be text of 1 to 200 characters, without spaces at its ends or control characters"
HINTS = {
    "ordered_at": _DATE_HINT,
    **dict.fromkeys(_NUMBERS, _NUMBER_HINT),
    **dict.fromkeys(("customer_id", "order_id", "currency", "channel", "product_id"), _TEXT_HINT),
}
_STRICT = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class Transaction(TypedDict):
    """One order, or one line of an order."""

    # Up to 200,000 a request: a dict is decoded in half the time of a model.
    __pydantic_config__ = _STRICT  # type: ignore[misc]

    ordered_at: Annotated[
        Moment,
        Field(description="A date or a time; a time without an offset is UTC's.", examples=["1998-01-05"]),
    ]
    amount: Annotated[Number, Field(description="Money. Negative: a refund.", examples=[20.5, "20.50"])]
    order_id: NotRequired[Text | None]
    currency: NotRequired[Text | None]
    channel: NotRequired[Text | None]
    product_id: NotRequired[Text | None]
    quantity: NotRequired[Number | None]
    margin: NotRequired[Number | None]


class Customer(BaseModel):
    """One customer and every order of theirs."""

    model_config = _STRICT

    customer_id: Annotated[Text, Field(description="Given back to the letter.", examples=["0042"])]
    transactions: Annotated[list[Transaction], Field(min_length=1, max_length=MAX_TRANSACTIONS)]


class ScoreRequest(BaseModel):
    """Customers to score, with their orders.

    What a transaction may leave out is given in all transactions of the request (null where it is not known)
    or in none: they are the rows of one log, and nobody's score depends on who else is asked about.

    Examples
    --------
    >>> request = ScoreRequest.model_validate_json(
    ...     '{"customers": [{"customer_id": "17",'
    ...     ' "transactions": [{"ordered_at": "1998-01-05", "amount": "20.50"}]}]}'
    ... )
    >>> request.rows().to_pylist()
    [{'customer_id': '17', 'ordered_at': '1998-01-05', 'amount': 20.5}]
    """

    model_config = _STRICT | ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "snapshot_date": "1998-07-01",
                    "customers": [
                        {
                            "customer_id": "17",
                            "transactions": [
                                {"ordered_at": "1998-01-05", "amount": 20.5},
                                {"ordered_at": "1998-03-30", "amount": "12.00"},
                            ],
                        }
                    ],
                }
            ]
        }
    )

    snapshot_date: Annotated[
        date | None,
        Field(description="Score as of this date, by the orders before it. By default tomorrow (UTC)."),
    ] = None
    customers: Annotated[list[Customer], Field(min_length=1, max_length=MAX_CUSTOMERS)]

    @model_validator(mode="after")
    def _is_one_log(self) -> Self:
        """Check what concerns several customers: the number of rows, the ids, the columns."""
        rows = sum(len(customer.transactions) for customer in self.customers)
        if rows > MAX_ROWS:
            raise ValueError(f"The request holds {rows:,} transactions; the most is {MAX_ROWS:,}. Split it.")
        first: dict[str, int] = {}
        for position, customer in enumerate(self.customers):
            if first.setdefault(customer.customer_id, position) != position:
                earlier = first[customer.customer_id]
                raise ValueError(f"customers.{position} and customers.{earlier} have the same customer_id.")
        for name, given in Counter(chain.from_iterable(row for _, row in self._transactions())).items():
            if given != rows:
                raise ValueError(
                    f"{name} is given in {given:,} of {rows:,} transactions. Give it in all, null where it "
                    "is not known, or in none."
                )
        self._require_dates()
        return self

    def _require_dates(self) -> None:
        """Refuse 30 February; each distinct date is looked at once."""
        for moment in {transaction["ordered_at"] for _, transaction in self._transactions()}:
            try:
                datetime.fromisoformat(moment)
            except ValueError:
                place = next(
                    f"customers.{c}.transactions.{t}.ordered_at"
                    for c, customer in enumerate(self.customers)
                    for t, transaction in enumerate(customer.transactions)
                    if transaction["ordered_at"] == moment
                )
                raise ValueError(f"{place} {_DATE_HINT}.") from None

    def rows(self) -> pa.Table:
        """Return the transactions as a raw log, in the columns of the log contract that were given."""
        transactions = list(self._transactions())
        columns: dict[str, Any] = {"customer_id": pa.array([customer_id for customer_id, _ in transactions])}
        for name in Transaction.__annotations__:
            if name in transactions[0][1]:
                columns[name] = _column(name, [transaction[name] for _, transaction in transactions])
        return pa.table(columns)

    def _transactions(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for customer in self.customers:
            for transaction in customer.transactions:
                yield customer.customer_id, transaction


def _column(name: str, values: list[Any]) -> pa.Array:
    if name in _NUMBERS:
        return pa.array([value if value is None else float(value) for value in values], pa.float64())
    return pa.array(values, pa.string())


Interval = Annotated[
    FiniteFloat | None,
    BeforeValidator(lambda value: None if value != value else value),  # NaN in a table is null in JSON
    Field(description="An 80% interval of the expectation; null where the version has none."),
]


class CustomerScore(BaseModel):
    """One customer's score; the fields are the columns of a scored list."""

    customer_id: str
    snapshot_date: date
    churn_probability: Annotated[
        FiniteFloat, Field(ge=0, le=1, description="Of no order in the churn window.")
    ]
    p_alive: Annotated[
        FiniteFloat, Field(ge=0, le=1, description="BG/NBD's P(alive): 1 after a single order.")
    ]
    expected_purchases: Annotated[FiniteFloat, Field(description="In the churn window.")]
    expected_spend: Annotated[FiniteFloat, Field(description="In the churn window, net of refunds.")]
    expected_value: Annotated[FiniteFloat, Field(description="Discounted margin over the value horizon.")]
    expected_value_low: Interval
    expected_value_high: Interval
    value_if_silent: Annotated[FiniteFloat, Field(description="What they bring after a silent churn window.")]
    value_at_stake: Annotated[FiniteFloat, Field(description="What winning back a leaver saves.")]
    value_at_risk: Annotated[FiniteFloat, Field(description="churn_probability × value_at_stake.")]
    value_tier: Annotated[str, Field(json_schema_extra={"enum": list(TIERS)})]
    next_purchase_date: Annotated[date | None, Field(description="Median; null where never is likelier.")]
    next_purchase_low: Annotated[date | None, Field(description="By then with 10% probability.")]
    next_purchase_high: Annotated[
        date | None, Field(description="By then with 90%; null where never is likelier.")
    ]
    reasons: Annotated[list[str], Field(description="What moves churn_probability most, in words.")]
    model_version: str


class Unscored(BaseModel):
    """A customer without a score, and why."""

    customer_id: str
    reason: str


class Rows(BaseModel):
    """Where every transaction went: in = used + quarantined + not_yet_visible."""

    model_config = ConfigDict(serialize_by_alias=True)

    rows_in: Annotated[int, Field(alias="in")]
    used: int
    quarantined: Annotated[dict[str, int], Field(description="Rows that cannot be used, by reason.")]
    not_yet_visible: Annotated[int, Field(description="At the snapshot or after it.")]


class ScoreResponse(BaseModel):
    """Every customer of the request, scored (most value at risk first) or with the reason why not."""

    model_version: str
    snapshot_date: date
    scores: list[CustomerScore]
    unscored: list[Unscored]
    rows: Rows

    @classmethod
    def of(cls, scored: ScoredList, version: str) -> Self:
        """Write down what a scorer found; numbers are passed on to the last digit.

        Raises
        ------
        pydantic.ValidationError
            If a score is not what the schema promises, such as NaN: an error is better than a silent null.
        """
        columns = [scored.scores[name].tolist() for name in SCORE_COLUMNS]
        return cls.model_validate(
            {
                "model_version": version,
                "snapshot_date": scored.snapshot.date,
                "scores": [dict(zip(SCORE_COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)],
                "unscored": scored.unscored.to_dict("records"),
                "rows": {
                    "in": scored.rows_in,
                    "used": scored.rows_used,
                    "quarantined": scored.quarantined,
                    "not_yet_visible": scored.rows_not_visible,
                },
            }
        )


class TrainingLog(BaseModel):
    """The log a version was trained on."""

    first_day: date
    last_day: date
    customers: int
    rows_used: int
    fingerprint: str


class Verdict(BaseModel):
    """How the training recipe did on a snapshot that no choice was made on."""

    snapshot_date: date
    metrics: dict[str, float]


class ModelInfo(BaseModel):
    """The version that scores."""

    model_version: str
    trained_at: datetime
    snapshot_date: Annotated[date, Field(description="The newest snapshot the version knows.")]
    horizon_days: Annotated[int, Field(description="Length of the churn window.")]
    value_horizon_days: int
    dormant_after_days: int
    log: TrainingLog
    test: Verdict
    features: list[str]
