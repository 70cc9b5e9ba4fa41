"""The command ``train``, also ``python -m training``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.commands.console import progress, show_json, show_table
from features.commands.log import open_log, row_balance
from features.commands.options import CONFIG_ONLY, AsJson, options
from features.engines.settings import EngineSettings
from features.language import in_digits, translated, translation
from features.log.settings import Columns, LogSettings
from training.behaviour_settings import BehaviourSettings, OwnFeatureSettings
from training.cost_settings import CostSettings
from training.monitoring.settings import MonitorSettings
from training.settings import RegistrySettings, TrainSettings

if TYPE_CHECKING:
    from features.log.transactions import TransactionLog
    from training.judging.promotion_decision import PromotionDecision
    from training.run import TrainingRun
    from training.versions.registry import Registry, Version

app = typer.Typer(add_completion=False)

STAYED, NOT_DUE = 4, 5
"""Exit codes of training that changed no champion; 3 is what monitoring ends with when training is due."""


@app.command()
@options
def train(
    log: LogSettings,
    columns: Columns,
    settings: TrainSettings,
    costs: CostSettings,
    behaviour: BehaviourSettings,
    own: Annotated[OwnFeatureSettings, CONFIG_ONLY],
    registry: RegistrySettings,
    monitor: Annotated[MonitorSettings, CONFIG_ONLY],
    engine: EngineSettings,
    as_json: AsJson = False,
) -> None:
    """Train churn and value models, judge them on a held-out snapshot, log and register them.

    The tables show the procedure's results on the test snapshot; the registered model is then fitted by the same
    procedure on all closed windows.

    Example: stayworth train --transactions orders.csv --horizon-days 90 --promote

    Exit codes: 0 trained, and promoted where --promote asked for it; 2 something for you to mend; 3 with --strict,
    there is a finding that was not accepted; 4 trained, but the champion stays; 5 not due (--if-due).
    """
    from training.commands.monitor import why_due
    from training.pipeline import train, with_champion_window
    from training.registration import register
    from training.versions.registry import Registry

    costs.stated()  # refuses what cannot be used now, before the log is read
    if engine.on_spark:
        from training.commands.spark_train import train_on_cluster

        _finish(*train_on_cluster(engine, log, columns, settings, costs, behaviour, own, registry), as_json)
        return
    files = costs.files(log)
    beside = own.added(behaviour.files(costs, log, files))
    versions = Registry(registry.tracking_uri)
    with progress() as report:
        orders = open_log(log, columns, report)
        if settings.if_due:
            due, reasons = why_due(versions, orders, monitor, beside)
            for sentence in reasons:
                typer.echo(sentence, err=as_json)
            if not due:
                raise typer.Exit(NOT_DUE)
        settings_used = with_champion_window(settings, versions)
        run = train(
            orders,
            settings_used,
            report,
            registry=versions,
            costs=costs,
            cost_files=files,
            beside=beside,
        )
        version, decision = register(run, orders, settings, versions, report)
    _finish(run, orders, version, decision, versions, as_json)


def _finish(
    run: TrainingRun,
    orders: TransactionLog,
    version: Version,
    decision: PromotionDecision | None,
    versions: Registry,
    as_json: bool,
) -> None:
    """Print what was trained; exit with 4 if it was to be promoted and the champion stays."""
    if as_json:
        show_json(training_document(run, version, decision))
    else:
        show_run(run, orders)
        show_version(version, decision, versions)
    if decision and not decision.promote:
        raise typer.Exit(STAYED)


def training_document(
    run: TrainingRun, version: Version, decision: PromotionDecision | None
) -> dict[str, Any]:
    """Return what a script wants to know of a training: which version, how good, whether it scores now."""
    card = run.model.card
    return {
        "version": version.version,
        "promoted": bool(decision and decision.promote),
        "outcome": decision.outcome if decision else None,
        "reasons": decision.reasons if decision else [],
        "horizon_days": card.horizon_days,
        "dormant_after_days": card.dormant_after_days,
        "test": card.test.to_dict(),
        "notes": card.notes,
    } | ({"files": run.recipe.to_dict()["files"]} if run.recipe.files else {})


def show_run(run: TrainingRun, orders: TransactionLog) -> None:
    """Print a run as short tables: the log, the race, expected spend."""
    from training.report.formats import files_in_words
    from training.report.season_ahead import season_ahead

    show_table(
        translated("Log"), ["", translated("Rows"), ""], row_balance(orders.report, 0, run.schedule.newest)
    )
    if run.advice:
        typer.echo()
        typer.echo(
            translated(
                "Churn horizon: {days} days, dormant after {dormant}, as advised for this log; stayworth advise shows "
                "why, --horizon-days sets another.",
                days=run.settings.horizon,
                dormant=run.settings.dormancy_days,
            )
        )
    typer.echo()
    _show_race(run)
    typer.echo()
    _show_spend(run)
    if run.tuning:
        typer.echo(str(run.tuning))
    typer.echo()
    typer.echo(translated("Deployed: {recipe}.", recipe=run.recipe.in_words()))
    for sentence in files_in_words(run.recipe):
        typer.echo(sentence)
    if orders.prices:
        typer.echo(orders.prices.in_words())
    if season := season_ahead(run):
        typer.echo(season)
    for sentence in _notes_of(run):
        typer.echo(sentence)
    for note in run.model.card.notes:
        typer.echo(translated("Note: {note}", note=note))


def _notes_of(run: TrainingRun) -> Iterator[str]:
    """Say who was left out, and what values are net of."""
    from training.report.formats import costs_in_words

    if (count := run.model.card.contacted_left_out) is not None:
        yield translated(
            "Left out: {n:labelled row|labelled rows} of customers under a campaign's influence.", n=count
        )
    if costs := costs_in_words(run.model.terms.costs):
        yield translated("Values are net of what customers cost: {costs}.", costs=costs)
    if own := run.model.own_costs:
        yield translated(
            "Customers have their own {names}, of the year before {day:date}; these are the means.",
            names=list(own.names),
            day=run.schedule.newest.date,
        )


def show_version(version: Version, decision: PromotionDecision | None, registry: Registry) -> None:
    """Say what was registered where, whether it was promoted and why, and what to do next."""
    from training.commands.versions import show_decision
    from training.versions.version import MODEL_NAME

    if decision:
        typer.echo()
        show_decision(decision)
    page = registry.uri.page(MODEL_NAME, version.version)
    number = version.version
    typer.echo()
    typer.echo(
        translated("Version {version} of the model is registered in {uri}.", version=number, uri=registry.uri)
    )
    look = page or f"mlflow ui --backend-store-uri {shlex.quote(str(registry.uri))}"
    typer.echo(translated("To look at it: {command}", command=look))
    if decision and decision.promote:
        command = "stayworth score --transactions … --out scored.csv"
        typer.echo(translated("It is the champion now, the one that scores: {command}", command=command))
    elif not decision and registry.current():
        typer.echo(
            translated("The champion is as before; --promote makes a new version the one that scores.")
        )
    elif not decision:
        command = f"stayworth promote {number}"
        typer.echo(
            translated(
                "Nothing scores yet, as there is no champion: {command} makes it the one.", command=command
            )
        )


def _show_race(run: TrainingRun) -> None:
    from training.judging.race import MODEL, winners_in_words

    race = run.test.race
    rows = []
    for racer in race["racer"].unique():
        both = race[race["racer"] == racer].set_index("customers_slice")
        cells = [
            in_digits(f"{both.loc[part, name]:.4f}")
            for part in ("all", "recent")
            for name in ("auc", "log_loss")
        ]
        whole = both.loc["all"]
        off = (f"{whole['calibration_error']:.4f}", f"{whole['calibration_in_the_large']:+.4f}")
        rows.append([translation(racer), *cells, *map(in_digits, off)])
    counts = race.set_index(["racer", "customers_slice"]).loc[MODEL]
    title = translated(
        "Race on {day:date}: churn in {days} days, trained on {snapshots:closed snapshot|closed snapshots}; "
        "{customers:customer|customers}, {recent:,.0f} recent",
        day=run.schedule.test.date,
        days=run.test.labelled.window.horizon_days,
        snapshots=len(run.schedule.before_test),
        customers=int(counts.loc["all", "customers"]),
        recent=counts.loc["recent", "customers"],
    )
    header = [translated("Racer"), "AUC", translated("Log-loss"), translated("Recent: AUC")]
    header += [translated("Log-loss") + " ", translated("Calibration error"), translated("In the large")]
    show_table(title, header, rows)
    typer.echo(winners_in_words(race))


def _show_spend(run: TrainingRun) -> None:
    rows = [
        [
            translation(row["racer"]),
            in_digits(f"{row['mae']:,.2f}"),
            *(in_digits(f"{row[n]:.3f}") for n in ("ratio", "spearman", "gini", "top_decile_share")),
        ]
        for _, row in run.test.spend.iterrows()
    ]
    rows = [["–" if cell == "nan" else cell for cell in row] for row in rows]
    header = [translated("Value model"), translated("Mean abs. error"), translated("Total / actual")]
    header += ["Spearman", "Gini", translated("Spend in top 10%")]
    show_table(translated("Expected spend against the spend of the test window"), header, rows)
