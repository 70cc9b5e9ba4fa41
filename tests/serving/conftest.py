"""A log and a champion trained on it, once for all tests of the package."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

from features.datasets import cdnow_sample
from features.log.transactions import TransactionLog
from features.log.validation import validate
from serving.scorer import Scorer
from training.model.score_schema import SCHEMA, SCORE_COLUMNS
from training.registration import register
from training.run import TrainingRun
from training.settings import TrainSettings
from training.versions.registry import Registry

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: Makes a list of these customers; every number of a customer is the one given; where none
#: is, the value at risk is what the two others make.
ScoredList = Callable[..., pd.DataFrame]

# Debian's package; Playwright would download one of its own.
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser without a screen; while it is open, no other event loop runs in the process."""
    from playwright.sync_api import sync_playwright  # seldom needed

    assert CHROMIUM, "Pages are tried in a browser: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def orders() -> pa.Table:
    """CDNOW's sample with channels and refunds: every ninth order by phone, every tenth given back."""
    sample = cdnow_sample().to_pandas()[["customer_id", "ordered_at", "amount"]]
    sample["channel"] = ["phone" if number % 9 == 0 else "web" for number in range(len(sample))]
    returned = sample[::10].assign(amount=lambda order: -order["amount"], channel=None)
    return pa.Table.from_pandas(pd.concat([sample, returned]), preserve_index=False)


@pytest.fixture(scope="session")
def log(orders: pa.Table) -> TransactionLog:
    return validate(orders)


@pytest.fixture(scope="session")
def registry_file(
    log: TransactionLog,
    trained: Callable[[TransactionLog, TrainSettings, str], TrainingRun],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The file of a registry whose version 1 is the champion."""
    file = tmp_path_factory.mktemp("registry") / "mlflow.db"
    settings = TrainSettings(horizon_days=90, promote=True, snapshots=2, threads=1)
    register(trained(log, settings, "sample"), log, settings, Registry(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def scorer(registry_file: Path) -> Scorer:
    return Scorer.from_registry(f"sqlite:///{registry_file}")


@pytest.fixture(scope="session")
def scored_list() -> ScoredList:
    def build(
        customers: Sequence[str], *, number: Any = None, model_version: str = "1", **columns: Any
    ) -> pd.DataFrame:
        rows = pd.DataFrame({"customer_id": list(customers)})
        for column in SCHEMA.values():
            if column.type is float:
                rows[column.name] = 0.5 if number is None else number
        rows["snapshot_date"] = date(1998, 7, 1)
        rows["value_tier"], rows["stage"], rows["usual_gap_days"] = "vip", "loyal", 21.4
        for name in ("next_purchase_date", "next_purchase_low", "next_purchase_high"):
            rows[name] = date(1998, 8, 1)
        rows["reasons"] = [["a reason"] for _ in customers]
        rows["model_version"] = model_version
        rows["last_purchase_date"] = date(1998, 6, 1)
        rows["horizon_days"], rows["margin"], rows["resumption"] = 90, 0.3, 0.5
        rows["dormant_after_days"], rows["inactivity_days"] = 180, 120
        rows["cost_per_order"], rows["cost_per_day"], rows["bad_debt_rate"] = 2.5, 0.03, 0.02
        rows = rows.assign(**columns)
        if number is None and "value_at_risk" not in columns:
            rows["value_at_risk"] = rows["churn_probability"] * rows["value_at_stake"]
        return rows[list(SCORE_COLUMNS)]

    return build


@dataclass
class Receiver:
    """A webhook that keeps what it takes, and answers as it is told: with statuses in their order, then with 200.

    What it took: id, type and data of each message. What it was asked: id, timestamp, signature and body.
    """

    url: str = ""
    answers: list[int | float] = field(default_factory=list)  # a float: seconds of silence before a 200
    taken: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    asked: list[tuple[str, int, str, bytes]] = field(default_factory=list)
    meanwhile: Callable[[], object] | None = None  # happens once, before an answer

    def answer(self, headers: Mapping[str, str], body: bytes) -> int:
        name = headers["webhook-id"]
        self.asked.append((name, int(headers["webhook-timestamp"]), headers["webhook-signature"], body))
        if self.meanwhile:
            self.meanwhile()
            self.meanwhile = None
        status = self.answers.pop(0) if self.answers else 200
        if isinstance(status, float):
            time.sleep(status)
            status = 200
        if status == 200:
            told = json.loads(body)
            self.taken.append((name, told["type"], told["data"]))
        return status


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = made.answer({name.lower(): value for name, value in self.headers.items()}, body)
            with suppress(OSError):  # who asked has given up
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/hook?token=hidden"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()
