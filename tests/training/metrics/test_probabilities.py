from __future__ import annotations

import math

import numpy as np
import pytest

from training.metrics.probabilities import churn_metrics


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
