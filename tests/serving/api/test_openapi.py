"""The OpenAPI document is valid, its examples work, and the service keeps what it promises."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from serving.api.endpoints import Endpoints
from serving.api.openapi import openapi_document
from serving.api.refusals import ErrorResponse
from serving.champion.champion import Champion
from serving.store.store import Store

if TYPE_CHECKING:
    from conftest import Server

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
OPERATIONS = Endpoints(Champion("sqlite:///none.db", Path("none")), Store("sqlite:///none.db")).operations()
DOCUMENT = openapi_document(OPERATIONS)
document = schemathesis.openapi.from_dict(DOCUMENT)


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_the_document_has_every_operation_that_is_to_be_documented() -> None:
    documented = {(each.path, each.method.lower()) for each in OPERATIONS if each.documented}

    assert documented == {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert {"/score", "/lookup", "/explain", "/forget", "/model", "/livez", "/readyz", "/metrics"} == set(
        DOCUMENT["paths"]
    )
    assert "422" not in str(DOCUMENT["paths"])


def test_the_document_is_what_the_service_gives(server: Server) -> None:
    assert server.client.get("/docs.json").json() == DOCUMENT


@pytest.mark.parametrize("path", ["/score", "/lookup", "/explain"])
def test_the_examples_can_be_sent(server: Server, path: str) -> None:
    schemas = DOCUMENT["components"]["schemas"]
    operation = DOCUMENT["paths"][path]["post"]
    taken = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    given = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]

    for example in schemas[taken]["examples"]:
        answer = server.client.post(path, json=example)

        assert answer.status_code == 200
        assert set(answer.json()) == set(schemas[given]["properties"])


def test_the_refusals_shown_are_of_the_one_shape() -> None:
    shown: list[dict[str, Any]] = [
        answer["content"]["application/json"]["example"]
        for operations in DOCUMENT["paths"].values()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        if status != "200"
    ]

    assert len(shown) > 20
    for example in shown:
        ErrorResponse.model_validate(example)


@pytest.mark.slow
@document.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_is_answered_as_the_document_says(case: schemathesis.Case, server: Server) -> None:
    case.call_and_validate(
        base_url=server.url,
        headers={"Authorization": server.client.headers["Authorization"]},
        checks=list(CHECKS),
    )
