"""The service's speed: ``python tests/benchmarks/bench_serving.py [--seconds 5] [--tracking-uri URI]``.

One after the other, each as one worker, wrk asks the service (``/lookup`` of one id, ``/score`` of one customer
with 20 orders, ``/score`` of 1,000 customers, all with an API key) and what it is compared with: bare FastAPI
around the same LightGBM Booster, which gets ready-made features, ``mlflow models serve`` of the same version,
which gets a row of the feature table, and a raw ASGI echo, the limit of a Python server. The bare DuckDB query
of the features is timed in this process. CPU is user + system of all the server's processes.

Without ``--tracking-uri``, a small champion is trained on CDNOW first.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import httpx
import pandas as pd
import psutil
from serving_peers import features_body

from features.datasets import cdnow
from features.files import write_csv
from features.log.transactions import validate
from features.purchase_days import purchase_days_sql
from features.snapshot import Snapshot
from features.table import PurchaseHistory, features_sql
from serving.scorer import Scorer
from training.churn.model import matrix
from training.pipeline import register, train
from training.settings import TrainSettings

HERE = Path(__file__).resolve().parent
PROGRAMS = Path(sys.executable).parent
SNAPSHOT = Snapshot(date(1998, 7, 1))
ORDERS, MANY = 20, 1_000
CONNECTIONS = 16

# Sends the bodies of a file in turn; ends with one line of JSON, times in microseconds.
SCRIPT = """
local bodies, at = {{}}, 0
for line in io.lines("{bodies}") do bodies[#bodies + 1] = line end
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer {key}"
function request()
  at = at % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[at])
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n{{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "failed": %d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Run:
    """What wrk saw of one server, at so many connections."""

    what: str
    connections: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float


@dataclass(frozen=True)
class Bodies:
    """Files of bodies to send, one a line, and the orders of one customer."""

    ids: Path
    one: Path
    many: Path
    features: Path
    tables: Path
    few_orders: pd.DataFrame


def main() -> None:
    """Prepare, ask all in turn, and print one table and the ratios."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--seconds", type=int, default=5, help="of each measurement")
    arguments.add_argument("--tracking-uri", help="a registry with a champion to measure")
    given = arguments.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing, which asks the servers. Install the Debian package wrk, or brew's.")
    if (load := os.getloadavg()[0]) > 0.5:
        print(f"others work here too (load {load:.1f}): that is in the numbers", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="stayworth-bench-") as name:
        folder = Path(name)
        uri = given.tracking_uri or _champion(folder)
        scorer = Scorer.from_registry(uri)
        bodies = _bodies(folder, scorer)
        runs = [
            *_stayworth(folder, uri, bodies, given.seconds),
            *_peers(folder, uri, scorer, bodies, given.seconds),
        ]
        _print(runs, _query_ms(bodies.few_orders))


def _champion(folder: Path) -> str:
    """Train a small champion on CDNOW."""
    print("training on CDNOW …", file=sys.stderr)
    uri, log = f"sqlite:///{folder / 'mlflow.db'}", validate(cdnow())
    settings = TrainSettings(horizon_days=90, promote=True, snapshots=3, threads=1, tracking_uri=uri)
    register(train(log, settings), log, settings)
    return uri


def _bodies(folder: Path, scorer: Scorer) -> Bodies:
    """Write what is sent: customers of CDNOW, with their orders, features or rows of the feature table."""
    orders = (
        cdnow()
        .to_pandas()[["customer_id", "ordered_at", "amount"]]
        .sort_values(["customer_id", "ordered_at"])
    )
    write_csv(orders, folder / "orders.csv")
    orders["ordered_at"] = pd.to_datetime(orders["ordered_at"]).dt.strftime("%Y-%m-%d")
    rank = orders.groupby("customer_id").cumcount()
    frequent = orders[rank < ORDERS].groupby("customer_id").filter(lambda of_one: len(of_one) == ORDERS)
    few = frequent[frequent["customer_id"].isin(frequent["customer_id"].unique()[:50])]
    many = orders[orders["customer_id"].isin(orders["customer_id"].unique()[:MANY])]
    with PurchaseHistory(validate(few)) as history:
        table = history.features(SNAPSHOT)
    described = table.join(scorer.model.clv.predict(table, scorer.model.terms.horizon_days))
    names = scorer.model.churn.booster.feature_name() if scorer.model.churn.booster else []
    rows = pd.DataFrame(matrix(described), columns=names).to_dict("records")
    lines = {
        "ids": [json.dumps({"customer_ids": [name]}) for name in orders["customer_id"].unique()[:MANY]],
        "one": [_score_body(of_one) for _, of_one in few.groupby("customer_id")],
        "many": [_score_body(many)],
        "features": [features_body(row) for row in rows],
        "tables": [
            f'{{"dataframe_split": {table.iloc[[at]].to_json(orient="split", date_format="iso", index=False)}}}'
            for at in range(len(table))
        ],
    }
    files = {name: folder / f"{name}.jsonl" for name in lines}
    for name, file in files.items():
        file.write_text("\n".join(lines[name]) + "\n")
    return Bodies(**files, few_orders=few[few["customer_id"] == few["customer_id"].iloc[0]])


def _score_body(orders: pd.DataFrame) -> str:
    customers = [
        {"customer_id": name, "transactions": of_one[["ordered_at", "amount"]].to_dict("records")}
        for name, of_one in orders.groupby("customer_id")
    ]
    return json.dumps({"snapshot_date": str(SNAPSHOT), "customers": customers})


def _stayworth(folder: Path, uri: str, bodies: Bodies, seconds: int) -> Iterator[Run]:
    """Publish a list, make a key, serve, and ask."""
    store = f"sqlite:///{folder / 'stayworth.db'}"
    stayworth = PROGRAMS / "stayworth"
    publish = ["--transactions", folder / "orders.csv", "--publish", "--tracking-uri", uri]
    _tell([stayworth, "score", *publish, "--store", store])
    key = _tell([stayworth, "keys", "add", "bench", "--store", store]).split()[-1]
    serve = [stayworth, "serve", "--workers", "1", "--tracking-uri", uri, "--store", store]
    serve += ["--cache", folder / "cache", "--port"]
    with _serving(folder, "stayworth", serve, "/readyz") as (url, process):
        wrk = Wrk(folder, process, seconds, key)
        for connections in (1, CONNECTIONS):
            yield wrk.ask("stayworth /lookup, 1 id", f"{url}/lookup", bodies.ids, connections)
        for connections in (1, CONNECTIONS):
            yield wrk.ask("stayworth /score, 1 customer", f"{url}/score", bodies.one, connections)
        yield wrk.ask(f"stayworth /score, {MANY:,} customers", f"{url}/score", bodies.many, 1)


def _peers(folder: Path, uri: str, scorer: Scorer, bodies: Bodies, seconds: int) -> Iterator[Run]:
    """Serve the others one after the other, and ask."""
    if scorer.model.churn.booster is None:
        raise SystemExit("This champion has no Booster to compare with. Train on another log.")
    booster = folder / "booster.txt"
    booster.write_text(scorer.model.churn.booster.model_to_string())
    uvicorn = [PROGRAMS / "uvicorn", "--app-dir", HERE, "--no-access-log", "--log-level", "warning"]
    mlflow = [PROGRAMS / "mlflow", "models", "serve", "--model-uri", "models:/stayworth@champion"]
    mlflow += ["--env-manager", "local", "--workers", "1", "--port"]
    environment = {
        "BENCH_BOOSTER": str(booster),
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    peers = (
        (
            "FastAPI + Booster",
            [*uvicorn, "--factory", "serving_peers:booster_app", "--port"],
            "/docs",
            "/predict",
            bodies.features,
        ),
        ("mlflow models serve", mlflow, "/ping", "/invocations", bodies.tables),
        ("ASGI echo", [*uvicorn, "serving_peers:echo", "--port"], "/", "/", bodies.ids),
    )
    for what, command, ready, path, file in peers:
        with _serving(folder, what, command, ready, environment) as (url, process):
            wrk = Wrk(folder, process, seconds)
            for connections in (1, CONNECTIONS):
                yield wrk.ask(what, url + path, file, connections)


def _tell(command: Sequence[str | Path]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


@contextmanager
def _serving(
    folder: Path,
    what: str,
    command: Sequence[str | Path],
    ready: str,
    environment: dict[str, str] | None = None,
) -> Iterator[tuple[str, psutil.Process]]:
    """Run a server on a free port, from when it answers until the end of the block."""
    print(f"{what} …", file=sys.stderr)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    alike = {
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",  # where MLflow looks for uvicorn
    }
    with (folder / "output").open("wb") as output:
        process = psutil.Popen(
            [*map(str, command), port],
            cwd=folder,
            env=os.environ | alike | (environment or {}),
            stdout=output,
            stderr=output,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _await(url + ready, process, folder / "output")
        yield url, process
    finally:
        process.terminate()
        process.wait(30)


def _await(address: str, process: psutil.Process, output: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"{address} never answered 200:\n{output.read_text()[-3000:]}")


@dataclass(frozen=True)
class Wrk:
    """wrk, and the server that it asks."""

    folder: Path
    server: psutil.Process
    seconds: int
    key: str = "none"

    def ask(self, what: str, url: str, bodies: Path, connections: int) -> Run:
        """Warm up, then measure."""
        script = self.folder / "wrk.lua"
        script.write_text(SCRIPT.format(bodies=bodies, key=self.key))
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        first = httpx.post(url, content=bodies.read_text().splitlines()[0], headers=headers, timeout=60)
        if first.status_code != 200:
            raise SystemExit(f"{what}: {first.status_code} {first.text[:500]}")
        command = ["wrk", "-t1", f"-c{connections}", "--timeout", "60s", "-s", script, url]
        _tell([*command, "-d1s"])
        before = self._cpu_seconds()
        told = json.loads(_tell([*command, f"-d{self.seconds}s"]).splitlines()[-1])
        spent = self._cpu_seconds() - before
        if told["failed"] or not told["requests"]:
            raise SystemExit(f"{what}: {told['failed']} of {told['requests']} requests failed.")
        return Run(
            what,
            connections,
            told["requests"] / told["microseconds"] * 1e6,
            told["p50"] / 1e3,
            told["p99"] / 1e3,
            1e3 * spent / told["requests"],
        )

    def _cpu_seconds(self) -> float:
        processes = [self.server, *self.server.children(recursive=True)]
        return sum(times.user + times.system for times in (process.cpu_times() for process in processes))


def _query_ms(orders: pd.DataFrame) -> float:
    """Return the median milliseconds of the bare statements of the features, typed into DuckDB."""
    table = validate(orders).table
    days, features = purchase_days_sql(table.column_names), features_sql(table.column_names, SNAPSHOT)
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("CREATE MACRO unix_date(d) AS CAST(d - DATE '1970-01-01' AS INTEGER)")
    times = []
    for _ in range(300):
        start = time.perf_counter()
        connection.register("transactions", table)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE purchase_days AS {days}")
        connection.sql(features).to_arrow_table()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def _print(runs: Sequence[Run], query_ms: float) -> None:
    print(f"{'one worker each':36} {'conns':>5} {'req/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'CPU ms':>8}")
    for run in runs:
        print(
            f"{run.what:36} {run.connections:5} {run.requests_per_second:9,.0f} {run.p50_ms:8.2f} "
            f"{run.p99_ms:8.2f} {run.cpu_ms:8.2f}"
        )
    print(
        f"{'bare DuckDB query, ' + str(ORDERS) + ' orders':36} {'':5} {1e3 / query_ms:9,.0f} {query_ms:8.2f}\n"
    )
    found = {(run.what, run.connections): run for run in runs}
    busy = {what: run for (what, connections), run in found.items() if connections == CONNECTIONS}
    lookup, score, fastapi, mlflow, _ = busy.values()
    alone = found["stayworth /score, 1 customer", 1]
    many = found[f"stayworth /score, {MANY:,} customers", 1]
    for what, ratio, wanted in (
        (
            "/lookup, requests of FastAPI + Booster",
            lookup.requests_per_second / fastapi.requests_per_second,
            "≥ 1",
        ),
        ("/score of one alone, p50 of the DuckDB query", alone.p50_ms / query_ms, "≤ 2"),
        (f"/score of {MANY:,}, CPU ms", many.cpu_ms, "≤ 60"),
        (
            "/lookup, requests of mlflow models serve",
            lookup.requests_per_second / mlflow.requests_per_second,
            "≥ 10",
        ),
        (
            "/score of one, requests of mlflow models serve",
            score.requests_per_second / mlflow.requests_per_second,
            "≥ 10",
        ),
        (f"/lookup at {CONNECTIONS} connections, p99 / p50", lookup.p99_ms / lookup.p50_ms, "≤ 10"),
        (f"/score of one at {CONNECTIONS} connections, p99 / p50", score.p99_ms / score.p50_ms, "≤ 10"),
    ):
        good = ratio >= float(wanted[2:]) if wanted[0] == "≥" else ratio <= float(wanted[2:])
        print(f"{what:52} {ratio:8.2f}  {wanted:5} {'' if good else 'missed'}".rstrip())


if __name__ == "__main__":
    main()
