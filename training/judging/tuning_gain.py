"""Result of hyper-parameter tuning, and its gain on the held-out test snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.language import translated
from training.churn.fit_options import FitOptions
from training.churn.recipe import Recipe
from training.churn.tuning_result import TuningResult
from training.metrics.comparison import Comparison, log_losses, paired_bootstrap
from training.snapshots.dataset import LabelledSnapshot, in_form


@dataclass(frozen=True)
class TuningReport:
    """Result of tuning on rolling validation and on the test snapshot.

    Parameters
    ----------
    result : TuningResult
    test_gain : Comparison or None
        Log-losses of the tuned recipe against those of the untuned one on the test snapshot; None where the
        untuned one is used.
    """

    result: TuningResult
    test_gain: Comparison | None

    def __str__(self) -> str:
        found = self.result
        said = translated(
            "Tuning: {trials} trials, {pruned} of them pruned; log-loss on validation {loss:.4f}, with the defaults "
            "{default_loss:.4f}: {use}.",
            trials=found.trials,
            pruned=found.pruned,
            loss=found.best_loss,
            default_loss=found.default_loss,
            use=translated("used")
            if found.parameters
            else translated("no better than noise, so the defaults are used"),
        )
        if not self.test_gain:
            return said
        gain = translated("It changed the log-loss on the test snapshot by {gain}.", gain=str(self.test_gain))
        return f"{said} {gain}"

    def to_dict(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        gain = self.test_gain.to_dict() if self.test_gain else None
        return self.result.to_dict() | {"test_gain": gain}


def gain_on_test(
    probability: np.ndarray,
    untuned: Recipe,
    known: Sequence[LabelledSnapshot],
    test: LabelledSnapshot,
    options: FitOptions,
) -> Comparison:
    """Compare a tuned model with the untuned recipe on the test snapshot; for information only.

    Parameters
    ----------
    probability : ndarray of shape (n_customers,)
        The tuned model's, for the test snapshot.
    untuned : Recipe
        Chosen on the same validation with the default parameters.
    known : sequence of LabelledSnapshot
        Closed by the test snapshot: both models are fitted on them.
    test : LabelledSnapshot
    options : FitOptions
    """
    rows = [in_form(row, untuned.form, row.window.horizon_days) for row in (*known, test)]
    default = untuned.fit(rows[:-1], options).predict(rows[-1].columns, test.snapshot)
    losses, default_losses = (log_losses(test.churned, p) for p in (probability, default))
    return paired_bootstrap(losses, default_losses, options.seed)
