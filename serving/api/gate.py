"""The gate every request passes: its id, its key, its limits, its one shape of refusal, its trace.

An ASGI application in front of BentoML's. The paths that are ours are answered here, without a second router; the
rest (the probes, the page at ``/``) is BentoML's, and what it refuses is put in our words. A log line and
the metrics name the route, never the path, the query or the body that a caller made up.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.access import Access
from serving.api.endpoints import Call
from serving.api.logs import ACCESS
from serving.api.metrics import count_request
from serving.api.refusals import Refusal
from serving.store.keys import ApiKey

BODY_SECONDS = 30.0
"""How long a body may take to arrive."""

PROBES = ("/livez", "/readyz", "/healthz")

_REQUEST_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
_CLOSED_REQUEST = 499
"""Logged where the caller hung up before the answer (nginx's number)."""
_access_log = logging.getLogger(ACCESS)
_log = logging.getLogger("stayworth")


@dataclass(frozen=True)
class Route:
    """One path that is ours.

    Parameters
    ----------
    method : "GET" or "POST"
    answer : coroutine function of a Call, returning a Response
    scope : str or None
        What a key must be good for; empty: any key will do; None: no key is asked for.
    """

    method: str
    answer: Callable[[Call], Awaitable[Response]]
    scope: str | None


class Gate:
    """ASGI application.

    Parameters
    ----------
    app : ASGI application
        BentoML's.
    routes : mapping of path to Route
    access : Access
    unready : callable
        Says why the service is not ready; asked for the text of BentoML's 503.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Mapping[str, Route],
        access: Access,
        unready: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.app, self.routes, self.access, self.unready = app, routes, access, unready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, path, call = time.perf_counter(), scope["path"], Call()
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get(b"x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else token_hex(16)
        if route := self.routes.get(path):
            status = await self._answer(route, call, scope, headers, receive, send, request_id)
        else:
            status = await self._pass_on(scope, receive, send, request_id)
        name = path if route or path in PROBES else "other"
        seconds = time.perf_counter() - started
        count_request(name, status, seconds)
        if name not in PROBES and name != "/metrics":
            about = {"request_id": request_id, "route": name, "method": scope["method"], "status": status}
            fields = about | {"ms": round(seconds * 1000, 2)} | call.notes
            _access_log.info("request", extra={"fields": fields})

    async def _answer(
        self,
        route: Route,
        call: Call,
        scope: Scope,
        headers: Mapping[bytes, str],
        receive: Receive,
        send: Send,
        request_id: str,
    ) -> int:
        """Answer what is ours; return the status."""
        try:
            response = await self._admitted(route, call, scope["method"], headers, receive)
        except Refusal as refusal:
            response = refusal.response()
        except ClientDisconnect:
            response = Response(status_code=_CLOSED_REQUEST)
        except Exception:
            _log.exception("A request failed.", extra={"fields": {"request_id": request_id}})
            response = Refusal(500).response()
        response.headers["X-Request-ID"] = request_id
        await response(scope, receive, send)
        return response.status_code

    async def _admitted(
        self, route: Route, call: Call, method: str, headers: Mapping[bytes, str], receive: Receive
    ) -> Response:
        if method != route.method and not (method == "HEAD" and route.method == "GET"):
            raise Refusal(405, f"This path takes {route.method}.", headers={"Allow": route.method})
        key: ApiKey | None = None
        if route.scope is not None:
            key = await self.access.admit(headers.get(b"authorization", ""), route.scope)
            if key is not None:
                call.notes["key"] = key.name
        if method == "POST":
            if not _is_json(headers.get(b"content-type")):
                raise Refusal(415)
            call.body = await _body(receive, headers, self.access.max_body_bytes(key))
        return await route.answer(call)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> int:
        """Let BentoML answer; put its refusals in our shape. Return the status."""
        status = 0

        async def reshaped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if status < 400:
                    MutableHeaders(scope=message)["X-Request-ID"] = request_id
                    await send(message)
                else:
                    response = Refusal(status, self.unready() if status == 503 else None).response()
                    response.headers["X-Request-ID"] = request_id
                    await response(scope, receive, send)
            elif status < 400:
                await send(message)

        await self.app(scope, receive, reshaped)
        return status


async def _body(receive: Receive, headers: Mapping[bytes, str], most: int) -> bytes:
    """Read a body of at most ``most`` bytes, in time."""
    length = headers.get(b"content-length", "")
    if length.isdigit() and int(length) > most:
        raise _too_large(most)
    chunks: list[bytes] = []
    size, more = 0, True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more:
                message: Mapping[str, Any] = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > most:
                    raise _too_large(most)
                more = message.get("more_body", False)
    except TimeoutError:
        raise Refusal(408, headers={"Connection": "close"}) from None
    return b"".join(chunks)


def _too_large(most: int) -> Refusal:
    return Refusal(
        413, f"The body is larger than {most / 2**20:.3g} MiB. Send the customers in several requests."
    )


def _is_json(content_type: str | None) -> bool:
    return content_type is None or content_type.partition(";")[0].strip().lower() == "application/json"
