"""The base of the churn model: logit p0, or what of it the closed windows confirm."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import log_loss

from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.churn.base import AS_SAID, Base, base_log_odds, weighed
from training.churn.fit_options import FitOptions
from training.churn.model import LARGER, booster_parameters
from training.churn.recipe import Recipe
from training.churn.recipe_choice import choose_recipe
from training.metrics.probabilities import TIE
from training.snapshots.dataset import LabelledSnapshot, known_at, labelled_snapshots
from training.snapshots.schedule import closed_snapshots

OPTIONS = FitOptions(date(2024, 1, 1), dormant_after_days=120)


def churning_by(rows: list[LabelledSnapshot], odds: list[np.ndarray]) -> list[LabelledSnapshot]:
    """The windows, had customers churned by other log-odds than p0's."""
    draw = np.random.default_rng(3)
    return [
        replace(row, outcomes=row.outcomes.assign(churned=(draw.random(len(z)) < expit(z)).astype(int)))
        for row, z in zip(rows, odds, strict=True)
    ]


@pytest.fixture(scope="module")
def other_clock(shop_rows: list[LabelledSnapshot]) -> list[LabelledSnapshot]:
    """Windows in which those whose last basket was small stay away, and the large ones come: p0 knows nothing of it."""
    odds = []
    for row in shop_rows:
        basket = row.columns["last_basket"]
        odds.append(np.where(basket < np.median(basket), 2.0, -2.0))
    return churning_by(shop_rows, odds)


@pytest.fixture(scope="module")
def clinic_rows() -> list[LabelledSnapshot]:
    """Patients of a clinic: two in three come for courses of weekly visits, one in three once a year."""
    draw, opened = np.random.default_rng(5), date(2022, 1, 3)
    visits: list[tuple[str, str, float]] = []
    for patient in range(900):
        day, yearly = draw.uniform(0, 720), patient % 3 == 0
        while day < 900:
            course = [day] if yearly else day + 7.0 * np.arange(draw.integers(5, 10))
            visits += [
                (f"p{patient:04}", str(opened + timedelta(days=int(each))), 60.0)
                for each in course
                if each < 900
            ]
            if draw.random() < (0.15 if yearly else 0.5):
                break
            day = day + draw.normal(365, 15) if yearly else course[-1] + 40 + draw.exponential(200)
    log = validate(pd.DataFrame(visits, columns=["customer_id", "ordered_at", "amount"]))
    snapshots = closed_snapshots(Snapshot(opened + timedelta(days=900)), opened, 60, limit=12)
    with PurchaseHistory(log) as history:
        return labelled_snapshots(history, snapshots, 60)


@pytest.fixture(scope="module")
def recipe(other_clock: list[LabelledSnapshot]) -> Recipe:
    return choose_recipe(other_clock, OPTIONS)


def test_p0_counts_for_what_it_was_worth(shop_rows: list[LabelledSnapshot]) -> None:
    as_said = churning_by(shop_rows, [base_log_odds(row.columns) for row in shop_rows])
    half = churning_by(shop_rows, [0.8 + 0.5 * base_log_odds(row.columns) for row in shop_rows])

    full, less = weighed(as_said, OPTIONS), weighed(half, OPTIONS)

    assert full.weight == pytest.approx(1.0, abs=0.05)
    assert less.weight == pytest.approx(0.5, abs=0.05)
    assert less.constant == pytest.approx(0.8, abs=0.1)


def test_the_level_of_a_weighed_p0_is_that_of_the_windows_old_enough(
    other_clock: list[LabelledSnapshot],
) -> None:
    young = FitOptions(OPTIONS.first_order, dormant_after_days=240)

    line = weighed(other_clock, young)

    old = [row for row in other_clock if (row.snapshot.date - young.first_order).days >= 240]
    assert 0 < len(old) < len(other_clock)
    assert np.mean([line.missed(row) for row in old]) == pytest.approx(0.0, abs=1e-9)


def test_customers_of_another_clock_are_predicted_from_a_weighed_p0(
    other_clock: list[LabelledSnapshot], recipe: Recipe
) -> None:
    model, row = recipe.fit(other_clock, OPTIONS), other_clock[-1]

    assert recipe.weighed
    assert recipe.losses["residual_weighed"] < min(
        recipe.losses["residual_free"], recipe.losses["residual_monotone"]
    )
    assert model.base.weight < 0.2
    assert model.log_odds(row.columns).mean() == pytest.approx(0.0, abs=0.2)
    assert recipe.in_words().startswith("churn by a line in the purchase model's p0 and ")


def test_patients_of_a_clinic_are_predicted_better_from_a_weighed_p0(
    clinic_rows: list[LabelledSnapshot],
) -> None:
    *rows, test = clinic_rows
    known, options = known_at(rows, test.snapshot), FitOptions(date(2022, 1, 3), dormant_after_days=120)

    found = choose_recipe(known, options)

    weighed_p0, as_said = (
        each.fit(known, options).predict(test.columns, test.snapshot)
        for each in (found, replace(found, weighed=False))
    )
    assert found.weighed
    assert log_loss(test.churned, weighed_p0) < log_loss(test.churned, as_said) - TIE
    assert weighed_p0.mean() == pytest.approx(test.churned.mean(), abs=0.03)


def test_where_customers_are_as_assumed_p0_stays_as_it_is(shop_rows: list[LabelledSnapshot]) -> None:
    found = choose_recipe(shop_rows, OPTIONS)

    assert not found.weighed
    assert "residual_weighed" not in found.losses
    assert found.fit(shop_rows, OPTIONS).base == AS_SAID


def test_contributions_of_a_weighed_p0_sum_to_the_log_odds(
    other_clock: list[LabelledSnapshot], recipe: Recipe
) -> None:
    model, columns = recipe.fit(other_clock, OPTIONS), other_clock[-1].columns

    parts = model.contributions(columns)

    assert parts.sum(axis=1) == pytest.approx(model.log_odds(columns), abs=1e-9)
    gone_silent = base_log_odds(columns) - base_log_odds(columns, "p0_just_bought")
    np.testing.assert_allclose(parts[:, 0], model.base.weight * gone_silent, atol=1e-9)


def test_trees_on_a_weighed_p0_are_larger() -> None:
    asked: dict[str, Any] = {"monotone": False, "seed": 0, "threads": 1, "tuned": {"num_leaves": 4}}

    assert booster_parameters(**asked)["num_leaves"] == 4
    assert LARGER.items() <= booster_parameters(**asked, larger=True).items()


def test_a_base_comes_back_from_its_numbers() -> None:
    line = Base(weight=0.25, constant=-1.5)

    assert Base.from_dict(line.to_dict()) == line
