"""A webhook: an address that takes signed messages by HTTP, asked again where that may help."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import stamina

from features.errors import DeliveryError, StayworthError
from features.language import translated
from serving.delivery.signature import SigningKey

_TRY_AGAIN = frozenset({408, 425, 429})
_OF_THE_MESSAGE = frozenset({400, 409, 413, 415, 422})
logging.getLogger("stamina").addHandler(logging.NullHandler())  # else retries are printed where nobody logs


@dataclass(frozen=True)
class Message:
    """Something to tell a receiver.

    Attributes
    ----------
    id : str
        The same whenever it is sent, so that a receiver can tell a repetition.
    kind : str, such as ``alert.opened``
    made_at : str, ISO, when it became true
    data : dict, ready for JSON
    """

    id: str
    kind: str
    made_at: str
    data: dict[str, Any]

    @property
    def body(self) -> bytes:
        """The body: ``{"type", "timestamp", "data"}``, to the letter the same whenever it is sent."""
        told = {"type": self.kind, "timestamp": self.made_at, "data": self.data}
        return json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


class MessageRefused(DeliveryError):
    """The webhook answered, and does not take this message; it may take others."""


class Webhook:
    """An address that takes messages.

    Parameters
    ----------
    url : str, http or https
    key : SigningKey
    timeout_seconds : float
        Until an attempt is given up that has no answer, even while the webhook sends it byte by byte.
    retry_seconds : float
        How long to try again with a message, after waits that grow or that the webhook names; 0: once.

    Raises
    ------
    StayworthError
        If the address is none.
    """

    def __init__(
        self, url: str, key: SigningKey, *, timeout_seconds: float = 10.0, retry_seconds: float = 30.0
    ) -> None:
        found = None
        with suppress(httpx.InvalidURL):
            found = httpx.URL(url)
        if found is None or found.scheme not in ("http", "https") or not found.host or found.userinfo:
            raise StayworthError(
                translated(
                    "The webhook's address is to be like https://example.com/hook, without a user or password"
                    " in it."
                )
            )
        self.url = str(found)
        self.address = f"{found.scheme}://{found.netloc.decode()}"
        self._key, self._retry_seconds = key, retry_seconds
        # Timeouts of HTTP clients begin again with every byte; a loop can be told to stop in the middle of an answer.
        self._loop, self._timeout_seconds = asyncio.Runner(), timeout_seconds
        self._http = httpx.AsyncClient(timeout=timeout_seconds, follow_redirects=False)

    def __repr__(self) -> str:
        return f"Webhook({self.address!r})"

    def send(self, message: Message) -> None:
        """Send a message until it is taken: until the webhook answers with 2xx.

        Raises
        ------
        MessageRefused
            If the webhook does not take this message.
        DeliveryError
            If it takes none: it cannot be reached, fails, is too slow, or refuses its callers.
        """
        until = time.monotonic() + self._retry_seconds

        def wait(error: Exception) -> bool | float:
            if not (isinstance(error, _AskAgain) and time.monotonic() + (error.after or 0.0) < until):
                return False
            return True if error.after is None else error.after

        for attempt in stamina.retry_context(wait, attempts=None, timeout=None):
            with attempt:
                self._send(message)

    def close(self) -> None:
        """Close the connections."""
        self._loop.run(self._http.aclose())
        self._loop.close()

    def _send(self, message: Message) -> None:
        now, body = int(time.time()), message.body
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": str(now),
            "webhook-signature": self._key.sign(message.id, now, body),
        }
        try:
            status, after = self._loop.run(self._posted(body, headers))
        except (httpx.TimeoutException, TimeoutError):
            raise _AskAgain(
                translated("The webhook at {address} is too slow: no answer in time.", address=self.address)
            ) from None
        except httpx.TransportError as error:
            raise _AskAgain(
                translated(
                    "The webhook at {address} gives no answer ({kind}).",
                    address=self.address,
                    kind=type(error).__name__,
                )
            ) from None
        self._require_taken(status, after, message)

    def _require_taken(self, status: int, after: str, message: Message) -> None:
        if 200 <= status < 300:
            return
        if status >= 500 or status in _TRY_AGAIN:
            seconds = float(after) if after.isascii() and after.isdigit() else None
            raise _AskAgain(
                translated("The webhook at {address} answers {status}.", address=self.address, status=status),
                seconds,
            )
        if status in _OF_THE_MESSAGE:
            raise MessageRefused(
                translated(
                    "The webhook at {address} answers {status} to {id}.",
                    address=self.address,
                    status=status,
                    id=message.id,
                )
            )
        raise DeliveryError(
            translated(
                "The webhook at {address} answers {status}.{meaning}",
                address=self.address,
                status=status,
                meaning=_meaning(status),
            )
        )

    async def _posted(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """Return status and ``Retry-After``; what the webhook writes is not read: it may be long or repeat the body."""
        async with asyncio.timeout(self._timeout_seconds):
            async with self._http.stream("POST", self.url, content=body, headers=headers) as answer:
                return answer.status_code, answer.headers.get("Retry-After", "")


class _AskAgain(DeliveryError):
    """The webhook may take the message later."""

    def __init__(self, found: str, after: float | None = None) -> None:
        super().__init__(found)
        self.after = after


def _meaning(status: int) -> str:
    if 300 <= status < 400:
        return " " + translated("It has moved: give its new address.")
    return " " + translated("Is the address right, and does it know the secret?")
