"""The time of year of the window ahead against those of the windows that judged the model."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from features.language import translated
from features.snapshot import Snapshot
from training.churn.purchase_intensity import losses_by_form
from training.churn.rolling import rolling_splits
from training.clv.operational_time import DAYS_PER_YEAR
from training.report.formats import day

if TYPE_CHECKING:
    from training.run import TrainingRun

YEAR_DAYS = 365
SAME_SEASON_DAYS = 31
"""Days of the year within which windows begin at the same time of it."""


def season_ahead(run: TrainingRun) -> str:
    """Say that the model was judged in another season than the one that it scores, and knows none.

    An empty text where the purchase model has a season, or what the windows of a year before missed is put back; and
    where the test, or a window that the recipe was chosen on, began at the same time of year.
    """
    recipe, horizon = run.recipe, run.model.terms.horizon_days
    ahead, closed = run.schedule.newest, set(run.schedule.closed)
    judged = [run.schedule.test]
    judged += [
        each.valid.snapshot for each in rolling_splits([r for r in run.labelled if r.snapshot in closed])
    ]
    if recipe.intensity.harmonics or recipe.level.kind == "year_ago":
        return ""
    if any(days_apart(ahead.date, each.date) <= SAME_SEASON_DAYS for each in judged):
        return ""
    first, last = _window(ahead, horizon)
    tested_first, tested_last = _window(run.schedule.test, horizon)
    why = _why_none(run)
    return translated(
        "The window that is scored now, {first} to {last}, is at another time of year than the one that judged the "
        "model, {tested_first} to {tested_last}, and {why}: if more or fewer customers buy then, the numbers of the "
        "test do not show it.",
        first=first,
        last=last,
        tested_first=tested_first,
        tested_last=tested_last,
        why=why,
    )


def _why_none(run: TrainingRun) -> str:
    if any(form.harmonics for form in losses_by_form(run.recipe.losses)):
        return translated("the model has no season, as none gained more than noise on closed windows")
    if (run.schedule.newest.date - run.log.first_day).days < 2 * DAYS_PER_YEAR:
        return translated("the model has no season, as that takes two years of log")
    return translated(
        "the model has no season, as the {n:snapshot|snapshots} that it learnt from (--snapshots) cannot show whether "
        "one helps",
        n=len(run.schedule.closed),
    )


def days_apart(one: date, other: date) -> int:
    """Return the days between the times of year of two dates.

    Examples
    --------
    >>> days_apart(date(2011, 12, 20), date(2010, 1, 5)), days_apart(date(2011, 12, 1), date(2011, 6, 1))
    (16, 182)
    """
    days = abs((one - other).days) % YEAR_DAYS
    return min(days, YEAR_DAYS - days)


def _window(opens: Snapshot, horizon_days: int) -> tuple[str, str]:
    return day(opens.date), day(opens.date + timedelta(days=horizon_days - 1))
