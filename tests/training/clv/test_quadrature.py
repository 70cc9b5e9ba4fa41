"""Integrals over the future: exact, and the same for a row alone or in any batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from training.clv.quadrature import Memory, distinct, once_per_distinct, time_points


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


def test_a_function_is_evaluated_once_per_distinct_row() -> None:
    seen: list[tuple[float, float]] = []

    def ratio(x: np.ndarray, T: np.ndarray) -> np.ndarray:
        seen.extend(zip(x.tolist(), T.tolist(), strict=True))
        return x / T

    result = once_per_distinct(ratio, np.array([2.0, 1.0, 2.0, 2.0]), np.array([4.0, 4.0, 4.0, 8.0]))

    assert result.tolist() == [0.5, 0.25, 0.5, 0.25]
    assert sorted(seen) == [(1.0, 4.0), (2.0, 4.0), (2.0, 8.0)]


def test_more_rows_than_a_block_are_all_evaluated() -> None:
    numbers = np.arange(20_000.0)

    assert (once_per_distinct(lambda n: 2 * n, numbers) == 2 * numbers).all()


def test_no_rows_give_no_results() -> None:
    nothing = np.zeros(0)

    assert once_per_distinct(lambda n: n, nothing).shape == (0,)
    assert distinct(nothing, nothing)[1].shape == (0,)


def test_what_was_asked_before_is_not_evaluated_again() -> None:
    memory, evaluated = Memory(), []

    def ratio(x: np.ndarray, T: np.ndarray) -> np.ndarray:
        evaluated.extend(zip(x.tolist(), T.tolist(), strict=True))
        return x / T

    first = memory("ratio", ratio, np.array([2.0, 1.0, 2.0]), np.array([4.0, 4.0, 4.0]))
    second = memory("ratio", ratio, np.array([3.0, 2.0]), np.array([4.0, 4.0]))

    assert (first.tolist(), second.tolist()) == ([0.5, 0.25, 0.5], [0.75, 0.5])
    assert sorted(evaluated) == [(1.0, 4.0), (2.0, 4.0), (3.0, 4.0)]


def test_functions_of_other_names_are_remembered_apart() -> None:
    memory, four = Memory(), np.array([4.0])

    assert memory("double", lambda n: 2 * n, four) == 8
    assert memory("half", lambda n: n / 2, four) == 2
    assert memory("half", lambda n: n / 0, four) == 2


def test_memory_is_bounded_and_right_beyond_its_bounds() -> None:
    memory = Memory()

    for start in range(0, 50_000, 4_000):
        numbers = np.arange(float(start), start + 4_000)
        assert (memory("double", lambda n: 2 * n, numbers) == 2 * numbers).all()
    long = np.arange(20_000.0)
    assert (memory("double", lambda n: 2 * n, long) == 2 * long).all()

    for factor in range(100):
        assert (memory(factor, lambda n, factor=factor: factor * n, long[:9]) == factor * long[:9]).all()

    assert sum(map(len, memory._known.values())) <= 14_000
    assert len(memory._known) <= 8


def test_nothing_is_asked_and_nothing_remembered() -> None:
    assert Memory()("double", lambda n: 2 * n, np.zeros(0)).shape == (0,)
