"""Snapshots in LightGBM's bins, made once for all that is learnt from them.

The residuals of churn and of spend, and the candidates among them, differ in what they explain, not in what they read.
To bin half a million rows takes a quarter of the time of a fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from training.churn.booster import Booster
from training.churn.inputs import ORDERS_ALONE, Inputs
from training.churn.rolling import Split
from training.snapshots.dataset import LabelledSnapshot

if TYPE_CHECKING:
    import lightgbm as lgb

Target = Callable[[LabelledSnapshot], tuple[np.ndarray, np.ndarray]]
"""Gives what is to be explained of a snapshot's customers, and the score from which the trees start."""

_BINNING = ("max_bin", "min_data_in_leaf", "feature_pre_filter", "seed", "num_threads", "verbose")
"""The parameters that LightGBM's bins depend on: features that no leaf could be split by are left out."""


class Bins:
    """LightGBM datasets of snapshots, kept for the next target.

    A dataset has the target that was asked for last: what was trained on it before is not touched by that.
    """

    def __init__(self) -> None:
        self._kept: dict[Any, tuple[Any, lgb.Dataset]] = {}

    def of(
        self,
        rows: Sequence[LabelledSnapshot],
        target: Target,
        parameters: Mapping[str, Any],
        inputs: Inputs = ORDERS_ALONE,
        reference: lgb.Dataset | None = None,
    ) -> lgb.Dataset:
        """Return stacked snapshots with a target.

        Parameters
        ----------
        rows : sequence of LabelledSnapshot
        target : callable
        parameters : mapping
            LightGBM's, of the trees that are to be trained.
        inputs : Inputs
        reference : lightgbm.Dataset, optional
            By whose bins the rows are cut.
        """
        import lightgbm as lgb

        label, start = (np.concatenate(each) for each in zip(*map(target, rows), strict=True))
        binning = {name: parameters[name] for name in _BINNING if name in parameters}
        key = (*map(id, (*rows, reference)), inputs.names, *sorted(binning.items()))
        if key not in self._kept:
            options = {"params": binning, "reference": reference, **inputs.dataset_options}
            dataset = lgb.Dataset(inputs.stacked(rows), label, init_score=start, **options)
            self._kept[key] = (
                [*rows, reference],
                dataset.construct(),
            )  # what has an id in the key stays alive
        dataset = self._kept[key][1]
        dataset.set_label(label)
        dataset.set_init_score(start)
        return dataset

    def trees(
        self,
        rows: Sequence[LabelledSnapshot],
        target: Target,
        parameters: Mapping[str, Any],
        rounds: int,
        inputs: Inputs = ORDERS_ALONE,
    ) -> Booster | None:
        """Train so many trees, as `of` takes the rest; None for no trees."""
        if not rounds:
            return None
        import lightgbm as lgb

        data = self.of(rows, target, parameters, inputs)
        return Booster(lgb.train(dict(parameters), data, num_boost_round=rounds).model_to_string())

    def of_split(
        self, split: Split, target: Target, parameters: Mapping[str, Any], inputs: Inputs = ORDERS_ALONE
    ) -> tuple[lgb.Dataset, lgb.Dataset]:
        """Return a split's two sides, the second cut into the bins of the first."""
        train = self.of(split.train, target, parameters, inputs)
        return train, self.of([split.valid], target, parameters, inputs, train)
