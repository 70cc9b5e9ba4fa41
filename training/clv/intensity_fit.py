"""Fitting a season and a trend together with the model of purchases, by maximum likelihood.

``log L = Σ_customers log L_model(x, Λ(t_x) − Λ(t_0), Λ(T) − Λ(t_0)) + Σ_repeat days ln s − |θ|²/2``: the model's own
likelihood on operational histories, the intensity at each repeat purchase day, and one weak penalty on the
coefficients θ of ln s, so that a log too short to show a season gives a small one. Pauses are observed: they have no
coefficients.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np

from training.clv.likelihood import HIGHEST, LOWEST, principal_axes
from training.clv.operational_time import (
    DAYS_PER_WEEK,
    Days,
    Intensity,
    IntensityForm,
    RepeatDays,
    basis,
    shares_of_average,
)
from training.clv.quadrature import FloatArray

_LARGEST_COEFFICIENT = 3.0  # a season or a yearly trend by a factor of 20


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

    def __init__(self, kind: type[Any], histories: DatedHistories, form: IntensityForm) -> None:
        self.kind, self.histories, self.form = kind, histories, form
        self.names = len(fields(kind))
        first, last = histories.repeat_days.first_day, histories.snapshot_day
        self.first_day = first
        days = np.arange(first, last, dtype=np.float64)
        self.basis = basis(days, last, first, form.harmonics, form.trend)
        counts = np.zeros(len(days))
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
        waves = point[self.names : self.names + 2 * self.form.harmonics].reshape(-1, 2).tolist()
        trend = float(point[-1]) if self.form.trend else 0.0
        harmonics = tuple((cosine, sine) for cosine, sine in waves)
        return Intensity(self.histories.snapshot_day, self.first_day, harmonics, trend, pauses=self.pauses)

    def model(self, point: FloatArray) -> Any:
        """Return the model of purchases at a point, in operational weeks."""
        return self.kind(*np.exp(point[: self.names]).tolist())

    def __call__(self, point: FloatArray) -> tuple[float, FloatArray]:
        """Return value and slope."""
        histories, theta = self.histories, point[self.names :]
        intensity = np.exp(self.basis @ theta) * self.shares
        elapsed = np.concatenate([[0.0], np.cumsum(intensity)]) / DAYS_PER_WEEK
        moved = np.zeros((len(elapsed), len(theta)))
        moved[1:] = np.cumsum(intensity[:, None] * self.basis, axis=0) / DAYS_PER_WEEK
        T, t_x = elapsed[-1] - elapsed[self.start], elapsed[self.last] - elapsed[self.start]
        weights, bought = histories.weights, histories.recency > 0
        with np.errstate(all="ignore"):  # a search may try anything
            slopes = self.model(point).slopes(histories.x, t_x, T)
            value = float((weights * slopes.value).sum())
            by_parameter = [float((weights * by).sum()) for by in slopes.by_parameter]
            by_T, by_t_x = weights * slopes.by_T, np.where(bought, weights * slopes.by_t_x, 0.0)
        of_T, of_t_x = moved[-1] - moved[self.start], moved[self.last] - moved[self.start]
        by_form = by_T @ of_T + by_t_x @ of_t_x + self.repeats - theta
        slope = np.concatenate([by_parameter, by_form])
        value += float(self.repeats @ theta - theta @ theta / 2.0) + self.in_pauses
        if not np.isfinite(value) or not np.isfinite(slope).all():
            return 1e10, np.zeros(len(point))
        return -value / self.customers, -slope / self.customers


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
        trend = [self.intensity.trend] * form.trend
        inside = (np.log(LOWEST), np.log(HIGHEST))
        return np.concatenate([np.clip(np.log(astuple(self.model)), *inside), waves.ravel(), trend])


def fit_intensity(histories: DatedHistories, form: IntensityForm, start: IntensityFit) -> IntensityFit:
    """Fit a model of purchases and an intensity of a given form together.

    Parameters
    ----------
    histories : DatedHistories
    form : IntensityForm
        With a season or a trend.
    start : IntensityFit
        The fit of the same kind of model at constant intensity, or with another form.
    """
    likelihood = _Likelihood(type(start.model), histories, form)
    coefficients = 2 * form.harmonics + form.trend
    bounds = [(np.log(LOWEST), np.log(HIGHEST))] * likelihood.names
    bounds += [(-_LARGEST_COEFFICIENT, _LARGEST_COEFFICIENT)] * coefficients
    from scipy.optimize import minimize

    options = {"ftol": 1e-12, "gtol": 1e-7, "maxiter": 300}
    found = minimize(
        likelihood, start.point(form), jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    model, intensity = likelihood.model(found.x), likelihood.intensity(found.x)
    return IntensityFit(model, intensity, -float(found.fun) * likelihood.customers)


def intensity_axes(histories: DatedHistories, form: IntensityForm, fit: IntensityFit) -> FloatArray:
    """Return the `principal_axes` of a fit: of the log-parameters and the coefficients of ln s, of shape (k, k)."""
    likelihood = _Likelihood(type(fit.model), histories, form)
    return principal_axes(lambda at: likelihood(at)[1], fit.point(form), likelihood.customers)
