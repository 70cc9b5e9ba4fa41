from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest

from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.table.history import PurchaseHistory
from training.settings import TrainSettings
from training.training_data import prepare
from training.window.advice import Advice
from training.window.advisor import advise
from training.window.dormancy import dormancy, other_than_usual


def _dormancy(log: TransactionLog, horizon_days: int) -> int:
    with PurchaseHistory(log) as history:
        return dormancy(history, horizon_days)


def _advise(log: TransactionLog) -> Advice:
    with PurchaseHistory(log) as history:
        return advise(history)


def _weeks(stay: int, draw: np.random.Generator) -> Iterator[int]:
    """Yield the weeks of a customer who shops every week or every second one, and is away for 3 to 7 now and then."""
    week, step = int(draw.integers(0, 104)), int(draw.integers(1, 3))
    last = week + stay
    while week <= min(last, 155):
        yield week
        week += int(draw.integers(3, 8)) if draw.random() < 0.06 else step


@pytest.fixture(scope="module")
def grocer_log() -> TransactionLog:
    """Three years of 1,000 shoppers who stay for 40 weeks on average."""
    draw = np.random.default_rng(51)
    rows = [
        (f"c{n:03d}", pd.Timestamp("2020-01-01") + pd.Timedelta(weeks=week), 20.0)
        for n in range(1_000)
        for week in _weeks(int(draw.exponential(40)), draw)
    ]
    return validate(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))


def test_who_is_away_for_a_month_and_comes_back_is_not_dormant_after_a_month(
    grocer_log: TransactionLog,
) -> None:
    advice = _advise(grocer_log)

    # returns after more than a month are few, for the others come each week; but of those away for a month many return
    assert (advice.window_days, advice.horizon_days) == (30, 30)
    assert advice.window(30).late_returns < 0.1
    assert advice.window(30).false_churn.value > 0.35  # type: ignore[union-attr]
    assert advice.dormant_after_days == 60
    assert advice.dormant_returns is not None and advice.dormant_returns.value < 0.05


def test_nor_after_two_horizons_if_many_come_back_after_those() -> None:
    # 300 subscribers who are sent a box every 30 days, 1 to 10 of them
    rows = [
        (f"c{n:03d}", pd.Timestamp("2020-01-01") + pd.Timedelta(days=n % 200 + 30 * box), 20.0)
        for n in range(300)
        for box in range(n % 10 + 1)
    ]
    log = validate(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))

    # after 28 days nine of ten order within two weeks, and after 30 nobody
    assert (_dormancy(log, 14), _dormancy(log, 30)) == (42, 30)
    assert "42 days of silence, and not after two horizons" in other_than_usual(14, 42)[0]


def test_where_no_silence_tells_who_is_gone_it_is_said(charity_log: TransactionLog) -> None:
    advice = _advise(charity_log)

    # of those who missed a December, most give in the next, however often they missed it
    assert advice.dormant_after_days == 450
    assert advice.dormant_returns is not None and advice.dormant_returns.value > 0.7
    assert any("no silence of up to a year and a half tells" in note for note in advice.notes)
    assert any(note.startswith("Of the customers who reach 450 days of silence, ") for note in advice.notes)


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


def test_where_the_silent_never_come_back_one_horizon_is_enough() -> None:
    draw = np.random.default_rng(8)
    paid = [
        (f"s{n:03d}", pd.Timestamp("2021-01-01") + pd.Timedelta(days=int(first) + 30 * box), 20.0)
        for n, first in enumerate(draw.integers(0, 700, 500))
        for box in range(1 + int(draw.exponential(8)))
        if first + 30 * box < 900
    ]
    log = validate(pd.DataFrame(paid, columns=["customer_id", "ordered_at", "amount"]))

    assert (_dormancy(log, 90), _dormancy(log, 180)) == (90, 180)
    assert "90 days of silence, and not after two horizons" in other_than_usual(90, 90)[0]
