"""Keys over real HTTP: who is let in, for what, how often, how much."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from conftest import Serve, Server

STAYWORTH = Path(sys.executable).with_name("stayworth")
ALICE = {"customer_id": "alice", "transactions": [{"ordered_at": "1998-01-05", "amount": 20.5}]}


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer sw_wrong", "Basic Y3JtOng=", "Bearer sw_\xff", "sw_wrong"],
)
def test_without_a_good_key_nothing_is_answered_but_probes_and_the_document(
    server: Server, authorization: str
) -> None:
    headers: dict[bytes, bytes] = {b"Authorization": authorization.encode("latin-1")} if authorization else {}

    asked = [("POST", path) for path in ("/score", "/lookup", "/explain", "/card")]
    for method, path in (*asked, ("GET", "/model")):
        answer = httpx.request(method, server.url + path, headers=headers, content=b"{")
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
    for path in ("/livez", "/readyz", "/docs.json"):
        assert httpx.get(server.url + path, headers=headers).status_code == 200


def test_a_key_reaches_as_far_as_its_scopes(server: Server) -> None:
    lookup = {"customer_ids": ["17"]}
    with server.with_key(scopes=("lookup",), name="only-lookup") as client:
        assert client.post("/lookup", json=lookup).status_code == 200
        assert client.get("/model").status_code == 200
        refused = [
            client.post("/score", json={"customers": [ALICE]}),
            client.post("/explain", json={"customer": ALICE}),
        ]
    with server.with_key(scopes=("score",), name="only-score") as client:
        assert client.post("/score", json={"customers": [ALICE]}).status_code == 200
        refused.append(client.post("/lookup", json=lookup))

    assert [answer.status_code for answer in refused] == [403] * 3
    assert refused[0].json()["error"]["message"] == "This key has not the scope 'score'; it has 'lookup'."


def test_a_key_is_known_at_once_and_worthless_soon_after_it_is_revoked(server: Server) -> None:
    with server.with_key(scopes=("lookup",), name="short-lived") as client:
        assert client.get("/model").status_code == 200

        server.store.keys.revoke("short-lived")

        deadline = time.monotonic() + 10
        while client.get("/model").status_code != 401:
            assert time.monotonic() < deadline
            time.sleep(0.5)


def test_a_key_has_a_rate_and_is_told_when_to_come_back(server: Server) -> None:
    with server.with_key(scopes=("lookup",), name="slow", rate_limit="3/hour") as client:
        answers = [client.post("/lookup", json={"customer_ids": ["17"]}) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].json()["error"]["code"] == "rate_limited"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 3600
    assert server.client.get("/model").status_code == 200


def test_a_key_has_a_largest_body(server: Server) -> None:
    with server.with_key(scopes=("lookup",), name="small", max_body_bytes=1000) as client:
        fits = client.post("/lookup", json={"customer_ids": ["17"]})
        larger = client.post("/lookup", json={"customer_ids": ["17" * 90 + str(n) for n in range(10)]})

    assert (fits.status_code, larger.status_code) == (200, 413)
    assert larger.json()["error"]["message"].startswith("The body is larger than 0.000954 MiB.")


def test_metrics_may_ask_for_a_key_or_be_off_and_the_page_stays_closed_without_keys(
    serve: Serve, registry_file: Path, tmp_path: Path
) -> None:
    flags = ("--metrics", "key", "--auth", "always", "--tracking-uri", f"sqlite:///{registry_file}")
    with serve(tmp_path, *flags) as server:
        server.wait_for("/readyz", 200)
        assert server.client.get("/metrics").status_code == 401
        assert server.client.get("/model").status_code == 401
        with server.with_key(scopes=("lookup",), name="first") as client:
            assert client.get("/metrics").status_code == 200
            assert client.get("/model").status_code == 200
        status = subprocess.run([STAYWORTH, "status", server.url], capture_output=True, text=True)
        assert (status.returncode, "give a key" in status.stderr) == (2, True)


def test_an_address_that_others_can_reach_is_never_open(tmp_path: Path) -> None:
    refused = subprocess.run(
        [STAYWORTH, "serve", "--host", "0.0.0.0", "--auth", "off"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert refused.returncode == 2
    assert "0.0.0.0 can be reached from elsewhere: without keys, listen on 127.0.0.1" in refused.stderr
