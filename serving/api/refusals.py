"""Error answers: one JSON shape for all, naming the caller's fields, without the caller's values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from serving.api.orders_request import HINTS

_CODES = {
    400: "invalid_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
    431: "headers_too_large",
    500: "internal",
    503: "not_ready",
}
_MESSAGES = {
    404: "There is nothing at this path. What there is: /docs.json.",
    408: "The body did not arrive in time. Send it at once.",
    415: "Send JSON, with the header Content-Type: application/json.",
    431: "The request line and headers are larger than 64 KiB, or more than 100.",
    500: "The service failed; its log says where, under this answer's X-Request-ID.",
    503: "The service is not ready.",
}
OVERLOADED = "overloaded"
"""The code of a 503 for want of room or time, not of a model or store."""

_MOST_PROBLEMS = 50
_ABOUT_THE_FIELD = {"missing", "extra_forbidden", "list_type", "too_short", "too_long"}


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
    """The JSON shape of every error answer."""

    error: Error


class Refusal(Exception):
    """An error answer, raised by whatever finds the error.

    Parameters
    ----------
    status : int
    message : str, optional
        By default the status's own.
    code : str, optional
        By default the status's own.
    details : sequence of Problem
    headers : mapping of str to str
        Such as ``Retry-After``.
    """

    def __init__(
        self,
        status: int,
        message: str | None = None,
        *,
        code: str | None = None,
        details: Iterable[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message)
        self.status, self.headers = status, headers
        self.error = Error(
            code=code or _CODES.get(status) or HTTPStatus(status).name.lower(),
            message=message or _MESSAGES.get(status) or f"{HTTPStatus(status).phrase}.",
            details=list(details),
        )

    @classmethod
    def of(cls, errors: Iterable[Mapping[str, Any]]) -> Refusal:
        """Return the 400 of a body that does not fit its schema, from `pydantic.ValidationError.errors`."""
        found = problems(errors)
        return cls(400, f"The request is not valid: {found[0].loc}: {found[0].message}", details=found)

    def response(self) -> JSONResponse:
        """Return the answer as `ErrorResponse`.

        Examples
        --------
        >>> Refusal(415).response().body
        b'{"error":{"code":"unsupported_media_type","message":"Send JSON, ...","details":[]}}'
        """
        content = ErrorResponse(error=self.error).model_dump()
        return JSONResponse(content, status_code=self.status, headers=dict(self.headers or {}))


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
    [Problem(loc='customers.0.amount', message="should be a number below ten trillion, ...")]
    """
    found: dict[str, str] = {}
    for entry in errors:
        loc, message = list(entry["loc"]), entry["msg"]
        place = next((place for place, part in enumerate(loc) if part in HINTS), None)
        if place is not None and entry["type"] not in _ABOUT_THE_FIELD:
            # A name that follows the field says which of its types did not fit; a number is a place in a list.
            message = HINTS[str(loc[place])]
            loc = loc[: place + 1] + [part for part in loc[place + 1 :] if isinstance(part, int)]
        found.setdefault(".".join(map(str, loc))[:200] or "body", message.removeprefix("Value error, "))
        if len(found) == _MOST_PROBLEMS:
            break
    return [Problem(loc=loc, message=message) for loc, message in found.items()]
