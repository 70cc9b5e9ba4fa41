"""How many customers suffice to learn from: ``python tests/benchmarks/bench_sample.py [customers | orders.parquet]``.

The training procedure chooses and fits on samples of a log's customers of growing size, drawn as
``stayworth train --sample-customers`` draws them, and is judged by log-loss on all customers of the newest closed
window, which it has not seen. By default on a simulated log of 60,000 customers.
"""

from __future__ import annotations

import sys
import time
from datetime import date

from sklearn.metrics import log_loss

from features.datasets.simulator import simulate_log
from features.log.loading import load_log
from features.log.transactions import TransactionLog, validate
from training.churn.procedure import run_procedure
from training.pipeline import fit_options
from training.settings import TrainSettings
from training.snapshots.dataset import LabelledSnapshot
from training.training_data import TrainingData, prepare

SIZES = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
ONLINE_RETAIL = {"customer_column": "customer_id", "date_column": "ts"}


def log_of(what: str) -> TransactionLog:
    """Read or simulate a log."""
    if not what.isdigit():
        return load_log(what, **ONLINE_RETAIL)
    shop = {
        "r": 1.0,
        "alpha": 7.0,
        "b": 8.0,
        "start": date(2020, 1, 1),
        "weeks": 156,
        "acquisition_weeks": 100,
    }
    return validate(simulate_log(int(what), **shop, refund_share=0.03).transactions)  # type: ignore[arg-type]


def prepared(log: TransactionLog, customers: int) -> TrainingData:
    """Label the snapshots of a sample."""
    return prepare(
        log, TrainSettings(horizon_days=90, sample_customers=customers), lambda step, done, total: None
    )


def losses(data: TrainingData, log: TransactionLog, test: LabelledSnapshot) -> tuple[float, float]:
    """Run the procedure on what the test snapshot knows; return its log-loss on all, and on recent customers."""
    fitted = run_procedure(data.known_at_test, fit_options(log, data.settings))
    described = fitted.describe(test, test.window.horizon_days)
    p = fitted.churn.predict(described.columns, test.snapshot)
    recent = test.recent(data.settings.dormancy_days)
    return log_loss(test.churned, p), log_loss(test.churned[recent], p[recent])


def main() -> None:
    log = log_of(sys.argv[1] if len(sys.argv) > 1 else "60000")
    test = prepared(log, 10**9).test
    print(f"{log.report.customers:,} customers, judged on the {len(test.table):,} of {test.snapshot}")
    print("customers  rows learnt from  log-loss  of recent customers  CPU s")
    for size in [size for size in SIZES if size < log.report.customers] + [log.report.customers]:
        began = time.process_time()
        data = prepared(log, size)
        rows = sum(len(row.table) for row in data.known_at_test)
        everybody, recent = losses(data, log, test)
        cpu = time.process_time() - began
        print(f"{size:9,}  {rows:16,}  {everybody:8.4f}  {recent:19.4f}  {cpu:5.0f}", flush=True)


if __name__ == "__main__":
    main()
