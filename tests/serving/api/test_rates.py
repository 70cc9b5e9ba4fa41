"""Rates hold for all workers together, and keys stay asked for once there was one."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from limits import parse
from starlette.responses import Response
from starlette.types import Message

from serving.api import application, rates as counts
from serving.api.access import Access
from serving.api.application import Application
from serving.api.operation import ApiRequest, Operation
from serving.api.rates import Rates
from serving.api.refusals import Refusal
from serving.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/store.db")


def admitted(access: Access, key: str = "") -> int:
    """Return the status of a request: 200 if it is admitted."""
    return admitted_at_once(access, [key])[0]


def admitted_at_once(access: Access, keys: list[str]) -> list[int]:
    """Return the statuses of requests that are sent together, in their order."""

    async def status(key: str) -> int:
        try:
            await access.admit(f"Bearer {key}" if key else "", "lookup", "198.51.100.7")
        except Refusal as refusal:
            return refusal.status
        return 200

    async def statuses() -> list[int]:
        return await asyncio.gather(*map(status, keys))

    return asyncio.run(statuses())


def test_two_workers_count_together_and_another_limit_or_name_apart(tmp_path: Path) -> None:
    first, second = Rates(tmp_path / "rates"), Rates(tmp_path / "rates")
    three = parse("3/hour")

    exceeded = [worker.hit("crm-1", three) > 0 for worker in (first, second, first, second)]

    assert exceeded == [False, False, False, True]
    assert 0 < first.hit("crm-1", three) <= 3600
    assert first.hit("crm-2", three) == second.hit("crm-1", parse("4/hour")) == 0


def test_a_window_ends_and_thousands_of_names_make_no_file_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr("serving.api.rates.time.monotonic", lambda: now)
    rates = Rates(tmp_path / "rates")
    size = (tmp_path / "rates").stat().st_size
    for number in range(2 * counts.SLOTS):
        rates.hit(str(number), parse("1/minute"))
    last = str(2 * counts.SLOTS - 1)

    within = rates.hit(last, parse("1/minute"))
    now += 61
    after = rates.hit(last, parse("1/minute"))

    assert (within, after) == (60, 0)
    assert (tmp_path / "rates").stat().st_size == size


@pytest.mark.parametrize("loss", ["moved", "emptied"])
def test_once_there_was_a_key_the_service_stays_closed_also_after_a_restart(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture, loss: str
) -> None:
    key = store.keys.add("crm-1", scopes=("lookup",))
    running = Access(store.keys, "auto", None, 1000, cache=tmp_path / "cache")
    running._read()

    store.close()
    if loss == "moved":
        (tmp_path / "store.db").rename(tmp_path / "elsewhere.db")
    else:
        (tmp_path / "store.db").write_bytes(b"")
    running._read()
    restarted = Access(store.keys, "auto", None, 1000, cache=tmp_path / "cache")
    restarted._read()

    assert (admitted(running), admitted(running, key)) == (401, 200)
    assert (admitted(restarted), admitted(restarted, key)) == (401, 401)
    said = [record.getMessage() for record in caplog.records]
    assert any("the last ones are still valid" in each for each in said)
    assert any("all are refused" in each and "--auth off" in each for each in said)


def test_a_store_that_never_had_a_key_asks_for_none(store: Store, tmp_path: Path) -> None:
    access = Access(store.keys, "auto", None, 1000, cache=tmp_path / "cache")
    access._read()

    assert admitted(access) == 200
    assert not (tmp_path / "cache").exists()


def test_who_sends_many_wrong_keys_waits_and_a_good_key_does_not(store: Store) -> None:
    key = store.keys.add("crm-1", scopes=("lookup",))
    access = Access(store.keys, "always", None, 1000)
    access._read()

    wrong = admitted_at_once(access, [f"sw_{number}" for number in range(32)])

    assert sorted(wrong) == [401] * 30 + [429] * 2
    assert admitted(access, key) == 200


def test_a_key_is_known_at_once_however_many_wrong_ones_come_before_it(store: Store) -> None:
    store.keys.add("crm-1", scopes=("lookup",))
    access = Access(store.keys, "always", None, 1000)
    access._read()

    wrong = admitted_at_once(access, [f"sw_{number}" for number in range(20)])
    key = store.keys.add("crm-2", scopes=("lookup",))

    assert (wrong, admitted(access, key)) == ([401] * 20, 200)


def test_a_refusal_is_logged_with_the_name_of_the_key_and_the_address(
    store: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "HELD_SECONDS", 0.0)
    key = store.keys.add("crm-1", scopes=("lookup",), rate_limit="1/hour")
    access = Access(store.keys, "always", None, 1000)
    access._read()

    async def answer(request: ApiRequest) -> Response:
        return Response("{}")

    app = Application(
        [Operation("GET", "/model", answer, ""), Operation("GET", "/score", answer, "score")], access
    )
    with caplog.at_level(logging.INFO, "stayworth.access"):
        asked = [get(app, path, key) for path in ("/score", "/model", "/model")] + [
            get(app, "/model", "sw_x")
        ]

    lines: list[dict[str, Any]] = [record.fields for record in caplog.records if hasattr(record, "fields")]
    assert asked == [403, 200, 429, 401]
    assert [line.get("key") for line in lines] == ["crm-1", "crm-1", "crm-1", None]
    assert [line.get("address") for line in lines] == ["198.51.100.7", None, "198.51.100.7", "198.51.100.7"]
    assert key not in json.dumps(lines)


def get(app: Application, path: str, key: str) -> int:
    """Send a GET with a key; return the status."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"authorization", f"Bearer {key}".encode())]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers, "client": ("198.51.100.7", 1)}
    asyncio.run(app(scope, receive, send))
    return int(sent[0]["status"])
