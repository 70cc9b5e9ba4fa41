"""The forms of the purchase intensity as the card shows them: what season, trend and steps scored, which was chosen."""

from __future__ import annotations

from typing import Any

from training.churn.purchase_intensity import losses_by_form
from training.churn.recipe import Recipe
from training.clv.operational_time import CONSTANT_FORM


def intensities(recipe: Recipe) -> list[dict[str, Any]]:
    """Return each form's mean log-loss, its difference to a constant intensity, and whether it was chosen.

    Empty where the log was too short for any but the constant one.
    """
    losses = losses_by_form(recipe.losses)
    return [
        {
            "name": form.in_words(),
            "loss": loss,
            "difference": loss - losses[CONSTANT_FORM],
            "chosen": form == recipe.intensity,
        }
        for form, loss in losses.items()
    ]
