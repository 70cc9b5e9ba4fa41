"""The value model: how often customers buy (BG/NBD and its relatives), what they spend (Gamma-Gamma).

`fit_clv` fits both on one feature table; the `CLVModel` it returns holds numbers only, and scores with the
formulas of ``bgnbd.py`` and its neighbours. The maximum is searched by the ``lifetimes`` package, which this
module alone imports. Where its search fails (it does on young logs, sometimes without a word) the same
likelihood is maximised within bounds, and the model's ``notes`` say so.
"""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any, get_args

import numpy as np
import pandas as pd

from features.errors import FitError
from features.table.columns import Columns, as_columns
from training.clv import PurchaseModelName
from training.clv.bgnbd import BGNBD
from training.clv.gammagamma import EmpiricalSpend, GammaGamma, spend_correlation
from training.clv.likelihood import Problem, along, maximum, principal_axes, refine
from training.clv.mbgnbd import MBGNBD
from training.clv.paretonbd import ParetoNBD
from training.clv.quadrature import FloatArray, distinct
from training.clv.value import DAYS_PER_WEEK, CustomerValues, ValueTerms, customer_values

PurchaseModel = BGNBD | MBGNBD | ParetoNBD
PURCHASE_MODELS: dict[str, type[PurchaseModel]] = {
    name: import_module(f"training.clv.{name}").MODEL for name in get_args(PurchaseModelName)
}
SPEND_MODELS: dict[str, type[GammaGamma] | type[EmpiricalSpend]] = {
    model.name: model for model in (GammaGamma, EmpiricalSpend)
}

_LIFETIMES = {"bgnbd": "BetaGeoFitter", "mbgnbd": "ModifiedBetaGeoFitter", "gammagamma": "GammaGammaFitter"}
_FEW_HISTORIES = 5000  # distinct ones: more are first fitted on a grid of 1, 2, 4 or 8 weeks
_FEW_REPEATERS = 30
_CORRELATED = 0.3
_HEAVY_TAIL = 2.0  # a fitted mean spend this many times the observed one describes a tail


@dataclass(frozen=True)
class CLVModel:
    """Fitted models of purchases and spend.

    Parameters
    ----------
    purchases : BGNBD, MBGNBD or ParetoNBD, in weeks
    spend : GammaGamma or EmpiricalSpend
        Of gross spend per purchase day.
    net_ratio : float, at least 0
        Net over gross spend of the whole table: the share that refunds leave.
    correlation : float or None
        Of frequency and mean spend over repeat buyers; Gamma-Gamma supposes 0.
    n_customers, n_repeat_buyers : int
    log_likelihood : float
        Of the purchases.
    fitted_at : str
        Snapshot date of the table, ISO; empty if it had none.
    notes : tuple of str
        What a reader of the results should know about the fit; empty if all went well.
    purchase_axes, spend_axes : tuple of tuples of float
        Directions of the parameters' uncertainty (`training.clv.likelihood.principal_axes`).
    """

    purchases: PurchaseModel
    spend: GammaGamma | EmpiricalSpend
    net_ratio: float = 1.0
    correlation: float | None = None
    n_customers: int = 0
    n_repeat_buyers: int = 0
    log_likelihood: float = 0.0
    fitted_at: str = ""
    notes: tuple[str, ...] = ()
    purchase_axes: tuple[tuple[float, ...], ...] = field(default=(), repr=False)
    spend_axes: tuple[tuple[float, ...], ...] = field(default=(), repr=False)

    @cached_property
    def purchase_scenarios(self) -> tuple[PurchaseModel, ...]:
        """The models of purchases one standard deviation up and down each axis of uncertainty."""
        return along(self.purchases, self.purchase_axes)

    @cached_property
    def spend_scenarios(self) -> tuple[GammaGamma | EmpiricalSpend, ...]:
        """The models of spend, in the same way."""
        return along(self.spend, self.spend_axes)

    def predict(self, columns: Columns, horizon_days: int) -> dict[str, FloatArray]:
        """Predict each customer's next ``horizon_days``.

        Parameters
        ----------
        columns : Columns
            Of the feature table: frequency, recency and T in days, monetary_value.
        horizon_days : int, at least 1

        Returns
        -------
        dict of ndarrays of shape (n,)
            ``p0``: P(no purchase in the window). ``p0_just_bought``: the same, had a repeat buyer's last purchase
            been today: what of p0 is not silence. ``p_alive``: P(not gone for good); 1 for every one-time
            buyer under BG/NBD, so never a churn score. ``expected_purchases`` in the window.
            ``spend_per_purchase``: expected, net of refunds.
        """
        x, t_x, T = histories(columns)
        weeks = horizon_days / DAYS_PER_WEEK
        return {
            "p0": self.purchases.p_no_purchase(x, t_x, T, weeks),
            "p0_just_bought": self.purchases.p_no_purchase(x, np.where(x > 0, T, t_x), T, weeks),
            "p_alive": self.purchases.p_alive(x, t_x, T),
            "expected_purchases": self.purchases.expected_purchases(x, t_x, T, weeks),
            "spend_per_purchase": self.spend_per_purchase(columns),
        }

    def spend_per_purchase(
        self, columns: Columns, spend: GammaGamma | EmpiricalSpend | None = None
    ) -> FloatArray:
        """Return m, the expected spend per purchase net of refunds, ndarray of shape (n,).

        ``spend`` may name another model of gross spend than the fitted one.
        """
        x, m = _floats(columns, "frequency"), _floats(columns, "monetary_value")
        return (spend or self.spend).expected_spend(x, m) * self.net_ratio

    def next_purchase_days(self, columns: Columns, level: float = 0.5) -> FloatArray:
        """Return the days until a next purchase has come with probability ``level``; 0.5 is the median.

        Returns
        -------
        ndarray of shape (n,), days
            NaN where a purchase never comes with that probability: for the median, where "never" is likelier.
        """
        return self.purchases.next_purchase(*histories(columns), level) * DAYS_PER_WEEK

    def values(self, columns: Columns, terms: ValueTerms) -> CustomerValues:
        """Value the customers of a feature table in units of one purchase's margin."""
        return customer_values(self.purchases, *histories(columns), terms)

    def to_dict(self) -> dict[str, Any]:
        """Return the model as JSON can hold it; floats come back exactly."""
        numbers = asdict(self)
        numbers["purchases"] = {"name": self.purchases.name} | numbers["purchases"]
        numbers["spend"] = {"name": self.spend.name} | numbers["spend"]
        return dict(json.loads(json.dumps(numbers)))  # tuples to lists

    @classmethod
    def from_dict(cls, numbers: dict[str, Any]) -> CLVModel:
        """Build the model that `to_dict` described."""
        purchases, spend = dict(numbers["purchases"]), dict(numbers["spend"])
        rebuilt = {
            "purchases": PURCHASE_MODELS[purchases.pop("name")](**purchases),
            "spend": SPEND_MODELS[spend.pop("name")](**spend),
            "notes": tuple(numbers["notes"]),
            "purchase_axes": tuple(map(tuple, numbers["purchase_axes"])),
            "spend_axes": tuple(map(tuple, numbers["spend_axes"])),
        }
        return cls(**(numbers | rebuilt))


def fit_clv(table: pd.DataFrame, model: str = "bgnbd") -> CLVModel:
    """Fit purchases and spend on a feature table.

    Parameters
    ----------
    table : DataFrame
        Feature table of one snapshot: frequency, recency, T (days), monetary_value, gross_spend, net_spend.
    model : {"bgnbd", "mbgnbd", "paretonbd"}

    Returns
    -------
    CLVModel

    Raises
    ------
    FitError
        If the table is empty or has no repeat buyer: rates and dropout show in repeat purchases only.
    """
    if model not in PURCHASE_MODELS:
        raise FitError(f"There is no purchase model {model!r}. Use one of: {', '.join(PURCHASE_MODELS)}.")
    columns = as_columns(table)
    x, t_x, T = histories(columns)
    fitted_at = str(table["snapshot_date"].iloc[0])[:10] if "snapshot_date" in table and len(table) else ""
    repeaters = int((x > 0).sum())
    if repeaters == 0:
        before = f" before {fitted_at}" if fitted_at else ""
        raise FitError(
            f"None of the {len(x):,} customers has bought on a second day{before}: how often "
            "they buy and when they stop cannot be fitted. Use a log that covers more time, a later snapshot "
            "date, or check that --customer-column names the customer and not the order."
        )
    notes: list[str] = []
    if repeaters < _FEW_REPEATERS:
        notes.append(f"Only {repeaters} of {len(x):,} customers bought on a second day: the fit is a guess.")
    m = _floats(columns, "monetary_value")
    purchases, purchase_axes = _fit_purchases(PURCHASE_MODELS[model], (x, t_x, T), notes)
    spend, spend_axes = _fit_spend(x, m, notes)
    correlation = spend_correlation(x, m)
    if correlation is not None and abs(correlation) > _CORRELATED:
        notes.append(
            f"Frequency and mean spend are correlated ({correlation:+.2f}), and Gamma-Gamma supposes they "
            "are not: check the expected spend of the most frequent buyers."
        )
    return CLVModel(
        purchases=purchases,
        spend=spend,
        net_ratio=_net_ratio(columns, notes),
        correlation=correlation,
        n_customers=len(x),
        n_repeat_buyers=repeaters,
        log_likelihood=purchases.log_likelihood(*_counted(x, t_x, T)),
        fitted_at=fitted_at,
        notes=tuple(notes),
        purchase_axes=_as_tuples(purchase_axes),
        spend_axes=_as_tuples(spend_axes),
    )


def histories(columns: Columns) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return frequency, and recency and T in weeks, of a feature table in days."""
    days = _floats(columns, "recency"), _floats(columns, "T")
    return _floats(columns, "frequency"), days[0] / DAYS_PER_WEEK, days[1] / DAYS_PER_WEEK


def _fit_purchases(
    kind: type[PurchaseModel], columns: tuple[FloatArray, ...], notes: list[str]
) -> tuple[PurchaseModel, FloatArray]:
    """Return the model at the maximum, and the axes of its uncertainty."""
    x, t_x, T = columns
    span = float(T.max())
    search = _lifetimes_maximum if kind.name in _LIFETIMES else None
    exact = Problem(kind, _counted(x, t_x / span, T / span), span)
    coarse, grid = exact, 1.0
    while len(coarse.data[0]) > _FEW_HISTORIES and grid <= 8.0:
        data = _counted(x, grid * np.round(t_x / grid) / span, grid * np.round(T / grid) / span)
        coarse, grid = Problem(kind, data, span), 2.0 * grid
    best, remarks = maximum(coarse, search)
    axes = principal_axes(coarse.objective, best, coarse.weight)
    if coarse is not exact:
        refined = refine(exact, best, axes)
        best, remarks = (refined, remarks) if refined is not None else maximum(exact, search, best)
    notes += remarks
    return exact.model(best), axes


def _fit_spend(
    x: FloatArray, m: FloatArray, notes: list[str]
) -> tuple[GammaGamma | EmpiricalSpend, FloatArray]:
    """Return the model of spend at the maximum, or the observed mean, and the axes of its uncertainty."""
    repeats = (x > 0) & (m > 0)
    if not repeats.any():
        notes.append("No repeat purchase has an amount above zero: expected spend is zero.")
        return EmpiricalSpend(0.0), np.zeros((0, 0))
    x, m = x[repeats], m[repeats]
    mean = float(m.mean())
    problem = Problem(GammaGamma, (x, m / mean, np.ones_like(m)), mean)
    best, remarks = maximum(problem, _lifetimes_maximum)
    notes += remarks
    model: GammaGamma = problem.model(best)
    if model.q <= 1.0 or model.population_mean > _HEAVY_TAIL * mean:
        notes.append(
            f"Gamma-Gamma finds no finite mean spend (q = {model.q:.3g}): customers differ too much. "
            f"Expected spend is a repeat buyer's own mean, and their mean, {mean:.2f}, for one-time buyers."
        )
        return EmpiricalSpend(mean), np.zeros((0, 0))
    return model, principal_axes(problem.objective, best, problem.weight)


def _counted(*columns: FloatArray) -> tuple[FloatArray, ...]:
    """Return the distinct rows of the columns, and how many customers share each."""
    rows, place = distinct(*columns)
    return (*rows, np.bincount(place).astype(np.float64))


def _lifetimes_maximum(problem: Problem, start: FloatArray | None) -> FloatArray | None:
    """Return the log-parameters that lifetimes finds, or None where it fails."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # its import's, and of overflow on its way
        import lifetimes
        from lifetimes.utils import ConvergenceError

        fitter = getattr(lifetimes, _LIFETIMES[problem.kind.name])()
        *data, weights = problem.data
        try:
            fitter.fit(*data, weights=weights, initial_params=start)
        except (ConvergenceError, ValueError, ArithmeticError, np.linalg.LinAlgError):
            return None
    return np.asarray(np.log(fitter.params_.to_numpy(dtype=np.float64)))


def _net_ratio(columns: Columns, notes: list[str]) -> float:
    """Return net over gross spend of all customers, at least 0."""
    gross, net = float(_floats(columns, "gross_spend").sum()), float(_floats(columns, "net_spend").sum())
    if gross <= 0.0:
        return 1.0
    if net <= 0.0:
        notes.append(f"Refunds ({gross - net:,.2f}) exceed sales ({gross:,.2f}): expected spend is zero.")
    return max(net / gross, 0.0)


def _floats(columns: Columns, name: str) -> FloatArray:
    return np.ascontiguousarray(columns[name], dtype=np.float64)


def _as_tuples(matrix: FloatArray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in matrix.tolist())
