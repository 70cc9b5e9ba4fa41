"""The service's OpenAPI document, made from the schemas that decode and answer."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from serving.api.refusals import ErrorResponse
from serving.api.schemas import ModelInfo, ScoreRequest, ScoreResponse

_REFUSALS = {
    400: "The request is wrong; `details` says where.",
    413: "The body is too large.",
    415: "The body is not `application/json`.",
    429: "Too many requests at a time.",
    503: "No champion model yet.",
}
_JSON = "application/json"


def openapi_document() -> dict[str, Any]:
    """Return the document, in OpenAPI 3.1.

    Examples
    --------
    >>> sorted(openapi_document()["paths"])
    ['/livez', '/metrics', '/model', '/readyz', '/score']
    """
    _, definitions = models_json_schema(
        [
            (ScoreRequest, "validation"),
            (ScoreResponse, "serialization"),
            (ModelInfo, "serialization"),
            (ErrorResponse, "serialization"),
        ],
        ref_template="#/components/schemas/{model}",
    )
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
            "/score": {"post": _score()},
            "/model": {"get": _get("model", "The version that scores", ModelInfo, 503)},
            "/livez": {"get": _probe("livez", "The process answers.")},
            "/readyz": {"get": _probe("readyz", "A champion is loaded.", 503)},
            "/metrics": {"get": _probe("metrics", "Prometheus metrics.")},
        },
        "components": {"schemas": definitions["$defs"]},
    }


def _score() -> dict[str, Any]:
    operation = _get("score", "Score customers, sent with their orders", ScoreResponse, *_REFUSALS)
    return operation | {"requestBody": {"required": True, "content": _content(ScoreRequest)}}


def _get(operation_id: str, summary: str, answer: type[BaseModel], *refusals: int) -> dict[str, Any]:
    done = {"200": {"description": str(answer.__doc__).splitlines()[0], "content": _content(answer)}}
    return {"operationId": operation_id, "summary": summary, "responses": done | _refusals(*refusals)}


def _probe(operation_id: str, summary: str, *refusals: int) -> dict[str, Any]:
    done = {"200": {"description": summary, "content": {"text/plain": {"schema": {"type": "string"}}}}}
    return {"operationId": operation_id, "summary": summary, "responses": done | _refusals(*refusals)}


def _refusals(*statuses: int) -> dict[str, Any]:
    return {
        str(status): {"description": _REFUSALS[status], "content": _content(ErrorResponse)}
        for status in statuses
    }


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {_JSON: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
