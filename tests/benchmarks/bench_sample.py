"""How many customers suffice to learn from: ``python tests/benchmarks/bench_sample.py [customers | log …]``.

The training procedure chooses and fits on samples of a log's customers of growing size, drawn as
``stayworth train --sample-customers`` draws them, and is judged by log-loss on *all* customers of the newest closed
window, which it has not seen. Small samples are drawn several times, and the spread of their losses is told. By default
on a simulated log of 100,000 customers and, where ``STAYWORTH_DATA`` has them, on Online Retail II and Ta-Feng.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from sklearn.metrics import log_loss

from features.datasets.simulator import simulate_log
from features.log.loading import load_log
from features.log.transactions import TransactionLog
from features.log.validation import validate
from training.churn.procedure import run_procedure
from training.pipeline import fit_options
from training.settings import TrainSettings
from training.snapshots.dataset import LabelledSnapshot
from training.training_data import TrainingData, prepare

SIZES = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
DRAWS = 5
"""Of a size, but no more together than twice the customers of the log, and one of the largest sizes."""

CUSTOMERS = "100000"
ONLINE_RETAIL, TA_FENG = "online_retail_II_orders.parquet", "ta_feng_lines.parquet"
COLUMNS = {
    ONLINE_RETAIL: {"customer_column": "customer_id", "date_column": "ts"},
    TA_FENG: {"customer_column": "customer_id", "date_column": "date", "amount_column": "amount"},
}
HORIZONS = {TA_FENG: 14}


def log_of(what: str) -> TransactionLog:
    """Read or simulate a log."""
    if not what.isdigit():
        return load_log(what, **COLUMNS.get(Path(what).name, {}))
    shop = {
        "r": 1.0,
        "alpha": 7.0,
        "b": 8.0,
        "start": date(2020, 1, 1),
        "weeks": 156,
        "acquisition_weeks": 100,
    }
    return validate(simulate_log(int(what), **shop, refund_share=0.03).transactions)  # type: ignore[arg-type]


def prepared(log: TransactionLog, settings: TrainSettings) -> TrainingData:
    """Label the snapshots of a sample."""
    return prepare(log, settings, lambda step, done, total: None)


def losses(data: TrainingData, log: TransactionLog, test: LabelledSnapshot) -> tuple[float, float]:
    """Run the procedure on what the test snapshot knows; return its log-loss on all, and on recent customers."""
    fitted = run_procedure(data.known_at_test, fit_options(log, data.settings))
    described = fitted.describe(test, test.window.horizon_days)
    p = fitted.churn.predict(described.columns, test.snapshot)
    recent = test.recent(data.settings.dormancy_days)
    return log_loss(test.churned, p), log_loss(test.churned[recent], p[recent])


def curve(what: str) -> None:
    """Print the learning curve of one log."""
    log = log_of(what)
    settings = TrainSettings(horizon_days=HORIZONS.get(Path(what).name, 90), sample_customers=10**9)
    # The purchase model under the test snapshot's columns is fitted on everybody, as the deployed one is.
    test = prepared(log, settings.model_copy(update={"snapshots": 1})).test
    name = f"simulated, {what}" if what.isdigit() else Path(what).stem
    print(f"\n{name}: judged on the {len(test.table):,} customers of {test.snapshot}")
    print("| customers | rows learnt from | log-loss (± between draws) | of recent customers | CPU s |")
    print("|---|---|---|---|---|")
    customers = log.report.customers
    for size in [size for size in SIZES if size < customers] + [customers]:
        began, found, rows = time.process_time(), [], 0
        draws = max(1, min(DRAWS, 2 * customers // size)) if size < customers else 1
        for seed in range(draws):
            drawn = settings.model_copy(update={"sample_customers": size, "seed": seed})
            data = prepared(log, drawn)
            rows = sum(len(row.table) for row in data.known_at_test)
            found.append(losses(data, log, replace(test)))
        cpu = (time.process_time() - began) / draws
        (everybody, recent), spread = np.mean(found, axis=0), np.std(found, axis=0)[0]
        told = f"{everybody:.4f} ± {spread:.4f}" if draws > 1 else f"{everybody:.4f}"
        print(f"| {size:,} | {rows:,} | {told} | {recent:.4f} | {cpu:.0f} |", flush=True)


def main() -> None:
    found = [str(Path(os.environ.get("STAYWORTH_DATA", "")) / name) for name in (ONLINE_RETAIL, TA_FENG)]
    for what in sys.argv[1:] or [CUSTOMERS, *filter(os.path.exists, found)]:
        curve(what)


if __name__ == "__main__":
    main()
