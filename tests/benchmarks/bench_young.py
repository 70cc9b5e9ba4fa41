"""Young logs with a known truth: ``python tests/benchmarks/bench_young.py [world …]``.

Where only one or two churn windows have closed, there is little to learn a level from. Logs of 150 days (churn window
28 days) and of a year (90) are drawn in simulated worlds, in two ways: they begin with the business, or (``later``)
are the last days of its 900, so that customers are older than their log. Each is judged on the window after its end:
*large* is mean churn probability less the share that churned, *spend* total expected spend ÷ what came.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.datasets.worlds import LOG_DAYS, simulate_world
from features.log.transactions import TransactionLog
from features.log.validation import validate
from training.pipeline import train
from training.settings import TrainSettings

WORLDS = ("stationary", "pareto", "regular", "growing", "slowing", "peak-ahead", "trough-ahead")
LOGS = ((150, 28, 8_000), (365, 90, 5_000))
"""Days of log, days of the churn window, customers of the world."""
SEEDS = (1, 2, 3)
HEAD = ("log", "days", "log-loss", "large", "spend")


def logs(name: str) -> Iterator[tuple[str, int, TransactionLog, TrainSettings]]:
    """Draw a world's young logs: what each is, its days, the log with the window to be judged on, the settings."""
    for days, horizon_days, customers in LOGS:
        for begins in ("later", "with the business"):
            for seed in SEEDS:
                length = LOG_DAYS if begins == "later" else days
                world = simulate_world(name, seed=seed, n_customers=customers, days=length)
                orders = world.orders_until(horizon_days)
                first = pa.scalar(pd.Timestamp(world.ends - timedelta(days=days)), pa.timestamp("s"))
                log = validate(orders.filter(pc.greater_equal(orders.column("ordered_at"), first)))
                settings = TrainSettings(horizon_days=horizon_days, test_snapshot=world.ends, threads=1)
                yield f"{name} {seed}, begins {begins}", days, log, settings


def judged(log: TransactionLog, settings: TrainSettings) -> tuple[float, float, float]:
    """Return log-loss, what is missed in the large, and total spend told ÷ true."""
    test = train(log, settings).test
    own = test.race.query("customers_slice == 'all'").iloc[-1]
    return own["log_loss"], own["calibration_in_the_large"], test.spend["ratio"].iloc[-1]


def main() -> None:
    """Print a row for each log, and the means: of log-losses, and of how far the others are off."""
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    rows = []
    for world in sys.argv[1:] or WORLDS:
        for name, days, log, settings in logs(world):
            loss, large, spend = judged(log, settings)
            rows.append((loss, abs(large), abs(spend - 1)))
            print(f"| {name} | {days} | {loss:.4f} | {large:+.3f} | {spend:.2f} |", flush=True)
    loss, large, spend = np.mean(rows, axis=0)
    print(f"| off on average | | {loss:.4f} | {large:.4f} | {spend:.3f} |")


if __name__ == "__main__":
    main()
