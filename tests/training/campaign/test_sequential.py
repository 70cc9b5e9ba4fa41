"""Looks before the end: campaigns that did nothing, looked at every week."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from training.campaign.effect import effect
from training.campaign.sequential import confidence_of_a_look

HORIZON_DAYS = 91
LOOKS = np.arange(7, HORIZON_DAYS, 7)
LEVELS = np.array([confidence_of_a_look(day / HORIZON_DAYS, 0.9) for day in LOOKS])


def _purchases(rng: np.random.Generator, campaigns: int, customers: int) -> np.ndarray:
    """Purchases by each look, of customers whose rates differ as they do in shops."""
    rate = rng.gamma(0.5, 2.0, (campaigns, customers, 1)) / HORIZON_DAYS
    return np.cumsum(rng.poisson(rate * np.diff(LOOKS, prepend=0)), axis=2)


@pytest.mark.parametrize("outcome", [np.sign, lambda purchases: purchases], ids=["retention", "orders"])
def test_looking_every_week_raises_few_false_alarms(outcome: Callable[[np.ndarray], np.ndarray]) -> None:
    made = outcome(_purchases(np.random.default_rng(5), 800, 400)).astype(float)

    contacted, held_out = made[:, :300], made[:, 300:]
    error = np.sqrt(contacted.var(axis=1, ddof=1) / 300 + held_out.var(axis=1, ddof=1) / 100)
    size = np.abs(contacted.mean(axis=1) - held_out.mean(axis=1)) / error

    always_valid, single = stats.norm.ppf((1 + LEVELS) / 2), stats.norm.ppf(0.95)
    assert (size > always_valid).any(axis=1).mean() <= 0.08
    assert (size > single).any(axis=1).mean() >= 0.25


@pytest.mark.soak
@pytest.mark.parametrize("measure", ["retention", "orders", "margin"])
def test_the_intervals_that_are_shown_raise_few_false_alarms_too(measure: str) -> None:
    rng, alarms = np.random.default_rng(6), 0
    for _ in range(400):
        (purchases,) = _purchases(rng, 1, 1000)
        money = rng.lognormal(2, 1, (1000, 1)) * purchases
        made = {"retention": np.sign(purchases), "orders": purchases, "margin": money}[measure]
        contacted = rng.permutation(1000) >= 100
        looks = (
            effect(made[:, look], contacted, confidence=level).conclusive for look, level in enumerate(LEVELS)
        )
        alarms += any(looks)

    assert alarms <= 40


def test_an_early_look_needs_more_than_a_late_one() -> None:
    assert LEVELS[0] > LEVELS[2] > LEVELS[5] > 0.99
