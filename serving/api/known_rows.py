"""What a request says of customers beside their orders: touches, answers, invoices and attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal, Protocol, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import Field, model_validator

from features.behaviour.attributes import Attributes
from features.behaviour.catalogue import FILES
from features.behaviour.files import BehaviourFiles
from features.economics.receivables import Receivables
from features.economics.surveys import FIRM, SCALES, Surveys
from features.economics.touches import RESPONDED, THOUSANDTHS, TOUCH_SCHEMA, Touches
from features.log.amounts import cents
from serving.api.field_types import Amount, StrictModel, Text

COST_NAMES = ("order_costs", "period_costs", "loss")


class StrictTouch(StrictModel):
    """One touch of the customer, as a row of a file of touchpoints."""

    occurred_at: date
    touchpoint: Annotated[Text, Field(description="`complaint` is one; a card looks at no other.")]
    quantity: Annotated[float, Field(ge=0)] = 1.0
    outcome: Annotated[Text | None, Field(description="`responded`, of what was sent.")] = None
    sentiment: Annotated[float | None, Field(ge=-1, le=1)] = None


class StrictAnswer(StrictModel):
    """One answer of the customer, as a row of a file of surveys."""

    answered_at: date
    kind: Literal["nps", "csat"]
    score: int

    @model_validator(mode="after")
    def _is_on_the_scale(self) -> Self:
        low, high = SCALES[self.kind]
        if not low <= self.score <= high:
            raise ValueError(f"score is not on the scale of {self.kind}: {low} to {high}.")
        return self


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


class StrictCosts(StrictModel):
    """What one customer cost in the year before the snapshot; what is left out is the model version's mean.

    The costs of the list, of the files that ``stayworth score`` reads, make the numbers of the list.
    """

    order_costs: Annotated[Amount | None, Field(description="What came with orders; money.")] = None
    period_costs: Annotated[Amount | None, Field(description="What came with time; money.")] = None
    loss: Annotated[Amount | None, Field(description="What was not paid; money.")] = None

    @model_validator(mode="after")
    def _are_costs(self) -> Self:
        if any(self.given.get(name, 0.0) < 0 for name in COST_NAMES[:2]):
            raise ValueError("costs are negative. A cost is positive money.")
        return self

    @property
    def given(self) -> dict[str, float]:
        """What is stated, by name."""
        stated = {name: getattr(self, name) for name in COST_NAMES}
        return {name: float(value) for name, value in stated.items() if value is not None}


class KnownCustomer(Protocol):
    """A customer of a request."""

    customer_id: str
    touchpoints: list[StrictTouch] | None
    surveys: list[StrictAnswer] | None
    receivables: list[StrictInvoice] | None
    attributes: dict[str, str | None] | None
    costs: StrictCosts | None


def require_all_or_none(customers: Sequence[KnownCustomer]) -> None:
    """Raise a ValueError if a file's rows are given for some of the customers only."""
    for name in (*FILES, "costs"):
        given = sum(getattr(each, name) is not None for each in customers)
        if 0 < given < len(customers):
            raise ValueError(
                f"{name} is given for {given:,} of {len(customers):,} customers. Give it for all, empty where there is "
                "nothing, or for none."
            )


def costs_of(customers: Sequence[KnownCustomer]) -> pd.DataFrame | None:
    """Return what customers cost in the year before, a row for each; None if the request does not say it."""
    if customers[0].costs is None:
        return None
    stated = [each.costs.given for each in customers if each.costs]
    if any(each.keys() != stated[0].keys() for each in stated) or not stated[0]:
        raise ValueError(
            f"costs need the same of {', '.join(COST_NAMES)} for all customers, at least one. Give 0 where there is "
            "none."
        )
    return pd.DataFrame(stated, index=pd.Index([each.customer_id for each in customers], name="customer_id"))


def behaviour_of(customers: Sequence[KnownCustomer]) -> BehaviourFiles | None:
    """Return what is known of customers beside their orders; None if nothing is given."""
    given = {name: getattr(customers[0], name) is not None for name in FILES}
    if not any(given.values()):
        return None
    return BehaviourFiles(
        _touches(customers) if given["touchpoints"] else None,
        _surveys(customers) if given["surveys"] else None,
        _receivables(customers) if given["receivables"] else None,
        _attributes(customers) if given["attributes"] else None,
        whole=True,
    )


def _rows(customers: Sequence[KnownCustomer], name: str) -> list[tuple[str, Any]]:
    return [(each.customer_id, row) for each in customers for row in getattr(each, name)]


def _day(day: date | None) -> int | None:
    return None if day is None else (day - date(1970, 1, 1)).days


def _touches(customers: Sequence[KnownCustomer]) -> Touches:
    rows = _rows(customers, "touchpoints")
    quantities = np.array([row.quantity for _, row in rows])
    table = {
        "customer_id": [customer for customer, _ in rows],
        "day": [_day(row.occurred_at) for _, row in rows],
        "touchpoint": [row.touchpoint for _, row in rows],
        "quantity": [round(row.quantity * THOUSANDTHS) for _, row in rows],
        "responded": [(row.outcome or "").casefold() == RESPONDED for _, row in rows],
        "sentiment": [
            None if row.sentiment is None else round(row.sentiment * THOUSANDTHS) for _, row in rows
        ],
    }
    return Touches(pa.table(table, schema=TOUCH_SCHEMA), quantities)


def _surveys(customers: Sequence[KnownCustomer]) -> Surveys:
    rows = _rows(customers, "surveys")
    table: Mapping[str, Any] = {
        "customer_id": pa.array([customer for customer, _ in rows], pa.string()),
        "kind": pa.array([row.kind for _, row in rows], pa.string()),
        "about": pa.array([FIRM for _ in rows], pa.string()),
        "answered": pa.array([_day(row.answered_at) for _, row in rows], pa.int32()),
        "sent": pa.nulls(len(rows), pa.int32()),
        "score": pa.array([row.score for _, row in rows], pa.int64()),
    }
    return Surveys(pa.table(table))


def _receivables(customers: Sequence[KnownCustomer]) -> Receivables:
    rows = _rows(customers, "receivables")
    amounts = cents(np.array([float(row.amount) for _, row in rows]))
    paid = [
        0 if row.paid_at is None else amount if row.paid_amount is None else _cents(row.paid_amount)
        for (_, row), amount in zip(rows, amounts.tolist(), strict=True)
    ]
    table: Mapping[str, Any] = {
        "customer_id": pa.array([customer for customer, _ in rows], pa.string()),
        "issued": pa.array([_day(row.issued_at or row.due_at) for _, row in rows], pa.int32()),
        "due": pa.array([_day(row.due_at) for _, row in rows], pa.int32()),
        "amount_cents": pa.array(amounts, pa.int64()),
        "paid": pa.array([_day(row.paid_at) for _, row in rows], pa.int32()),
        "paid_cents": pa.array(np.minimum(paid, amounts), pa.int64()),
        "written_off": pa.array([_day(row.written_off_at) for _, row in rows], pa.int32()),
    }
    return Receivables(pa.table(table))


def _cents(amount: float | str) -> int:
    return int(cents(np.array([float(amount)]))[0])


def _attributes(customers: Sequence[KnownCustomer]) -> Attributes:
    return Attributes.known_now({each.customer_id: each.attributes or {} for each in customers})
