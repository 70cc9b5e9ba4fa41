"""A client of the service: as many customers as there are, retried where that is safe.

Imports nothing heavy, so that a CRM's own program can afford it::

    with StayworthClient("http://127.0.0.1:3000", api_key) as client:
        answer = client.lookup(["0042", "17"])
        client.score_orders(pandas.read_parquet("orders.parquet"))

A request carries at most 5,000 customers and 200,000 orders; more are asked for part by part and joined.
What is asked again is in `serving.client.connection`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from datetime import date
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from serving.client.answer_types import LookupAnswer, ScoreAnswer
from serving.client.connection import Connection
from serving.client.request_types import MAX_CUSTOMERS, Customer, customers_of, parts, require_list

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class StayworthClient:
    """A connection to the service; may be shared by threads.

    Parameters
    ----------
    base_url : str, such as ``http://127.0.0.1:3000``
    api_key : str, optional
        As ``stayworth keys add`` printed it. Shown nowhere.
    timeout : float, seconds
        Without a word from the service, until a request is given up; to connect, at most 5.
    retry_seconds : float
        How long to go on trying; 0: never again. A host that has not answered once is given up after
        5 seconds: its address is probably wrong.
    language : str, as in ``Accept-Language``
        Of the sentences in answers, such as reasons: "en", or "fa" for Persian.

    Raises
    ------
    StayworthError
        If the address is none, or the key cannot be one.
    ServiceError
        By every method but `ready`, if the service refuses, fails or cannot be reached.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        timeout: float = 30.0,
        retry_seconds: float = 60.0,
        language: str = "en",
    ) -> None:
        self._connection = Connection(base_url, api_key, timeout, retry_seconds, language)

    def __repr__(self) -> str:
        return f"StayworthClient({self._connection.address!r})"

    def score(
        self,
        customers: Sequence[Customer],
        snapshot_date: date | str | None = None,
        offers: Sequence[Mapping[str, Any]] | None = None,
    ) -> ScoreAnswer:
        """Score customers, sent with their orders.

        Parameters
        ----------
        customers : sequence of Customer, however many
            Amounts may be `decimal.Decimal`, dates `datetime.date`. That the transactions have the same
            fields and one currency is checked within each part.
        snapshot_date : date or ISO text, optional
            By default tomorrow, in the time zone of the log that the model learnt from; the same for all
            parts.
        offers : sequence of mappings, optional
            As in ``offers.toml``; each score then has ``offers`` and ``recommended_offer``.
        """
        require_list(customers, "customers", "[{'customer_id': '00017', 'transactions': [...]}]")
        asked = {"snapshot_date": snapshot_date, "offers": offers}
        answers: list[dict[str, Any]] = []
        for part in parts(customers):
            answers.append(self._connection.post("/score", _given(customers=part, **asked)))
            asked["snapshot_date"] = answers[0]["snapshot_date"]  # midnight may pass before the next part
        return ScoreAnswer.joined(answers)

    def score_orders(
        self,
        orders: pd.DataFrame | pa.Table,
        snapshot_date: date | str | None = None,
        offers: Sequence[Mapping[str, Any]] | None = None,
        *,
        touchpoints: pd.DataFrame | pa.Table | None = None,
        surveys: pd.DataFrame | pa.Table | None = None,
        receivables: pd.DataFrame | pa.Table | None = None,
        attributes: pd.DataFrame | pa.Table | None = None,
        costs: pd.DataFrame | pa.Table | None = None,
    ) -> pd.DataFrame:
        """Score the customers of a log of orders.

        Parameters
        ----------
        orders : pandas or Arrow table
            In the columns of the log contract; others are not sent.
        snapshot_date, offers : as for `score`
        touchpoints, surveys, receivables : pandas or Arrow tables, optional
            In the columns of the files of those names: all that there are of these customers.
        attributes : pandas or Arrow table, optional
            A row for each customer, as it is at the date.
        costs : pandas or Arrow table, optional
            What each customer cost in the year before: order_costs, period_costs, loss.

        Returns
        -------
        DataFrame, that of `ScoreAnswer.frame`

        Warns
        -----
        UserWarning
            With the notes of `ScoreAnswer`, which the table has no place for.
        """
        known = _given(
            touchpoints=touchpoints,
            surveys=surveys,
            receivables=receivables,
            attributes=attributes,
            costs=costs,
        )
        answer = self.score(customers_of(orders, known), snapshot_date, offers)
        for note in answer.notes:
            warnings.warn(note, stacklevel=2)
        return answer.frame()

    def lookup(self, customer_ids: Sequence[str]) -> LookupAnswer:
        """Look up published scores.

        Parameters
        ----------
        customer_ids : sequence of str, however many; one that is repeated counts once
        """
        require_list(customer_ids, "customer_ids", "['00017']")
        ids = list(dict.fromkeys(customer_ids))
        starts = range(0, max(len(ids), 1), MAX_CUSTOMERS)
        return LookupAnswer.joined(
            [
                self._connection.post("/lookup", {"customer_ids": ids[start : start + MAX_CUSTOMERS]})
                for start in starts
            ]
        )

    def explain(
        self,
        customer: Customer,
        snapshot_date: date | str | None = None,
        offers: Sequence[Mapping[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Explain one customer's score: every contribution, the facts, what would change the decision."""
        return self._connection.post(
            "/explain", _given(customer=customer, snapshot_date=snapshot_date, offers=offers)
        )

    def card(
        self,
        customer: Customer,
        snapshot_date: date | str | None = None,
        offers: Sequence[Mapping[str, Any]] | None = None,
        *,
        touchpoints: Sequence[Mapping[str, Any]] | None = None,
        receivables: Sequence[Mapping[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Describe a customer who calls: orders, rhythm, tier, stage, complaints, debt and the best offer, in words.

        Parameters
        ----------
        customer, snapshot_date, offers : as in `explain`
        touchpoints : sequence of mappings with ``occurred_at`` and ``touchpoint``, complaints among them
        receivables : sequence of mappings with ``due_at`` and ``amount``, and what was paid of it
        """
        known = _given(touchpoints=touchpoints, receivables=receivables)
        asked = _given(customer=customer, snapshot_date=snapshot_date, offers=offers)
        return self._connection.post("/card", {**asked, **known})

    def model(self) -> dict[str, Any]:
        """Describe the version that scores."""
        return self._connection.request("GET", "/model")

    def ready(self) -> bool:
        """Tell whether the service answers and has a model; asks once."""
        return self._connection.ready()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _given(**asked: Any) -> dict[str, Any]:
    """Return what was asked for; the rest is left to the service's defaults."""
    return {name: value for name, value in asked.items() if value is not None}
