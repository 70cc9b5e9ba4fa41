"""The race on real logs, as Markdown: `make race`. Online Retail II is raced where STAYWORTH_DATA has it.

One configuration, the defaults; the only setting that differs is the churn window that is asked about.
"""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

import pandas as pd

from features.datasets import cdnow
from features.log.settings import Columns
from features.log.transactions import TransactionLog, validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.metrics.money import value_metrics
from training.pipeline import train
from training.settings import TrainSettings
from training.snapshots.dataset import describe_snapshot, label_snapshot

CASES = [
    ("CDNOW", 90, date(1998, 4, 1)),
    ("Online Retail II", 90, date(2011, 9, 10)),
    ("Online Retail II", 180, date(2011, 6, 12)),
]


def logs() -> dict[str, TransactionLog]:
    """Read the logs there are."""
    found = {"CDNOW": validate(cdnow())}
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    retail = Path(os.environ.get("STAYWORTH_DATA") or beside) / "online_retail_II_orders.parquet"
    if retail.is_file():
        found["Online Retail II"] = validate(pd.read_parquet(retail), columns=Columns(date_column="ts"))
    else:
        print(f"No {retail}: Online Retail II is left out.", file=sys.stderr)
    return found


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


def main() -> None:
    """Print one table of churn, one of spend and one of the purchase models."""
    churn: dict[str, list[str]] = {}
    spend: dict[str, list[str]] = {}
    purchases: dict[str, list[str]] = {}
    heads = []
    found = logs()
    for name, horizon_days, test in CASES:
        if name not in found:
            continue
        print(f"{name}, {horizon_days} days …", file=sys.stderr)
        run = train(found[name], TrainSettings(horizon_days=horizon_days, test_snapshot=test))
        race = run.test.race.set_index(["racer", "customers_slice"])
        counts = {part: int(race.loc[("stayworth", part), "customers"]) for part in ("all", "recent")}
        heads.append(f"{name} {test}, {horizon_days} d: all {counts['all']:,} · recent {counts['recent']:,}")
        for racer in run.test.race["racer"].unique():
            both = (race.loc[(racer, part)] for part in ("all", "recent"))
            churn.setdefault(racer, []).append(
                " · ".join(f"{r['auc']:.4f} / {r['log_loss']:.4f}" for r in both)
            )
        for _, row in run.test.spend.iterrows():
            cells = (
                f"{row['mae']:,.2f}",
                *(f"{row[m]:.3f}" for m in ("ratio", "spearman", "gini", "top_decile_share")),
            )
            spend.setdefault(row["racer"], []).append(" · ".join(cells))
        for model, cell in purchase_models(found[name], horizon_days, test).items():
            purchases.setdefault(model, []).append(cell)
        whole = race.loc[("stayworth", "all")]
        churn.setdefault("stayworth: calibration error, in the large", []).append(
            f"{whole['calibration_error']:.4f}, {whole['calibration_in_the_large']:+.4f}"
        )
    for title, table in (
        ("churn: AUC / log-loss", churn),
        ("spend: mean abs. error · total ÷ actual · Spearman · Gini · share in top 10%", spend),
        (
            "`--clv-model` alone: purchases' mean abs. error · total ÷ actual · spend's · total · Spearman",
            purchases,
        ),
    ):
        columns = list(heads) if table is churn else [head.split(":")[0] for head in heads]
        print(f"\n| {title} | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 1))
        for racer, line in table.items():
            print(f"| {racer} | " + " | ".join(line) + " |")


if __name__ == "__main__":
    main()
