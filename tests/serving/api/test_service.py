"""The service over real HTTP: one process, started by the tests."""

from __future__ import annotations

import math
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pyarrow as pa
import pytest

from features.log.transactions import TransactionLog
from serving.api.refusals import MAX_BODY_BYTES, ErrorResponse
from serving.scorer import Scorer
from training.model import SCORE_COLUMNS

NO_CHAMPION = (
    "No model has the alias 'champion' in sqlite:///mlflow.db. "
    "Train one first: stayworth train --transactions orders.csv --promote"
)
ALICE = {"customer_id": "alice", "transactions": [{"ordered_at": "1998-01-05", "amount": 20.5}]}


@dataclass
class Server:
    """A running service: what to ask, what it printed, its process."""

    client: httpx.Client
    output: Path
    process: subprocess.Popen[bytes]

    def wait_for(self, path: str, status: int) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.output.read_text()
            try:
                if self.client.get(path).status_code == status:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        pytest.fail(f"{path} never answered {status}: {self.output.read_text()}")


@contextmanager
def serving(folder: Path, *flags: str) -> Iterator[Server]:
    """Run ``stayworth serve`` in a folder, on a port of its own, until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    output = folder / "output.txt"
    with (
        output.open("wb") as printed,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        process = subprocess.Popen(
            [Path(sys.executable).with_name("stayworth"), "serve", "--port", str(port), *flags],
            cwd=folder,
            stdout=printed,
            stderr=subprocess.STDOUT,
            env={name: value for name, value in os.environ.items() if name != "STAYWORTH_TRACKING_URI"},
        )
        try:
            yield Server(client, output, process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            finally:
                process.kill()


@pytest.fixture(scope="module")
def server(registry_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service, in a folder that has packages named as ours."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for name in ("features", "training", "serving"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise ImportError('not this one')")
    with serving(folder, "--tracking-uri", f"sqlite:///{registry_file}") as server:
        server.wait_for("/readyz", 200)
        yield server


def asked(orders: pa.Table, customers: list[str]) -> list[dict[str, Any]]:
    """Return customers as a request has them: amounts as decimal strings for every second one."""
    frame = orders.to_pandas()
    frame = frame[frame["customer_id"].isin(customers)].assign(
        ordered_at=lambda order: pd.to_datetime(order["ordered_at"]).dt.strftime("%Y-%m-%d"),
        channel=lambda order: order["channel"].astype(object).where(order["channel"].notna(), None),
    )
    fields = ["ordered_at", "amount", "channel"]
    bodies = [
        {"customer_id": customer_id, "transactions": of_one[fields].to_dict("records")}
        for customer_id, of_one in frame.groupby("customer_id")
    ]
    for body in bodies[::2]:
        for transaction in body["transactions"]:
            transaction["amount"] = f"{transaction['amount']:.2f}"
    return bodies


@pytest.mark.parametrize("size", [1, 40, 1000])
def test_a_customer_has_the_same_numbers_over_http_as_in_the_list(
    server: Server, scorer: Scorer, log: TransactionLog, orders: pa.Table, size: int
) -> None:
    listed = scorer.score_log(log)
    customers = listed.scores["customer_id"].iloc[:: 2357 // size][:size].tolist()

    answer = server.client.post(
        "/score", json={"snapshot_date": "1998-07-01", "customers": asked(orders, customers)}
    ).json()

    expected = listed.scores[listed.scores["customer_id"].isin(customers)].to_dict("records")
    assert len(answer["scores"]) == len(expected) == size
    assert [list(score) for score in answer["scores"]] == [list(SCORE_COLUMNS)] * size
    assert answer["scores"] == [as_json(score) for score in expected]
    assert answer["rows"]["in"] == answer["rows"]["used"] > 0


def as_json(score: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the list as JSON has it: dates as text, nothing as null; numbers to the last digit."""
    return {
        name: None
        if value is None or (isinstance(value, float) and math.isnan(value))
        else str(value)
        if isinstance(value, date)
        else value
        for name, value in score.items()
    }


def test_who_has_no_score_is_listed_with_the_reason_and_every_row_is_counted(server: Server) -> None:
    bob = {"customer_id": "bob", "transactions": [{"ordered_at": "1998-07-01", "amount": 30}]}
    cecil = {"customer_id": "cecil", "transactions": [{"ordered_at": "1998-02-02", "amount": -5}]}
    dora = {"customer_id": "dora", "transactions": [{"ordered_at": "2999-01-01", "amount": 5}]}

    answer = server.client.post(
        "/score", json={"snapshot_date": "1998-07-01", "customers": [dora, cecil, bob, ALICE]}
    ).json()

    assert [score["customer_id"] for score in answer["scores"]] == ["alice"]
    assert answer["unscored"] == [
        {"customer_id": "bob", "reason": "no order before the snapshot"},
        {"customer_id": "cecil", "reason": "refunds only before the snapshot"},
        {"customer_id": "dora", "reason": "no usable order: all were quarantined"},
    ]
    # 4 in = 2 used (alice's, cecil's refund) + 1 quarantined (dora's) + 1 not yet visible (bob's)
    assert answer["rows"] == {
        "in": 4,
        "used": 2,
        "quarantined": {"date in the future": 1},
        "not_yet_visible": 1,
    }
    assert (answer["model_version"], answer["snapshot_date"]) == ("1", "1998-07-01")


def test_without_a_snapshot_date_it_is_tomorrow(server: Server) -> None:
    before = pd.Timestamp.now("UTC").date()

    answer = server.client.post("/score", json={"customers": [ALICE]}).json()

    after = pd.Timestamp.now("UTC").date()
    assert str(before + pd.Timedelta(days=1)) <= answer["snapshot_date"] <= str(after + pd.Timedelta(days=1))


def test_the_model_tells_what_it_is_and_how_good(server: Server, scorer: Scorer) -> None:
    info = server.client.get("/model").json()

    assert info["model_version"] == "1"
    assert info["snapshot_date"] == scorer.model.card["snapshot_date"]
    assert info["test"]["metrics"] == scorer.model.card["test"]["metrics"]
    assert info["horizon_days"] == 90


def test_probes_metrics_and_the_documents_answer(server: Server) -> None:
    assert server.client.get("/livez").status_code == 200
    assert server.client.get("/readyz").status_code == 200
    assert "bentoml_service_request_total" in server.client.get("/metrics").text
    assert server.client.get("/").headers["content-type"].startswith("text/html")


def test_the_examples_of_the_openapi_document_can_be_sent(server: Server) -> None:
    document = server.client.get("/docs.json").json()
    assert set(document["paths"]) == {"/score", "/model", "/livez", "/readyz", "/metrics"}
    schemas = document["components"]["schemas"]

    for example in schemas["ScoreRequest"]["examples"]:
        answer = server.client.post("/score", json=example)
        assert answer.status_code == 200
        assert set(answer.json()) == set(schemas["ScoreResponse"]["properties"])


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("POST", "/score", b'{"customers": []}', 400, "invalid_request"),
        ("POST", "/score", b"{", 400, "invalid_request"),
        ("POST", "/score", b"", 400, "invalid_request"),
        ("POST", "/score", b"[" * 1_000_000, 400, "invalid_request"),
        ("GET", "/score", None, 405, "method_not_allowed"),
        ("POST", "/model", b"{}", 405, "method_not_allowed"),
        ("GET", "/nothing/here", None, 404, "not_found"),
        ("POST", "/score", b" " * (MAX_BODY_BYTES + 1), 413, "too_large"),
    ],
)
def test_every_refusal_has_the_one_shape(
    server: Server, method: str, path: str, content: bytes | None, status: int, code: str
) -> None:
    answer = server.client.request(
        method, path, content=content, headers={"Content-Type": "application/json"}
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert ErrorResponse.model_validate(answer.json()).model_dump() == answer.json()
    assert answer.json()["error"]["message"]


def test_a_body_sent_in_pieces_is_limited_too(server: Server) -> None:
    pieces = (b" " * 2**20 for _ in range(MAX_BODY_BYTES // 2**20 + 1))

    answer = server.client.post("/score", content=pieces, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "media_type",
    [
        "application/vnd.bentoml+pickle",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "x",
    ],
)
def test_nothing_but_json_is_read(server: Server, media_type: str) -> None:
    answer = server.client.post(
        "/score", content=pickle.dumps({"customers": [ALICE]}), headers={"Content-Type": media_type}
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")


def test_a_wrong_request_is_told_where_it_is_wrong(server: Server) -> None:
    wrong = {"customer_id": "a", "transactions": [{"ordered_at": "1998-01-05", "amount": "x"}]}

    error = server.client.post("/score", json={"customers": [wrong], "snapshot": "1998-07-01"}).json()[
        "error"
    ]

    assert [detail["loc"] for detail in error["details"]] == ["customers.0.transactions.0.amount", "snapshot"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"customers": [ALICE], "snapshot_date": "2999-01-01"}, "lies in the future"),
        (
            {
                "customers": [
                    {
                        "customer_id": "a",
                        "transactions": [
                            {"ordered_at": "1998-01-05", "amount": 1, "currency": "EUR"},
                            {"ordered_at": "1998-01-05", "amount": 1, "currency": "USD"},
                        ],
                    }
                ]
            },
            "mixes 2 currencies",
        ),
        (
            {
                "customers": [
                    {"customer_id": "a", "transactions": [{"ordered_at": "2999-01-05", "amount": 1}]}
                ]
            },
            "future",
        ),
    ],
)
def test_what_the_log_contract_refuses_is_refused_in_its_words(
    server: Server, body: dict[str, Any], message: str
) -> None:
    answer = server.client.post("/score", json=body)

    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_a_request_id_is_echoed_or_given(server: Server) -> None:
    echoed = server.client.get("/model", headers={"X-Request-ID": "crm-7"})
    given = server.client.get("/nothing", headers={"X-Request-ID": "no id: <spaces>"})

    assert echoed.headers["x-request-id"] == "crm-7"
    assert len(given.headers["x-request-id"]) == 32


def test_nothing_of_a_body_reaches_the_output(server: Server) -> None:
    marker = "m4rk3r"
    good = {
        "customer_id": marker,
        "transactions": [{"ordered_at": "1998-01-05", "amount": 1, "channel": marker}],
    }
    future = {"customer_id": marker, "transactions": [{"ordered_at": "2999-01-05", "amount": 1}]}
    bad = {"customer_id": 1, "transactions": [{"ordered_at": marker, "amount": marker, marker: marker}]}
    twice = {"customers": [good, good]}
    mixed = [{"ordered_at": "1998-01-05", "amount": 1, "currency": marker + end} for end in "ab"]

    statuses = [
        server.client.post("/score", json=body).status_code
        for body in (
            {"customers": [good]},
            {"customers": [future]},
            {"customers": [bad], marker: 1},
            {"customers": [{"customer_id": marker, "transactions": mixed}]},
            twice,
            marker,
        )
    ]

    assert statuses == [200, 400, 400, 400, 400, 400]
    assert "path=/score" in server.output.read_text()
    assert marker not in server.output.read_text()
    assert "Traceback" not in server.output.read_text()


def test_with_no_champion_it_lives_but_is_not_ready_until_there_is_one(
    registry_file: Path, tmp_path: Path
) -> None:
    with serving(tmp_path) as server:
        server.wait_for("/livez", 200)

        answers = [
            server.client.get("/readyz"),
            server.client.get("/model"),
            server.client.post("/score", json={"customers": [ALICE]}),
        ]

        assert [answer.status_code for answer in answers] == [503, 503, 503]
        assert [answer.json()["error"]["message"] for answer in answers] == [NO_CHAMPION] * 3
        assert not (tmp_path / "mlflow.db").exists()

        shutil.copy(registry_file, tmp_path / "copied.db")
        (tmp_path / "copied.db").rename(tmp_path / "mlflow.db")
        server.wait_for("/readyz", 200)
        assert server.client.post("/score", json={"customers": [ALICE]}).status_code == 200

        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        ended = subprocess.run(
            [Path(sys.executable).with_name("stayworth"), "serve", "--port", port, "--host", "localhost"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    assert ended.returncode == 2
    assert f"localhost:{port} cannot be listened on: Address already in use" in ended.stderr
