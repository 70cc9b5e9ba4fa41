"""What tuning found, and what was left of it on a snapshot that it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from features.progress import Report
from training.churn.budget import Budget
from training.churn.recipe import Recipe
from training.churn.tuning_result import TuningResult
from training.metrics.comparison import Comparison, log_losses, paired_bootstrap
from training.settings import TrainSettings
from training.snapshots.dataset import LabelledSnapshot
from training.versions.registry import Registry


@dataclass(frozen=True)
class Tuned:
    """A tuned run's findings.

    Parameters
    ----------
    tuning : TuningResult
    bought : Comparison or None
        On the test snapshot, the run's log-losses against those of the untuned recipe; None where that is
        the one used.
    """

    tuning: TuningResult
    bought: Comparison | None

    def __str__(self) -> str:
        found = self.tuning
        use = "used" if found.parameters else "no better than noise, so the defaults stay"
        return (
            f"Tuning: {found.trials} trials, {found.pruned} of them given up; log-loss on validation "
            f"{found.best_loss:.4f}, by default {found.default_loss:.4f}: {use}."
            + (f" It changed the log-loss on the test snapshot by {self.bought}." if self.bought else "")
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return self.tuning.to_dict() | {"bought": self.bought.to_dict() if self.bought else None}


def tuned_parameters(
    known: Sequence[LabelledSnapshot], settings: TrainSettings, threads: int, report: Report
) -> TuningResult | None:
    """Tune as the settings ask for, in the registry's database; None where they do not."""
    if settings.tune is None:
        return None
    from training.churn.tuning import study_storage, tune  # Optuna takes a second to import

    Registry(settings.tracking_uri).create()
    return tune(
        known,
        budget=Budget.parse(settings.tune),
        storage=study_storage(settings.tracking_uri),
        seed=settings.seed,
        threads=threads,
        report=report,
    )


def bought(
    probability: np.ndarray,
    untuned: Recipe,
    known: Sequence[LabelledSnapshot],
    test: LabelledSnapshot,
    first_order: date,
    *,
    dormant_after_days: int,
    seed: int,
    threads: int,
) -> Comparison:
    """Compare a tuned model with the untuned recipe on the test snapshot. It reports; nothing is decided by it.

    Parameters
    ----------
    probability : ndarray of shape (n_customers,)
        The tuned model's, for the test snapshot.
    untuned : Recipe
        Chosen on the same validation with the default parameters.
    known : sequence of LabelledSnapshot
        Closed by the test snapshot: what both learn from.
    test : LabelledSnapshot
    """
    model = untuned.fit(known, first_order, dormant_after_days=dormant_after_days, seed=seed, threads=threads)
    default = model.predict(test.table, test.snapshot)
    return paired_bootstrap(log_losses(test.churned, probability), log_losses(test.churned, default), seed)
