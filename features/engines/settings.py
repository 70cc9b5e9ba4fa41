"""Settings of the engine that reads a log: each field is a key of ``stayworth.toml``, a flag and its help text."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from pydantic import model_validator

from features.settings import Settings


class EngineSettings(Settings, section="engine"):
    """Which engine reads the log and computes on it: the section ``[engine]``.

    Examples
    --------
    >>> EngineSettings(engine="spark", spark_master="local[2]").on_spark
    True
    """

    engine: Annotated[
        Literal["duckdb", "spark"],
        typer.Option(
            "--engine", help="duckdb, in this process; or spark, where the log and the list lie on a cluster."
        ),
    ] = "duckdb"
    spark_master: Annotated[
        str | None,
        typer.Option(
            "--spark-master",
            help="Cluster of --engine spark, such as local[2], yarn or spark://host:7077.",
            show_default="this process's session, or spark-submit's",
        ),
    ] = None

    @model_validator(mode="after")
    def _of_spark(self) -> EngineSettings:
        if self.spark_master is not None and self.engine != "spark":
            raise ValueError("--spark-master goes with --engine spark")
        return self

    @property
    def on_spark(self) -> bool:
        """Whether Spark is the engine."""
        return self.engine == "spark"

    @property
    def is_local(self) -> bool:
        """Whether Spark is to be started in this process, with its memory and its folder of temporary files."""
        return (self.spark_master or "").startswith("local")
