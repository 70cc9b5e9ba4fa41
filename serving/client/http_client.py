"""A client of the service: as many customers as there are, retried where that is safe.

Imports nothing heavy, so that a CRM's own program can afford it::

    with StayworthClient("http://127.0.0.1:3000", api_key) as client:
        answer = client.lookup(["0042", "17"])
        client.score_orders(pandas.read_parquet("orders.parquet"))

A request carries at most 5,000 customers and 200,000 orders; more are asked for part by part and joined.
Every endpoint is idempotent, so what failed on the way (no connection, 429, 502, 503, 504) is asked again,
after the wait that the service names. A timeout is not: the same request would take as long once more.
"""

from __future__ import annotations

import json
import logging
import math
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import httpx
import stamina

from features.errors import StayworthError
from serving.client.answer_types import LookupAnswer, ScoreAnswer
from serving.client.request_types import MAX_CUSTOMERS, Customer, customers_of, parts, require_list

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_STRANGER_SECONDS = 5.0  # of patience with a host that has never answered
logging.getLogger("stamina").addHandler(
    logging.NullHandler()
)  # else its retries are printed where nobody logs

_NO_ANSWER: dict[str, tuple[type[Exception], ...]] = {
    "unreachable": (httpx.NetworkError, httpx.ConnectTimeout, httpx.RemoteProtocolError),
    "timeout": (httpx.TimeoutException,),
    "protocol": (httpx.TransportError,),
}
_TRY_AGAIN = frozenset({429, 502, 503, 504})
_NO_JSON = (
    "The request cannot be written as JSON: a number is NaN or infinite, or a value is neither text, number, "
    "date nor decimal. Use None where something is not known."
)


class ServiceError(StayworthError):
    """The service refused, failed, or could not be reached.

    Parameters
    ----------
    message : str
        In the service's words, where it said something.
    status : int or None
        Of the HTTP answer; None where there was none.
    code : str
        As in ``{"error": {"code"}}``; ``unreachable``, ``timeout`` or ``protocol`` where there was no
        answer, ``not_stayworth`` where it was not this service's.
    details : sequence of mappings with ``loc`` and ``message``
    request_id : str
        By which the service's log names the request.
    retry_after : float or None, seconds
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str,
        details: Sequence[Mapping[str, str]] = (),
        request_id: str,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{message} [{code}, request {request_id}]")
        self.status, self.code, self.message = status, code, message
        self.details, self.request_id, self.retry_after = tuple(details), request_id, retry_after


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
        url = _address(base_url)
        headers = {"Content-Type": "application/json", "Accept-Language": language}
        if api_key is not None:
            headers["Authorization"] = f"Bearer {_key(api_key)}"
        self._address = f"{url.scheme}://{url.netloc.decode()}"
        self._retry_seconds = retry_seconds
        self._answered = False
        patience = httpx.Timeout(timeout, connect=min(timeout, _STRANGER_SECONDS))
        self._http = httpx.Client(base_url=url, headers=headers, timeout=patience)

    def __repr__(self) -> str:
        return f"StayworthClient({self._address!r})"

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
            answers.append(self._post("/score", _given(customers=part, **asked)))
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
            [self._post("/lookup", {"customer_ids": ids[start : start + MAX_CUSTOMERS]}) for start in starts]
        )

    def explain(
        self,
        customer: Customer,
        snapshot_date: date | str | None = None,
        offers: Sequence[Mapping[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Explain one customer's score: every contribution, the facts, what would change the decision."""
        return self._post("/explain", _given(customer=customer, snapshot_date=snapshot_date, offers=offers))

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
        return self._post("/card", {**asked, **known})

    def model(self) -> dict[str, Any]:
        """Describe the version that scores."""
        return self._request("GET", "/model")

    def ready(self) -> bool:
        """Tell whether the service answers and has a model; asks once."""
        try:
            return self._http.get("/readyz").is_success
        except httpx.TransportError:
            return False

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            content = json.dumps(body, default=_plain, allow_nan=False, ensure_ascii=False).encode()
        except (TypeError, ValueError):  # whose words may hold a customer's value
            raise StayworthError(_NO_JSON) from None
        return self._request("POST", path, content)

    def _request(self, method: str, path: str, content: bytes | None = None) -> dict[str, Any]:
        """Ask, and ask again where that may help; all attempts have one request id."""
        request_id = uuid4().hex
        start = time.monotonic()

        def wait(error: Exception) -> bool | float:
            seconds = self._retry_seconds if self._answered else min(self._retry_seconds, _STRANGER_SECONDS)
            return _wait(error, start + seconds)

        for attempt in stamina.retry_context(wait, attempts=None, timeout=None):
            with attempt:
                return self._ask(method, path, content, request_id)
        raise AssertionError("an attempt returns or raises")

    def _ask(self, method: str, path: str, content: bytes | None, request_id: str) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, content=content, headers={"X-Request-ID": request_id})
        except httpx.TransportError as error:
            code = next(code for code, kinds in _NO_ANSWER.items() if isinstance(error, kinds))
            remedy = (
                "" if self._answered else " Is the address right, and does the service run? stayworth serve"
            )
            message = f"{method} {path}: {self._address} gives no answer ({type(error).__name__}).{remedy}"
            raise ServiceError(message, code=code, request_id=request_id) from None
        self._answered, found = True, None
        with suppress(ValueError):
            found = answer.json()
        if answer.is_success and isinstance(found, dict):
            return found
        raise _refused(answer, found, f"{method} {path}: {self._address}", request_id)


def _address(base_url: str) -> httpx.URL:
    with suppress(httpx.InvalidURL):
        url = httpx.URL(base_url)
        if url.scheme in ("http", "https") and url.host and not url.userinfo:
            return url
    raise StayworthError(
        "The service's address is to be like http://127.0.0.1:3000, without a user or password in it."
    )


def _key(text: str) -> str:
    """Refuse what is no header before the HTTP library does, and quotes it."""
    key = text.strip()
    if not (key and key.isascii() and key.isprintable() and " " not in key):
        raise StayworthError("The API key is not one: it is empty, or has spaces or odd characters.")
    return key


def _refused(answer: httpx.Response, found: Any, asked: str, request_id: str) -> ServiceError:
    """Return the error for an answer that is none: the service's own words, or a proxy's status."""
    error = found.get("error") if isinstance(found, dict) else None
    said = error if isinstance(error, dict) else {}
    seconds = answer.headers.get("Retry-After", "")
    return ServiceError(
        str(said.get("message") or f"{asked} answers {answer.status_code}, and not as stayworth does."),
        status=answer.status_code,
        code=str(said.get("code") or "not_stayworth"),
        details=said.get("details") or (),
        request_id=answer.headers.get("X-Request-ID", request_id),
        retry_after=float(seconds) if seconds.isascii() and seconds.isdigit() else None,
    )


def _wait(error: Exception, until: float) -> bool | float:
    """Tell whether to ask again: False, or True for a growing pause, or the seconds that were named."""
    if not isinstance(error, ServiceError) or error.code == "nothing_published":
        return False
    if error.status not in _TRY_AGAIN and error.code != "unreachable":
        return False
    in_time = time.monotonic() + (error.retry_after or 0.0) < until
    return in_time if error.retry_after is None or not in_time else error.retry_after


def _plain(value: object) -> str:
    """Write dates and decimals as the service reads them."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal) and math.isfinite(value):
        return format(value, "f")
    raise TypeError


def _given(**asked: Any) -> dict[str, Any]:
    """Return what was asked for; the rest is left to the service's defaults."""
    return {name: value for name, value in asked.items() if value is not None}
