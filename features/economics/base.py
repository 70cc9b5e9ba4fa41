"""The customer base: who is active at the start and the end of each period, and how the one becomes the other.

Lost is who is active at the start and not at the end, new whose first purchase lies in the period and who is active at
its end, returned who had bought before, is active at the end and was not at the start. So, for any inactivity window,

``start + new + returned - lost = end``.

That holds for segments that change with time, too: in each period customers are in that of its start. Where such a
segment ends is not where it begins the next period: customers move (`features.economics.migration`).

Who bought for the first time in a period and is no longer active at its end has passed through: that takes a period
longer than the inactivity window.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.economics.facts import Facts

_ACQUIRED = """SELECT {segment} AS segment, facts.first_period AS period, count(*) AS acquired,
  count(*) FILTER (WHERE second_period > first_period OR second_period IS NULL) AS once_in_period,
  count(*) FILTER (WHERE second_day - first_day <= <inactivity>) AS repeated_in_window
FROM customers AS facts{members}
WHERE facts.first_day IS NOT NULL
GROUP BY 1, 2"""

_GAINED = """SELECT {segment} AS segment, facts.from_boundary - 1 AS period,
  count(*) FILTER (WHERE customers.first_period = facts.from_boundary - 1) AS new,
  count(*) FILTER (WHERE customers.first_period < facts.from_boundary - 1) AS returned
FROM active_runs AS facts
JOIN customers ON customers.customer = facts.customer{members}
GROUP BY 1, 2"""

_LOST = """SELECT {segment} AS segment, facts.to_boundary AS period, count(*) AS lost
FROM active_runs AS facts{members}
WHERE facts.to_boundary < <periods>
GROUP BY 1, 2"""

# Where segments change with time, a period does not begin with the customers with whom the one before ended.
_STARTED = """SELECT {segment} AS segment, starts.period AS period, count(*) AS start
FROM active_runs AS facts
JOIN starts ON starts.period BETWEEN facts.from_boundary AND facts.to_boundary{members}
GROUP BY 1, 2"""

_EVER = """SELECT {segment} AS segment, starts.period AS period, count(*) AS total_base_at_start
FROM customers AS facts
JOIN starts ON starts.period > facts.first_period{members}
GROUP BY 1, 2"""


def customer_base(facts: Facts) -> pd.DataFrame:
    """Count the customers of each segment and period by what became of them.

    Returns
    -------
    DataFrame of shape (n_segments · n_periods, 10), int64, by segment and period number
        start, new, returned, lost, end, passed_through, acquired, total_base_at_start, and of the acquired those with
        one purchase day by the period's end (once_in_period) and with a second one within the inactivity window
        (repeated_in_window).
    """
    acquired = _ACQUIRED.replace("<inactivity>", str(facts.inactivity_days))
    lost = _LOST.replace("<periods>", str(len(facts.periods)))
    periods = {acquired: "facts.first_period", _GAINED: "facts.from_boundary - 1", lost: "facts.to_boundary"}
    if facts.dated:
        periods |= {_STARTED: "starts.period", _EVER: "starts.period"}
    base = pd.concat([facts.grid(facts.by_segment(sql, at)) for sql, at in periods.items()], axis="columns")
    base = base.astype(np.int64)
    change = base["new"] + base["returned"] - base["lost"]
    if facts.dated:
        base["end"] = base["start"] + change
    else:
        base["end"] = change.groupby(level="segment").cumsum()
        base["start"] = base["end"] - change
        ever = base["acquired"].groupby(level="segment").cumsum()
        base["total_base_at_start"] = ever - base["acquired"]
    base["passed_through"] = base["acquired"] - base["new"]
    return base


def rates(base: pd.DataFrame) -> pd.DataFrame:
    """Return the rates of a customer base; empty where there is nobody to divide by.

    Returns
    -------
    DataFrame of shape (n_rows, 6), float64
        churn_rate, retention_rate, growth, gross_growth, total_base_growth in shares; tenure in periods.
    """
    start = base["start"].where(base["start"] > 0).astype(float)
    churn = base["lost"] / start
    total = base["total_base_at_start"].where(base["total_base_at_start"] > 0).astype(float)
    return pd.DataFrame(
        {
            "churn_rate": churn,
            "retention_rate": 1 - churn,
            "growth": (base["end"] - base["start"]) / start,
            "gross_growth": (base["new"] + base["returned"]) / start,
            "total_base_growth": base["acquired"] / total,
            "tenure": 1 / churn.where(churn > 0),
        }
    )
