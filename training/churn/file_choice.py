"""Choice of files beside the log: their features stay if they gain surely on rolling validation.

Each file is tried alone first; of those that gain more than noise, the one with the largest gain stays, and each other
one in turn where it surely gains beside those that stay, whether it gained alone or not: what one file explains is
noise no longer, and a smaller gain is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from training.churn.inputs import Inputs, features_by_file
from training.churn.rolling import gains_surely
from training.snapshots.dataset import LabelledSnapshot

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class InputsTrial(Generic[Choice]):
    """A residual as it was chosen with some inputs.

    Parameters
    ----------
    inputs : Inputs
    losses : sequence of ndarrays of shape (n_customers,), one a split
        Of each validation customer.
    choice : what was chosen, such as the number of trees
    """

    inputs: Inputs
    losses: Sequence[np.ndarray]
    choice: Choice

    @property
    def loss(self) -> float:
        """The mean loss of the splits."""
        return float(np.mean([each.mean() for each in self.losses]))

    def gained_on(self, other: InputsTrial[Choice]) -> list[np.ndarray]:
        """Return by how much each customer's loss is lower than with other inputs."""
        return [theirs - ours for ours, theirs in zip(self.losses, other.losses, strict=True)]


@dataclass(frozen=True)
class FileGain:
    """What a file bought on rolling validation.

    Parameters
    ----------
    features : tuple of str
        All that it gives.
    without, alone : float
        Mean loss of orders alone, and of orders and this file.
    kept : bool
        Whether the model learns from it.
    """

    features: tuple[str, ...]
    without: float
    alone: float
    kept: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self) | {"features": list(self.features)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> FileGain:
        """Read what `to_dict` wrote."""
        return cls(**{**record, "features": tuple(record["features"])})


def choose_files(
    orders: InputsTrial[Choice],
    rows: Sequence[LabelledSnapshot],
    trial: Callable[[Inputs], InputsTrial[Choice]],
) -> tuple[InputsTrial[Choice], dict[str, FileGain]]:
    """Choose the files whose features a residual learns from.

    Parameters
    ----------
    orders : InputsTrial
        With orders alone.
    rows : sequence of LabelledSnapshot
        Whose tables have the features of the files.
    trial : callable
        Chooses a residual with inputs.

    Returns
    -------
    InputsTrial of the files that stay, and what each file bought
    """
    files = features_by_file(rows)
    alone = {file: trial(Inputs.learnt(names, rows)) for file, names in files.items()}
    several = {"candidates": max(len(files), 1)}
    surely = [file for file, each in alone.items() if gains_surely(each.gained_on(orders), **several)]
    first = min(surely, key=lambda name: alone[name].loss, default=None)
    best = orders if first is None else alone[first]
    others = [file for file in files if first is not None and file != first]
    for file in sorted(others, key=lambda name: alone[name].loss):
        names = [name for own in files for name in files[own] if own in (*best.inputs.files, file)]
        more = trial(Inputs.learnt(names, rows))
        if gains_surely(more.gained_on(best), **several):
            best = more
    gains = {
        file: FileGain(names, orders.loss, alone[file].loss, file in best.inputs.files)
        for file, names in files.items()
    }
    return best, gains
