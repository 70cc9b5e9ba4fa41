"""Fitting a rhythm: what was drawn from a known one comes back, and what nobody saw stays at 0."""

from __future__ import annotations

import numpy as np

from training.clv.rhythm import RATIO_EDGES, SHAPE, cells, log_hazards
from training.clv.rhythm_fit import FirstPurchases, fit_rhythm

HORIZON = 40
DUE = RATIO_EDGES.index(61)


def drawn(n: int, steps: tuple[np.ndarray, np.ndarray, np.ndarray], seed: int) -> FirstPurchases:
    """Draw first purchases of customers with gaps of about 25 days, none of them silent."""
    draw = np.random.default_rng(seed)
    mean = draw.uniform(20, 30, n)
    columns = {
        "mean_gap_days": mean,
        "std_gap_days": mean * 0.3,
        "last_gap_days": draw.integers(5, 60, n).astype(float),
        "days_since_last_purchase": draw.integers(1, 25, n),
    }
    places = cells(columns, HORIZON, np.arange(n))
    spent = np.exp(log_hazards(*steps)[places]).cumsum(axis=1)
    p = np.full(n, 0.02)
    silent = p[:, None] ** (spent / spent[:, -1:])  # by the end of each day
    uniform = draw.uniform(0.02, 1.0, n)
    waited = (silent > uniform[:, None]).sum(axis=1)
    return FirstPurchases(places, np.ones((n, HORIZON)), waited, p)


def none() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros(SHAPE[:2]), np.zeros((SHAPE[0], SHAPE[2])), np.zeros((SHAPE[0], 7))


def test_the_steps_that_were_drawn_from_come_back() -> None:
    steps = none()
    steps[0][2, DUE] = 2.5  # of 6 regularities, that of a deviation of 30% of the mean
    steps[2][2, 0] = 1.0

    found = fit_rhythm(drawn(20_000, steps, seed=1))

    mean, weeks = np.array(found.mean_gap)[2], np.array(found.weeks)[2]
    assert abs(mean[DUE] - np.mean(mean[DUE - 3 : DUE]) - 2.5) < 0.2
    assert abs(weeks[0] - weeks[1:].mean() - 1.0) < 0.1


def test_where_purchases_come_at_any_time_alike_the_steps_are_about_0() -> None:
    found = fit_rhythm(drawn(20_000, none(), seed=2))

    seen = np.array(found.mean_gap)[2]
    assert np.abs(seen[:14]).max() < 0.25


def test_a_regularity_that_nobody_has_stays_at_0() -> None:
    found = fit_rhythm(drawn(500, none(), seed=3))

    others = [0, 1, 3, 4, 5]
    assert not np.array(found.mean_gap)[others].any() and not np.array(found.weeks)[others].any()
