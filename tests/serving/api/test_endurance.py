"""Long runs, by hand (``make soak``): memory stays where it was, however many ask, and however badly."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from features.log.transactions import TransactionLog

if TYPE_CHECKING:
    from conftest import Server

pytestmark = pytest.mark.soak

ALICE = {"customer_id": "alice", "transactions": [{"ordered_at": "1998-01-05", "amount": 20.5}]}
HOSTILE = {
    "numbers for orders": ("/score", '{"customers":[{"customer_id":"a","transactions":[', "0,"),
    "empty customers": ("/score", '{"customers":[', "{},"),
    "empty orders": ("/score", '{"customers":[{"customer_id":"a","transactions":[', "{},"),
    "wrong orders": (
        "/score",
        '{"customers":[{"customer_id":"a","transactions":[',
        '{"ordered_at":"x","amount":1},',
    ),
    "depth": ("/score", "", "["),
    "a number without an end": ("/score", '{"customers":', "1"),
    "a text without an end": ("/explain", '{"customer_id":"', "x"),
    "one id again and again": ("/lookup", '{"customer_ids":["a"', ',"a"'),
    "unknown fields": ("/lookup", '{"customer_ids":["a"]', ',"k":0'),
}
"""Paths and bodies: how they begin, and what is repeated up to `HOSTILE_BYTES`."""
HOSTILE_BYTES = 8 * 2**20
MOVED_BYTES = 64 * 2**20
"""What a request may move a worker by while it is refused, its body included."""
WARM_UP = 0.3
"""Share of the requests after which caches and pools are as full as they get."""
GROWTH_BYTES = 12 * 2**20
"""A leak of a tenth of a kilobyte a request would take more in 100,000."""


def resident(server: Server) -> int:
    return sum(worker.memory_info().rss for worker in server.workers())


def ask(
    server: Server, requests: list[Callable[[httpx.Client], httpx.Response]], clients: int = 4
) -> Counter[int]:
    """Send requests over a few connections; return how often each status came."""
    statuses: Counter[int] = Counter()
    left, taking = iter(requests), threading.Lock()

    def work() -> None:
        headers = {"Authorization": server.client.headers["Authorization"]}
        with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
            while True:
                with taking:
                    request = next(left, None)
                if request is None:
                    return
                answered = request(client).status_code
                with taking:
                    statuses[answered] += 1

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def posts(bodies: Iterator[tuple[str, bytes]]) -> list[Callable[[httpx.Client], httpx.Response]]:
    def post(path: str, body: bytes) -> Callable[[httpx.Client], httpx.Response]:
        return lambda client: client.post(path, content=body, headers={"Content-Type": "application/json"})

    return [post(path, body) for path, body in bodies]


def malformed(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield bodies that are nearly right, in many ways wrong."""
    draw = random.Random(7)
    good = json.dumps({"customers": [ALICE], "snapshot_date": "1998-07-01"})
    wrong: list[Callable[[], Any]] = [
        lambda: good[: draw.randrange(len(good))],
        lambda: good.replace(
            "20.5", draw.choice(["NaN", "1e999", "-Infinity", '"x"', "[]", "{}", "true", "1e13"])
        ),
        lambda: good.replace(
            "1998-01-05", draw.choice(["1998-02-30", "", "05/01/1998", "9" * 50, "\\u0000"])
        ),
        lambda: good.replace("alice", draw.choice([" ", "a" * 10_000, "\\ud800", "\\n"])),
        lambda: '{"customers":' * draw.randrange(1, 5_000),
        lambda: good.replace("customer_id", f"k{draw.random()}"),
        lambda: json.dumps({"customer_ids": [draw.randrange(9)] * draw.randrange(20)}),
        lambda: draw.randbytes(draw.randrange(1, 2_000)),
    ]
    for _ in range(count):
        body = draw.choice(wrong)()
        yield (
            draw.choice(["/score", "/lookup", "/explain"]),
            body if isinstance(body, bytes) else body.encode(),
        )


def test_no_hostile_body_moves_a_worker_far(server: Server) -> None:
    def bodies() -> Iterator[tuple[str, str, bytes]]:
        for name, (path, head, repeated) in HOSTILE.items():
            yield name, path, (head + repeated * (HOSTILE_BYTES // len(repeated))).encode()

    ask(server, posts((path, body) for _, path, body in bodies()), clients=1)
    moved = {}
    for name, path, body in bodies():
        before, peak, ended = resident(server), [0], threading.Event()

        def watch(peak: list[int] = peak, ended: threading.Event = ended) -> None:
            while not ended.wait(0.005):
                peak[0] = max(peak[0], resident(server))

        watching = threading.Thread(target=watch)
        watching.start()
        statuses = ask(server, posts(iter([(path, body)])), clients=1)
        ended.set()
        watching.join()
        moved[name] = max(peak[0], resident(server)) - before
        assert set(statuses) <= {400, 413}, (name, statuses)

    assert max(moved.values()) < MOVED_BYTES, moved


def test_ten_thousand_malformed_bodies_leave_memory_as_it_was(server: Server) -> None:
    ask(server, posts(malformed(2_000)))
    before = resident(server)

    statuses = ask(server, posts(malformed(10_000)))

    assert statuses == {400: 10_000}
    assert resident(server) - before < GROWTH_BYTES
    assert server.client.post("/score", json={"customers": [ALICE]}).status_code == 200


def test_a_hundred_thousand_requests_leave_memory_as_it_was(server: Server, log: TransactionLog) -> None:
    ids = log.table["customer_id"].unique().to_pylist()
    draw = random.Random(7)

    def requests(count: int) -> Iterator[tuple[str, bytes]]:
        for _ in range(count):
            if draw.random() < 0.9:
                yield "/lookup", json.dumps({"customer_ids": draw.sample(ids, draw.randrange(1, 5))}).encode()
            else:
                customer = ALICE | {"customer_id": str(draw.random())}
                yield "/score", json.dumps({"customers": [customer], "snapshot_date": "1998-07-01"}).encode()

    ask(server, posts(requests(int(100_000 * WARM_UP))))
    before = resident(server)

    statuses = ask(server, posts(requests(100_000)))

    assert statuses == {200: 100_000}
    assert resident(server) - before < GROWTH_BYTES
