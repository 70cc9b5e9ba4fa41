"""Choosing the season, the trend or the steps of the purchase model, forward in time.

Each validation snapshot's purchase model is fitted with every form of the intensity on what that snapshot sees, and
its p0 is judged by log-loss on the churn window that followed. A season, a trend or steps must win by more than noise,
the simpler first. Where there is a season, a second harmonic is its shape, not another claim: it only has to be better.
So does a season beside which fewer steps are left, for steps up and down again each year were it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from sklearn.metrics import log_loss

from features.language import translated
from features.progress import Report
from training.churn.fit_options import FitOptions
from training.churn.rolling import rolling_splits
from training.clv.fitting import dated_histories
from training.clv.intensity_fit import IntensityFit, fit_intensity
from training.clv.operational_time import CONSTANT_FORM, DAYS_PER_YEAR, IntensityForm
from training.metrics.probabilities import TIE
from training.snapshots.dataset import LabelledSnapshot

FORMS = (
    IntensityForm(0, True),
    IntensityForm(steps=True),
    IntensityForm(1, False),
    IntensityForm(1, True),
    IntensityForm(1, steps=True),
    IntensityForm(2, False),
    IntensityForm(2, True),
    IntensityForm(2, steps=True),
)
"""What is tried beside a constant intensity, the simplest first."""

SAMPLE = 20_000
"""Customers per validation snapshot: more do not change which form wins."""

_SEASON_YEARS = 2.0  # of log, before a season is what came back, and not what the first year was like


def choose_intensity(
    rows: Sequence[LabelledSnapshot], options: FitOptions, report: Report | None = None
) -> tuple[IntensityForm, dict[str, float]]:
    """Choose the form of the purchase intensity on rolling validation.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot, oldest first, closed windows only
    options : FitOptions
    report : callable, optional

    Returns
    -------
    IntensityForm, and the mean log-loss of p0 with each form that was tried; constant where the log affords no split
    """
    snapshots = [_sampled(split.valid) for split in rolling_splits(rows)]
    forms = [form for form in FORMS if snapshots and _affordable(form, snapshots, options)]
    if not forms:
        return CONSTANT_FORM, {}
    losses: dict[IntensityForm, float] = {}
    trials = [_Trial(row) for row in snapshots]
    for done, form in enumerate((CONSTANT_FORM, *forms)):
        losses[form] = float(np.mean([trial.loss(form) for trial in trials]))
        if report is not None:
            report(
                translated("Choosing season, trend and steps on rolling validation"), done + 1, len(forms) + 1
            )
    steps = {form: sum(trial.steps(form) for trial in trials) for form in losses}
    return best_form(losses, steps), {_name(form): loss for form, loss in losses.items()}


def losses_by_form(losses: Mapping[str, float]) -> dict[IntensityForm, float]:
    """Return those of a recipe's losses that are of forms of the intensity, the simplest first.

    Examples
    --------
    >>> found = losses_by_form({"residual_none": 0.4, "intensity: constant intensity": 0.5, "intensity: trend": 0.49})
    >>> [(str(form), loss) for form, loss in found.items()]
    [('constant intensity', 0.5), ('trend', 0.49)]
    """
    return {form: losses[_name(form)] for form in (CONSTANT_FORM, *FORMS) if _name(form) in losses}


def _name(form: IntensityForm) -> str:
    return f"intensity: {form}"


def best_form(
    losses: Mapping[IntensityForm, float], steps: Mapping[IntensityForm, int] = MappingProxyType({})
) -> IntensityForm:
    """Return the form to use, by log-losses out of time.

    Parameters
    ----------
    losses : mapping of IntensityForm to float
        Of a constant intensity, and of other forms, the simplest first.
    steps : mapping of IntensityForm to int
        How many were found with each form that has some.

    Examples
    --------
    Half of `TIE` is noise for a season, and enough for its second harmonic:

    >>> season, finer = IntensityForm(1), IntensityForm(2)
    >>> print(best_form({CONSTANT_FORM: 0.5, season: 0.5 - TIE / 2}))
    constant intensity
    >>> print(best_form({CONSTANT_FORM: 0.5, season: 0.5 - 2 * TIE, finer: 0.5 - 2.5 * TIE}))
    season (2 harmonics)

    And for a season in place of steps:

    >>> stairs, both = IntensityForm(steps=True), IntensityForm(1, steps=True)
    >>> seen = {CONSTANT_FORM: 0.5, stairs: 0.5 - 2 * TIE, both: 0.5 - 2.5 * TIE}
    >>> print(best_form(seen, {stairs: 9, both: 3}), "|", best_form(seen, {stairs: 3, both: 3}))
    season (1 harmonic) and steps | steps
    """
    chosen = CONSTANT_FORM
    for form, loss in losses.items():
        finer = chosen.harmonics > 0 and form == replace(chosen, harmonics=form.harmonics)
        finer = finer or (form.steps and steps.get(form, 0) < steps.get(chosen, 0))
        if loss < losses[chosen] - (0.0 if finer else TIE):
            chosen = form
    return chosen


def _affordable(form: IntensityForm, snapshots: Sequence[LabelledSnapshot], options: FitOptions) -> bool:
    """Whether the log is long enough for such a form to be seen: at the oldest validation snapshot, and in all."""
    oldest, newest = snapshots[0].snapshot.date, snapshots[-1].window.closes
    fitted, known = ((day - options.first_order).days / DAYS_PER_YEAR for day in (oldest, newest))
    return fitted >= form.years and (not form.harmonics or known >= _SEASON_YEARS)


class _Trial:
    """A validation snapshot with the purchase models that were fitted on it, each from the one of a simpler form."""

    def __init__(self, row: LabelledSnapshot) -> None:
        self.row, self.columns = row, row.columns
        self.fits = {CONSTANT_FORM: IntensityFit(row.clv.purchases, row.clv.intensity)}

        self.histories = row.repeat_days and dated_histories(self.columns, row.repeat_days)

    def steps(self, form: IntensityForm) -> int:
        """Return how many steps were found with a form that was judged."""
        return len(self._fit(form).intensity.steps or ())

    def loss(self, form: IntensityForm) -> float:
        """Return the log-loss of p0 with a purchase intensity of a form."""
        if form not in self.fits and self.histories:
            simpler = [f for f in self.fits if _within(f, form)]
            self.fits[form] = fit_intensity(self.histories, form, self.fits[max(simpler)])
        fit = self._fit(form)
        clv = replace(self.row.clv, purchases=fit.model, intensity=fit.intensity)
        weeks = clv.weeks_ahead(self.columns, self.row.window.horizon_days)
        p0 = clv.purchases.p_no_purchase(*clv.histories(self.columns), weeks)
        return float(log_loss(self.row.churned, np.clip(p0, 1e-9, 1 - 1e-9), labels=[0, 1]))

    def _fit(self, form: IntensityForm) -> IntensityFit:
        return self.fits.get(form, self.fits[CONSTANT_FORM])


def _within(simpler: IntensityForm, form: IntensityForm) -> bool:
    return simpler.harmonics <= form.harmonics and simpler.trend <= form.trend and simpler.steps <= form.steps


def _sampled(row: LabelledSnapshot) -> LabelledSnapshot:
    return (
        row
        if len(row.table) <= SAMPLE
        else row.part(np.arange(len(row.table)) % -(-len(row.table) // SAMPLE) == 0)
    )
