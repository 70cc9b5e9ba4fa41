"""What a list costs on Spark, per core: ``python tests/benchmarks/bench_spark.py [customers … [reseller_orders]]``.

Simulates three years of a shop with 9.4 orders a customer, trains a champion on 20,000 of the customers, and scores
each log by ``stayworth score``: on DuckDB, and on Spark in local mode with two tasks at a time. Prints CPU seconds of
all processes (Java and Python's workers with them), wall seconds, the peak of their memory, and the CPU seconds per
million orders. With ``--reseller N`` the log has a customer with N orders more. Then the table of docs/spark.md: the
CPU time of the largest log, scaled on paper.
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from features.datasets.simulator import simulate_log

STAYWORTH = str(Path(sys.executable).with_name("stayworth"))
TRACKING = ("--tracking-uri", "sqlite:///mlflow.db")
SCORE = (STAYWORTH, "score", "--transactions", "orders", "--accept", "other-history", *TRACKING)
RUNS = {
    "DuckDB": (*SCORE, "--out", "scored.parquet"),
    "Spark, local[2]": (*SCORE, "--engine", "spark", "--spark-master", "local[2]", "--out", "scored"),
}
PLAN = (10, 100, 1_000)  # millions of customers
_SUBREAPER = 36  # prctl: what a dead process leaves behind is ours, and counted


def measured(command: tuple[str, ...], folder: Path) -> tuple[float, float, float]:
    """Run a command; return CPU and wall seconds, and the peak memory in gigabytes, of it and all it starts."""
    before, began, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), 0
    with (folder / "said.txt").open("w") as said:
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said)
        while process.poll() is None:
            peak = max(peak, _memory())
            time.sleep(0.5)
    wall = time.perf_counter() - began
    for left in psutil.Process().children(recursive=True):
        left.wait(60)
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    if process.returncode:
        raise SystemExit(f"{' '.join(command)[:90]} failed:\n{(folder / 'said.txt').read_text()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall, peak / 1e9


def _memory() -> int:
    """Return the memory of all processes below this one; pages that several share count once for each."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def simulated(customers: int, reseller_orders: int = 0) -> pa.Table:
    """Return the orders of three years, those of a reseller behind them."""
    log = simulate_log(
        customers,
        r=1.0,
        alpha=7.0,
        b=8.0,
        start=date(2020, 1, 1),
        weeks=156,
        acquisition_weeks=100,
        refund_share=0.03,
    ).transactions
    if not reseller_orders:
        return log
    rng = np.random.default_rng(0)
    seconds = np.sort(rng.integers(0, 156 * 7 * 86_400, reseller_orders))
    reseller = {
        "customer_id": pa.array(["reseller"] * reseller_orders),
        "ordered_at": pa.array(np.datetime64("2020-01-01", "s") + seconds),
        "amount": pa.array(np.round(rng.gamma(2.0, 20.0, reseller_orders), 2)),
    }
    return pa.concat_tables([log, pa.table(reseller).select(log.column_names).cast(log.schema)])


def main() -> None:
    ctypes.CDLL(None).prctl(_SUBREAPER, 1)
    numbers = sys.argv[1:]
    reseller = int(numbers.pop(numbers.index("--reseller") + 1)) if "--reseller" in numbers else 0
    sizes = [int(each) for each in numbers if each != "--reseller"] or [100_000]
    per_million, rows = 0.0, 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pq.write_table(simulated(20_000), folder / "training.parquet")
        training = (
            STAYWORTH,
            "train",
            "--transactions",
            "training.parquet",
            "--horizon-days",
            "90",
            "--promote",
        )
        measured((*training, *TRACKING), folder)
        for customers in sizes:
            log = simulated(customers, reseller)
            (folder / "orders").mkdir(exist_ok=True)
            for old in (folder / "orders").iterdir():
                old.unlink()
            part = 1 + log.num_rows // 8
            for number in range(8):
                pq.write_table(log.slice(number * part, part), folder / "orders" / f"{number}.parquet")
            rows = log.num_rows
            print(f"\n{customers:,} customers, {rows:,} rows, {os.cpu_count()} CPUs")
            print(f"{'':18}  CPU s  wall s  peak GB  CPU s per million rows")
            del log
            for what, command in RUNS.items():
                cpu, wall, peak = measured(command, folder)
                per_million = cpu / rows * 1e6
                print(f"{what:18}  {cpu:5.0f}  {wall:6.0f}  {peak:7.2f}  {per_million:.1f}", flush=True)
    print(
        f"\nOn paper, at {per_million:.1f} CPU s per million rows and {rows / sizes[-1]:.1f} rows a customer:"
    )
    print("customers (million)  rows (million)  core hours  hours on 16 cores  on 256 cores")
    for millions in PLAN:
        orders = millions * rows / sizes[-1]
        hours = orders * per_million / 3600
        print(f"{millions:19,}  {orders:14,.0f}  {hours:10.1f}  {hours / 16:17.1f}  {hours / 256:12.1f}")


if __name__ == "__main__":
    main()
