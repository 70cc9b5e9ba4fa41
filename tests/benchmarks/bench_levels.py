"""What a window's level moves beside how many buy: ``python tests/benchmarks/bench_levels.py [log …]``.

For each closed window of the real logs of `bench_quality`, the level that came true is given to the purchase model,
and its expected purchases are told as a multiple of those made: by more buyers alone, half way and wholly by
everybody's rate (`training.churn.frequency.Frequency.if_active`).
"""

from __future__ import annotations

import sys

import numpy as np
from bench_quality import cases
from scipy.special import expit

from training.churn.base import base_log_odds
from training.churn.calibration import intercept_of
from training.churn.frequency import Frequency
from training.settings import TrainSettings
from training.snapshots.dataset import LabelledSnapshot
from training.training_data import prepare

SHARES = (0.0, 0.5, 1.0)


def multiples(row: LabelledSnapshot) -> list[float]:
    """Return expected purchases of a window at its own level over those made, by each share of the rate."""
    base = base_log_odds(row.columns)
    shift = intercept_of(base, row.churned)
    found = []
    for share in SHARES:
        expected = expit(-(base + shift)) * Frequency(rate_share=share).if_active(row.columns, shift)
        found.append(float(expected.sum() / row.outcomes["purchases"].sum()))
    return [float(shift), *found]


def main() -> None:
    """Print a row for each window, and the range of each log's."""
    for case in cases():
        if case.simulated or (sys.argv[1:] and case.name not in sys.argv[1:]):
            continue
        log = case.read()
        settings = TrainSettings(horizon_days=case.horizon_days, test_snapshot=case.test)
        rows = [*(data := prepare(log, settings, lambda *_: None)).known_at_test, data.test]
        print(
            f"\n| {case.head} | level, log-odds | more buyers | half way | everybody's rate |\n|---|---|---|---|---|"
        )
        told = np.array([multiples(row) for row in rows])
        for row, (shift, *found) in zip(rows, told, strict=True):
            print(f"| {row.snapshot.date} | {shift:+.2f} | {' | '.join(f'{each:.3f}' for each in found)} |")
        old = np.array([(row.snapshot.date - log.first_day).days >= 100 for row in rows])
        for name, keep in (("all", np.ones(len(rows), bool)), ("from the hundredth day of the log on", old)):
            ranges = [
                f"{low:.2f} to {high:.2f}"
                for low, high in zip(told[keep].min(0), told[keep].max(0), strict=True)
            ]
            print(f"| {name} | {' | '.join(ranges)} |")


if __name__ == "__main__":
    main()
