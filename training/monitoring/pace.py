"""Pace: purchases so far in a churn window that is still open, against what the deployed model expects by now.

Within a window the purchase model says how activity is spread over time; the deployed churn probability p says how
much there is in the whole window::

    P(a purchase by t) = (1 − p)·(1 − p0(t)) / (1 − p0(H)),    E[purchases by t] = (1 − p)·E(t) / (1 − p0(H))

with t in operational time, so that a season is no surprise. Customers of one shop are not independent: weeks differ by
more than chance. How much they usually do is measured at the training snapshots, each with the purchase model fitted
on what it sees, and stored with the version.

To give activity and purchases one scale, both are read as the *pace* of the customers' clock: P(a purchase by t)
rises with t by its elasticity, less than in proportion where most have bought already.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm, t as student

from features.snapshot import ChurnWindow, Snapshot
from features.table.columns import Columns, as_columns
from features.table.history import PurchaseHistory
from training.churn.model import ChurnModel
from training.clv.model import CLVModel
from training.model.retention_model import RetentionModel
from training.reference.pace import WEEK_DAYS, UsualPace, WeekPace
from training.reference.performance import between_windows, ratio_error
from training.snapshots.dataset import LabelledSnapshot
from training.snapshots.outcomes import outcomes

LOOK_WEEKS = 4
"""The latest weeks looked at, whole ones: the days of a week differ."""

MIN_EXPECTED = 20.0
"""Expected purchases, and customers with one, below which nothing is read."""

_TINY = 1e-12
_STEP = 1.1  # of the clock, either way, for the elasticity


@dataclass(frozen=True)
class ExpectedToDate:
    """What is expected of each customer some days after a snapshot.

    Parameters
    ----------
    active : ndarray of shape (n_customers,), P(a purchase by then)
    purchases : ndarray of shape (n_customers,)
    elasticity : float
        Change of the log of expected active customers per change of the log of the customers' pace.
    """

    active: np.ndarray
    purchases: np.ndarray
    elasticity: float


@dataclass(frozen=True)
class PaceReading:
    """Purchases to date, or the customers with one, beside what was to be expected.

    Parameters
    ----------
    gauge : str, "purchases" or "active_customers"
    live : int
    expected, low, high : float
        What the model expects, corrected by its usual error, and where chance and the usual differences between weeks
        put it.
    worse : bool
        Outside that, and off by more than the tolerance.
    """

    gauge: str
    live: int
    expected: float
    low: float
    high: float
    worse: bool


PACE_COLUMNS = ("snapshot_date", "days", *PaceReading.__dataclass_fields__)


def expect_to_date(
    churn: ChurnModel, clv: CLVModel, columns: Columns, snapshot: Snapshot, horizon_days: int, days: int
) -> ExpectedToDate:
    """Return what is expected of the customers of a snapshot within ``days`` of it, at most the horizon."""
    described = {**columns, **clv.predict(columns, horizon_days)}
    in_window = 1.0 - churn.predict(described, snapshot)
    share = in_window / np.maximum(1.0 - described["p0"], _TINY)
    x, t_x, T = clv.histories(columns)
    weeks = clv.weeks_ahead(columns, days)
    slow, now, fast = (
        share * (1.0 - clv.purchases.p_no_purchase(x, t_x, T, weeks * pace))
        for pace in (1 / _STEP, 1.0, _STEP)
    )
    purchases = share * clv.purchases.expected_purchases(x, t_x, T, weeks)
    rise = np.log(max(fast.sum(), _TINY) / max(slow.sum(), _TINY)) / (2 * np.log(_STEP))
    return ExpectedToDate(now, purchases, float(np.clip(rise, 0.1, 1.0)))


def usual_pace(model: RetentionModel, rows: Sequence[LabelledSnapshot]) -> UsualPace:
    """Measure at the training snapshots how far the pace of whole weeks is usually off.

    Parameters
    ----------
    model : RetentionModel
    rows : sequence of LabelledSnapshot
        Each with the purchase model fitted on what it sees.
    """
    horizon_days = model.terms.horizon_days
    weeks = []
    for week in range(1, min(LOOK_WEEKS, horizon_days // WEEK_DAYS) + 1):
        seen = []
        for row in rows:
            expected = expect_to_date(
                model.churn, row.clv, row.columns, row.snapshot, horizon_days, week * WEEK_DAYS
            )
            active = row.outcomes["days_to_purchase"].to_numpy() < week * WEEK_DAYS
            if active.any() and expected.active.sum() > 0:
                off = np.log(active.sum() / expected.active.sum()) / expected.elasticity
                seen.append((float(off), ratio_error(expected.active, active) / expected.elasticity))
        weeks.append(WeekPace(_mean(seen), between_windows(seen), len(seen)))
    return UsualPace(tuple(weeks))


def look(
    model: RetentionModel,
    usual: UsualPace,
    history: PurchaseHistory,
    opened: Snapshot,
    now: Snapshot,
    *,
    confidence: float,
    tolerance: float,
) -> pd.DataFrame:
    """Compare the latest whole weeks before ``now`` with what the model expects of them.

    Parameters
    ----------
    model : RetentionModel
    usual : UsualPace
    history : PurchaseHistory
    opened : Snapshot
        The model's own: the look begins there at the earliest.
    now : Snapshot
        The day after the log's last order.
    confidence : float in (0, 1)
        Probability that a reading is not worse while nothing changes.
    tolerance : float
        Share of what is expected that does not matter.

    Returns
    -------
    DataFrame of `PACE_COLUMNS`, one row per gauge; empty where a week has not passed, or too little is known
    """
    weeks = min((now.date - opened.date).days // WEEK_DAYS, len(usual.weeks))
    if weeks < 1 or not usual.known(weeks):
        return pd.DataFrame(columns=list(PACE_COLUMNS))
    days = weeks * WEEK_DAYS
    snapshot = now.days_earlier(days)
    table = history.features(snapshot)
    columns = as_columns(table.drop(columns="customer_id"))
    expected = expect_to_date(model.churn, model.clv, columns, snapshot, model.terms.horizon_days, days)
    after = outcomes(history, ChurnWindow(snapshot, days), table["customer_id"])
    gauges = (
        ("purchases", after["purchases"].to_numpy(), expected.purchases, 1.0),
        ("active_customers", 1 - after["churned"].to_numpy(), expected.active, expected.elasticity),
    )
    rows = [
        {"snapshot_date": str(snapshot), "days": days}
        | asdict(_reading(gauge, live, each, usual.weeks[weeks - 1], elasticity, confidence, tolerance))
        for gauge, live, each, elasticity in gauges
        if each.sum() >= MIN_EXPECTED
    ]
    return pd.DataFrame(rows, columns=list(PACE_COLUMNS))


def _reading(
    gauge: str,
    live: np.ndarray,
    expected: np.ndarray,
    usual: WeekPace,
    elasticity: float,
    confidence: float,
    tolerance: float,
) -> PaceReading:
    tail = (1 - confidence) / 2
    centre = expected.sum() * np.exp(usual.mean * elasticity)
    chance = norm.isf(tail) * ratio_error(expected, live)
    between = student.isf(tail, usual.windows - 1) * usual.deviation * elasticity
    margin = float(np.hypot(chance, between * np.sqrt(1 + 1 / usual.windows)))
    low, high = centre * np.exp(-margin), centre * np.exp(margin)
    total = int(live.sum())
    off = abs(total / centre - 1)
    return PaceReading(
        gauge, total, float(centre), float(low), float(high), not low <= total <= high and off > tolerance
    )


def pace_reasons(pace: pd.DataFrame) -> Iterable[str]:
    """Word what is off; the customers with a purchase only where their purchases are not."""
    worse = pace[pace["worse"]]
    for row in worse.head(1).itertuples():
        what = "purchases" if row.gauge == "purchases" else "customers with a purchase"
        less = "fewer" if row.live < row.expected else "more"
        yield (
            f"{row.live:,} {what} in the {row.days} days from {row.snapshot_date}, {less} than expected: "
            f"{row.expected:,.0f} ({row.low:,.0f} to {row.high:,.0f})"
        )


def _mean(seen: Sequence[tuple[float, float]]) -> float:
    return float(np.mean([off for off, _ in seen])) if seen else 0.0
