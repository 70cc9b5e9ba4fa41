"""Qini: a curve by hand, and the ends of its scale."""

from __future__ import annotations

import numpy as np
import pytest

from training.experiments.qini import qini_coefficient, qini_curve


def test_the_curve_by_hand() -> None:
    # Ranked: contacted with outcome, other without, contacted without, other with.
    taken, gained = qini_curve([1, 0, 0, 1], [4, 3, 2, 1], [1, 0, 1, 0])

    # After the third: 1 of 2 contacted, 0 of 1 other: 1 − 0. At the end: 1 − 1·2/2.
    assert taken.tolist() == [0, 1, 2, 3, 4]
    assert gained.tolist() == [0, 1, 1, 1, 0]


def test_equal_scores_are_taken_together() -> None:
    taken, gained = qini_curve([1, 0, 0, 1], [1, 1, 1, 1], [1, 0, 1, 0])

    assert (taken.tolist(), gained.tolist()) == ([0, 4], [0, 0])


def test_the_scale_runs_from_zero_by_lot_to_one_by_foresight() -> None:
    rng = np.random.default_rng(1)
    treated = rng.integers(0, 2, 20_000)
    outcome = (rng.random(20_000) < 0.3 + 0.1 * treated).astype(float)

    assert qini_coefficient(outcome, rng.random(20_000), treated) == pytest.approx(0, abs=0.02)
    assert qini_coefficient(outcome, outcome * (2 * treated - 1), treated) == pytest.approx(1)
    assert qini_coefficient(outcome, -outcome * (2 * treated - 1), treated) < -0.3
