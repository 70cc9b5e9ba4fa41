"""A report of 94 million orders: by ``make soak``, on a machine that is left alone for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

CUSTOMERS = int(os.environ.get("STAYWORTH_SOAK_CUSTOMERS", "10000000"))  # 9.4 orders each
GIGABYTES = 8

# A process of its own, for its peak memory. The log takes 2.4 GB; what the engine holds beyond its limit is spilt.
REPORT = """
import json, resource, sys, time
from types import SimpleNamespace
import pyarrow as pa, pyarrow.compute as pc
from datetime import date
from features.datasets.simulator import simulate_log
from features.economics.facts import Facts
from features.economics.inputs import Inputs
from features.economics.periods import Periods
from features.economics.report import build_report
from features.engines.resources import use_resources

def part(number, customers):
    log = simulate_log(customers, r=1.0, alpha=7.0, b=8.0, start=date(2020, 1, 1), weeks=156, acquisition_weeks=100,
                       refund_share=0.03, seed=number).transactions
    ids = pc.binary_join_element_wise(pa.scalar(f"{number:03}-"), log["customer_id"], "")
    cents = pc.cast(pc.round(pc.multiply(log["amount"], 100.0)), pa.int64())
    columns = [ids.cast(pa.string()), log["ordered_at"].cast(pa.date32()), cents]
    return pa.table(columns, ["customer_id", "ordered_on", "amount_cents"])

each = min(int(sys.argv[1]), 500_000)
table = pa.concat_tables([part(number, each) for number in range(int(sys.argv[1]) // each)])
use_resources("3500MB", None)
span = pc.min_max(table["ordered_on"]).as_py()
begun = time.perf_counter(), time.process_time()
log, months = SimpleNamespace(table=table), Periods(span["min"], span["max"])
with Facts(log, months, 90, margin=0.3) as facts:
    report = build_report(facts, Inputs())
    base = report.table("customer_base").rows
print(json.dumps({
    "orders": table.num_rows, "seconds": time.perf_counter() - begun[0],
    "cpu": time.process_time() - begun[1],
    "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    "adds_up": bool((base["start"] + base["new"] + base["returned"] - base["lost"] == base["end"]).all()),
    "total_base": int(base["total_base"].iloc[-1]),
}))
"""


@pytest.mark.soak
def test_a_report_of_94_million_orders_stays_within_8_gigabytes(capsys: pytest.CaptureFixture[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-c", REPORT, str(CUSTOMERS)], capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    with capsys.disabled():
        print(
            f"\n{found['orders']:,} orders: {found['seconds']:.0f} s ({found['cpu']:.0f} CPU s), "
            f"{found['gigabytes']:.1f} GB"
        )
    assert found["orders"] > 9 * CUSTOMERS
    assert found["adds_up"] and found["total_base"] == CUSTOMERS
    assert found["gigabytes"] < GIGABYTES
