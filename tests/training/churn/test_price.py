"""Price: what customers pay for a purchase, however often they buy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.snapshot import Snapshot
from training.churn.frequency import windows_of_buyers
from training.churn.level import Level, LevelRule
from training.churn.price import Price, fit_price, relative_spend
from training.snapshots.dataset import LabelledSnapshot


def paying(rows: list[LabelledSnapshot], factor: float, times: int = 1) -> list[LabelledSnapshot]:
    """The windows, had those of small baskets paid so many times what is expected, and all bought so often."""
    changed = []
    for row in rows:
        basket = row.columns["last_basket"]
        price = row.columns["spend_per_purchase"] * np.where(basket < np.median(basket), factor, 1.0)
        purchases = times * (row.churned == 0)
        changed.append(
            replace(row, outcomes=row.outcomes.assign(purchases=purchases, spend=purchases * price))
        )
    return changed


def test_trees_explain_who_pays_more(shop_rows: list[LabelledSnapshot]) -> None:
    *known, test = paying(shop_rows, 2.0)

    found = fit_price(windows_of_buyers(known), Level(), rounds=60, seed=1, threads=1)

    basket = test.columns["last_basket"]
    moved = found.per_purchase(test.columns, test.snapshot) / test.columns["spend_per_purchase"]
    small = basket < np.median(basket)
    assert moved[small].mean() / moved[~small].mean() == pytest.approx(2.0, rel=0.15)


def test_how_often_they_buy_moves_no_price(shop_rows: list[LabelledSnapshot]) -> None:
    once, four = (
        fit_price(windows_of_buyers(paying(shop_rows, 2.0, times)), Level(), rounds=20, seed=1, threads=1)
        for times in (1, 4)
    )

    newest = shop_rows[-1]
    np.testing.assert_allclose(
        once.per_purchase(newest.columns, newest.snapshot), four.per_purchase(newest.columns, newest.snapshot)
    )


def test_the_level_of_prices_is_that_of_its_rule(shop_rows: list[LabelledSnapshot]) -> None:
    newest = shop_rows[-1]
    last = newest.snapshot.date.toordinal() - 90
    level = Level((last,), (np.log(1.2),), LevelRule("recent", 1))

    told = Price(level).per_purchase(newest.columns, Snapshot(newest.snapshot.date))

    np.testing.assert_allclose(told, 1.2 * newest.columns["spend_per_purchase"])


def test_a_target_is_relative_to_its_window(shop_rows: list[LabelledSnapshot]) -> None:
    (window,) = windows_of_buyers(shop_rows[-1:])

    spend, start = relative_spend(window)

    assert spend.mean() == pytest.approx(1.0)
    assert np.exp(start).mean() == pytest.approx(1.0)
