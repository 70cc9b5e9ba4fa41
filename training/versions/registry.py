"""The model registry: where runs are logged and versions promoted. With its records, the only door to MLflow.

One training run becomes one version of the registered model ``stayworth``: a folder of ``model.json`` and
``booster.txt`` that holds the churn model, its calibration, the purchase models' parameters and the feature
list, so that whoever loads a version never mixes two runs. The alias ``champion`` marks the version that
scores. Nothing is pickled: MLflow is given code to run (`LOADER`) and files to read.

The default registry is a SQLite file in the working directory with its artifacts in ``mlruns`` beside it. A
team gives the address of an MLflow server (``http://…``), which keeps artifacts for all, or of a database.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy.exc import SQLAlchemyError

from features.errors import ModelError
from training.model.files import load_model
from training.model.retention_model import RetentionModel
from training.model.self_check import check_example
from training.tracking_uri import TrackingURI
from training.versions.champion_history import entry, predecessor
from training.versions.records import (
    aliases_of,
    create_sqlite,
    enthrone,
    import_mlflow,
    log_artifacts,
    log_numbers,
    move_alias,
    quiet,
    register,
    registered_model,
    search,
    succession_of,
    unless_another_did,
    version_of,
)
from training.versions.version import CHAMPION, MODEL_NAME, PROMOTED, Version, VersionKey

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient

__all__ = [
    "CHAMPION",
    "DEFAULT_TRACKING_URI",
    "MODEL_NAME",
    "Registry",
    "Version",
    "load_champion",
    "set_pyfunc",
]

DEFAULT_TRACKING_URI = "sqlite:///mlflow.db"


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
        self._asked = False

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
                log_numbers(client, run_id, model, params or {}, metrics or {})
                log_artifacts(client, run_id, tables or {}, figures or {}, documents or {})
                version = register(client, model, run_id, model_folder, input_example)
            except BaseException:
                client.set_terminated(run_id, "FAILED")
                raise
            client.set_terminated(run_id, "FINISHED")
            return version_of(client, client.get_model_version(MODEL_NAME, version), aliases={})

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
            log_artifacts(client, run_id, tables or {}, {}, documents or {})
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
            log_artifacts(client, run_id, tables, {}, documents)
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
        if not self.is_absent():
            with self._client() as client:
                known = [str(found.version) for found in search(client)]
                if version in known:
                    client.set_model_version_tag(MODEL_NAME, version, PROMOTED, how)
                    enthrone(client, version)
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
        if not self.is_absent():
            with self._client() as client:
                known = {str(found.version): found for found in search(client)}
                registered = registered_model(client)
                champion = aliases_of(registered).get(CHAMPION)
                champions = [v for v in succession_of(registered) if v in known]
                if target := predecessor(champions, champion or ""):
                    if champion:
                        how = f"{known[champion].tags.get(PROMOTED, 'by hand')}, rolled back"
                        client.set_model_version_tag(MODEL_NAME, champion, PROMOTED, how)
                    move_alias(client, target)
                    client.set_registered_model_tag(MODEL_NAME, *entry("rollback", target))
                    return target, champion
        now = self.current()
        raise ModelError(
            f"There was no champion before version {now.version} in {self.uri}. "
            f"Promote another: stayworth models lists them, stayworth promote VERSION."
            if now
            else self.no_champion()
        )

    def current(self) -> Version | None:
        """Return the version that scores, None if nothing was promoted yet."""
        if self.is_absent():
            return None
        with self._client() as client:
            aliases = aliases_of(registered_model(client))
            if CHAMPION not in aliases:
                return None
            return version_of(client, client.get_model_version(MODEL_NAME, aliases[CHAMPION]), aliases)

    def champion_version(self) -> VersionKey | None:
        """Return only which version scores, None if none does: one cheap question, for who asks all the time."""
        if self.is_absent():
            return None
        # Warning filters belong to the process, and others answer meanwhile: set once, for MLflow's imports.
        with self._client(filters=not self._asked) as client:
            from mlflow.exceptions import MlflowException

            try:
                found = client.get_model_version_by_alias(MODEL_NAME, CHAMPION)
                self._asked = True
            except MlflowException as error:
                # No such model; no such alias.
                if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    return None
                raise
            return VersionKey(str(found.version), str(found.run_id))

    def champion(self) -> Version:
        """Return the version that scores.

        Raises
        ------
        ModelError
            If nothing was promoted yet, or the registry cannot be reached.
        """
        if champion := self.current():
            return champion
        raise ModelError(self.no_champion())

    def no_champion(self) -> str:
        """Say that nothing was promoted yet, and what to do."""
        return (
            f"No model has the alias '{CHAMPION}' in {self.uri}. "
            "Train one first: stayworth train --transactions orders.csv --promote"
        )

    def versions(self) -> list[Version]:
        """Return all versions, newest first; empty where nothing was registered."""
        if self.is_absent():
            return []
        with self._client() as client:
            aliases = aliases_of(registered_model(client))
            return [version_of(client, found, aliases) for found in search(client)]

    def download(self, version: str, folder: Path) -> Path:
        """Copy a version's files into ``folder`` and return the path that `RetentionModel.load` reads."""
        with self._client(filters=not self._asked) as client:
            uri = client.get_model_version_download_uri(MODEL_NAME, version)
            import_mlflow().artifacts.download_artifacts(
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
            If its files are lost, damaged, of a release with other features, or do not score the version's
            example as when it was saved.
        """
        with tempfile.TemporaryDirectory(prefix="stayworth-") as folder:
            return read_version(self.download(version, Path(folder)), version)

    def is_absent(self) -> bool:
        """Tell whether this is a SQLite registry whose file is not there: nothing was ever logged, or it is gone."""
        return self.uri.sqlite_file is not None and not self.uri.sqlite_file.exists()

    @contextlib.contextmanager
    def _client(self, *, writing: bool = False, filters: bool = True) -> Iterator[MlflowClient]:
        """Open the registry; what goes wrong with it becomes a ModelError without a password in it."""
        mlflow = import_mlflow()
        from mlflow.exceptions import MlflowException

        try:
            if writing and (file := self.uri.sqlite_file) and not file.exists():
                create_sqlite(file)
            self.uri.require_answer()
            with quiet(filters=filters):
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
        with unless_another_did():
            return str(client.create_experiment(MODEL_NAME, artifact_location=beside))
        return str(client.get_experiment_by_name(MODEL_NAME).experiment_id)


def read_version(folder: Path, version: str) -> RetentionModel:
    """Read a version's files, and see that they score its example as when it was saved.

    Raises
    ------
    ModelError
        If they are damaged, of a release with other features, or score otherwise.
    """
    called = f"Version {version} of {MODEL_NAME}"
    model = load_model(folder, called)
    check_example(model, folder, called)
    return model


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
    mlflow = import_mlflow()

    class Pyfunc(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
        def load_context(self, context: Any) -> None:
            self.model = load_model(Path(context.artifacts["model"]))

        def predict(self, context: Any, model_input: pd.DataFrame) -> pd.DataFrame:
            return self.model.score(model_input)

    mlflow.models.set_model(Pyfunc())
