"""What training and scoring cost by the size of a log: ``python tests/benchmarks/bench_scale.py [customers …]``.

Simulates three years of a shop with 9.4 orders a customer (by default 100,000 customers), and runs ``stayworth train``
and ``stayworth score`` on it beside what one would write by hand with lifetimes: the summary of the log, and the fit of
BG/NBD and Gamma-Gamma to it. Each is a process of its own. Prints CPU seconds, the peak of resident memory, and the
ratio of CPU to that of lifetimes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from features.datasets.simulator import simulate_log

PEER = """
import warnings
warnings.simplefilter("ignore")
import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter
from lifetimes.utils import summary_data_from_transaction_data
log = pd.read_parquet("orders.parquet")
log = log[log["amount"] >= 0]
rfm = summary_data_from_transaction_data(log, "customer_id", "ordered_at", "amount", freq="D")
BetaGeoFitter().fit(rfm["frequency"], rfm["recency"] / 7, rfm["T"] / 7)
bought = rfm[(rfm["frequency"] > 0) & (rfm["monetary_value"] > 0)]
GammaGammaFitter().fit(bought["frequency"], bought["monetary_value"])
"""
STAYWORTH = str(Path(sys.executable).with_name("stayworth"))
TRACKING = ("--tracking-uri", "sqlite:///mlflow.db")
RUNS = {
    "lifetimes: summary and fit": (sys.executable, "-c", PEER),
    "stayworth train": (
        *(
            STAYWORTH,
            "train",
            "--transactions",
            "orders.parquet",
            "--horizon-days",
            "90",
            "--promote",
            *TRACKING,
        ),
    ),
    "stayworth score to Parquet": (
        *(STAYWORTH, "score", "--transactions", "orders.parquet", "--out", "scored.parquet", *TRACKING),
    ),
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


def main() -> None:
    for customers in map(int, sys.argv[1:] or ["100000"]):
        with tempfile.TemporaryDirectory() as name:
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
            pq.write_table(log, Path(name) / "orders.parquet")
            print(f"\n{customers:,} customers, {log.num_rows:,} rows, {os.cpu_count()} CPUs")
            print(f"{'':28}  CPU s  wall s  peak GB  CPU, ratio to lifetimes")
            del log
            peer = 0.0
            for what, command in RUNS.items():
                cpu, wall, peak = measured(command, Path(name))
                peer = peer or cpu
                print(f"{what:28}  {cpu:5.0f}  {wall:6.0f}  {peak:7.2f}  {cpu / peer:.1f}", flush=True)


if __name__ == "__main__":
    main()
