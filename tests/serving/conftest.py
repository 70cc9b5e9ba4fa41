"""A log and a champion trained on it, once for all tests of the package."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
import pytest

from features.datasets import cdnow_sample
from features.log.transactions import TransactionLog, validate
from serving.scorer import Scorer
from training.registration import register
from training.run import TrainingRun
from training.settings import TrainSettings
from training.versions.registry import Registry


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
def small_disk() -> Iterator[Path]:
    """A file system of three megabytes, where other accounts may enter."""
    with TemporaryDirectory(prefix="stayworth-disk-") as name:
        mount = ["mount", "-t", "tmpfs", "-o", "size=3m,mode=755", "stayworth-test", name]
        if subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("only root may mount a small disk; a file that may not grow stands in for it")
        yield Path(name)
        subprocess.run(["umount", "-l", name], check=True)
