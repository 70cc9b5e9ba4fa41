"""Maximum likelihood in log-parameters: the search, a check of convergence, and the standard errors.

All of it works on an *objective*: the mean negative log-likelihood per customer as a
function of the parameters' logarithms. So parameters stay positive, and one step means a ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from features.language import translated
from training.clv.quadrature import FloatArray

Model = TypeVar("Model")

Objective = Callable[[FloatArray], float]
Slope = Callable[[FloatArray], FloatArray]

# Beyond these a parameter means "nobody" or "everybody", and the likelihood is flat: a fit stops there.
LOWEST, HIGHEST = 1e-3, 1e3

_FLAT = 1e-4  # slope of the mean log-likelihood per log-parameter, below which a search has reached the top
_MOST_STEPS = 20  # of Newton's method
_STILL = 1e-6  # a step by which no log-parameter moves: the search has arrived
_STEP = 1e-3  # of the finite differences of slopes in a curvature
_WIDEST_AXIS = 1.0  # log scale: where the likelihood is flat, a parameter is taken as known within a factor e


@dataclass(frozen=True)
class Problem:
    """A model to fit and its data, scaled so that the parameters are near 1.

    Parameters
    ----------
    kind : type
        A frozen dataclass of parameters with ``log_likelihood(*data)``, its ``slope(*data)`` by their logarithms, and
        ``scale_parameters``, the names of those in the data's unit (of time, or of money).
    data : tuple of ndarrays of shape (n,)
        What ``log_likelihood`` takes; the last are the weights.
    unit : float
        The size of the data's unit.
    """

    kind: type[Any]
    data: tuple[FloatArray, ...]
    unit: float = 1.0

    @property
    def names(self) -> list[str]:
        """The parameters' names."""
        return [field.name for field in fields(self.kind)]

    @property
    def weight(self) -> float:
        """Number of customers."""
        return float(self.data[-1].sum())

    def objective(self, log_parameters: FloatArray) -> float:
        """Return the mean negative log-likelihood per customer."""
        with np.errstate(all="ignore"):  # a search may try anything
            model = self.kind(*np.exp(log_parameters).tolist())
            return float(-model.log_likelihood(*self.data) / self.weight)

    def slope(self, log_parameters: FloatArray) -> FloatArray:
        """Return the objective's slope by each log-parameter: about 0 at an optimum."""
        with np.errstate(all="ignore"):
            model = self.kind(*np.exp(log_parameters).tolist())
            return np.asarray(-model.slope(*self.data) / self.weight)

    @property
    def _units(self) -> FloatArray:
        return np.array([self.unit if name in self.kind.scale_parameters else 1.0 for name in self.names])

    def model(self, log_parameters: FloatArray) -> Any:
        """Return the model of these parameters, in the original unit."""
        return self.kind(*(np.exp(log_parameters) * self._units).tolist())

    def log_parameters(self, model: Any) -> FloatArray:
        """Return the log-parameters of a model: the inverse of `model`."""
        return np.asarray(np.log(np.array(astuple(model)) / self._units))


Search = Callable[[Problem, FloatArray | None], FloatArray | None]


def maximum(
    problem: Problem, search: Search | None, start: FloatArray | None = None
) -> tuple[FloatArray, list[str]]:
    """Return the log-parameters of maximum likelihood, and remarks on the search.

    The result of ``search`` is taken if it is a maximum inside the bounds: a search may fail without an error, and
    then the gradient where it stopped is not 0. Otherwise the likelihood is maximised within the bounds.

    Parameters
    ----------
    problem : Problem
    search : callable or None
        Takes the problem and a start (or None); returns log-parameters, or None where it fails.
    start : ndarray of shape (k,), optional

    Returns
    -------
    tuple of ndarray of shape (k,) and list of str
    """
    found = search(problem, start) if search else None
    if found is not None and not at_edge(found).any() and _is_flat(problem, found):
        return found, []
    title, remarks = problem.kind.title, []
    if search:
        remarks.append(
            translated(
                "{model}: lifetimes found no maximum; the same likelihood was maximised within bounds.",
                model=title,
            )
        )
    best = minimise(
        problem.objective, problem.slope, np.zeros(len(problem.names)) if start is None else start
    )
    edges = [name for name, edge in zip(problem.names, at_edge(best), strict=True) if edge]
    if edges:
        where = translated(
            "{model}: the maximum lies at the edge of the bounds ({names}).", model=title, names=edges
        )
        remarks.append(f"{where} {translated(problem.kind.at_edge) if problem.kind.at_edge else ''}".rstrip())
    return best, remarks


def _is_flat(problem: Problem, log_parameters: FloatArray) -> bool:
    return bool(np.abs(problem.slope(log_parameters)).max() < _FLAT)


def climb(problem: Problem) -> FloatArray | None:
    """Return the log-parameters of maximum likelihood by Newton's method, from parameters of 1.

    Several times cheaper than a search, where it arrives. No step exceeds a factor e.

    Returns
    -------
    ndarray of shape (k,), or None where it comes to an edge, or does not arrive
    """
    here = np.zeros(len(problem.names))
    for _ in range(_MOST_STEPS):
        if at_edge(here).any():
            return None
        axes = principal_axes(problem.slope, here, problem.weight)
        step = problem.weight * axes.T @ axes @ problem.slope(here)
        size = float(np.abs(step).max())
        if not np.isfinite(size):
            return None
        here = here - step / max(1.0, size)
        if size < _STILL:
            return here if _is_flat(problem, here) and not at_edge(here).any() else None
    return None


def refine(problem: Problem, start: FloatArray, axes: FloatArray) -> FloatArray | None:
    """Return the log-parameters of maximum likelihood by Newton's method, from the fit of a coarser copy.

    The copy's Hessian (`principal_axes`) serves, as it hardly differs: some ten times cheaper than a search.

    Returns
    -------
    ndarray of shape (k,), or None where the start lies at an edge or a few steps do not suffice
    """
    if at_edge(start).any():
        return None
    covariance = problem.weight * axes.T @ axes
    here = start
    for _ in range(_MOST_STEPS):
        step = covariance @ problem.slope(here)
        here = here - step
        if not np.abs(step).max() < 1.0:
            return None
        if np.abs(step).max() < _STILL:
            return None if at_edge(here).any() or not _is_flat(problem, here) else here
    return None


def minimise(objective: Objective, slope: Slope, start: FloatArray) -> FloatArray:
    """Return the log-parameters that minimise the objective within [LOWEST, HIGHEST].

    Parameters
    ----------
    objective : callable
    slope : callable
        Gives the objective's slope, of shape (k,), at log-parameters.
    start : ndarray of shape (k,), log-parameters; taken into the bounds

    Returns
    -------
    ndarray of shape (k,)

    Examples
    --------
    >>> minimise(lambda log_p: float((log_p[0] - 1.0) ** 2), lambda log_p: 2.0 * (log_p - 1.0), np.zeros(1)).round(4)
    array([1.])
    """
    bounds = [(np.log(LOWEST), np.log(HIGHEST))] * len(start)

    def finite(log_parameters: FloatArray) -> tuple[float, FloatArray]:
        value = objective(log_parameters)
        return (value, slope(log_parameters)) if np.isfinite(value) else (1e10, np.zeros_like(log_parameters))

    from scipy.optimize import minimize

    options = {"ftol": 1e-13, "gtol": 1e-8, "maxiter": 500}
    inside = np.clip(start, *bounds[0])
    result = minimize(finite, inside, method="L-BFGS-B", jac=True, bounds=bounds, options=options)
    return np.asarray(result.x, dtype=np.float64)


def at_edge(log_parameters: FloatArray) -> npt.NDArray[np.bool_]:
    """Return whether each parameter lies at the bounds, within a percent, or beyond, or is NaN.

    Examples
    --------
    >>> at_edge(np.log([0.5, 1e-3, 1e3]))
    array([False,  True,  True])
    """
    near = 0.01
    low, high = np.log(LOWEST) + near, np.log(HIGHEST) - near
    return np.asarray(~((log_parameters > low) & (log_parameters < high)))


def principal_axes(slope: Slope, log_parameters: FloatArray, n_customers: float) -> FloatArray:
    """Return the directions of the parameters' uncertainty, each one standard deviation long.

    The estimate's log-parameters are asymptotically normal with covariance ``(n·H)⁻¹``, H the objective's
    Hessian. With the axes as rows, ``axes.T @ axes`` is that covariance. Parameters at the bounds are taken
    as known, and a direction in which the likelihood is flat gets length 1 (a factor e).

    Parameters
    ----------
    slope : callable
        Gives the objective's slope, of shape (k,), at log-parameters.
    log_parameters : ndarray of shape (k,), the optimum
    n_customers : float, customers in the objective's mean

    Returns
    -------
    ndarray of shape (k, k)

    Examples
    --------
    A mean over 100 of squares with curvature 4 has a standard deviation of 1/√400:

    >>> principal_axes(lambda log_p: 4.0 * log_p, np.array([0.0]), 100.0).round(6)
    array([[0.05]])
    """
    size = len(log_parameters)
    steps = _STEP * np.eye(size)
    hessian = np.array([slope(log_parameters + step) - slope(log_parameters - step) for step in steps])
    hessian /= 2.0 * _STEP
    free, axes = ~at_edge(log_parameters), np.zeros((size, size))
    if not free.any():
        return axes
    information = n_customers * (hessian + hessian.T)[np.ix_(free, free)] / 2.0
    strength, directions = np.linalg.eigh(information)
    lengths = 1.0 / np.sqrt(np.maximum(strength, 1.0 / _WIDEST_AXIS**2))
    axes[np.ix_(np.flatnonzero(free), free)] = (directions * np.copysign(lengths, directions[0])).T
    return axes


def along(model: Model, axes: tuple[tuple[float, ...], ...]) -> tuple[Model, ...]:
    """Return the models one standard deviation up and down each of the `principal_axes`, in log-parameters.

    Examples
    --------
    >>> from training.clv.gammagamma import EmpiricalSpend
    >>> along(EmpiricalSpend(mean=30.0), ((0.1,),))
    (EmpiricalSpend(mean=33.155...), EmpiricalSpend(mean=27.145...))
    """
    parameters = np.array(astuple(model))  # type: ignore[call-overload]
    ways = [sign * np.array(axis) for axis in axes for sign in (1.0, -1.0)]
    return tuple(type(model)(*(parameters * np.exp(way)).tolist()) for way in ways)
