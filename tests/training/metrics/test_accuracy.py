from __future__ import annotations

import math

import numpy as np
import pytest

from training.metrics.accuracy import churn_metrics, decile_table, gain_curve, value_metrics


def test_churn_is_judged_by_hand_computed_numbers() -> None:
    churned, probability = np.array([1, 0, 1, 0]), np.array([0.8, 0.4, 0.6, 0.2])

    measured = churn_metrics(churned, probability)

    # −(ln .8 + ln .6 + ln .6 + ln .8)/4 ; squares: (.04 + .16 + .16 + .04)/4
    assert measured["log_loss"] == pytest.approx(-(2 * math.log(0.8) + 2 * math.log(0.6)) / 4)
    assert measured["brier"] == pytest.approx(0.1)
    assert measured["auc"] == 1.0
    assert measured["calibration_in_the_large"] == pytest.approx(0.0)
    # four of the ten bins hold one customer each: the mean of .2, .4, .4, .2
    assert measured["calibration_error"] == pytest.approx(0.3)


def test_a_slice_of_one_class_has_a_loss_but_no_ranking() -> None:
    measured = churn_metrics(np.array([1, 1]), np.array([0.5, 0.5]))

    assert measured["log_loss"] == pytest.approx(math.log(2))
    assert math.isnan(measured["auc"])


def test_an_empty_slice_is_all_nan() -> None:
    measured = churn_metrics(np.array([]), np.array([]))

    assert measured["customers"] == 0
    assert math.isnan(measured["log_loss"])


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


def test_the_gain_curve_climbs_from_nothing_to_everything() -> None:
    # ranked c, a, b: 6 of 10, then 3, then 1
    curve = gain_curve(np.array([3.0, 1.0, 6.0]), np.array([0.5, 0.1, 0.9]))

    assert curve.tolist() == pytest.approx([0, 0.6, 0.9, 1.0])
