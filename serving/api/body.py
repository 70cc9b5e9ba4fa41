"""Reading of request bodies, with limits on their type, size and time, and on what all of them take together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from serving.api.refusals import OVERLOADED, Refusal

BODY_SECONDS = 30.0
"""How long a body may take to arrive."""

BUFFERED_BYTES = 128 * 2**20
"""Most that the bodies a worker holds at a time take together; a single one may take more, if its key may."""


class BodyReader:
    """Reads the bodies of a worker, and knows how much of them it holds."""

    def __init__(self) -> None:
        self._held = 0

    async def read(self, receive: Receive, headers: Mapping[bytes, str], limit: int) -> bytes:
        """Read a JSON body; it counts as held until it is released.

        Parameters
        ----------
        receive : ASGI receive
        headers : mapping of lower-case name to text
        limit : int
            Of the body, in bytes.

        Raises
        ------
        Refusal
            408, 413, 415; 503 where other requests' bodies leave no room.
        ClientDisconnect
            If the caller hangs up.
        """
        # A page of another site can send any other type to a service on this machine without asking first.
        if headers.get(b"content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refusal(415)
        length = headers.get(b"content-length", "")
        if length.isdecimal() and int(length) > limit:
            raise _too_large(limit)
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(BODY_SECONDS):
                await self._collect(receive, chunks, limit)
        except BaseException as error:
            self._held -= sum(map(len, chunks))
            if isinstance(error, TimeoutError):
                raise Refusal(408, headers={"Connection": "close"}) from None
            raise
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def release(self, body: bytes) -> None:
        """Make room: the body is no longer needed."""
        self._held -= len(body)

    async def _collect(self, receive: Receive, chunks: list[bytes], limit: int) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            self._held += len(chunks[-1])
            if size > limit:
                raise _too_large(limit)
            if self._held > max(BUFFERED_BYTES, size):
                raise Refusal(
                    503,
                    "Other requests have too much under way. Try again in a moment.",
                    code=OVERLOADED,
                    headers={"Retry-After": "1"},
                )
            more = message.get("more_body", False)


def _too_large(limit: int) -> Refusal:
    return Refusal(
        413, f"The body is larger than {limit / 2**20:.3g} MiB. Send the customers in several requests."
    )
