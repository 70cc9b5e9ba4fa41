from __future__ import annotations

from collections.abc import Callable

import pytest

from features.log.transactions import TransactionLog
from features.table.history import PurchaseHistory
from training.settings import TrainSettings
from training.training_data import prepare
from training.window.dormancy import dormancy


def _dormancy(log: TransactionLog, horizon_days: int) -> int:
    with PurchaseHistory(log) as history:
        return dormancy(history, horizon_days)


def test_who_gives_once_a_year_is_not_dormant_after_half_a_year(charity_log: TransactionLog) -> None:
    at_three_months, at_nine = (_dormancy(charity_log, days) for days in (90, 270))

    assert at_three_months == 450  # as advised: 2 x 90 days is less than nearly all donors take
    assert at_nine == 540  # two horizons: by then those who give each year are back


@pytest.mark.parametrize("horizon_days", [7, 30, 90])
def test_elsewhere_dormancy_is_two_horizons_however_short(
    shop_log: TransactionLog, horizon_days: int
) -> None:
    assert _dormancy(shop_log, horizon_days) == 2 * horizon_days


def test_where_nobody_came_back_dormancy_is_two_horizons(log_of: Callable[..., TransactionLog]) -> None:
    assert _dormancy(log_of(("alice", "2024-01-01", 5.0), ("bob", "2024-06-01", 5.0)), 30) == 60


def test_training_follows_it_unless_told_otherwise(charity_log: TransactionLog) -> None:
    settings = TrainSettings(horizon_days=90, snapshots=1, sample_customers=2_000, threads=1)

    derived, given = (
        prepare(charity_log, each, lambda step, done, total: None).settings
        for each in (settings, settings.model_copy(update={"dormant_after_days": 100}))
    )

    assert (derived.dormancy_days, given.dormancy_days) == (450, 100)
