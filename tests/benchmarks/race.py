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
from features.log.transactions import TransactionLog, validate
from features.settings import Columns
from training.pipeline import train
from training.settings import TrainSettings

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


def main() -> None:
    """Print one table of churn and one of spend."""
    churn: dict[str, list[str]] = {}
    spend: dict[str, list[str]] = {}
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
        whole = race.loc[("stayworth", "all")]
        churn.setdefault("stayworth: calibration error, in the large", []).append(
            f"{whole['calibration_error']:.4f}, {whole['calibration_in_the_large']:+.4f}"
        )
    for title, table in (
        ("churn: AUC / log-loss", churn),
        ("spend: mean abs. error · total ÷ actual · Spearman · Gini · share in top 10%", spend),
    ):
        print(f"\n| {title} | " + " | ".join(heads) + " |\n|" + "---|" * (len(heads) + 1))
        for racer, cells in table.items():
            print(f"| {racer} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
