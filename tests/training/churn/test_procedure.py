"""The training procedure: choosing and fitting in one call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from training.churn.fit_options import FitOptions
from training.churn.procedure import run_procedure
from training.churn.recipe_choice import choose_recipe
from training.churn.tuning_result import TuningResult
from training.metrics.comparison import Comparison
from training.snapshots.dataset import LabelledSnapshot

OPTIONS = FitOptions(date(2024, 1, 1), dormant_after_days=120)


def test_the_recipe_is_chosen_on_the_known_snapshots_and_tuned_parameters_are_used(
    shop_rows: list[LabelledSnapshot],
) -> None:
    known = shop_rows[:4]
    gain = Comparison(-0.02, -0.03, -0.01, 1_500)
    found = TuningResult({"num_leaves": 4}, {"num_leaves": 4}, 0.50, 0.48, gain, 3, 1, "study")
    asked: list[int] = []

    def tuner(snapshots: Sequence[LabelledSnapshot]) -> TuningResult:
        asked.append(len(snapshots))
        return found

    fitted = run_procedure(known, OPTIONS, tuner=tuner)

    assert asked == [4]
    assert fitted.choice.tuning is found
    assert fitted.known[0].clv.form == fitted.recipe.form
    assert fitted.choice.untuned == choose_recipe(fitted.known, OPTIONS)
    assert fitted.recipe.tuned == {"num_leaves": 4}
