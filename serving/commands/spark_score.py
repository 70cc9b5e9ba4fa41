"""The command ``score`` on Spark: the log is read there, and the list written there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from features.commands.console import progress, show_json, show_remarks
from features.commands.uncovered import require_covered
from features.engines.settings import EngineSettings
from features.errors import OutputError
from features.language import translated
from features.log.settings import Columns, LogSettings
from serving.commands.list_summary import ListSummary
from serving.commands.made_list import given_snapshot, require_orders
from serving.settings import MoneySettings, ScoreSettings
from training.behaviour_settings import BehaviourSettings
from training.cost_settings import CostSettings
from training.settings import RegistrySettings

if TYPE_CHECKING:
    from features.engines.spark import SparkEngine
    from features.engines.spark_files import SparkFolder
    from features.progress import Report
    from serving.scorer import Scorer
    from serving.spark_list import SparkList

_COVERED = ("out", "to", "language", "snapshot_date", "top", "min_value", "recent", "unscored")


def score_on_cluster(
    engine: EngineSettings,
    settings: ScoreSettings,
    log: LogSettings,
    columns: Columns,
    costs: CostSettings,
    behaviour: BehaviourSettings,
    registry: RegistrySettings,
    money: MoneySettings,
    as_json: bool,
) -> None:
    """Score a log that lies on Spark, and write the list there.

    Raises
    ------
    StayworthError
        If an option is given that Spark's path does not cover, names each; otherwise as the command on DuckDB.
    """
    from features.commands.spark_log import covered_of_log
    from features.engines.resources import use_resources
    from features.engines.spark import SparkEngine, spark_session
    from serving.scorer import Scorer

    of_costs = ("file", *costs.stated())
    groups = (
        (settings, _COVERED),
        (log, covered_of_log(engine)),
        (costs, of_costs),
        (behaviour, ()),
        (money, ()),
    )
    require_covered(groups, "spark")
    use_resources(log.memory_limit, log.temp_dir)
    scorer = Scorer.from_registry(registry.tracking_uri)
    scorer.costs.require(costs.stated())
    with (
        progress() as report,
        spark_session(engine.spark_master) as session,
        SparkEngine(session) as spark,
    ):
        summary = _score(spark, settings, log, columns, scorer, report)
    show_remarks(translated("Note: {note}", note=sentence) for sentence in scorer.remarks.means())
    if as_json:
        show_json(summary.document())
        return
    summary.show()
    typer.echo()
    for place in filter(None, (str(settings.out or ""), settings.to)):
        typer.echo(translated("{n:customer|customers} in {file}", n=summary.listed[0], file=place))


def _score(
    spark: SparkEngine,
    settings: ScoreSettings,
    log: LogSettings,
    columns: Columns,
    scorer: Scorer,
    report: Report,
) -> ListSummary:
    from features.commands.spark_log import balance_of, checked_log
    from serving.spark_list import require_scorable, score_on_spark

    require_scorable(scorer)
    snapshot = given_snapshot(settings)
    out, unscored, quarantine = (
        _folder(spark, path) for path in (settings.out, settings.unscored, log.quarantine)
    )
    to = _target(spark, settings.to)
    report("Validating", 0, 0)
    orders = checked_log(
        spark,
        log,
        columns,
        lambda sample, rows_before: scorer.remarks.differences(sample, snapshot, rows_before),
    )
    require_orders(orders.first_day, snapshot)
    report("Scoring", 0, 0)
    scored = score_on_spark(scorer, orders, snapshot)
    where = _condition(settings)
    listed = scored.counted(where, settings.top)
    report("Writing", 0, 0)
    if quarantine:
        quarantine.write(orders.quarantine())
    if unscored:
        unscored.write(spark.frame(scored.history.unscored_query(scored.snapshot)))
    targets = [target for target in (out, to) if target is not None]
    for target in targets:
        _write(scored, where, settings.top, target)
    customers = scored.scored.customers + sum(scored.unscored.values())
    return ListSummary(
        scorer.version,
        scored.snapshot,
        balance_of(orders, customers),
        scored.rows_not_visible,
        (scored.scored.customers, scored.scored.value_at_risk),
        scored.unscored,
        (listed.customers, listed.value_at_risk),
        listed.dormant,
    )


def _condition(settings: ScoreSettings) -> str:
    """Return the SQL condition of the part of the list that is asked for."""
    from serving.spark_list import RECENT

    conditions = ["true"]
    if settings.recent:
        conditions.append(RECENT)
    if settings.min_value is not None:
        conditions.append(f"value_at_risk >= {settings.min_value!r}D")
    return " AND ".join(conditions)


def _folder(spark: SparkEngine, path: Path | None) -> SparkFolder | None:
    from features.engines.spark_files import SparkFolder

    if path is None:
        return None
    if path.suffix.lower() in (".csv", ".xlsx", ".parquet"):
        raise OutputError(
            translated(
                "--engine spark writes folders of Parquet files, and {path} is named like a file. Name a folder, such "
                "as {folder}.",
                path=path,
                folder=path.with_suffix(""),
            )
        )
    folder = SparkFolder(spark.session, str(path))
    folder.require()
    return folder


def _target(spark: SparkEngine, to: str | None) -> SparkFolder | str | None:
    """Return where ``--to`` leads: a folder by URI, or the name of a table of the catalogue."""
    from features.engines.spark_files import SparkFolder

    if to is None:
        return None
    if "?table=" in to:
        raise OutputError(
            translated(
                "--engine spark writes to a folder by URI, or to a table of Spark's catalogue; {to} is a table of a "
                "database. Use --engine duckdb for it.",
                to=to.rpartition("@")[2],
            )
        )
    if ":/" not in to:
        return to
    folder = SparkFolder(spark.session, to)
    folder.require()
    return folder


def _write(scored: SparkList, where: str, top: int | None, target: SparkFolder | str) -> None:
    from features.engines.spark import failures

    if isinstance(target, str):
        with failures(f"CREATE OR REPLACE TABLE {target}"):
            scored.part(where, top).write.mode("overwrite").saveAsTable(target)
    else:
        target.write(scored.part(where, top))
