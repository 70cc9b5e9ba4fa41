"""The service over real HTTP: one process, started by the tests."""

from __future__ import annotations

import json
import math
import pickle
import re
import shutil
import socket
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pandas as pd
import psutil
import pyarrow as pa
import pytest

from features.customer_groups import TIERS
from features.log.transactions import TransactionLog
from serving.api.answers import LookupResponse, ScoreResponse
from serving.api.refusals import ErrorResponse
from serving.client.http_client import StayworthClient
from serving.scorer import Scorer
from training.model.score_schema import SCORE_COLUMNS

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from conftest import Serve, Server

STAYWORTH = Path(sys.executable).with_name("stayworth")
MAX_BODY_BYTES = 32 * 2**20  # the default of stayworth serve

NO_CHAMPION = "No champion model is loaded. The service's log says why."
ALICE: Any = {"customer_id": "alice", "transactions": [{"ordered_at": "1998-01-05", "amount": 20.5}]}


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
    assert info["snapshot_date"] == str(scorer.model.card.snapshot)
    assert info["test"]["metrics"] == scorer.model.card.test.metrics
    assert info["horizon_days"] == 90


def test_probes_and_the_page_answer_without_a_key(server: Server) -> None:
    for path in ("/livez", "/readyz", "/docs.json", "/metrics"):
        assert httpx.get(server.url + path).status_code == 200
    assert httpx.get(server.url).headers["content-type"].startswith("text/html")


def test_a_lookup_gives_what_was_published_and_lists_who_is_unknown(
    server: Server, scorer: Scorer, log: TransactionLog
) -> None:
    listed = scorer.score_log(log).scores
    wanted = listed["customer_id"].iloc[[7, 3]].tolist()

    answer = server.client.post("/lookup", json={"customer_ids": [wanted[0], "آرش", wanted[1]]}).json()

    expected = listed.set_index("customer_id", drop=False).loc[wanted].to_dict("records")
    assert answer["scores"] == [as_json(score) for score in expected]
    assert [list(score) for score in answer["scores"]] == [list(SCORE_COLUMNS)] * 2
    assert answer["unknown"] == ["آرش"]
    assert (answer["model_version"], answer["snapshot_date"]) == ("1", "1998-07-01")
    LookupResponse.model_validate_json(json.dumps(answer))


def test_who_asks_to_be_forgotten_is_unknown_afterwards_and_the_receipt_names_nobody(
    server: Server, scorer: Scorer, log: TransactionLog
) -> None:
    body = {"customer_ids": scorer.score_log(log).scores["customer_id"].iloc[[-1, -2]].tolist()}
    assert server.client.post("/lookup", json=body).json()["unknown"] == []

    refused = server.client.post("/forget", json=body)
    with server.with_key(scopes=("erase",), name="privacy-desk") as client:
        receipt = client.post("/forget", json=body)

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
    assert receipt.status_code == 200
    assert (receipt.json()["customers"], receipt.json()["rows"]) == (2, 2)
    assert not any(each in receipt.text for each in body["customer_ids"])
    assert server.client.post("/lookup", json=body).json()["unknown"] == body["customer_ids"]


def test_the_client_gives_what_the_service_answers(
    server: Server, scorer: Scorer, log: TransactionLog, orders: pa.Table
) -> None:
    listed = scorer.score_log(log).scores.set_index("customer_id")
    key = server.client.headers["Authorization"].removeprefix("Bearer ")

    with StayworthClient(server.url, key) as client:
        looked_up = client.lookup([listed.index[0], "nobody"])
        scored = client.score([ALICE], snapshot_date="1998-07-01")
        frame = client.score_orders(orders.to_pandas(), snapshot_date="1998-07-01")
        explained = client.explain(ALICE, snapshot_date="1998-07-01")
        card = client.card(ALICE, snapshot_date="1998-07-01", touchpoints=[])
        model, ready = client.model(), client.ready()

    assert looked_up.scores[0]["churn_probability"] == listed["churn_probability"].iloc[0]
    assert looked_up.unknown == ["nobody"]
    assert explained["score"] == scored.scores[0]
    assert {name: card[name] for name in ("expected_value", "stage")} == {
        name: scored.scores[0][name]  # type: ignore[literal-required]
        for name in ("expected_value", "stage")
    }
    assert card["complaints"] == {"number": 0, "last_on": None} and card["debt"] is None
    assert "complaint" in card["sentences"][1]
    found = frame.set_index("customer_id")["churn_probability"]
    assert found.loc[listed.index].tolist() == listed["churn_probability"].tolist()
    assert (model["model_version"], ready) == ("1", True)


def test_offers_are_priced_for_each_customer_and_the_best_is_named(server: Server) -> None:
    bob = ALICE | {"customer_id": "bob"}
    dear = {"name": "dear", "contact_cost": 1000, "incentive_cost": 0, "acceptance_rate": 0.5}
    free = {"name": "free", "contact_cost": 0, "incentive_cost": 0, "acceptance_rate": 0.5}
    body = {"customers": [ALICE, bob], "offers": [dear, free], "snapshot_date": "1998-07-01"}

    answer = server.client.post("/score", json=body).json()

    ScoreResponse.model_validate_json(json.dumps(answer))
    for score in answer["scores"]:
        # Neither has an incentive: profit = p·γ·V − f, with γ = .5.
        gain = score["churn_probability"] * 0.5 * score["value_at_stake"]
        assert [offer["offer"] for offer in score["offers"]] == ["dear", "free"]
        assert [offer["expected_profit"] for offer in score["offers"]] == pytest.approx([gain - 1000, gain])
        assert score["recommended_offer"] == "free"
    only = server.client.post("/score", json=body | {"offers": [dear]}).json()
    assert [score["recommended_offer"] for score in only["scores"]] == [None, None]


@pytest.mark.parametrize(
    "order", [{"ordered_at": "1998-01-05", "amount": -5}, {"ordered_at": "1998-08-01", "amount": 5}]
)
def test_offers_where_nobody_can_be_scored_are_answered_with_the_reason(
    server: Server, order: dict[str, Any]
) -> None:
    offer = {"name": "call", "contact_cost": 1, "incentive_share": 0.1, "acceptance_rate": 0.5}
    body = {"customers": [{"customer_id": "a", "transactions": [order]}], "offers": [offer]}

    answer = server.client.post("/score", json=body | {"snapshot_date": "1998-07-01"})

    assert answer.status_code == 200
    assert answer.json()["scores"] == []
    assert "before the snapshot" in answer.json()["unscored"][0]["reason"]


def test_the_page_shows_the_document_and_loads_nothing(server: Server) -> None:
    page = httpx.get(server.url)

    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy.pop("style-src").startswith("'sha256-")
    assert set(policy.values()) == {"'none'"}
    assert "<script" not in page.text
    linked = set(re.findall(r"""(?:src=|href=|url\()["']?([^#"')>]*)""", page.text))
    assert linked == {"/docs.json", ""}  # the latter: places of the page itself
    for path in httpx.get(server.url + "/docs.json").json()["paths"]:
        assert f"{path}</code>" in page.text


def test_an_explanation_adds_up_to_the_score(server: Server) -> None:
    body = {"customer": ALICE, "snapshot_date": "1998-07-01"}

    explained = server.client.post("/explain", json=body).json()

    score = server.client.post("/score", json={"customers": [ALICE], "snapshot_date": "1998-07-01"}).json()
    assert explained["score"] == score["scores"][0]
    parts = [part["log_odds"] for part in explained["log_odds"]["contributions"]]
    assert math.fsum(parts) == pytest.approx(explained["log_odds"]["total"])
    assert explained["facts"]["last_purchase_date"] == "1998-01-05"


@pytest.mark.parametrize(
    ("path", "field"), [("/score", "reasons"), ("/explain", "reasons"), ("/card", "sentences")]
)
def test_sentences_are_in_the_language_that_the_caller_accepts(server: Server, path: str, field: str) -> None:
    body: dict[str, Any] = {"customers": [ALICE]} if path == "/score" else {"customer": ALICE}
    body["snapshot_date"] = "1998-07-01"

    persian = server.client.post(path, json=body, headers={"Accept-Language": "fa-IR, en;q=0.5"})
    english = server.client.post(path, json=body, headers={"Accept-Language": "de"})

    assert (persian.headers["content-language"], english.headers["content-language"]) == ("fa", "en")
    answers = [
        {"/score": lambda found: found["scores"][0], "/explain": lambda found: found["score"]}.get(
            path, dict
        )(each)
        for each in (persian.json(), english.json())
    ]
    said = [answer[field] for answer in answers]
    assert len(said[0]) == len(said[1]) > 0
    assert not re.search("[A-Za-z0-9]", "".join(said[0]))
    assert not re.search("[\u0600-\u06ff]", "".join(said[1]))


def test_a_customer_who_cannot_be_scored_is_not_explained(server: Server) -> None:
    refund = {"customer_id": "a", "transactions": [{"ordered_at": "1998-01-05", "amount": -5}]}

    answer = server.client.post("/explain", json={"customer": refund, "snapshot_date": "1998-07-01"})

    assert answer.status_code == 400
    assert "refunds only" in answer.json()["error"]["message"]


def test_metrics_count_requests_scores_and_probabilities(server: Server) -> None:
    before = samples(server)

    server.client.post("/score", json={"customers": [ALICE], "snapshot_date": "1998-07-01"})
    server.client.get("/made/up/by/a/caller")

    after = samples(server)
    added = {name: after[name] - before.get(name, 0.0) for name in after if after[name] != before.get(name)}
    assert added['stayworth_requests_total{route="/score",status="200"}'] == 1
    assert added['stayworth_requests_total{route="other",status="404"}'] == 1
    assert added["stayworth_churn_probability_count"] == 1
    assert sum(added.get(f'stayworth_scores_total{{tier="{tier}"}}', 0) for tier in TIERS) == 1
    assert after['stayworth_model_info{version="1"}'] == 1
    assert after["stayworth_model_age_seconds"] > 0
    assert after["stayworth_store_customers"] == 2357
    assert not any("made" in name for name in after)


def samples(server: Server) -> dict[str, float]:
    """Return the metrics by their names and labels, as they are written."""
    lines = httpx.get(server.url + "/metrics").text.splitlines()
    written = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
    return {name: float(value) for name, value in written}


def test_status_shows_a_running_service(server: Server) -> None:
    shown = subprocess.run(
        [STAYWORTH, "status", server.url], capture_output=True, text=True, check=True
    ).stdout

    assert "version 1" in shown
    assert "2,357 customers" in shown


def test_status_of_nothing_says_how_to_start_it() -> None:
    shown = subprocess.run([STAYWORTH, "status", "http://127.0.0.1:9"], capture_output=True, text=True)

    assert shown.returncode == 2
    assert "Start one: stayworth serve" in shown.stderr


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("POST", "/score", b'{"customers": []}', 400, "invalid_request"),
        ("POST", "/score", b"{", 400, "invalid_request"),
        ("POST", "/score", b"", 400, "invalid_request"),
        ("POST", "/score", b"[" * 1_000_000, 400, "invalid_request"),
        (
            "POST",
            "/score",
            b'{"customers": [{"customer_id": "' + b"a" * 10_000_000 + b'"}]}',
            400,
            "invalid_request",
        ),
        ("POST", "/score", b'{"a":' * 100_000, 400, "invalid_request"),
        ("POST", "/lookup", b'{"customer_ids": ["17", "17"]}', 400, "invalid_request"),
        ("POST", "/lookup", b'{"customer_ids": ["17"], "more": 1}', 400, "invalid_request"),
        ("POST", "/explain", b'{"customer": 17}', 400, "invalid_request"),
        ("POST", "/card", b'{"customer": 17}', 400, "invalid_request"),
        ("GET", "/lookup", None, 405, "method_not_allowed"),
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


def test_headers_are_limited_before_any_key_is_asked_for(server: Server) -> None:
    answer = httpx.get(server.url + "/model", headers={"X-Large": "v" * 70_000})

    assert (answer.status_code, answer.json()["error"]["code"]) == (431, "headers_too_large")
    assert ErrorResponse.model_validate(answer.json()).model_dump() == answer.json()


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
            "mixes 2 currencies in 'currency': EUR (1 rows), USD (1 rows). Send the amounts of one currency",
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
    assert "--" not in answer.json()["error"]["message"]  # no flags of the command line


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
    explained = server.client.post("/explain", json={"customer": good, "offers": [{"name": marker}]})
    looked_up = server.client.post("/lookup", json={"customer_ids": [marker]}, params={marker: marker})
    assert (explained.status_code, looked_up.status_code) == (400, 200)
    server.client.get(f"/{marker}", headers={"X-Marker": marker, "Authorization": f"Bearer {marker}"})
    written = server.output.read_text()
    assert '"route":"/score"' in written
    assert '"key":"crm-1"' in written
    assert marker not in written
    assert "Traceback" not in written


def test_every_line_of_the_log_is_json_and_a_request_is_found_by_its_id(
    server: Server, log: TransactionLog
) -> None:
    ids = [log.table["customer_id"][0].as_py(), "nobody"]
    server.client.post("/lookup", json={"customer_ids": ids}, headers={"X-Request-ID": "crm-77"})

    deadline = time.monotonic() + 10
    while '"crm-77"' not in server.output.read_text():  # it is written after the answer
        assert time.monotonic() < deadline
        time.sleep(0.05)
    lines = [json.loads(line) for line in server.output.read_text().splitlines()]

    (line,) = [line for line in lines if line.get("request_id") == "crm-77"]
    told = {name: line[name] for name in ("route", "method", "status", "key", "customers", "unknown")}
    assert told == {
        "route": "/lookup",
        "method": "POST",
        "status": 200,
        "key": "crm-1",
        "customers": 2,
        "unknown": 1,
    }


def test_with_no_champion_it_lives_but_is_not_ready_until_there_is_one(
    serve: Serve, registry_file: Path, tmp_path: Path
) -> None:
    with serve(tmp_path, "--poll-seconds", "1") as server:
        server.wait_for("/livez", 200)

        answers = [
            server.client.get("/readyz"),
            server.client.get("/model"),
            server.client.post("/score", json={"customers": [ALICE]}),
        ]

        assert [answer.status_code for answer in answers] == [503, 503, 503]
        assert [answer.json()["error"]["message"] for answer in answers] == [NO_CHAMPION] * 3
        nothing = server.client.post("/lookup", json={"customer_ids": ["17"]})
        assert (nothing.status_code, nothing.json()["error"]["code"]) == (503, "nothing_published")
        assert "No API key is asked for" in server.output.read_text()
        rebound = server.client.get("/model", headers={"Host": "evil.example"})
        assert (rebound.status_code, rebound.json()["error"]["code"]) == (403, "forbidden")
        assert not (tmp_path / "mlflow.db").exists()

        shutil.copy(registry_file, tmp_path / "copied.db")
        (tmp_path / "copied.db").rename(tmp_path / "mlflow.db")
        server.wait_for("/readyz", 200)
        assert server.client.post("/score", json={"customers": [ALICE]}).status_code == 200

        server.process.terminate()
        assert server.process.wait(60) == 0


@pytest.mark.soak
def test_workers_do_not_outlive_a_killed_parent(serve: Serve, tmp_path: Path) -> None:
    with serve(tmp_path, "--workers", "2") as server:
        server.wait_for("/livez", 200)
        workers = server.workers()

        server.process.kill()

        _, alive = psutil.wait_procs(workers, timeout=40)
        assert (len(workers), alive) == (2, [])


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
