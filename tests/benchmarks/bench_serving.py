"""The service's speed: ``python tests/benchmarks/bench_serving.py [--seconds 5] [--tracking-uri URI]``.

One after the other, each as one worker, wrk asks the service (``/lookup`` of one id, ``/score`` of one customer
with 20 orders, ``/score`` of 1,000 customers, all with an API key; and two workers, from more connections than they
can answer) and what it is compared with: bare FastAPI
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
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
from serving_peers import features_body
from wrk import PROGRAMS, Run, Wrk, serving, tell

from features.datasets import cdnow
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.columns import as_columns
from features.table.history import PurchaseHistory, features_sql
from features.table.purchase_days import purchase_days_sql
from features.table_files import write_csv
from serving.scorer import Scorer
from training.churn.inputs import ORDERS_ALONE
from training.pipeline import train
from training.registration import register
from training.settings import TrainSettings
from training.versions.registry import Registry

HERE = Path(__file__).resolve().parent
SNAPSHOT = Snapshot(date(1998, 7, 1))
ORDERS, MANY = 20, 1_000
CONNECTIONS = 16
CROWD = 512
TWO_WORKERS = "/score, 1 customer, 2 workers"


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
        _print(runs, *_query_ms(bodies.few_orders))


def _champion(folder: Path) -> str:
    """Train a small champion on CDNOW."""
    print("training on CDNOW …", file=sys.stderr)
    uri, log = f"sqlite:///{folder / 'mlflow.db'}", validate(cdnow())
    settings = TrainSettings(horizon_days=90, promote=True, snapshots=3, threads=1)
    register(train(log, settings), log, settings, Registry(uri))
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
    columns = as_columns(table)
    columns |= scorer.model.clv.predict(columns, scorer.model.terms.horizon_days)
    names = scorer.model.churn.booster.lightgbm.feature_name() if scorer.model.churn.booster else []
    rows = pd.DataFrame(ORDERS_ALONE.matrix(columns), columns=names).to_dict("records")
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
    tell([stayworth, "score", *publish, "--store", store])
    key = tell([stayworth, "keys", "add", "bench", "--store", store]).split()[-1]
    serve = [stayworth, "serve", "--tracking-uri", uri, "--store", store, "--cache", folder / "cache"]
    with serving(folder, "stayworth", [*serve, "--port"], "/readyz") as (url, process):
        wrk = Wrk(folder, process, seconds, key)
        for connections in (1, CONNECTIONS):
            yield wrk.ask("stayworth /lookup, 1 id", f"{url}/lookup", bodies.ids, connections)
        for connections in (1, CONNECTIONS):
            yield wrk.ask("stayworth /score, 1 customer", f"{url}/score", bodies.one, connections)
        yield wrk.ask(f"stayworth /score, {MANY:,} customers", f"{url}/score", bodies.many, 1)
    with serving(folder, TWO_WORKERS, [*serve, "--workers", "2", "--port"], "/readyz") as (url, process):
        wrk = Wrk(folder, process, 2 * seconds, key)
        for connections in (CONNECTIONS, CROWD):
            yield wrk.ask(TWO_WORKERS, f"{url}/score", bodies.one, connections, may_be_refused=True)


def _peers(folder: Path, uri: str, scorer: Scorer, bodies: Bodies, seconds: int) -> Iterator[Run]:
    """Serve the others one after the other, and ask."""
    if scorer.model.churn.booster is None:
        raise SystemExit("This champion has no Booster to compare with. Train on another log.")
    booster = folder / "booster.txt"
    booster.write_text(scorer.model.churn.booster.text)
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
        with serving(folder, what, command, ready, environment) as (url, process):
            wrk = Wrk(folder, process, seconds)
            for connections in (1, CONNECTIONS):
                yield wrk.ask(what, url + path, file, connections)


def _query_ms(orders: pd.DataFrame) -> tuple[float, float]:
    """Return median milliseconds: of the features' statements typed into DuckDB, and as the engine runs them."""
    log = validate(orders)
    columns = log.table.column_names
    days, features = purchase_days_sql(columns), features_sql(columns, SNAPSHOT)
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("CREATE MACRO unix_date(d) AS CAST(d - DATE '1970-01-01' AS INTEGER)")

    def bare() -> None:
        connection.register("transactions", log.table)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE purchase_days AS {days}")
        connection.execute(features).fetchall()

    def engine() -> None:
        with PurchaseHistory(log) as history:
            history.columns(SNAPSHOT)

    return _median_ms(bare), _median_ms(engine)


def _median_ms(work: Callable[[], None]) -> float:
    times = []
    for _ in range(300):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def _print(runs: Sequence[Run], query_ms: float, engine_ms: float) -> None:
    print(f"{'one worker each':36} {'conns':>5} {'req/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'CPU ms':>8}")
    for run in runs:
        print(
            f"{run.what:36} {run.connections:5} {run.requests_per_second:9,.0f} {run.p50_ms:8.2f} "
            f"{run.p99_ms:8.2f} {run.cpu_ms:8.2f}"
        )
    for what, ms in (("bare DuckDB query", query_ms), ("the same by the small engine", engine_ms)):
        print(f"{f'{what}, {ORDERS} orders':42} {1e3 / ms:9,.0f} {ms:8.2f}")
    print()
    found = {(run.what, run.connections): run for run in runs}
    busy = {what: run for (what, connections), run in found.items() if connections == CONNECTIONS}
    lookup, score, fastapi, mlflow = (
        busy[what]
        for what in (
            "stayworth /lookup, 1 id",
            "stayworth /score, 1 customer",
            "FastAPI + Booster",
            "mlflow models serve",
        )
    )
    crowd, peak = found[TWO_WORKERS, CROWD], found[TWO_WORKERS, CONNECTIONS]
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
        (
            f"under overload: {CROWD} connections, useful/s ÷ peak",
            crowd.requests_per_second / peak.requests_per_second,
            "≥ 0.8",
        ),
        ("the same, p99 of what is answered, seconds", crowd.p99_ms / 1e3, "≤ 2"),
    ):
        good = ratio >= float(wanted[2:]) if wanted[0] == "≥" else ratio <= float(wanted[2:])
        print(f"{what:52} {ratio:8.2f}  {wanted:5} {'' if good else 'missed'}".rstrip())


if __name__ == "__main__":
    main()
