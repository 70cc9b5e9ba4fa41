from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as st

from features.errors import WindowError
from features.snapshot import ChurnWindow, Snapshot
from training.snapshots.schedule import WARM_UP_DAYS, closed_snapshots, longest_horizon_days, schedule

FIRST, LAST = date(1997, 1, 1), date(1998, 6, 30)


def test_the_default_test_snapshot_is_the_newest_monthly_one_whose_window_has_closed() -> None:
    plan = schedule(FIRST, LAST, 90, limit=18)

    # the log ends on 30 June: [1 April, 30 June) has closed, [1 May, 30 July) has not
    assert str(plan.test) == "1998-04-01"
    assert plan.closed[-1] == plan.test


@given(
    days=st.integers(300, 1500),
    horizon_days=st.integers(1, 60),
    back=st.integers(0, 60),
    limit=st.integers(1, 30),
)
def test_no_training_window_reaches_into_the_test_window(
    days: int, horizon_days: int, back: int, limit: int
) -> None:
    last = FIRST + timedelta(days=days)
    test = Snapshot(last - timedelta(days=horizon_days + back))

    plan = schedule(FIRST, last, horizon_days, limit=limit, test=test)

    for snapshot in plan.before_test:
        assert ChurnWindow(snapshot, horizon_days).closes <= test.date
        assert (snapshot.date - FIRST).days >= WARM_UP_DAYS
    assert all(ChurnWindow(snapshot, horizon_days).closed_by(last) for snapshot in plan.closed)
    assert len(plan.before_test) <= limit


def test_one_snapshot_lies_a_year_before_the_one_asked_about() -> None:
    target = Snapshot(date(2011, 9, 10))

    assert target.months_earlier(12) in closed_snapshots(target, date(2009, 12, 1), 90, limit=18)


def test_a_log_too_short_for_the_horizon_names_the_longest_that_fits() -> None:
    with pytest.raises(
        WindowError, match=r"too short for --horizon-days 400.*Use --horizon-days 214 or less"
    ) as error:
        schedule(FIRST, LAST, 400, limit=18)

    assert "546 days, from 1997-01-01 to 1998-06-30" in str(error.value)
    assert schedule(FIRST, LAST, longest_horizon_days(FIRST, LAST), limit=18).before_test


def test_a_log_of_two_months_is_too_short_for_any_horizon() -> None:
    with pytest.raises(WindowError, match="Use a longer log, of [0-9]+ days at least"):
        schedule(FIRST, date(1997, 2, 20), 30, limit=18)


def test_a_test_window_that_has_not_closed_names_dates_and_horizons_that_fit() -> None:
    with pytest.raises(WindowError) as error:
        schedule(FIRST, LAST, 90, limit=18, test=Snapshot(date(1998, 6, 1)))

    # the log ends on 30 June: a window of 90 days must open by 2 April, one that opens on 1 June has 30 days
    assert str(error.value) == (
        "The churn window closes 1998-08-30 but the log ends 1998-06-30. "
        "Use --test-snapshot 1998-04-02 or earlier, or --horizon-days 30 or less."
    )
