"""What customers' baskets and prices bring, out of time, as Markdown: ``python tests/benchmarks/bench_baskets.py``.

Of each log and churn window, one test: what rolling validation before it says of each group of features, and what the
test says of models that learn from none, from each and from both, whatever rolling validation says. Ta-Feng and the
lines of Online Retail II lie in the folder that STAYWORTH_DATA names.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd

from features.log.settings import Columns, LogRules
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.table.baskets import GROUP_OF, GROUPS
from training.churn.file_choice import FileGain
from training.churn.procedure import run_procedure
from training.metrics.comparison import log_losses
from training.metrics.probabilities import churn_metrics
from training.pipeline import fit_options
from training.settings import TrainSettings
from training.snapshots.dataset import LabelledSnapshot
from training.training_data import prepare, tried_beside

SETS: dict[str, tuple[str, ...]] = {
    "orders alone": (),
    "and products": GROUPS[:1],
    "and prices": GROUPS[1:],
    "and both": GROUPS,
}


@dataclass(frozen=True)
class Case:
    """A log of lines, a churn window, and the date of the test."""

    name: str
    horizon_days: int
    test: date


def ta_feng(folder: Path) -> TransactionLog:
    """Lines of a grocer with products, categories, quantities and margins."""
    raw = pd.read_parquet(folder / "ta_feng_lines.parquet")
    raw["margin"] = raw["amount"] - raw["cost"]
    return validate(raw, columns=Columns(date_column="date", category_column="product_subclass"))


def online_retail(folder: Path) -> TransactionLog:
    """Lines of a wholesaler's first year with products and quantities; those without a customer are set aside."""
    raw = pd.read_parquet(folder / "online_retail_II_lines_2009_2010.parquet")
    columns = Columns(
        customer_column="Customer ID",
        date_column="InvoiceDate",
        order_column="Invoice",
        product_column="StockCode",
        quantity_column="Quantity",
    )
    return validate(raw, LogRules(amount_expression="Quantity * Price"), columns)


CASES = (
    (ta_feng, (Case("Ta-Feng", 14, date(2001, 2, 15)), Case("Ta-Feng", 28, date(2001, 2, 1)))),
    (
        online_retail,
        (
            Case("Online Retail II, first year", 30, date(2010, 11, 9)),
            Case("Online Retail II, first year", 90, date(2010, 9, 10)),
        ),
    ),
)


def with_groups(row: LabelledSnapshot, groups: Collection[str]) -> LabelledSnapshot:
    """Return a snapshot with the features of some groups alone."""
    others = [name for name in row.table if name in GROUP_OF and GROUP_OF[str(name)] not in groups]
    return replace(row, table=row.table.drop(columns=others))


def judge(log: TransactionLog, case: Case) -> Iterator[str]:
    """Yield a case's rows of the table."""
    settings = TrainSettings(horizon_days=case.horizon_days, test_snapshot=case.test)
    data = prepare(log, settings, lambda step, done, total: None, tried_beside(log, None))
    options, before = fit_options(log, settings), np.empty(0)
    chosen = run_procedure(data.known_at_test, options).recipe
    for name, groups in SETS.items():
        known, test = (
            [with_groups(row, groups) for row in rows] for rows in (data.known_at_test, [data.test])
        )
        # Learnt from, whether it gains or not: what rolling validation decided stands in another column.
        with patch("training.churn.file_choice.gains_surely", return_value=True):
            fitted = run_procedure(known, options)
        row = fitted.describe(test[0], case.horizon_days)
        probability = fitted.churn.predict(row.columns, row.snapshot)
        losses = log_losses(row.churned, probability)
        before = losses if not groups else before
        gained = before - losses
        found = churn_metrics(row.churned, probability)
        rolling = f"closed windows: {len(known)}" if not groups else ""
        if len(groups) == 1:
            gain = chosen.files[groups[0]]
            rolling = _rolling(gain)
        yield (
            f"| {case.name}, {case.horizon_days} d, {case.test} | {name} | {rolling} | {found['auc']:.4f} | "
            f"{found['log_loss']:.4f} | {gained.mean():+.5f} ± {gained.std() / np.sqrt(gained.size):.5f} |"
        )


def _rolling(gain: FileGain) -> str:
    return f"{gain.without:.4f} → {gain.alone:.4f}, {'kept' if gain.kept else 'left out'}"


def main() -> None:
    """Print the table."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("STAYWORTH_DATA") or beside)
    print("| log, window, test | learnt from | rolling validation, log-loss | AUC | log-loss | gained |")
    print("|---|---|---|---|---|---|")
    for read, cases in CASES:
        try:
            log = read(folder)
        except OSError as error:
            print(f"{error}: it is left out.", file=sys.stderr)
            continue
        for case in cases:
            for line in judge(log, case):
                print(line, flush=True)


if __name__ == "__main__":
    main()
