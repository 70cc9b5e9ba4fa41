"""Logging to MLflow: a training run's parameters, metrics, tables, figures, and its model's files."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from importlib.metadata import requires
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.temporary import temporary_folder
from training.tracking_uri import TrackingURI
from training.versions.mlflow_client import ignore_existing, import_mlflow, unchecked_requirements
from training.versions.pyfunc import LOADER
from training.versions.version import MODEL_NAME

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel


def experiment_id(client: MlflowClient, uri: TrackingURI) -> str:
    """Return the id of stayworth's experiment, which is created if need be."""
    if found := client.get_experiment_by_name(MODEL_NAME):
        return str(found.experiment_id)
    file = uri.sqlite_file
    beside = (file.parent / "mlruns").as_uri() if file else None
    with ignore_existing():
        return str(client.create_experiment(MODEL_NAME, artifact_location=beside))
    return str(client.get_experiment_by_name(MODEL_NAME).experiment_id)


def log_numbers(
    client: MlflowClient,
    run_id: str,
    model: LoggedModel,
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
) -> None:
    """Log a run's parameters and metrics; the metrics are linked to its model too."""
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


def log_dataset(client: MlflowClient, run_id: str, log: Mapping[str, Any]) -> None:
    """Log what a run learnt from: the log's fingerprint and span, not where it was."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    about = json.dumps(log, default=str)
    dataset = Dataset("orders", str(log["fingerprint"])[:36], "log", about, profile=about)
    client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])


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


def _requirements() -> list[str]:
    """Return what a version needs from a package index: all but stayworth itself.

    Nobody owns that name there, and whoever took it would be installed with the next copy of a version.
    """
    wanted = requires(MODEL_NAME) or []
    return [each for each in wanted if "extra ==" not in each]


def register_model(
    client: MlflowClient,
    model: LoggedModel,
    run_id: str,
    files: Path,
    input_example: pd.DataFrame | None,
    description: str | None = None,
) -> str:
    """Store the model's files with the run and register them; return the version's number."""
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    mlmodel = Model(model.artifact_location, run_id, model_uuid=model.model_id, model_id=model.model_id)
    with temporary_folder() as folder:
        loader, packed = folder / "loader.py", folder / "packed"
        loader.write_text(LOADER)
        shutil.copytree(files, folder / "model")
        with unchecked_requirements():
            import_mlflow().pyfunc.save_model(
                packed,
                mlflow_model=mlmodel,
                python_model=str(loader),
                artifacts={"model": str(folder / "model")},
                # Without this argument MLflow infers them, which takes five seconds.
                pip_requirements=_requirements(),
                input_example=input_example,
            )
        client.log_model_artifacts(model.model_id, str(packed))
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    with ignore_existing():
        client.create_registered_model(MODEL_NAME)
    source = model.artifact_location
    made = client.create_model_version(
        MODEL_NAME, source, run_id, model_id=model.model_id, description=description
    )
    return str(made.version)
