from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pytest
from scipy.special import hyp2f1

from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.clv.bgnbd import BGNBD
from training.clv.gammagamma import GammaGamma
from training.clv.mbgnbd import MBGNBD
from training.clv.model import CLVModel
from training.clv.purchase_models import PurchaseModel
from training.report.purchase_tracking import weekly_purchases
from training.snapshots.dataset import LabelledSnapshot, describe_snapshot, label_snapshot

PUBLISHED = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
MODIFIED = MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614)


@pytest.fixture
def small_log(log_of: Callable[..., TransactionLog]) -> TransactionLog:
    """Three customers around a snapshot of 29 January 2024, which is a Monday, as is 1 January."""
    return log_of(
        ("anna", "2024-01-01", 10.0),  # her first: no repeat
        ("anna", "2024-01-10", 10.0),
        ("anna", "2024-01-10", 15.0),  # the same day: one purchase day
        ("anna", "2024-01-16", -5.0),  # a refund is no purchase
        ("anna", "2024-01-30", 10.0),
        ("ben", "2024-01-15", 20.0),
        ("ben", "2024-02-08", 20.0),
        ("cora", "2024-02-01", 30.0),  # not known at the snapshot, nor is what she buys later
        ("cora", "2024-02-03", 30.0),
        ("dora", "2024-02-29", 1.0),  # the log goes on
    )


def at(log: TransactionLog, day: date, horizon_days: int, model: PurchaseModel) -> LabelledSnapshot:
    """Label a snapshot under a model with given parameters."""
    clv = CLVModel(model, GammaGamma(p=6.25, q=3.74, v=15.44))
    with PurchaseHistory(log) as history:
        return label_snapshot(
            history, describe_snapshot(history, Snapshot(day), horizon_days, clv), horizon_days
        )


def test_repeat_purchase_days_of_the_customers_known_at_the_snapshot_are_counted_by_week(
    small_log: TransactionLog,
) -> None:
    row = at(small_log, date(2024, 1, 29), 14, PUBLISHED)

    weeks = weekly_purchases(small_log, row)

    # anna on 10 January; anna on 30 January; ben on 8 February.
    assert weeks["actual"].tolist() == [0, 1, 0, 0, 1, 1]
    assert weeks["week_starts"].tolist() == [date(2024, 1, 1) + timedelta(weeks=n) for n in range(6)]
    assert weeks["forecast"].tolist() == [False] * 4 + [True] * 2


def test_only_full_weeks_are_shown(small_log: TransactionLog) -> None:
    # anna's first purchase lies 32 days before 2 February, 4 full weeks; 20 days ahead are 2.
    weeks = weekly_purchases(small_log, at(small_log, date(2024, 2, 2), 20, PUBLISHED))

    assert weeks["week_starts"].iloc[[0, -1]].tolist() == [date(2024, 1, 5), date(2024, 2, 9)]


def test_before_the_snapshot_bgnbd_expects_what_the_paper_says_of_a_new_customer(
    small_log: TransactionLog,
) -> None:
    weeks = weekly_purchases(small_log, at(small_log, date(2024, 1, 29), 14, PUBLISHED))

    # Fader, Hardie, Lee (2005), eq. 9, of anna, 4 weeks old, and of ben, 2 weeks old.
    r, alpha, a, b = 0.243, 4.414, 0.793, 2.426
    t = np.array([4.0, 2.0])
    fading = (alpha / (alpha + t)) ** r * hyp2f1(r, b, a + b - 1, t / (alpha + t))
    expected = (a + b - 1) / (a - 1) * (1 - fading)
    assert weeks.loc[~weeks["forecast"], "expected"].sum() == pytest.approx(expected.sum())


def test_under_mbgnbd_a_new_customer_may_have_left_at_once(small_log: TransactionLog) -> None:
    weeks = weekly_purchases(small_log, at(small_log, date(2024, 1, 29), 14, MODIFIED))

    # Batislam, Denizel, Filiztekin (2007): as BG/NBD, with one more occasion to leave.
    r, alpha, a, b = 0.525, 6.183, 0.891, 1.614
    t = np.array([4.0, 2.0])
    fading = (alpha / (alpha + t)) ** r * hyp2f1(r, b + 1, a + b, t / (alpha + t))
    expected = b / (a - 1) * (1 - fading)
    assert weeks.loc[~weeks["forecast"], "expected"].sum() == pytest.approx(expected.sum())


def test_after_the_snapshot_it_expects_what_the_history_says(
    log_of: Callable[..., TransactionLog],
) -> None:
    # The paper's example: x = 2, t_x = 30.43 weeks (213 days), T = 38.86 weeks (272 days).
    first = date(1997, 1, 1)
    days = [first, first + timedelta(days=100), first + timedelta(days=213)]
    log = log_of(*(("sample", day.isoformat(), 10.0) for day in days), ("other", "1998-12-31", 1.0))
    snapshot = first + timedelta(days=272)

    weeks = weekly_purchases(log, at(log, snapshot, 39 * 7, PUBLISHED))

    ahead = weeks.loc[weeks["forecast"], "expected"]
    assert len(ahead) == 39
    assert ahead.sum() == pytest.approx(1.226, abs=5e-4)
    assert (np.diff(ahead) < 0).all()
