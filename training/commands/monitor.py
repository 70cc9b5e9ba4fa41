"""The command ``monitor``: whether the champion still is the model that was promised."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import typer

from features.commands.console import progress, show_table
from features.commands.log import open_log
from features.commands.options import options
from features.errors import ModelError
from features.log.settings import Columns, LogSettings
from training.monitoring.settings import MonitorSettings

if TYPE_CHECKING:
    import pandas as pd

    from features.log.transactions import TransactionLog
    from training.monitoring.monitor import Verdict
    from training.versions.registry import Registry, Version

DUE = 3
"""Exit code where the champion is due for retraining."""

_SHOWN = 8
_GAUGES = {
    "log_loss": "Log-loss",
    "calibration_in_the_large": "Predicted less observed churn",
    "value_ratio": "Expected over actual spend",
}


@options
def monitor(log: LogSettings, columns: Columns, settings: MonitorSettings) -> None:
    """Compare a log as it is now with what the champion was trained on, and its promises with what came true.

    Ends with 0 where all is well and with 3 where it is due for retraining, so that a scheduler can act on it.

    Example: stayworth monitor --transactions orders.csv || stayworth train --transactions orders.csv --promote
    """
    from training.monitoring.monitor import retraining_due
    from training.versions.registry import Registry, load_champion

    with progress() as report:
        model, version = load_champion(settings.tracking_uri)
        orders = open_log(log, columns, report)
        report("Comparing with the training", 0, 0)
        verdict = retraining_due(model, orders, settings)
        record(Registry(settings.tracking_uri), version, verdict)
    show_verdict(verdict, version)
    if verdict.due:
        raise typer.Exit(DUE)


def is_due(tracking_uri: str, log: TransactionLog, settings: MonitorSettings | None = None) -> bool:
    """Tell whether to train, and print why: no champion yet, or one that is due. For ``train --if-due``."""
    from training.monitoring.monitor import retraining_due
    from training.versions.registry import Registry

    champion = Registry(tracking_uri).current()
    if champion is None:
        typer.echo("Due: there is no champion yet.")
        return True
    try:
        verdict = retraining_due(Registry(tracking_uri).load(champion.version), log, settings)
    except ModelError as error:
        typer.echo(f"Due: version {champion.version} cannot be compared with. {error}")
        return True
    show_reasons(verdict, champion)
    return verdict.due


def record(registry: Registry, version: Version, verdict: Verdict) -> None:
    """Log what was found to MLflow, with the version that it is about."""
    at = f"monitor_{verdict.snapshot}"
    found = {"reasons": verdict.reasons, "notes": verdict.notes, "metrics": verdict.metrics}
    registry.log_monitoring(
        version.version,
        metrics={name: value for name, value in verdict.metrics.items() if isfinite(value)},
        tags={"monitored": str(verdict.snapshot), "due": "; ".join(verdict.reasons)[:500] or "no"},
        tables={f"{at}_drift": verdict.drift, f"{at}_live": verdict.live},
        documents={at: found},
    )


def show_verdict(verdict: Verdict, version: Version) -> None:
    """Print drift, live measures and the verdict."""
    title = f"Drift from {verdict.model_snapshot}, model {version.version}, to {verdict.snapshot}"
    show_table(
        title,
        ["Column", "Of", "Stability index", "Usual", "Where not zero", "Usual ", "KS", "p-value", "Moved"],
        [
            _drift_row(row)
            for row in verdict.drift.head(max(_SHOWN, verdict.drift["rings"].sum())).itertuples()
        ],
    )
    if len(verdict.live):
        typer.echo()
        header = ["Window of", "Customers", "", "Churned", "Measure", "Live", "Promised", "Noise", " "]
        title = "What the model said, once its windows had closed"
        show_table(title, header, [_live_row(row) for row in verdict.live.itertuples()])
    typer.echo()
    show_reasons(verdict, version)


def show_reasons(verdict: Verdict, version: Version) -> None:
    """Print why the champion is due, or that it is not."""
    for note in verdict.notes:
        typer.echo(f"Note: {note}")
    for reason in verdict.reasons:
        typer.echo(f"Due: {reason}.")
    if not verdict.due:
        kept = "does what it promised" if len(verdict.live) else "has no window to be judged on yet"
        typer.echo(
            f"Not due: version {version.version} of {verdict.model_snapshot} {kept}, and nothing has drifted."
        )


def _drift_row(row: pd.Series) -> list[str]:
    numbers = (row.psi, row.usual_psi, row.psi_of_values, row.usual_psi_of_values, row.ks)
    cells = [f"{number:.2f}" if number == number else "–" for number in numbers]
    p_value = f"{row.p_value:.3f}" if row.p_value >= 0.001 else "<0.001"
    return [row.column, row.of, *cells, p_value, row.moved]


def _live_row(row: pd.Series) -> list[str]:
    digits = 2 if row.gauge == "value_ratio" else 3
    sign = "+" if row.gauge == "calibration_in_the_large" else ""
    live, promised, low, high = (f"{x:{sign}.{digits}f}" for x in (row.live, row.promised, row.low, row.high))
    who = f"{row.customers:,}"
    return [
        *(row.snapshot_date, who, row.customers_slice, f"{row.churn_rate:.1%}", _GAUGES[row.gauge]),
        *(live, promised, f"{low} to {high}", "worse" if row.worse else ""),
    ]
