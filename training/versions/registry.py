"""The model registry: registered versions, which of them is the champion, and their files.

One training run becomes one version of the registered model ``stayworth``: a folder of files
(`training.model.files`) that holds the churn model, its calibration, the purchase model's parameters and the feature
list, so that two runs are never mixed. The alias ``champion`` marks the version that scores. Nothing is pickled.

The default registry is a SQLite file in the working directory with its artifacts in ``mlruns`` beside it. A team
gives the address of an MLflow server (``http://…``), which keeps the artifacts for all, or of a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.errors import ModelError
from features.language import translated
from features.temporary import temporary_folder
from training.model.retention_model import RetentionModel
from training.settings import DEFAULT_TRACKING_URI
from training.tracking_uri import TrackingURI
from training.versions.champion_history import history_tag, previous_champion
from training.versions.interrupted_runs import close_interrupted, process_tag
from training.versions.mlflow_client import import_mlflow, open_client
from training.versions.pyfunc import set_pyfunc
from training.versions.records import (
    aliases_of,
    champions_of,
    make_champion,
    move_alias,
    registered_model,
    search,
    version_of,
)
from training.versions.run_log import (
    experiment_id,
    log_artifacts,
    log_dataset,
    log_numbers,
    register_model,
)
from training.versions.sqlite_champion import champion_files
from training.versions.version import CHAMPION, MODEL_NAME, PROMOTED, Version, VersionKey
from training.versions.version_files import LostFilesError, folder_at, read_version

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "CHAMPION",
    "DEFAULT_TRACKING_URI",
    "MODEL_NAME",
    "Registry",
    "Version",
    "load_champion",
    "set_pyfunc",  # where versions registered earlier look for it
]

_NOTE = "mlflow.note.content"  # what MLflow shows as a run's description


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

        Needed before other tables are created in the same database: MLflow's have to be first.
        """
        with open_client(self.uri, writing=True):
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
        name: str | None = None,
        description: str | None = None,
        dataset: Mapping[str, Any] | None = None,
    ) -> Version:
        """Log one training run and register its model as a new version.

        Parameters
        ----------
        model_folder : Path, as `training.model.files.save_model` writes it
        params : mapping, the settings used; values are logged as text
        metrics : mapping of str to float
        tables : mapping of name to DataFrame, logged as ``name.csv``
        figures : mapping of name to Figure, logged as ``name.png``
        documents : mapping of name to what JSON can hold, logged as ``name.json``; a text as it is, under
            its full name
        tags : mapping of str to str, such as the log's fingerprint; shown in MLflow's list of runs
        input_example : DataFrame, a few rows of a feature table; gives the version its signature
        name, description : str, of the run; the version gets the description too
        dataset : mapping, what the log is; its ``fingerprint`` tells one from another

        Returns
        -------
        Version
            Without aliases: promotion is a separate step.

        Raises
        ------
        ModelError
            If the registry cannot be reached or written.
        """
        with open_client(self.uri, writing=True) as client:
            experiment = experiment_id(client, self.uri)
            close_interrupted(client, experiment)
            about = dict(tags or {}) | process_tag() | ({_NOTE: description} if description else {})
            run_id = client.create_run(experiment, tags=about, run_name=name).info.run_id
            try:
                model = client.create_logged_model(experiment, MODEL_NAME, source_run_id=run_id)
                log_numbers(client, run_id, model, params or {}, metrics or {})
                log_artifacts(client, run_id, tables or {}, figures or {}, documents or {})
                if dataset:
                    log_dataset(client, run_id, dataset)
                version = register_model(client, model, run_id, model_folder, input_example, description)
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
        """Add tags, tables and documents to a registered version.

        The tags are the version's; tables and documents are logged with its run, as in `log_run`.
        """
        with open_client(self.uri) as client:
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
        """Log a monitoring result of a version as a run of its own; the version gets the tags too."""
        with open_client(self.uri) as client:
            experiment = experiment_id(client, self.uri)
            close_interrupted(client, experiment)
            about = {"monitored_version": version, **tags, **process_tag()}
            run_id = client.create_run(
                experiment, tags=about, run_name=f"monitor version {version}"
            ).info.run_id
            for name, value in metrics.items():
                client.log_metric(run_id, name, value)
            log_artifacts(client, run_id, tables, {}, documents)
            client.set_terminated(run_id, "FINISHED")
            for name, text in tags.items():
                client.set_model_version_tag(MODEL_NAME, version, name, text)

    def promote(self, version: str, how: str = "by hand") -> None:
        """Make one version the champion; the one before loses the alias and stays in the history.

        Parameters
        ----------
        version : str
        how : str
            What decided it; kept as the version's tag ``promoted``.

        Raises
        ------
        ModelError
            If there is no such version, or it has lost its files.
        """
        known: list[str] = []
        if not self.is_absent():
            with open_client(self.uri) as client:
                known = [str(found.version) for found in search(client)]
                if version in known:
                    self.require_files(version)
                    client.set_model_version_tag(MODEL_NAME, version, PROMOTED, how)
                    make_champion(client, version)
                    return
        raise ModelError(
            translated(
                "{uri} has no version {version} of {model}.",
                uri=self.uri,
                version=version,
                model=MODEL_NAME,
            )
            + " "
            + (
                translated("It has {names}.", names=list(reversed(known)))
                if known
                else translated("It has none.")
            )
        )

    def rollback(self) -> tuple[str, str | None]:
        """Make the previous champion champion again; a second rollback goes one further back.

        Returns
        -------
        The version that is champion now, and the one that was; None if the champion had been deleted

        Raises
        ------
        ModelError
            If there was none before, or it has lost its files.
        """
        if not self.is_absent():
            with open_client(self.uri) as client:
                known = {str(found.version): found for found in search(client)}
                registered = registered_model(client)
                champion = aliases_of(registered).get(CHAMPION)
                champions = [v for v in champions_of(registered) if v in known]
                if target := previous_champion(champions, champion or ""):
                    self.require_files(target)
                    if champion:
                        how = f"{known[champion].tags.get(PROMOTED, 'by hand')}, rolled back"
                        client.set_model_version_tag(MODEL_NAME, champion, PROMOTED, how)
                    move_alias(client, target)
                    client.set_registered_model_tag(MODEL_NAME, *history_tag("rollback", target))
                    return target, champion
        now = self.current()
        raise ModelError(
            translated(
                "There was no champion before version {version} in {uri}. Promote another: stayworth "
                "models lists them, stayworth promote VERSION.",
                version=now.version,
                uri=self.uri,
            )
            if now
            else self.no_champion()
        )

    def current(self) -> Version | None:
        """Return the version that scores, None if nothing was promoted yet."""
        if self.is_absent():
            return None
        with open_client(self.uri) as client:
            aliases = aliases_of(registered_model(client))
            if CHAMPION not in aliases:
                return None
            return version_of(client, client.get_model_version(MODEL_NAME, aliases[CHAMPION]), aliases)

    def champion_version(self) -> VersionKey | None:
        """Return the champion's key, None if there is none: one cheap request, for frequent polling."""
        if self.is_absent():
            return None
        # Warning filters are process-wide, and other threads answer meanwhile: set once, for MLflow's imports.
        with open_client(self.uri, filters=not self._asked) as client:
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
        """Return the message that nothing was promoted yet, with what to do."""
        sentence = translated(
            "No model has the alias '{champion}' in {uri}. Train one first: stayworth train --transactions orders.csv "
            "--promote",
            champion=CHAMPION,
            uri=self.uri,
        )
        if not self.is_absent():
            return sentence
        other = translated(
            "(or name the one you have by --tracking-uri: there is no file {file})", file=self.uri.sqlite_file
        )
        return f"{sentence} {other}"

    def versions(self) -> list[Version]:
        """Return all versions, newest first; empty where nothing was registered."""
        if self.is_absent():
            return []
        with open_client(self.uri) as client:
            aliases = aliases_of(registered_model(client))
            return [version_of(client, found, aliases) for found in search(client)]

    def require_files(self, version: str) -> None:
        """Refuse a version that could not score, as `download` does."""
        with temporary_folder() as folder:
            self.download(version, folder)

    def download(self, version: str, folder: Path) -> Path:
        """Copy a version's files into ``folder`` and return the path that `training.model.files.load_model` reads.

        Raises
        ------
        LostFilesError
            If they are gone.
        """
        with open_client(self.uri, filters=not self._asked) as client:
            uri = client.get_model_version_download_uri(MODEL_NAME, version)
            if (here := folder_at(uri)) is None or here.exists():
                import_mlflow().artifacts.download_artifacts(
                    uri,
                    dst_path=str(folder),
                    tracking_uri=self.uri.for_mlflow,
                    registry_uri=self.uri.for_mlflow,
                )
        for model in folder.rglob("artifacts/model/model.json"):
            return model.parent
        raise LostFilesError(
            translated(
                "Version {version} of {model} in {uri} has lost its files. Put them back, or promote another: "
                "stayworth models, stayworth promote VERSION.",
                version=version,
                model=MODEL_NAME,
                uri=self.uri,
            )
        )

    def load(self, version: str) -> RetentionModel:
        """Read a version's model.

        Raises
        ------
        ModelError
            If its files are lost, damaged, of a release with other features, or do not score the version's
            example as when it was saved.
        """
        with temporary_folder() as folder:
            return read_version(self.download(version, folder), version)

    def load_current(self) -> tuple[RetentionModel, str]:
        """Read the champion's model, and return it with its version; for a scorer, which needs nothing else of it.

        Raises
        ------
        ModelError
            If there is no champion, or as `load`.
        """
        found = champion_files(self.uri.sqlite_file) if self.uri.sqlite_file else None
        if found is None:
            champion = self.champion().version
            return self.load(champion), champion
        version, files = found
        return read_version(files, version), version

    def is_absent(self) -> bool:
        """Tell whether this is a SQLite registry without a file: nothing was ever logged, or it was removed."""
        return self.uri.sqlite_file is not None and not self.uri.sqlite_file.exists()


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
