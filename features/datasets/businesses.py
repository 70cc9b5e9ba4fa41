"""Businesses whose customers come on a clock of their own: worlds that no purchase rate describes.

The purchase models know of a customer a rate, at which they buy at any moment, and a mean amount. Here

- patients of a clinic have two clocks: a check-up every year, at one price, and now and then a course of treatment,
  visits at 7 or 14 days, at another. Silence of 300 days says nothing of the first, and of 30 that a course is over;
- weekly shoppers have a step of 7, 14 or 28 days: two weeks of silence are news of some and none of others. Visits that
  they skip, and holidays, look like leaving;
- subscribers get a box every 30 days, at the price of their plan, until they leave for good: who is two days late has
  left. The extras that they order at times, at another price, belong to no clock;
- donors give once, in December, and not in every one; some give every month. Eleven months of silence say nothing.

Orders have dates, no times of day. A customer's first order falls evenly into the log's days (of a yearly donor, into
those in December); they leave after an exponential time, whether they buy or not, and order nothing from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.datasets.simulated_world import SimulatedWorld, Span, log_and_future
from features.datasets.simulator import Floats, Indices, customer_names
from features.errors import StayworthError

_DAY_SECONDS = 86_400
_YEAR_DAYS = 365
_DECEMBER = 12


@dataclass(frozen=True, eq=False)
class DrawnOrders:
    """Orders and customers of a business; days count from the log's first.

    Parameters
    ----------
    buyers : ndarray of shape (n_orders,)
        Whose order it is, from 0.
    at : ndarray of shape (n_orders,), whole days
    amounts : ndarray of shape (n_orders,), money
    first : ndarray of shape (n_customers,), whole days
        Of the first order.
    leaves : ndarray of shape (n_customers,), days
        When customers leave: all their orders are earlier.
    traits : mapping of ndarrays of shape (n_customers,)
        What else is true of each customer, by name.
    """

    buyers: Indices
    at: Floats
    amounts: Floats
    first: Floats
    leaves: Floats
    traits: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Business:
    """A kind of business, whose customers come by a rule instead of a rate.

    Parameters
    ----------
    draw : callable
        Draws the orders of so many customers who first buy within the span, up to a day (since the log's first).
    span : Span
        The log's days, long enough to learn from windows of its horizon.
    """

    draw: Callable[[np.random.Generator, int, Span, int], DrawnOrders]
    span: Span

    def simulate(
        self, rng: np.random.Generator, n_customers: int, span: Span, days_ahead: int
    ) -> SimulatedWorld:
        """Draw the log of the span, and what comes after it.

        Parameters
        ----------
        rng : numpy.random.Generator
        n_customers : int, at least 1
        span : Span, in place of the business's own
        days_ahead : int, at least 1

        Raises
        ------
        StayworthError
            If no customer could first buy within the span.
        """
        until = span.days + days_ahead
        drawn = self.draw(rng, n_customers, span, until)
        left = _moments(span.begins, drawn.leaves)
        truth = {
            "customer_id": customer_names(n_customers).to_pandas(),
            "acquired_at": _moments(span.begins, drawn.first),
            "died_at": np.where(drawn.leaves < until, left, np.datetime64("NaT", "s")),
            **drawn.traits,
        }
        moments = _moments(span.begins, drawn.at)
        log, future = log_and_future(drawn.buyers, drawn.at, moments, drawn.amounts, span.days)
        elapsed = np.arange(until + 1) / 7.0
        return SimulatedWorld(log, pd.DataFrame(truth), future, span.ends, span.begins, elapsed)


def _clinic(rng: np.random.Generator, n_customers: int, span: Span, until: int) -> DrawnOrders:
    """Draw check-ups at 60 every 365 ± 20 days, and .35 courses a year of 4 to 10 visits at 90, for 5 years on average.

    A course's visits are 7 or 14 days apart, each at most a day late.
    """
    first, leaves, ends = _stays(rng, rng.integers(0, span.days, n_customers), 5 * _YEAR_DAYS, until)
    checked, checked_at = _visits(first, ends, lambda who: np.rint(rng.normal(_YEAR_DAYS, 20, len(who))))

    treated = np.repeat(np.arange(n_customers), rng.poisson(0.35 / _YEAR_DAYS * (ends - first)))
    begun = np.floor(rng.uniform(first[treated], ends[treated]))
    step, visits = rng.choice([7, 14], len(treated)), rng.integers(4, 11, len(treated))
    number = np.arange(10)
    at = begun[:, None] + step[:, None] * number + rng.integers(0, 2, (len(treated), 10))
    course, visit = np.nonzero((number < visits[:, None]) & (at < ends[treated][:, None]))

    buyers = np.concatenate([checked, treated[course]])
    amounts = np.repeat([60.0, 90.0], [len(checked), len(course)])
    return DrawnOrders(buyers, np.concatenate([checked_at, at[course, visit]]), amounts, first, leaves)


def _weekly_shoppers(rng: np.random.Generator, n_customers: int, span: Span, until: int) -> DrawnOrders:
    """Draw shoppers with a step of 7 (40%), 14 (40%) or 28 days, give or take one, for 1.2 years on average.

    They skip 12% of their visits, and after 2% are away for 2 to 5 weeks. Baskets: lognormal, σ .3, around a mean of
    each customer's own, Gamma(4, scale 10).
    """
    first, leaves, ends = _stays(rng, rng.integers(0, span.days, n_customers), 1.2 * _YEAR_DAYS, until)
    step = rng.choice([7, 14, 28], n_customers, p=[0.4, 0.4, 0.2])
    mean_spend = rng.gamma(4, 10, n_customers)

    def gap(who: Indices) -> Floats:
        away = 7 * rng.integers(2, 6, len(who)) * (rng.random(len(who)) < 0.02)
        return (step[who] + rng.integers(-1, 2, len(who)) + away).astype(np.float64)

    buyers, at = _visits(first, ends, gap)
    comes = rng.random(len(buyers)) >= 0.12
    comes[:n_customers] = True  # the first visits, by which customers are known
    buyers, at = buyers[comes], at[comes]
    traits = {"step_days": step, "mean_spend": mean_spend}
    return DrawnOrders(buyers, at, _around(rng, mean_spend[buyers]), first, leaves, traits)


def _subscribers(rng: np.random.Generator, n_customers: int, span: Span, until: int) -> DrawnOrders:
    """Draw subscribers to a box of 12, 25 or 60 every 30 days, for 300 days on average.

    Between two boxes they order an extra, at 40, at a rate of each customer's own: Gamma(.5, scale .6) in 12 boxes.
    """
    first, leaves, ends = _stays(rng, rng.integers(0, span.days, n_customers), 300, until)
    price = rng.choice([12.0, 25.0, 60.0], n_customers)
    extras = rng.gamma(0.5, 0.6, n_customers)

    boxed, boxed_at = _visits(first, ends, lambda who: np.full(len(who), 30.0))
    extra_at = boxed_at + rng.integers(2, 30, len(boxed))
    more = (rng.random(len(boxed)) < extras[boxed] / 12) & (extra_at < ends[boxed])

    buyers = np.concatenate([boxed, boxed[more]])
    amounts = np.concatenate([price[boxed], np.full(int(more.sum()), 40.0)])
    traits = {"price": price, "extras_per_12_boxes": extras}
    return DrawnOrders(buyers, np.concatenate([boxed_at, extra_at[more]]), amounts, first, leaves, traits)


def _yearly_donors(rng: np.random.Generator, n_customers: int, span: Span, until: int) -> DrawnOrders:
    """Draw donors of whom 90% give in 80% of the Decembers, for 8 years on average, the others every 28 to 33 days.

    Who gives every month leaves after 900 days on average. Gifts: lognormal, σ .3, around a mean of each donor's own,
    1 + Gamma(3, scale 15).
    """
    days = [span.begins + timedelta(days=day) for day in range(until)]
    in_december = np.flatnonzero([day.month == _DECEMBER for day in days[: span.days]])
    if not len(in_december):
        raise StayworthError(
            f"Donors give in December, and {span.days} days from {span.begins} have none: draw at least a year."
        )
    monthly = rng.random(n_customers) < 0.1
    first = np.where(monthly, rng.integers(0, span.days, n_customers), rng.choice(in_december, n_customers))
    first, leaves, ends = _stays(rng, first, np.where(monthly, 900, 8 * _YEAR_DAYS), until)
    mean_spend = 1 + rng.gamma(3, 15, n_customers)

    buyers, at = _visits(
        first, np.where(monthly, ends, first), lambda who: rng.integers(28, 34, len(who)).astype(np.float64)
    )
    given, given_at = [buyers], [at]
    for begun in (day for day in range(until) if (days[day].month, days[day].day) == (_DECEMBER, 1)):
        day = begun + rng.integers(0, 31, n_customers)
        gives = rng.random(n_customers) < 0.8
        donors = np.flatnonzero(~monthly & gives & (first < begun) & (day < ends))
        given.append(donors)
        given_at.append(day[donors].astype(np.float64))
    buyers = np.concatenate(given)
    traits = {"gives_monthly": monthly, "mean_spend": mean_spend}
    amounts = _around(rng, mean_spend[buyers])
    return DrawnOrders(buyers, np.concatenate(given_at), amounts, first, leaves, traits)


def _stays(
    rng: np.random.Generator, first: npt.NDArray[Any], mean_days: float | Floats, until: int
) -> tuple[Floats, Floats, Floats]:
    """Return the days on which customers come, on which they leave, and up to which they are drawn."""
    leaves = first + rng.exponential(mean_days, len(first))
    return first.astype(np.float64), leaves, np.minimum(leaves, until)


def _visits(first: Floats, ends: Floats, gap: Callable[[Indices], Floats]) -> tuple[Indices, Floats]:
    """Return who comes on which day: on their first, whatever happens, and after gaps for as long as they are there."""
    who, at = np.arange(len(first)), first
    visitors, days = [who], [at]
    while len(who):  # one round a visit: all who are still there, at once
        at = at + gap(who)
        there = at < ends[who]
        who, at = who[there], at[there]
        visitors.append(who)
        days.append(at)
    return np.concatenate(visitors), np.concatenate(days)


def _around(rng: np.random.Generator, means: Floats) -> Floats:
    """Return lognormal amounts, σ .3, of these means, in cents."""
    sigma = 0.3
    return np.round(means * rng.lognormal(-(sigma**2) / 2, sigma, len(means)), 2)


def _moments(begins: date, days: Floats) -> npt.NDArray[np.datetime64]:
    """Return the moments so many days after the first, to the second; whole days exactly."""
    return np.datetime64(begins, "s") + np.floor(days * _DAY_SECONDS).astype("timedelta64[s]")


BUSINESSES: dict[str, Business] = {
    "clinic": Business(_clinic, Span(date(2019, 1, 1), 1_461, horizon_days=90)),
    "weekly-shoppers": Business(_weekly_shoppers, Span(date(2019, 1, 1), 1_461, horizon_days=14)),
    "subscribers": Business(_subscribers, Span(date(2019, 1, 1), 1_461, horizon_days=30)),
    "yearly-donors": Business(_yearly_donors, Span(date(2017, 1, 1), 2_191, horizon_days=365)),
}
"""The businesses by name. Their logs end with 2022: the 365 days that follow have one December, and all of it."""
