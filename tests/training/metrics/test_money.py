from __future__ import annotations

import math

import numpy as np
import pytest

from training.metrics.money import decile_table, value_metrics


def test_spend_is_judged_by_hand_computed_numbers() -> None:
    actual, predicted = np.array([0.0, 10.0, 30.0]), np.array([5.0, 5.0, 20.0])

    measured = value_metrics(actual, predicted)

    assert measured["mae"] == pytest.approx((5 + 5 + 10) / 3)
    assert measured["ratio"] == pytest.approx(30 / 40)
    assert measured["top_decile_share"] == pytest.approx(30 / 40)  # one customer of three
    assert measured["oracle_top_decile_share"] == pytest.approx(30 / 40)


def test_a_window_without_spend_has_no_measures_of_money() -> None:
    assert math.isnan(value_metrics(np.zeros(3), np.ones(3))["ratio"])


def test_deciles_add_up_to_all_customers_and_all_money() -> None:
    actual, predicted = np.arange(25.0), np.arange(25.0)[::-1]

    table = decile_table(actual, predicted)

    assert table["customers"].sum() == 25
    assert table["actual"].sum() == actual.sum()
    assert table["predicted"].is_monotonic_decreasing
