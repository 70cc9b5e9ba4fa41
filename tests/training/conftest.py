"""Small logs with a known truth, and labelled snapshots of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.datasets import simulate_log
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.snapshots.dataset import LabelledSnapshot, labelled_snapshots
from training.snapshots.schedule import closed_snapshots


@pytest.fixture(scope="session")
def shop_log() -> TransactionLog:
    """1,500 customers who follow BG/NBD and Gamma-Gamma exactly, over 18 months."""
    simulated = simulate_log(
        1_500, r=0.6, alpha=6.0, a=0.8, b=2.4, p=6.0, q=4.0, v=15.0, start=date(2024, 1, 1), weeks=78, seed=1
    )
    return validate(simulated.transactions)


@pytest.fixture(scope="session")
def shop_rows(shop_log: TransactionLog) -> list[LabelledSnapshot]:
    """The shop's labelled snapshots whose 60-day windows have closed by 1 June 2025, oldest first."""
    snapshots = closed_snapshots(Snapshot(date(2025, 6, 1)), shop_log.first_day, 60, limit=10)
    with PurchaseHistory(shop_log) as history:
        return labelled_snapshots(history, snapshots, 60)


@pytest.fixture(scope="session")
def charity_log() -> TransactionLog:
    """Six years of 5,000 donors: one in ten gives every month until they leave, the others each December with 80%."""
    draw, gifts = np.random.default_rng(412), []
    for donor in range(5_000):
        if donor % 10 == 0:
            days = draw.integers(0, 2_190) + np.arange(0.0, 30 + draw.exponential(900), 30.4)
        else:
            years = np.arange(draw.integers(0, 6), 6)
            given = np.append(True, draw.random(len(years) - 1) < 0.8)
            days = 365.25 * years[given] + 334 + draw.integers(0, 31, int(given.sum()))
        gifts += [(f"d{donor:04d}", int(day), 25.0) for day in days if day < 2_191]
    log = pd.DataFrame(gifts, columns=["customer_id", "ordered_at", "amount"])
    log["ordered_at"] = pd.Timestamp("2018-01-01") + pd.to_timedelta(log["ordered_at"], unit="D")
    return validate(log)


@pytest.fixture
def log_of() -> Callable[..., TransactionLog]:
    """Make a log from (customer, ISO date, amount) rows."""

    def make(*rows: tuple[str, str, float]) -> TransactionLog:
        customers, dates, amounts = zip(*rows, strict=True)
        return validate(pa.table({"customer_id": customers, "ordered_at": dates, "amount": amounts}))

    return make
