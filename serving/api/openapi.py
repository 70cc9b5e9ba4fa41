"""The service's OpenAPI document, made from the schemas that decode and answer."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from serving.api.answers import LookupResponse, ModelInfo, ScoreResponse
from serving.api.refusals import ErrorResponse, Refusal
from serving.api.requests import ExplainRequest, LookupRequest, ScoreRequest
from serving.explanation.explanation import Explanation

_REFUSALS = {
    400: "The request is wrong; `details` says where.",
    401: "No API key, or not a good one.",
    403: "The key's scopes do not reach here.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is not `application/json`.",
    429: "Too many requests with this key; `Retry-After` says when to come back.",
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
_JSON = "application/json"
_KEY: list[dict[str, list[str]]] = [{"apiKey": []}]
_SCHEMAS = "#/components/schemas/"


def openapi_document() -> dict[str, Any]:
    """Return the document, in OpenAPI 3.1.

    Examples
    --------
    >>> sorted(openapi_document()["paths"])
    ['/explain', '/livez', '/lookup', '/metrics', '/model', '/readyz', '/score']
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "stayworth",
            "version": version("stayworth"),
            "summary": "Who is likely to leave, and what they are worth.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": {
            "/score": {
                "post": _post("score", "Score customers, sent with their orders", ScoreRequest, ScoreResponse)
            },
            "/lookup": {
                "post": _post(
                    "lookup", "Newest published scores by customer id", LookupRequest, LookupResponse
                )
            },
            "/explain": {
                "post": _post("explain", "Why one customer has their score", ExplainRequest, Explanation)
            },
            "/model": {
                "get": _operation("model", "The version that scores", ModelInfo, 401, 429, 500, 503)
                | {"security": _KEY}
            },
            "/livez": {"get": _probe("livez", "The process answers.")},
            "/readyz": {"get": _probe("readyz", "A champion is loaded.", 503)},
            "/metrics": {"get": _probe("metrics", "Prometheus metrics, unless switched off.", 401)},
        },
        "components": {
            "schemas": _definitions(),
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made by `stayworth keys add NAME`. Not asked for on loopback without keys.",
                }
            },
        },
    }


def _definitions() -> dict[str, Any]:
    """Return every schema of what is taken and given."""
    taken = [
        (model, "validation", TypeAdapter(model).core_schema)
        for model in (ScoreRequest, LookupRequest, ExplainRequest)
    ]
    given = [
        (model, "serialization", TypeAdapter(model).core_schema)
        for model in (ScoreResponse, LookupResponse, Explanation, ModelInfo, ErrorResponse)
    ]
    generator = GenerateJsonSchema(ref_template=_SCHEMAS + "{model}")
    _, definitions = generator.generate_definitions([*taken, *given])  # type: ignore[list-item]
    schemas: dict[str, Any] = {str(name): schema for name, schema in definitions.items()}
    schemas["Explanation"]["properties"]["score"] = {"$ref": f"{_SCHEMAS}CustomerScore"}
    return schemas


def _post(operation_id: str, summary: str, taken: type[BaseModel], given: type) -> dict[str, Any]:
    body = {"schema": {"$ref": _SCHEMAS + taken.__name__}}
    return _operation(operation_id, summary, given, *_REFUSALS) | {
        "security": _KEY,
        "requestBody": {"required": True, "content": {_JSON: body}},
    }


def _operation(operation_id: str, summary: str, answer: type, *refusals: int) -> dict[str, Any]:
    done = {
        "200": {
            "description": str(answer.__doc__).splitlines()[0],
            "headers": _REQUEST_ID,
            "content": {_JSON: {"schema": {"$ref": _SCHEMAS + answer.__name__}}},
        }
    }
    return {
        "operationId": operation_id,
        "summary": summary,
        "parameters": [_GIVEN_ID],
        "responses": done | _refusals(*refusals),
    }


def _probe(operation_id: str, summary: str, *refusals: int) -> dict[str, Any]:
    done = {"200": {"description": summary, "content": {"text/plain": {"schema": {"type": "string"}}}}}
    return {"operationId": operation_id, "summary": summary, "responses": done | _refusals(*refusals)}


def _refusals(*statuses: int) -> dict[str, Any]:
    return {
        str(status): {
            "description": _REFUSALS[status],
            "headers": _REQUEST_ID | (_RETRY if status in (429, 503) else {}),
            "content": {
                _JSON: {
                    "schema": {"$ref": _SCHEMAS + "ErrorResponse"},
                    "example": ErrorResponse(error=Refusal(status, _REFUSALS[status]).error).model_dump(),
                }
            },
        }
        for status in statuses
    }
