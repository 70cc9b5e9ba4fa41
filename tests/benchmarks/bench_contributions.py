"""The cost of a list's contributions, by table and by LightGBM: ``python tests/benchmarks/bench_contributions.py``.

Trains on CDNOW and splits the log-odds of its customers into contributions, all of them and the first 1,000: with
`training.churn.treeshap`, and with LightGBM's own ``pred_contrib`` on one thread. The two take turns, nine times; the
least CPU time of each is compared, and every bit of the contributions. The ratio to hold is 3.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from features.datasets import cdnow
from features.log.validation import validate
from training.churn.inputs import ORDERS_ALONE
from training.churn.treeshap import TreeShap
from training.pipeline import train
from training.settings import TrainSettings

ROUNDS = 9


def least_cpu(*ways: Callable[[], object]) -> list[float]:
    """Return the least CPU seconds of each way, the ways taking turns."""
    times: list[list[float]] = [[] for _ in ways]
    for _ in range(ROUNDS):
        for way, taken in zip(ways, times, strict=True):
            start = time.process_time()
            way()
            taken.append(time.process_time() - start)
    return [min(taken) for taken in times]


def main() -> None:
    """Train, measure, and print a table."""
    print("training on CDNOW …", file=sys.stderr)
    run = train(validate(cdnow()), TrainSettings(horizon_days=90, snapshots=5))
    if (trees := run.model.churn.booster) is None or (shap := TreeShap.of(trees.lightgbm)) is None:
        raise SystemExit("This model has no trees, or too large ones, for tables.")
    booster = trees.lightgbm
    inputs = ORDERS_ALONE.matrix(run.newest.columns)
    (tables,) = least_cpu(lambda: TreeShap.of(booster))
    print(f"{booster.num_trees()} trees; making the tables: {1_000 * tables:.0f} ms")
    print(f"{'customers':>9}  {'by table':>9}  {'LightGBM':>9}  {'ratio':>5}  same bits")
    for rows in (inputs[:1_000], inputs):

        def by_lightgbm(rows: np.ndarray = rows) -> np.ndarray:
            return np.asarray(booster.predict(rows, pred_contrib=True, num_threads=1))

        def by_table(rows: np.ndarray = rows) -> np.ndarray:
            return shap(rows)

        ours, theirs = least_cpu(by_table, by_lightgbm)
        same = bool((by_table() == by_lightgbm()[:, :-1]).all())
        print(
            f"{len(rows):9,}  {1_000 * ours:6.1f} ms  {1_000 * theirs:6.1f} ms  {theirs / ours:5.1f}  {same}"
        )


if __name__ == "__main__":
    main()
