"""The client against a little server that plays the contract: real HTTP, real retries, no real model."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import stamina

from features.errors import StayworthError
from serving.api import answers as given, orders_request
from serving.api.field_types import StrictModel
from serving.api.known_rows import StrictAnswer, StrictCosts, StrictInvoice, StrictTouch
from serving.api.requests import ScoreRequest
from serving.client import answer_types as answers, request_types as customers
from serving.client.http_client import StayworthClient
from serving.client.request_types import COST_FIELDS, LISTED_FIELDS
from serving.client.service_error import ServiceError
from serving.explanation.recommendation import OfferPrice

KEY = "sw_s3cr3t"
ROWS = {"in": 2, "used": 1, "quarantined": {"date in the future": 1}, "not_yet_visible": 0}


@dataclass
class Service:
    """What the little server was asked, and what it is to say instead of its usual answer."""

    address: str = ""
    asked: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    refusals: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    versions: list[str] = field(default_factory=lambda: ["3"])
    notes: list[str] = field(default_factory=list)

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        about = {
            "model_version": self.versions[0] if len(self.versions) == 1 else self.versions.pop(0),
            "snapshot_date": body.get("snapshot_date", "1998-07-01"),
        }
        if path == "/score":
            ids = [customer["customer_id"] for customer in body["customers"]]
            scored = [score(name, **about) for name in ids if name != "nobody"]
            unscored = [{"customer_id": "nobody", "reason": "no order yet"}] * ids.count("nobody")
            return {**about, "scores": scored, "unscored": unscored, "rows": ROWS, "notes": self.notes}
        if path == "/lookup":
            known = [score(name, **about) for name in body["customer_ids"] if not name.startswith("x")]
            unknown = [name for name in body["customer_ids"] if name.startswith("x")]
            return {**about, "published_at": "1998-07-01T05:00:00Z", "scores": known, "unknown": unknown}
        return about


def score(customer_id: str, model_version: str, snapshot_date: str) -> dict[str, Any]:
    """A score whose value at risk is the number in the id, so that its place is known."""
    at_risk = float(customer_id.strip("abc") or 0)
    return {
        "customer_id": customer_id,
        "snapshot_date": snapshot_date,
        "value_at_risk": at_risk,
        "last_purchase_date": "1997-06-01" if customer_id.startswith("a") else "1998-06-01",
        "dormant_after_days": 180,
        "next_purchase_date": None,
        "model_version": model_version,
    }


def refusal(status: int, code: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    details = [{"loc": "customers.0", "message": "is wrong"}]
    error = {"error": {"code": code, "message": f"It is {code}.", "details": details}}
    return (
        status,
        {key.replace("_", "-"): value for key, value in headers.items()},
        json.dumps(error).encode(),
    )


@pytest.fixture
def service() -> Iterator[Service]:
    plays = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            plays.asked.append((self.path, dict(self.headers), json.loads(body or b"{}")))
            usual: tuple[int, dict[str, str], bytes] = (200, {}, b"")
            status, headers, content = plays.refusals.pop(0) if plays.refusals else usual
            if status == 200 and not content:
                content = json.dumps(plays.answer(self.path, plays.asked[-1][2])).encode()
            self.send_response(status)
            named = {"X-Request-ID": self.headers["X-Request-ID"] or "", **headers}
            for name, value in {**named, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    plays.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield plays
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(service: Service) -> Iterator[StayworthClient]:
    with StayworthClient(service.address, KEY) as client:
        yield client


@pytest.fixture
def no_pauses() -> Iterator[None]:
    """Retries without their pauses."""
    with stamina.set_testing(True, attempts=10):
        yield


def customer(customer_id: str, orders: int = 1) -> customers.Customer:
    return {"customer_id": customer_id, "transactions": [{"ordered_at": "1998-01-05", "amount": 1}] * orders}


def test_what_is_sent_is_what_the_contract_says(service: Service, client: StayworthClient) -> None:
    offer = {"name": "voucher", "incentive_cost": 10, "acceptance_rate": 0.3}
    order: customers.Transaction = {"ordered_at": datetime(1998, 1, 5, 12, 30), "amount": Decimal("1E+2")}

    client.score([{"customer_id": "0042", "transactions": [order]}], date(1998, 7, 1), [offer])
    client.explain(customer("0042"))
    client.card(customer("0042"), receivables=[{"due_at": date(1998, 6, 1), "amount": 5}])
    client.lookup(["0042", "7", "0042"])
    client.model()

    assert [(path, body) for path, _, body in service.asked] == [
        (
            "/score",
            {
                "customers": [
                    {
                        "customer_id": "0042",
                        "transactions": [{"ordered_at": "1998-01-05T12:30:00", "amount": "100"}],
                    }
                ],
                "snapshot_date": "1998-07-01",
                "offers": [offer],
            },
        ),
        ("/explain", {"customer": customer("0042")}),
        (
            "/card",
            {
                "customer": customer("0042"),
                "receivables": [{"due_at": "1998-06-01", "amount": 5}],
            },
        ),
        ("/lookup", {"customer_ids": ["0042", "7"]}),
        ("/model", {}),
    ]
    assert {headers["Authorization"] for _, headers, _ in service.asked} == {f"Bearer {KEY}"}


def test_customers_beyond_one_request_are_sent_in_parts_and_joined(
    service: Service, client: StayworthClient
) -> None:
    asked = [customer("a9999"), *(customer(str(number)) for number in range(1, 5_001)), customer("nobody")]

    answer = client.score(asked)

    assert [len(body["customers"]) for _, _, body in service.asked] == [5_000, 2]
    assert [found["customer_id"] for found in answer.scores[:2]] == ["5000", "4999"]  # most at risk first
    assert answer.scores[-1]["customer_id"] == "a9999"  # who is dormant comes last
    assert len(answer.scores) == 5_001
    assert answer.unscored == [{"customer_id": "nobody", "reason": "no order yet"}]
    assert answer.rows == {"in": 4, "used": 2, "quarantined": {"date in the future": 2}, "not_yet_visible": 0}
    assert answer.source == answers.Source("3", "1998-07-01")


def test_all_parts_are_scored_as_of_the_same_day(service: Service, client: StayworthClient) -> None:
    client.score([customer(str(number), 10_000) for number in range(21)])

    assert [body.get("snapshot_date") for _, _, body in service.asked] == [None, "1998-07-01"]


def test_notes_on_the_scores_come_once_with_a_table_as_a_warning(
    service: Service, client: StayworthClient
) -> None:
    service.notes = ["The transactions have no channel."]
    orders = pd.DataFrame({"customer_id": ["17"], "ordered_at": ["1998-01-05"], "amount": [20.5]})

    answer = client.score([customer(str(number), 10_000) for number in range(21)])
    with pytest.warns(UserWarning, match="The transactions have no channel"):
        client.score_orders(orders)

    assert answer.notes == ("The transactions have no channel.",)


def test_ids_beyond_one_request_are_looked_up_in_parts_in_the_order_asked(client: StayworthClient) -> None:
    ids = [str(number) for number in range(5_000, 0, -1)]

    answer = client.lookup(["x1", *ids, "x2", "17"])

    assert [found["customer_id"] for found in answer.scores] == ids
    assert answer.unknown == ["x1", "x2"]
    assert answer.source.published_at == "1998-07-01T05:00:00Z"


def test_parts_of_two_model_versions_are_not_passed_off_as_one(
    service: Service, client: StayworthClient
) -> None:
    service.versions = ["3", "4"]

    answer = client.lookup([str(number) for number in range(5_001)])

    assert [source.model_version for source in answer.sources] == ["3", "4"]
    with pytest.raises(StayworthError, match="3 of 1998-07-01, 4 of 1998-07-01"):
        _ = answer.source


def test_an_id_that_comes_twice_is_refused_although_no_part_could_tell(client: StayworthClient) -> None:
    with pytest.raises(StayworthError, match=r"customers\.21 and customers\.0 have the same customer_id"):
        client.score([*(customer(str(number), 10_000) for number in range(21)), customer("0")])


def test_one_id_or_customer_alone_is_no_list_of_them(client: StayworthClient) -> None:
    with pytest.raises(
        StayworthError, match=r"customer_ids is to be a list, also for one customer: .*\['00017'\]"
    ):
        client.lookup("00017")
    with pytest.raises(StayworthError, match="customers is to be a list"):
        client.score(customer("a"))  # type: ignore[arg-type]


def test_a_customer_with_more_orders_than_a_request_carries_is_refused_with_the_remedy(
    client: StayworthClient,
) -> None:
    with pytest.raises(StayworthError, match=r"customers\.1 has 10,001 transactions, .* Send one"):
        client.score([customer("a"), customer("b", 10_001)])


@pytest.mark.parametrize("kind", ["pandas", "arrow"])
def test_a_log_of_orders_comes_back_as_a_row_for_each_customer(
    service: Service, client: StayworthClient, kind: str
) -> None:
    log = {
        "customer_id": ["a1", "nobody", "a1"],
        "ordered_at": [datetime(1998, 1, 5), datetime(1998, 1, 6), datetime(1998, 1, 7)],
        "amount": [1.5, 2.0, 3.0],
        "channel": ["web", None, None],
        "quantity": [1.0, float("nan"), 2.0],
        "colour": ["red"] * 3,
    }

    table = client.score_orders(pa.table(log) if kind == "arrow" else pd.DataFrame(log), "1998-07-01")

    sent = service.asked[0][2]["customers"]
    assert [body["customer_id"] for body in sent] == ["a1", "nobody"]
    assert sent[1]["transactions"] == [
        {"ordered_at": "1998-01-06T00:00:00", "amount": 2.0, "channel": None, "quantity": None}
    ]
    assert table["customer_id"].tolist() == ["a1", "nobody"]
    assert table["unscored"].isna().tolist() == [True, False]
    assert table["snapshot_date"].tolist()[0] == pd.Timestamp("1998-07-01")


def test_what_is_known_beside_the_orders_goes_with_each_customer(
    service: Service, client: StayworthClient
) -> None:
    orders = pd.DataFrame({"customer_id": ["a", "b"], "ordered_at": ["1998-01-05"] * 2, "amount": [1.5, 2.0]})
    touches = pd.DataFrame(
        {
            "customer_id": ["a", "zoe", "a"],
            "occurred_at": pd.to_datetime(["1998-02-01", "1998-02-01", "1998-02-03"]),
            "touchpoint": ["complaint", "call", "call"],
            "outcome": [None, "responded", "responded"],
            "agent": ["x"] * 3,
        }
    )
    answers = pa.table(
        {"customer_id": ["b"], "answered_at": [date(1998, 1, 2)], "kind": ["nps"], "score": [9.0]}
    )
    regions = pd.DataFrame({"customer_id": ["a"], "region": ["north"], "floor": [3]})

    client.score_orders(orders, "1998-07-01", touchpoints=touches, surveys=answers, attributes=regions)

    first, second = service.asked[0][2]["customers"]
    assert first["touchpoints"] == [
        {"occurred_at": "1998-02-01", "touchpoint": "complaint"},
        {"occurred_at": "1998-02-03", "touchpoint": "call", "outcome": "responded"},
    ]
    assert (first["surveys"], first["attributes"]) == ([], {"region": "north", "floor": "3"})
    assert second["surveys"] == [{"answered_at": "1998-01-02", "kind": "nps", "score": 9}]
    assert (second["touchpoints"], second["attributes"]) == ([], {})
    assert "receivables" not in first
    ScoreRequest.model_validate_json(json.dumps(service.asked[0][2]))  # the service takes it as it is


def test_two_rows_of_a_customer_where_there_can_be_one_are_refused(client: StayworthClient) -> None:
    orders = pd.DataFrame({"customer_id": ["a"], "ordered_at": ["1998-01-05"], "amount": [1.5]})
    twice = pd.DataFrame({"customer_id": ["a", "a"], "region": ["north", "south"]})

    with pytest.raises(StayworthError, match="The attributes have two rows of customer 'a'. Send one"):
        client.score_orders(orders, attributes=twice)


def test_the_client_sends_of_each_file_what_the_service_takes() -> None:
    models: dict[str, type[StrictModel]] = {
        "touchpoints": StrictTouch,
        "surveys": StrictAnswer,
        "receivables": StrictInvoice,
    }

    assert {name: set(fields) for name, fields in LISTED_FIELDS.items()} == {
        name: set(model.model_fields) for name, model in models.items()
    }
    assert set(COST_FIELDS) == set(StrictCosts.model_fields)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.usefixtures("no_pauses")
def test_what_may_pass_is_asked_again_under_the_same_request_id(
    service: Service, client: StayworthClient, status: int
) -> None:
    service.refusals = [refusal(status, "busy")] * 2

    answer = client.lookup(["1"])

    assert len(answer.scores) == 1
    assert len(service.asked) == 3
    assert len({headers["X-Request-ID"] for _, headers, _ in service.asked}) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 500])
@pytest.mark.usefixtures("no_pauses")
def test_what_would_be_refused_again_is_asked_once(
    service: Service, client: StayworthClient, status: int
) -> None:
    service.refusals = [refusal(status, "wrong")]

    with pytest.raises(ServiceError) as caught:
        client.lookup(["1"])

    error = caught.value
    assert (error.status, error.code, error.message) == (status, "wrong", "It is wrong.")
    assert error.details == ({"loc": "customers.0", "message": "is wrong"},)
    assert error.request_id == service.asked[0][1]["X-Request-ID"]
    assert len(service.asked) == 1


@pytest.mark.usefixtures("no_pauses")
def test_scores_that_nobody_has_published_are_not_waited_for(
    service: Service, client: StayworthClient
) -> None:
    service.refusals = [refusal(503, "nothing_published")]

    with pytest.raises(ServiceError, match="nothing_published"):
        client.lookup(["1"])

    assert len(service.asked) == 1


def test_the_wait_that_the_service_names_is_kept(service: Service, client: StayworthClient) -> None:
    service.refusals = [refusal(429, "rate_limited", Retry_After="1")]
    began = time.monotonic()

    client.lookup(["1"])

    assert time.monotonic() - began >= 1


def test_a_wait_beyond_ones_patience_is_told_at_once(service: Service, client: StayworthClient) -> None:
    service.refusals = [refusal(429, "rate_limited", Retry_After="3600")]

    with pytest.raises(ServiceError) as caught:
        client.lookup(["1"])

    assert (caught.value.code, caught.value.retry_after) == ("rate_limited", 3600)
    assert len(service.asked) == 1


def test_without_patience_nothing_is_asked_again(service: Service) -> None:
    service.refusals = [refusal(503, "not_ready")]

    with StayworthClient(service.address, retry_seconds=0) as client, pytest.raises(ServiceError):
        client.model()

    assert len(service.asked) == 1


@pytest.mark.usefixtures("no_pauses")
def test_a_service_that_is_not_there_is_named() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # and does not listen
        port = probe.getsockname()[1]

        with StayworthClient(f"http://127.0.0.1:{port}", KEY) as client:
            assert not client.ready()
            with pytest.raises(
                ServiceError, match=f"127.0.0.1:{port} gives no answer .* Is the address right"
            ) as caught:
                client.model()

    assert (caught.value.status, caught.value.code) == (None, "unreachable")


def test_a_service_that_is_too_slow_is_not_asked_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"

        with StayworthClient(address, timeout=0.1) as client, pytest.raises(ServiceError) as caught:
            client.model()

    assert caught.value.code == "timeout"


@pytest.mark.parametrize("content", [b"<html>hello</html>", b"[1]"])
def test_an_answer_of_something_else_is_no_answer(
    service: Service, client: StayworthClient, content: bytes
) -> None:
    service.refusals = [(200, {}, content)]

    with pytest.raises(ServiceError, match="not as stayworth does") as caught:
        client.model()

    assert caught.value.code == "not_stayworth"


def test_it_is_ready_when_the_service_says_so(service: Service, client: StayworthClient) -> None:
    service.refusals = [refusal(503, "not_ready")]

    assert [client.ready(), client.ready()] == [False, True]


@pytest.mark.usefixtures("no_pauses")
def test_the_key_is_shown_nowhere(
    service: Service, client: StayworthClient, caplog: pytest.LogCaptureFixture
) -> None:
    service.refusals = [refusal(429, "busy"), refusal(401, "unauthorized")]

    with caplog.at_level(logging.DEBUG), pytest.raises(ServiceError) as caught:
        client.model()

    shown = repr(client) + str(caught.value) + repr(caught.value) + caplog.text
    assert repr(client) == f"StayworthClient('{service.address}')"
    assert "s3cr3t" not in shown + "".join(str(vars(record)) for record in caplog.records)


@pytest.mark.parametrize("key", ["", "sw_ s3cr3t", "sw_s3cr3t\nsw_other", "sw_s3cr3t…"])
def test_what_can_be_no_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(StayworthError, match="API key") as caught:
        StayworthClient("http://127.0.0.1:3000", key)

    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:3000", "ftp://x", "http://", "http://me:s3cr3t@x", "http://x:port"]
)
def test_what_can_be_no_address_is_refused(address: str) -> None:
    with pytest.raises(StayworthError, match="address") as caught:
        StayworthClient(address)

    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), Decimal("NaN"), b"m4rk3r", {1, 2}])
def test_what_json_cannot_hold_is_refused_without_being_shown(
    service: Service, client: StayworthClient, amount: Any
) -> None:
    with pytest.raises(StayworthError, match="cannot be written as JSON") as caught:
        client.score([{"customer_id": "m4rk3r", "transactions": [{"ordered_at": "x", "amount": amount}]}])

    assert "m4rk3r" not in str(caught.value)
    assert service.asked == []


def test_the_types_of_the_client_are_those_of_the_service() -> None:
    assert set(customers.Customer.__annotations__) == set(orders_request.Customer.model_fields)
    assert list(answers.Score.__annotations__) == list(given.PricedScore.model_fields)
    assert answers.Score.__required_keys__ == set(given.CustomerScore.model_fields)
    assert list(answers.OfferPrice.__annotations__) == [field.name for field in fields(OfferPrice)]


def test_the_client_imports_nothing_heavy() -> None:
    heavy = {
        "pandas",
        "pyarrow",
        "numpy",
        "bentoml",
        "mlflow",
        "duckdb",
        "lightgbm",
        "sqlalchemy",
        "pydantic",
    }
    code = (
        "from serving.client import StayworthClient; import sys; "
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert heavy & set(loaded.split()) == set()
