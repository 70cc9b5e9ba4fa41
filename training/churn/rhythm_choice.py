"""Choosing whether customers buy by a rhythm of their own within the churn window, forward in time.

At each validation snapshot the rhythm is learnt from the windows that had closed by then. With the purchase model's
probability of no purchase in the window, it has to tell the days of the first purchases better than that model does: by
the log-loss of having bought, mean over days of the window, for the customers who have bought twice, and by more
than noise. Subscribers and weekly shoppers have one, those who buy at random do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.special import log_expit

from features.table.columns import Columns
from training.churn.rolling import gains_surely, rolling_splits
from training.clv.model import CLVModel
from training.clv.quadrature import FloatArray
from training.clv.rhythm import Rhythm, cells, keeps_rhythm
from training.clv.rhythm_fit import FirstPurchases, fit_rhythm
from training.metrics.comparison import log_losses
from training.snapshots.dataset import DescribedSnapshot, LabelledSnapshot

TRIED_ON, LEARNT_FROM = 3_000, 10_000
"""First purchases that a rhythm is learnt from: to be tried, and to be used. More change little."""

JUDGED_ON = 3_000
"""Customers per validation snapshot."""

_FEWEST = 200  # first purchases; of fewer no rhythm is learnt
_JUDGED_DAYS = 12
_CERTAIN = 1e-9

Described = TypeVar("Described", bound=DescribedSnapshot)


def choose_rhythm(rows: Sequence[LabelledSnapshot]) -> tuple[Rhythm | None, dict[str, float]]:
    """Choose on rolling validation whether a rhythm tells the days of purchases: it has to gain more than noise.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot, oldest first, closed windows only
        In the form that was chosen before.

    Returns
    -------
    Rhythm or None, and the mean log-losses of both; None where the log affords no split, or too few bought
    """
    splits = rolling_splits(rows)
    told: list[tuple[FloatArray, FloatArray]] = []
    for split in splits:
        rhythm, valid = learn_rhythm(split.train, TRIED_ON), _with_rhythm(split.valid)
        if rhythm is None or not len(valid.table):
            return None, {}
        told.append((_losses(valid), _losses(with_rhythm(valid, rhythm))))
    if not told:
        return None, {}
    losses = {
        name: float(np.mean([each.mean() for each in found]))
        for name, found in zip(
            ("days_by_purchase_model", "days_by_rhythm"), zip(*told, strict=True), strict=True
        )
    }
    sure = gains_surely([alone - own for alone, own in told])
    return learn_rhythm(rows, LEARNT_FROM) if sure else None, losses


def with_rhythm(row: Described, rhythm: Rhythm | None) -> Described:
    """Return a snapshot whose dates go by a rhythm; the snapshot itself without one."""
    return row if rhythm is None else replace(row, clv=replace(row.clv, rhythm=rhythm))


def learn_rhythm(rows: Sequence[LabelledSnapshot], most: int) -> Rhythm | None:
    """Learn a rhythm from up to ``most`` first purchases in closed windows; None where there are too few."""
    bought = [_buyers(row) for row in rows]
    if sum(map(len, bought)) < _FEWEST:
        return None
    parts = []
    for row, places in zip(rows, bought, strict=True):
        some, horizon = _evenly(places, -(-most // len(rows))), row.window.horizon_days
        weeks = np.broadcast_to(row.clv.day_weeks(row.columns, horizon), (len(some), horizon))
        waited = row.outcomes["days_to_purchase"].to_numpy()[some].astype(np.int64)
        parts.append((cells(row.columns, horizon, some), weeks, waited, row.columns["p0"][some]))
    return fit_rhythm(FirstPurchases(*(np.concatenate(each) for each in zip(*parts, strict=True))))


def p_silent(
    clv: CLVModel, columns: Columns, churn_probability: FloatArray, horizon_days: int, days: Sequence[int]
) -> FloatArray:
    """Return the probability of no purchase by the end of some days of the churn window, as dates are told.

    Parameters
    ----------
    clv : CLVModel
    columns : Columns
        Of the feature table.
    churn_probability : ndarray of shape (n,), in [0, 1]
    horizon_days : int, at least 1
    days : sequence of int, 1 to horizon_days

    Returns
    -------
    ndarray of shape (n, n_days)
    """
    history = clv.histories(columns)
    spent = np.stack(
        [
            log_expit(
                -clv.purchases.purchase_log_odds(*history, clv.weeks_ahead(columns, day)).clip(-700, 700)
            )
            for day in (*days, horizon_days)
        ],
        axis=1,
    )
    shares = spent[:, :-1] / spent[:, -1:]
    if clv.rhythm is not None:
        own = keeps_rhythm(columns)
        by_day = clv.rhythm.spent(columns, clv.day_weeks(columns, horizon_days), own)
        shares[own] = by_day[:, np.asarray(days) - 1]
    return np.asarray(np.clip(churn_probability, _CERTAIN, 1 - _CERTAIN)[:, None] ** shares)


def _buyers(row: LabelledSnapshot) -> npt.NDArray[np.int64]:
    own = keeps_rhythm(row.columns)
    return np.asarray(own[row.outcomes["days_to_purchase"].notna().to_numpy()[own]])


def _with_rhythm(row: LabelledSnapshot) -> LabelledSnapshot:
    keep = np.zeros(len(row.table), dtype=bool)
    keep[_evenly(keeps_rhythm(row.columns), JUDGED_ON)] = True
    return row.part(keep)


def _losses(row: LabelledSnapshot) -> FloatArray:
    """Return each customer's log-loss of having bought, mean over days of the window."""
    horizon = row.window.horizon_days
    days = np.unique(np.linspace(1, horizon, min(_JUDGED_DAYS, horizon)).round().astype(int)).tolist()
    silent = p_silent(row.clv, row.columns, row.columns["p0"], horizon, days)
    waited = row.outcomes["days_to_purchase"].fillna(np.inf).to_numpy()
    by_day = [log_losses(waited >= day, silent[:, place]) for place, day in enumerate(days)]
    return np.asarray(np.mean(by_day, axis=0))


def _evenly(places: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    return places[:: max(-(-len(places) // most), 1)]
