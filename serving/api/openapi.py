"""The OpenAPI document: FastAPI describes the operations and schemas; what refusals and headers mean is added."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel

from serving.api.operation import Operation
from serving.api.refusals import ErrorResponse, Refusal

_REFUSALS = {
    400: "The request is wrong; `details` says where.",
    401: "No API key, or not a valid one.",
    403: "The key lacks the scope, or the `Host` is not this machine.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is not `application/json`.",
    429: "Too many requests with this key, or too many wrong keys; `Retry-After` says when to come back.",
    431: "The request line and headers are too large.",
    500: "The service failed.",
    503: "No champion model yet, no published scores, a store that is down, or too many requests at a time.",
}
_RETRY = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_REQUEST_ID = {
    "X-Request-ID": {"description": "The request's own, or a new one.", "schema": {"type": "string"}}
}
_GIVEN_ID = {
    "name": "X-Request-ID",
    "in": "header",
    "required": False,
    "description": "Up to 128 letters, digits and `_.:-`; echoed, and written in the service's log.",
    "schema": {"type": "string"},
}
_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "description": "Language of the sentences in the answer, such as reasons: en, or fa for Persian.",
    "schema": {"type": "string"},
}
_SAID_IN = {"Content-Language": {"description": "Of the sentences in it.", "schema": {"type": "string"}}}
_KEY = "Made by `stayworth keys add NAME`. Not asked for on loopback without keys."


def openapi_document(operations: Collection[Operation]) -> dict[str, Any]:
    """Return the document, in OpenAPI 3.1.

    Parameters
    ----------
    operations : collection of Operation
        Those that are not ``documented`` are left out.
    """
    from fastapi import (
        FastAPI,
        Security,
    )  # here: the import takes a third of a second, and commands need none
    from fastapi.responses import JSONResponse, Response
    from fastapi.security import HTTPBearer

    app = FastAPI(
        title="stayworth",
        version=version("stayworth"),
        summary="Who is likely to leave, and what they are worth.",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=[{"url": "/"}],
    )
    key = Security(HTTPBearer(scheme_name="apiKey", description=_KEY))
    for each in operations:
        app.add_api_route(
            each.path,
            _endpoint(each.request),
            methods=[each.method],
            operation_id=each.path.strip("/"),
            summary=_first_line(each.answer).rstrip("."),
            response_model=each.response,
            response_description=_first_line(each.response or each.answer),
            response_class=JSONResponse if each.response else Response,
            responses=_responses(each),
            dependencies=[] if each.scope is None else [key],
            openapi_extra={"parameters": _parameters(each)} if each.response else None,
            include_in_schema=each.documented,
        )
    return _without_validation_errors(app.openapi())


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    return [_GIVEN_ID, *([_LANGUAGE] if operation.in_language else [])]


def _endpoint(body: type[BaseModel] | None) -> Callable[..., None]:
    """Return a function with a parameter for the body, from which FastAPI reads the schema."""
    if body is None:
        return lambda: None

    def endpoint(body: BaseModel) -> None: ...

    endpoint.__annotations__["body"] = body
    return endpoint


def _responses(operation: Operation) -> dict[int | str, dict[str, Any]]:
    """Return what each status means, besides the schema of the answer itself."""
    done: dict[str, Any] = {"headers": _REQUEST_ID | (_SAID_IN if operation.in_language else {})}
    if operation.response is None:
        done["content"] = {"text/plain": {"schema": {"type": "string"}}}
    return {200: done, **{status: _refusal(status) for status in operation.refusals}}


def _refusal(status: int) -> dict[str, Any]:
    error = Refusal(status, _REFUSALS[status]).error
    return {
        "description": _REFUSALS[status],
        "model": ErrorResponse,
        "headers": _REQUEST_ID | (_RETRY if status in (429, 503) else {}),
        "content": {"application/json": {"example": ErrorResponse(error=error).model_dump()}},
    }


def _without_validation_errors(document: dict[str, Any]) -> dict[str, Any]:
    """Remove FastAPI's 422: an invalid body is a 400 here, in the one shape of refusals."""
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
    return document


def _first_line(documented: Any) -> str:
    return str(documented.__doc__).strip().partition("\n")[0]
