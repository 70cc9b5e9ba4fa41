"""The cost of a report of customer economics: ``python tests/benchmarks/bench_economics.py [customers]``.

Simulates a log (by default a million customers, 9.4 million orders of three years; ten million customers make 94
million orders), and computes every section that the log alone allows, by month. Tells wall and CPU time, and the peak
memory of the whole process, in which the log and its simulation are included.
"""

from __future__ import annotations

import resource
import sys
import time

from bench_features import CUSTOMERS, simulated

from features.economics.facts import Facts
from features.economics.inputs import Inputs
from features.economics.periods import Periods
from features.economics.report import build_report


def main(customers: int) -> None:
    """Print what one report costs."""
    log = simulated(customers).without_raw_rows()
    wall, cpu = time.perf_counter(), time.process_time()
    with Facts(log, Periods(log.first_day, log.last_day), inactivity_days=90, margin=0.3) as facts:
        print(f"facts   {time.perf_counter() - wall:6.1f} s, {time.process_time() - cpu:6.1f} s of CPU")
        report = build_report(facts, Inputs())
    print(f"report  {time.perf_counter() - wall:6.1f} s, {time.process_time() - cpu:6.1f} s of CPU")
    print(f"{log.table.num_rows:,} orders, {len(list(report.tables))} tables")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB at most")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS)
