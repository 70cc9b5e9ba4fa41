"""A queue for work that runs in a few threads: callers take turns, and no wait is endless.

What a service does with more requests than it can answer decides how many it answers:

- A refusal at once costs as much as it spares: programs that ask again at once are refused thousands of times a second,
  and the refusals take the processor from the work. Here a request waits for its turn before it is refused, which
  costs nothing, and a connection that waits does not ask.
- The bound is on the time in the queue, not on its length: what is answered is answered within it, whatever the work
  takes. A few requests may wait longer, for large ones of one program are no overload.
- First come, first served would give a program with 500 connections 500 turns for one of a program with one. So each
  caller has a line of its own, and the lines take turns.

References
----------
Nagle (1985), On packet switches with infinite storage, RFC 970: a line for each caller. Nichols and Jacobson (2012),
Controlling queue delay, ACM Queue 10(5): a bound on the time. Maurer (2015), Fail at scale, ACM Queue 13(8): the same
for requests.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread

from serving.api.operation import ApiRequest
from serving.api.refusals import OVERLOADED, Refusal

PATIENCE_SECONDS = 1.5
"""How long a request waits for its turn where more than `FEW` wait."""

FEW = 16
"""So many wait for as long as it takes."""

Result = TypeVar("Result")


class FairQueue:
    """Runs blocking work in threads, so many pieces at a time.

    Parameters
    ----------
    threads : int
    """

    def __init__(self, threads: int) -> None:
        self._free = threads
        self._waiting = 0
        self._lines: dict[str, deque[asyncio.Future[bool]]] = {}  # by caller, the next one first

    async def run(self, work: Callable[[ApiRequest], Result], request: ApiRequest) -> Result:
        """Run work for a request's caller, when it is that caller's turn.

        Raises
        ------
        Refusal
            503, if the wait was too long.
        """
        if self._free:
            self._free -= 1
        elif not await self._is_our_turn(request.caller):
            raise Refusal(
                503,
                "More is asked than can be answered. Try again in a moment, with fewer requests at a time.",
                code=OVERLOADED,
                headers={"Retry-After": "1"},
            )
        try:
            return await anyio.to_thread.run_sync(work, request)
        finally:
            self._pass_on()

    async def _is_our_turn(self, caller: str) -> bool:
        """Wait in a caller's line; return False if it took too long."""
        waiting: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(caller, deque()).append(waiting)
        self._waiting += 1
        try:
            self._expire_later(waiting)
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and waiting.result():
                self._pass_on()  # the turn had come in the moment of the cancellation
            raise
        finally:
            self._waiting -= 1

    def _expire_later(self, waiting: asyncio.Future[bool]) -> None:
        def expire() -> None:
            if waiting.done():
                return
            if self._waiting > FEW:
                waiting.set_result(False)
            else:
                self._expire_later(waiting)

        waiting.get_loop().call_later(PATIENCE_SECONDS, expire)

    def _pass_on(self) -> None:
        """Give a thread that is free to the line that has waited longest for a turn."""
        while self._lines:
            caller = next(iter(self._lines))
            line = self._lines.pop(caller)
            while line:
                waiting = line.popleft()
                if not waiting.done():  # it may have been refused meanwhile
                    if line:
                        self._lines[caller] = line  # behind the others
                    waiting.set_result(True)
                    return
        self._free += 1
