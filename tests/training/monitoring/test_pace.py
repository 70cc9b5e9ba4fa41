"""The look into the open window in simulated worlds: false alarms while nothing changes, and a rate that drops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.datasets import SimulatedWorld, simulate_world
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.churn.calibration import Calibrator
from training.churn.level import Level
from training.churn.model import fit_churn
from training.clv.model import CLVForm
from training.clv.operational_time import CONSTANT_FORM, IntensityForm
from training.clv.value import ValueTerms
from training.model.card import TrainingCard
from training.model.retention_model import RetentionModel
from training.model.tiers import Tiers
from training.monitoring.pace import look, usual_pace
from training.monitoring.settings import MonitorSettings
from training.reference.pace import UsualPace
from training.snapshots.dataset import describe_snapshot, in_form, labelled_snapshots
from training.snapshots.schedule import closed_snapshots

pytestmark = pytest.mark.soak

SEEDS = range(1, 6)
LOOKS = (7, 14, 28, 42, 56)
HORIZON_DAYS = 60
SETTINGS = MonitorSettings()


def deployed(
    world: SimulatedWorld, form: IntensityForm, card: TrainingCard
) -> tuple[RetentionModel, UsualPace]:
    """BG/NBD alone on the log of a world, and its usual pace at the last twelve closed snapshots."""
    log, ends = validate(world.transactions), Snapshot(world.ends)
    with PurchaseHistory(log) as history:
        closed = closed_snapshots(ends, log.first_day, HORIZON_DAYS, limit=12)
        rows = [
            in_form(row, CLVForm(form), HORIZON_DAYS)
            for row in labelled_snapshots(history, closed, HORIZON_DAYS)
        ]
        newest = in_form(describe_snapshot(history, ends, HORIZON_DAYS), CLVForm(form), HORIZON_DAYS)
        churn = fit_churn(
            rows, rounds=0, monotone=True, calibrator=Calibrator(), level=Level(), seed=0, threads=1
        )
        terms = ValueTerms(horizon_days=HORIZON_DAYS)
        model = RetentionModel(churn, newest.clv, terms, Tiers((20.0, 5.0)), replace(card, snapshot=ends))
        return model, usual_pace(model, history, rows)


def worse(
    model: RetentionModel, usual: UsualPace, world: SimulatedWorld, days: int, dropped: float = 0.0
) -> bool:
    """Look so many days after training, a share of the purchases since then lost."""
    orders = world.orders_until(days).to_pandas()
    lost = np.random.default_rng(0).random(len(orders)) < dropped
    log = validate(orders[~lost | (orders["ordered_at"] < pd.Timestamp(world.ends))])
    opened = Snapshot(world.ends)
    with PurchaseHistory(log) as history:
        seen = look(
            model,
            usual,
            history,
            opened,
            opened.days_earlier(-days),
            confidence=SETTINGS.pace_confidence,
            tolerance=SETTINGS.pace_tolerance,
        )
    return bool(seen["worse"].any())


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("stationary", CONSTANT_FORM),
        ("peak-ahead", IntensityForm(1)),
        ("slowing", IntensityForm(0, True)),
    ],
)
def test_few_looks_are_false_alarms(name: str, form: IntensityForm, training_card: TrainingCard) -> None:
    false = []
    for seed in SEEDS:
        world = simulate_world(name, n_customers=3_000, seed=seed)
        model, usual = deployed(world, form, training_card)
        false += [worse(model, usual, world, days) for days in LOOKS]

    assert np.mean(false) <= 0.05


@pytest.mark.parametrize(
    ("name", "form"), [("stationary", CONSTANT_FORM), ("slowing", IntensityForm(0, True))]
)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_drop_by_two_fifths_is_seen_by_day_thirty(
    name: str, form: IntensityForm, seed: int, training_card: TrainingCard
) -> None:
    world = simulate_world(name, n_customers=3_000, seed=seed)
    model, usual = deployed(world, form, training_card)

    assert worse(model, usual, world, 30, dropped=0.4)
