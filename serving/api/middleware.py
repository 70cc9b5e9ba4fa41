"""ASGI middleware for every request: its id, one line in the access log, and its count and time in the metrics.

Log and metrics name the route, never the path, the query or the body that a caller made up.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Collection
from secrets import token_hex

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.logs import ACCESS
from serving.api.metrics import count_request

UNLOGGED = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})
"""Probes and Prometheus ask every few seconds."""

_REQUEST_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
_log = logging.getLogger(ACCESS)


class RequestLog:
    """Gives a request its ``X-Request-ID``, and records it once it is answered.

    The application finds ``request_id`` and the dict ``log_fields``, to which it may add, in the request's state.

    Parameters
    ----------
    app : ASGI application
    paths : collection of str
        The routes; a request for anything else is recorded as "other".
    """

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self.app, self.paths = app, frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and record it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else token_hex(16)
        fields = {"request_id": request_id}
        scope.setdefault("state", {}).update(request_id=request_id, log_fields=fields)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        await self.app(scope, receive, send_with_id)
        route = scope["path"] if scope["path"] in self.paths else "other"
        seconds = time.perf_counter() - started
        count_request(route, status, seconds)
        if route not in UNLOGGED:
            about = {"request_id": request_id, "route": route, "method": scope["method"], "status": status}
            _log.info("request", extra={"fields": about | {"ms": round(seconds * 1000, 2)} | fields})
