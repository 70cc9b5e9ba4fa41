"""Live performance against that of the test: when a model is worse, and when its customers are merely others."""

from __future__ import annotations

import json

import numpy as np
import pytest

from training.monitoring.gauges import GaugeReading, read_gauges
from training.reference.performance import ExpectedPerformance, Performance, measure

TOLERANCES = {"log_loss": 0.01, "calibration_in_the_large": 0.03, "value_ratio": 0.15}
NONE = dict.fromkeys(TOLERANCES, 0.0)


def window(
    seed: int, n: int = 5_000, *, sure: float = 1.0, lift: float = 0.0, value: float = 1.0
) -> Performance:
    """Customers whose churn follows the probabilities but for `lift`, whose spend is 1/`value` of the expected."""
    rng = np.random.default_rng(seed)
    probability = rng.beta(2 / sure, 1 / sure, n)
    churned = (rng.random(n) < np.minimum(probability + lift, 1)).astype(int)
    spend_expected = 20 * (1 - probability)
    spend = np.where(churned == 1, 0, rng.gamma(2, 10, n)) / value
    return measure(probability, churned, spend_expected, spend)


def read(
    live: Performance, expected: ExpectedPerformance, tolerances: dict[str, float] = TOLERANCES
) -> dict[str, GaugeReading]:
    return {r.gauge: r for r in read_gauges(live, expected, confidence=0.99, tolerances=tolerances)}


@pytest.fixture(scope="module")
def expected() -> ExpectedPerformance:
    return ExpectedPerformance.of(window(0), [window(seed) for seed in range(1, 6)])


def test_customers_of_the_same_kind_perform_as_expected(expected: ExpectedPerformance) -> None:
    found = read(window(10), expected)

    assert [reading.worse for reading in found.values()] == [False, False, False]
    assert found["log_loss"].live == pytest.approx(expected.test.log_loss, abs=0.02)


def test_customers_who_are_harder_to_predict_make_a_model_no_worse(expected: ExpectedPerformance) -> None:
    harder = window(11, sure=0.05)  # probabilities near 2/3 instead of all over: a higher log-loss

    found = read(harder, expected)

    assert harder.log_loss > expected.test.log_loss + 0.1
    assert not found["log_loss"].worse
    assert found["log_loss"].low < harder.log_loss < found["log_loss"].high


def test_more_churn_than_predicted_is_worse_also_where_the_log_loss_is_lower_than_at_the_test(
    expected: ExpectedPerformance,
) -> None:
    easy = window(12, sure=5, lift=0.1)

    found = read(easy, expected)

    assert easy.log_loss < expected.test.log_loss
    assert found["log_loss"].worse
    assert found["calibration_in_the_large"].worse
    assert found["calibration_in_the_large"].live < -0.03


def test_spend_that_is_half_of_the_expected_is_worse(expected: ExpectedPerformance) -> None:
    found = read(window(13, value=2), expected)["value_ratio"]

    assert found.worse
    assert found.live == pytest.approx(2, abs=0.2)
    assert found.low < 1 < found.high


def test_what_is_significant_but_small_is_tolerated(expected: ExpectedPerformance) -> None:
    many = window(14, n=80_000, lift=0.02)
    test = ExpectedPerformance(window(15, n=80_000), dict.fromkeys(TOLERANCES, 0.0))

    assert read(many, test, NONE)["calibration_in_the_large"].worse
    assert not read(many, test)["calibration_in_the_large"].worse


def test_a_gauge_that_has_come_nearer_to_perfect_is_not_worse() -> None:
    expected = ExpectedPerformance(window(16, lift=0.2), dict.fromkeys(TOLERANCES, 0.0))

    assert not read(window(17), expected)["calibration_in_the_large"].worse


def test_what_swings_from_window_to_window_is_worse_less_easily() -> None:
    live = window(18, lift=0.1)
    calm = ExpectedPerformance.of(window(19), [window(seed) for seed in range(20, 26)])
    seasonal = ExpectedPerformance.of(
        window(19), [window(seed, lift=0.15 * (-1) ** seed) for seed in range(20, 26)]
    )

    assert read(live, calm)["calibration_in_the_large"].worse
    assert not read(live, seasonal)["calibration_in_the_large"].worse


def test_the_spread_between_windows_is_what_customers_do_not_explain() -> None:
    def off_by(value: float) -> Performance:
        return Performance(100, 0.5, 0.8, 0.6, value, 1.0, 0.6, dict.fromkeys(TOLERANCES, 0.06))

    spread = ExpectedPerformance.of(off_by(0), [off_by(value) for value in (-0.1, 0.0, 0.1)]).spread

    # variance of −.1, 0, .1 is .01; less .06² = .0036 leaves .0064 = .08²
    assert spread["calibration_in_the_large"] == pytest.approx(0.08)
    assert spread["log_loss"] == 0  # no variance at all


def test_without_any_change_one_gauge_in_a_hundred_is_outside_its_noise() -> None:
    outside, total = 0, 0
    for seed in range(0, 160, 2):
        expected = ExpectedPerformance(window(seed + 1_000, n=800), dict.fromkeys(TOLERANCES, 0.0))
        for reading in read_gauges(window(seed + 1_001, n=800), expected, confidence=0.99, tolerances=NONE):
            outside += not reading.low <= reading.live <= reading.high
            total += 1

    assert total == 240
    assert outside <= 10  # 2.4 expected; more than 10 have a chance below 1 in 10,000


def test_what_cannot_be_measured_is_left_out() -> None:
    nobody_spent = measure(np.array([0.5, 0.6]), np.array([1, 1]), np.array([1.0, 1.0]), np.zeros(2))
    nobody = measure(*(np.empty(0) for _ in range(4)))
    expected = ExpectedPerformance(window(0), dict.fromkeys(TOLERANCES, 0.0))

    assert "value_ratio" not in read(nobody_spent, expected)
    assert read(nobody, expected) == {}


def test_an_expected_performance_is_read_back(expected: ExpectedPerformance) -> None:
    undefined = ExpectedPerformance(measure(*(np.empty(0) for _ in range(4))), expected.spread)

    assert ExpectedPerformance.from_dict(json.loads(json.dumps(expected.to_dict()))) == expected
    assert str(
        ExpectedPerformance.from_dict(json.loads(json.dumps(undefined.to_dict(), allow_nan=False)))
    ) == str(undefined)
