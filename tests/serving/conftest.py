"""A log and a champion trained on it, once for all tests of the package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from features.datasets import cdnow_sample
from features.log.transactions import TransactionLog, validate
from serving.scorer import Scorer
from training.model.score_schema import SCHEMA, SCORE_COLUMNS
from training.registration import register
from training.run import TrainingRun
from training.settings import TrainSettings
from training.versions.registry import Registry

#: Makes a list of these customers; every number of a customer is the one given.
ScoredList = Callable[..., pd.DataFrame]


@pytest.fixture(scope="session")
def orders() -> pa.Table:
    """CDNOW's sample with channels and refunds: every ninth order by phone, every tenth given back."""
    sample = cdnow_sample().to_pandas()[["customer_id", "ordered_at", "amount"]]
    sample["channel"] = ["phone" if number % 9 == 0 else "web" for number in range(len(sample))]
    returned = sample[::10].assign(amount=lambda order: -order["amount"], channel=None)
    return pa.Table.from_pandas(pd.concat([sample, returned]), preserve_index=False)


@pytest.fixture(scope="session")
def log(orders: pa.Table) -> TransactionLog:
    return validate(orders)


@pytest.fixture(scope="session")
def registry_file(
    log: TransactionLog,
    trained: Callable[[TransactionLog, TrainSettings, str], TrainingRun],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The file of a registry whose version 1 is the champion."""
    file = tmp_path_factory.mktemp("registry") / "mlflow.db"
    settings = TrainSettings(horizon_days=90, promote=True, snapshots=2, threads=1)
    register(trained(log, settings, "sample"), log, settings, Registry(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def scorer(registry_file: Path) -> Scorer:
    return Scorer.from_registry(f"sqlite:///{registry_file}")


@pytest.fixture
def scored_list() -> ScoredList:
    def build(
        customers: Sequence[str], *, number: Any = 0.5, model_version: str = "1", **columns: Any
    ) -> pd.DataFrame:
        rows = pd.DataFrame({"customer_id": list(customers)})
        for column in SCHEMA.values():
            if column.type is float:
                rows[column.name] = number
        rows["snapshot_date"] = date(1998, 7, 1)
        rows["value_tier"], rows["stage"] = "vip", "loyal"
        for name in ("next_purchase_date", "next_purchase_low", "next_purchase_high"):
            rows[name] = date(1998, 8, 1)
        rows["reasons"] = [["a reason"] for _ in customers]
        rows["model_version"] = model_version
        rows["last_purchase_date"] = date(1998, 6, 1)
        rows["horizon_days"], rows["margin"], rows["resumption"] = 90, 0.3, 0.5
        rows["dormant_after_days"], rows["inactivity_days"] = 180, 120
        rows["cost_per_order"], rows["cost_per_day"], rows["bad_debt_rate"] = 2.5, 0.03, 0.02
        return rows.assign(**columns)[list(SCORE_COLUMNS)]

    return build
