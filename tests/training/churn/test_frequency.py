"""Purchase frequency: numbers of purchases of those who buy, whatever clock they keep."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.special import expit

from training.churn.base import AS_SAID, base_log_odds
from training.churn.fit_options import FitOptions
from training.churn.frequency import (
    Frequency,
    fit_frequency,
    fit_line,
    log_missed,
    log_more,
    more_than_one,
    windows_of_buyers,
)
from training.snapshots.dataset import LabelledSnapshot

OPTIONS = FitOptions(date(2024, 1, 1), dormant_after_days=1)


def buying(rows: list[LabelledSnapshot], line: Frequency, shift: float = 0.0) -> list[LabelledSnapshot]:
    """The windows, had those who bought done so by a line and a level that moves everybody's churn."""
    draw, changed = np.random.default_rng(7), []
    for row in rows:
        bought = draw.random(len(row.churned)) < expit(-(base_log_odds(row.columns) + shift))
        more = draw.poisson(line.if_active(row.columns, shift) - 1)
        outcomes = row.outcomes.assign(churned=(~bought).astype(int), purchases=bought * (1 + more))
        changed.append(replace(row, outcomes=outcomes))
    return changed


@pytest.mark.parametrize(("weight", "constant"), [(1.0, 0.0), (0.3, 0.9), (1.6, -0.4)])
def test_the_line_of_closed_windows_is_found(
    shop_rows: list[LabelledSnapshot], weight: float, constant: float
) -> None:
    truth = Frequency(weight, constant)

    found = fit_line(buying(shop_rows, truth), OPTIONS)

    newest = shop_rows[-1].columns
    assert found.weight == pytest.approx(weight, abs=0.2)
    said, true = (each.if_active(newest) for each in (found, truth))
    assert said.mean() == pytest.approx(true.mean(), rel=0.05)


def test_a_level_that_comes_again_is_not_counted_twice(shop_rows: list[LabelledSnapshot]) -> None:
    truth, shift = Frequency(), 0.8
    windows = buying(shop_rows, truth, shift)

    found = fit_line(windows, OPTIONS)

    assert np.mean([AS_SAID.missed(row) for row in windows]) == pytest.approx(shift, abs=0.1)
    newest = shop_rows[-1].columns
    told, true = (each.if_active(newest, shift).mean() for each in (found, truth))
    assert told == pytest.approx(true, rel=0.05)


def test_of_few_windows_the_purchase_model_is_heard_too(shop_rows: list[LabelledSnapshot]) -> None:
    windows = buying(shop_rows, Frequency(1.0, 0.6))

    constants = [fit_line(windows[-n:], OPTIONS).constant for n in (1, len(windows))]

    assert constants[0] == pytest.approx(0.3, abs=0.1)
    assert constants[1] > constants[0] + 0.1


def test_who_buys_once_in_every_window_is_told_to(shop_rows: list[LabelledSnapshot]) -> None:
    once = [
        replace(row, outcomes=row.outcomes.assign(purchases=(row.churned == 0).astype(int)))
        for row in shop_rows
    ]

    found = fit_line(once, OPTIONS)

    newest = shop_rows[-1].columns
    assert found.if_active(newest).mean() - 1 < 0.3 * (Frequency().if_active(newest).mean() - 1)


def test_trees_explain_differences_between_buyers(shop_rows: list[LabelledSnapshot]) -> None:
    often = []
    for row in shop_rows:  # whose last basket was small buy thrice as often: the purchase model does not know
        basket = row.columns["last_basket"]
        more = np.where(basket < np.median(basket), 3.0, 1.0) * (row.columns["purchases_if_active"] - 1)
        purchases = (row.churned == 0) * (1 + np.random.default_rng(2).poisson(more))
        often.append(replace(row, outcomes=row.outcomes.assign(purchases=purchases)))
    *known, test = often

    line = fit_line(known, OPTIONS)
    found = fit_frequency(windows_of_buyers(known), line, rounds=40, seed=1, threads=1)

    basket = test.columns["last_basket"]
    small = basket < np.median(basket)
    moved = (found.if_active(test.columns) - 1) / (line.if_active(test.columns) - 1)
    assert moved[small].mean() / moved[~small].mean() == pytest.approx(3.0, rel=0.4)
    assert found.if_active(test.columns).mean() == pytest.approx(line.if_active(test.columns).mean(), rel=0.1)


def test_the_target_of_a_window_has_its_own_level(shop_rows: list[LabelledSnapshot]) -> None:
    (window,) = windows_of_buyers(shop_rows[-1:])

    came, start = Frequency(0.5, 2.0).target(window)

    assert (came == more_than_one(window)).all()
    assert np.exp(start).sum() == pytest.approx(came.sum())
    assert np.std(start - 0.5 * log_more(window.columns)) == pytest.approx(0.0, abs=1e-12)


def test_where_nothing_came_half_a_purchase_did() -> None:
    assert log_missed(np.zeros(50), np.zeros(50)) == pytest.approx(np.log(0.01))


def test_windows_without_a_buyer_tell_nothing(shop_rows: list[LabelledSnapshot]) -> None:
    nobody = [
        replace(row, outcomes=row.outcomes.assign(purchases=0, churned=1, spend=0.0)) for row in shop_rows
    ]

    assert windows_of_buyers(nobody) == []
    assert fit_line(nobody, OPTIONS) == Frequency()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_how_far_buyers_follow_a_level_is_learnt_where_levels_differ(
    shop_rows: list[LabelledSnapshot], share: float
) -> None:
    truth, levels = Frequency(rate_share=share), np.tile([1.2, -1.2], len(shop_rows))
    windows = [
        window
        for row, level in zip(shop_rows, levels, strict=False)
        for window in buying([row], truth, float(level))
    ]

    found = fit_line(windows, OPTIONS)

    assert abs(found.rate_share - share) < 0.2
    newest = shop_rows[-1].columns
    for level in (1.2, -1.2):
        told, true = (each.if_active(newest, level).mean() for each in (found, truth))
        assert told == pytest.approx(true, rel=0.06)
