"""Client of MLflow: imported when needed, silenced, its errors worded for the caller."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from sqlalchemy import Engine, event
from sqlalchemy.exc import SQLAlchemyError

from features.errors import ModelError
from features.language import translated
from features.temporary import temporary_folder
from training.tracking_uri import TrackingURI

if TYPE_CHECKING:
    from mlflow import MlflowClient

_NO_ROOM = re.compile("disk is full|no space left", re.IGNORECASE)  # SQLite's words, and the system's


@contextlib.contextmanager
def open_client(uri: TrackingURI, *, writing: bool = False, filters: bool = True) -> Iterator[MlflowClient]:
    """Open a registry; what goes wrong with it becomes a ModelError without a password in it.

    Parameters
    ----------
    uri : TrackingURI
    writing : bool
        Create the tables first, where they are a SQLite file that is not there yet.
    filters : bool
        Keep MLflow's warnings back, by filters of the whole process.
    """
    mlflow = import_mlflow()
    from mlflow.exceptions import MlflowException

    try:
        if writing and (file := uri.sqlite_file) and not file.exists():
            _create_sqlite(file)
        uri.require_answer()
        with quiet(filters=filters):
            yield mlflow.MlflowClient(uri.for_mlflow, uri.for_mlflow)
    except (MlflowException, SQLAlchemyError, OSError) as error:
        if _NO_ROOM.search(str(error)):
            raise ModelError(
                translated(
                    "The disk is full: that of the model registry {uri}, of its models, or of temporary files"
                    " ({folder}). Free some space and try again; registered versions are intact.",
                    uri=uri,
                    folder=tempfile.gettempdir(),
                )
            ) from None
        reason = uri.redact(str(error)).partition("\n")[0][:300].rstrip(".")
        raise ModelError(
            translated(
                "The model registry {uri} cannot be used: {reason}. Check that it is up, and the address:"
                " sqlite:///file.db, http://host:port or postgresql://user:password@host/name.",
                uri=uri,
                reason=reason,
            )
        ) from None


def _create_sqlite(file: Path) -> None:
    """Build the tables in a temporary file and move it into place, so that nobody reads half of them.

    Of two trainings that start without a registry, the first creates it and the second uses that one.
    """
    import_mlflow()
    file.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(f".{file.name}-", file.parent) as folder, quiet():
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        fresh = folder / file.name
        with _unsynced(fresh):
            store = SqlAlchemyStore(f"sqlite:///{fresh}", (file.parent / "mlruns").as_uri())  # type: ignore[no-untyped-call]
            store.engine.dispose()
        with fresh.open("rb+") as written:
            os.fsync(written.fileno())
        try:
            os.link(fresh, file)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            fresh.replace(file)


@contextlib.contextmanager
def _unsynced(file: Path) -> Iterator[None]:
    """Let SQLite not wait for the disk after each of MLflow's hundred migrations of a file that nobody reads yet."""

    def unsync(connection: object, _: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            _, _, opened = next(connection.execute("PRAGMA database_list"))
            if Path(opened) == file.resolve():
                connection.execute("PRAGMA synchronous = OFF")
                connection.execute("PRAGMA journal_mode = MEMORY")

    event.listen(Engine, "connect", unsync)
    try:
        yield
    finally:
        event.remove(Engine, "connect", unsync)


@contextlib.contextmanager
def ignore_existing() -> Iterator[None]:
    """Ignore the error that something exists already: another process has just created it."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


@contextlib.contextmanager
def unchecked_requirements() -> Iterator[None]:
    """Let MLflow not compare a model's requirements with what is installed: it only warns, after seconds of reading.

    To find the module of each requirement it reads the records of every installed package.
    """
    import_mlflow()
    from mlflow.utils import environment

    name = "warn_dependency_requirement_mismatches"
    check = getattr(environment, name, None)
    setattr(environment, name, lambda requirements: None)
    try:
        yield
    finally:
        setattr(environment, name, check)


@functools.cache
def import_mlflow() -> ModuleType:
    """Import MLflow when it is needed, which takes seconds; without telemetry, progress bars and long retries."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # the word: MLflow does not take a 1
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")  # seconds, not two minutes; times the tries
    # A service runs for days: a pooled connection would go on reading a SQLite file that was replaced.
    os.environ.setdefault("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
        import mlflow.pyfunc
    return mlflow


@contextlib.contextmanager
def quiet(*, filters: bool = True) -> Iterator[None]:
    """Silence the log messages of MLflow and Alembic, and with ``filters`` their warnings, process-wide."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings() if filters else contextlib.nullcontext():
            if filters:
                warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
