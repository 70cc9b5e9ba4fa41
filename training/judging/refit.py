"""Refitting a version's recipe at an earlier date, to predict a snapshot that the version itself has seen.

A version cannot be judged on a window that it was fitted on, and a champion has been fitted on most windows there are.
Its recipe can: read from the training card, and fitted on the windows that had closed by the date in question, as if
it had been trained then.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.behaviour.files import BehaviourFiles
from features.errors import FitError
from features.language import translated
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.churn.fit_options import FitOptions
from training.clv.value import ValueTerms
from training.model.retention_model import RetentionModel
from training.model.valuation import Valuation
from training.snapshots.dataset import LabelledSnapshot, in_form, labelled_snapshots
from training.snapshots.schedule import closed_snapshots


@dataclass(frozen=True)
class RefitPredictions:
    """Predictions of a refitted recipe for the customers of a snapshot.

    Parameters
    ----------
    labelled : LabelledSnapshot
        The snapshot, its customers, and what they did.
    snapshots : int
        Number of closed snapshots that the recipe was fitted on.
    probability : ndarray of shape (n_customers,), in [0, 1]
    expected_spend, value_at_stake, spend_per_purchase : ndarrays of shape (n_customers,), money
    """

    labelled: LabelledSnapshot
    snapshots: int
    probability: np.ndarray
    expected_spend: np.ndarray
    value_at_stake: np.ndarray
    spend_per_purchase: np.ndarray


def refit_and_predict(
    model: RetentionModel,
    rows: Sequence[LabelledSnapshot],
    snapshot: Snapshot,
    log: TransactionLog,
    terms: ValueTerms,
    *,
    seed: int,
    threads: int,
    beside: BehaviourFiles | None = None,
) -> RefitPredictions:
    """Fit a model's recipe on what a closed snapshot could know, and predict that snapshot.

    Parameters
    ----------
    model : RetentionModel
        Gives the recipe, the kind of purchase model, the number of snapshots and the dormancy; none of its fitted
        parameters.
    rows : sequence of LabelledSnapshot
        Snapshots that are labelled already; those that the recipe needs beside them are built.
    snapshot : Snapshot
        Its window has closed by the end of the log.
    log : TransactionLog
    terms : ValueTerms
        On which customers are valued.
    seed, threads : int
    beside : BehaviourFiles, optional
        What is known of customers beside their orders.

    Raises
    ------
    FitError
        If no snapshot had closed by then at which the purchase model can be fitted.
    """
    recipe = model.card.recipe_for(snapshot)
    plain, target = _snapshots_for(model, rows, snapshot, log, beside)
    known = [in_form(each, recipe.form, each.window.horizon_days) for each in plain]
    row = in_form(target, recipe.form, target.window.horizon_days)
    options = FitOptions(log.first_day, model.card.dormant_after_days, seed, threads)
    churn = recipe.fit(known, options)
    spend = recipe.fit_spend(known, options) if model.spend else None
    probability, at_level_0 = churn.predict_both(row.columns, snapshot)
    money = Valuation(row.clv, terms, spend).money(row.columns, probability, at_level_0)
    return RefitPredictions(
        labelled=row,
        snapshots=len(known),
        probability=probability,
        expected_spend=money["expected_spend"],
        value_at_stake=money["value_at_stake"],
        spend_per_purchase=money["spend_per_purchase"],
    )


def _snapshots_for(
    model: RetentionModel,
    rows: Sequence[LabelledSnapshot],
    snapshot: Snapshot,
    log: TransactionLog,
    beside: BehaviourFiles | None,
) -> tuple[list[LabelledSnapshot], LabelledSnapshot]:
    """Return the snapshots that the recipe is fitted on, and the one to predict, with its purchase model."""
    kind, horizon_days = model.clv.purchases.name, model.terms.horizon_days
    limit = model.card.snapshot_limit
    wanted = [*closed_snapshots(snapshot, log.first_day, horizon_days, limit), snapshot]
    have = {
        row.snapshot: row
        for row in rows
        if row.clv.purchases.name == kind and row.window.horizon_days == horizon_days
    }
    if missing := [s for s in wanted if s not in have]:
        with contextlib.suppress(FitError), PurchaseHistory(log, beside=beside) as history:
            made = labelled_snapshots(
                history,
                missing,
                horizon_days,
                model=kind,
                value_horizon_days=model.terms.value_horizon_days,
                last_order=log.last_day,
            )
            have |= {row.snapshot: row for row in made}
    known = [have[s].as_known_at(snapshot) for s in wanted[:-1] if s in have]
    if not known or snapshot not in have:
        raise FitError(
            translated(
                "Before {snapshot} it could not have been trained: no window had closed.", snapshot=snapshot
            )
        )
    return known, have[snapshot]
