"""Backtests: the past is judged with what was known then, and with nothing else."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow.compute as pc
import pytest

from features.errors import WindowError
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.table.history import PurchaseHistory
from training.backtest.account import Account
from training.backtest.replay import backtest
from training.offers.offers import Offer
from training.settings import TrainSettings
from training.window.advisor import advise

pytestmark = pytest.mark.slow

OFFER = Offer(contact_cost=0.5, incentive_share=0.1, acceptance_rate=0.3)
SETTINGS = TrainSettings(horizon_days=60, threads=1)


@pytest.fixture(scope="module")
def account(shop_log: TransactionLog) -> Account:
    return backtest(shop_log, OFFER, SETTINGS, snapshots=2)


def test_the_newest_closed_snapshots_are_replayed_a_month_apart(account: Account) -> None:
    first, second = (each.snapshot for each in account.prospects)

    assert second.months_earlier(1) == first
    assert set(account.table["snapshot"]) == {str(first), str(second), "average"}


def test_without_a_horizon_it_is_the_one_that_the_log_suggests(shop_log: TransactionLog) -> None:
    with PurchaseHistory(shop_log) as history:
        advice = advise(history)

    (replayed,) = backtest(shop_log, OFFER, TrainSettings(threads=1), snapshots=1).prospects

    assert replayed.window.horizon_days == advice.horizon_days
    assert replayed.days_silent.max() <= advice.dormant_after_days


def test_only_recent_customers_take_part(account: Account) -> None:
    assert max(each.days_silent.max() for each in account.prospects) <= 120


def test_what_happened_from_the_snapshot_on_changes_no_plan(
    shop_log: TransactionLog, account: Account
) -> None:
    newest = account.prospects[-1]
    table = shop_log.table.select(["customer_id", "ordered_on", "amount_cents"]).to_pandas()
    later = (table["ordered_on"] >= newest.snapshot.date) & (table["ordered_on"] < shop_log.last_day)
    kept = table[~later | (np.arange(len(table)) % 3 == 0)]
    log = validate(
        kept.assign(ordered_at=kept["ordered_on"], amount=kept["amount_cents"] / 100)[
            ["customer_id", "ordered_at", "amount"]
        ]
    )

    other = backtest(log, OFFER, SETTINGS, snapshots=1).prospects[-1]

    assert other.snapshot == newest.snapshot
    for name in ("customer_id", "churn_probability", "p0", "value_at_stake", "spend_per_purchase"):
        assert np.array_equal(getattr(other, name), getattr(newest, name)), name
    assert other.churned.mean() > newest.churned.mean()


def test_a_log_too_short_for_a_backtest_says_what_would_fit(shop_log: TransactionLog) -> None:
    short = shop_log.table.filter(pc.less(shop_log.table["ordered_on"], date(2024, 5, 1))).to_pandas()
    log = validate(
        short.assign(ordered_at=short["ordered_on"], amount=short["amount_cents"] / 100)[
            ["customer_id", "ordered_at", "amount"]
        ]
    )

    with pytest.raises(WindowError, match="too short for --horizon-days 60"):
        backtest(log, OFFER, SETTINGS)
