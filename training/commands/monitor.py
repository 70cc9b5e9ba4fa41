"""The command ``monitor``: whether the champion is due for retraining."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import TYPE_CHECKING, Any

import typer

from features.commands.console import progress, show_json, show_table
from features.commands.log import open_log
from features.commands.options import AsJson, options
from features.errors import ModelError
from features.log.settings import Columns, LogSettings
from training.behaviour_settings import BehaviourSettings
from training.monitoring.settings import MonitorSettings
from training.settings import CostSettings, RegistrySettings

if TYPE_CHECKING:
    import pandas as pd

    from features.behaviour.files import BehaviourFiles
    from features.log.transactions import TransactionLog
    from training.monitoring.monitor import MonitoringResult
    from training.versions.registry import Registry, Version

DUE = 3
"""Exit code where the champion is due for retraining."""

_SHOWN = 8
_PACES = {"purchases": "Purchases", "active_customers": "Customers with a purchase"}
_GAUGES = {
    "log_loss": "Log-loss",
    "calibration_in_the_large": "Predicted less observed churn",
    "value_ratio": "Expected over actual spend",
}


@options
def monitor(
    log: LogSettings,
    columns: Columns,
    settings: MonitorSettings,
    costs: CostSettings,
    behaviour: BehaviourSettings,
    registry: RegistrySettings,
    as_json: AsJson = False,
) -> None:
    """Compare today's log with what the champion was trained on, and its predictions with what happened.

    The exit code is 0 if nothing is wrong and 3 if the champion is due for retraining, for schedulers.

    Example: stayworth monitor --transactions orders.csv || stayworth train --transactions orders.csv --promote
    """
    from training.monitoring.monitor import monitor_model
    from training.versions.registry import Registry, load_champion

    beside = behaviour.files(costs, log)
    with progress() as report:
        model, version = load_champion(registry.tracking_uri)
        terms = model.card.log.terms
        orders = open_log(
            log,
            columns,
            report,
            compare=lambda orders: model.card.log.differences(orders, version.version, model.features),
            base=terms.prices.base if terms and terms.prices else None,
        )
        report("Comparing with the training data", 0, 0)
        result = monitor_model(model, orders, settings, beside)
        record(Registry(registry.tracking_uri), version, result)
    if as_json:
        show_json(_document(result, version))
    else:
        show_result(result, version)
    if result.due:
        raise typer.Exit(DUE)


def _document(result: MonitoringResult, version: Version) -> dict[str, Any]:
    return {
        "due": result.due,
        "version": version.version,
        "model_snapshot": result.model_snapshot.date,
        "snapshot": result.snapshot.date,
        "reasons": result.reasons,
        "notes": result.notes,
        "metrics": {name: value for name, value in result.metrics.items() if isfinite(value)},
    }


def why_due(
    registry: Registry,
    log: TransactionLog,
    settings: MonitorSettings,
    beside: BehaviourFiles | None = None,
) -> tuple[bool, list[str]]:
    """Tell whether training is due, and why, in sentences: there is no champion, or one that is due."""
    from training.monitoring.monitor import monitor_model

    champion = registry.current()
    if champion is None:
        return True, ["Due: there is no champion yet."]
    try:
        model = registry.load(champion.version)
        terms = model.card.log.terms
        if log.prices and terms:  # a new month's money is turned into that which the champion knows
            log = log.at_prices(terms.prices)
        differences = model.card.log.differences(log, champion.version, model.features)
        if fatal := [each for each in differences if each.fatal]:
            return True, [f"Due: {fatal[0].message}"]
        result = monitor_model(model, log, settings, beside)
    except ModelError as error:
        return True, [f"Due: version {champion.version} cannot be monitored. {error}"]
    return result.due, list(reasons_in_words(result, champion))


def record(registry: Registry, version: Version, result: MonitoringResult) -> None:
    """Log a monitoring result to MLflow, with the version that it is about."""
    at = f"monitor_{result.snapshot}"
    document = {"reasons": result.reasons, "notes": result.notes, "metrics": result.metrics}
    registry.log_monitoring(
        version.version,
        metrics={name: value for name, value in result.metrics.items() if isfinite(value)},
        tags={"monitored": str(result.snapshot), "due": "; ".join(result.reasons)[:500] or "no"},
        tables={f"{at}_drift": result.drift, f"{at}_live": result.live, f"{at}_pace": result.pace},
        documents={at: document},
    )


def show_result(result: MonitoringResult, version: Version) -> None:
    """Print drift, live performance, the latest weeks and whether the champion is due."""
    title = f"Drift from {result.model_snapshot}, model {version.version}, to {result.snapshot}"
    show_table(
        title,
        [
            "Column",
            "Of",
            "Stability index",
            "UsualDrift",
            "Where not zero",
            "UsualDrift ",
            "KS",
            "p-value",
            "Moved",
        ],
        [
            _drift_row(row)
            for row in result.drift.head(max(_SHOWN, result.drift["drifted"].sum())).itertuples()
        ],
    )
    if len(result.live):
        typer.echo()
        header = ["Window of", "Customers", "", "Churned", "Measure", "Live", "Expected", "Noise", " "]
        title = "Live performance on windows that have closed"
        show_table(title, header, [_live_row(row) for row in result.live.itertuples()])
    if len(result.pace):
        typer.echo()
        header = ["Since", "Days", "", "Seen", "Expected", "Noise", " "]
        show_table("The latest weeks", header, [_pace_row(row) for row in result.pace.itertuples()])
    typer.echo()
    for sentence in reasons_in_words(result, version):
        typer.echo(sentence)


def reasons_in_words(result: MonitoringResult, version: Version) -> Iterator[str]:
    """Say why the champion is due, or that it is not."""
    yield from (f"Note: {note}" for note in result.notes)
    yield from (f"Due: {reason}." for reason in result.reasons)
    if not result.due:
        performance = (
            "performs as expected" if len(result.live) else "has no closed window to be judged on yet"
        )
        yield (
            f"Not due: version {version.version} of {result.model_snapshot} {performance}, and nothing has drifted."
        )


def _drift_row(row: pd.Series) -> list[str]:
    numbers = (row.psi, row.usual_psi, row.psi_of_values, row.usual_psi_of_values, row.ks)
    cells = [f"{number:.2f}" if number == number else "–" for number in numbers]
    p_value = f"{row.p_value:.3f}" if row.p_value >= 0.001 else "<0.001"
    return [row.column, row.of, *cells, p_value, row.moved]


def _live_row(row: pd.Series) -> list[str]:
    digits = 2 if row.gauge == "value_ratio" else 3
    sign = "+" if row.gauge == "calibration_in_the_large" else ""
    live, expected, low, high = (f"{x:{sign}.{digits}f}" for x in (row.live, row.expected, row.low, row.high))
    who = f"{row.customers:,}"
    return [
        *(row.snapshot_date, who, row.customers_slice, f"{row.churn_rate:.1%}", _GAUGES[row.gauge]),
        *(live, expected, f"{low} to {high}", "worse" if row.worse else ""),
    ]


def _pace_row(row: pd.Series) -> list[str]:
    noise = f"{row.low:,.0f} to {row.high:,.0f}"
    seen, expected = f"{row.live:,}", f"{row.expected:,.0f}"
    return [
        *(row.snapshot_date, f"{row.days}", _PACES[row.gauge], seen, expected, noise),
        "off" if row.worse else "",
    ]
