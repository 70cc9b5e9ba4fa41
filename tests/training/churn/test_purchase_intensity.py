"""A season, a trend or a step of the purchases: found where there is one, refused where there is none."""

from __future__ import annotations

import json
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
from training.churn.level import unsurprised
from training.churn.purchase_intensity import choose_intensity
from training.clv.model import CLVForm, CLVModel
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


def halved(day: np.ndarray) -> np.ndarray:
    return np.where(day < DAYS - 180, 1.0, 0.5)


def test_a_rate_that_halved_is_seen_to_have_halved_on_that_day() -> None:
    *closed, today = snapshots(world(halved))

    form, losses = choose_intensity(closed, OPTIONS)

    assert form == IntensityForm(steps=True)
    assert losses["intensity: steps"] < losses["intensity: trend"] - 0.005
    stepped = in_form(today, CLVForm(form), HORIZON)
    [(day, change)] = stepped.clv.intensity.steps or ()
    assert day == pytest.approx((TODAY - date(1970, 1, 1)).days - 180, abs=5)
    spread = float(np.sqrt(sum(axis[-1] ** 2 for axis in stepped.clv.purchase_axes)))
    assert change == pytest.approx(np.log(0.5), abs=3 * spread)
    assert spread < 0.1
    assert stepped.table["expected_purchases"].sum() == pytest.approx(
        today.outcomes["purchases"].sum(), rel=0.1
    )
    assert any("times as often as before" in note for note in stepped.clv.notes)


def test_a_season_and_a_rate_that_halved_are_told_apart() -> None:
    *closed, today = snapshots(world(lambda day: before_a_peak(day) * halved(day)))

    form, losses = choose_intensity(closed, OPTIONS)

    assert form.harmonics >= 1 and form.steps
    assert losses[f"intensity: {form}"] < losses["intensity: season (1 harmonic) and trend"] - 0.003
    stepped, sloped = (in_form(today, CLVForm(each), HORIZON) for each in (form, IntensityForm(1, True)))
    assert len(stepped.clv.intensity.steps or ()) == 1
    actual = today.outcomes["purchases"].sum()
    off, before = (abs(row.table["expected_purchases"].sum() / actual - 1) for row in (stepped, sloped))
    assert off < before / 3


def test_what_comes_every_year_is_no_step() -> None:
    *_, today = snapshots(world(lambda day: np.where(day % 365 >= 335, 4.0, 1.0)))

    assert in_form(today, CLVForm(IntensityForm(steps=True)), HORIZON).clv.intensity.steps == ()


def test_the_newest_of_two_steps_is_seen_beside_a_larger_one() -> None:
    *_, today = snapshots(world(lambda day: np.select([day < 300, day < DAYS - 100], [0.4, 1.0], 0.6)))

    stepped = in_form(today, CLVForm(IntensityForm(steps=True)), HORIZON)

    days = [day + DAYS - stepped.clv.intensity.snapshot_day for day, _ in stepped.clv.intensity.steps or ()]
    assert days == pytest.approx([300, DAYS - 100], abs=10)
    changes = [change for _, change in stepped.clv.intensity.steps or ()]
    assert changes == pytest.approx([np.log(1.0 / 0.4), np.log(0.6)], abs=0.3)
    actual = today.outcomes["purchases"].sum()
    assert stepped.table["expected_purchases"].sum() == pytest.approx(actual, rel=0.1)


def test_a_step_moves_value_and_interval_and_comes_back_from_json() -> None:
    *_, today = snapshots(world(halved))
    stepped = in_form(today, CLVForm(IntensityForm(steps=True)), HORIZON).clv

    assert CLVModel.from_dict(json.loads(json.dumps(stepped.to_dict()))) == stepped
    [(day, change)] = stepped.intensity.steps or ()
    moved = [intensity.steps[0][1] for _, intensity in stepped.purchase_scenarios if intensity.steps]
    assert min(moved) < change < max(moved)


def test_where_no_step_is_found_the_fit_is_that_of_a_constant_intensity() -> None:
    *_, today = snapshots(world(lambda day: np.ones(len(day))))

    looked = in_form(today, CLVForm(IntensityForm(steps=True)), HORIZON)

    assert looked.clv.intensity.is_constant
    assert looked.clv.intensity.form == IntensityForm(steps=True)
    assert looked.table["p0"].to_numpy() == pytest.approx(today.table["p0"].to_numpy(), abs=1e-4)
    assert np.shape(looked.clv.purchase_axes) == np.shape(today.clv.purchase_axes)


def test_windows_that_a_step_surprised_tell_nothing_of_the_next() -> None:
    rows = snapshots(world(halved))  # 240, 150, 120, 90 and 0 days ago, of windows of 90 days
    rows = [in_form(row, CLVForm(IntensityForm(steps=True)), HORIZON) for row in rows]

    told = unsurprised(rows)

    assert [(TODAY - row.snapshot.date).days for row in told] in ([120, 90, 0], [150, 120, 90, 0])
    assert unsurprised(rows[:1]) == rows[:1]


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
