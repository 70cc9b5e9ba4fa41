"""Fitting a season, a trend and steps together with the model of purchases, by maximum likelihood.

``log L = Σ_customers log L_model(x, Λ(t_x) − Λ(t_0), Λ(T) − Λ(t_0)) + Σ_repeat days ln s − |θ|²/2``: the model's own
likelihood on operational histories, the intensity at each repeat purchase day, and one weak penalty on the
coefficients θ of ln s, so that a log too short to show a season gives a small one. Pauses are observed: they have no
coefficients.

Steps are found one after the other, as long as each gains more than chance does, and their days by turns: given the
fit, the days at which repeat purchases change most against what is expected of each day (`training.clv.change_point`);
given the days, everything else anew, until they stay. In between, the more of a silence the steps explain, the less of
it is taken for leaving.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Any

import numpy as np

from training.clv.change_point import FOUND, comes_every_year, moved_changes, next_change
from training.clv.likelihood import HIGHEST, LOWEST, principal_axes
from training.clv.operational_time import (
    DAYS_PER_WEEK,
    DAYS_PER_YEAR,
    Days,
    Intensity,
    IntensityForm,
    RepeatDays,
    basis,
    shares_of_average,
)
from training.clv.quadrature import FloatArray
from training.clv.slopes import Slopes

_LARGEST_COEFFICIENT = 3.0  # a season, a yearly trend or a step by a factor of 20
_MOST_TURNS = 5  # of days and coefficients; so far two were enough


@dataclass(frozen=True)
class DatedHistories:
    """Distinct purchase histories in days, with the calendar behind them.

    Parameters
    ----------
    x : ndarray of shape (n,)
    recency, T : ndarrays of int of shape (n,), days
    weights : ndarray of shape (n,)
        How many customers share each.
    snapshot_day : int, days since 1970-01-01
    repeat_days : RepeatDays
        Up to the snapshot.
    """

    x: FloatArray
    recency: Days
    T: Days
    weights: FloatArray
    snapshot_day: int
    repeat_days: RepeatDays

    def operational(self, intensity: Intensity) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return x, t_x and T in operational weeks."""
        first = self.snapshot_day - self.T
        return self.x, intensity.weeks(first, first + self.recency), intensity.weeks(first, self.snapshot_day)


class _Likelihood:
    """The mean negative log-likelihood per customer, with its slope, in log-parameters and coefficients."""

    def __init__(
        self, kind: type[Any], histories: DatedHistories, form: IntensityForm, step_days: Sequence[int] = ()
    ) -> None:
        self.kind, self.histories, self.form, self.step_days = kind, histories, form, step_days
        self.names = len(fields(kind))
        first, last = histories.repeat_days.first_day, histories.snapshot_day
        self.first_day = first
        days = np.arange(first, last, dtype=np.float64)
        self.basis = basis(days, last, first, form.harmonics, form.trend, step_days=step_days)
        self.counts = counts = np.zeros(len(days))
        counts[: len(histories.repeat_days.counts)] = histories.repeat_days.counts
        self.repeats = counts @ self.basis
        self.pauses = histories.repeat_days.pauses
        self.shares = shares_of_average(self.pauses, first, last)
        self.in_pauses = float(counts @ np.log(np.where(counts > 0.0, self.shares, 1.0)))
        self.start = histories.snapshot_day - histories.T - first
        self.last = self.start + histories.recency
        self.customers = float(histories.weights.sum())

    def intensity(self, point: FloatArray) -> Intensity:
        """Return the intensity of a point's coefficients."""
        coefficients = point[self.names :].tolist()
        waves = [coefficients.pop(0) for _ in range(2 * self.form.harmonics)]
        return Intensity(
            self.histories.snapshot_day,
            self.first_day,
            tuple(zip(waves[::2], waves[1::2], strict=True)),
            coefficients.pop(0) if self.form.trend else 0.0,
            trend_fades_days=float(self.histories.snapshot_day - self.first_day),
            pauses=self.pauses,
            steps=tuple(zip(self.step_days, coefficients, strict=True)) if self.form.steps else None,
        )

    def model(self, point: FloatArray) -> Any:
        """Return the model of purchases at a point, in operational weeks."""
        return self.kind(*np.exp(point[: self.names]).tolist())

    def __call__(self, point: FloatArray) -> tuple[float, FloatArray]:
        """Return value and slope."""
        theta, intensity = point[self.names :], self._of_days(point)
        moved = np.zeros((len(intensity) + 1, len(theta)))
        moved[1:] = np.cumsum(intensity[:, None] * self.basis, axis=0) / DAYS_PER_WEEK
        slopes = self._slopes(point, intensity)
        of_T, of_t_x = moved[-1] - moved[self.start], moved[self.last] - moved[self.start]
        by_form = slopes.by_T @ of_T + slopes.by_t_x @ of_t_x + self.repeats - theta
        slope = np.concatenate([[float(by.sum()) for by in slopes.by_parameter], by_form])
        value = float(slopes.value.sum())
        value += float(self.repeats @ theta - theta @ theta / 2.0) + self.in_pauses
        if not np.isfinite(value) or not np.isfinite(slope).all():
            return 1e10, np.zeros(len(point))
        return -value / self.customers, -slope / self.customers

    def expected_by_day(self, point: FloatArray) -> FloatArray:
        """Return the repeat purchases expected on each day of the log of those who were there, had there been no steps.

        Without them it is what the likelihood loses as a day gets longer: at its maximum, in sum, as many as came.
        """
        intensity, days = self._of_days(point), len(self.counts)
        slopes = self._slopes(point, intensity)
        there = np.bincount(self.start, slopes.by_T + slopes.by_t_x, days + 1)
        there -= np.bincount(self.last, slopes.by_t_x, days + 1)
        steps = len(self.step_days)
        by_steps = np.exp(self.basis[:, self.basis.shape[1] - steps :] @ point[len(point) - steps :])
        return np.asarray(-np.cumsum(there)[:-1] * intensity / by_steps / DAYS_PER_WEEK)

    def maximum(self, start: FloatArray) -> tuple[FloatArray, IntensityFit]:
        """Return the point of the largest likelihood, and the fit there."""
        from scipy.optimize import minimize

        bounds = [(np.log(LOWEST), np.log(HIGHEST))] * self.names
        bounds += [(-_LARGEST_COEFFICIENT, _LARGEST_COEFFICIENT)] * (len(start) - self.names)
        options = {"ftol": 1e-12, "gtol": 1e-7, "maxiter": 300}
        found = minimize(self, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        model, intensity = self.model(found.x), self.intensity(found.x)
        return found.x, IntensityFit(model, intensity, -float(found.fun) * self.customers)

    def _of_days(self, point: FloatArray) -> FloatArray:
        """Return the intensity of each day."""
        return np.asarray(np.exp(self.basis @ point[self.names :]) * self.shares)

    def _slopes(self, point: FloatArray, intensity: FloatArray) -> Slopes:
        """Return the slopes of the histories, times how many customers share each."""
        histories, weights = self.histories, self.histories.weights
        elapsed = np.concatenate([[0.0], np.cumsum(intensity)]) / DAYS_PER_WEEK
        T, t_x = elapsed[-1] - elapsed[self.start], elapsed[self.last] - elapsed[self.start]
        with np.errstate(all="ignore"):  # a search may try anything
            slopes = self.model(point).slopes(histories.x, t_x, T)
            return Slopes(
                value=weights * slopes.value,
                by_parameter=tuple(weights * by for by in slopes.by_parameter),
                by_t_x=np.where(histories.recency > 0, weights * slopes.by_t_x, 0.0),
                by_T=weights * slopes.by_T,
            )


@dataclass(frozen=True)
class IntensityFit:
    """A model of purchases and an intensity, fitted together.

    Parameters
    ----------
    model : BGNBD, MBGNBD or ParetoNBD, in operational weeks
    intensity : Intensity
    log_likelihood : float
        Of the operational histories, with ln s at the repeat purchase days, less the penalty.
    """

    model: Any
    intensity: Intensity
    log_likelihood: float = float("nan")

    def point(self, form: IntensityForm) -> FloatArray:
        """Return its log-parameters and the coefficients of ln s by a form, 0 for what it has not."""
        waves = np.zeros((form.harmonics, 2))
        known = self.intensity.harmonics[: form.harmonics]
        waves[: len(known)] = np.reshape(known, (-1, 2))
        rest = [self.intensity.trend] * form.trend
        rest += [change for _, change in self.intensity.steps or ()] if form.steps else []
        inside = (np.log(LOWEST), np.log(HIGHEST))
        return np.concatenate([np.clip(np.log(astuple(self.model)), *inside), waves.ravel(), rest])


def fit_intensity(histories: DatedHistories, form: IntensityForm, start: IntensityFit) -> IntensityFit:
    """Fit a model of purchases and an intensity of a given form together.

    Parameters
    ----------
    histories : DatedHistories
    form : IntensityForm
        With a season, a trend or steps.
    start : IntensityFit
        The fit of the same kind of model at constant intensity, or with another form.
    """
    if form.steps:
        return _with_steps(histories, form, start)
    return _Likelihood(type(start.model), histories, form).maximum(start.point(form))[1]


def intensity_axes(histories: DatedHistories, form: IntensityForm, fit: IntensityFit) -> FloatArray:
    """Return the `principal_axes` of a fit: of the log-parameters and the coefficients of ln s, of shape (k, k).

    The days of steps are taken as known.
    """
    days = [day for day, _ in fit.intensity.steps or ()]
    likelihood = _Likelihood(type(fit.model), histories, form, days)
    return principal_axes(lambda at: likelihood(at)[1], fit.point(form), likelihood.customers)


def _with_steps(histories: DatedHistories, form: IntensityForm, start: IntensityFit) -> IntensityFit:
    """Return the fit with all the steps that gain enough and come once, at most one per year of log."""
    likelihood = _Likelihood(type(start.model), histories, form)
    point, best = likelihood.maximum(start.point(replace(form, steps=False)))
    counts, expected = likelihood.counts, likelihood.expected_by_day(point)
    most = len(counts) // round(DAYS_PER_YEAR)
    while len(likelihood.step_days) < most:
        more = _one_step_more(likelihood, point)
        if more is None or more[2].log_likelihood < best.log_likelihood + FOUND / 2.0:
            break
        places = [day - likelihood.first_day for day in more[0].step_days]
        if any(comes_every_year(counts, expected, places, place) for place in places):
            break
        likelihood, point, best = more
    return best


def _one_step_more(
    likelihood: _Likelihood, point: FloatArray
) -> tuple[_Likelihood, FloatArray, IntensityFit] | None:
    """Return the best fit with one step more than in a fit, or None where no day gains enough."""
    first, known = likelihood.first_day, [day - likelihood.first_day for day in likelihood.step_days]
    day, gain = next_change(likelihood.counts, likelihood.expected_by_day(point), known)
    if gain < FOUND:
        return None
    places = sorted([*known, day])
    point = np.insert(point, len(point) - len(known) + places.index(day), 0.0)
    tried: list[list[int]] = []
    found: list[tuple[_Likelihood, FloatArray, IntensityFit]] = []
    while places not in tried and len(tried) < _MOST_TURNS:
        tried.append(places)
        days = [first + place for place in places]
        likelihood = _Likelihood(likelihood.kind, likelihood.histories, likelihood.form, days)
        point, fit = likelihood.maximum(point)
        found.append((likelihood, point, fit))
        places = moved_changes(likelihood.counts, likelihood.expected_by_day(point), places)
    return max(found, key=lambda each: each[2].log_likelihood)
