"""The cost of the next month by touchpoint and pool, judged on closed months against plain forecasts.

The forecast of a touchpoint is its touches per active customer-day in the last `TRAILING_MONTHS` closed months, times
the active customer-days that are expected, times what a touch costs on the month's first day. Expected are the month's
days times the customers active at its start, times how the days of the last months went by the customers active at
theirs. A pool is expected to cost what it did in the last closed month. It counts what follows the first purchase day
of customers of the log, as booked; acquisition is no cost of keeping.

Every closed month is forecast by the months before it, and so are three plain forecasts: the last month's cost, the
mean of the last three, the same month a year before. The error is the sum of absolute errors per sum of costs. The band
is such that `BAND` of the relative errors so far lie within it (split conformal); it is judged on later months too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.economics.cost_allocation import NOBODY, TOUCHED
from features.economics.cost_table import CostTable
from features.economics.facts import Facts
from features.economics.periods import Period, period_of
from features.economics.touches import THOUSANDTHS
from features.table.purchase_days import PURCHASE_DAYS

Floats = npt.NDArray[np.float64]

TRAILING_MONTHS, YEAR_MONTHS = 3, 12
FEWEST_MONTHS = 6
"""Closed months that the same month a year before has to be judged on to be in the race."""
BAND = 0.8
ALL = "all"
LAST, MEAN, YEAR_AGO = "last month", "mean of three months", "same month last year"
_EPOCH = date(1970, 1, 1)

_TOUCHES = f"""SELECT touchpoint, month, CAST(sum(quantity) AS BIGINT) AS quantity,
  CAST(coalesce(sum(touch_cents), 0) AS BIGINT) AS cents
FROM {TOUCHED}
WHERE keeping = 1 AND customer < {NOBODY} AND month IS NOT NULL
GROUP BY touchpoint, month"""

# A customer is active from the day after a purchase to the window's end or the day of the next purchase.
_CHANGES = f"""WITH spells AS (
  SELECT day + 1 AS since, least(day + {{inactivity}},
    coalesce(lead(day) OVER (PARTITION BY customer ORDER BY day), day + {{inactivity}})) + 1 AS until
  FROM {PURCHASE_DAYS}
  WHERE orders > 0
)
SELECT day, CAST(sum(change) AS BIGINT) AS change
FROM (
  SELECT since AS day, 1 AS change FROM spells UNION ALL SELECT until AS day, -1 AS change FROM spells
) AS changes
GROUP BY day"""


@dataclass(frozen=True)
class MonthlyCosts:
    """What each touchpoint and pool cost in each closed month, and what it is forecast from.

    Attributes
    ----------
    items : list of str, touchpoints and then pools
    pools : int, how many of them are pools
    cents : ndarray of shape (n_items, n_months)
    touches : ndarray of shape (n_touchpoints, n_months)
    unit_cents : ndarray of shape (n_touchpoints, n_months + 1), of the first day of each month and of the next one
    days, active : ndarrays of shape (n_months + 1,), days, and customers active at the start
    active_days : ndarray of shape (n_months,), days times customers active on them
    first : int, the first month that is neither provisional nor open
    """

    items: list[str]
    pools: int
    cents: Floats
    touches: Floats
    unit_cents: Floats
    days: Floats
    active: Floats
    active_days: Floats
    first: int

    @property
    def begun(self) -> npt.NDArray[np.int64]:
        """The month of each item's first cost, of shape (n_items,)."""
        first: npt.NDArray[np.int64] = np.argmax(self.cents > 0, axis=1)
        return first

    def by_rates(self, month: int) -> Floats:
        """Forecast a month by what was before it, of shape (n_items,)."""
        last = slice(month - TRAILING_MONTHS, month)
        went = self.active_days[last].sum() / max((self.days[last] * self.active[last]).sum(), 1.0)
        expected = self.days[month] * self.active[month] * went
        found = self.cents[:, month - 1].copy()
        for place in range(len(self.items) - self.pools):
            own = slice(max(last.start, int(self.begun[place])), month)
            rate = self.touches[place, own].sum() / max(self.active_days[own].sum(), 1.0)
            found[place] = rate * expected * np.nan_to_num(self.unit_cents[place, month])
        return found

    def by_last(self, month: int) -> Floats:
        """Return the costs of the month before."""
        return self.cents[:, month - 1]

    def by_mean(self, month: int) -> Floats:
        """Return the mean costs of the three months before, or of those since the item began."""
        found = np.zeros(len(self.items))
        for place, begun in enumerate(self.begun):
            own = self.cents[place, max(month - TRAILING_MONTHS, int(begun)) : month]
            found[place] = own.mean() if own.size else 0.0
        return found

    def by_year_ago(self, month: int) -> Floats:
        """Return the costs of the same month a year before."""
        return self.cents[:, month - YEAR_MONTHS]


@dataclass(frozen=True)
class Forecast:
    """The forecast of a month.

    Attributes
    ----------
    period : Period
    judged : int, closed months that it was judged on
    rows : DataFrame, a row for each item, the last for all
        cost_item; forecast_cents, low_cents, high_cents (NaN without enough months); forecast_error; plain_method,
        plain_cents and plain_error of the best of the plain forecasts; closer (bool or None); months_judged;
        band_tried and band_held, months that the band of the months before them was tried on, and held
    """

    period: Period
    judged: int
    rows: pd.DataFrame


def forecast_costs(facts: Facts, costs: CostTable) -> Forecast | None:
    """Forecast the first month that the log does not close, after `features.economics.cost_allocation.allocate`.

    Parameters
    ----------
    facts : Facts, whose periods are months
    costs : CostTable

    Returns
    -------
    Forecast; None where there is no cost or fewer than `TRAILING_MONTHS` months to learn from
    """
    months = monthly_costs(facts, costs)
    closed = months.cents.shape[1]
    if not months.items or closed - months.first < TRAILING_MONTHS:
        return None
    start = _EPOCH + timedelta(days=int(facts.periods.boundaries[closed]))
    tried, plain = _race(months, closed)
    actual = _with_total(months.cents[:, tried])
    rates = np.column_stack([_with_total(months.by_rates(month)) for month in (*tried, closed)])
    others = {
        name: np.column_stack([_with_total(method(month)) for month in (*tried, closed)])
        for name, method in plain.items()
    }
    begun = [*months.begun, int(months.begun.min())]
    rows = []
    for place, item in enumerate((*months.items, ALL)):
        known = np.array([month > begun[place] for month in tried], dtype=bool)
        rows.append({"cost_item": item, **_judged(actual[place], rates[place], _row(others, place), known)})
    return Forecast(period_of(start, "month", facts.periods.calendar), len(tried), pd.DataFrame(rows))


def monthly_costs(facts: Facts, costs: CostTable) -> MonthlyCosts:
    """Return the costs of keeping of each closed month, by touchpoint and pool."""
    closed = int(np.count_nonzero(~facts.periods.open))
    found = facts.query(_TOUCHES)
    found = found[found["month"] < closed]
    names = sorted(set(found.loc[found["cents"] > 0, "touchpoint"]) - costs.campaigns)
    tables = {
        name: found.pivot_table(index="touchpoint", columns="month", values=name, aggfunc="sum")
        .reindex(index=names, columns=range(closed))
        .fillna(0)
        .to_numpy(float)
        for name in ("cents", "quantity")
    }
    pooled: dict[str, Floats] = {}
    for pool, month in costs.pool_months(facts.periods):
        if month is not None and month < closed:
            pooled.setdefault(pool.pool, np.zeros(closed))[month] += pool.cents
    starts = facts.periods.boundaries[: closed + 1]
    units = [costs.unit_cents([name] * len(starts), starts, np.ones(len(starts))) for name in names]
    days = np.diff(np.append(starts, _next_boundary(facts, closed))).astype(np.float64)
    active = _active_days(facts)
    unsettled = facts.periods.unsettled(facts.inactivity_days)[:closed]
    offsets = starts - starts[0]
    sums = np.concatenate([[0.0], np.cumsum(active)])
    return MonthlyCosts(
        [*names, *sorted(pooled)],
        len(pooled),
        np.vstack([tables["cents"], *(pooled[name] for name in sorted(pooled))]),
        tables["quantity"] / THOUSANDTHS,
        np.array(units).reshape(len(names), closed + 1),
        days,
        active[offsets],
        np.asarray(np.diff(sums[offsets]), dtype=np.float64),
        int(np.count_nonzero(unsettled)),
    )


def _next_boundary(facts: Facts, closed: int) -> int:
    """Return the end of the month after the closed ones, as days since 1970-01-01."""
    start = _EPOCH + timedelta(days=int(facts.periods.boundaries[closed]))
    return (period_of(start, "month", facts.periods.calendar).end - _EPOCH).days


def _active_days(facts: Facts) -> Floats:
    """Return how many customers are active on each day from the first boundary to the last."""
    changes = facts.query(_CHANGES.format(inactivity=facts.inactivity_days))
    start, end = (int(day) for day in facts.periods.boundaries[[0, -1]])
    inside = changes[changes["day"] <= end]
    counts = np.bincount(inside["day"] - start, weights=inside["change"], minlength=end - start + 1)
    return np.cumsum(counts)


def _race(months: MonthlyCosts, closed: int) -> tuple[list[int], dict[str, Callable[[int], Floats]]]:
    """Return the months to judge on and the plain forecasts; that of a year before where it has months enough."""
    plain: dict[str, Callable[[int], Floats]] = {LAST: months.by_last, MEAN: months.by_mean}
    with_a_year = list(range(months.first + YEAR_MONTHS, closed))
    if len(with_a_year) >= FEWEST_MONTHS:
        return with_a_year, {**plain, YEAR_AGO: months.by_year_ago}
    return list(range(months.first + TRAILING_MONTHS, closed)), plain


def _with_total(cents: Floats) -> Floats:
    return np.concatenate([cents, cents.sum(axis=0, keepdims=True)])


def _row(tables: dict[str, Floats], place: int) -> dict[str, Floats]:
    return {name: table[place] for name, table in tables.items()}


def _judged(
    actual: Floats, rates: Floats, plain: dict[str, Floats], known: npt.NDArray[np.bool_]
) -> dict[str, object]:
    """Return the forecast of an item with its error, its band and the best plain forecast; the last is to come."""
    past, actual = rates[:-1][known], actual[known]
    errors = {name: _error(found[:-1][known], actual) for name, found in plain.items()}
    best = min(errors, key=lambda name: (np.isnan(errors[name]), errors[name]))
    own = _error(past, actual)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.abs(actual - past) / past
    relative = relative[~np.isnan(relative)]  # nothing expected, and nothing came
    width = band_width(relative)
    widths = np.array([band_width(relative[:count]) for count in range(len(relative))])
    tried = ~np.isnan(widths)
    return {
        "forecast_cents": rates[-1],
        "low_cents": max(0.0, rates[-1] * (1 - width)) if np.isfinite(width) else np.nan,
        "high_cents": rates[-1] * (1 + width) if np.isfinite(width) else np.nan,
        "forecast_error": own,
        "plain_method": best,
        "plain_cents": plain[best][-1],
        "plain_error": errors[best],
        "closer": None if np.isnan(own) else bool(own < errors[best]),
        "months_judged": len(actual),
        "band_tried": int(tried.sum()),
        "band_held": int((relative[tried] <= widths[tried]).sum()),
    }


def _error(forecast: Floats, actual: Floats) -> float:
    total = float(actual.sum())
    return float(np.abs(forecast - actual).sum()) / total if total > 0 else np.nan


def band_width(relative: Floats) -> float:
    """Return the relative error that the next one exceeds with a chance of at most 1 - `BAND`; NaN if they are too few.

    References
    ----------
    Vovk, Gammerman and Shafer (2005), Algorithmic Learning in a Random World: the ceil(BAND · (n + 1))-th smallest.

    Examples
    --------
    >>> band_width(np.array([0.1, 0.3, 0.2, 0.4])), band_width(np.array([0.1, 0.3, 0.2]))
    (0.4, nan)
    """
    place = ceil(BAND * (len(relative) + 1))
    return float(np.sort(relative)[place - 1]) if place <= len(relative) else float("nan")
