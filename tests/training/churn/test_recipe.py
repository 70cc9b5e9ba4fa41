from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.errors import FitError
from features.snapshot import ChurnWindow
from training.churn.fit_options import FitOptions
from training.churn.frequency import windows_of_buyers
from training.churn.level import Level
from training.churn.price import fit_price
from training.churn.recipe import Recipe
from training.churn.recipe_choice import choose_recipe
from training.churn.rolling import customer_splits, gains_surely, rolling_splits
from training.snapshots.dataset import LabelledSnapshot

OPTIONS = FitOptions(date(2024, 1, 1), dormant_after_days=120)


@pytest.fixture(scope="module")
def recipe(shop_rows: list[LabelledSnapshot]) -> Recipe:
    return choose_recipe(shop_rows, OPTIONS)


def test_validation_goes_forward_in_time_and_no_label_window_overlaps(
    shop_rows: list[LabelledSnapshot],
) -> None:
    splits = rolling_splits(shop_rows)

    assert [split.valid for split in splits] == shop_rows[-3:]
    for split in splits:
        assert split.train
        assert all(row.window.closes <= split.valid.snapshot.date for row in split.train)


def test_without_room_in_time_the_folds_are_customers_of_whom_none_is_on_both_sides(
    shop_rows: list[LabelledSnapshot],
) -> None:
    together = shop_rows[
        -2:
    ]  # a month apart with windows of 60 days: neither has closed when the other opens

    assert rolling_splits(together) == []
    for split in customer_splits(together):
        seen = {name for row in split.train for name in row.table["customer_id"]}
        assert seen.isdisjoint(split.valid.table["customer_id"])
    validated = pd.concat([split.valid.table["customer_id"] for split in customer_splits(together)])
    assert sorted(validated) == sorted(together[-1].table["customer_id"])


def test_the_recipe_says_how_it_was_validated(shop_rows: list[LabelledSnapshot], recipe: Recipe) -> None:
    assert recipe.to_dict()["validation"] == "forward in time"
    assert choose_recipe(shop_rows[-2:], OPTIONS).to_dict()["validation"] == "by customers"


def test_where_customers_are_exactly_bgnbd_the_residual_adds_little(recipe: Recipe) -> None:
    losses = recipe.losses

    assert losses["residual_none"] - min(losses["residual_free"], losses["residual_monotone"]) < 0.01


def test_same_seed_same_rows_same_probabilities_to_the_last_digit(
    shop_rows: list[LabelledSnapshot], recipe: Recipe
) -> None:
    row = shop_rows[-1]
    with_trees = replace(recipe, rounds=30)

    first, second = (with_trees.fit(shop_rows, OPTIONS).predict(row.columns, row.snapshot) for _ in range(2))

    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize(("outcome", "remedy"), [(1, "churned.*longer"), (0, "came back.*shorter")])
def test_windows_in_which_all_fared_alike_teach_nothing(
    shop_rows: list[LabelledSnapshot], outcome: int, remedy: str
) -> None:
    alike = [
        LabelledSnapshot(
            row.snapshot,
            row.table,
            row.clv,
            row.outcomes.assign(churned=np.full(len(row.table), outcome)),
            ChurnWindow(row.snapshot, 60),
        )
        for row in shop_rows[:2]
    ]

    with pytest.raises(FitError, match=remedy):
        choose_recipe(alike, OPTIONS)


def test_another_unit_of_money_changes_the_unit_and_nothing_else(shop_rows: list[LabelledSnapshot]) -> None:
    rials = [
        replace(
            row,
            table=row.table.assign(spend_per_purchase=1e7 * row.table["spend_per_purchase"]),
            outcomes=row.outcomes.assign(spend=1e7 * row.outcomes["spend"]),
        )
        for row in shop_rows
    ]

    euros, others = (
        fit_price(windows_of_buyers(rows), Level(), rounds=20, seed=1, threads=1)
        for rows in (shop_rows, rials)
    )

    newest = shop_rows[-1]
    expected = euros.per_purchase(newest.columns, newest.snapshot)
    assert np.std(expected / newest.table["spend_per_purchase"]) > 0
    np.testing.assert_allclose(
        others.per_purchase(rials[-1].columns, newest.snapshot), 1e7 * expected, rtol=1e-9
    )


def test_a_gain_counts_from_its_standard_error_on() -> None:
    rng = np.random.default_rng(5)
    noise = [rng.normal(size=400) for _ in range(3)]

    def moved_to(gain: float) -> list[np.ndarray]:
        return [each - each.mean() + gain for each in noise]

    # The error of a mean of 400 is .05, and looking at them three times makes it no less; 1.645 of it are .082.
    assert gains_surely(moved_to(0.09))
    assert not gains_surely(moved_to(0.07))
    assert not gains_surely(moved_to(-0.06))


def test_residuals_of_buyers_that_gain_no_more_than_noise_are_left_out(
    shop_rows: list[LabelledSnapshot],
) -> None:
    noise = np.random.default_rng(6)
    as_told = []
    for row in shop_rows:  # who buy as often and pay as much as they are expected to, but for chance
        bought, more = 1 - row.churned, noise.poisson(row.table["purchases_if_active"] - 1)
        purchases = bought * (1 + more)
        paid = noise.gamma(4, row.table["spend_per_purchase"] / 4)
        as_told.append(
            replace(row, outcomes=row.outcomes.assign(purchases=purchases, spend=purchases * paid))
        )

    found = choose_recipe(as_told, OPTIONS)

    assert (found.frequency_rounds, found.price_rounds) == (0, 0)
