"""MLflow's way to load a version by itself: code to run ("models from code"), no pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from training.model.files import load_model
from training.versions.mlflow_client import import_mlflow

LOADER = """from training.versions.pyfunc import set_pyfunc

set_pyfunc()
"""
"""Stored with each version, and run by MLflow to load it."""


def set_pyfunc() -> None:
    """Tell MLflow how to load and score with a version; called by `LOADER`, inside MLflow."""
    mlflow = import_mlflow()

    class Pyfunc(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
        def load_context(self, context: Any) -> None:
            self.model = load_model(Path(context.artifacts["model"]))

        def predict(self, context: Any, model_input: pd.DataFrame) -> pd.DataFrame:
            return self.model.score(model_input)

    mlflow.models.set_model(Pyfunc())
