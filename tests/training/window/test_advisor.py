from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.datasets import simulate_log
from features.errors import FitError, WindowError
from features.log.settings import Columns
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.table.history import PurchaseHistory
from training.snapshots.schedule import schedule
from training.window.advice import Advice
from training.window.advisor import advise


def _advise(log: TransactionLog, **settings: float) -> Advice:
    with PurchaseHistory(log) as history:
        return advise(history, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def cdnow_advice(cdnow_log: TransactionLog) -> Advice:
    return _advise(cdnow_log)


def test_cdnow_counts_and_gaps(cdnow_advice: Advice) -> None:
    # 44,021 repeat purchase days of 11,516 repeat buyers, counted from the file independently
    assert (cdnow_advice.customers, cdnow_advice.returning_customers) == (23_570, 11_516)
    assert cdnow_advice.gaps == 44_021
    median = next(q for q in cdnow_advice.quantiles if q.share == 0.5)
    assert (median.gap_days, median.customer_gap_days) == (34, 64)


def test_cdnow_is_given_half_a_year_and_the_horizon_its_log_affords(cdnow_advice: Advice) -> None:
    window = cdnow_advice.window(180)

    assert (cdnow_advice.window_days, cdnow_advice.horizon_days, cdnow_advice.dormant_after_days) == (
        180,
        120,
        270,
    )
    assert window.late_returns == pytest.approx(0.189, abs=5e-4)
    assert window.false_churn is not None
    assert window.false_churn.value == pytest.approx(0.2465, abs=5e-4)
    assert any("180 days is more than the log affords" in note for note in cdnow_advice.notes)


def test_what_a_window_gets_wrong_falls_with_its_length(cdnow_advice: Advice) -> None:
    late = [window.late_returns for window in cdnow_advice.windows]
    false = [window.false_churn.value for window in cdnow_advice.windows if window.false_churn]

    assert late == sorted(late, reverse=True)
    assert false == sorted(false, reverse=True)


def test_the_snapshots_it_promises_are_those_that_training_finds(
    cdnow_log: TransactionLog, cdnow_advice: Advice
) -> None:
    for window in cdnow_advice.windows[:-1]:
        plan = schedule(cdnow_log.first_day, cdnow_log.last_day, window.days, limit=18)
        assert (window.snapshots, window.closed) == (len(plan.before_test), len(plan.closed))
    assert cdnow_advice.windows[-1].snapshots == 0  # two windows of 270 days and 60 days before: 600 of 546


def test_online_retail_where_half_come_back_after_half_a_year_is_given_a_longer_window(
    stayworth_data: Path,
) -> None:
    raw = pd.read_parquet(stayworth_data / "online_retail_II_orders.parquet")

    advice = _advise(validate(raw, columns=Columns(date_column="ts")))

    # its customers come back for the next autumn: after 180 days of silence a return is still likelier than not
    assert (advice.window_days, advice.horizon_days) == (270, 180)
    half_a_year = advice.window(180).false_churn
    assert half_a_year is not None and half_a_year.value == pytest.approx(0.535, abs=5e-3)
    assert advice.customers == 5_881  # 61 more sent goods back and never bought


@pytest.mark.parametrize(
    ("shop", "parameters", "weeks", "window_days"),
    [
        # gaps of a week, hardly anyone leaves: four of five returns come in two weeks, but who is silent for
        # two weeks nearly always comes back. After 60 days few do.
        ("weekly", {"r": 3.0, "alpha": 3.0, "a": 0.5, "b": 20.0}, 60, 60),
        # gaps of a month
        ("monthly", {"r": 2.0, "alpha": 8.0, "a": 0.8, "b": 5.0}, 120, 90),
        # four of five never come back, so believing any silence is right; but who does come back takes long
        ("one-off", {"r": 0.1, "alpha": 4.0, "a": 2.0, "b": 2.0}, 104, 270),
    ],
)
def test_a_shop_is_given_the_window_that_its_rhythm_asks_for(
    shop: str, parameters: dict[str, float], weeks: float, window_days: int
) -> None:
    customers = simulate_log(3_000, **parameters, weeks=weeks, acquisition_weeks=weeks - 10, seed=5)  # type: ignore[arg-type]

    advice = _advise(validate(customers.transactions))

    assert advice.window_days == window_days
    assert advice.horizon_days <= window_days <= advice.dormant_after_days


def test_a_stricter_limit_gives_a_longer_window(shop_log: TransactionLog) -> None:
    loose = _advise(shop_log, late_returns=0.4)
    strict = _advise(shop_log, late_returns=0.1)

    assert loose.window_days < strict.window_days
    assert _advise(shop_log, false_churn=0.05).window_days > loose.window_days


def test_where_no_window_is_good_enough_it_says_so(shop_log: TransactionLog) -> None:
    advice = _advise(shop_log, late_returns=0.01)

    assert advice.window_days == advice.windows[-1].days
    assert any("No window keeps" in note for note in advice.notes)


def test_neither_the_order_of_rows_nor_a_refund_changes_the_advice(shop_log: TransactionLog) -> None:
    turned = replace(shop_log, table=shop_log.table.take(list(reversed(range(shop_log.table.num_rows)))))

    assert _advise(turned) == _advise(shop_log)


def test_it_can_be_written_as_json(cdnow_advice: Advice) -> None:
    read = json.loads(json.dumps(cdnow_advice.to_dict()))

    assert read["last_day"] == "1998-06-30"
    assert read["windows"][4]["days"] == 90
    assert read["windows"][4]["false_churn"]["count"] == 23_344
    assert len(read["silent"]) == cdnow_advice.reach_days + 1


def test_a_short_log_says_that_later_returns_are_unseen() -> None:
    log = validate(
        simulate_log(800, r=2, alpha=4, a=0.8, b=5, weeks=36, acquisition_weeks=10, seed=1).transactions
    )

    advice = _advise(log)

    assert advice.reach_days < 365
    assert any("follows silences for" in note for note in advice.notes)
    assert schedule(log.first_day, log.last_day, advice.horizon_days, limit=18).before_test


def test_where_customers_come_once_a_year_the_window_is_a_year(charity_log: TransactionLog) -> None:
    advice = _advise(charity_log)

    # who gives each December takes 335 to 395 days: half of the returns come after a year
    assert (advice.reach_days, advice.window_days, advice.horizon_days) == (730, 365, 365)
    assert 0.4 < advice.window(365).late_returns < 0.6 < advice.window(270).late_returns
    assert advice.dormant_after_days == 450
    assert any("No window keeps" in note for note in advice.notes)


def test_a_log_too_short_for_a_year_s_window_gets_the_longest_that_it_affords(
    charity_log: TransactionLog,
) -> None:
    days = charity_log.table.column("ordered_on")
    early = charity_log.table.filter(pc.less(days, pa.scalar(date(2019, 12, 31))))

    advice = _advise(replace(charity_log, table=early))

    assert advice.window_days == 365 > advice.horizon_days
    assert any("365 days is more than the log affords" in note for note in advice.notes)


def test_where_every_gap_is_longer_than_a_year_no_window_is_long_enough() -> None:
    starts = [date(2020, 11, 20).toordinal() + n % 30 for n in range(40)]
    rows = [
        (f"c{n}", str(date.fromordinal(day + 370 * year)))
        for n, day in enumerate(starts)
        for year in range(4)
    ]
    customers, days = zip(*rows, strict=True)
    log = validate(pa.table({"customer_id": customers, "ordered_at": days, "amount": [1.0] * len(rows)}))

    advice = _advise(log)

    # every gap is 370 days, and nobody is seen to come back within a year
    assert {q.gap_days for q in advice.quantiles} == {370}
    assert advice.window(270).late_returns == advice.window(365).late_returns == 1.0
    assert advice.window_days == 365
    assert any("No window keeps" in note for note in advice.notes)


def test_without_a_second_purchase_there_is_nothing_to_advise(log_of: Callable[..., TransactionLog]) -> None:
    with pytest.raises(FitError, match="None of 2 customers bought on a second day"):
        _advise(log_of(("alice", "2024-01-01", 5.0), ("bob", "2024-06-01", 5.0)))


def test_a_log_that_is_too_short_for_any_window_is_refused() -> None:
    days = [str(date.fromordinal(date(2024, 1, 1).toordinal() + 5 * n)) for n in range(12)]
    log = validate(pa.table({"customer_id": ["c"] * 12, "ordered_at": days, "amount": [1.0] * 12}))

    with pytest.raises(WindowError, match="too short for any churn window: it runs 56 days"):
        _advise(log)


def test_where_nobody_was_ever_silent_the_shortest_window_is_advised_and_said_to_be_a_guess() -> None:
    days = pd.date_range("2023-01-01", periods=300)
    rows = [(f"{n:02d}", day, "5") for n in range(40) for day in days[n % 3 :: 3]]
    daily = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])

    advice = _advise(validate(daily))

    assert (advice.window_days, advice.horizon_days) == (7, 7)
    assert any(
        "ever silent for more than 3 days: nobody is seen to have left" in note for note in advice.notes
    )
