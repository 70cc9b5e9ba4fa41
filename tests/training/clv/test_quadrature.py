"""Integrals over time: exact, and the same for a row alone or in any batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from training.clv.quadrature import time_points


@pytest.mark.parametrize("power", [0.5, 2.0, 10.0])
@pytest.mark.parametrize("upper", [0.1, 52.0, 1000.0])
def test_a_fading_power_is_integrated_to_rounding(power: float, upper: float) -> None:
    # ∫₀ᵁ (1 + t/3)^−k dt = 3·(1 − (1 + U/3)^(1−k))/(k − 1)
    t, w = time_points(upper, np.array([3.0]))

    integral = ((1 + t / 3.0) ** -power * w).sum(axis=1)

    exact = 3.0 * (1 - (1 + upper / 3.0) ** (1 - power)) / (power - 1)
    assert integral[0] == pytest.approx(exact, rel=1e-12)


def test_an_integral_over_no_time_is_zero() -> None:
    _, w = time_points(0.0, np.array([3.0]))

    assert w.sum() == 0.0


@given(st.lists(st.floats(0.01, 1000.0), min_size=1, max_size=70), st.randoms(use_true_random=False))
def test_a_row_has_the_same_bits_alone_and_in_any_batch(scales: list[float], shuffle: object) -> None:
    def integrate(scale: np.ndarray) -> np.ndarray:
        t, w = time_points(52.0, scale)
        return (np.exp(-0.01 * t - 1.3 * np.log1p(t / scale[:, None])) * w).sum(axis=1)

    together = integrate(np.array(scales))

    assert together.tolist() == [float(integrate(np.array([scale]))[0]) for scale in scales]
