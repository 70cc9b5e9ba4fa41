"""A season or a trend of the purchases: found where there is one, refused where there is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.churn.fit_options import FitOptions
from training.churn.purchase_intensity import choose_intensity
from training.clv.model import CLVForm
from training.clv.operational_time import CONSTANT_FORM, IntensityForm
from training.snapshots.dataset import LabelledSnapshot, in_form, labelled_snapshots

pytestmark = pytest.mark.slow

START, DAYS, HORIZON = date(2022, 1, 1), 900, 90
TODAY = START + timedelta(days=DAYS)
CUSTOMERS = 2_000


def world(intensity: Callable[[np.ndarray], np.ndarray], seed: int = 1) -> TransactionLog:
    """Draw a shop whose customers, first seen over 900 days, buy at the rate λ·s(t) and leave after a purchase."""
    rng = np.random.default_rng(seed)
    calendar = np.arange(DAYS + HORIZON + 1)
    elapsed = np.concatenate([[0.0], np.cumsum(intensity(calendar[:-1]))]) / 7
    rate, leaving = rng.gamma(0.8, 1 / 8, CUSTOMERS), rng.beta(0.6, 4, CUSTOMERS)
    alive, first = np.arange(CUSTOMERS), rng.uniform(0, DAYS, CUSTOMERS)
    clock = np.interp(first, calendar, elapsed)
    buyers, days = [alive], [first]
    while len(alive):
        clock[alive] += rng.exponential(1, len(alive)) / np.maximum(rate[alive], 1e-12)
        alive = alive[clock[alive] < elapsed[-1]]
        buyers.append(alive)
        days.append(np.interp(clock[alive], elapsed, calendar))
        alive = alive[rng.random(len(alive)) > leaving[alive]]
    when = np.datetime64(START) + np.concatenate(days).astype(np.int64)
    ids = [f"C{number:05d}" for number in np.concatenate(buyers)]
    return validate(pa.table({"customer_id": ids, "ordered_at": when, "amount": np.full(len(ids), 20.0)}))


def snapshots(log: TransactionLog) -> list[LabelledSnapshot]:
    """Describe and label the log at today and at closed snapshots before."""
    ago = (240, 150, 120, 90, 0)
    with PurchaseHistory(log) as history:
        return labelled_snapshots(history, [Snapshot(TODAY - timedelta(days=days)) for days in ago], HORIZON)


def before_a_peak(day: np.ndarray) -> np.ndarray:
    return np.asarray(1 + 0.7 * np.sin(2 * np.pi * (day - DAYS) / 365.25))


def slowing(day: np.ndarray) -> np.ndarray:
    return np.asarray(2 * np.exp(-0.7 * day / 365.25))


OPTIONS = FitOptions(START, dormant_after_days=180)


def test_purchases_before_a_peak_come_true_once_the_season_is_found() -> None:
    *closed, today = snapshots(world(before_a_peak))

    form, losses = choose_intensity(closed, OPTIONS)

    assert form.harmonics >= 1
    assert losses[f"intensity: {form}"] < losses["intensity: constant intensity"] - 0.02
    seasonal = in_form(today, CLVForm(form), HORIZON)
    actual, churned = today.outcomes["purchases"].sum(), today.churned.mean()
    assert today.table["expected_purchases"].sum() < 0.75 * actual
    assert seasonal.table["expected_purchases"].sum() == pytest.approx(actual, rel=0.1)
    assert seasonal.table["p0"].mean() == pytest.approx(churned, abs=0.02)


def test_a_shop_that_slows_is_seen_to_slow() -> None:
    *closed, today = snapshots(world(slowing))

    form, _ = choose_intensity(closed, OPTIONS)

    assert form == IntensityForm(0, True)
    expected = in_form(today, CLVForm(form), HORIZON).table["expected_purchases"].sum()
    assert expected == pytest.approx(today.outcomes["purchases"].sum(), rel=0.1)


def test_where_nothing_moves_the_intensity_is_constant() -> None:
    *closed, _ = snapshots(world(lambda day: np.ones(len(day))))

    form, losses = choose_intensity(closed, OPTIONS)

    assert form == CONSTANT_FORM
    assert set(losses) >= {"intensity: constant intensity", "intensity: trend"}


def test_a_log_too_short_for_a_season_is_not_asked_for_one(shop_rows: list[LabelledSnapshot]) -> None:
    form, losses = choose_intensity(shop_rows[:3], FitOptions(date(2024, 1, 1), dormant_after_days=120))

    assert (form, losses) == (CONSTANT_FORM, {})


def test_a_snapshot_that_has_the_form_already_is_not_fitted_again(shop_rows: list[LabelledSnapshot]) -> None:
    assert in_form(shop_rows[-1], CLVForm(), 60) is shop_rows[-1]
