"""The race on every log there is, as Markdown: ``make bench-quality``, or ``… bench_quality.py CDNOW regular``.

One configuration, the defaults; the only setting that differs is the churn window that is asked about. CDNOW and the
simulated worlds are always there; Online Retail II and Ta-Feng where STAYWORTH_DATA names their folder. A world's test
is the window after its log. CatBoost takes part where it is installed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from learners import LEARNERS, NOT_INSTALLED

from features.datasets import WORLDS, cdnow, simulate_world
from features.log.settings import Columns
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.metrics.money import value_metrics
from training.metrics.probabilities import churn_metrics
from training.pipeline import train
from training.run import TrainingRun
from training.settings import TrainSettings
from training.snapshots.dataset import LabelledSnapshot, describe_snapshot, label_snapshot

CHURN = "churn: AUC / log-loss / in the large, all · recent"
SPEND = "spend: mean abs. error · total ÷ actual · Spearman · Gini · share in top 10%"
PURCHASES = "`--clv-model` alone: purchases' mean abs. error · total ÷ actual · spend's · total · Spearman"

Table = dict[str, list[str]]


@dataclass(frozen=True)
class Case:
    """A log, the churn window that is asked about, and the date of the test."""

    name: str
    horizon_days: int
    test: date
    read: Callable[[], TransactionLog]
    simulated: bool = False

    @property
    def head(self) -> str:
        """The case as a column's head."""
        return f"{self.name} {self.test}, {self.horizon_days} d"


def cases() -> Iterator[Case]:
    """Name the cases whose logs there are."""
    yield Case("CDNOW", 90, date(1998, 4, 1), lambda: validate(cdnow()))
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("STAYWORTH_DATA") or beside)
    retail, grocer = folder / "online_retail_II_orders.parquet", folder / "ta_feng_lines.parquet"
    for horizon_days, test in ((90, date(2011, 9, 10)), (180, date(2011, 6, 12))) if _has(retail) else ():
        yield Case(
            "Online Retail II",
            horizon_days,
            test,
            lambda: validate(pd.read_parquet(retail), columns=Columns(date_column="ts")),
        )
    for horizon_days, test in ((14, date(2001, 2, 15)), (28, date(2001, 2, 1))) if _has(grocer) else ():
        yield Case(
            "Ta-Feng",
            horizon_days,
            test,
            lambda: validate(pd.read_parquet(grocer), columns=Columns(date_column="date")),
        )
    for name, world in WORLDS.items():
        yield Case(name, world.span.horizon_days, world.span.ends, _of_world(name), simulated=True)


def _has(path: Path) -> bool:
    if not path.is_file():
        print(f"No {path}: it is left out.", file=sys.stderr)
    return path.is_file()


def _of_world(name: str) -> Callable[[], TransactionLog]:
    return lambda: validate(simulate_world(name, seed=1).orders_until(WORLDS[name].span.horizon_days))


def purchase_models(log: TransactionLog, horizon_days: int, test: date) -> dict[str, str]:
    """Judge BG/NBD, MBG/NBD and Pareto/NBD alone: purchases and, times Gamma-Gamma, spend of the test window."""
    cells = {}
    with PurchaseHistory(log) as history:
        for model in ("bgnbd", "mbgnbd", "paretonbd"):
            row = label_snapshot(
                history, describe_snapshot(history, Snapshot(test), horizon_days, model=model), horizon_days
            )
            bought, expected = row.outcomes["purchases"], row.table["expected_purchases"]
            spend = value_metrics(
                row.outcomes["spend"].to_numpy(), (expected * row.table["spend_per_purchase"]).to_numpy()
            )
            counts = f"{(bought - expected).abs().mean():.3f} · {expected.sum() / bought.sum():.3f}"
            money = f"{spend['mae']:,.2f} · {spend['ratio']:.3f} · {spend['spearman']:.3f}"
            cells[model] = f"{counts} · {money}"
    return cells


def churn_cells(run: TrainingRun) -> dict[str, str]:
    """Judge everybody's churn probabilities: the racers of training, the benchmark's learners, stayworth last."""
    results = run.test.race.set_index(["racer", "customers_slice"])
    cells = {
        racer: " · ".join(_cell(results.loc[(racer, part)]) for part in ("all", "recent"))
        for racer in run.test.race["racer"].unique()
    }
    own = {name: cells.pop(name) for name in list(cells)[-1:]}
    known = [row for row in run.labelled if row.snapshot in run.schedule.before_test]
    test = next(row for row in run.labelled if row.snapshot == run.schedule.test)
    for name, learner in LEARNERS.items():
        print(f"  {name} …", file=sys.stderr)
        cells[name] = (
            _judged(test, learner(known, test), run.settings.dormancy_days) if learner else NOT_INSTALLED
        )
    error = results.loc[(next(iter(own)), "all"), "calibration_error"]
    customers = [f"{int(results.loc[(next(iter(own)), part), 'customers']):,}" for part in ("all", "recent")]
    return {"customers": " · ".join(customers)} | cells | own | {"its calibration error": f"{error:.4f}"}


def _judged(test: LabelledSnapshot, probability: np.ndarray, dormant_after_days: int) -> str:
    slices = (np.ones(len(probability), bool), test.recent(dormant_after_days))
    return " · ".join(_cell(churn_metrics(test.churned[keep], probability[keep])) for keep in slices)


def _cell(metrics: pd.Series | dict[str, float]) -> str:
    return f"{metrics['auc']:.4f} / {metrics['log_loss']:.4f} / {metrics['calibration_in_the_large']:+.3f}"


def spend_cells(run: TrainingRun) -> dict[str, str]:
    """Judge everybody's expected spend."""
    shown = ("ratio", "spearman", "gini", "top_decile_share")
    return {
        row["racer"]: " · ".join((f"{row['mae']:,.2f}", *(f"{row[name]:.3f}" for name in shown)))
        for _, row in run.test.spend.iterrows()
    }


def raced(case: Case) -> dict[str, dict[str, str]]:
    """Race on one log; return the cells of each table."""
    print(f"{case.head} …", file=sys.stderr)
    log = case.read()
    run = train(log, TrainSettings(horizon_days=case.horizon_days, test_snapshot=case.test))
    return {
        CHURN: churn_cells(run),
        SPEND: spend_cells(run),
        PURCHASES: purchase_models(log, case.horizon_days, case.test),
    }


def print_tables(chosen: list[Case]) -> None:
    """Race, and print one table each of churn, spend and the purchase models, a log per column."""
    found = {case.head: raced(case) for case in chosen}
    for title in (CHURN, SPEND, PURCHASES) if found else ():
        print(f"\n| {title} | " + " | ".join(found) + " |\n|" + "---|" * (len(found) + 1))
        for racer in next(iter(found.values()))[title]:
            print(f"| {racer} | " + " | ".join(cells[title][racer] for cells in found.values()) + " |")


def main() -> None:
    """Race on the logs named, or on all of them: the real ones first, then the worlds."""
    available = list(cases())
    names = sys.argv[1:] or [case.name for case in available]
    if unknown := sorted(set(names) - {case.name for case in available}):
        sys.exit(f"No log {unknown}: there are {sorted({case.name for case in available})}.")
    for simulated in (False, True):
        print_tables([case for case in available if case.name in names and case.simulated == simulated])


if __name__ == "__main__":
    main()
