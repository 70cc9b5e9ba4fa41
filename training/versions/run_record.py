"""What a scheduled run has done so far, kept in the registry: a run of MLflow whose tags are its steps.

A step is noted when it is done, in one transaction of the tracking store. So whatever stops a run, the next one with
the same id finds what is left to do, also on another machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from features.errors import ModelError
from training.tracking_uri import TrackingURI
from training.versions.interrupted_runs import close_interrupted, process_tag
from training.versions.mlflow_client import open_client
from training.versions.run_log import experiment_id
from training.versions.version import MODEL_NAME

TRAINED_BY = "stayworth.trained_by"
"""Tag of a training run: the id of the scheduled run that it belongs to."""

_RECORD = "stayworth.scheduled_run"
_STEP = "stayworth.step."


class RunRecord:
    """The steps that a scheduled run has done.

    Parameters
    ----------
    uri : TrackingURI
    run_id : str

    Attributes
    ----------
    steps : dict of name to what JSON can hold, at most some thousand characters
    """

    def __init__(self, uri: TrackingURI, run_id: str) -> None:
        self.run_id, self._uri = run_id, uri
        self._mlflow_run = ""
        self.steps: dict[str, Any] = {}
        for run in self._search(_RECORD):
            self._mlflow_run = run.info.run_id
            self.steps = {
                name.removeprefix(_STEP): json.loads(text)
                for name, text in run.data.tags.items()
                if name.startswith(_STEP)
            }

    @contextmanager
    def at_work(self, name: str) -> Iterator[None]:
        """Show the run as running in MLflow, and then as finished or failed; one that is killed is closed by the next.

        Parameters
        ----------
        name : str, under which MLflow shows it
        """
        with open_client(self._uri, writing=True) as client:
            experiment = experiment_id(client, self._uri)
            close_interrupted(client, experiment)
            tags = {_RECORD: self.run_id, **process_tag()}
            if not self._mlflow_run:
                self._mlflow_run = str(client.create_run(experiment, tags=tags, run_name=name).info.run_id)
            else:
                client.update_run(self._mlflow_run, status="RUNNING")
                for tag, text in tags.items():
                    client.set_tag(self._mlflow_run, tag, text)
        try:
            yield
        except BaseException:
            with suppress(ModelError):  # the reason is worth more
                self._end("FAILED")
            raise
        self._end("FINISHED")

    def note(self, step: str, document: Mapping[str, Any]) -> None:
        """Note that a step is done."""
        with open_client(self._uri) as client:
            client.set_tag(
                self._mlflow_run, _STEP + step, json.dumps(document, ensure_ascii=False, default=str)
            )
        self.steps[step] = dict(document)

    def trained_version(self) -> str | None:
        """Return the version that the run has registered, though it may have been killed before it noted that."""
        for run in self._search(TRAINED_BY):
            with open_client(self._uri) as client:
                for found in client.search_model_versions(
                    f"name='{MODEL_NAME}' and run_id='{run.info.run_id}'"
                ):
                    return str(found.version)
        return None

    def _search(self, tag: str) -> list[Any]:
        """Return MLflow's runs with the run's id in a tag, oldest first; creates nothing."""
        if self._uri.sqlite_file is not None and not self._uri.sqlite_file.exists():
            return []
        with open_client(self._uri) as client:
            experiment = client.get_experiment_by_name(MODEL_NAME)
            if experiment is None:
                return []
            found = client.search_runs([experiment.experiment_id], f"tags.`{tag}` = '{self.run_id}'")
            return list(reversed(found))

    def _end(self, status: str) -> None:
        with open_client(self._uri) as client:
            client.set_terminated(self._mlflow_run, status)
