"""A residual's trees read from LightGBM's text: the bits of LightGBM's own scores, without LightGBM."""

from __future__ import annotations

import subprocess
import sys

import lightgbm as lgb
import numpy as np
import pytest

from training.churn.booster import Booster
from training.churn.inputs import CHURN_FEATURES, ORDERS_ALONE

N_FEATURES = len(CHURN_FEATURES)


def trained(inputs: np.ndarray, categories: list[int] | None = None, **parameters: object) -> lgb.Booster:
    """Return 25 trees on noisy products of the first inputs."""
    noise = np.random.default_rng(2).normal(size=len(inputs))
    known = np.nan_to_num(inputs)
    target = (known[:, 0] * known[:, 1] + known[:, 2] + 0.3 * noise > 0).astype(float)
    settings = {"objective": "binary", "min_data_in_leaf": 5, "verbose": -1, "num_threads": 1}
    data = lgb.Dataset(inputs, target, categorical_feature=categories or [])
    return lgb.train(settings | parameters, data, num_boost_round=25)


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    """2,000 rows: of the first features one is sometimes unknown, one never, one has few values about 0."""
    draw = np.random.default_rng(1)
    inputs = draw.normal(size=(2_000, N_FEATURES))
    inputs[:, 2] = draw.integers(-1, 2, size=2_000)
    inputs[draw.random(2_000) < 0.2, 0] = np.nan
    return inputs


def columns_of(rows: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(CHURN_FEATURES, np.ascontiguousarray(rows.T), strict=True))


@pytest.mark.parametrize("leaves", [2, 5, 8, 9, 31])
def test_scores_have_the_bits_of_lightgbm(inputs: np.ndarray, leaves: int) -> None:
    model = trained(inputs, num_leaves=leaves)
    # On thresholds, next to 0, unknown where no row of the training was, and beyond all.
    thresholds = model.trees_to_dataframe().dropna(subset="threshold")["threshold"].to_numpy()
    edges = np.stack([np.resize(np.roll(thresholds, shift), 300) for shift in range(N_FEATURES)], axis=1)
    tiny = np.resize([0.0, 1e-36, -1e-36, 1e-34, -1e-34], (25, N_FEATURES))
    beyond = [np.full((1, N_FEATURES), value) for value in (np.nan, np.inf, -np.inf)]
    rows = np.concatenate([inputs, edges, tiny, *beyond])

    scores = Booster(model.model_to_string()).raw_scores(ORDERS_ALONE, columns_of(rows))

    assert (scores == np.asarray(model.predict(rows, raw_score=True, num_threads=1))).all()


def test_a_threshold_at_zero_takes_what_lightgbm_takes_as_zero() -> None:
    # -1, 0 and 1 alone: a split lies at LightGBM's own smallest number
    values = np.resize([-1.0, 0.0, 1.0], 600)
    inputs = np.tile(values[:, None], (1, N_FEATURES))
    data = lgb.Dataset(inputs, (values > 0).astype(float))
    model = lgb.train({"objective": "binary", "num_leaves": 3, "verbose": -1}, data, num_boost_round=5)
    rows = np.tile(np.resize([0.0, 1e-36, -1e-36, 1e-34, -1e-34, 1.0], 60)[:, None], (1, N_FEATURES))

    scores = Booster(model.model_to_string()).raw_scores(ORDERS_ALONE, columns_of(rows))

    assert (scores == np.asarray(model.predict(rows, raw_score=True))).all()


def test_a_tree_without_splits_adds_its_constant() -> None:
    inputs = np.tile(np.arange(50.0)[:, None], (1, N_FEATURES))
    data = lgb.Dataset(inputs, inputs[:, 0] % 2)
    stump = lgb.train({"objective": "binary", "verbose": -1, "min_data_in_leaf": 40}, data, num_boost_round=1)

    scores = Booster(stump.model_to_string()).raw_scores(ORDERS_ALONE, columns_of(inputs))

    assert (scores == np.asarray(stump.predict(inputs, raw_score=True))).all()


@pytest.mark.parametrize(("categories", "zero_as_missing"), [([2], False), ([], True)])
def test_categories_and_zeros_that_are_missing_are_left_to_lightgbm(
    inputs: np.ndarray, categories: list[int], zero_as_missing: bool
) -> None:
    rows = np.abs(inputs)  # a category is at least 0
    model = trained(rows, categories, zero_as_missing=zero_as_missing)

    scores = Booster(model.model_to_string()).raw_scores(ORDERS_ALONE, columns_of(rows))

    assert (scores == np.asarray(model.predict(rows, raw_score=True))).all()


def test_a_list_is_scored_without_importing_lightgbm(inputs: np.ndarray) -> None:
    program = f"""
import sys, numpy as np
from training.churn.booster import Booster
from training.churn.inputs import CHURN_FEATURES, ORDERS_ALONE
rows = np.random.default_rng(0).normal(size=({N_FEATURES}, 100))
Booster(sys.stdin.read()).raw_scores(ORDERS_ALONE, dict(zip(CHURN_FEATURES, rows)))
print(sorted({{"lightgbm", "sklearn"}} & set(sys.modules)))
"""
    text = trained(inputs, num_leaves=8).model_to_string()

    said = subprocess.run(
        [sys.executable, "-c", program], input=text, capture_output=True, text=True, check=True
    )

    assert said.stdout.strip() == "[]"
