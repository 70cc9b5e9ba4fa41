"""The cost of the feature table over the bare SQL: ``python tests/benchmarks/bench_features.py [customers]``.

Simulates a log (by default a million customers, 9.4 million orders of three years), describes it at six
monthly snapshots, and does the same with the statements typed straight into DuckDB. Each way runs in a
process of its own, in turn, three times; the least CPU and wall time of each is compared, and the peak
memory told. The ratio to hold is 1.3. Ends with the time of a live request of one customer.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from datetime import date

import duckdb
import pyarrow as pa

from features.datasets.simulator import simulate_log
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.feature_table import feature_tables
from features.table.history import PurchaseHistory, features_sql
from features.table.purchase_days import purchase_days_sql

SNAPSHOTS = [Snapshot(date(2022, month, 1)) for month in range(7, 13)]
CUSTOMERS, ROUNDS = 1_000_000, 3


def simulated(customers: int) -> TransactionLog:
    """Simulate three years of about 9.4 orders a customer, three in a hundred paid back."""
    log = simulate_log(
        customers,
        r=1.0,
        alpha=7.0,
        b=8.0,
        start=date(2020, 1, 1),
        weeks=156,
        acquisition_weeks=100,
        refund_share=0.03,
    )
    return validate(log.transactions)


def bare(table: pa.Table) -> int:
    """The statements of the feature table, typed into DuckDB; their rows are counted and not kept."""
    connection = duckdb.connect()
    connection.execute("CREATE MACRO unix_date(d) AS CAST(d - DATE '1970-01-01' AS INTEGER)")
    connection.register("transactions", table)
    connection.execute(f"CREATE TEMP TABLE purchase_days AS {purchase_days_sql(table.column_names)}")
    queries = [features_sql(table.column_names, snapshot) for snapshot in SNAPSHOTS]
    return sum(connection.sql(query).to_arrow_table().num_rows for query in queries)


def measure(way: str, customers: int) -> dict[str, float]:
    """Run one way in this process."""
    log = simulated(customers)
    typed = log.table.set_column(0, "customer_id", log.table["customer_id"].cast(pa.string()))
    wall, cpu = time.perf_counter(), time.process_time()
    rows = bare(typed) if way == "bare" else sum(part.num_rows for part in feature_tables(log, SNAPSHOTS))
    return {
        "orders": log.table.num_rows,
        "rows": rows,
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def live_request() -> list[float]:
    """Milliseconds from a customer's few orders to their features."""
    log, times = simulated(1), []
    for _ in range(200):
        start = time.perf_counter()
        with PurchaseHistory(log) as history:
            history.features(SNAPSHOTS[-1])
        times.append(1_000 * (time.perf_counter() - start))
    return times


def main(customers: int) -> None:
    """Measure both ways in turn and print what they took."""
    runs: dict[str, list[dict[str, float]]] = {"bare": [], "ours": []}
    for _ in range(ROUNDS):
        for way, results in runs.items():
            command = [sys.executable, __file__, str(customers), way]
            results.append(
                json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            )
    best = {
        way: {key: min(run[key] for run in results) for key in results[0]} for way, results in runs.items()
    }
    ours, typed = best["ours"], best["bare"]
    print(f"{ours['orders']:,} orders, {len(SNAPSHOTS)} snapshots, {ours['rows']:,} rows of features")
    for way, least in best.items():
        print(f"{way}: {least['wall']:6.2f} s wall {least['cpu']:6.2f} s CPU {least['gigabytes']:5.2f} GB")
    print(f"ratio: {ours['wall'] / typed['wall']:.2f} wall, {ours['cpu'] / typed['cpu']:.2f} CPU")
    times = live_request()
    print(f"live request of one customer: {statistics.median(times):.1f} ms, at best {min(times):.1f} ms")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[1]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS)
