"""The command ``train`` on Spark: the log is read there, and the driver learns from a sample of its customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.commands.console import progress
from features.commands.uncovered import require_covered
from features.engines.settings import EngineSettings
from features.language import translated
from features.log.settings import Columns, LogSettings
from training.behaviour_settings import BehaviourSettings, OwnFeatureSettings
from training.cost_settings import CostSettings
from training.settings import RegistrySettings, TrainSettings

if TYPE_CHECKING:
    from features.engines.spark_log import SparkLog
    from features.log.transactions import TransactionLog
    from features.table.history import PurchaseHistory
    from training.judging.promotion_decision import PromotionDecision
    from training.run import TrainingRun
    from training.versions.registry import Registry, Version

MOST_FITTED = 5_000_000
"""Customers whose purchases the driver takes for the fit of the deployed purchase and spend models."""


def train_on_cluster(
    engine: EngineSettings,
    log: LogSettings,
    columns: Columns,
    settings: TrainSettings,
    costs: CostSettings,
    behaviour: BehaviourSettings,
    own: OwnFeatureSettings,
    registry: RegistrySettings,
) -> tuple[TrainingRun, TransactionLog, Version, PromotionDecision | None, Registry]:
    """Train on a log that lies on Spark, and register the version.

    The rows of ``--sample-customers`` customers come to the driver, and what the purchases of up to `MOST_FITTED` come
    to; nothing else does.

    Raises
    ------
    StayworthError
        If an option is given that Spark's path does not cover, names each; otherwise as the command on DuckDB.
    """
    from features.commands.spark_log import checked_log, covered_of_log
    from features.engines.resources import use_resources
    from features.engines.spark import SparkEngine, spark_session
    from features.engines.spark_files import SparkFolder
    from training.pipeline import train, with_champion_window
    from training.registration import register
    from training.versions.registry import Registry

    of_training = set(TrainSettings.model_fields) - {"if_due"}
    groups = ((settings, of_training), (log, covered_of_log(engine)), (costs, ("file", *costs.stated())))
    require_covered((*groups, (behaviour, ()), (own, ())), "spark")
    use_resources(log.memory_limit, log.temp_dir)
    versions = Registry(registry.tracking_uri)
    with progress() as report, spark_session(engine.spark_master) as session, SparkEngine(session) as spark:
        quarantine = SparkFolder(spark.session, str(log.quarantine)) if log.quarantine else None
        if quarantine:
            quarantine.require()
        report(translated("Validating"), 0, 0)
        orders = checked_log(spark, log, columns)
        if quarantine:
            quarantine.write(orders.quarantine())
        taken, everybody = _taken(orders, settings)
        run = train(
            taken,
            with_champion_window(settings, versions),
            report,
            registry=versions,
            costs=costs,
            everybody=everybody,
            by_orders_alone=True,
        )
    with progress() as report:
        version, decision = register(run, taken, settings, versions, report)
    return run, taken, version, decision, versions


def _taken(orders: SparkLog, settings: TrainSettings) -> tuple[TransactionLog, PurchaseHistory | None]:
    """Return the log of the customers that are learnt from, and the history of all where it holds not all."""
    from features.table.spark_history import SparkHistory

    log = orders.sample.report if orders.is_whole else orders.report
    customers = settings.customers_learnt_from(log)
    taken = orders.taken(customers, settings.seed)
    if orders.is_whole or taken.report.customers <= customers:
        return taken, None
    most = MOST_FITTED if taken.report.customers > MOST_FITTED else None
    return taken, SparkHistory(orders, most, settings.seed)
