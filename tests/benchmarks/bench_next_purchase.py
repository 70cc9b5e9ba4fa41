"""Do purchases come by the days that are told: ``python tests/benchmarks/bench_next_purchase.py [log …]``.

For cases of `bench_quality`, training is judged at its test date and at up to three earlier ones, a window apart. By
the days of 10, 50 and 90%, these shares of the customers should have bought, among those whose day lies before the end
of what is known; log-loss is that of having bought, mean over the days of the window. Told by the purchase model
alone, and with the churn probability.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta

import numpy as np
from bench_quality import Case, cases
from scipy.special import log_expit

from features.datasets import simulate_world
from features.errors import StayworthError
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import ChurnWindow, Snapshot
from features.table.history import PurchaseHistory
from training.churn.procedure import run_procedure
from training.clv.next_purchase import LEVELS
from training.pipeline import fit_options
from training.settings import TrainSettings
from training.snapshots.dataset import LabelledSnapshot
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
    own = [_log_silent(row, day) for day in range(1, horizon + 1)]
    found = {}
    for name, churn in (("purchase model", p0), ("with churn", p)):
        days = row.clv.next_purchase_days(row.columns, churn, horizon)
        seen = {level: days[level] <= known_days for level in LEVELS}
        shares = [float((waited < np.ceil(days[at]))[seen[at]].mean()) for at in LEVELS]
        ratio = np.log(churn) / own[-1]  # of the hazards
        silent = [np.exp(each * ratio).clip(1e-9, 1 - 1e-9) for each in own]
        losses = [-np.log(np.where(waited < day, 1 - s, s)).mean() for day, s in enumerate(silent, 1)]
        found[name] = [*shares, float(np.mean(losses))]
    return found


def _log_silent(row: LabelledSnapshot, days: int) -> np.ndarray:
    """Return ln(1 − F0): of no purchase within so many days, by the purchase model alone."""
    clv, weeks = row.clv, row.clv.weeks_ahead(row.columns, days)
    return log_expit(-clv.purchases.purchase_log_odds(*clv.histories(row.columns), weeks).clip(-700, 700))


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
