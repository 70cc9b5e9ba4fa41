"""Tracking plot: repeat purchases by week, expected and actual, before a snapshot and after it.

Before the snapshot, the model's expectation given only the day of each first purchase: how well it fits. After it,
the expectation given each customer's history: how well it forecasts. Both are of the customers known at the snapshot,
so that new customers do not hide errors of the forecast.

References
----------
Fader, Hardie, Lee (2005), Marketing Science 24(2), figures 2 and 3.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.log.customer_days import customer_days
from features.log.transactions import TransactionLog
from training.snapshots.dataset import LabelledSnapshot

WEEK = 7


def weekly_purchases(log: TransactionLog, row: LabelledSnapshot) -> pd.DataFrame:
    """Count the repeat purchase days of each full week, and what the snapshot's purchase model expects.

    Parameters
    ----------
    log : TransactionLog
        The log that the snapshot was taken of.
    row : LabelledSnapshot
        The snapshot, its customers, and the purchase model fitted on what it sees.

    Returns
    -------
    DataFrame of shape (n_weeks, 4), one row per full week, oldest first
        ``week_starts`` (date), ``actual`` (purchase days), ``expected``, and ``forecast``: whether the week lies
        in the churn window and not before it.

    Examples
    --------
    >>> from datetime import date
    >>> from features.datasets import cdnow_sample
    >>> from features.snapshot import Snapshot
    >>> from features.table.history import PurchaseHistory
    >>> from features.log.validation import validate
    >>> from training.snapshots.dataset import labelled_snapshots
    >>> log = validate(cdnow_sample())
    >>> with PurchaseHistory(log) as history:
    ...     [row] = labelled_snapshots(history, [Snapshot(date(1997, 10, 1))], 28)
    >>> weekly_purchases(log, row).tail(2).round(1)
       week_starts  actual  expected  forecast
    41  1997-10-15      49      50.1      True
    42  1997-10-22      59      49.5      True
    """
    ages = row.table["T"].to_numpy()
    weeks = np.arange(-(int(ages.max()) // WEEK), row.window.horizon_days // WEEK)
    offsets = _purchase_offsets(log, row)
    actual = np.array([((offsets >= WEEK * w) & (offsets < WEEK * (w + 1))).sum() for w in weeks])
    before = _expected_before(row, ages, -int(weeks[0]))
    after = _expected_after(row, int(weeks[-1]) + 1)
    return pd.DataFrame(
        {
            "week_starts": [row.snapshot.date + timedelta(days=WEEK * int(w)) for w in weeks],
            "actual": actual,
            "expected": np.concatenate([before, after]),
            "forecast": weeks >= 0,
        }
    )


def _purchase_offsets(log: TransactionLog, row: LabelledSnapshot) -> np.ndarray:
    """Return the days from the snapshot of every repeat purchase day of the snapshot's customers."""
    known = pa.array(row.table["customer_id"].to_numpy(), pa.string())
    known = pc.is_in(log.customer_ids.dictionary, value_set=known).to_numpy(zero_copy_only=False)
    rows = known[log.customer_codes] & (log.table["amount_cents"].to_numpy() >= 0)
    days = customer_days(log.customer_codes[rows], log.days[rows]).days
    counts = pd.Series(days - _epoch_day(row)).value_counts()
    firsts = pd.Series(-row.table["T"].to_numpy()).value_counts()
    repeats = counts.sub(firsts, fill_value=0).astype("int64")
    return np.repeat(repeats.index.to_numpy(), repeats.to_numpy())


def _epoch_day(row: LabelledSnapshot) -> int:
    return row.snapshot.date.toordinal() - 719_163  # 1970-01-01


def _expected_before(row: LabelledSnapshot, ages: np.ndarray, n_weeks: int) -> np.ndarray:
    """Return the repeat purchases expected in each week before the snapshot, knowing first purchases only."""
    new = np.zeros(1)  # frequency, recency and T of one who has just bought for the first time
    first, count = np.unique(ages, return_counts=True)
    snapshot, intensity = _epoch_day(row), row.clv.intensity
    known = np.clip(first - WEEK * np.arange(n_weeks, -1, -1)[:, None], 0, None)
    weeks = intensity.weeks((snapshot - first).astype(float), (snapshot - first + known).astype(float))
    times, place = np.unique(weeks, return_inverse=True)
    ahead = [row.clv.purchases.expected_purchases(new, new, new, w)[0] if w else 0.0 for w in times.tolist()]
    totals = [float(count @ each) for each in np.array(ahead)[place.reshape(weeks.shape)]]
    return np.diff(totals)


def _expected_after(row: LabelledSnapshot, n_weeks: int) -> np.ndarray:
    """Return the purchases expected in each week from the snapshot on, knowing every customer's history."""
    columns = row.columns
    x, t_x, T = row.clv.histories(columns)
    cumulative = [
        float(
            row.clv.purchases.expected_purchases(x, t_x, T, row.clv.weeks_ahead(columns, WEEK * weeks)).sum()
        )
        for weeks in range(1, n_weeks + 1)
    ]
    return np.diff([0.0, *cumulative])
