"""The race at many test dates instead of one: ``python tests/benchmarks/bench_dates.py [log …]``.

One window of one log may be better or worse than all before it. For each case of `bench_quality` that is a real log,
the same training is judged at its test date and at up to five earlier ones, half a window apart, as far back as there
is something to learn from. Each row is a test that knows nothing of later days. *Lead*: log-loss of the best racer of
training on that date, less stayworth's; *MAE*: absolute error of expected spend, as a multiple of the best racer's.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import numpy as np
from bench_quality import Case, cases

from features.errors import StayworthError
from features.log.transactions import TransactionLog
from training.pipeline import train
from training.settings import TrainSettings

HEAD = ("test", "customers", "log-loss", "lead", "in the large", "spend", "MAE")
MOST_DATES = 6


def judged(case: Case, log: TransactionLog, days_earlier: int) -> list[float] | None:
    """Return the numbers of one test date, or None where nothing can be learnt before it."""
    settings = TrainSettings(
        horizon_days=case.horizon_days, test_snapshot=case.test - timedelta(days=days_earlier)
    )
    try:
        run = train(log, settings)
    except StayworthError as error:
        print(f"  {settings.test_snapshot}: {error}", file=sys.stderr)
        return None
    race = run.test.race.query("customers_slice == 'all'").set_index("racer")
    own, others = race.iloc[-1], race.iloc[:-1]
    spend = run.test.spend.set_index("racer")
    return [
        len(run.test.probability),
        own["log_loss"],
        others["log_loss"].min() - own["log_loss"],
        own["calibration_in_the_large"],
        spend["ratio"].iloc[-1],
        spend["mae"].iloc[-1] / spend["mae"].iloc[:-1].min(),
    ]


def main() -> None:
    """Print a table for each log, a row for each date, their mean and their median."""
    for case in cases():
        if case.simulated or (sys.argv[1:] and case.name not in sys.argv[1:]):
            continue
        log = case.read()
        print(
            f"\n{case.name}, {case.horizon_days} d\n\n| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}",
            flush=True,
        )
        rows = []
        for step in range(MOST_DATES):
            earlier = step * case.horizon_days // 2
            found = judged(case, log, earlier)
            if found is None:
                break
            rows.append(found)
            print(_row(str(case.test - timedelta(days=earlier)), found), flush=True)
        numbers = np.array(rows)
        print(_row("mean", numbers.mean(axis=0)))
        print(_row("median", np.median(numbers, axis=0)))


def _row(name: str, numbers: list[float] | np.ndarray) -> str:
    customers, loss, lead, large, spend, error = numbers
    cells = (f"{customers:,.0f}", f"{loss:.4f}", f"{lead:+.4f}", f"{large:+.3f}")
    return f"| {name} | {' | '.join(cells)} | {spend:.2f} | {error:.2f} |"


if __name__ == "__main__":
    main()
