"""Whether customers buy by a rhythm of their own: subscribers do, and those who buy at random do not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.churn.rhythm_choice import choose_rhythm, learn_rhythm, p_silent, with_rhythm
from training.clv.next_purchase import LEVELS
from training.model.files import load_model, save_model
from training.pipeline import train
from training.report.card import model_card
from training.run import TrainingRun
from training.settings import TrainSettings
from training.snapshots.dataset import LabelledSnapshot, labelled_snapshots
from training.snapshots.schedule import closed_snapshots

HORIZON = 45


@pytest.fixture(scope="module")
def box_log() -> TransactionLog:
    """1,200 subscribers over two years: a box every 30 days until they leave, now and then another."""
    draw, orders = np.random.default_rng(30), []
    for customer in range(1_200):
        first = draw.integers(0, 730)
        for day in np.arange(first, min(730, first + draw.exponential(300) + 1), 30):
            orders.append((f"k{customer}", day, 25.0))
            if draw.random() < 0.02:
                orders.append((f"k{customer}", day + draw.integers(1, 30), 40.0))
    log = pd.DataFrame(orders, columns=["customer_id", "ordered_at", "amount"])
    log["ordered_at"] = pd.Timestamp("2023-01-01") + pd.to_timedelta(log["ordered_at"], unit="D")
    return validate(log[log["ordered_at"] < "2025-01-01"])


@pytest.fixture(scope="module")
def box_rows(box_log: TransactionLog) -> list[LabelledSnapshot]:
    snapshots = closed_snapshots(Snapshot(date(2025, 1, 1)), box_log.first_day, HORIZON, limit=10)
    with PurchaseHistory(box_log) as history:
        return labelled_snapshots(history, snapshots, HORIZON)


@pytest.fixture(scope="module")
def box_run(box_log: TransactionLog) -> TrainingRun:
    return train(box_log, TrainSettings(horizon_days=HORIZON, snapshots=5))


def test_subscribers_are_told_the_day_of_their_next_box(box_rows: list[LabelledSnapshot]) -> None:
    rhythm, losses = choose_rhythm(box_rows[:-2])

    assert rhythm is not None
    assert losses["days_by_rhythm"] < 0.8 * losses["days_by_purchase_model"]
    row = box_rows[-1]
    bought = ((row.table["frequency"] >= 2) & (row.churned == 0)).to_numpy()
    waited = row.outcomes["days_to_purchase"].to_numpy()[bought]
    off = {}
    for name, of in (("alone", None), ("own", rhythm)):
        days = with_rhythm(row, of).clv.next_purchase_days(row.columns, row.columns["p0"], HORIZON)[0.5]
        off[name] = np.abs(np.ceil(days[bought]) - 1 - waited)
    assert np.nanmedian(off["own"]) == 0 and np.nanmedian(off["alone"]) > 3


def test_customers_who_buy_at_random_have_none(shop_rows: list[LabelledSnapshot]) -> None:
    rhythm, losses = choose_rhythm(shop_rows)

    assert rhythm is None
    assert losses["days_by_rhythm"] > losses["days_by_purchase_model"] - 0.002
    assert with_rhythm(shop_rows[-1], None) is shop_rows[-1]


def test_without_a_split_forward_in_time_there_is_none(box_rows: list[LabelledSnapshot]) -> None:
    assert choose_rhythm(box_rows[-1:]) == (None, {})


def test_few_purchases_teach_no_rhythm(box_rows: list[LabelledSnapshot]) -> None:
    few = [row.part(np.arange(len(row.table)) < 15) for row in box_rows]

    assert learn_rhythm(few, 1_000) is None
    assert choose_rhythm(few) == (None, {})


def test_silence_until_a_day_is_as_likely_as_the_days_say(box_rows: list[LabelledSnapshot]) -> None:
    rhythm = learn_rhythm(box_rows[:-1], 2_000)
    row = with_rhythm(box_rows[-1], rhythm)
    p = row.columns["p0"]

    silent = p_silent(row.clv, row.columns, p, HORIZON, range(1, HORIZON + 1))

    days = row.clv.next_purchase_days(row.columns, p, HORIZON)
    np.testing.assert_allclose(silent[:, -1], p, rtol=1e-9)
    for level in LEVELS:
        within = np.flatnonzero(days[level] < HORIZON)
        day = np.maximum(np.ceil(days[level][within]).astype(int), 1)
        assert (silent[within, day - 1] <= 1 - level + 1e-9).all()
        later = day > 1
        assert (silent[within[later], day[later] - 2] >= 1 - level - 1e-9).all()


def test_a_version_keeps_the_rhythm_and_says_so(
    box_run: TrainingRun, box_log: TransactionLog, tmp_path: Path
) -> None:
    assert box_run.recipe.rhythm and box_run.recipe.in_words().endswith("; dates by customers' own rhythm")
    assert "own rhythm within the churn window" in model_card(box_run, box_log)
    save_model(box_run.model, tmp_path)

    again = load_model(tmp_path)

    scores = again.predict(box_log)
    assert again.clv.rhythm == box_run.model.clv.rhythm and again.card.recipe.rhythm
    dates = ["next_purchase_low", "next_purchase_date", "next_purchase_high"]
    told = box_run.scores.set_index("customer_id").loc[scores["customer_id"], dates]
    pd.testing.assert_frame_equal(scores.set_index("customer_id")[dates], told)
    # subscribers are due 30 days after their last box
    due = scores[(scores["churn_probability"] < 0.3) & scores["usual_gap_days"].notna()]
    gap = pd.to_datetime(due["next_purchase_date"]) - pd.to_datetime(due["last_purchase_date"])
    assert (gap.dt.days == 30).mean() > 0.9
