"""Training procedure: choose a recipe on the closed windows that are known, then fit it on them.

The held-out test judges the procedure as it would have run at the test snapshot; the deployed models come out of
the same function, run on every closed window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from features.progress import Report
from training.churn.bins import Bins
from training.churn.first_spend import choose_first_spend
from training.churn.fit_options import FitOptions
from training.churn.model import ChurnModel
from training.churn.purchase_intensity import choose_intensity
from training.churn.recipe import Recipe
from training.churn.recipe_choice import choose_recipe
from training.churn.rhythm_choice import choose_rhythm, with_rhythm
from training.churn.spend import SpendModel
from training.churn.tuning_result import TuningResult
from training.clv.model import CLVForm
from training.snapshots.dataset import DescribedSnapshot, LabelledSnapshot, in_form

Row = TypeVar("Row", bound=DescribedSnapshot)

Tuner = Callable[[Sequence[LabelledSnapshot]], TuningResult]
"""Searches LightGBM's parameters on the snapshots that the recipe is chosen on."""


@dataclass(frozen=True)
class RecipeChoice:
    """A chosen recipe, and what it was chosen from.

    Parameters
    ----------
    recipe : Recipe
    untuned : Recipe
        Chosen with LightGBM's default parameters; the same object as ``recipe`` where tuning changed nothing.
    tuning : TuningResult or None
        None without tuning.
    """

    recipe: Recipe
    untuned: Recipe
    tuning: TuningResult | None = None


@dataclass(frozen=True)
class FittedRecipe:
    """A recipe with the churn and spend models that were fitted by it.

    ``known`` are the snapshots that both were fitted on, in the recipe's form.
    """

    choice: RecipeChoice
    known: Sequence[LabelledSnapshot]
    churn: ChurnModel
    spend: SpendModel

    def describe(self, row: Row, horizon_days: int) -> Row:
        """Return a snapshot as the two models read it: in the recipe's form, fitted on it, with the known rhythm."""
        return with_rhythm(in_form(row, self.recipe.form, horizon_days), self.known[-1].clv.rhythm)

    @property
    def recipe(self) -> Recipe:
        """The recipe of the two models."""
        return self.choice.recipe


def run_procedure(
    known: Sequence[LabelledSnapshot],
    options: FitOptions,
    *,
    tuner: Tuner | None = None,
    report: Report | None = None,
) -> FittedRecipe:
    """Choose intensity, spend that counts, rhythm and recipe on the known snapshots, and fit the recipe on them.

    Parameters
    ----------
    known : sequence of LabelledSnapshot, oldest first
        All windows closed by the date to predict at.
    options : FitOptions
    tuner : callable, optional
        By default LightGBM's default parameters are used.
    report : callable, optional
        Told of each step: its name, how much is done, how much there is.

    Raises
    ------
    FitError
        If in every closed window all customers churned, or none did.
    """
    horizon_days = known[-1].window.horizon_days
    form, losses = choose_intensity(known, options, report)
    known = [in_form(row, CLVForm(form), horizon_days) for row in known]
    first_spend, spend_losses = choose_first_spend(known)
    known = [in_form(row, CLVForm(form, first_spend), horizon_days) for row in known]
    rhythm, day_losses = choose_rhythm(known)
    known = [with_rhythm(row, rhythm) for row in known]
    choice = choose(known, options, tuner=tuner, report=report)
    choice.recipe.losses.update(losses | spend_losses | day_losses)
    recipe = choice.recipe
    bins = Bins()
    churn, spend = recipe.fit(known, options, bins), recipe.fit_spend(known, options, bins)
    return FittedRecipe(choice, known, churn, spend)


def choose(
    known: Sequence[LabelledSnapshot],
    options: FitOptions,
    *,
    tuner: Tuner | None = None,
    report: Report | None = None,
) -> RecipeChoice:
    """Choose a recipe on rolling validation, with tuned LightGBM parameters where they gain more than noise."""
    untuned = choose_recipe(known, options, report=report)
    tuning = tuner(known) if tuner else None
    if tuning is None or not tuning.parameters:
        return RecipeChoice(untuned, untuned, tuning)
    tuned = choose_recipe(known, options, tuned=tuning.parameters, report=report)
    return RecipeChoice(tuned, untuned, tuning)
