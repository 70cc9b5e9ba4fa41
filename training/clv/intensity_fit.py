"""Fitting a season and a trend together with the model of purchases, by maximum likelihood.

``log L = Σ_customers log L_model(x, Λ(t_x) − Λ(t_0), Λ(T) − Λ(t_0)) + Σ_repeat days ln s − |θ|²/2``: the model's own
likelihood on operational histories, the intensity at each repeat purchase day, and one weak penalty on the
coefficients θ of ln s, so that a log too short to show a season gives a small one.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
from scipy.optimize import minimize

from training.clv.likelihood import HIGHEST, LOWEST, axes_from_slopes
from training.clv.operational_time import DAYS_PER_WEEK, Days, Intensity, IntensityForm, RepeatDays, basis
from training.clv.quadrature import FloatArray

_STEP = 1e-5  # of finite differences in log-parameters
_WEEK_STEP = 1e-4  # and in weeks
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
        self.start = histories.snapshot_day - histories.T - first
        self.last = self.start + histories.recency
        self.customers = float(histories.weights.sum())

    def intensity(self, point: FloatArray) -> Intensity:
        """Return the intensity of a point's coefficients."""
        waves = point[self.names : self.names + 2 * self.form.harmonics].reshape(-1, 2).tolist()
        trend = float(point[-1]) if self.form.trend else 0.0
        harmonics = tuple((cosine, sine) for cosine, sine in waves)
        return Intensity(self.histories.snapshot_day, self.first_day, harmonics, trend)

    def model(self, point: FloatArray) -> Any:
        """Return the model of purchases at a point, in operational weeks."""
        return self.kind(*np.exp(point[: self.names]).tolist())

    def __call__(self, point: FloatArray) -> tuple[float, FloatArray]:
        """Return value and slope."""
        histories, theta = self.histories, point[self.names :]
        intensity = np.exp(self.basis @ theta)
        elapsed = np.concatenate([[0.0], np.cumsum(intensity)]) / DAYS_PER_WEEK
        moved = np.zeros((len(elapsed), len(theta)))
        moved[1:] = np.cumsum(intensity[:, None] * self.basis, axis=0) / DAYS_PER_WEEK
        T, t_x = elapsed[-1] - elapsed[self.start], elapsed[self.last] - elapsed[self.start]
        with np.errstate(all="ignore"):  # a search may try anything
            value = self._total(point, t_x, T)
            slope = np.zeros(len(point))
            for place in range(self.names):
                step = _STEP * (np.arange(len(point)) == place)
                slope[place] = (self._total(point + step, t_x, T) - self._total(point - step, t_x, T)) / (
                    2.0 * _STEP
                )
            model, weights = self.model(point), histories.weights
            ahead = model.log_likelihoods(histories.x, t_x, T + _WEEK_STEP)
            by_T = weights * (ahead - model.log_likelihoods(histories.x, t_x, T - _WEEK_STEP))
            bought = histories.recency > 0
            later = model.log_likelihoods(histories.x, t_x + _WEEK_STEP, T)
            by_t_x = weights * (later - model.log_likelihoods(histories.x, t_x - _WEEK_STEP, T))
            by_t_x = np.where(bought, by_t_x, 0.0)
        change_T = moved[-1] - moved[self.start]
        change_t_x = moved[self.last] - moved[self.start]
        slope[self.names :] = (by_T @ change_T + by_t_x @ change_t_x) / (2.0 * _WEEK_STEP)
        slope[self.names :] += self.repeats - theta
        value += float(self.repeats @ theta - theta @ theta / 2.0)
        if not np.isfinite(value) or not np.isfinite(slope).all():
            return 1e10, np.zeros(len(point))
        return -value / self.customers, -slope / self.customers

    def _total(self, point: FloatArray, t_x: FloatArray, T: FloatArray) -> float:
        return float(self.model(point).log_likelihood(self.histories.x, t_x, T, self.histories.weights))


@dataclass(frozen=True)
class IntensityFit:
    """A model of purchases and an intensity, fitted together.

    Parameters
    ----------
    model : BGNBD, MBGNBD or ParetoNBD, in operational weeks
    intensity : Intensity
    log_likelihood : float
        Of the operational histories, with ln s at the repeat purchase days, less the penalty.
    axes : ndarray of shape (k, k)
        `principal_axes` of the log-parameters and the coefficients of ln s.
    """

    model: Any
    intensity: Intensity
    log_likelihood: float
    axes: FloatArray


def fit_intensity(
    kind: type[Any], histories: DatedHistories, form: IntensityForm, start: Any
) -> IntensityFit:
    """Fit a model of purchases and an intensity of a given form together.

    Parameters
    ----------
    kind : type
        BGNBD, MBGNBD or ParetoNBD.
    histories : DatedHistories
    form : IntensityForm
        With a season or a trend.
    start : of that kind
        The fit at constant intensity.
    """
    likelihood = _Likelihood(kind, histories, form)
    coefficients = 2 * form.harmonics + form.trend
    inside = (np.log(LOWEST), np.log(HIGHEST))
    point = np.concatenate([np.clip(np.log(astuple(start)), *inside), np.zeros(coefficients)])
    bounds = [inside] * likelihood.names + [(-_LARGEST_COEFFICIENT, _LARGEST_COEFFICIENT)] * coefficients
    options = {"ftol": 1e-12, "gtol": 1e-7, "maxiter": 300}
    found = minimize(likelihood, point, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    axes = axes_from_slopes(lambda at: likelihood(at)[1], found.x, likelihood.customers)
    model, intensity = likelihood.model(found.x), likelihood.intensity(found.x)
    return IntensityFit(model, intensity, -float(found.fun) * likelihood.customers, axes)
