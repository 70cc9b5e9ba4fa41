"""Checks of a run, as the card shows them: what needs a closer look before it is promoted."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from features.language import translatable, translated, translation
from training.judging.race import MODEL
from training.judging.recipe_comparison import CALIBRATION_BOUND
from training.metrics.probabilities import TIE
from training.report.card_race import row_of, spend_of_model
from training.report.formats import number, share

if TYPE_CHECKING:
    from training.run import TrainingRun

TOTAL = 0.15
"""Largest relative difference of expected and actual totals that passes."""

LOST = 0.01
"""Largest share of unusable rows that passes."""

_CHECKS = {
    "all": (
        translatable("Against the best other model: all customers"),
        translatable("On average: all customers"),
    ),
    "recent": (
        translatable("Against the best other model: recent customers"),
        translatable("On average: recent customers"),
    ),
}
"""Names of the checks of each slice of the race."""


@dataclass(frozen=True)
class Check:
    """One check of a run: ``holds`` where nothing needs a closer look; its name is true whether it does or not."""

    name: str
    value: str
    holds: bool
    meaning: str


def checks(run: TrainingRun, expected_purchases: float) -> list[Check]:
    """Check a run: against the other racers, on average, and in total.

    Parameters
    ----------
    run : TrainingRun
    expected_purchases : float
        Over all customers of the test snapshot, in its window.
    """
    race, test = run.test.race, run.test
    found = []
    for part, (beaten, _) in _CHECKS.items():
        others = race[(race["racer"] != MODEL) & (race["customers_slice"] == part)]
        behind = row_of(race, part, MODEL)["log_loss"] - others["log_loss"].min()
        value = translated("not measurable")
        if isfinite(behind):
            best = translation(others.loc[others["log_loss"].idxmin(), "racer"])
            value = translated("{difference} against {racer}", difference=number(behind, "+.4f"), racer=best)
        meaning = translated("log-loss at most {tie} above the best other racer", tie=TIE)
        found.append(Check(translated(beaten), value, behind <= TIE, meaning))
    for part, (_, right) in _CHECKS.items():
        off = row_of(race, part, MODEL)["calibration_in_the_large"]
        meaning = translated("mean predicted less observed churn within ±{bound}", bound=CALIBRATION_BOUND)
        found.append(Check(translated(right), number(off, "+.3f"), abs(off) <= CALIBRATION_BOUND, meaning))
    purchases = float(test.labelled.outcomes["purchases"].sum())
    ratios = {
        translated("Expected spend ÷ what came, in total"): spend_of_model(run)["ratio"],
        translated("Expected purchases ÷ those that came, in total"): expected_purchases / purchases
        if purchases
        else float("nan"),
    }
    for name, ratio in ratios.items():
        meaning = translated("expected over actual total within 1 ± {bound}", bound=TOTAL)
        found.append(Check(name, number(ratio, ".2f"), abs(ratio - 1) <= TOTAL, meaning))
    return [*found, *_checks_of_input(run)]


def _checks_of_input(run: TrainingRun) -> list[Check]:
    """Check the remarks on the fit, and the rows that could not be used."""
    notes, log = len(run.model.card.notes), run.model.card.log
    value = translated("{n} to read below", n=notes) if notes else translated("none")
    lost = 1 - log.rows_used / log.rows_in
    most = translated("at most {share} of the log", share=share(LOST))
    return [
        Check(translated("Remarks on the fit"), value, not notes, translated("no fallback, no warning")),
        Check(translated("Rows in quarantine"), share(lost), lost <= LOST, most),
    ]
