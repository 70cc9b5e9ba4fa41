"""The queue before scarce work: callers take turns, and who waits too long is refused."""

from __future__ import annotations

import asyncio
import threading

import pytest
from starlette.responses import Response

from serving.api import fair_queue
from serving.api.fair_queue import FairQueue
from serving.api.operation import ApiRequest
from serving.api.refusals import Refusal


class Work:
    """Work that is noted, and goes on until it is let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.released = threading.Event()

    def __call__(self, request: ApiRequest) -> Response:
        self.begun.append(request.caller)
        assert self.released.wait(60)
        return Response()


def test_a_caller_with_many_requests_has_one_turn_for_one_of_another() -> None:
    work = Work()

    async def all_of_them() -> None:
        queue = FairQueue(threads=1)
        callers = ["greedy", "greedy", "greedy", "greedy", "modest", "third"]
        asked = [asyncio.create_task(queue.run(work, ApiRequest(caller=caller))) for caller in callers]
        await asyncio.sleep(0)  # each is now in its line, or at work
        work.released.set()
        await asyncio.gather(*asked)

    asyncio.run(all_of_them())

    assert work.begun == ["greedy", "greedy", "modest", "third", "greedy", "greedy"]


def test_who_waits_too_long_is_refused_and_takes_nobodys_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_queue, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(fair_queue, "FEW", 0)
    work = Work()

    async def one_after_the_other() -> Refusal:
        queue = FairQueue(threads=1)
        first = asyncio.create_task(queue.run(work, ApiRequest(caller="first")))
        await asyncio.sleep(0)
        with pytest.raises(Refusal) as refused:
            await queue.run(work, ApiRequest(caller="late"))
        work.released.set()
        await first
        await queue.run(work, ApiRequest(caller="next"))
        return refused.value

    refusal = asyncio.run(one_after_the_other())

    assert (refusal.status, refusal.error.code, refusal.headers) == (503, "overloaded", {"Retry-After": "1"})
    assert work.begun == ["first", "next"]


def test_a_few_wait_for_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_queue, "PATIENCE_SECONDS", 0.001)
    work = Work()

    async def one_after_the_other() -> None:
        queue = FairQueue(threads=1)
        asked = [asyncio.create_task(queue.run(work, ApiRequest(caller="batch"))) for _ in range(3)]
        await asyncio.sleep(0.05)
        work.released.set()
        await asyncio.gather(*asked)

    asyncio.run(one_after_the_other())

    assert work.begun == ["batch"] * 3


def test_a_turn_that_comes_in_the_moment_of_a_cancellation_is_passed_on() -> None:
    work = Work()
    work.released.set()

    async def cancelled_in_its_turn() -> None:
        queue = FairQueue(threads=1)

        async def first() -> None:
            await queue.run(work, ApiRequest(caller="first"))
            assert second.cancel()  # which has its turn, and does not run yet

        ahead = asyncio.create_task(first())
        await asyncio.sleep(0)
        second = asyncio.create_task(queue.run(work, ApiRequest(caller="second")))
        await asyncio.gather(ahead, second, return_exceptions=True)
        assert second.cancelled()
        await asyncio.wait_for(queue.run(work, ApiRequest(caller="third")), 60)

    asyncio.run(cancelled_in_its_turn())

    assert work.begun == ["first", "third"]


def test_work_that_fails_gives_its_thread_back() -> None:
    def fails(request: ApiRequest) -> Response:
        raise Refusal(400)

    async def twice() -> Response:
        queue = FairQueue(threads=1)
        with pytest.raises(Refusal):
            await queue.run(fails, ApiRequest())
        return await queue.run(lambda request: Response("done"), ApiRequest())

    assert asyncio.run(twice()).body == b"done"
