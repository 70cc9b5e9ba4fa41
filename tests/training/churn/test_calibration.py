from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from training.churn.calibration import Calibrator, choose_calibrator, fit_calibrator, intercept_of

RNG = np.random.default_rng(3)


def _drawn(log_odds: np.ndarray) -> np.ndarray:
    return (RNG.random(len(log_odds)) < expit(log_odds)).astype(int)


def test_log_odds_that_are_right_need_no_calibrator() -> None:
    odds = [RNG.normal(size=4_000) for _ in range(3)]

    calibrator, losses = choose_calibrator(odds, [_drawn(z) for z in odds])

    assert calibrator.kind == "none"
    assert set(losses) == {"none", "platt", "beta"}


def test_log_odds_twice_too_large_get_platts_line_of_one_half() -> None:
    truth = [RNG.normal(size=4_000) for _ in range(3)]

    calibrator, _ = choose_calibrator([2 * z for z in truth], [_drawn(z) for z in truth])

    assert calibrator.kind == "platt"
    assert calibrator.slope == pytest.approx(0.5, abs=0.06)


def test_log_odds_too_large_on_one_side_alone_get_a_beta_calibrator() -> None:
    truth = [RNG.normal(scale=2, size=8_000) for _ in range(3)]
    too_sure_of_churn = [np.where(z > 0, 4 * z, z) for z in truth]

    calibrator, _ = choose_calibrator(too_sure_of_churn, [_drawn(z) for z in truth])

    assert calibrator.kind == "beta"
    assert calibrator.slope > 2 * (calibrator.slope + calibrator.bend) > 0
    assert (np.diff(calibrator(np.linspace(-30, 30, 200))) >= 0).all()


def test_a_curve_that_held_once_and_no_longer_is_not_used() -> None:
    truth = [RNG.normal(size=4_000) for _ in range(3)]
    stretched = [2 * truth[0], 2 * truth[1], truth[2]]

    calibrator, losses = choose_calibrator(stretched, [_drawn(z) for z in truth])

    assert calibrator.kind == "none"
    assert losses["platt"] != losses["none"]


def test_a_few_customers_hardly_move_the_slope() -> None:
    odds = RNG.normal(size=40)

    calibrator = fit_calibrator("platt", 1e-3 * odds, _drawn(odds))

    assert calibrator.slope == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("kind", ["none", "platt", "beta"])
def test_a_calibrator_comes_back_from_json_with_every_bit(kind: Any) -> None:
    odds = RNG.normal(size=500)
    calibrator = fit_calibrator(kind, odds, _drawn(odds))

    again = Calibrator.from_dict(json.loads(json.dumps(calibrator.to_dict())))

    assert again == calibrator
    assert again(odds).tobytes() == calibrator(odds).tobytes()


def test_the_intercept_makes_the_mean_probability_the_churn_rate() -> None:
    odds = RNG.normal(size=1_000)
    churned = _drawn(odds + 0.7)

    shift = intercept_of(odds, churned)

    assert expit(odds + shift).mean() == pytest.approx(churned.mean(), abs=1e-9)


@pytest.mark.parametrize("outcome", [0, 1])
def test_there_is_no_intercept_where_all_fared_alike(outcome: int) -> None:
    assert intercept_of(np.zeros(5), np.full(5, outcome)) == 0.0
