from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss

from training.metrics.comparison import Comparison, log_losses, paired_bootstrap


def test_the_difference_is_the_mean_over_customers_of_a_less_b() -> None:
    # (0.1 − 0.3 + 0.5 − 0.1) / 2 = 0.1
    comparison = paired_bootstrap(np.array([0.1, 0.5]), np.array([0.3, 0.1]))

    assert comparison.difference == pytest.approx(0.1)
    assert comparison.customers == 2


def test_the_interval_agrees_with_the_normal_one_on_many_customers() -> None:
    rng = np.random.default_rng(7)
    a, b = rng.normal(0.5, 1.0, 4_000), rng.normal(0.5, 1.0, 4_000)

    comparison = paired_bootstrap(a, b, seed=1)

    # 1.96 standard errors of the mean difference: 1.96·√2/√4000 = 0.0438
    half = 1.96 * float(np.std(a - b)) / np.sqrt(4_000)
    assert comparison.low == pytest.approx(comparison.difference - half, abs=0.003)
    assert comparison.high == pytest.approx(comparison.difference + half, abs=0.003)


def test_a_small_but_steady_gain_is_found_where_unpaired_losses_would_hide_it() -> None:
    rng = np.random.default_rng(3)
    b = rng.exponential(1.0, 2_000)  # spread of 1: an unpaired standard error of 0.03
    a = b - 0.005 + rng.normal(0, 0.02, 2_000)

    assert paired_bootstrap(a, b).verdict == "better"
    assert paired_bootstrap(b, a).verdict == "worse"


def test_two_models_that_are_alike_are_told_apart_in_about_one_of_twenty_samples() -> None:
    rng = np.random.default_rng(5)
    verdicts = [
        paired_bootstrap(rng.exponential(1, 300), rng.exponential(1, 300), seed, samples=400).verdict
        for seed in range(200)
    ]

    # 5% of 200 is 10, give or take three standard deviations of √(200·.05·.95) = 3.1
    assert 1 <= sum(verdict != "noise" for verdict in verdicts) <= 20


def test_the_same_seed_gives_the_same_interval() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random(500), rng.random(500)

    assert paired_bootstrap(a, b, seed=4) == paired_bootstrap(a, b, seed=4)
    assert paired_bootstrap(a, b, seed=4) != paired_bootstrap(a, b, seed=5)


def test_one_model_against_itself_is_noise_and_so_is_one_customer() -> None:
    losses = np.array([0.1, 0.9, 0.4])

    assert paired_bootstrap(losses, losses) == Comparison(0.0, 0.0, 0.0, 3)
    assert paired_bootstrap(losses, losses).verdict == "noise"
    assert paired_bootstrap(np.array([0.5]), np.array([0.2])).verdict == "noise"


@pytest.mark.parametrize(
    ("a", "b", "complaint"),
    [
        ([0.1, 0.2], [0.1], "the same customers"),
        ([], [], "the same customers"),
        ([0.1, np.inf], [0.1, 0.2], "1 losses are not finite"),
        ([0.1, np.nan], [0.1, 0.2], "1 losses are not finite"),
    ],
)
def test_losses_that_cannot_be_paired_are_refused(a: list[float], b: list[float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        paired_bootstrap(np.array(a), np.array(b))


def test_the_mean_of_the_log_losses_is_the_log_loss() -> None:
    churned, probability = np.array([1, 0, 0, 1]), np.array([0.9, 0.2, 0.7, 0.4])

    assert log_losses(churned, probability).mean() == pytest.approx(log_loss(churned, probability))


def test_a_certain_mistake_costs_much_but_not_infinity() -> None:
    # −log(2⁻⁵²) = 52·log 2 = 36.04
    assert log_losses(np.array([1]), np.array([0.0])) == pytest.approx([36.0437], abs=1e-4)


def test_it_says_all_in_one_line_and_in_json() -> None:
    comparison = Comparison(-0.0021, -0.0043, -0.0002, 23_570)

    assert str(comparison) == "-0.0021 (95% interval -0.0043 to -0.0002: better)"
    assert comparison.to_dict()["verdict"] == "better"
