"""Do purchases come by the days that are told: ``python tests/benchmarks/bench_next_purchase.py [log …]``.

For cases of `bench_quality`, training is judged at its test date and at up to three earlier ones, a window apart. By
the days of 10, 50 and 90%, these shares of the customers should have bought, among those whose day lies before the end
of what is known; log-loss is that of having bought, mean over the days of the window. Told by the purchase model
alone, with the churn probability, and where training found one by the customers' own rhythm.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from bench_quality import Case, cases

from features.datasets import simulate_world
from features.errors import StayworthError
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import ChurnWindow, Snapshot
from features.table.history import PurchaseHistory
from training.churn.procedure import run_procedure
from training.churn.rhythm_choice import p_silent
from training.clv.next_purchase import LEVELS
from training.pipeline import fit_options
from training.settings import TrainSettings
from training.snapshots.outcomes import outcomes
from training.training_data import prepare

CASES = (("CDNOW", 90), ("Online Retail II", 90), ("Ta-Feng", 14), ("stationary", 90), ("regular", 90))
MOST_DATES = 4
HEAD = ("log, window", "test", "told by", "by 10%", "by 50%", "by 90%", "log-loss")


def judged(case: Case, log: TransactionLog, future: TransactionLog, test: date) -> dict[str, list[float]]:
    """Return the shares and the log-loss of one test date, by who tells the days.

    Raises
    ------
    StayworthError
        If nothing can be learnt before it.
    """
    horizon = case.horizon_days
    settings = TrainSettings(horizon_days=horizon, test_snapshot=test)
    data = prepare(log, settings, lambda step, done, total: None)
    fitted = run_procedure(data.known_at_test, fit_options(log, data.settings))
    row = fitted.describe(data.test, horizon)
    known_days = (future.last_day - test).days + 1
    with PurchaseHistory(future) as history:
        window = ChurnWindow(Snapshot(test), known_days)
        waited = outcomes(history, window, row.table["customer_id"])["days_to_purchase"].to_numpy()
    p0, p = row.table["p0"].to_numpy(), fitted.churn.predict(row.columns, row.snapshot)
    plain = replace(row.clv, rhythm=None)
    tellers = {"purchase model": (plain, p0), "with churn": (plain, p)}
    if row.clv.rhythm is not None:
        tellers["with rhythm"] = row.clv, p
    found = {}
    for name, (clv, churn) in tellers.items():
        days = clv.next_purchase_days(row.columns, churn, horizon)
        seen = {level: days[level] <= known_days for level in LEVELS}
        shares = [float((waited < np.ceil(days[at]))[seen[at]].mean()) for at in LEVELS]
        silent = p_silent(clv, row.columns, churn, horizon, range(1, horizon + 1)).clip(1e-9, 1 - 1e-9)
        bought = waited[:, None] < np.arange(1, horizon + 1)
        found[name] = [*shares, float(-np.log(np.where(bought, 1 - silent, silent)).mean())]
    return found


def main() -> None:
    """Print a row for each date and teller."""
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    for case in cases():
        if (case.name, case.horizon_days) not in CASES or (sys.argv[1:] and case.name not in sys.argv[1:]):
            continue
        log = case.read()
        future = validate(simulate_world(case.name, seed=1).orders_until(365)) if case.simulated else log
        for step in range(MOST_DATES):
            test = case.test - timedelta(days=step * case.horizon_days)
            try:
                found = judged(case, log, future, test)
            except StayworthError as error:
                print(f"  {test}: {error}", file=sys.stderr)
                break
            for name, (*shares, loss) in found.items():
                cells = " | ".join(f"{share:.1%}" for share in shares)
                print(
                    f"| {case.name}, {case.horizon_days} d | {test} | {name} | {cells} | {loss:.4f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
