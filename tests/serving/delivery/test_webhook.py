"""A webhook: what it does with its answers, however they come."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Thread

import pytest

from features.errors import DeliveryError
from serving.delivery.signature import SigningKey
from serving.delivery.webhook import Message, Webhook

_DRIPS = 60  # a twentieth of a second each, then the answer is whole


@pytest.fixture
def dripping() -> Iterator[str]:
    """The address of a webhook that answers 200 byte by byte."""
    server, over = socket.create_server(("127.0.0.1", 0)), Event()

    def drip() -> None:
        with suppress(OSError):
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                for _ in range(_DRIPS):
                    over.wait(0.05)
                    connection.sendall(b".")
                connection.sendall(b"\r\nContent-Length: 0\r\n\r\n")

    thread = Thread(target=drip, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"
    over.set()
    server.close()
    thread.join()


def test_a_webhook_that_drips_its_answer_is_given_up_in_time(dripping: str) -> None:
    key = SigningKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    hook = Webhook(dripping, key, timeout_seconds=0.3, retry_seconds=0)

    with pytest.raises(DeliveryError, match="is too slow: no answer in time"):
        hook.send(Message("alert_1", "alert.opened", "2024-01-01", {}))
    hook.close()
