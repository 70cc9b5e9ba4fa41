"""The log that a command was given, on Spark: validated there, checked by a sample, accounted for row by row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from features.commands.console import show_remarks
from features.engines.settings import EngineSettings
from features.language import translated
from features.log.findings import WARNING, Finding, settle
from features.log.report import RowBalance
from features.log.settings import Columns, LogSettings

if TYPE_CHECKING:
    from features.engines.spark import SparkEngine
    from features.engines.spark_log import SparkLog
    from features.log.transactions import TransactionLog

_COVERED = (
    *("transactions", "amount_expression", "currency", "timezone", "date_format", "calendar", "earliest"),
    *("decimal", "thousands", "blank_is_zero", "fold_ids", "ignore_column", "quarantine", "accept", "strict"),
)
_OF_LOCAL = ("memory_limit", "temp_dir")

Compare = Callable[["TransactionLog", Callable[[date], int] | None], list[Finding]]


def covered_of_log(engine: EngineSettings) -> tuple[str, ...]:
    """Return the settings of a log that Spark's path covers; a cluster has its own memory and temporary files."""
    return (*_COVERED, *(_OF_LOCAL if engine.is_local else ()))


def checked_log(
    spark: SparkEngine, log: LogSettings, columns: Columns, compare: Compare | None = None
) -> SparkLog:
    """Validate and check the log that the settings name.

    Parameters
    ----------
    spark : SparkEngine
    log, columns : settings
    compare : callable, optional
        Finds what keeps the log from being compared with another, by a sample of its customers, and by a function that
        counts the rows of the whole before a day; None where the sample is the whole.

    Raises
    ------
    LogError
        If the log cannot be read or used, or a check of it finds what makes every number wrong.
    """
    from features.engines.spark_log import open_spark_log
    from features.log.checks import check

    orders = open_spark_log(spark, log.transactions, log, columns)
    found = compare(orders.sample, None if orders.is_whole else orders.rows_before) if compare else []
    found += check(orders.sample, log, columns)
    sampled = "" if orders.is_whole else f"{orders.sample.quarantine.rows_in:,}"
    for sentence in settle(found, log.accept, strict=log.strict):
        said = (
            translated("In a sample of {n} rows: {sentence}", n=sampled, sentence=sentence)
            if sampled
            else sentence
        )
        show_remarks([translated(WARNING, sentence=said)])
    return orders


def balance_of(orders: SparkLog, customers: int) -> RowBalance:
    """Return where the rows of a log went, for printing."""
    return RowBalance(
        orders.rows_in,
        orders.rows_used,
        orders.quarantined,
        {},
        customers,
        orders.first_day,
        orders.last_day,
    )
