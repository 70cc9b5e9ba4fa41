"""The command ``monitor``: whether the champion is due for retraining."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import TYPE_CHECKING, Any

import typer

from features.commands.console import progress, show_json, show_table
from features.commands.log import open_log
from features.commands.options import AsJson, InLanguage, options
from features.errors import ModelError
from features.language import in_digits, translatable, translated, written
from features.log.settings import Columns, LogSettings
from features.snapshot import Snapshot
from training.behaviour_settings import BehaviourSettings
from training.cost_settings import CostSettings
from training.monitoring.settings import MonitorSettings
from training.settings import RegistrySettings

if TYPE_CHECKING:
    import pandas as pd

    from features.behaviour.files import BehaviourFiles
    from features.log.transactions import TransactionLog
    from training.monitoring.monitor import MonitoringResult
    from training.versions.registry import Registry, Version

DUE = 3
"""Exit code where the champion is due for retraining."""

_SHOWN = 8
_SLICES = {"all": translatable("all"), "recent": translatable("recent")}
_PACES = {
    "purchases": translatable("Purchases"),
    "active_customers": translatable("Customers with a purchase"),
}
_GAUGES = {
    "log_loss": translatable("Log-loss"),
    "calibration_in_the_large": translatable("Predicted less observed churn"),
    "value_ratio": translatable("Expected over actual spend"),
}


@options
def monitor(
    log: LogSettings,
    columns: Columns,
    settings: MonitorSettings,
    costs: CostSettings,
    behaviour: BehaviourSettings,
    registry: RegistrySettings,
    language: InLanguage = "en",
    as_json: AsJson = False,
) -> None:
    """Compare today's log with what the champion was trained on, and its predictions with what happened.

    Exit codes: 0 nothing is wrong; 2 something for you to mend; 3 the champion is due for retraining, or with --strict,
    there is a finding that was not accepted.

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
        report(translated("Comparing with the training data"), 0, 0)
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
    """Tell whether training is due, and why, in sentences: there is no champion, or one that is due.

    Where a version has lost to a champion that is due, training waits until the log has a further month of orders.
    """
    from training.judging.last_contest import lost_lately

    champion = registry.current()
    if champion is None:
        return True, [translated("Due: there is no champion yet.")]
    due, reasons = _champion_due(registry, champion, log, settings, beside)
    newest = Snapshot.after(log.last_day)
    loser = lost_lately(registry, champion, newest) if due else None
    if loser is None:
        return due, reasons
    waits = translated(
        "Not now: version {loser} knows these closed windows and lost to version {champion}. Training waits for a "
        "month of new orders. To train all the same: {command}",
        loser=loser.version,
        champion=champion.version,
        command="stayworth train --promote",
    )
    return False, [*reasons, waits]


def _champion_due(
    registry: Registry,
    champion: Version,
    log: TransactionLog,
    settings: MonitorSettings,
    beside: BehaviourFiles | None,
) -> tuple[bool, list[str]]:
    """Tell whether a champion is due for retraining, and why, in sentences."""
    from training.monitoring.monitor import monitor_model

    try:
        model = registry.load(champion.version)
        terms = model.card.log.terms
        if log.prices and terms:  # a new month's money is turned into that which the champion knows
            log = log.at_prices(terms.prices)
        differences = model.card.log.differences(log, champion.version, model.features)
        if fatal := [each for each in differences if each.fatal]:
            return True, [translated("Due: {reason}", reason=fatal[0].message)]
        result = monitor_model(model, log, settings, beside)
    except ModelError as error:
        return True, [
            translated(
                "Due: version {version} cannot be monitored. {error}", version=champion.version, error=error
            )
        ]
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
    title = translated(
        "Drift from {then:date}, model {version}, to {now:date}",
        then=result.model_snapshot.date,
        version=version.version,
        now=result.snapshot.date,
    )
    usual = translated("Usual")
    header = [translated("Column"), translated("Of"), translated("Stability index"), usual]
    header += [translated("Where not zero"), f"{usual} ", "KS", "p-value", translated("Moved")]
    shown = result.drift.head(max(_SHOWN, result.drift["drifted"].sum()))
    show_table(title, header, [_drift_row(row) for row in shown.itertuples()])
    noise = translated("Noise")
    if len(result.live):
        typer.echo()
        header = [translated("Window of"), translated("Customers"), "", translated("Churned")]
        header += [translated("Measure"), translated("Live"), translated("Expected"), noise, " "]
        title = translated("Live performance on windows that have closed")
        show_table(title, header, [_live_row(row) for row in result.live.itertuples()])
    if len(result.pace):
        typer.echo()
        header = [translated("Since"), translated("Days"), "", translated("Seen")]
        header += [translated("Expected"), noise, " "]
        show_table(
            translated("The latest weeks"), header, [_pace_row(row) for row in result.pace.itertuples()]
        )
    typer.echo()
    for sentence in reasons_in_words(result, version):
        typer.echo(sentence)


def reasons_in_words(result: MonitoringResult, version: Version) -> Iterator[str]:
    """Say why the champion is due, or that it is not."""
    yield from (translated("Note: {note}", note=note) for note in result.notes)
    yield from (translated("Due: {reason}.", reason=reason) for reason in result.reasons)
    if not result.due:
        sentence = translatable(
            "Not due: version {version} of {day:date} has no closed window to be judged on yet, and nothing has "
            "drifted."
        )
        if len(result.live):
            sentence = translatable(
                "Not due: version {version} of {day:date} performs as expected, and nothing has drifted."
            )
        yield translated(sentence, version=version.version, day=result.model_snapshot.date)


def _drift_row(row: pd.Series) -> list[str]:
    from training.monitoring.drift import KINDS

    numbers = (row.psi, row.usual_psi, row.psi_of_values, row.usual_psi_of_values, row.ks)
    cells = [written(number, ".2f") if number == number else "–" for number in numbers]
    p_value = f"{row.p_value:.3f}" if row.p_value >= 0.001 else "<0.001"
    return [row.column, translated(KINDS[row.of]), *cells, in_digits(p_value), row.moved]


def _live_row(row: pd.Series) -> list[str]:
    digits = 2 if row.gauge == "value_ratio" else 3
    sign = "+" if row.gauge == "calibration_in_the_large" else ""
    live, expected, low, high = (
        in_digits(f"{x:{sign}.{digits}f}") for x in (row.live, row.expected, row.low, row.high)
    )
    return [
        written(row.snapshot_date, "date"),
        written(row.customers, ","),
        translated(_SLICES[row.customers_slice]),
        written(row.churn_rate, ".1%"),
        translated(_GAUGES[row.gauge]),
        *(
            live,
            expected,
            translated("{low} to {high}", low=low, high=high),
            translated("worse") if row.worse else "",
        ),
    ]


def _pace_row(row: pd.Series) -> list[str]:
    return [
        written(row.snapshot_date, "date"),
        written(row.days, ","),
        translated(_PACES[row.gauge]),
        written(row.live, ","),
        written(row.expected, ",.0f"),
        translated("{low:,.0f} to {high:,.0f}", low=row.low, high=row.high),
        translated("off") if row.worse else "",
    ]
