"""Refusals over HTTP: one shape for all of them, and nothing of what a customer sent in a log."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.schemas import HINTS

MAX_BODY_BYTES = 32 * 2**20

_CODES = {
    400: "invalid_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    500: "internal",
    503: "not_ready",
}
_MESSAGES = {
    404: "There is nothing at this path. What there is: /docs.json.",
    413: f"The body is larger than {MAX_BODY_BYTES // 2**20} MiB. Send the customers in several requests.",
    415: "Send JSON, with the header Content-Type: application/json.",
    500: "The service failed; its log says where, under this answer's X-Request-ID.",
    503: "The service is not ready.",
}
_MOST_PROBLEMS = 50
_REQUEST_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)


class Problem(BaseModel):
    """One thing that is wrong with a request, and where."""

    loc: Annotated[str, Field(examples=["customers.0.transactions.3.amount"])]
    message: str


class Error(BaseModel):
    """What went wrong."""

    code: Annotated[str, Field(examples=["invalid_request"])]
    message: str
    details: list[Problem] = []


class ErrorResponse(BaseModel):
    """The one shape of every refusal."""

    error: Error


def problems(errors: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """Say where a request is wrong and how, without repeating its values.

    Parameters
    ----------
    errors : iterable of mappings, as from `pydantic.ValidationError.errors`
        With ``type``, ``loc`` and ``msg``.

    Returns
    -------
    list of Problem, the first 50

    Examples
    --------
    >>> problems([{"type": "float_type", "loc": ("customers", 0, "amount", "float"), "msg": ""}])
    [Problem(loc='customers.0.amount', message="should be a number below a trillion, ...")]
    """
    found: dict[str, str] = {}
    for entry in errors:
        loc, message = list(entry["loc"]), entry["msg"]
        place = next((place for place, part in enumerate(loc) if part in HINTS), None)
        if place is not None and entry["type"] not in ("missing", "extra_forbidden"):
            # What follows the field says which of its types did not fit.
            loc, message = loc[: place + 1], HINTS[str(loc[place])]
        found.setdefault(".".join(map(str, loc))[:200] or "body", message.removeprefix("Value error, "))
        if len(found) == _MOST_PROBLEMS:
            break
    return [Problem(loc=loc, message=message) for loc, message in found.items()]


def refusal(status: int, message: str | None = None, details: list[Problem] | None = None) -> JSONResponse:
    """Return a refusal in the one shape there is.

    Examples
    --------
    >>> refusal(415).body
    b'{"error":{"code":"unsupported_media_type","message":"Send JSON, ...","details":[]}}'
    """
    code = _CODES.get(status) or HTTPStatus(status).name.lower()
    message = message or _MESSAGES.get(status) or f"{HTTPStatus(status).phrase}."
    error = ErrorResponse(error=Error(code=code, message=message, details=details or []))
    return JSONResponse(error.model_dump(), status_code=status)


class Refusals:
    """ASGI middleware that gives every refusal its shape and every answer its ``X-Request-ID``.

    Parameters
    ----------
    app : ASGI application
    unready : callable
        Says why the service is not ready; asked for the text of a 503.
    """

    def __init__(self, app: ASGIApp, unready: Callable[[], str | None] = lambda: None) -> None:
        self.app = app
        self.unready = unready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(scope, receive, send, self.unready)
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if scope["method"] == "POST" and not _is_json(headers.get("content-type")):
            await refusal(415)(scope, receive, answer.send)
        elif length.isdigit() and int(length) > MAX_BODY_BYTES:
            await refusal(413)(scope, receive, answer.send)
        else:
            await self.app(scope, answer.receive, answer.send)


class _Answer:
    """One request's answer: passed on as it is, or held back and reshaped if it is a refusal."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, unready: Callable[[], str | None]) -> None:
        self._scope, self._receive, self._send, self._unready = scope, receive, send, unready
        given = Headers(scope=scope).get("x-request-id", "")
        self._request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        self._received = 0
        self._status = 0
        self._body = b""

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > MAX_BODY_BYTES:
            raise ValueError("the body is too large")
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            if self._status < 400:
                MutableHeaders(scope=message)["X-Request-ID"] = self._request_id
        if self._status < 400:
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                response = self._reshaped()
                response.headers["X-Request-ID"] = self._request_id
                await response(self._scope, self._receive, self._send)

    def _reshaped(self) -> JSONResponse:
        if self._received > MAX_BODY_BYTES:
            return refusal(413)
        try:
            content = json.loads(self._body)
        except ValueError:
            content = None
        if isinstance(content, dict) and isinstance(content.get("error"), dict):
            return JSONResponse(content, status_code=self._status)
        if isinstance(content, dict) and isinstance(content.get("detail"), list):
            found = problems(content["detail"])
            return refusal(
                self._status, f"The request is not valid: {found[0].loc}: {found[0].message}", found
            )
        return refusal(self._status, self._unready() if self._status == 503 else None)


def keep_values_out_of_logs() -> None:
    """Let handlers write where an exception arose and its type, but not its words: they may hold data.

    A request that does not fit the schema is the caller's mistake: its 400 is in the access log, without a
    traceback of ours.
    """
    loggers = [logging.getLogger(), *map(logging.getLogger, list(logging.Logger.manager.loggerDict))]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        handler.addFilter(_without_values)


def _without_values(record: logging.LogRecord) -> bool:
    if record.exc_info and (error := record.exc_info[1]) is not None:
        if isinstance(error, ValidationError):
            return False
        frames = "".join(traceback.format_tb(error.__traceback__))
        record.exc_info, record.exc_text = None, f"{frames}{type(error).__module__}.{type(error).__name__}"
    return True


def _is_json(content_type: str | None) -> bool:
    return content_type is None or content_type.partition(";")[0].strip().lower() == "application/json"
