"""What training and scoring cost by the size of a log.

    python tests/benchmarks/bench_scale.py [customers …] [--plot FILE]

Simulates three years of a shop with 9.4 orders a customer (by default 20,000 and 100,000 customers), and runs
``stayworth features``, ``train`` and ``score`` on it beside what one would write by hand: the four numbers of each
customer that BG/NBD and Gamma-Gamma need, by bare DuckDB, pandas, polars (where it is installed) and lifetimes, and the
fit by lifetimes as well. From the feature table of the last date it scores to Parquet, with reasons and without, beside
LightGBM's ``Booster.predict`` of the champion's trees alone. Each is a process of its own. Prints CPU seconds, the peak
of resident memory, and the ratio of CPU to that of lifetimes; of several sizes also how the cost grows: ∝ orders^slope.
The plot is that as a picture (SVG, PNG or PDF). Beyond three million customers the commands of stayworth are run alone,
within 8 GB: what holds a whole table in memory takes more than most machines have.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.datasets.simulator import simulate_log

SUMMARY = """
import warnings
warnings.simplefilter("ignore")
import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter
from lifetimes.utils import summary_data_from_transaction_data
log = pd.read_parquet("orders.parquet")
log = log[log["amount"] >= 0]
rfm = summary_data_from_transaction_data(log, "customer_id", "ordered_at", "amount", freq="D")
"""
FIT = """
BetaGeoFitter().fit(rfm["frequency"], rfm["recency"] / 7, rfm["T"] / 7)
bought = rfm[(rfm["frequency"] > 0) & (rfm["monetary_value"] > 0)]
GammaGammaFitter().fit(bought["frequency"], bought["monetary_value"])
"""
DUCKDB = """
import duckdb
duckdb.sql(\"\"\"
WITH days AS (SELECT customer_id, CAST(ordered_at AS DATE) AS day, sum(amount) AS spend FROM 'orders.parquet'
              WHERE amount >= 0 GROUP BY ALL),
     numbered AS (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY day) AS nth FROM days)
SELECT customer_id, count(*) - 1, max(day) - min(day), (SELECT max(day) FROM days) - min(day),
       avg(spend) FILTER (nth > 1)
FROM numbered GROUP BY customer_id
\"\"\").to_arrow_table()
"""
PANDAS = """
import pandas as pd
log = pd.read_parquet("orders.parquet")
log = log[log["amount"] >= 0]
day = log["ordered_at"].astype("datetime64[s]").dt.floor("D")
days = log.groupby(["customer_id", day])["amount"].sum().reset_index()
later = days[days["customer_id"].duplicated()]
of = days.groupby("customer_id")["ordered_at"].agg(["count", "min", "max"])
rfm = pd.DataFrame({"frequency": of["count"] - 1, "recency": of["max"] - of["min"],
                    "T": days["ordered_at"].max() - of["min"],
                    "monetary_value": later.groupby("customer_id")["amount"].mean()})
"""
POLARS = """
import polars as pl
days = (pl.scan_parquet("orders.parquet").filter(pl.col("amount") >= 0)
        .group_by("customer_id", pl.col("ordered_at").cast(pl.Date).alias("day")).agg(pl.col("amount").sum())
        .sort("customer_id", "day"))
days.group_by("customer_id").agg(frequency=pl.len() - 1, recency=pl.col("day").max() - pl.col("day").min(),
                                 first=pl.col("day").min(), spend=pl.col("amount").slice(1).mean()).collect()
"""
FROM_FEATURES = """
from dataclasses import replace
import pyarrow.parquet as pq
from features.table_files import write_parquet
from serving.scorer import Scorer
from training.model.score_table import table_of
table = pq.read_table("latest.parquet")
columns = {name: column.to_numpy() for name, column in zip(table.column_names, table.columns)}
scorer = Scorer.from_registry("sqlite:///mlflow.db")
"""
PREDICT = """
described = {**columns, **scorer.model.clv.predict(columns, 90)}
if scorer.model.churn.booster is not None:
    scorer.model.churn.booster.lightgbm.predict(scorer.model.churn.inputs.matrix(described))
"""
SCORE = """
scores = replace(scorer, reasons=REASONS).score_columns(columns)
write_parquet(table_of(scores), "scores.parquet")
"""
STAYWORTH = str(Path(sys.executable).with_name("stayworth"))
LOG = ("--transactions", "orders.parquet")
TRACKING = ("--tracking-uri", "sqlite:///mlflow.db")
BY_HAND = "lifetimes: summary and fit"
RUNS = {
    BY_HAND: (sys.executable, "-c", SUMMARY + FIT),
    "lifetimes: summary": (sys.executable, "-c", SUMMARY),
    "bare DuckDB: summary": (sys.executable, "-c", DUCKDB),
    "pandas: summary": (sys.executable, "-c", PANDAS),
    "polars: summary": (sys.executable, "-c", POLARS),
    "stayworth features, 6 snapshots": (
        STAYWORTH,
        "features",
        *LOG,
        "--snapshots",
        "6",
        "--out",
        "f.parquet",
    ),
    "stayworth train": (STAYWORTH, "train", *LOG, "--horizon-days", "90", "--promote", *TRACKING),
    "stayworth score to Parquet": (STAYWORTH, "score", *LOG, "--out", "scored.parquet", *TRACKING),
    "stayworth features, 1 snapshot": (STAYWORTH, "features", *LOG, "--out", "latest.parquet"),
    "features → Booster.predict": (sys.executable, "-c", FROM_FEATURES + PREDICT),
    "features → all but reasons": (sys.executable, "-c", FROM_FEATURES + SCORE.replace("REASONS", "False")),
    "features → all columns": (sys.executable, "-c", FROM_FEATURES + SCORE.replace("REASONS", "True")),
}


MILLION = 1_000_000
SHOP = {
    "r": 1.0,
    "alpha": 7.0,
    "b": 8.0,
    "start": date(2020, 1, 1),
    "weeks": 156,
    "acquisition_weeks": 100,
    "refund_share": 0.03,
}


def measured(command: tuple[str, ...], folder: Path) -> tuple[float, float, float]:
    """Run a command; return its CPU seconds, wall seconds and peak memory in gigabytes."""
    began = time.perf_counter()
    with (folder / "said.txt").open("w") as said:
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)[:80]} failed:\n{(folder / 'said.txt').read_text()}")
    return used.ru_utime + used.ru_stime, time.perf_counter() - began, used.ru_maxrss / 1e6


def simulated(customers: int, folder: Path) -> int:
    """Write a log of so many customers as ``orders.parquet``, by day; return its rows."""
    parts = []
    for number, begin in enumerate(range(0, customers, MILLION)):
        log = simulate_log(min(MILLION, customers - begin), **SHOP, seed=number).transactions  # type: ignore[arg-type]
        ids = pc.binary_join_element_wise(f"C{number}-", log["customer_id"], "")
        parts.append(folder / f"part{number}.parquet")
        pq.write_table(log.set_column(0, "customer_id", ids), parts[-1])
    with duckdb.connect(config={"memory_limit": "4GB", "temp_directory": str(folder)}) as connection:
        connection.execute(
            f"COPY (SELECT * FROM '{folder}/part*.parquet' ORDER BY ordered_at) TO '{folder}/orders.parquet'"
        )
    for part in parts:
        part.unlink()
    return int(pq.read_metadata(folder / "orders.parquet").num_rows)


def of_size(customers: int) -> tuple[int, dict[str, float]]:
    """Measure every command on a log; print a line each, and return the orders and the CPU seconds."""
    with tempfile.TemporaryDirectory() as name:
        orders = simulated(customers, Path(name))
        print(f"\n{customers:,} customers, {orders:,} rows, {os.cpu_count()} CPUs")
        print(f"{'':31}  CPU s  wall s  peak GB  CPU, ratio to {BY_HAND}")
        found: dict[str, float] = {}
        for what, command in RUNS.items():
            if what.startswith("polars") and not importlib.util.find_spec("polars"):
                print(f"{what:31}  not installed")
                continue
            if customers > 3 * MILLION:
                if not what.startswith("stayworth"):
                    continue
                command = (*command, "--memory-limit", "8GB")
            cpu, wall, peak = measured(command, Path(name))
            found[what] = cpu
            ratio = f"{cpu / found[BY_HAND]:.2f}" if BY_HAND in found else ""
            print(f"{what:31}  {cpu:5.1f}  {wall:6.0f}  {peak:7.2f}  {ratio}", flush=True)
    return orders, found


def slopes(by_size: Mapping[int, Mapping[str, float]]) -> dict[str, float]:
    """Return the exponent by which each command's cost grows between the two largest sizes."""
    (fewer, then), (more, now) = sorted(by_size.items())[-2:]
    return {
        what: float(np.log(now[what] / then[what]) / np.log(more / fewer)) for what in now if what in then
    }


def plot(by_size: Mapping[int, Mapping[str, float]], file: Path) -> None:
    """Draw CPU seconds against orders, both axes logarithmic."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.set_prop_cycle(color=colormaps["tab20"](np.arange(20)))  # more than ten lines
    orders, grown = sorted(by_size), slopes(by_size)
    for what in by_size[orders[0]]:
        style = {"linewidth": 2.0} if what.startswith("stayworth") else {"linewidth": 1.0, "linestyle": "--"}
        measured_at = [size for size in orders if what in by_size[size]]
        seconds = [by_size[size][what] for size in measured_at]
        label = f"{what}: slope {grown[what]:.2f}" if what in grown else what
        axes.plot(measured_at, seconds, marker="o", label=label, **style)
    axes.set(xscale="log", yscale="log", xlabel="orders", ylabel="CPU seconds")
    figure.legend(fontsize="small", loc="outside right upper")
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("customers", nargs="*", type=int, default=[20_000, 100_000])
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args()
    by_size = dict(of_size(customers) for customers in asked.customers)
    if len(by_size) > 1:
        print("\ncost ∝ orders^slope, between the two largest logs:")
        for what, slope in slopes(by_size).items():
            print(f"{what:31}  {slope:.2f}")
        if asked.plot:
            plot(by_size, asked.plot)


if __name__ == "__main__":
    main()
