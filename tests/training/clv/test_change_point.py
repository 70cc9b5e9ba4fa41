from __future__ import annotations

import numpy as np
import pytest

from training.clv.change_point import EDGE_DAYS, FOUND, change_day, moved_changes, next_change


def test_the_day_from_which_twice_as_many_come_is_found() -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson(np.repeat([3.0, 6.0], [300, 200])).astype(float)

    day, gain = change_day(counts, np.ones(500))

    assert abs(day - 300) <= 5
    assert gain > 100


def test_what_was_expected_to_change_is_no_change() -> None:
    expected = np.repeat([3.0, 6.0], [300, 200])
    counts = np.random.default_rng(1).poisson(expected).astype(float)

    assert change_day(counts, expected)[1] < FOUND


def test_of_400_logs_in_which_nothing_changes_few_show_a_change() -> None:
    # By chance 1 of 100, so 4; 12 or more of them once in 2,000 times.
    rng = np.random.default_rng(2)

    found = [change_day(rng.poisson(5.0, 730).astype(float), np.full(730, 5.0))[1] for _ in range(400)]

    assert sum(gain >= FOUND for gain in found) < 12


def test_no_change_is_looked_for_at_the_ends_of_a_log() -> None:
    late = np.repeat([5.0, 50.0], [200, EDGE_DAYS - 5])

    assert change_day(late, np.ones(len(late)))[0] == len(late) - EDGE_DAYS
    assert change_day(late[: 2 * EDGE_DAYS - 1], np.ones(2 * EDGE_DAYS - 1)) == (0, 0.0)


def test_a_second_change_is_found_beside_a_first_and_none_passes_another() -> None:
    counts = np.random.default_rng(3).poisson(np.repeat([4.0, 8.0, 4.0], [300, 200, 100])).astype(float)

    first, _ = change_day(counts, np.ones(600))
    second, gain = next_change(counts, np.ones(600), [first])

    assert sorted([first, second]) == pytest.approx([300, 500], abs=10)
    assert gain > FOUND
    assert moved_changes(counts, np.ones(600), [230, 570]) == pytest.approx([300, 500], abs=10)
    close = moved_changes(counts, np.ones(600), [300, 330])
    assert np.diff([0, *close, 600]).min() >= EDGE_DAYS


def test_a_log_without_purchases_shows_none() -> None:
    assert change_day(np.zeros(200), np.ones(200))[1] == 0.0
