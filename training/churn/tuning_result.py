"""Result of hyper-parameter tuning on rolling validation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from training.metrics.comparison import Comparison


@dataclass(frozen=True)
class TuningResult:
    """Result of a search for LightGBM parameters.

    Parameters
    ----------
    parameters : dict
        To lay over `training.churn.model.PARAMETERS`; empty where the defaults were as good.
    best : dict
        The best trial's parameters, whether or not they are used.
    default_loss, best_loss : float
        Mean validation log-loss of the defaults, in the better of their two forms, and of the best trial.
    gain : Comparison
        The best trial against the defaults, per validation customer.
    trials, pruned : int
        Finished in the study, and how many of them were pruned.
    study : str
        Its name in the database.
    """

    parameters: dict[str, Any]
    best: dict[str, Any]
    default_loss: float
    best_loss: float
    gain: Comparison
    trials: int
    pruned: int
    study: str

    def to_dict(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return asdict(self) | {"gain": self.gain.to_dict()}
