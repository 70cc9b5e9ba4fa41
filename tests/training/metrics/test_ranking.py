from __future__ import annotations

import numpy as np
import pytest

from training.metrics.ranking import gain_curve, normalised_gini


def test_the_gain_curve_climbs_from_nothing_to_everything() -> None:
    # ranked c, a, b: 6 of 10, then 3, then 1
    curve = gain_curve(np.array([3.0, 1.0, 6.0]), np.array([0.5, 0.1, 0.9]))

    assert curve.tolist() == pytest.approx([0, 0.6, 0.9, 1.0])


def test_a_reversed_ranking_has_a_gini_of_minus_one() -> None:
    actual = np.array([0.0, 1.0, 3.0])

    assert normalised_gini(actual, -actual) == pytest.approx(-1.0)


def test_where_all_are_equal_no_ranking_has_a_gini() -> None:
    assert np.isnan(normalised_gini(np.ones(4), np.arange(4.0)))
