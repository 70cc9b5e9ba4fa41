"""A residual's trees: LightGBM's model by its text, which scores a list without LightGBM.

To import LightGBM takes a second, most of it for scikit-learn, and that was a sixth of scoring a million customers.
Small trees need neither: a tree of eight leaves has seven splits, hence 128 patterns of directions, and its score is
that of the pattern. The same additions in the same order give the bits of LightGBM's raw score. Larger trees,
categories and a few rows are left to LightGBM; for those, starting it once is worth it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from features.table.columns import Columns
from training.churn.inputs import Inputs

if TYPE_CHECKING:
    import lightgbm as lgb

FloatArray = npt.NDArray[np.float64]

MAX_SPLITS = 8  # a pattern is a byte
ZERO = float(np.float32(1e-35))
"""LightGBM takes numbers that are no further from 0 as 0."""

_FEW_ROWS = 16  # of a live request: LightGBM is faster
_BLOCK_ROWS = 16_384  # at a time, so that the patterns stay in cache
_CATEGORY, _LEFT, _MISSING, _NAN = 1, 2, 12, 8  # bits of a split's decision type


@dataclass(frozen=True)
class Tree:
    """A small tree: its splits, and the score of each pattern of them, a bit for each that the row passes.

    Parameters
    ----------
    features : tuple of int
    thresholds : tuple of float
    nan_passes : tuple of bool
        What a missing value does.
    scores : ndarray of shape (2 ** n_splits,)
    """

    features: tuple[int, ...]
    thresholds: tuple[float, ...]
    nan_passes: tuple[bool, ...]
    scores: FloatArray

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Tree | None:
        """Read a tree of LightGBM's text; None if it is too large or has a split that is not numeric."""
        leaves = np.array(fields["leaf_value"].split(), dtype=np.float64)
        if int(fields["num_leaves"]) == 1:
            return cls((), (), (), leaves)
        decisions = [int(decision) for decision in fields["decision_type"].split()]
        plain = all(not each & _CATEGORY and each & _MISSING in (0, _NAN) for each in decisions)
        if not plain or len(decisions) > MAX_SPLITS:
            return None
        thresholds = [float(threshold) for threshold in fields["threshold"].split()]
        # LightGBM takes NaN for 0 where no row of the training data was NaN.
        passes = [
            bool(each & _LEFT if each & _NAN else t >= 0)
            for each, t in zip(decisions, thresholds, strict=True)
        ]
        left, right = (
            np.array(fields[side].split(), dtype=np.intp) for side in ("left_child", "right_child")
        )
        patterns = np.arange(2 ** len(decisions))
        node = np.zeros_like(patterns)
        for _ in decisions:  # no leaf lies deeper; leaves are numbered from -1 down
            inner = np.maximum(node, 0)
            node = np.where(node < 0, node, np.where(patterns >> inner & 1, left[inner], right[inner]))
        features = tuple(int(feature) for feature in fields["split_feature"].split())
        return cls(features, tuple(map(_around_zero, thresholds)), tuple(passes), leaves[~node])

    def __call__(self, read: Mapping[int, FloatArray], rows: slice) -> FloatArray:
        """Return the scores of some rows of the features' columns."""
        if not self.features:
            return self.scores
        pattern = np.zeros(len(read[self.features[0]][rows]), dtype=np.uint8)
        for bit, feature in enumerate(self.features):
            values, threshold = read[feature][rows], self.thresholds[bit]
            passes = ~(values > threshold) if self.nan_passes[bit] else values <= threshold
            pattern |= passes.view(np.uint8) << np.uint8(bit)
        return np.asarray(self.scores.take(pattern, mode="clip"))


def _around_zero(threshold: float) -> float:
    """Return the threshold that treats numbers near 0 as LightGBM does: as 0.

    Examples
    --------
    >>> _around_zero(0.0) == ZERO, _around_zero(-1e-36) < -ZERO, _around_zero(2.5)
    (True, True, 2.5)
    """
    if abs(threshold) > ZERO:
        return threshold
    return ZERO if threshold >= 0 else float(np.nextafter(-ZERO, -1.0))


@dataclass(frozen=True)
class Booster:
    """A LightGBM model.

    Parameters
    ----------
    text : str
        As LightGBM writes it.
    """

    text: str

    @cached_property
    def lightgbm(self) -> lgb.Booster:
        """The model as LightGBM reads it."""
        import lightgbm as lgb

        return lgb.Booster(model_str=self.text)

    def raw_scores(self, inputs: Inputs, columns: Columns) -> FloatArray:
        """Return what the trees add to each customer's log-odds or log-spend, of shape (n_customers,)."""
        n_customers = len(columns["frequency"])
        if n_customers < _FEW_ROWS or self._trees is None:
            return self._predict(inputs.matrix(columns))
        read = {place: inputs.column(place, columns) for tree in self._trees for place in tree.features}
        scores = np.zeros(n_customers)
        for start in range(0, n_customers, _BLOCK_ROWS):
            rows = slice(start, start + _BLOCK_ROWS)
            for tree in self._trees:
                scores[rows] += tree(read, rows)
        return scores

    def contributions(self, inputs: FloatArray) -> FloatArray:
        """Return LightGBM's contribution of each feature to the raw scores, with the constant last."""
        return self._predict(inputs, pred_contrib=True)

    def _predict(self, inputs: FloatArray, *, pred_contrib: bool = False) -> FloatArray:
        # For few rows, starting a team of threads (0: all) takes longer than predicting.
        threads = 1 if len(inputs) < 5_000 else 0
        return np.asarray(
            self.lightgbm.predict(inputs, raw_score=True, pred_contrib=pred_contrib, num_threads=threads)
        )

    @cached_property
    def _trees(self) -> tuple[Tree, ...] | None:
        found = []
        for part in self.text.split("\nTree=")[1:]:
            lines = (line.partition("=") for line in part.partition("\n\n")[0].splitlines())
            tree = Tree.of({name: value for name, _, value in lines})
            if tree is None:
                return None
            found.append(tree)
        return tuple(found)
