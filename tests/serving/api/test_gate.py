"""The gate alone, asked as a server asks it: what hardly happens over a healthy connection."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from serving.api import endpoints, gate
from serving.api.access import Access
from serving.api.endpoints import Call, Endpoints
from serving.api.gate import Gate, Route
from serving.champion.champion import Champion
from serving.store.store import Store

JSON = [(b"content-type", b"application/json")]


def access(folder: Path) -> Access:
    return Access(Store(f"sqlite:///{folder / 'none.db'}").keys, "off", None, 1000)


async def beyond(scope: Scope, receive: Receive, send: Send) -> None:
    """What stands behind the gate, and refuses in words of its own."""
    await PlainTextResponse("Nope", status_code=503)(scope, receive, send)


def ask(app: Gate, path: str, receive: Receive, method: str = "POST") -> tuple[int, dict[str, str], Any]:
    """Send one request; return status, headers and decoded body."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": JSON}
    asyncio.run(app(scope, receive, send))
    start, *rest = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    body = b"".join(message.get("body", b"") for message in rest)
    return start["status"], headers, json.loads(body) if body else None


def arrives(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def opened(folder: Path, answer: Any) -> Gate:
    return Gate(beyond, routes={"/score": Route("POST", answer, "score")}, access=access(folder))


async def echo(call: Call) -> Response:
    return Response(call.body, media_type="application/json")


def test_a_body_that_does_not_arrive_in_time_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "BODY_SECONDS", 0.05)

    async def never() -> Message:
        await asyncio.sleep(60)
        raise AssertionError("nobody waits so long")

    status, headers, body = ask(opened(tmp_path, echo), "/score", never)

    assert (status, body["error"]["code"]) == (408, "request_timeout")
    assert headers["connection"] == "close"


def test_a_caller_who_hangs_up_is_not_a_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    status, _, _ = ask(opened(tmp_path, echo), "/score", gone)

    assert status == 499
    assert not caplog.records


def test_what_fails_here_is_told_without_its_words(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def fails(call: Call) -> Response:
        raise RuntimeError("s3cret")

    with caplog.at_level(logging.ERROR):
        status, headers, body = ask(opened(tmp_path, fails), "/score", arrives(b"{}"))

    assert (status, body["error"]["code"]) == (500, "internal")
    (record,) = caplog.records
    assert record.fields == {"request_id": headers["x-request-id"]}  # type: ignore[attr-defined]
    assert "s3cret" not in json.dumps(body) + record.getMessage()


def test_what_stands_behind_refuses_in_our_words(tmp_path: Path) -> None:
    app = Gate(beyond, routes={}, access=access(tmp_path), unready=lambda: "No champion yet.")

    status, headers, body = ask(app, "/readyz", arrives(b""), "GET")

    assert (status, body) == (
        503,
        {"error": {"code": "not_ready", "message": "No champion yet.", "details": []}},
    )
    assert headers["content-type"] == "application/json"


def test_too_many_who_wait_are_told_to_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "WAITING", 0)
    champion = Champion("sqlite:///none.db", tmp_path)
    answers = Endpoints(champion, Store(f"sqlite:///{tmp_path / 'none.db'}"))

    status, headers, body = ask(opened(tmp_path, answers.score), "/score", arrives(b"{}"))

    assert (status, body["error"]["code"]) == (503, "overloaded")
    assert headers["retry-after"] == "1"
