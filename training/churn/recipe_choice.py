"""Choice of the recipe on rolling validation.

Each of the newest closed snapshots is predicted by a model trained only on windows that had closed by its date.
On these predictions are chosen, in this order: the residual's form (free or monotone) and its number of trees, 0
included; the files beside the log that it learns from; the calibrator; the residuals of what buyers do, how often they
buy and for how much; the rules for the level of churn and of money per purchase, over all closed windows. Where the log
is too short for a split forward in time, the folds are groups of customers, and `Recipe.validation` says ``"by
customers"``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import expit

from features.errors import FitError
from features.language import translatable, translated
from features.progress import Report
from training.churn.base import AS_SAID, Base, weighed
from training.churn.bins import Bins
from training.churn.calibration import choose_calibrator, intercept_of
from training.churn.fit_options import FitOptions
from training.churn.frequency import POISSON, fit_line, poisson_deviance, windows_of_buyers
from training.churn.level import NO_RULE, LevelRule, choose_rule, level_of
from training.churn.price import TWEEDIE, price_levels, price_missed, relative_spend, tweedie_deviance
from training.churn.recipe import Recipe, churn_missed
from training.churn.residuals import BuyerChoice, BuyerQuestion, choose_buyer_residual, choose_churn_residual
from training.churn.rolling import Split, customer_splits, rolling_splits
from training.metrics.comparison import log_losses
from training.metrics.probabilities import TIE
from training.snapshots.dataset import LabelledSnapshot

PRICE_NOISE = 0.05**2
"""A squared error of the money per purchase, in logs, that is not worth a correction: 5%."""


def choose_recipe(
    rows: Sequence[LabelledSnapshot],
    options: FitOptions,
    *,
    tuned: Mapping[str, Any] | None = None,
    report: Report | None = None,
) -> Recipe:
    """Choose residual, calibrator and levels on rolling validation.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot, oldest first, closed windows only, the test snapshot not among them
        Their purchase models have the form and rhythm that were chosen before (`run_procedure`).
    options : FitOptions
    tuned : mapping, optional
        LightGBM parameters of the churn residual over the defaults (`training.churn.tuning`).

    Raises
    ------
    FitError
        If in every closed window all customers churned, or none did.
    """
    _require_both_outcomes(rows)
    splits = rolling_splits(rows)
    how = translatable("forward in time") if splits else translatable("by customers")
    splits = splits or customer_splits(rows)
    bins = Bins()
    churn, losses, files = choose_churn_residual(rows, splits, options, tuned, report, bins)
    odds = zip(churn.choice.odds, splits, strict=True)
    own = [z + intercept_of(z, split.valid.churned) for z, split in odds]
    calibrator, calibration_losses = choose_calibrator(own, [split.valid.churned for split in splits])
    base = weighed(rows, options) if churn.choice.weighed else AS_SAID
    frequency, price = _choose_of_buyers(rows, splits, options, base)
    level, price_level, gains = _choose_levels(rows, options, base)
    losses |= frequency.losses | price.losses | gains
    losses |= {f"calibration_{kind}": loss for kind, loss in calibration_losses.items()}
    return Recipe(
        rounds=churn.choice.rounds,
        monotone=churn.choice.monotone,
        weighed=churn.choice.weighed,
        calibrator=calibrator,
        validation=how,
        frequency_rounds=frequency.rounds,
        price_rounds=price.rounds,
        level=level,
        price_level=price_level,
        losses=losses,
        tuned=dict(tuned or {}),
        intensity=rows[-1].clv.intensity.form,
        first_spend=rows[-1].clv.first_spend,
        rhythm=rows[-1].clv.rhythm is not None,
        inputs=churn.inputs,
        frequency_inputs=frequency.inputs,
        price_inputs=price.inputs,
        files=files,
        frequency_files=frequency.files,
        price_files=price.files,
    )


def _require_both_outcomes(rows: Sequence[LabelledSnapshot]) -> None:
    if any(len(np.unique(row.churned)) > 1 for row in rows):
        return
    days = rows[-1].window.horizon_days
    if rows[-1].churned.all():
        raise FitError(
            translated(
                "In every one of the {n} closed churn windows of {days} days all customers churned: there is "
                "nothing to learn. Use a longer --horizon-days.",
                n=len(rows),
                days=days,
            )
        )
    raise FitError(
        translated(
            "In every one of the {n} closed churn windows of {days} days all customers came back: there is "
            "nothing to learn. Use a shorter --horizon-days.",
            n=len(rows),
            days=days,
        )
    )


def _choose_of_buyers(
    rows: Sequence[LabelledSnapshot], splits: Sequence[Split], options: FitOptions, base: Base
) -> tuple[BuyerChoice, BuyerChoice]:
    """Return the residuals of frequency and of price, chosen on those who bought, on each side of the splits."""
    of_whole, bins = _splits_of_buyers(splits), Bins()
    bought = [of_buyers for _, of_buyers in of_whole]
    lines = [fit_line(whole.train, options, base).target for whole, _ in of_whole]
    asked = (
        BuyerQuestion("frequency", lines, poisson_deviance, POISSON),
        BuyerQuestion("price", [relative_spend] * len(bought), tweedie_deviance, TWEEDIE),
    )
    everybody = windows_of_buyers(rows)
    frequency, price = (choose_buyer_residual(everybody, bought, each, options, bins) for each in asked)
    return frequency, price


def _splits_of_buyers(splits: Sequence[Split]) -> list[tuple[Split, Split]]:
    """Return the splits in which somebody bought on both sides, each with the same of those who did."""
    rows = {id(row): row for split in splits for row in (*split.train, split.valid)}
    bought = {key: part for key, row in rows.items() for part in windows_of_buyers([row])}
    cut = [
        (split, [bought[id(row)] for row in split.train if id(row) in bought], bought.get(id(split.valid)))
        for split in splits
    ]
    return [(split, Split(train, valid)) for split, train, valid in cut if train and valid is not None]


def _choose_levels(
    rows: Sequence[LabelledSnapshot], options: FitOptions, base: Base
) -> tuple[LevelRule, LevelRule, dict[str, float]]:
    """Return the rules for the level of churn and of money per purchase, and what each rule gained."""
    odds, prices = [base.log_odds(row.columns) for row in rows], [price_missed(row) for row in rows]

    def of_churn(place: int, shift: float) -> np.ndarray:
        return log_losses(rows[place].churned, expit(odds[place] + shift))

    def squared_error(place: int, shift: float) -> np.ndarray:
        return (prices[place] - shift) ** 2

    level, gains = choose_rule(rows, level_of(rows, churn_missed(rows, base), options), of_churn, noise=TIE)
    price_level, price_gains = choose_rule(
        rows, level_of(rows, price_levels(rows), options), squared_error, noise=PRICE_NOISE
    )
    if (
        price_level == NO_RULE
        and price_gains.get(str(level), -np.inf) > -PRICE_NOISE
        and level.kind == "year_ago"
    ):
        price_level = (
            level  # in season, people buy more and dearer: one season for both, unless prices say otherwise
        )
    named = {f"gain of level, {rule}": gain for rule, gain in gains.items()}
    return level, price_level, named | {f"gain of price level, {r}": gain for r, gain in price_gains.items()}
