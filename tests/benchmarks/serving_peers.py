"""What the service is compared with: apps for uvicorn, and a scoring table for ``mlflow models serve``."""

import json
import os
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, FiniteFloat, create_model


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Give the body back: what the server alone costs."""
    if scope["type"] != "http":
        return
    body = (await receive()).get("body", b"")
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
    )
    await send({"type": "http.response.body", "body": body})


def booster_app() -> FastAPI:
    """Bare FastAPI around a Booster whose text is the file named by BENCH_BOOSTER: features in, margin out."""
    booster = lgb.Booster(model_str=Path(os.environ["BENCH_BOOSTER"]).read_text())
    names = booster.feature_name()
    fields: Any = dict.fromkeys(names, (FiniteFloat, ...))
    Features: Any = create_model("Features", __config__=ConfigDict(extra="forbid"), **fields)

    class Prediction(BaseModel):
        margin: FiniteFloat

    app = FastAPI()

    @app.post("/predict")
    async def predict(features: Features) -> Prediction:
        row = np.array([[getattr(features, name) for name in names]])
        return Prediction(margin=booster.predict(row, num_threads=1, raw_score=True)[0])

    return app


def features_body(row: dict[str, float]) -> str:
    """Return a body for `booster_app`; it takes no unknown values, so they are zeros."""
    return json.dumps({name: 0.0 if value != value else float(value) for name, value in row.items()})
