"""Spark: the engine for logs that no single machine reads, and for catalogues that live on a cluster.

The SQL is that of DuckDB, in the dialect that both share, and gives the same numbers to the bit: money is whole cents
and sums are exact, so neither the order of the rows nor the number of tasks moves a digit. An engine is a session of
its own on the caller's Spark application, with UTC as its time zone and ANSI arithmetic: temporary views and settings
of a notebook are left as they are.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from features.closing import Closing
from features.engines.engine import EngineError
from features.engines.resources import resources, spill_folder
from features.errors import StayworthError
from features.language import translated

if TYPE_CHECKING:
    from pyspark.sql import DataFrame as DataFrame, SparkSession as SparkSession

BATCH_ROWS = 65_536
"""Rows that Spark hands to Python at a time."""

_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
    "spark.sql.caseSensitive": "true",  # names are compared as on DuckDB's path: as they are written
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",  # customer=007 in a path is 007, not 7
}
_LOCAL_SETTINGS = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.shuffle.partitions": "8",
}
_OURS = re.compile(r"^features\.errors\.\w+: (.+)$", re.MULTILINE)
_LOST = re.compile(
    r"(ExecutorLostFailure|Python worker exited unexpectedly|executor [^\n]* exited|SparkOutOfMemory)"
)


class SparkEngine(Closing):
    """A session of its own on a Spark application.

    Parameters
    ----------
    session : SparkSession
        Any of the application's; the engine opens another, in the same catalogue and database.

    Raises
    ------
    EngineError
        By every method whose SQL fails, with the SQL quoted.
    StayworthError
        If a task failed for a reason that the caller can mend, or the cluster lost its executors.

    Examples
    --------
    ::

        with spark_session("local[2]") as session, SparkEngine(session) as engine:
            engine.register("orders", pa.table({"customer_id": ["a", "a", "b"], "cents": [100, 250, 70]}))
            engine.create("totals", "SELECT customer_id, sum(cents) AS cents FROM orders GROUP BY customer_id")
            engine.query("SELECT count(*) AS customers FROM totals").to_pydict()  # {'customers': [2]}
    """

    def __init__(self, session: SparkSession) -> None:
        self.session = session.newSession()
        for name, value in _SETTINGS.items():
            self.session.conf.set(name, value)
        self.session.catalog.setCurrentCatalog(session.catalog.currentCatalog())
        self.session.catalog.setCurrentDatabase(session.catalog.currentDatabase())
        self._kept: dict[str, DataFrame] = {}

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable under a name; it is sent from the driver, so keep it small."""
        self.session.createDataFrame(table).createOrReplaceTempView(name)

    def create(self, name: str, sql: str) -> None:
        """Keep the result of a query under a name: it is computed when first read, and again if it is lost."""
        self.keep(name, self.frame(sql))

    def keep(self, name: str, frame: DataFrame) -> None:
        """Keep a frame on the disks of the executors, under a name; what had that name is dropped when closing."""
        from pyspark import StorageLevel

        kept = frame.persist(StorageLevel.MEMORY_AND_DISK)
        kept.createOrReplaceTempView(name)
        self._kept[f"{name} {len(self._kept)}"] = kept

    def frame(self, sql: str) -> DataFrame:
        """Return the result of a query where it is, on the cluster."""
        with failures(sql):
            return self.session.sql(sql)

    def query(self, sql: str) -> pa.Table:
        """Run a query and bring its result to the driver."""
        with failures(sql):
            return self.session.sql(sql).toArrow()

    def close(self) -> None:
        """Drop every table; the engine cannot be used afterwards."""
        for frame in self._kept.values():
            frame.unpersist()
        self._kept.clear()


@contextmanager
def failures(sql: str) -> Iterator[None]:
    """Turn errors of Spark into those of an engine; of what a task says on purpose only the words are kept.

    Raises
    ------
    StayworthError
        If a task raised one, or executors were lost more often than Spark tries again.
    EngineError
        With the SQL quoted, if it is something else.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        said = str(error)
        if ours := _OURS.search(said):
            raise StayworthError(ours[1]) from None
        if lost := _LOST.search(said):
            raise StayworthError(
                translated(
                    "Spark lost tasks more often than it tries again ({what}), and nothing was written.",
                    what=lost[0],
                ),
                translated(
                    "Run it again; if it comes back, give the executors more memory (spark.executor.memory, "
                    "spark.executor.memoryOverhead) or smaller partitions (spark.sql.shuffle.partitions)."
                ),
            ) from None
        raise EngineError(sql, error) from error


@contextmanager
def spark_session(master: str | None = None) -> Iterator[SparkSession]:
    """Yield the active session of this process; where there is none, one that is stopped at the end.

    Parameters
    ----------
    master : str, optional
        Address of the cluster for a new session, such as ``local[2]``; by default that of ``spark-submit``.

    Raises
    ------
    StayworthError
        If PySpark or Java is not installed, the cluster cannot be reached, or the active session is on another.
    """
    session = _active(master)
    if session is not None:
        yield session
        return
    session = _started(master)
    try:
        yield session
    finally:
        session.stop()


def _import_spark() -> Any:
    # PySpark says at many calls that it was not tried with pandas 3; no frame of pandas is given to it.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        raise StayworthError(
            translated(
                "--engine spark needs PySpark. Install it: {command}",
                command="pip install 'stayworth[spark]'",
            )
        ) from None
    return SparkSession


def _active(master: str | None) -> SparkSession | None:
    session: SparkSession | None = _import_spark().getActiveSession()
    if session is not None and master is not None and session.conf.get("spark.master", "") != master:
        raise StayworthError(
            translated(
                "--spark-master {master}: this process has a Spark session already, on {other}. Leave the flag out to "
                "use that.",
                master=master,
                other=session.conf.get("spark.master", "?"),
            )
        )
    return session


def _started(master: str | None) -> SparkSession:
    from pyspark.errors import PySparkException

    builder = _import_spark().builder.appName("stayworth")
    if master is not None:
        builder = builder.master(master)
        if master.startswith("local"):
            os.environ.setdefault(
                "PYSPARK_PYTHON", sys.executable
            )  # else Spark takes the first python3 of the path
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
            memory = {
                "spark.driver.memory": f"{resources().memory >> 20}m",
                "spark.local.dir": str(spill_folder()),
            }
            for name, value in (_LOCAL_SETTINGS | memory).items():
                builder = builder.config(name, value)
    try:
        session: SparkSession = builder.getOrCreate()
    except (PySparkException, FileNotFoundError) as error:
        if isinstance(error, FileNotFoundError) or "JAVA" in str(error):
            raise StayworthError(
                translated(
                    "Spark cannot start Java. Install a runtime, 17 or newer (on Debian: {command}), or name its "
                    "folder in JAVA_HOME.",
                    command="apt-get install default-jre-headless",
                )
            ) from None
        raise
    except Exception as error:
        said = " ".join(str(error).split("\n\tat")[0].split())[:300]
        raise StayworthError(
            translated("Spark cannot be started on {master}: {why}.", master=master or "?", why=said)
        ) from None
    return session
