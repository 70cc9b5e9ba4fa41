"""Functions evaluated once per distinct row, and the bounded cache of their results."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.clv.row_cache import RowCache, distinct, once_per_count, once_per_distinct


def test_a_function_is_evaluated_once_per_distinct_row() -> None:
    seen: list[tuple[float, float]] = []

    def ratio(x: np.ndarray, T: np.ndarray) -> np.ndarray:
        seen.extend(zip(x.tolist(), T.tolist(), strict=True))
        return x / T

    result = once_per_distinct(ratio, np.array([2.0, 1.0, 2.0, 2.0]), np.array([4.0, 4.0, 4.0, 8.0]))

    assert result.tolist() == [0.5, 0.25, 0.5, 0.25]
    assert sorted(seen) == [(1.0, 4.0), (2.0, 4.0), (2.0, 8.0)]


def test_numbers_that_are_no_counts_are_evaluated_row_by_row() -> None:
    counts, halves = np.array([3.0, 0.0, 3.0, 1.0, 2.0]), np.array([0.5, 0.0, 2.0, 1.5])

    assert (once_per_count(np.exp, counts) == np.exp(counts)).all()
    assert (once_per_count(np.exp, halves) == np.exp(halves)).all()
    assert once_per_count(np.exp, np.empty(0)).size == 0


def test_more_rows_than_a_block_are_all_evaluated() -> None:
    numbers = np.arange(20_000.0)

    assert (once_per_distinct(lambda n: 2 * n, numbers) == 2 * numbers).all()


def test_no_rows_give_no_results() -> None:
    nothing = np.zeros(0)

    assert once_per_distinct(lambda n: n, nothing).shape == (0,)
    assert distinct(nothing, nothing)[1].shape == (0,)


def test_rows_that_are_sorted_are_told_apart_as_others_are() -> None:
    draw = np.random.default_rng(0)
    columns = [draw.integers(0, 4, 500).astype(float) for _ in range(3)]
    order = np.lexsort(columns[::-1])
    rows, place = distinct(*columns)

    in_order, places = distinct(*(column[order] for column in columns))

    assert [column.tolist() for column in in_order] == [column.tolist() for column in rows]
    assert (places == place[order]).all()


def test_a_cached_row_is_not_evaluated_again() -> None:
    cache = RowCache()
    evaluated: list[Any] = []

    def ratio(x: np.ndarray, T: np.ndarray) -> np.ndarray:
        evaluated.extend(zip(x.tolist(), T.tolist(), strict=True))
        return x / T

    first = cache("ratio", ratio, np.array([2.0, 1.0, 2.0]), np.array([4.0, 4.0, 4.0]))
    second = cache("ratio", ratio, np.array([3.0, 2.0]), np.array([4.0, 4.0]))

    assert (first.tolist(), second.tolist()) == ([0.5, 0.25, 0.5], [0.75, 0.5])
    assert sorted(evaluated) == [(1.0, 4.0), (2.0, 4.0), (3.0, 4.0)]


def test_functions_of_other_names_are_cached_apart() -> None:
    cache, four = RowCache(), np.array([4.0])

    assert cache("double", lambda n: 2 * n, four) == 8
    assert cache("half", lambda n: n / 2, four) == 2
    assert cache("half", lambda n: n / 0, four) == 2


def test_a_cache_is_bounded_and_right_beyond_its_bounds() -> None:
    cache = RowCache()

    for start in range(0, 50_000, 4_000):
        numbers = np.arange(float(start), start + 4_000)
        assert (cache("double", lambda n: 2 * n, numbers) == 2 * numbers).all()
    long = np.arange(20_000.0)
    assert (cache("double", lambda n: 2 * n, long) == 2 * long).all()

    for factor in range(100):
        assert (cache(factor, lambda n, factor=factor: factor * n, long[:9]) == factor * long[:9]).all()

    assert sum(map(len, cache._results.values())) <= 14_000
    assert len(cache._results) <= 16


def test_no_rows_are_cached_as_no_results() -> None:
    assert RowCache()("double", lambda n: 2 * n, np.zeros(0)).shape == (0,)
