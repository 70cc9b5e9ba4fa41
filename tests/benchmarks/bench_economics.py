"""The cost of a report of customer economics: ``python tests/benchmarks/bench_economics.py [customers]``.

Simulates a log (by default a million customers, 9.4 million orders of three years; ten million customers make 94
million orders), and computes by month every section that the log alone allows, without and with what customers buy:
2,000 products in 20 categories, with quantities and discounts. Tells wall and CPU time of each in a process of its own,
and its peak memory, in which the log and its simulation are included.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from bench_features import CUSTOMERS, simulated

from features.economics.facts import Facts
from features.economics.inputs import Inputs
from features.economics.periods import Periods
from features.economics.report import build_report

PRODUCTS, CATEGORIES = 2_000, 20


@dataclass(frozen=True)
class Rows:
    """Validated rows."""

    table: pa.Table


def with_products(table: pa.Table) -> pa.Table:
    """Add what was bought: a tenth of the products make half of the orders, a fifth of them are on discount."""
    draw, rows = np.random.default_rng(1), table.num_rows
    products = (PRODUCTS * draw.random(rows) ** 3.3).astype(np.int32)
    amounts = table["amount_cents"].to_numpy()
    off = np.where((draw.random(rows) < 0.2) & (amounts > 0), amounts // 10, 0)
    names = pa.array([f"p{number:04}" for number in range(PRODUCTS)])
    categories = pa.array([f"c{number:02}" for number in range(CATEGORIES)])
    return (
        table.append_column("product_id", names.take(pa.array(products)))
        .append_column("category", categories.take(pa.array(products % CATEGORIES)))
        .append_column("quantity", pa.array(draw.integers(1, 4, rows).astype(np.float64)))
        .append_column("discount_cents", pa.array(off))
    )


def measure(customers: int, products: bool) -> None:
    """Print what one report costs."""
    log = simulated(customers).without_raw_rows()
    rows = Rows(with_products(log.table) if products else log.table)
    wall, cpu = time.perf_counter(), time.process_time()
    with Facts(rows, Periods(log.first_day, log.last_day), inactivity_days=90, margin=0.3) as facts:
        print(f"facts   {time.perf_counter() - wall:6.1f} s, {time.process_time() - cpu:6.1f} s of CPU")
        report = build_report(facts, Inputs())
    print(f"report  {time.perf_counter() - wall:6.1f} s, {time.process_time() - cpu:6.1f} s of CPU")
    print(f"{rows.table.num_rows:,} orders, {len(list(report.tables))} tables")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB at most")


def main(customers: int) -> None:
    """Measure both in processes of their own."""
    for what in ("orders", "products"):
        print(f"{what}:", flush=True)
        subprocess.run([sys.executable, __file__, str(customers), what], check=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        measure(int(sys.argv[1]), sys.argv[2] == "products")
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS)
