"""The command ``demo``: from a public log to a champion model and a scored list."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.commands.console import progress, show_table
from features.commands.log import open_log
from features.commands.options import options
from features.economics.settings import ReportSettings
from features.log.settings import Columns, LogSettings
from training.settings import TrainSettings

if TYPE_CHECKING:
    import pandas as pd

_TOP = ("customer_id", "churn_probability", "expected_value", "value_at_stake", "value_at_risk", "reasons")


@options
def demo(
    folder: Annotated[
        Path, typer.Option("--folder", help="Where to keep the log, the models and the list.")
    ] = Path("demo"),
) -> None:
    """Train, judge, promote and score on a real log, CDNOW's 69,659 orders, and report on its customers.

    The folder is made if need be; it gets orders.csv, mlflow.db, mlruns/, scored.csv, stayworth.db and report/.

    Example: stayworth demo
    """
    from features.datasets import cdnow
    from features.table_files import write_csv
    from serving.campaign.economics import made_report
    from serving.lists.export import write_table
    from serving.report.folder import PAGE, write_report
    from serving.scorer import Scorer
    from serving.store.store import Store
    from training.commands.train import show_run, show_version
    from training.pipeline import train
    from training.registration import register
    from training.versions.registry import Registry

    folder.mkdir(parents=True, exist_ok=True)
    orders_csv, scored_csv = folder / "orders.csv", folder / "scored.csv"
    settings = TrainSettings(horizon_days=90, promote=True)
    tracking_uri = f"sqlite:///{folder / 'mlflow.db'}"
    registry = Registry(tracking_uri)
    write_csv(cdnow(), orders_csv)
    with progress() as report:
        log = open_log(LogSettings(transactions=str(orders_csv)), Columns(), report)
        run = train(log, settings, report)
        version, decision = register(run, log, settings, registry, report)
        report("Scoring every customer", 0, 1)
        scored = Scorer.from_registry(tracking_uri).score_log(log)
        write_table(scored.scores, scored_csv)
        with Store(f"sqlite:///{folder / 'stayworth.db'}") as store:
            store.publish(scored.table, progress=report)
        about = ReportSettings(out=folder / "report", margin=run.model.terms.margin, scores=scored_csv)
        made = made_report(about, LogSettings(transactions=str(orders_csv)), Columns(), report)
        write_report(made, about.out)
    show_run(run, log)
    show_version(version, decision, registry)
    typer.echo()
    _show_top(scored.scores[scored.recent].head(10), settings.dormancy_days)
    typer.echo(
        f"\nAll {len(scored.scores):,} customers, most value at risk first, the dormant last: {scored_csv}"
    )
    typer.echo(f"What customers cost and bring, a page for managers: {about.out / PAGE}")
    _show_next_steps(folder, tracking_uri, orders_csv)


def _show_top(top: pd.DataFrame, dormancy_days: int) -> None:
    rows = [
        [
            row.customer_id,
            f"{row.churn_probability:.3f}",
            row.expected_value,
            row.value_at_stake,
            row.value_at_risk,
        ]
        + [row.reasons[0] if row.reasons else ""]
        for row in top[list(_TOP)].itertuples()
    ]
    header = ["Customer", "Churn", "Expected value", "At stake", "Value at risk", "Strongest reason"]
    show_table(
        f"Most value at risk, of customers with an order in the last {dormancy_days} days", header, rows
    )


def _program(name: str) -> str:
    """Return how a program of this environment is called from here: by name where the environment is active."""
    beside = Path(sys.executable).parent / name  # not resolved: an environment's Python is a link
    if shutil.which(name) == str(beside) or not beside.exists():
        return name
    here = Path.cwd()
    return shlex.quote(str(beside.relative_to(here) if beside.is_relative_to(here) else beside))


def _show_next_steps(folder: Path, tracking_uri: str, orders_csv: Path) -> None:
    uri, store = shlex.quote(tracking_uri), shlex.quote(f"sqlite:///{folder / 'stayworth.db'}")
    body = (
        '{"snapshot_date": "1998-07-01", "customers": [{"customer_id": "17", '
        '"transactions": [{"ordered_at": "1998-01-05", "amount": 20.5}]}]}'
    )
    typer.echo(
        f"""
How to go on
  look at the run    {_program("mlflow")} ui --backend-store-uri {uri}
  list for a team    {_program("stayworth")} score --tracking-uri {uri} --transactions {orders_csv} \\
                       --recent --top 500 --out {folder / "list.xlsx"}
  serve              {_program("stayworth")} serve --tracking-uri {uri}
  ask the service    curl -s localhost:3000/score -H 'content-type: application/json' -d '{body}'
  look, in a browser {_program("stayworth")} workbench --tracking-uri {uri} --transactions {orders_csv} \\
                       --store {store}"""
    )
