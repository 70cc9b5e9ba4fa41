"""Expected spend: published, and where the model does not apply."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gamma

from training.clv.gammagamma import EmpiricalSpend, GammaGamma, spend_correlation

PUBLISHED = GammaGamma(p=6.25, q=3.74, v=15.44)


def test_a_one_time_buyer_is_expected_to_spend_what_everybody_does() -> None:
    # p·v/(q − 1) = 6.25 · 15.44 / 2.74 = 35.2190
    assert PUBLISHED.expected_spend(np.array([0.0]), np.array([0.0])) == pytest.approx([35.2190], abs=1e-4)
    assert PUBLISHED.population_mean == pytest.approx(35.2190, abs=1e-4)


def test_a_missing_mean_of_a_one_time_buyer_does_not_matter() -> None:
    assert PUBLISHED.expected_spend(np.array([0.0]), np.array([np.nan])) == pytest.approx([35.2190], abs=1e-4)


def test_free_repeat_purchases_count_as_such() -> None:
    # x = 2, m = 0: p·v/(2p + q − 1) = 96.5 / 15.24 = 6.3320
    assert PUBLISHED.expected_spend(np.array([2.0]), np.array([0.0])) == pytest.approx([6.3320], abs=1e-4)


def test_the_expectation_nears_a_customers_own_mean_with_their_purchases() -> None:
    x = np.array([1.0, 10.0, 1000.0])

    spend = PUBLISHED.expected_spend(x, np.full(3, 100.0))

    # x = 1000: 6.25 · (15.44 + 100000) / (6250 + 2.74) = 99.9716
    assert spend[0] < spend[1] < spend[2] == pytest.approx(99.9716, abs=1e-4)


def test_the_likelihood_is_the_mixture_of_gammas() -> None:
    # The mean of x = 2 purchases ~ Gamma(2p, 2ν), ν ~ Gamma(q, v)
    p, q, v, m = 6.25, 3.74, 15.44, 22.35

    def over_rates(rate: float) -> float:
        return float(gamma.pdf(m, 2 * p, scale=1 / (2 * rate)) * gamma.pdf(rate, q, scale=1 / v))

    exact = np.log(quad(over_rates, 0, 5)[0])
    assert PUBLISHED.log_likelihood(np.array([2.0]), np.array([m])) == pytest.approx(exact)


def test_without_a_model_a_repeat_buyer_keeps_their_own_mean() -> None:
    spend = EmpiricalSpend(mean=30.0)

    assert spend.expected_spend(np.array([0.0, 3.0]), np.array([np.nan, 12.0])).tolist() == [30.0, 12.0]


def test_there_is_no_correlation_of_fewer_than_three_or_of_equals() -> None:
    assert spend_correlation(np.array([1.0, 2.0]), np.array([10.0, 20.0])) is None
    assert spend_correlation(np.array([1.0, 1.0, 1.0]), np.array([10.0, 20.0, 30.0])) is None
