"""Pauses as no time against the calendar: ``python tests/benchmarks/bench_pauses.py [log …]``.

The purchase model's p0 alone, on every window of each real log from its 60th day on, a window's start every fifth day:
fitted on what that day sees, with pauses and without. Mean log-loss and AUC over the windows, and the mean distance of
churn from the truth in the large.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import numpy as np
from bench_quality import Case, cases
from sklearn.metrics import log_loss, roc_auc_score

from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.clv.fitting import fit_clv
from training.snapshots.dataset import describe_snapshot, label_snapshot

EVERY_DAYS, FIRST_DAYS = 5, 60
HEAD = ("log, window", "windows", "with pauses", "p0", "log-loss", "in the large", "AUC")


def judged(case: Case, history: PurchaseHistory, day: Snapshot) -> np.ndarray | None:
    """Return log-loss, distance in the large and AUC of both, ndarray of shape (2, 3); None where nothing paused."""
    horizon = case.horizon_days
    row = label_snapshot(history, describe_snapshot(history, day, horizon), horizon)
    if not row.clv.intensity.pauses:
        return None
    y, models = row.churned, (fit_clv(row.table), row.clv)
    told = [np.clip(model.predict(row.columns, horizon)["p0"], 1e-9, 1 - 1e-9) for model in models]
    return np.array([(log_loss(y, p), abs(p.mean() - y.mean()), roc_auc_score(y, p)) for p in told])


def main() -> None:
    """Print two rows for each case: by the calendar, and with pauses as no time."""
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    for case in cases():
        if case.simulated or (sys.argv[1:] and case.name not in sys.argv[1:]):
            continue
        log = case.read()
        days = (log.last_day - log.first_day).days + 1 - case.horizon_days
        with PurchaseHistory(log) as history:
            starts = [
                log.first_day + timedelta(days=each) for each in range(FIRST_DAYS, days + 1, EVERY_DAYS)
            ]
            found = [judged(case, history, Snapshot(start)) for start in starts]
        paused = [each for each in found if each is not None]
        name = f"{case.name}, {case.horizon_days} d | {len(found)} | {len(paused)}"
        for how, row in zip(
            ("calendar", "pauses"), np.mean(paused, axis=0) if paused else (), strict=bool(paused)
        ):
            print(f"| {name} | {how} | {row[0]:.4f} | {row[1]:.3f} | {row[2]:.4f} |", flush=True)
        if not paused:
            print(f"| {name} | | | | |", flush=True)


if __name__ == "__main__":
    main()
