"""Contributions by table: LightGBM's own, to the last bit."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from training.churn.treeshap import TreeShap


def booster(inputs: np.ndarray, **parameters: object) -> lgb.Booster:
    """Return 25 trees on noisy products of the inputs, so that features meet in a tree and come back in it."""
    noise = np.random.default_rng(2).normal(size=len(inputs))
    known = np.nan_to_num(inputs)
    target = (known[:, 0] * known[:, 1] + known[:, 2] + 0.3 * noise > 0).astype(float)
    settings = {
        "objective": "binary",
        "num_leaves": 8,
        "min_data_in_leaf": 5,
        "verbose": -1,
        "num_threads": 1,
    }
    return lgb.train(settings | parameters, lgb.Dataset(inputs, target), num_boost_round=25)


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    """2,000 rows: two features that may be unknown, one that never is, and one of few values."""
    draw = np.random.default_rng(1)
    inputs = draw.normal(size=(2_000, 4))
    inputs[:, 3] = draw.integers(0, 3, size=2_000)
    inputs[draw.random(2_000) < 0.2, 0] = np.nan
    inputs[draw.random(2_000) < 0.2, 3] = np.nan
    return inputs


@pytest.mark.parametrize("leaves", [2, 5, 8, 9])
def test_contributions_have_the_bits_of_lightgbm(inputs: np.ndarray, leaves: int) -> None:
    model = booster(inputs, num_leaves=leaves)
    # Rows that lie on thresholds, that are unknown where no row of the training was, and beyond all of them.
    thresholds = model.trees_to_dataframe().dropna(subset="threshold")["threshold"].to_numpy()
    edges = np.stack([np.resize(np.roll(thresholds, shift), 300) for shift in range(4)], axis=1)
    rows = np.concatenate([inputs, edges, np.full((1, 4), np.nan), np.full((1, 4), np.inf)])

    shap = TreeShap.of(model)

    assert shap is not None
    lightgbms = np.asarray(model.predict(rows, pred_contrib=True, num_threads=1))[:, :-1]
    assert (shap(rows) == lightgbms).all()
    assert (shap(rows[5:6]) == lightgbms[5:6]).all()


def test_a_feature_that_splits_twice_on_the_way_to_a_leaf_is_one_feature() -> None:
    # a step up and down again: both ends of the middle are splits on the one feature there is
    inputs = np.linspace(-3, 3, 600)[:, None]
    data = lgb.Dataset(inputs, (np.abs(inputs[:, 0]) < 1).astype(float))
    settings = {
        "objective": "binary",
        "num_leaves": 6,
        "min_data_in_leaf": 5,
        "verbose": -1,
        "num_threads": 1,
    }
    model = lgb.train(settings, data, num_boost_round=10)

    shap = TreeShap.of(model)

    assert shap is not None
    assert (shap(inputs) == np.asarray(model.predict(inputs, pred_contrib=True, num_threads=1))[:, :-1]).all()


def test_trees_that_are_too_large_and_categories_are_left_to_lightgbm(inputs: np.ndarray) -> None:
    assert TreeShap.of(booster(inputs, num_leaves=10)) is None
    kinds = lgb.Dataset(inputs, inputs[:, 3] == 1, categorical_feature=[3])
    assert TreeShap.of(lgb.train({"objective": "binary", "verbose": -1}, kinds, num_boost_round=2)) is None
    assert TreeShap.of(booster(inputs, zero_as_missing=True)) is None


def test_a_tree_without_splits_adds_nothing() -> None:
    inputs = np.arange(50.0)[:, None]
    stump = lgb.train(
        {"objective": "binary", "verbose": -1, "num_threads": 1},
        lgb.Dataset(inputs, inputs[:, 0] % 2),
        num_boost_round=1,
    )

    shap = TreeShap.of(stump)

    assert shap is not None
    assert (shap(inputs) == np.asarray(stump.predict(inputs, pred_contrib=True, num_threads=1))[:, :-1]).all()
