"""Qini: a curve by hand, and the ends of its scale."""

from __future__ import annotations

import numpy as np
import pytest

from training.experiments.qini import Ranking, perfect_ranking, qini_area


def curve(outcome: list[float], score: list[float], treated: list[float]) -> tuple[list[float], list[float]]:
    taken, gained = Ranking.of(score).curve(np.array(outcome), np.array(treated), np.ones(len(outcome)))
    return taken.tolist(), gained.tolist()


def test_the_curve_by_hand() -> None:
    # Ranked: contacted with outcome, other without, contacted without, other with.
    taken, gained = curve([1.0, 0, 0, 1], [4, 3, 2, 1], [1.0, 0, 1, 0])

    # After the third: 1 of 2 contacted, 0 of 1 other: 1 − 0. At the end: 1 − 1·2/2.
    assert taken == [0, 1, 2, 3, 4]
    assert gained == [0, 1, 1, 1, 0]


def test_equal_scores_are_taken_together() -> None:
    assert curve([1.0, 0, 0, 1], [1, 1, 1, 1], [1.0, 0, 1, 0]) == ([0, 4], [0, 0])


def test_a_weight_of_two_is_the_customer_twice() -> None:
    outcome, treated, weight = np.array([1.0, 0, 1]), np.array([1.0, 0, 0]), np.array([2.0, 1, 1])

    weighed = Ranking.of([3, 2, 1]).curve(outcome, treated, weight)

    # Two contacted with an outcome, one other without, one with: 2 − 1·2/2 = 1 at the end.
    assert (weighed[0].tolist(), weighed[1].tolist()) == ([0, 2, 3, 4], [0, 2, 2, 1])


def test_the_scale_runs_from_zero_at_random_to_one_by_known_outcomes() -> None:
    rng = np.random.default_rng(1)
    treated = rng.integers(0, 2, 20_000).astype(float)
    outcome = (rng.random(20_000) < 0.3 + 0.1 * treated).astype(float)
    once = np.ones(20_000)
    best = qini_area(perfect_ranking(outcome, treated), outcome, treated, once)
    scores = (rng.random(20_000), outcome * (2 * treated - 1), -outcome * (2 * treated - 1))

    random, known, opposite = (qini_area(Ranking.of(each), outcome, treated, once) / best for each in scores)

    assert random == pytest.approx(0, abs=0.02)
    assert known == pytest.approx(1)
    assert opposite < -0.3
