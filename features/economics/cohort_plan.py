"""The value of a cohort of customers as planned, and what changes of the plan would add."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from features.economics.figure_checks import require, require_discount_rate, require_share
from features.language import translated

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CohortPlan:
    """A cohort of customers as planned: what they cost, how many stay, what each brings in a year.

    Attributes
    ----------
    customers : float, at least 0, acquired today
    cac : float, money, cost of acquiring each, paid today
    rate : float, above -1, yearly discount rate
    retention : sequence of float in [0, 1], share that stays through each year
    profit : sequence of float, money, of each customer who stayed, at the end of each year
    observed : bool
        Whether rates are a log's: who comes back can make a retention exceed 1. "Year" then means a period.

    Raises
    ------
    StayworthError
        If the two sequences differ in length, or a number is out of range.

    Examples
    --------
    >>> plan = CohortPlan(100_000, 100, 0.15, retention=(0.60, 0.70), profit=(50, 70))
    >>> plan.surviving.round().tolist(), plan.discounted.round().tolist()
    ([60000.0, 42000.0], [2608696.0, 2223062.0])
    """

    customers: float
    cac: float
    rate: float
    retention: Sequence[float]
    profit: Sequence[float]
    observed: bool = False

    def __post_init__(self) -> None:
        require(
            len(self.retention) == len(self.profit) > 0,
            f"There are {len(self.retention)} retention rates and {len(self.profit)} profits. Give one of "
            f"each per year.",
        )
        if not self.observed:
            numbers = (self.customers, self.cac, self.rate, *self.retention, *self.profit)
            require(bool(np.isfinite(numbers).all()), "Each figure must be a number, and no infinite one.")
        for each in () if self.observed else self.retention:
            require_share(each, "A retention rate")
        require(self.customers >= 0 and self.cac >= 0, "Customers and CAC must not be negative.")
        if self.observed:
            require(self.rate > -1, "The discount rate must be above -100%.")
        else:
            require_discount_rate(self.rate)

    @property
    def surviving(self) -> Floats:
        """Customers left at the end of each year, of shape (n_years,)."""
        return self.customers * np.cumprod(np.asarray(self.retention, dtype=float))

    @property
    def discounted(self) -> Floats:
        """Profit of each year in today's money, of shape (n_years,)."""
        years = np.arange(1, len(self.profit) + 1)
        profit: Floats = self.surviving * np.asarray(self.profit, dtype=float) / (1 + self.rate) ** years
        return profit

    @property
    def cumulative(self) -> Floats:
        """Profit so far less the cost of acquisition, at the end of each year, of shape (n_years,)."""
        return np.cumsum(self.discounted) - self.customers * self.cac

    @property
    def value(self) -> float:
        """Profit of all years less the cost of acquisition."""
        return float(self.cumulative[-1])

    @property
    def payback_year(self) -> int | None:
        """The first year at whose end the cohort has paid for itself; None if it never does."""
        paid = np.flatnonzero(self.cumulative >= 0)
        return int(paid[0]) + 1 if paid.size else None


def what_if(
    plan: CohortPlan, *, retention_points: float = 0.01, cac_share: float = -0.10, profit_share: float = 0.05
) -> dict[str, float]:
    """Return what each change alone would add to a cohort's value, most money first.

    Parameters
    ----------
    plan : CohortPlan
        Without a cost of acquisition there is no change of it.
    retention_points : float, added to each year's retention, which stays in [0, 1]
    cac_share, profit_share : float, relative changes

    Returns
    -------
    dict of the change in words to money, in falling order

    Examples
    --------
    >>> plan = CohortPlan(100_000, 100, 0.15, retention=(0.60, 0.70), profit=(50, 70))
    >>> list(what_if(plan).items())[0]
    ('CAC -10%', 1000000.0)
    """
    points = [max(0.0, each + retention_points) for each in plan.retention]
    if not plan.observed:
        points = [min(1.0, each) for each in points]
    each_year, first_year = _retention_words(100 * retention_points, plan.observed)
    dearer = translated("profit {percent:+g}%", percent=100 * profit_share)
    changes = {
        each_year: replace(plan, retention=points),
        first_year: replace(plan, retention=[points[0], *plan.retention[1:]]),
        dearer: replace(plan, profit=[each * (1 + profit_share) for each in plan.profit]),
    }
    if plan.cac:
        changes[translated("CAC {percent:+g}%", percent=100 * cac_share)] = replace(
            plan, cac=plan.cac * (1 + cac_share)
        )
    gains = {change: changed.value - plan.value for change, changed in changes.items()}
    return dict(sorted(gains.items(), key=lambda entry: -entry[1]))


def _retention_words(points: float, observed: bool) -> tuple[str, str]:
    """Name a change of retention in each year and in the first; the years of an observed plan are periods."""
    one = math.isclose(abs(points), 1)
    change = (
        translated("{points:+g} point", points=points)
        if one
        else translated("{points:+g} points", points=points)
    )
    if observed:
        return (
            translated("retention {change} in each period", change=change),
            translated("retention {change} in the first period", change=change),
        )
    return (
        translated("retention {change} in each year", change=change),
        translated("retention {change} in year 1", change=change),
    )
