"""Pace: purchases so far in a churn window that is still open, against what the deployed model expects by now.

Within a window the purchase model says how activity is spread over time; the deployed churn probability p says how
much there is in the whole window::

    P(a purchase by t) = (1 − p)·(1 − p0(t)) / (1 − p0(H)),    E[purchases by t] = (1 − p)·E(t) / (1 − p0(H))

with t in operational time, so that a season is no surprise. Customers of one shop are not independent: weeks differ by
more than chance. How much they usually do, and what the model usually misses, is measured at the training snapshots,
each with the purchase model fitted on what it sees, and stored with the version.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm, t as student

from features.language import translatable, translated
from features.snapshot import ChurnWindow, Snapshot
from features.table.columns import Columns, as_columns
from features.table.history import PurchaseHistory
from training.churn.model import ChurnModel
from training.clv.model import CLVModel
from training.model.retention_model import RetentionModel
from training.reference.pace import PACE_GAUGES, WEEK_DAYS, UsualPace, WeekPace
from training.reference.performance import between_windows, ratio_error
from training.snapshots.dataset import LabelledSnapshot
from training.snapshots.outcomes import outcomes

LOOK_WEEKS = 4
"""The latest weeks looked at, whole ones: the days of a week differ."""

MIN_EXPECTED = 20.0
"""Expected purchases, or customers with one, below which nothing is read."""

_TINY = 1e-12


@dataclass(frozen=True)
class ExpectedToDate:
    """What is expected of each customer some days after a snapshot.

    Parameters
    ----------
    active : ndarray of shape (n_customers,), P(a purchase by then)
    purchases : ndarray of shape (n_customers,)
    """

    active: np.ndarray
    purchases: np.ndarray


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
    share = _share_in_window(churn, clv, columns, snapshot, horizon_days)
    return _expected(clv, columns, share, days)


def _share_in_window(
    churn: ChurnModel, clv: CLVModel, columns: Columns, snapshot: Snapshot, horizon_days: int
) -> np.ndarray:
    """Return the probability of a purchase in the window, over the purchase model's own."""
    described = {**columns, **clv.predict(columns, horizon_days)}
    in_window = 1.0 - churn.predict(described, snapshot)
    return np.asarray(in_window / np.maximum(1.0 - described["p0"], _TINY))


def _expected(clv: CLVModel, columns: Columns, share: np.ndarray, days: int) -> ExpectedToDate:
    x, t_x, T = clv.histories(columns)
    weeks = clv.weeks_ahead(columns, days)
    return ExpectedToDate(
        active=share * (1.0 - clv.purchases.p_no_purchase(x, t_x, T, weeks)),
        purchases=share * clv.purchases.expected_purchases(x, t_x, T, weeks),
    )


def usual_pace(
    model: RetentionModel, history: PurchaseHistory, rows: Sequence[LabelledSnapshot]
) -> UsualPace:
    """Measure at the training snapshots how far the totals of a window's first weeks usually are from expectation.

    Parameters
    ----------
    model : RetentionModel
    history : PurchaseHistory
        Of the log that the model was trained on.
    rows : sequence of LabelledSnapshot
        Each with the purchase model fitted on what it sees; their windows have closed.
    """
    horizon_days = model.terms.horizon_days
    looks = [WEEK_DAYS * week for week in range(1, min(LOOK_WEEKS, horizon_days // WEEK_DAYS) + 1)]
    totals: list[list[dict[str, tuple[np.ndarray, np.ndarray]]]] = [[] for _ in looks]
    for row in rows:
        columns, churn = row.columns, model.churn.as_known_at(rows, row.snapshot)
        share = _share_in_window(churn, row.clv, columns, row.snapshot, horizon_days)
        for days, of_look in zip(looks, totals, strict=True):
            expected = _expected(row.clv, columns, share, days)
            of_look.append(_totals(history, row.snapshot, days, row.table["customer_id"], expected))
    weeks = [[_usual([each[gauge] for each in of_look]) for gauge in PACE_GAUGES] for of_look in totals]
    return UsualPace(*zip(*weeks, strict=True)) if weeks else UsualPace()


def _totals(
    history: PurchaseHistory, snapshot: Snapshot, days: int, ids: pd.Series, expected: ExpectedToDate
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return what each customer did within days of a snapshot, and what was expected, by gauge."""
    after = outcomes(history, ChurnWindow(snapshot, days), ids)
    return {
        "purchases": (after["purchases"].to_numpy(), expected.purchases),
        "active_customers": (1 - after["churned"].to_numpy(), expected.active),
    }


def _usual(totals: Sequence[tuple[np.ndarray, np.ndarray]]) -> WeekPace:
    seen = [
        (float(np.log(live.sum() / expected.sum())), ratio_error(expected, live))
        for live, expected in totals
        if live.sum() > 0 and expected.sum() > 0
    ]
    mean = float(np.mean([off for off, _ in seen])) if seen else 0.0
    return WeekPace(mean, between_windows(seen), len(seen))


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
    weeks = min((now.date - opened.date).days // WEEK_DAYS, usual.known_weeks)
    if weeks < 1:
        return pd.DataFrame(columns=list(PACE_COLUMNS))
    days = weeks * WEEK_DAYS
    snapshot = now.days_earlier(days)
    table = history.features(snapshot)
    columns = as_columns(table.drop(columns="customer_id"))
    expected = expect_to_date(model.churn, model.clv, columns, snapshot, model.terms.horizon_days, days)
    totals = _totals(history, snapshot, days, table["customer_id"], expected)
    rows = [
        {"snapshot_date": str(snapshot), "days": days}
        | asdict(_reading(gauge, *totals[gauge], getattr(usual, gauge)[weeks - 1], confidence, tolerance))
        for gauge in PACE_GAUGES
        if totals[gauge][1].sum() >= MIN_EXPECTED
    ]
    return pd.DataFrame(rows, columns=list(PACE_COLUMNS))


def _reading(
    gauge: str,
    live: np.ndarray,
    expected: np.ndarray,
    usual: WeekPace,
    confidence: float,
    tolerance: float,
) -> PaceReading:
    tail = (1 - confidence) / 2
    centre = expected.sum() * np.exp(usual.mean)
    error = ratio_error(expected, live) if live.any() else 1 / np.sqrt(expected.sum())
    chance = norm.isf(tail) * error
    between = student.isf(tail, usual.windows - 1) * usual.deviation
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
        yield translated(
            _OFF[row.gauge, bool(row.live < row.expected)],
            seen=row.live,
            days=row.days,
            day=row.snapshot_date,
            expected=row.expected,
            low=row.low,
            high=row.high,
        )


_OFF = {
    ("purchases", True): translatable(
        "{seen:purchase|purchases} in the {days} days from {day:date}, fewer than expected: {expected:,.0f} "
        "({low:,.0f} to {high:,.0f})"
    ),
    ("purchases", False): translatable(
        "{seen:purchase|purchases} in the {days} days from {day:date}, more than expected: {expected:,.0f} "
        "({low:,.0f} to {high:,.0f})"
    ),
    ("active_customers", True): translatable(
        "{seen:customer|customers} with a purchase in the {days} days from {day:date}, fewer than expected: "
        "{expected:,.0f} ({low:,.0f} to {high:,.0f})"
    ),
    ("active_customers", False): translatable(
        "{seen:customer|customers} with a purchase in the {days} days from {day:date}, more than expected: "
        "{expected:,.0f} ({low:,.0f} to {high:,.0f})"
    ),
}
"""What is off, by its gauge and whether it is less than expected."""
