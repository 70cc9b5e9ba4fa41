"""The candidates of a recipe, as the card shows them."""

from __future__ import annotations

from training.churn.calibration import Calibrator
from training.churn.level import LevelRule
from training.churn.recipe import Recipe
from training.report.card_candidates import candidates, level_gains

SEASON = LevelRule("year_ago")


def test_what_was_chosen_is_marked_beside_what_it_was_chosen_from() -> None:
    losses = {
        "residual_none": 0.30,
        "residual_monotone": 0.29,
        "residual_free": 0.28,
        "price_none": 3.3,
        "price_residual": 3.2,
        "calibration_none": 0.28,
        "intensity: constant": 0.31,
    }
    recipe = Recipe(12, False, Calibrator(), "forward in time", losses=losses)

    rows = candidates(recipe)

    assert [row["loss"] for row in rows] == [0.30, 0.29, 0.28, 3.3, 3.2, 0.28]
    assert [row["name"] for row in rows if row["chosen"]] == [
        "churn: p0 and free trees",
        "price: Gamma-Gamma alone",
        "no calibration",
    ]


def test_gains_of_levels_are_no_losses() -> None:
    losses = {
        "residual_none": 0.3,
        f"gain of level, {SEASON}": 0.006,
        f"gain of price level, {SEASON}": -0.001,
    }
    recipe = Recipe(0, False, Calibrator(), "forward in time", level=SEASON, losses=losses)

    assert level_gains(recipe) == [
        {
            "name": "that of a year before",
            "churn": 0.006,
            "price": -0.001,
            "of_churn": True,
            "of_price": False,
        }
    ]
    assert len(candidates(recipe)) == 1
    assert level_gains(Recipe(0, False, Calibrator(), "forward in time")) == []
