"""The candidates of the recipe as the card shows them: what each scored on rolling validation, and which was chosen."""

from __future__ import annotations

from typing import Any

from features.language import translatable, translated
from training.churn.level import NO_RULE, RULES, LevelRule
from training.churn.recipe import Recipe

_NAMES = {
    "spend_of_repeats": translatable("Gamma-Gamma of repeat purchases"),
    "spend_of_all_purchases": translatable("Gamma-Gamma of all purchases"),
    "residual_none": translatable("churn: p0 alone"),
    "residual_monotone": translatable("churn: p0 and monotone trees"),
    "residual_free": translatable("churn: p0 and free trees"),
    "residual_weighed": translatable("churn: a weighed p0 and larger trees"),
    "frequency_none": translatable("frequency: the line alone"),
    "frequency_residual": translatable("frequency: the line and trees"),
    "price_none": translatable("price: Gamma-Gamma alone"),
    "price_residual": translatable("price: Gamma-Gamma and trees"),
    "days_by_purchase_model": translatable("days of purchases: the purchase model"),
    "days_by_rhythm": translatable("days of purchases: the customers' own rhythm"),
    "calibration_none": translatable("no calibration"),
    "calibration_platt": translatable("calibration by Platt's curve"),
    "calibration_beta": translatable("calibration by a beta curve"),
}


def candidates(recipe: Recipe) -> list[dict[str, Any]]:
    """Return the name, the mean loss, and whether it was chosen, of what was tried of churn, spend and days."""
    residual = "weighed" if recipe.weighed else "monotone" if recipe.monotone else "free"
    chosen = {
        "spend_of_all_purchases" if recipe.first_spend else "spend_of_repeats",
        f"residual_{residual}" if recipe.rounds else "residual_none",
        f"frequency_{'residual' if recipe.frequency_rounds else 'none'}",
        f"price_{'residual' if recipe.price_rounds else 'none'}",
        "days_by_rhythm" if recipe.rhythm else "days_by_purchase_model",
        f"calibration_{recipe.calibrator.kind}",
    }
    return [
        {"name": translated(name), "loss": recipe.losses[key], "chosen": key in chosen}
        for key, name in _NAMES.items()
        if key in recipe.losses
    ]


def level_gains(recipe: Recipe) -> list[dict[str, Any]]:
    """Return what each rule for a level gained against none: of churn, and of the money per purchase; None if untried.

    Empty where no rule could be judged.
    """
    rows = [_gains(recipe, rule) for rule in RULES]
    return [row for row in rows if row["churn"] is not None or row["price"] is not None]


def _gains(recipe: Recipe, rule: LevelRule) -> dict[str, Any]:
    return {
        "name": rule.in_words(),
        "churn": recipe.losses.get(f"gain of level, {rule}"),
        "price": recipe.losses.get(f"gain of price level, {rule}"),
        "of_churn": rule == recipe.level != NO_RULE,
        "of_price": rule == recipe.price_level != NO_RULE,
    }
