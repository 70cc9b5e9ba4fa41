"""The operations of the API: for each path, the function that answers it, its schemas and the scope of its key.

To add one, write a method of `Endpoints` and list it in `Endpoints.operations`: the router, the access check and
the OpenAPI document are made from that list.

What computes or waits for a database runs in threads, for which requests wait in turn (`fair_queue`): the event loop
is free to take and answer others.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import anyio.to_thread
from pydantic_core import to_json
from starlette.responses import Response

from features.errors import ModelError, NothingPublished, StayworthError, StoreBusy, StoreError
from features.language import use_language
from serving.api import metrics
from serving.api.answers import (
    CardResponse,
    ExplainResponse,
    ForgetResponse,
    LookupResponse,
    ModelInfo,
    ScoreResponse,
    card_answer,
    explain_answer,
    lookup_answer,
    score_answer,
)
from serving.api.decoding import decode
from serving.api.documentation import documentation_page
from serving.api.fair_queue import FairQueue
from serving.api.openapi import openapi_document
from serving.api.operation import ApiRequest, Operation
from serving.api.refusals import Refusal
from serving.api.requests import CardRequest, ExplainRequest, ForgetRequest, LookupRequest, ScoreRequest
from serving.champion.champion import Champion
from serving.erasure.erasure import Place, Receipt
from serving.explanation.caller_card import caller_card
from serving.explanation.explanation import explain
from serving.explanation.recommendation import price_offers
from serving.scorer import Scorer
from serving.store.store import Publication, Store

COMPUTING, READING, ERASING = 2, 8, 1
"""Threads of a worker: for scores, for what waits for the store, and for erasures."""
ERASE_SECONDS = 10.0
"""How long an erasure waits for a publication to end."""

FEW_IDS = 100
_JSON = "application/json"


class Endpoints:
    """Functions that answer requests from a champion model and a score store.

    Parameters
    ----------
    champion : Champion
    store : Store
    metrics_access : {"open", "key", "off"}
        Whether ``/metrics`` asks for a key, or is not there.
    """

    def __init__(
        self, champion: Champion, store: Store, metrics_access: Literal["open", "key", "off"] = "open"
    ) -> None:
        self.champion = champion
        self.store = store
        self.metrics_access = metrics_access
        self._computing, self._reading, self._erasing = map(FairQueue, (COMPUTING, READING, ERASING))
        self._instant = Store(store.address.text, read_seconds=0)  # never waits for a lock

    def operations(self) -> list[Operation]:
        """Return every path of the service, and what is to know of it."""
        found = [
            Operation(
                "POST", "/score", self.score, "score", ScoreRequest, ScoreResponse, True, in_language=True
            ),
            Operation("POST", "/lookup", self.lookup, "lookup", LookupRequest, LookupResponse, True),
            Operation(
                "POST",
                "/explain",
                self.explain,
                "score",
                ExplainRequest,
                ExplainResponse,
                True,
                in_language=True,
            ),
            Operation("POST", "/card", self.card, "score", CardRequest, CardResponse, True, in_language=True),
            Operation("POST", "/forget", self.forget, "erase", ForgetRequest, ForgetResponse, True),
            Operation("GET", "/model", self.model, "", None, ModelInfo, True),
            Operation("GET", "/livez", self.live),
            Operation("GET", "/healthz", self.live, documented=False),
            Operation("GET", "/readyz", self.ready, may_be_unavailable=True),
            Operation("GET", "/docs.json", self.document, documented=False),
            Operation("GET", "/", self.page, documented=False),
        ]
        if self.metrics_access != "off":
            scope = "" if self.metrics_access == "key" else None
            found.append(Operation("GET", "/metrics", self.metrics, scope))
        return found

    async def score(self, request: ApiRequest) -> Response:
        """Score customers, sent with their orders."""
        return await self._computing.run(self._score, request)

    async def explain(self, request: ApiRequest) -> Response:
        """Explain one customer's score."""
        return await self._computing.run(self._explain, request)

    async def card(self, request: ApiRequest) -> Response:
        """Describe one customer to whoever talks to them."""
        return await self._computing.run(self._card, request)

    async def lookup(self, request: ApiRequest) -> Response:
        """Newest published scores by customer id."""
        found = self._lookup_at_once(request)
        return await self._reading.run(self._lookup, request) if found is None else found

    async def forget(self, request: ApiRequest) -> Response:
        """Erase customers from every published set."""
        return await self._erasing.run(self._forget, request)

    async def model(self, request: ApiRequest) -> Response:
        """Model version that scores."""
        scorer = self._scorer()
        info = ModelInfo.of(scorer.model.card, scorer.version)
        return Response(info.model_dump_json(), media_type=_JSON)

    async def live(self, request: ApiRequest) -> Response:
        """Whether the process answers."""
        return Response("\n", media_type="text/plain")

    async def ready(self, request: ApiRequest) -> Response:
        """Whether a model is loaded."""
        self._scorer()
        return Response("\n", media_type="text/plain")

    async def metrics(self, request: ApiRequest) -> Response:
        """Prometheus metrics, unless switched off."""
        try:
            published, up = await self._reading.run(self._published, request)
        except Refusal:  # so many wait for the store that it may as well be down
            published, up = None, False
        text = metrics.exposition(self.champion.state, published, up)
        return Response(text, media_type=metrics.CONTENT_TYPE)

    async def document(self, request: ApiRequest) -> Response:
        """OpenAPI document."""
        return Response(to_json(await self._documented()), media_type=_JSON)

    async def page(self, request: ApiRequest) -> Response:
        """OpenAPI document as a web page."""
        return documentation_page(await self._documented())

    def _score(self, request: ApiRequest) -> Response:
        sent, scorer = decode(ScoreRequest, request.body), self._scorer()
        request.log_fields["customers"] = len(sent.customers)
        try:
            with use_language(request.language):
                scored = scorer.score_customers(
                    sent.rows(), sent.snapshot(), beside=sent.beside(), costs=sent.costs()
                )
            recommended = price_offers(scored.columns, sent.offers) if sent.offers else []
        except StayworthError as error:
            raise Refusal(400, error.to_sender) from None
        metrics.count_scores(scored.columns["value_tier"], scored.columns["churn_probability"])
        return Response(score_answer(scored, scorer.version, recommended), media_type=_JSON)

    def _explain(self, request: ApiRequest) -> Response:
        sent, scorer = decode(ExplainRequest, request.body), self._scorer()
        try:
            with use_language(request.language):
                explanation = explain(
                    scorer,
                    sent.rows(),
                    sent.snapshot(),
                    offers=sent.offers,
                    beside=sent.beside(),
                    costs=sent.costs(),
                )
        except StayworthError as error:
            raise Refusal(400, error.to_sender) from None
        return Response(explain_answer(explanation), media_type=_JSON)

    def _card(self, request: ApiRequest) -> Response:
        sent, scorer = decode(CardRequest, request.body), self._scorer()
        try:
            with use_language(request.language):
                card = caller_card(
                    scorer,
                    sent.rows(),
                    sent.snapshot(),
                    sent.known(),
                    beside=sent.beside(),
                    costs=sent.costs(),
                )
        except StayworthError as error:
            raise Refusal(400, str(error)) from None
        return Response(card_answer(card), media_type=_JSON)

    def _lookup_at_once(self, request: ApiRequest) -> Response | None:
        """Look up a few ids in a local file, which takes less time than switching to a thread.

        Return None if the file is locked: only threads may wait.
        """
        if self.store.address.file is None or len(request.body) > 64 * FEW_IDS:
            return None
        try:
            return self._lookup(request, self._instant)
        except StoreBusy:
            return None

    def _lookup(self, request: ApiRequest, store: Store | None = None) -> Response:
        sent = decode(LookupRequest, request.body)
        try:
            found = (store or self.store).lookup(sent.customer_ids)
        except NothingPublished:
            raise Refusal(
                503, "Nothing is published yet: stayworth score --publish.", code="nothing_published"
            ) from None
        except StoreError as error:
            if store is not None and isinstance(error, StoreBusy):
                raise  # to be tried again by those who may wait
            raise _unavailable(request, error) from None
        request.log_fields.update(customers=len(sent.customer_ids), unknown=len(found.unknown))
        return Response(lookup_answer(found), media_type=_JSON)

    def _forget(self, request: ApiRequest) -> Response:
        sent = decode(ForgetRequest, request.body)
        try:
            rows = self.store.erase(sent.customer_ids, wait_seconds=ERASE_SECONDS)
        except StoreError as error:
            raise _unavailable(request, error) from None
        done = Receipt.of(len(sent.customer_ids), [Place(str(self.store.address), rows)])
        request.log_fields.update(customers=done.customers, rows=done.rows, receipt=done.number)
        receipt = ForgetResponse(
            number=done.number, erased_at=done.erased_at, customers=done.customers, rows=done.rows
        )
        return Response(receipt.model_dump_json(), media_type=_JSON)

    def _scorer(self) -> Scorer:
        try:
            return self.champion.scorer()
        except ModelError:  # whose words name the registry; the log has them
            raise Refusal(503, "No champion model is loaded. The service's log says why.") from None

    def _published(self, request: ApiRequest) -> tuple[Publication | None, bool]:
        try:
            return self.store.newest(), True
        except StoreError:
            return None, False

    async def _documented(self) -> dict[str, Any]:
        return await anyio.to_thread.run_sync(lambda: self._openapi)

    @cached_property
    def _openapi(self) -> dict[str, Any]:
        return openapi_document(self.operations())


def _unavailable(request: ApiRequest, error: StoreError) -> Refusal:
    """Return what a caller is told; where the store is and what is wrong with it, the log says."""
    request.log_fields["reason"] = str(error)
    message = "The score store does not answer. Try again in a moment."
    return Refusal(503, message, code="store_unavailable", headers={"Retry-After": "5"})
