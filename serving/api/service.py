"""The HTTP service: BentoML's workers, probes and metrics around one `Scorer`. The only door to BentoML.

``POST /score`` takes customers with their orders, ``GET /model`` tells which version answers. With no
champion the service lives but is not ready, and looks for one until it is there.
"""

from __future__ import annotations

import logging
import os
import socket
import tempfile
import threading
import time
import warnings
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from features.errors import ModelError, OutputError, StayworthError
from features.snapshot import Snapshot
from serving.api.openapi import openapi_document
from serving.api.refusals import Refusals, keep_values_out_of_logs, refusal
from serving.api.schemas import ModelInfo, ScoreRequest, ScoreResponse
from serving.scorer import Scorer
from serving.settings import DEFAULT_TRACKING_URI, ServeSettings

RETRY_SECONDS = 5.0
THREADS = 2
"""Requests a worker computes at a time: a large one does not hold up all others."""

_FOLDER, _TRACKING_URI = "STAYWORTH_FOLDER", "STAYWORTH_TRACKING_URI"
_log = logging.getLogger("bentoml.stayworth")


class Champion:
    """The champion's scorer; while there is none, the registry is asked again every few seconds.

    Parameters
    ----------
    tracking_uri : str
    """

    def __init__(self, tracking_uri: str) -> None:
        self.tracking_uri = tracking_uri
        self._scorer: Scorer | None = None
        self._reason: str | None = None
        self._next_look = 0.0
        self._looking = threading.Lock()

    def scorer(self) -> Scorer:
        """Return the scorer.

        Raises
        ------
        ModelError
            If there is no champion, or it cannot be loaded.
        """
        if self._scorer is None:
            with self._looking:
                self._look()
        if self._scorer is None:
            raise ModelError(self._reason)
        return self._scorer

    def reason(self) -> str | None:
        """Say why there is no scorer, where there is none."""
        return self._reason

    def _look(self) -> None:
        if self._scorer is not None or time.monotonic() < self._next_look:
            return
        try:
            self._scorer, self._reason = Scorer.from_registry(self.tracking_uri), None
            _log.info("Version %s scores.", self._scorer.version)
        except ModelError as error:
            if str(error) != self._reason:
                _log.warning("%s", error)
            self._reason, self._next_look = str(error), time.monotonic() + RETRY_SECONDS


champion = Champion(os.environ.get(_TRACKING_URI, DEFAULT_TRACKING_URI))


def _model(request: Request) -> Response:
    try:
        scorer = champion.scorer()
    except ModelError as error:
        return refusal(503, str(error))
    info = ModelInfo.model_validate(scorer.model.card | {"model_version": scorer.version})
    return JSONResponse(info.model_dump(mode="json"))


def _docs(request: Request) -> Response:
    return JSONResponse(openapi_document())


_pages = Starlette(
    routes=[Route("/model", _model, methods=["GET"]), Route("/docs.json", _docs, methods=["GET"])]
)


with warnings.catch_warnings():
    # BentoML imports, and declares schemas with, what pathspec and pydantic have deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    import bentoml

    class Stayworth:
        """Who is likely to leave, and what they are worth."""

        def __init__(self) -> None:
            keep_values_out_of_logs()
            os.chdir(os.environ.get(_FOLDER, "."))
            self.__is_ready__()

        def __is_ready__(self) -> bool:
            try:
                champion.scorer()
            except ModelError:
                return False
            return True

        @bentoml.api  # type: ignore[untyped-decorator]
        def score(self, request: ScoreRequest, /) -> ScoreResponse:
            """Score customers, sent with their orders."""
            try:
                scorer = champion.scorer()
            except ModelError as error:
                return refusal(503, str(error))  # type: ignore[return-value]
            snapshot = Snapshot(request.snapshot_date) if request.snapshot_date else None
            try:
                scored = scorer.score_customers(request.rows(), snapshot)
            except StayworthError as error:
                return refusal(400, str(error))  # type: ignore[return-value]
            try:
                return ScoreResponse.of(scored, scorer.version)
            except ValidationError as error:  # to BentoML this type says that the request is wrong
                broken = sorted({str(entry["loc"][-1]) for entry in error.errors()})
                raise RuntimeError(f"version {scorer.version} gave no answer fit to send: {broken}") from None

    service: Any = bentoml.service(
        Stayworth, name="stayworth", threads=THREADS, tracing={"excluded_urls": ".*"}
    )

service.mount_asgi_app(_pages)
service.add_asgi_middleware(Refusals, unready=champion.reason)


def serve(settings: ServeSettings) -> None:
    """Answer over HTTP until the process is told to end.

    Raises
    ------
    OutputError
        If the address cannot be listened on.
    """
    with tempfile.TemporaryDirectory(prefix="stayworth-") as home:
        os.environ |= {
            # The words: neither takes a 1.
            "BENTOML_DO_NOT_TRACK": "true",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "BENTOML_HOME": os.environ.get("BENTOML_HOME", home),
            # A request is small: threads would cost it more than they bring.
            "OMP_NUM_THREADS": "1",
            "OMP_WAIT_POLICY": "PASSIVE",
            _TRACKING_URI: settings.tracking_uri,
            _FOLDER: os.getcwd(),
        }
        # Workers start in a folder of their own: one called features or training in the caller's would be
        # imported in the place of ours. They go back when they have started.
        service.working_dir = home
        service.config["workers"] = settings.workers
        try:
            # BentoML takes addresses only, no names such as localhost.
            address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][4][0]
            service.serve_http(host=address, port=settings.port)
        except OSError as error:
            raise OutputError(
                f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}."
            ) from None
