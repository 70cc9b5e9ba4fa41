"""What MLflow keeps of a version: how it is written and read, record by record. With the registry, MLflow's door.

MLflow takes seconds to import and speaks at length; both are kept from the caller here.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pandas as pd

from training.versions.champion_history import entry, succession
from training.versions.version import CHAMPION, MODEL_NAME, Version

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

#: What MLflow runs to load a version by itself ("models from code"); stored with each version.
LOADER = """from training.versions.registry import set_pyfunc

set_pyfunc()
"""


def create_sqlite(file: Path) -> None:
    """Build the tables in a file of its own and move it into place, so that no one ever sees half of them.

    Of two trainings that start on nothing, the first gives the file; the other finds it there.
    """
    import_mlflow()
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}-") as folder, quiet():
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        fresh = Path(folder) / file.name
        store = SqlAlchemyStore(f"sqlite:///{fresh}", (file.parent / "mlruns").as_uri())  # type: ignore[no-untyped-call]
        store.engine.dispose()
        try:
            os.link(fresh, file)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            fresh.replace(file)


@contextlib.contextmanager
def unless_another_did() -> Iterator[None]:
    """Let pass that what is to be created exists already: another training was faster."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def log_numbers(
    client: MlflowClient,
    run_id: str,
    model: LoggedModel,
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
) -> None:
    """Log a run's settings and measures; the measures count for its model too."""
    from mlflow.entities import Metric, Param

    now = time.time_ns() // 1_000_000
    client.log_batch(
        run_id,
        metrics=[
            Metric(name, value, now, step=0, model_id=model.model_id, run_id=run_id)
            for name, value in metrics.items()
        ],
        params=[Param(name, str(value)) for name, value in params.items()],
    )


def log_artifacts(
    client: MlflowClient,
    run_id: str,
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, Figure],
    documents: Mapping[str, Any],
) -> None:
    """Log tables as CSV, figures as PNG, documents as JSON or, where they are text, as they are."""
    for name, table in tables.items():
        client.log_text(run_id, table.to_csv(index=False), f"{name}.csv")
    for name, figure in figures.items():
        client.log_figure(run_id, figure, f"{name}.png")
    for name, document in documents.items():
        if isinstance(document, str):
            client.log_text(run_id, document, name)
        else:
            client.log_dict(run_id, document, f"{name}.json")


def register(
    client: MlflowClient, model: LoggedModel, run_id: str, files: Path, input_example: pd.DataFrame | None
) -> str:
    """Store the model's files with the run and register them; return the version's number."""
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    card = Model(model.artifact_location, run_id, model_uuid=model.model_id, model_id=model.model_id)
    with tempfile.TemporaryDirectory(prefix="stayworth-") as folder:
        loader, packed = Path(folder) / "loader.py", Path(folder) / "packed"
        loader.write_text(LOADER)
        shutil.copytree(files, Path(folder) / "model")
        import_mlflow().pyfunc.save_model(
            packed,
            mlflow_model=card,
            python_model=str(loader),
            artifacts={"model": str(Path(folder) / "model")},
            # Named, they cost nothing; inferred, five seconds.
            pip_requirements=[MODEL_NAME],
            input_example=input_example,
        )
        client.log_model_artifacts(model.model_id, str(packed))
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    with unless_another_did():
        client.create_registered_model(MODEL_NAME)
    source = model.artifact_location
    return str(client.create_model_version(MODEL_NAME, source, run_id, model_id=model.model_id).version)


def search(client: MlflowClient) -> list[ModelVersion]:
    """Return MLflow's records of all versions, newest first."""
    page = client.search_model_versions(f"name='{MODEL_NAME}'")
    found = list(page)
    while page.token:
        page = client.search_model_versions(f"name='{MODEL_NAME}'", page_token=page.token)
        found += page
    return sorted(found, key=lambda record: int(record.version), reverse=True)


def registered_model(client: MlflowClient) -> RegisteredModel | None:
    """Return MLflow's record of the model as a whole; aliases stand in it, not with the versions."""
    found = client.search_registered_models(f"name='{MODEL_NAME}'")
    return found[0] if found else None


def aliases_of(registered: RegisteredModel | None) -> dict[str, str]:
    """Return the version behind each alias."""
    return {alias: str(version) for alias, version in registered.aliases.items()} if registered else {}


def succession_of(registered: RegisteredModel | None) -> list[str]:
    """Return the champions, oldest first."""
    return succession(registered.tags) if registered else []


def enthrone(client: MlflowClient, version: str) -> None:
    """Give a version the alias and remember it, and before it a champion that nobody had written down."""
    registered = registered_model(client)
    before = aliases_of(registered).get(CHAMPION)
    if before and succession_of(registered)[-1:] != [before]:
        client.set_registered_model_tag(MODEL_NAME, *entry("promote", before))
    move_alias(client, version)
    if before != version:
        client.set_registered_model_tag(MODEL_NAME, *entry("promote", version))


def move_alias(client: MlflowClient, version: str) -> None:
    """Point the alias at a version; of two that set it for the first time at once, one has to try again."""
    from mlflow.exceptions import MlflowException

    try:
        client.set_registered_model_alias(MODEL_NAME, CHAMPION, version)
    except MlflowException:
        client.set_registered_model_alias(MODEL_NAME, CHAMPION, version)


def version_of(client: MlflowClient, found: ModelVersion, aliases: Mapping[str, str]) -> Version:
    """Return a version with what its run measured."""
    run_id = str(found.run_id)
    logged = client.get_run(run_id).data
    return Version(
        version=str(found.version),
        run_id=run_id,
        created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
        aliases=tuple(sorted(alias for alias, version in aliases.items() if version == str(found.version))),
        metrics=dict(logged.metrics),
        params=dict(logged.params),
        tags=dict(found.tags),
    )


@functools.cache
def import_mlflow() -> ModuleType:
    """Import MLflow: late, for it takes seconds; without telemetry, progress bars and long retries."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # the word: MLflow does not take a 1
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")  # seconds, not two minutes; times the tries
    # A service asks for days: a kept connection would read a SQLite file that has long been replaced.
    os.environ.setdefault("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
        import mlflow.pyfunc
    return mlflow


@contextlib.contextmanager
def quiet(*, filters: bool = True) -> Iterator[None]:
    """Keep MLflow's and Alembic's own messages from the terminal: what matters is raised as an error.

    ``filters`` keeps back their warnings too, by filters that are the whole process's.
    """
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
