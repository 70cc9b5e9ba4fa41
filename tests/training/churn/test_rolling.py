"""Loss curves of rolling validation: those of separate fits, and no longer than it takes to see where they turn."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from training.churn.rolling import MAX_ROUNDS, loss_curves

PARAMETERS = {
    "objective": "binary",
    "num_leaves": 8,
    "learning_rate": 0.3,
    "num_threads": 1,
    "seed": 0,
    "verbose": -1,
}
Pairs = list[tuple[lgb.Dataset, lgb.Dataset]]


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    """Draw two splits of few noisy rows: trees soon learn the noise."""
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(2):
        x = rng.normal(size=(600, 5))
        y = (rng.random(600) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
        train = lgb.Dataset(x[:300], y[:300], params={"verbose": -1})
        drawn.append((train.construct(), lgb.Dataset(x[300:], y[300:], reference=train).construct()))
    return drawn


def test_side_by_side_the_curve_is_the_mean_of_separate_fits(pairs: Pairs) -> None:
    curves = []
    for train, valid in pairs:
        curve: dict[str, dict[str, list[float]]] = {}
        lgb.train(PARAMETERS, train, MAX_ROUNDS, valid_sets=[valid], callbacks=[lgb.record_evaluation(curve)])
        curves.append(curve["valid_0"]["binary_logloss"])

    boosters, mean = loss_curves(PARAMETERS, pairs, patience=MAX_ROUNDS)

    assert [booster.num_trees() for booster in boosters] == [MAX_ROUNDS, MAX_ROUNDS]
    np.testing.assert_array_equal(mean, np.mean(curves, axis=0))


def test_it_ends_as_many_rounds_after_its_minimum_as_one_waits(pairs: Pairs) -> None:
    _, whole = loss_curves(PARAMETERS, pairs, patience=MAX_ROUNDS)
    turns = int(whole.argmin())
    assert turns + 7 < MAX_ROUNDS

    _, stopped = loss_curves(PARAMETERS, pairs, patience=7)

    np.testing.assert_array_equal(stopped, whole[: turns + 8])
