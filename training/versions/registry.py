"""The model registry: where runs are logged and versions promoted. The only door to MLflow.

One training run becomes one version of the registered model ``stayworth``: a folder of ``model.json`` and
``booster.txt`` that holds the churn model, its calibration, the purchase models' parameters and the feature
list, so that whoever loads a version never mixes two runs. The alias ``champion`` marks the version that
scores. Nothing is pickled: MLflow is given code to run (`LOADER`) and files to read.

The default registry is a SQLite file in the working directory with its artifacts in ``mlruns`` beside it. A
team gives the address of an MLflow server (``http://…``), which keeps artifacts for all, or of a database.

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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy.exc import SQLAlchemyError

from features.errors import ModelError
from training.model import RetentionModel
from training.versions.succession import entry, predecessor, succession
from training.versions.tracking_uri import TrackingURI

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

DEFAULT_TRACKING_URI = "sqlite:///mlflow.db"
MODEL_NAME = "stayworth"
CHAMPION = "champion"
PROMOTED = "promoted"
"""Tag of a version that was champion: who decided it, such as ``forced``."""

#: What MLflow runs to load a version by itself ("models from code"); stored with each version.
LOADER = """from training.versions.registry import set_pyfunc

set_pyfunc()
"""


@dataclass(frozen=True)
class Version:
    """One registered version, and what its run measured.

    Parameters
    ----------
    version : str, "1", "2", … in order of registration
    run_id : str
    created_at : datetime, UTC
    aliases : tuple of str, such as ("champion",)
    metrics : mapping of str to float, as logged with the run
    params : mapping of str to str, the run's settings
    tags : mapping of str to str, the version's own: what `Registry.annotate` and `Registry.promote` left
    """

    version: str
    run_id: str
    created_at: datetime
    aliases: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


class Registry:
    """Runs and versions under one tracking URI.

    Reading never creates anything: a registry that is not there has no champion.

    Parameters
    ----------
    tracking_uri : str
        ``sqlite:///file.db`` (three slashes: relative to the working directory; four: absolute), the address
        of an MLflow server, or a database such as ``postgresql://user:password@host/name``.
    """

    def __init__(self, tracking_uri: str = DEFAULT_TRACKING_URI) -> None:
        self.uri = TrackingURI(tracking_uri)

    def create(self) -> None:
        """Create the registry's tables, where they are a SQLite file that is not there yet.

        For those who keep tables of their own in the database: MLflow's have to be first.
        """
        with self._client(writing=True):
            pass

    def log_run(
        self,
        *,
        model_folder: Path,
        params: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        tables: Mapping[str, pd.DataFrame] | None = None,
        figures: Mapping[str, Figure] | None = None,
        documents: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        input_example: pd.DataFrame | None = None,
        run_name: str | None = None,
    ) -> Version:
        """Log one training run and register its model as a new version.

        Parameters
        ----------
        model_folder : Path, as written by `RetentionModel.save`
        params : mapping, the settings used; values are logged as text
        metrics : mapping of str to float
        tables : mapping of name to DataFrame, logged as ``name.csv``
        figures : mapping of name to Figure, logged as ``name.png``
        documents : mapping of name to what JSON can hold, logged as ``name.json``; a text as it is, under
            its full name
        tags : mapping of str to str, such as the log's fingerprint; shown in MLflow's list of runs
        input_example : DataFrame, a few rows of a feature table; gives the version its signature
        run_name : str, optional

        Returns
        -------
        Version
            Without aliases: promoting is a decision of its own.

        Raises
        ------
        ModelError
            If the registry cannot be reached or written.
        """
        with self._client(writing=True) as client:
            experiment_id = self._experiment(client)
            run_id = client.create_run(experiment_id, tags=dict(tags or {}), run_name=run_name).info.run_id
            try:
                model = client.create_logged_model(experiment_id, MODEL_NAME, source_run_id=run_id)
                _log_numbers(client, run_id, model, params or {}, metrics or {})
                _log_artifacts(client, run_id, tables or {}, figures or {}, documents or {})
                version = _register(client, model, run_id, model_folder, input_example)
            except BaseException:
                client.set_terminated(run_id, "FAILED")
                raise
            client.set_terminated(run_id, "FINISHED")
            return _version(client, client.get_model_version(MODEL_NAME, version), aliases={})

    def annotate(
        self,
        version: str,
        *,
        tags: Mapping[str, str] | None = None,
        tables: Mapping[str, pd.DataFrame] | None = None,
        documents: Mapping[str, Any] | None = None,
    ) -> None:
        """Add to a version what was found out after it was registered.

        Parameters
        ----------
        version : str
        tags : mapping of str to str, of the version
        tables : mapping of name to DataFrame, logged with its run as ``name.csv``
        documents : mapping of name to what JSON can hold, logged with its run as ``name.json``
        """
        with self._client() as client:
            run_id = str(client.get_model_version(MODEL_NAME, version).run_id)
            _log_artifacts(client, run_id, tables or {}, {}, documents or {})
            for name, text in (tags or {}).items():
                client.set_model_version_tag(MODEL_NAME, version, name, text)

    def log_monitoring(
        self,
        version: str,
        *,
        metrics: Mapping[str, float],
        tables: Mapping[str, pd.DataFrame],
        documents: Mapping[str, Any],
        tags: Mapping[str, str],
    ) -> None:
        """Log how a version fares as a run of its own; the tags are left on the version too."""
        with self._client() as client:
            about = {"monitored_version": version, **tags}
            run_id = client.create_run(self._experiment(client), tags=about, run_name="monitor").info.run_id
            for name, value in metrics.items():
                client.log_metric(run_id, name, value)
            _log_artifacts(client, run_id, tables, {}, documents)
            client.set_terminated(run_id, "FINISHED")
            for name, text in tags.items():
                client.set_model_version_tag(MODEL_NAME, version, name, text)

    def promote(self, version: str, how: str = "by hand") -> None:
        """Make one version the champion; the one before loses the alias and is remembered.

        Parameters
        ----------
        version : str
        how : str
            Who decided it; kept as the version's tag ``promoted``.

        Raises
        ------
        ModelError
            If there is no such version.
        """
        known: list[str] = []
        if not self._is_absent():
            with self._client() as client:
                known = [str(found.version) for found in _search(client)]
                if version in known:
                    client.set_model_version_tag(MODEL_NAME, version, PROMOTED, how)
                    _enthrone(client, version)
                    return
        raise ModelError(
            f"{self.uri} has no version {version} of {MODEL_NAME}. "
            + (f"It has {', '.join(reversed(known))}." if known else "It has none.")
        )

    def rollback(self) -> tuple[str, str | None]:
        """Make the champion before the present one champion again; once more goes one further back.

        Returns
        -------
        The version that is champion now, and the one that was; None if the champion had been deleted

        Raises
        ------
        ModelError
            If there was none before.
        """
        if not self._is_absent():
            with self._client() as client:
                known = {str(found.version): found for found in _search(client)}
                registered = _registered(client)
                champion = _aliases(registered).get(CHAMPION)
                champions = [v for v in _succession(registered) if v in known]
                if target := predecessor(champions, champion or ""):
                    if champion:
                        how = f"{known[champion].tags.get(PROMOTED, 'by hand')}, rolled back"
                        client.set_model_version_tag(MODEL_NAME, champion, PROMOTED, how)
                    _move_alias(client, target)
                    client.set_registered_model_tag(MODEL_NAME, *entry("rollback", target))
                    return target, champion
        now = self.current()
        raise ModelError(
            f"There was no champion before version {now.version} in {self.uri}. "
            f"Promote another: stayworth models lists them, stayworth promote VERSION."
            if now
            else self._no_champion()
        )

    def current(self) -> Version | None:
        """Return the version that scores, None if nothing was promoted yet."""
        if self._is_absent():
            return None
        with self._client() as client:
            aliases = _aliases(_registered(client))
            if CHAMPION not in aliases:
                return None
            return _version(client, client.get_model_version(MODEL_NAME, aliases[CHAMPION]), aliases)

    def champion(self) -> Version:
        """Return the version that scores.

        Raises
        ------
        ModelError
            If nothing was promoted yet, or the registry cannot be reached.
        """
        if champion := self.current():
            return champion
        raise ModelError(self._no_champion())

    def _no_champion(self) -> str:
        return (
            f"No model has the alias '{CHAMPION}' in {self.uri}. "
            "Train one first: stayworth train --transactions orders.csv --promote"
        )

    def versions(self) -> list[Version]:
        """Return all versions, newest first; empty where nothing was registered."""
        if self._is_absent():
            return []
        with self._client() as client:
            aliases = _aliases(_registered(client))
            return [_version(client, found, aliases) for found in _search(client)]

    def download(self, version: str, folder: Path) -> Path:
        """Copy a version's files into ``folder`` and return the path that `RetentionModel.load` reads."""
        with self._client() as client:
            uri = client.get_model_version_download_uri(MODEL_NAME, version)
            _mlflow().artifacts.download_artifacts(
                uri, dst_path=str(folder), tracking_uri=self.uri.text, registry_uri=self.uri.text
            )
        for model in folder.rglob("artifacts/model/model.json"):
            return model.parent
        raise ModelError(f"Version {version} of {MODEL_NAME} in {self.uri} has lost its files.")

    def load(self, version: str) -> RetentionModel:
        """Read a version's model.

        Raises
        ------
        ModelError
            If its files are lost, damaged, or of a release with other features.
        """
        with tempfile.TemporaryDirectory(prefix="stayworth-") as folder:
            return RetentionModel.load(self.download(version, Path(folder)))

    def _is_absent(self) -> bool:
        """Tell whether this is a SQLite registry that nothing was ever logged to."""
        return self.uri.sqlite_file is not None and not self.uri.sqlite_file.exists()

    @contextlib.contextmanager
    def _client(self, *, writing: bool = False) -> Iterator[MlflowClient]:
        """Open the registry; what goes wrong with it becomes a ModelError without a password in it."""
        mlflow = _mlflow()
        from mlflow.exceptions import MlflowException

        try:
            if writing and (file := self.uri.sqlite_file) and not file.exists():
                _create_sqlite(file)
            self.uri.require_answer()
            with _quiet():
                yield mlflow.MlflowClient(self.uri.text, self.uri.text)
        except (MlflowException, SQLAlchemyError, OSError) as error:
            reason = self.uri.redact(str(error)).partition("\n")[0][:300].rstrip(".")
            raise ModelError(
                f"The model registry {self.uri} cannot be used: {reason}. Check that it is up, and "
                "the address: sqlite:///file.db, http://host:port or postgresql://user:password@host/name."
            ) from None

    def _experiment(self, client: MlflowClient) -> str:
        """Return the id of our experiment; whoever of two trainings comes first creates it."""
        if found := client.get_experiment_by_name(MODEL_NAME):
            return str(found.experiment_id)
        file = self.uri.sqlite_file
        beside = (file.parent / "mlruns").as_uri() if file else None
        with _unless_another_did():
            return str(client.create_experiment(MODEL_NAME, artifact_location=beside))
        return str(client.get_experiment_by_name(MODEL_NAME).experiment_id)


def load_champion(tracking_uri: str = DEFAULT_TRACKING_URI) -> tuple[RetentionModel, Version]:
    """Load the version that scores.

    Raises
    ------
    ModelError
        If there is no champion, or its files are lost or damaged.
    """
    registry = Registry(tracking_uri)
    champion = registry.champion()
    return registry.load(champion.version), champion


def set_pyfunc() -> None:
    """Tell MLflow how to load and run a version; called by `LOADER`, inside MLflow."""
    mlflow = _mlflow()

    class Pyfunc(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
        def load_context(self, context: Any) -> None:
            self.model = RetentionModel.load(Path(context.artifacts["model"]))

        def predict(self, context: Any, model_input: pd.DataFrame) -> pd.DataFrame:
            return self.model.score(model_input)

    mlflow.models.set_model(Pyfunc())


def _create_sqlite(file: Path) -> None:
    """Build the tables in a file of its own and move it into place, so that no one ever sees half of them.

    Of two trainings that start on nothing, the first gives the file; the other finds it there.
    """
    _mlflow()
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}-") as folder, _quiet():
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
def _unless_another_did() -> Iterator[None]:
    """Let pass that what is to be created exists already: another training was faster."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _log_numbers(
    client: MlflowClient,
    run_id: str,
    model: LoggedModel,
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
) -> None:
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


def _log_artifacts(
    client: MlflowClient,
    run_id: str,
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, Figure],
    documents: Mapping[str, Any],
) -> None:
    for name, table in tables.items():
        client.log_text(run_id, table.to_csv(index=False), f"{name}.csv")
    for name, figure in figures.items():
        client.log_figure(run_id, figure, f"{name}.png")
    for name, document in documents.items():
        if isinstance(document, str):
            client.log_text(run_id, document, name)
        else:
            client.log_dict(run_id, document, f"{name}.json")


def _register(
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
        _mlflow().pyfunc.save_model(
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
    with _unless_another_did():
        client.create_registered_model(MODEL_NAME)
    source = model.artifact_location
    return str(client.create_model_version(MODEL_NAME, source, run_id, model_id=model.model_id).version)


def _search(client: MlflowClient) -> list[ModelVersion]:
    """Return MLflow's records of all versions, newest first."""
    page = client.search_model_versions(f"name='{MODEL_NAME}'")
    found = list(page)
    while page.token:
        page = client.search_model_versions(f"name='{MODEL_NAME}'", page_token=page.token)
        found += page
    return sorted(found, key=lambda record: int(record.version), reverse=True)


def _registered(client: MlflowClient) -> RegisteredModel | None:
    """Return MLflow's record of the model as a whole; aliases stand in it, not with the versions."""
    found = client.search_registered_models(f"name='{MODEL_NAME}'")
    return found[0] if found else None


def _aliases(registered: RegisteredModel | None) -> dict[str, str]:
    """Return the version behind each alias."""
    return {alias: str(version) for alias, version in registered.aliases.items()} if registered else {}


def _succession(registered: RegisteredModel | None) -> list[str]:
    return succession(registered.tags) if registered else []


def _enthrone(client: MlflowClient, version: str) -> None:
    """Give a version the alias and remember it, and before it a champion that nobody had written down."""
    registered = _registered(client)
    before = _aliases(registered).get(CHAMPION)
    if before and _succession(registered)[-1:] != [before]:
        client.set_registered_model_tag(MODEL_NAME, *entry("promote", before))
    _move_alias(client, version)
    if before != version:
        client.set_registered_model_tag(MODEL_NAME, *entry("promote", version))


def _move_alias(client: MlflowClient, version: str) -> None:
    """Point the alias at a version; of two that set it for the first time at once, one has to try again."""
    from mlflow.exceptions import MlflowException

    try:
        client.set_registered_model_alias(MODEL_NAME, CHAMPION, version)
    except MlflowException:
        client.set_registered_model_alias(MODEL_NAME, CHAMPION, version)


def _version(client: MlflowClient, found: ModelVersion, aliases: Mapping[str, str]) -> Version:
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
def _mlflow() -> ModuleType:
    """Import MLflow: late, for it takes seconds; without telemetry, progress bars and long retries."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # the word: MLflow does not take a 1
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
        import mlflow.pyfunc
    return mlflow


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep MLflow's and Alembic's own messages from the terminal: what matters is raised as an error."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
