"""The command ``run``: what a shop does every night, as one command for a scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.commands.console import progress, show_json, show_remarks, show_table
from features.commands.log import open_log
from features.commands.options import CONFIG_ONLY, AsJson, OnlyFlags, options
from features.engines.settings import EngineSettings
from features.errors import StayworthError
from features.language import translated
from features.log.settings import Columns, LogSettings
from serving.alerts.settings import AlertSettings
from serving.delivery.settings import WebhookSettings
from serving.settings import MoneySettings, ScoreSettings, StoreSettings
from training.behaviour_settings import BehaviourSettings, OwnFeatureSettings
from training.commands.train import NOT_DUE, STAYED
from training.cost_settings import CostSettings
from training.monitoring.settings import MonitorSettings
from training.settings import RegistrySettings, TrainSettings

if TYPE_CHECKING:
    from serving.commands.scheduled_run import ScheduledRun

_EXIT_CODES = {"promoted": 0, "stayed": STAYED, "not due": NOT_DUE}


@options
def run(
    log: Annotated[LogSettings, OnlyFlags(("transactions",))],
    columns: Annotated[Columns, CONFIG_ONLY],
    training: Annotated[TrainSettings, CONFIG_ONLY],
    costs: Annotated[CostSettings, CONFIG_ONLY],
    behaviour: Annotated[BehaviourSettings, CONFIG_ONLY],
    own: Annotated[OwnFeatureSettings, CONFIG_ONLY],
    monitor: Annotated[MonitorSettings, CONFIG_ONLY],
    settings: Annotated[ScoreSettings, OnlyFlags(("shrink", "older"))],
    money: Annotated[MoneySettings, CONFIG_ONLY],
    registry: RegistrySettings,
    store: StoreSettings,
    webhook: Annotated[WebhookSettings, OnlyFlags(("url",))],
    alerts: Annotated[AlertSettings | None, CONFIG_ONLY],
    engine: Annotated[EngineSettings, CONFIG_ONLY],
    as_json: AsJson = False,
) -> None:
    """Validate the log, train if it is due, promote what is better, score, publish, and raise alerts: for a scheduler.

    Example: stayworth run --config stayworth.toml --json

    Everything else is read from the config file, as the single commands read it; alerts are raised where its section
    of alerts names their files. A run over the same orders, files and settings has the same id: what it has done
    before is not done again, and what a killed run left is finished.

    Exit codes: 0 trained and promoted; 4 trained, but the champion stays; 5 training was not due; in all three the list
    is there. 1, 2 or 3: failed.
    """
    from features.lock import only_one
    from serving.commands.scheduled_run import RunSections, ScheduledRun

    _require_one_list(settings, alerts)
    if engine.on_spark:
        raise StayworthError(
            translated(
                "A run reads the log by duckdb, and engine in [engine] is spark. Schedule its steps instead: "
                "{command}, for example.",
                command="'stayworth score --engine spark'",
            )
        )
    costs.stated()
    uri = registry.tracking_uri
    busy = translated(
        "Another run with the same registry is at work on this machine. Run it again when that has ended."
    )
    with only_one(uri, busy), progress() as report:
        files = costs.files(log)
        beside = behaviour.files(costs, log, files)
        orders = open_log(log, columns, report)
        sections = RunSections(
            *(log, training, costs, behaviour, own, monitor),
            *(settings, money, registry, store, webhook, alerts),
        )
        scheduled = ScheduledRun(orders, sections, files, beside, report)
        repeated = scheduled.is_done()
        if not repeated:
            scheduled.work()
    show_remarks(scheduled.said)
    document = _document(scheduled, repeated)
    if as_json:
        show_json(document)
    else:
        _show(document)
    raise typer.Exit(_EXIT_CODES[document["outcome"]])


def _require_one_list(score: ScoreSettings, alerts: AlertSettings | None) -> None:
    """Refuse alerts on another list than the run's, or written over one of its files."""
    if alerts is None:
        return
    if score.out is None or alerts.scores.absolute() != score.out.absolute():
        raise StayworthError(
            translated(
                "The run raises alerts on the list that it writes: scores in [alerts] is {scores}, out in [score] "
                "{out}. Name the same file.",
                scores=str(alerts.scores),
                out=str(score.out) if score.out else translated("not given"),
            )
        )
    for name, path in (("out", score.out), ("unscored", score.unscored), ("before", alerts.before)):
        if path and path.absolute() == alerts.out.absolute():
            raise StayworthError(
                translated(
                    "out in [alerts] is {path}, as is {name}. Name another file.", path=str(path), name=name
                )
            )


def _document(run: ScheduledRun, repeated: bool) -> dict[str, Any]:
    """Return what a scheduler wants to know: what was done, and whether it was done before."""
    steps, log = run.record.steps, run.orders.report
    alerts, settings = steps.get("alerts"), run.sections
    return {
        "run_id": run.id,
        "repeated": repeated,
        "outcome": steps["training"]["outcome"],
        "snapshot_date": str(run.snapshot),
        "log": {
            "rows_in": log.rows_in,
            "rows_used": log.rows_used,
            "quarantined": log.quarantined,
            "customers": log.customers,
            "last_day": log.last_day,
            "fingerprint": log.fingerprint,
        },
        "training": steps["training"],
        "scoring": steps["scoring"]["list"] | {"out": settings.score.out and str(settings.score.out)},
        "alerts": alerts
        and {
            "open": alerts["open"],
            "delivered": alerts["delivered"],
            "out": str(settings.alerts and settings.alerts.out),
        },
    }


def _show(document: dict[str, Any]) -> None:
    """Print the steps, a line each."""
    title = translated("Run {id} of {day}", id=document["run_id"], day=document["snapshot_date"])
    show_table(title, ["", ""], [*_of_training(document), *_of_list(document)])
    if document["repeated"]:
        typer.echo()
        typer.echo(translated("All of this had been done before: nothing was done now."))


def _of_training(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what was read, and what was learnt of it."""
    log, training = document["log"], document["training"]
    outcomes = {
        "promoted": translated("version {version} is the champion", version=training.get("version")),
        "stayed": translated(
            "version {version} is not better: the champion stays", version=training.get("version")
        ),
        "not due": translated("not due"),
    }
    yield (
        translated("log"),
        translated(
            "{n:row|rows} in, {used:,} used, {customers:customer|customers}, up to {day:date}",
            n=log["rows_in"],
            used=log["rows_used"],
            customers=log["customers"],
            day=log["last_day"],
        ),
    )
    yield translated("training"), outcomes[document["outcome"]]
    for reason in training["reasons"]:
        yield "", reason


def _of_list(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what was scored, where the list is now, and what it alerts to."""
    scoring = document["scoring"]
    yield (
        translated("list"),
        translated(
            "{n:customer|customers} scored by version {version}",
            n=scoring["scored"],
            version=scoring["model_version"],
        ),
    )
    if scoring["out"]:
        yield "", translated("{n:customer|customers} in {file}", n=scoring["listed"], file=scoring["out"])
    if store := scoring["published_in"]:
        yield "", translated("{n:customer|customers} published in {store}", n=scoring["scored"], store=store)
    if alerts := document["alerts"]:
        yield (
            translated("alerts"),
            translated("{n:open alert|open alerts} in {file}", n=alerts["open"], file=alerts["out"]),
        )
