"""What becomes of a new version: promoted or not, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import pandas as pd

from features.language import translatable, translated
from training.judging.recipe_comparison import MeasureComparison
from training.model.retention_model import RetentionModel

Outcome = Literal["first", "better", "tie", "worse", "incomparable"]

FORCE = translatable("To make the new version champion all the same: --promote --force.")
"""What to do where the champion stays."""


@dataclass(frozen=True)
class PromotionDecision:
    """Whether the challenger becomes the champion, and why.

    Parameters
    ----------
    promote : bool
    reasons : tuple of str
        Sentences with their numbers, the conclusion first.
    table : DataFrame, one row per measure
        The fields of `training.judging.recipe_comparison.MeasureComparison`; empty where nothing was compared.
    outcome : {"first", "better", "tie", "worse", "incomparable"}
    forced : bool
        Promoted although the comparison does not say so.
    """

    promote: bool
    reasons: tuple[str, ...]
    table: pd.DataFrame
    outcome: Outcome
    forced: bool = False


def conclude(found: Sequence[MeasureComparison]) -> PromotionDecision:
    """Decide from the comparison by measure: better in some and worse in none, or the champion stays.

    Examples
    --------
    >>> better = MeasureComparison("log-loss", 0.30, 0.31, -0.01, -0.012, -0.008, "better")
    >>> worse = MeasureComparison("profit of the list", 900.0, 1000.0, -100.0, -150.0, -50.0, "worse")
    >>> for decision in (conclude([better]), conclude([better, worse]), conclude([])):
    ...     print(decision.promote, decision.reasons[0])
    True Promoted: better in log-loss, worse in nothing.
    False The champion stays: the new version is worse in profit of the list.
    False The champion stays: between the two recipes is no difference that counts.
    """
    better, worse = (
        [translated(f.measure) for f in found if f.result == result] for result in ("better", "worse")
    )
    outcome: Outcome = "tie"
    conclusion = translated("The champion stays: between the two recipes is no difference that counts.")
    if worse:
        outcome, conclusion = (
            "worse",
            translated("The champion stays: the new version is worse in {measures}.", measures=worse),
        )
    elif better:
        outcome, conclusion = (
            "better",
            translated("Promoted: better in {measures}, worse in nothing.", measures=better),
        )
    table = pd.DataFrame([asdict(f) for f in found])
    reasons = (conclusion, *(f.sentence() for f in found))
    return PromotionDecision(outcome == "better", reasons, table, outcome)


def newer(
    decision: PromotionDecision, challenger: RetentionModel, champion: RetentionModel
) -> PromotionDecision:
    """Decide a tie by age."""
    new, old = challenger.card.snapshot, champion.card.snapshot
    if new > old:
        conclusion = translated(
            "Promoted: between the two recipes is no difference that counts, and the new version "
            "knows newer orders (up to {new:date}, the champion up to {old:date}).",
            new=new.date,
            old=old.date,
        )
        return replace(decision, promote=True, reasons=(conclusion, *decision.reasons[1:]))
    conclusion, *details = decision.reasons
    age = translated(
        "The new version knows no newer orders: it was trained up to {new:date}, the champion up to {old:date}.",
        new=new.date,
        old=old.date,
    )
    return replace(decision, reasons=(conclusion, age, translated(FORCE), *details))


def not_compared(outcome: Outcome, *reasons: str) -> PromotionDecision:
    """Decide where nothing was compared: by itself only the first version is promoted."""
    return PromotionDecision(outcome == "first", reasons, pd.DataFrame(), outcome)
