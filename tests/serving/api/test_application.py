"""The ASGI application called directly: what hardly happens over a healthy connection."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive

from serving.api import application, body
from serving.api.access import Access
from serving.api.application import Application
from serving.api.endpoints import Endpoints
from serving.api.operation import ApiRequest, Operation
from serving.champion.champion import Champion
from serving.store.store import Store

if TYPE_CHECKING:
    from conftest import ScoredList

JSON = [(b"content-type", b"application/json")]


def access(folder: Path) -> Access:
    return Access(Store(f"sqlite:///{folder / 'none.db'}").keys, "off", None, 1000)


async def answer(
    app: ASGIApp,
    path: str,
    receive: Receive,
    method: str = "POST",
    headers: list[tuple[bytes, bytes]] = JSON,
) -> tuple[int, dict[str, str], Any]:
    """Send one request; return status, headers and decoded body."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
    start, *rest = sent
    answered = {name.decode(): value.decode() for name, value in start["headers"]}
    content = b"".join(message.get("body", b"") for message in rest)
    return start["status"], answered, json.loads(content) if content.strip() else None


def ask(*arguments: Any, **options: Any) -> tuple[int, dict[str, str], Any]:
    """Send one request, in an event loop of its own."""
    return asyncio.run(answer(*arguments, **options))


def arrives(content: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    return receive


def answering(answer: Any, folder: Path) -> ASGIApp:
    """An application with one path."""
    return Application([Operation("POST", "/score", answer, "score")], access(folder))


async def echo(request: ApiRequest) -> Response:
    return Response(request.body, media_type="application/json")


def test_a_body_that_does_not_arrive_in_time_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "BODY_SECONDS", 0.05)

    async def never() -> Message:
        await asyncio.sleep(60)
        raise AssertionError("nobody waits so long")

    status, headers, answered = ask(answering(echo, tmp_path), "/score", never)

    assert (status, answered["error"]["code"]) == (408, "request_timeout")
    assert headers["connection"] == "close"


def test_a_caller_who_hangs_up_is_not_a_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    status, _, _ = ask(answering(echo, tmp_path), "/score", gone)

    assert status == 499
    assert not caplog.records


def test_what_fails_here_is_told_without_its_words(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def fails(request: ApiRequest) -> Response:
        raise RuntimeError("s3cret")

    with caplog.at_level(logging.ERROR):
        status, headers, answered = ask(answering(fails, tmp_path), "/score", arrives(b"{}"))

    assert (status, answered["error"]["code"]) == (500, "internal")
    (record,) = caplog.records
    assert record.fields == {"request_id": headers["x-request-id"]}  # type: ignore[attr-defined]
    assert "s3cret" not in json.dumps(answered) + record.getMessage()


def test_without_keys_nobody_is_erased(tmp_path: Path) -> None:
    app = Application([Operation("POST", "/forget", echo, "erase")], access(tmp_path))

    status, _, answered = ask(app, "/forget", arrives(b"{}"))

    assert status == 403
    assert "stayworth keys add NAME --scope erase" in answered["error"]["message"]


def test_without_a_model_it_is_alive_but_not_ready_and_says_why(tmp_path: Path) -> None:
    champion = Champion("sqlite:///none.db", tmp_path)
    answers = Endpoints(champion, Store(f"sqlite:///{tmp_path / 'none.db'}"))
    app = Application(answers.operations(), access(tmp_path))

    status, headers, answered = ask(app, "/readyz", arrives(b""), "GET")

    assert (status, answered["error"]["code"]) == (503, "not_ready")
    assert answered["error"]["message"] == "No champion model is loaded. The service's log says why."
    assert headers["content-type"] == "application/json"
    assert ask(app, "/livez", arrives(b""), "HEAD")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [("GET", "/score", 405, "POST"), ("POST", "/score/", 404, None), ("GET", "/nothing", 404, None)],
)
def test_what_the_router_refuses_has_the_one_shape(
    tmp_path: Path, method: str, path: str, status: int, allowed: str | None
) -> None:
    refused, headers, answered = ask(answering(echo, tmp_path), path, arrives(b"{}"), method)

    assert (refused, headers.get("allow"), answered["error"]["details"]) == (status, allowed, [])
    assert len(headers["x-request-id"]) == 32


@pytest.mark.parametrize("content_type", [None, b"", b"text/plain", b"application/jsonp"])
def test_a_body_that_is_not_said_to_be_json_is_not_read(tmp_path: Path, content_type: bytes | None) -> None:
    # A page of another site may send any of these to a service on this machine, but not application/json.
    async def never() -> Message:
        raise AssertionError("it is not read")

    headers = [] if content_type is None else [(b"content-type", content_type)]

    status, _, answered = ask(answering(echo, tmp_path), "/score", never, headers=headers)

    assert (status, answered["error"]["code"]) == (415, "unsupported_media_type")


def test_bodies_share_a_limit_that_one_alone_may_exceed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "BUFFERED_BYTES", 10)
    app = answering(echo, tmp_path)
    parts = iter([b"[1, 2", b", 3, 4]"])
    meanwhile: list[int] = []

    async def in_two_parts() -> Message:
        part = next(parts)
        if part.endswith(b"]"):  # five bytes are held
            meanwhile.append((await answer(app, "/score", arrives(b"[1, 2]")))[0])
        return {"type": "http.request", "body": part, "more_body": not part.endswith(b"]")}

    first = ask(app, "/score", in_two_parts)

    assert (first[0], first[2]) == (200, [1, 2, 3, 4])
    assert meanwhile == [503]
    assert ask(app, "/score", arrives(b"[1, 2]"))[0] == 200  # what was held is released


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:3000", 200),
        ("127.0.0.1:3000", 200),
        ("[::1]:3000", 200),
        ("127.0.0.1", 200),
        ("evil.example:3000", 403),
        ("127.0.0.1.evil.example", 403),
        ("", 403),
    ],
)
def test_without_keys_only_requests_for_this_machine_are_answered(
    tmp_path: Path, host: str, status: int
) -> None:
    # A page of evil.example may let that name resolve to 127.0.0.1, and would read the answer.
    keys = Store(f"sqlite:///{tmp_path / 'none.db'}").keys
    local = Access(keys, "off", None, 1000, loopback_host="127.0.0.1")
    app = Application([Operation("POST", "/score", echo, "score")], local)

    found = ask(app, "/score", arrives(b"{}"), headers=[*JSON, (b"host", host.encode())])

    assert found[0] == status


def test_a_refusal_of_too_much_is_given_only_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Else a program that asks again at once would be refused so often that little else is done.
    monkeypatch.setattr(application, "HELD_SECONDS", 0.05)
    store = Store(f"sqlite:///{tmp_path / 'none.db'}")
    one_per_hour = Access(store.keys, "off", "1/hour", 1000)
    app = Application([Operation("POST", "/score", echo, "score")], one_per_hour)

    with caplog.at_level(logging.INFO, "stayworth.access"):
        statuses = [ask(app, "/score", arrives(b"{}"))[0] for _ in range(2)]

    assert statuses == [200, 429]
    assert caplog.records[-1].fields["ms"] >= 50  # type: ignore[attr-defined]


def test_nobody_waits_for_a_lookup_in_a_locked_file(tmp_path: Path, scored_list: ScoredList) -> None:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.publish(scored_list(["17"]))
    app = Application(
        Endpoints(Champion("sqlite:///none.db", tmp_path), store).operations(), access(tmp_path)
    )
    ids = b'{"customer_ids": ["17"]}'

    async def meanwhile() -> tuple[int, bool, int]:
        with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
            # As a file is that another program has opened: its readers wait for its writer.
            other.execute("PRAGMA journal_mode = delete")
            other.execute("BEGIN EXCLUSIVE")
            lookup = asyncio.create_task(answer(app, "/lookup", arrives(ids)))
            await asyncio.sleep(0.05)  # the lookup has begun
            live = await answer(app, "/livez", arrives(b""), "GET")
            waiting = not lookup.done()
            other.execute("ROLLBACK")
        return live[0], waiting, (await lookup)[0]

    assert asyncio.run(meanwhile()) == (200, True, 200)
