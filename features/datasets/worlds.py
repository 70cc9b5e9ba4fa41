"""Worlds: simulated shops in which the purchase models' assumptions hold, or fail in one way, with a year of truth.

While a customer is there, they buy at the rate ``λ·s(t)``, with one intensity s for all: on operational time
``Λ(t) = ∫ s`` (days / 7) the customers are those of `features.datasets.simulator`. A world may have

- an intensity over the calendar: a season, a trend, a rate that halved some days before the log's end;
- regular buyers: gaps between purchases are Erlang distributed instead of exponential, with the same mean;
- growth: the number of new customers per day grows exponentially;
- Pareto dropout (Schmittlein, Morrison, Colombo 1987, Counting Your Customers, Management Science 33(1)): a customer
  leaves after an exponential time with the rate ``μ ~ Gamma(s, rate β)`` a week, whether they buy or not.

`WORLDS` names those that the project is judged in, among them the businesses of `features.datasets.businesses`, whose
customers come on a clock of their own and buy at no rate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from features.datasets.businesses import BUSINESSES, Business
from features.datasets.simulated_world import SimulatedWorld, Span, log_and_future
from features.datasets.simulator import (
    SLOWEST_RATE,
    Floats,
    customer_names,
    draw_purchases,
    moments_after,
    require_ranges,
)
from features.errors import StayworthError
from features.suggestion import did_you_mean

LOG_DAYS = 900
"""Length of the log of a `World`."""

_YEAR_DAYS = 365.25
_WEEK_DAYS = 7.0


def _constant(days: Floats) -> Floats:
    return np.ones_like(days)


def _season(phase: float) -> Callable[[Floats], Floats]:
    return lambda days: 1.0 + 0.7 * np.sin(2 * np.pi * days / _YEAR_DAYS + phase)


def _slowing(days: Floats) -> Floats:
    return np.asarray(2.0 * np.exp(-0.7 * (days + LOG_DAYS) / _YEAR_DAYS))


def changed(factor: float, since: int) -> Callable[[Floats], Floats]:
    """Return the intensity of a shop whose customers buy ``factor`` times as often from a day on.

    Examples
    --------
    >>> changed(0.5, since=-30)(np.array([-31.0, -30.0, 10.0]))
    array([1. , 0.5, 0.5])
    """
    return lambda days: np.where(days >= since, factor, 1.0)


@dataclass(frozen=True)
class World:
    """How the customers of a simulated shop come, buy and leave.

    Parameters
    ----------
    intensity : callable
        The factor of everybody's purchase rate on each day, of days since the log's end (before it: negative).
    gap_shape : int, at least 1
        Shape of the Erlang distribution of the gaps; 1: exponential.
    growth : float, at least 0
        Log of how many times as many new customers come on the last day as on the first.
    lifetime : tuple of float, optional
        s and β, in weeks, of Pareto dropout; by default a customer leaves after a purchase, as in BG/NBD.
    span : Span
        The log's days, and the window that is asked about.
    """

    intensity: Callable[[Floats], Floats] = _constant
    gap_shape: int = 1
    growth: float = 0.0
    lifetime: tuple[float, float] | None = None
    span: Span = Span(date(2022, 1, 1), LOG_DAYS, horizon_days=90)


WORLDS: dict[str, World | Business] = {
    "stationary": World(),
    "peak-ahead": World(_season(0.0)),
    "trough-ahead": World(_season(np.pi)),
    "slowing": World(_slowing),
    "halved-180-days-ago": World(changed(0.5, -180)),
    "halved-30-days-ago": World(changed(0.5, -30)),
    "growing": World(growth=3.5),
    "pareto": World(lifetime=(0.6, 30.0)),
    "regular": World(gap_shape=3),
    **BUSINESSES,
}
"""The worlds by name."""


def simulate_world(
    world: str | World | Business,
    *,
    n_customers: int = 5_000,
    days: int | None = None,
    days_ahead: int = 365,
    r: float = 0.8,
    alpha: float = 8.0,
    a: float = 0.6,
    b: float = 4.0,
    p: float = 6.25,
    q: float = 3.74,
    v: float = 15.44,
    begins: date | None = None,
    seed: int = 0,
) -> SimulatedWorld:
    """Draw the log of a world, and what comes after it.

    Parameters
    ----------
    world : str of `WORLDS`, World or Business
    n_customers : int, at least 1
        Who first buy within the log.
    days, days_ahead : int, at least 1
        Of the log (by default as the world's span says), and of the truth after it.
    r, alpha, a, b, p, q, v : float, positive
        As in `simulate_log`, in operational weeks. Customers of a `Business` have no such rates.
    begins : datetime.date, the first day; by default the span's
    seed : int
        The same arguments give the same world.

    Raises
    ------
    StayworthError
        If there is no such world, or an argument is out of its range.

    Examples
    --------
    >>> peak = simulate_world("peak-ahead", n_customers=500, seed=1)
    >>> peak.ends, peak.outcomes(365).columns.tolist()
    (datetime.date(2024, 6, 19), ['purchases', 'spend'])
    >>> simulate_world("clinic", n_customers=500, seed=1).transactions["amount"].unique().to_pylist()
    [60.0, 90.0]
    """
    world = _named(world) if isinstance(world, str) else world
    days = world.span.days if days is None else days
    span = replace(world.span, begins=begins or world.span.begins, days=days)
    require_ranges(n_customers, (r, alpha, a, b, p, q, v), days / _WEEK_DAYS, 0.0, 0.0)
    rng = np.random.default_rng(seed)
    if isinstance(world, Business):
        return world.simulate(rng, n_customers, span, days_ahead)
    edges = np.arange(days + days_ahead + 1, dtype=np.float64)
    elapsed = np.concatenate([[0.0], np.cumsum(world.intensity(edges[:-1] - days)) / _WEEK_DAYS])
    rates = np.maximum(rng.gamma(r, 1 / alpha, n_customers), SLOWEST_RATE)
    dropouts = np.zeros(n_customers) if world.lifetime else rng.beta(a, b, n_customers)
    spends = p * v / rng.gamma(q, 1.0, n_customers)
    acquired = _acquisition(rng, n_customers, world.growth) * days
    leaves = acquired + _lifetimes(rng, n_customers, world)
    first = np.interp(acquired, edges, elapsed)
    observed = np.interp(leaves, edges, elapsed) - first  # to the end of the truth, if they leave later

    buyers, since, died = draw_purchases(rng, rates, dropouts, observed, world.gap_shape)
    at = np.interp(first[buyers] + since, elapsed, edges)
    left = np.interp(first + died, elapsed, edges)
    if world.lifetime:
        left = np.where(leaves < edges[-1], leaves, np.nan)
    amounts = np.round(rng.gamma(p, 1 / p, len(buyers)) * spends[buyers], 2)
    truth = {
        "customer_id": customer_names(n_customers).to_pandas(),
        "acquired_at": moments_after(span.begins, acquired / _WEEK_DAYS),
        "purchase_rate": rates,
        "dropout_probability": dropouts,
        "died_at": moments_after(span.begins, left / _WEEK_DAYS),
        "mean_spend": spends,
    }
    moments = moments_after(span.begins, at / _WEEK_DAYS)
    log, future = log_and_future(buyers, at, moments, amounts, days)
    return SimulatedWorld(log, pd.DataFrame(truth), future, span.ends, span.begins, elapsed)


def _named(name: str) -> World | Business:
    if name not in WORLDS:
        known = ", ".join(WORLDS)
        raise StayworthError(f"There is no world {name!r}.{did_you_mean(name, WORLDS)} There are: {known}.")
    return WORLDS[name]


def _acquisition(rng: np.random.Generator, n_customers: int, growth: float) -> Floats:
    """Return when the customers first buy, as shares of the log: the density is proportional to e^(growth·share)."""
    uniform = rng.uniform(0, 1, n_customers)
    return np.asarray(np.log1p(uniform * np.expm1(growth)) / growth) if growth else uniform


def _lifetimes(rng: np.random.Generator, n_customers: int, world: World) -> Floats:
    """Return the days after which customers leave whether they buy or not; infinite where they leave otherwise."""
    if world.lifetime is None:
        return np.full(n_customers, np.inf)
    s, beta = world.lifetime
    return np.asarray(
        _WEEK_DAYS * rng.standard_exponential(n_customers) / rng.gamma(s, 1 / beta, n_customers)
    )
