"""Reading of request bodies, with limits on their type, size and time, and on what all of them take together.

Starlette limits the size too, but per route; here it is the key's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.requests import Request

from serving.api.refusals import Refusal

BODY_SECONDS = 30.0
"""How long a body may take to arrive."""

BUFFERED_BYTES = 128 * 2**20
"""Most that the bodies a worker holds at a time take together; a single one may take more, if its key may."""


class BodyBuffer:
    """The bytes of all bodies that a worker holds, and their limit.

    Parameters
    ----------
    limit : int
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    @contextmanager
    def hold(self) -> Iterator[Callable[[int], None]]:
        """Return a function that adds to what is held; leaving the block releases what was added.

        The function raises a `Refusal` (503) if the limit is exceeded and other bodies are held.
        """
        held = 0

        def add(size: int) -> None:
            nonlocal held
            held += size
            self.used += size
            if self.used > max(self.limit, held):
                raise Refusal(
                    503,
                    "Other requests have too much under way. Try again in a moment.",
                    code="overloaded",
                    headers={"Retry-After": "1"},
                )

        try:
            yield add
        finally:
            self.used -= held


async def read_json_body(request: Request, limit: int, add: Callable[[int], None]) -> bytes:
    """Read a body of at most ``limit`` bytes, which is said to be JSON.

    Raises
    ------
    Refusal
        408, 413, 415; 503 from ``add``.
    ClientDisconnect
        If the caller hangs up.
    """
    # A web page of another site can send any other type to a service on this machine without asking first.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                add(len(chunk))
                chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
    except TimeoutError:
        raise Refusal(408, headers={"Connection": "close"}) from None
    return b"".join(chunks)


def _too_large(limit: int) -> Refusal:
    return Refusal(
        413, f"The body is larger than {limit / 2**20:.3g} MiB. Send the customers in several requests."
    )
