"""What each path answers: decoding, the work in a thread, the answer.

A worker computes `THREADS` large things at a time and lets a bounded number wait; beyond, it says so at once
(503 with Retry-After) rather than letting everybody wait longer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.responses import Response

from features.errors import ModelError, NothingPublished, StayworthError, StoreError
from serving.api import metrics
from serving.api.answers import ModelInfo, explain_answer, lookup_answer, score_answer
from serving.api.openapi import openapi_document
from serving.api.refusals import Refusal
from serving.api.requests import ExplainRequest, LookupRequest, Request, ScoreRequest
from serving.champion.champion import Champion
from serving.explanation.explanation import explain
from serving.explanation.recommendation import price_offers
from serving.scorer import Scorer
from serving.store.store import Lookup, Publication, Store

THREADS = 2
WAITING = 64
LOOKUPS = 8
"""Lookups in a database of another process that a worker has under way at a time."""

_FEW_IDS = 100
_JSON = "application/json"
Result = TypeVar("Result")


@dataclass
class Call:
    """One request, as the endpoints see it.

    Parameters
    ----------
    body : bytes
    notes : dict
        What the access log should tell beyond route, status and time; never a customer's value.
    """

    body: bytes = b""
    notes: dict[str, Any] = field(default_factory=dict)


class Endpoints:
    """The service's answers, over a champion and a score store.

    Parameters
    ----------
    champion : Champion
    store : Store
    """

    def __init__(self, champion: Champion, store: Store) -> None:
        self.champion = champion
        self.store = store

    async def score(self, call: Call) -> Response:
        """Answer ``POST /score``."""
        return await self._compute(self._score, call)

    async def explain(self, call: Call) -> Response:
        """Answer ``POST /explain``."""
        return await self._compute(self._explain, call)

    async def lookup(self, call: Call) -> Response:
        """Answer ``POST /lookup``."""
        if len(call.body) > 64 * _FEW_IDS or self.store.address.file is None:
            return await anyio.to_thread.run_sync(self._lookup, call, limiter=self._lookups)
        return self._lookup(call)  # a read of a local file takes less than a thread's turn

    async def model(self, call: Call) -> Response:
        """Answer ``GET /model``."""
        scorer = self._scorer()
        info = ModelInfo.model_validate(scorer.model.card | {"model_version": scorer.version})
        return Response(info.model_dump_json(), media_type=_JSON)

    async def metrics(self, call: Call) -> Response:
        """Answer ``GET /metrics``."""
        published, up = await anyio.to_thread.run_sync(self._published, limiter=self._lookups)
        text = metrics.exposition(self.champion.state, published, up)
        return Response(text, media_type=metrics.CONTENT_TYPE)

    async def docs(self, call: Call) -> Response:
        """Answer ``GET /docs.json``."""
        return Response(self._document, media_type=_JSON)

    def _score(self, call: Call) -> Response:
        request, scorer = _read(ScoreRequest, call), self._scorer()
        call.notes["customers"] = len(request.customers)
        try:
            scored = scorer.score_customers(request.rows(), request.snapshot())
            recommended = price_offers(scored.columns, request.offers) if request.offers else []
        except StayworthError as error:
            raise Refusal(400, str(error)) from None
        metrics.count_scores(scored.columns["value_tier"], scored.columns["churn_probability"])
        return Response(score_answer(scored, scorer.version, recommended), media_type=_JSON)

    def _explain(self, call: Call) -> Response:
        request, scorer = _read(ExplainRequest, call), self._scorer()
        try:
            explanation = explain(scorer, request.rows(), request.snapshot(), offers=request.offers)
        except StayworthError as error:
            raise Refusal(400, str(error)) from None
        return Response(explain_answer(explanation), media_type=_JSON)

    def _lookup(self, call: Call) -> Response:
        request = _read(LookupRequest, call)
        found = self._look_up(request.customer_ids)
        call.notes |= {"customers": len(request.customer_ids), "unknown": len(found.unknown)}
        return Response(lookup_answer(found), media_type=_JSON)

    def _look_up(self, customer_ids: list[str]) -> Lookup:
        try:
            return self.store.lookup(customer_ids)
        except NothingPublished as error:
            raise Refusal(503, str(error), code="nothing_published") from None
        except StoreError as error:
            raise Refusal(503, str(error), code="store_unavailable", headers={"Retry-After": "5"}) from None

    def _scorer(self) -> Scorer:
        try:
            return self.champion.scorer()
        except ModelError as error:
            raise Refusal(503, str(error)) from None

    def _published(self) -> tuple[Publication | None, bool]:
        try:
            return self.store.newest(), True
        except StoreError:
            return None, False

    async def _compute(self, work: Callable[[Call], Result], call: Call) -> Result:
        """Do what takes long in a thread, if not too many wait already."""
        if self._computing.statistics().tasks_waiting >= WAITING:
            raise Refusal(
                503,
                f"{WAITING} requests wait already. Try again in a moment, with fewer at a time.",
                code="overloaded",
                headers={"Retry-After": "1"},
            )
        return await anyio.to_thread.run_sync(work, call, limiter=self._computing)

    @cached_property
    def _computing(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(THREADS)

    @cached_property
    def _lookups(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(LOOKUPS)

    @cached_property
    def _document(self) -> bytes:
        return to_json(openapi_document())


def _read(schema: type[Request], call: Call) -> Request:
    """Decode a body, strictly."""
    try:
        return schema.model_validate_json(call.body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise Refusal.of(found) from None
