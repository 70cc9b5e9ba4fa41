"""What better retention, cheaper acquisition and more profit would add to the next cohort, from a log's closed cells.

A cohort's survivors are its active customers, its profit their margin. Each age's rates are those of all cohorts whose
cell is closed. Beyond the oldest of them the rates of the oldest fourth are repeated, retention at most 1: the very
oldest cell is that of one cohort, and its chance would be compounded over years.
"""

from __future__ import annotations

from itertools import count, takewhile

import numpy as np
import pandas as pd

from features.economics.cohort_plan import CohortPlan

PLANNED_DAYS = 5 * 365
TAIL_PART = 4  # the oldest fourth of the ages


def observed_plan(
    cells: pd.DataFrame, closed: np.ndarray, *, cac: float, rate: float, period_days: float
) -> CohortPlan | None:
    """Return the plan that a log's closed cells make, per acquired customer.

    Parameters
    ----------
    cells : DataFrame, as `features.economics.cohorts.triangle` returns it, of one segment
    closed : ndarray of bool, of the same length, the cells that no later log changes
    cac : float, money
    rate : float, yearly discount rate
    period_days : float, mean length of a period

    Returns
    -------
    CohortPlan of one customer over five years, or None where no cell is closed or margins are not known

    Examples
    --------
    >>> cells = pd.DataFrame({
    ...     "age": [0, 1, 0], "acquired": [10, 10, 30], "active": [8, 4, 24], "margin": [16.0, 12.0, 48.0]})
    >>> plan = observed_plan(cells, np.array([True, True, True]), cac=1, rate=0, period_days=365)
    >>> [float(each) for each in plan.retention], [float(each) for each in plan.profit]
    ([0.8, 0.5, 0.5, 0.5, 0.5], [2.0, 3.0, 3.0, 3.0, 3.0])
    """
    known = cells[closed & (cells["active"] > 0).to_numpy()]
    if known.empty or known["margin"].isna().any():
        return None
    by_age = dict(list(known.groupby("age")))
    ages = [by_age[age] for age in takewhile(by_age.__contains__, count())]
    if not ages:
        return None
    before = cells.assign(before=cells.groupby(_cohort(cells))["active"].shift().fillna(cells["acquired"]))[
        "before"
    ]
    retention = [own["active"].sum() / before.loc[own.index].sum() for own in ages]
    profit = [own["margin"].sum() / own["active"].sum() for own in ages]
    tail = pd.concat(ages[-max(1, len(ages) // TAIL_PART) :])
    repeated = min(1.0, tail["active"].sum() / before.loc[tail.index].sum())
    earned = tail["margin"].sum() / tail["active"].sum()
    length = max(len(ages), round(PLANNED_DAYS / period_days))
    further = length - len(ages)
    return CohortPlan(
        customers=1,
        cac=cac,
        rate=(1 + rate) ** (period_days / 365) - 1,
        retention=[*retention, *[repeated] * further],
        profit=[*profit, *[earned] * further],
        observed=True,
    )


def _cohort(cells: pd.DataFrame) -> pd.Series:
    """Return the number of each row's cohort: each begins with age 0."""
    return (cells["age"] == 0).cumsum()
