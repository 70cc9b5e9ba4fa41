"""The OpenAPI document is valid, its examples work, and the service keeps what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from serving.api.endpoints import Endpoints
from serving.api.openapi import openapi_document
from serving.api.refusals import ErrorResponse
from serving.champion.champion import Champion
from serving.store.store import Store

if TYPE_CHECKING:
    from conftest import Server

OPERATIONS = Endpoints(Champion("sqlite:///none.db", Path("none")), Store("sqlite:///none.db")).operations()
DOCUMENT = openapi_document(OPERATIONS)


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_the_document_has_every_operation_that_is_to_be_documented() -> None:
    documented = {(each.path, each.method.lower()) for each in OPERATIONS if each.documented}

    assert documented == {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert {
        "/score",
        "/lookup",
        "/explain",
        "/card",
        "/forget",
        "/model",
        "/livez",
        "/readyz",
        "/metrics",
    } == set(DOCUMENT["paths"])
    assert "422" not in str(DOCUMENT["paths"])


@pytest.mark.slow
def test_the_document_is_what_the_service_gives(server: Server) -> None:
    assert server.client.get("/docs.json").json() == DOCUMENT


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/score", "/lookup", "/explain", "/card"])
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
def test_whatever_is_sent_is_answered_as_the_document_says(server: Server, tmp_path: Path) -> None:
    # No schema says that two customers have two ids, that a field is in all transactions or in none, or that
    # an order in the future is of no use: there a body that fits the schema may be refused, by design.
    (tmp_path / "schemathesis.toml").write_text(
        """
        [[operations]]
        include-path = ["/score", "/explain", "/card"]
        checks.positive_data_acceptance.enabled = false
        """
    )
    key = server.store.keys.add("fuzzer", scopes=("score", "lookup", "erase"))
    run = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{server.url}/docs.json"]
    run += ["--header", f"Authorization: Bearer {key}", "--mode", "all"]  # and all checks
    run += ["--max-examples", "25", "--max-time", "60", "--seed", "7", "--generation-database", "none"]

    done = subprocess.run([*run, "--no-color"], cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout
    assert "Tested: 9" in done.stdout, done.stdout
