"""The limits of a request's head, on a real connection to uvicorn."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from serving.api.protocol import MAX_HEAD_BYTES, MAX_HEADERS, LimitedProtocol

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(await request.body())


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """A server that gives bodies back."""
    app = Starlette(routes=[Route("/", echo, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, http=LimitedProtocol, log_config=None, lifespan="off"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listening.getsockname()
        server.should_exit = True
        thread.join()


def ask(address: tuple[str, int], *parts: bytes) -> tuple[int, str]:
    """Send a request in parts; return status and body."""
    with socket.create_connection(address, timeout=10) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(0.01)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was refused meanwhile
        received = b""
        while b"\r\n\r\n" not in received or not received.partition(b"\r\n\r\n")[2]:
            if not (more := connection.recv(65536)):
                break
            received += more
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def code(body: str) -> str:
    return str(json.loads(body)["error"]["code"])


def test_a_request_within_the_limits_is_answered(address: tuple[str, int]) -> None:
    headers = b"".join(b"X-%d: %s\r\n" % (number, b"v" * 400) for number in range(MAX_HEADERS - 2))

    assert ask(address, HEAD, headers, b"Content-Length: 2\r\n\r\n", b"ok") == (200, "ok")


def test_a_body_may_be_larger_than_a_head_and_come_in_many_pieces(address: tuple[str, int]) -> None:
    chunks = [b"2\r\nab\r\n"] * 20_000

    status, body = ask(address, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"".join(chunks), b"0\r\n\r\n")

    assert status == 200
    assert set(body) == {"a", "b"}


@pytest.mark.parametrize(
    "parts",
    [
        [HEAD, b"X: " + b"v" * MAX_HEAD_BYTES, b"\r\n\r\n"],
        [HEAD + b"X: "] + [b"v" * 10_000] * 10,
        [HEAD, b"".join(b"X-%d: v\r\n" % number for number in range(MAX_HEADERS)), b"\r\n"],
        [b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\n\r\n"],
        [HEAD, b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n", b"X: " + b"v" * MAX_HEAD_BYTES, b"v"],
    ],
    ids=["a long header", "a header without an end", "many headers", "a long path", "a long trailer"],
)
def test_a_head_that_is_too_large_is_refused_before_it_is_complete(
    address: tuple[str, int], parts: list[bytes]
) -> None:
    status, body = ask(address, *parts)

    assert (status, code(body)) == (431, "headers_too_large")


def test_what_is_no_request_is_refused_in_the_one_shape(address: tuple[str, int]) -> None:
    status, body = ask(address, b"nonsense\r\n\r\n")

    assert (status, code(body)) == (400, "invalid_request")
