"""Lines of later purchases: what closed value horizons teach, and what they cannot."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.datasets import simulate_world
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.churn.fit_options import FitOptions
from training.churn.later_fit import Horizon, closed_horizons, fit_later, fit_later_line
from training.clv.later_purchases import AS_TOLD, Line
from training.clv.value import ValueTerms
from training.snapshots.dataset import LabelledSnapshot, labelled_snapshots
from training.snapshots.schedule import closed_snapshots

START, END, HORIZON, YEAR = date(2020, 1, 1), date(2022, 7, 1), 60, 365
OPTIONS = FitOptions(START, dormant_after_days=120)


def subscribers(n: int = 800) -> pd.DataFrame:
    """Customers who buy every 30 days until they leave for good."""
    draw, orders = np.random.default_rng(3), []
    for customer in range(n):
        day = draw.integers(0, 912)
        for paid in np.arange(day, day + 30 + draw.exponential(300), 30):
            orders.append((f"s{customer:03d}", int(paid), 20.0))
    log = pd.DataFrame(orders, columns=["customer_id", "ordered_at", "amount"])
    return log[log["ordered_at"] < (END - START).days].assign(
        ordered_at=lambda table: pd.Timestamp(START) + pd.to_timedelta(table["ordered_at"], unit="D")
    )


def rows_of(log: pd.DataFrame, target: date, last_order: date) -> list[LabelledSnapshot]:
    snapshots = closed_snapshots(Snapshot(target), START, HORIZON, limit=18)
    with PurchaseHistory(validate(log)) as history:
        return labelled_snapshots(history, snapshots, HORIZON, value_horizon_days=YEAR, last_order=last_order)


@pytest.fixture(scope="module")
def subscriber_rows() -> list[LabelledSnapshot]:
    return rows_of(subscribers(), END, date(2022, 6, 30))


def test_subscribers_who_fell_silent_have_left(subscriber_rows: list[LabelledSnapshot]) -> None:
    later = fit_later(subscriber_rows, OPTIONS)

    newest, terms = subscriber_rows[-1], ValueTerms(horizon_days=HORIZON)
    told, learnt = (newest.clv.values(newest.columns, terms, later=each) for each in (AS_TOLD, later))
    silent = newest.churned == 1
    assert told.silent[silent].mean() > 0.2  # BG/NBD takes them to be back; none ever is
    assert learnt.silent[silent].mean() < 0.05 * told.silent[silent].mean()


def test_at_stake_and_the_two_cases_move_together(subscriber_rows: list[LabelledSnapshot]) -> None:
    newest, terms = subscriber_rows[-1], ValueTerms(horizon_days=HORIZON)
    later = replace(AS_TOLD, active=Line(1.0, np.log(2.0)), silent=Line(1.0, np.log(0.5)))

    told, learnt = (newest.clv.values(newest.columns, terms, 0.25, each) for each in (AS_TOLD, later))

    window = newest.clv.values(newest.columns, replace(terms, value_horizon_days=HORIZON)).active
    np.testing.assert_allclose(learnt.silent, told.silent / 2)
    np.testing.assert_allclose(learnt.active - told.active, told.active - told.more - window, rtol=1e-2)
    np.testing.assert_allclose(learnt.resumed, 2 * told.resumed)
    p = np.full(len(told.silent), 0.3)
    np.testing.assert_allclose(learnt.without_later.expected(p), told.expected(p))
    np.testing.assert_allclose(learnt.without_frequency.expected(p), learnt.expected(p) - 0.7 * learnt.more)


def test_where_the_value_horizon_is_the_churn_window_there_is_nothing_later(
    subscriber_rows: list[LabelledSnapshot],
) -> None:
    newest, terms = subscriber_rows[-1], ValueTerms(horizon_days=HORIZON, value_horizon_days=HORIZON)
    later = replace(AS_TOLD, active=Line(0.5, 1.0), silent=Line(0.5, 1.0))

    told, learnt = (newest.clv.values(newest.columns, terms, later=each) for each in (AS_TOLD, later))

    np.testing.assert_array_equal(learnt.active, told.active)
    np.testing.assert_array_equal(learnt.silent, told.silent)


def test_no_value_horizon_is_known_before_it_has_closed(subscriber_rows: list[LabelledSnapshot]) -> None:
    # the snapshots of a log cut on that day, and those of the whole log which a test there may learn from
    log, cut = subscribers(), date(2022, 1, 1)
    then = rows_of(log[log["ordered_at"] < pd.Timestamp(cut)], cut, date(2021, 12, 31))
    whole = rows_of(log, cut, date(2022, 6, 30))
    today = [row.as_known_at(Snapshot(cut)) for row in whole]

    assert [row.year is None for row in today] == [row.year is None for row in then]
    assert fit_later(today, OPTIONS) == fit_later(then, OPTIONS) != AS_TOLD
    assert fit_later(whole, OPTIONS) != fit_later(then, OPTIONS)
    assert Snapshot(cut).months_earlier(12) in {row.snapshot for row, _ in closed_horizons(then, OPTIONS)}


def test_a_log_without_a_closed_value_horizon_is_told_what_the_purchase_model_says(
    subscriber_rows: list[LabelledSnapshot],
) -> None:
    assert fit_later([replace(row, year=None) for row in subscriber_rows], OPTIONS) == AS_TOLD
    young = replace(OPTIONS, first_order=date(2020, 8, 1))  # the log was too young at every one of them
    assert fit_later(subscriber_rows, young) == AS_TOLD != fit_later(subscriber_rows, OPTIONS)


def test_where_the_purchase_model_is_right_its_word_stands() -> None:
    world = simulate_world("stationary", seed=5, n_customers=1_500)
    log = validate(world.transactions)
    snapshots = closed_snapshots(Snapshot(world.ends), log.first_day, HORIZON, limit=18)
    with PurchaseHistory(log) as history:
        rows = labelled_snapshots(
            history, snapshots, HORIZON, value_horizon_days=YEAR, last_order=log.last_day
        )

    assert len(closed_horizons(rows, FitOptions(log.first_day, 120))) > 5
    assert fit_later(rows, FitOptions(log.first_day, 120)) == AS_TOLD


def drawn(weight: float, constant: float, n: int = 4_000, seed: int = 1) -> Horizon:
    """Customers of whom about two purchases are expected, and who make as many as a line says."""
    draw = np.random.default_rng(seed)
    said = draw.gamma(1.0, 2.0, n)
    mean = Line(weight, constant).factor(said) * said
    return Horizon(np.log(said), draw.poisson(mean).astype(float))


@pytest.mark.parametrize(("weight", "constant"), [(0.4, 0.6), (1.5, -0.8), (1.0, -0.5)])
def test_the_line_is_found_within_the_doubt_of_a_year(weight: float, constant: float) -> None:
    found = fit_later_line([drawn(weight, constant, seed=seed) for seed in (1, 2)], 1.5)

    said = np.array([0.5, 2.0, 6.0])
    true, plain = np.log(Line(weight, constant).factor(said)), np.zeros(3)
    moved = np.log(found.factor(said))
    assert np.abs(true - moved).mean() < 0.4 * np.abs(true - plain).mean()


def test_horizons_that_differ_in_season_teach_nothing() -> None:
    swinging = [drawn(1.0, 1.0, seed=1), drawn(1.0, -0.5, seed=2), drawn(1.0, 1.0, seed=3)]

    assert fit_later_line(swinging, 1.5) == Line()
    assert fit_later_line(swinging[::2], 1.5) != Line()


def test_a_handful_of_purchases_moves_little() -> None:
    # of 100 customers with a tenth of a purchase expected, nobody came: a chance of e^-10
    said = np.full(100, np.log(0.1))

    few, many = (fit_later_line([Horizon(np.tile(said, n), np.zeros(100 * n))], 1.0) for n in (1, 20))

    one = np.array([0.1])
    assert 0.3 < few.factor(one)[0] < 0.5
    assert many.factor(one)[0] < 0.1
