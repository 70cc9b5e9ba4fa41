"""Fit the CLV model: purchases and spend by maximum likelihood on one feature table.

The maximum is searched by Newton's method, and where that does not arrive by the ``lifetimes`` package, which this
module alone imports. Where that fails too (it does on young logs, sometimes without a message) the same likelihood is
maximised within bounds, and the model's ``notes`` say so. Many customers are first fitted on a coarser copy of their
histories. What is found depends on the table alone: on the same day it is the same, whatever else is fitted. Season,
trend and steps of the purchase intensity are fitted from there (`training.clv.intensity_fit`).
"""

from __future__ import annotations

import contextlib
import io
import warnings
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from features.errors import FitError
from features.language import translatable, translated
from features.table.columns import Columns, as_columns
from training.clv.gammagamma import EmpiricalSpend, GammaGamma, edge_meaning, spend_correlation
from training.clv.intensity_fit import DatedHistories, IntensityFit, fit_intensity, intensity_axes
from training.clv.likelihood import Problem, Search, at_edge, climb, maximum, principal_axes, refine
from training.clv.model import CLVForm, CLVModel, floats_of, histories, snapshot_day, spend_history
from training.clv.operational_time import CONSTANT, CONSTANT_FORM, Intensity, IntensityForm, RepeatDays
from training.clv.purchase_models import PURCHASE_MODELS, PurchaseModel
from training.clv.quadrature import FloatArray
from training.clv.row_cache import distinct

_FITTERS = {"bgnbd": "BetaGeoFitter", "mbgnbd": "ModifiedBetaGeoFitter", "gammagamma": "GammaGammaFitter"}
_FEW_HISTORIES = 5000  # distinct ones: more are first fitted on a grid of 1, 2, 4 or 8 weeks
_FEW_REPEATERS = 30
_MANY_REPEATERS = 20_000  # more are first fitted on mean spends that are rounded to _SPEND_STEP
_SPEND_STEP = 0.02  # of their logarithm
_CORRELATED = 0.3
_EPOCH = date(1970, 1, 1).toordinal()
_HEAVY_TAIL = 2.0  # a fitted mean spend this many times the observed one describes a tail


def fit_clv(
    table: pd.DataFrame,
    model: str = "bgnbd",
    first_spend: bool = False,
    repeat_days: RepeatDays | None = None,
) -> CLVModel:
    """Fit purchases and spend on a feature table.

    Parameters
    ----------
    table : DataFrame
        Feature table of one snapshot: frequency, recency, T (days), monetary_value, gross_spend, net_spend.
    model : {"bgnbd", "mbgnbd", "paretonbd"}
    first_spend : bool
        As in `CLVForm`.
    repeat_days : RepeatDays, optional
        Their pauses are no time.

    Returns
    -------
    CLVModel

    Raises
    ------
    FitError
        If the table is empty or has no repeat buyer: rates and dropout show in repeat purchases only.
    """
    if model not in PURCHASE_MODELS:
        raise FitError(
            translated(
                "There is no purchase model {model!r}. Use one of: {names}.",
                model=model,
                names=list(PURCHASE_MODELS),
            )
        )
    columns = as_columns(table)
    intensity = CONSTANT if repeat_days is None else intensity_of_pauses(columns, repeat_days)
    x, t_x, T = histories(columns, intensity)
    fitted_at = str(table["snapshot_date"].iloc[0])[:10] if "snapshot_date" in table and len(table) else ""
    repeaters = int((x > 0).sum())
    if repeaters == 0:
        raise _nobody_repeated(len(x), fitted_at)
    notes = [*_few_notes(repeaters, len(x)), *_pause_notes(intensity)]
    kind = PURCHASE_MODELS[model]
    counted = _counted(x, t_x, T)
    purchases, purchase_axes = _fit_purchases(kind, counted, notes)
    return CLVModel(
        purchases=purchases,
        n_customers=len(x),
        n_repeat_buyers=repeaters,
        log_likelihood=purchases.log_likelihood(*counted),
        intensity=intensity,
        fitted_at=fitted_at,
        purchase_notes=tuple(notes),
        purchase_axes=_as_tuples(purchase_axes),
        **_spend_fields(columns, first_spend),
    )


def with_form(clv: CLVModel, table: pd.DataFrame, form: CLVForm, repeat_days: RepeatDays | None) -> CLVModel:
    """Return a CLV model that was fitted on a table, fitted on the same table in another form.

    Parameters
    ----------
    clv : CLVModel
    table : DataFrame
    form : CLVForm
    repeat_days : RepeatDays or None
        None leaves the purchases as they are: a season, a trend and steps are fitted on the days of repeat purchases.
    """
    if form.first_spend != clv.first_spend:
        clv = replace(clv, **_spend_fields(as_columns(table), form.first_spend))
    if repeat_days is None or form.intensity == clv.intensity.form:
        return clv
    if form.intensity == CONSTANT_FORM:
        return fit_clv(table, clv.purchases.name, form.first_spend, repeat_days)
    return _with_intensity(clv, table, form.intensity, repeat_days)


def _with_intensity(
    clv: CLVModel, table: pd.DataFrame, form: IntensityForm, repeat_days: RepeatDays
) -> CLVModel:
    """Return a CLV model with a season, a trend or steps, fitted on the same table."""
    dated = dated_histories(as_columns(table), repeat_days)
    found = fit_intensity(dated, form, IntensityFit(clv.purchases, clv.intensity))
    return replace(
        clv,
        purchases=found.model,
        intensity=found.intensity,
        purchase_notes=(*clv.purchase_notes, *_step_notes(found.intensity)),
        purchase_axes=_as_tuples(intensity_axes(dated, form, found)),
        log_likelihood=found.log_likelihood,
    )


def _nobody_repeated(customers: int, fitted_at: str) -> FitError:
    """Return the error of a table without a repeat buyer."""
    sentence = translatable("None of {n:customer|customers} has bought on a second day")
    if fitted_at:
        sentence = translatable("None of {n:customer|customers} has bought on a second day before {day:date}")
    return FitError(
        translated(
            "{nobody}: how often they buy and when they stop cannot be fitted. Use a log that covers more time, a "
            "later snapshot date, or check that --customer-column names the customer and not the order.",
            nobody=translated(sentence, n=customers, day=fitted_at),
        )
    )


def _few_notes(repeaters: int, customers: int) -> list[str]:
    if repeaters >= _FEW_REPEATERS:
        return []
    return [
        translated(
            "Only {n:,} of {all:customer|customers} bought on a second day: the fit is a guess.",
            n=repeaters,
            all=customers,
        )
    ]


def _pause_notes(intensity: Intensity) -> list[str]:
    if not intensity.pauses:
        return []
    return [
        translated(
            "On {n:day|days} trade was below half of the usual, last on {day:date}: silence through them counts "
            "for less, or not at all. If their orders are missing from the log, add them.",
            n=len(intensity.pauses),
            day=date.fromordinal(intensity.pauses[-1][0] + _EPOCH).isoformat(),
        )
    ]


def _step_notes(intensity: Intensity) -> list[str]:
    return [
        translated(
            "From {day:date} on customers bought {factor:.2f} times as often as before.",
            day=date.fromordinal(day + _EPOCH).isoformat(),
            factor=float(np.exp(change)),
        )
        for day, change in intensity.steps or ()
    ]


def _fit_purchases(
    kind: type[PurchaseModel], counted: tuple[FloatArray, ...], notes: list[str]
) -> tuple[PurchaseModel, FloatArray]:
    """Return the model of maximum likelihood, and the axes of its uncertainty."""
    x, t_x, T, weights = counted
    span = float(T.max())
    search = _lifetimes_maximum if kind.name in _FITTERS else None
    exact = Problem(kind, (x, t_x / span, T / span, weights), span)
    coarse, grid = exact, 1.0
    while len(coarse.data[0]) > _FEW_HISTORIES and grid <= 8.0:
        data = _counted(
            x, grid * np.round(t_x / grid) / span, grid * np.round(T / grid) / span, weights=weights
        )
        coarse, grid = Problem(kind, data, span), 2.0 * grid
    best, remarks = _maximum(coarse, search)
    axes = principal_axes(coarse.slope, best, coarse.weight)
    if coarse is not exact:
        refined = refine(exact, best, axes)
        best, remarks = (refined, remarks) if refined is not None else maximum(exact, search, best)
    notes += remarks
    return exact.model(best), axes


def _maximum(problem: Problem, search: Search | None) -> tuple[FloatArray, list[str]]:
    """Return `maximum`, by Newton's method where that suffices: without a search it has no slopes in closed form."""
    found = climb(problem) if search else None
    return maximum(problem, search) if found is None else (found, [])


def _spend_fields(columns: Columns, first_spend: bool) -> dict[str, Any]:
    """Return what a CLV model knows of spend, by its fields' names."""
    notes: list[str] = []
    days, m = spend_history(columns, first_spend)
    spend, axes = _fit_spend(days, m, notes)
    correlation = spend_correlation(days, m)
    if correlation is not None and abs(correlation) > _CORRELATED:
        notes.append(
            translated(
                "Frequency and mean spend are correlated ({r:+.2f}), and Gamma-Gamma assumes they are not: check the "
                "expected spend of the most frequent buyers.",
                r=correlation,
            )
        )
    return {
        "spend": spend,
        "net_ratio": _net_ratio(columns, notes),
        "correlation": correlation,
        "spend_axes": _as_tuples(axes),
        "spend_notes": tuple(notes),
        "first_spend": first_spend,
    }


def _fit_spend(
    x: FloatArray, m: FloatArray, notes: list[str]
) -> tuple[GammaGamma | EmpiricalSpend, FloatArray]:
    """Return the model of spend of maximum likelihood, or the observed mean, and the axes of its uncertainty."""
    repeats = (x > 0) & (m > 0)
    if not repeats.any():
        notes.append(translated("No repeat purchase has an amount above zero: expected spend is zero."))
        return EmpiricalSpend(0.0), np.zeros((0, 0))
    x, m = x[repeats], m[repeats]
    mean = float(m.mean())
    problem = Problem(GammaGamma, (x, m / mean, np.ones_like(m)), mean)
    coarse = problem
    if len(x) > _MANY_REPEATERS:
        rounded = np.exp(_SPEND_STEP * np.round(np.log(m / mean) / _SPEND_STEP))
        coarse = Problem(GammaGamma, _counted(x, rounded), mean)
    best, remarks = _maximum(coarse, _lifetimes_maximum)
    if coarse is not problem:
        refined = refine(problem, best, principal_axes(coarse.slope, best, coarse.weight))
        best, remarks = (
            (refined, remarks) if refined is not None else maximum(problem, _lifetimes_maximum, best)
        )
    if at_edge(best).any():
        remarks[-1] += f" {edge_meaning(m)}"
    notes += remarks
    model: GammaGamma = problem.model(best)
    if model.q <= 1.0 or model.population_mean > _HEAVY_TAIL * mean:
        notes.append(
            translated(
                "Gamma-Gamma finds no finite mean spend (q = {q:.3g}): customers differ too much. Expected spend is a "
                "repeat buyer's own mean, and their mean, {mean:.2f}, for one-time buyers.",
                q=model.q,
                mean=mean,
            )
        )
        return EmpiricalSpend(mean), np.zeros((0, 0))
    return model, principal_axes(coarse.slope, best, coarse.weight)


def intensity_of_pauses(columns: Columns, repeat_days: RepeatDays) -> Intensity:
    """Return the intensity of the pauses before a feature table's snapshot; constant where there was none."""
    snapshot = snapshot_day(columns)
    pauses = repeat_days.before(snapshot).pauses
    return Intensity(snapshot, repeat_days.first_day, pauses=pauses) if pauses else CONSTANT


def dated_histories(columns: Columns, repeat_days: RepeatDays) -> DatedHistories:
    """Return the distinct histories in days, and how many customers share each."""
    x, recency, T, weights = _counted(*(floats_of(columns, name) for name in ("frequency", "recency", "T")))
    snapshot = snapshot_day(columns)
    days = recency.astype(np.int64), T.astype(np.int64)
    return DatedHistories(x, *days, weights, snapshot, repeat_days.before(snapshot))


def _counted(*columns: FloatArray, weights: FloatArray | None = None) -> tuple[FloatArray, ...]:
    """Return the distinct rows of the columns, and how many customers share each; rows may stand for several."""
    rows, place = distinct(*columns)
    return (*rows, np.bincount(place, weights).astype(np.float64))


def _lifetimes_maximum(problem: Problem, start: FloatArray | None) -> FloatArray | None:
    """Return the log-parameters that lifetimes finds, or None where it fails."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # its import's, and of overflow on its way
        import lifetimes
        from lifetimes.utils import ConvergenceError

        fitter = getattr(lifetimes, _FITTERS[problem.kind.name])()
        *data, weights = problem.data
        try:
            fitter.fit(*data, weights=weights, initial_params=start)
        except (ConvergenceError, ValueError, ArithmeticError, np.linalg.LinAlgError):
            return None
    return np.asarray(np.log(fitter.params_.to_numpy(dtype=np.float64)))


def _net_ratio(columns: Columns, notes: list[str]) -> float:
    """Return net over gross spend of all customers, at least 0."""
    gross, net = float(floats_of(columns, "gross_spend").sum()), float(floats_of(columns, "net_spend").sum())
    if gross <= 0.0:
        return 1.0
    if net <= 0.0:
        notes.append(
            translated(
                "Refunds ({refunds:,.2f}) exceed sales ({sales:,.2f}): expected spend is zero.",
                refunds=gross - net,
                sales=gross,
            )
        )
    return max(net / gross, 0.0)


def _as_tuples(matrix: FloatArray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in matrix.tolist())
