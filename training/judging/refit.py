"""A registered version's recipe, fitted again at an earlier date.

A version cannot be judged on a window that it has seen, and the champion of last month has seen most windows
there are. What is judged is its recipe: read back from the version and fitted on the windows that had closed
by the date in question, as if it had been trained then. The version holds all that takes: the choices and the
number of snapshots in its card, calibrator and kind of purchase model beside it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields, replace

import numpy as np

from features.errors import FitError, ModelError
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.churn.fit_options import FitOptions
from training.churn.recipe import Recipe
from training.clv.value import ValueTerms
from training.model.retention_model import RetentionModel
from training.snapshots.dataset import LabelledSnapshot, labelled_snapshots
from training.snapshots.schedule import closed_snapshots

# What a card calls some of a recipe's fields.
_FIELD_OF = {"season": "use_season"}


@dataclass(frozen=True)
class RefitPredictions:
    """What a recipe, fitted by the date of a snapshot, said of its customers.

    Parameters
    ----------
    labelled : LabelledSnapshot
        The snapshot, its customers, and what they did.
    snapshots : int
        Closed snapshots that the recipe learnt from.
    probability : ndarray of shape (n_customers,), in [0, 1]
    expected_spend, value_at_stake, spend_per_purchase : ndarrays of shape (n_customers,), money
    """

    labelled: LabelledSnapshot
    snapshots: int
    probability: np.ndarray
    expected_spend: np.ndarray
    value_at_stake: np.ndarray
    spend_per_purchase: np.ndarray


def recipe_of(model: RetentionModel) -> Recipe:
    """Read the recipe of a registered model.

    Everything in ``card["recipe"]`` that has the name of a field of `Recipe`; the calibrator with its numbers
    stands in the model.

    Raises
    ------
    ModelError
        If the card lacks a choice that has no default: another release wrote it.
    """
    stored = {_FIELD_OF.get(name, name): value for name, value in model.card.get("recipe", {}).items()}
    stored["calibrator"] = model.churn.calibrator
    missing = [
        f.name
        for f in fields(Recipe)
        if f.name not in stored and f.default is MISSING and f.default_factory is MISSING
    ]
    if missing:
        raise ModelError(f"Its card does not say how it was trained: {', '.join(missing)} not found.")
    return Recipe(**{f.name: stored[f.name] for f in fields(Recipe) if f.name in stored})


def refit_and_predict(
    model: RetentionModel,
    rows: Sequence[LabelledSnapshot],
    snapshot: Snapshot,
    log: TransactionLog,
    terms: ValueTerms,
    *,
    seed: int,
    threads: int,
) -> RefitPredictions:
    """Fit a model's recipe on what a closed snapshot could know, and predict that snapshot.

    Parameters
    ----------
    model : RetentionModel
        Gives recipe, kind of purchase model, number of snapshots and age of dormancy; nothing it has learnt.
    rows : sequence of LabelledSnapshot
        Snapshots that are labelled already; those that the recipe wants and are not among them are built.
    snapshot : Snapshot
        Its window has closed by the end of the log.
    log : TransactionLog
    terms : ValueTerms
        On which customers are valued.
    seed, threads : int

    Raises
    ------
    FitError
        If no snapshot had closed by then at which the purchase model can be fitted.
    ModelError
        If the version does not hold its recipe.
    """
    recipe = recipe_of(model)
    known, row = _wanted(model, rows, snapshot, log)
    options = FitOptions(log.first_day, model.card["dormant_after_days"], seed, threads)
    churn = recipe.fit(known, options)
    spend = recipe.fit_spend(known, options) if model.spend else None
    fitted = replace(model, churn=churn, clv=row.clv, terms=terms, spend=spend)
    probability = churn.predict(row.columns, snapshot)
    money = fitted.money(row.columns, probability)
    return RefitPredictions(
        labelled=row,
        snapshots=len(known),
        probability=probability,
        expected_spend=money["expected_spend"],
        value_at_stake=money["value_at_stake"],
        spend_per_purchase=money["spend_per_purchase"],
    )


def _wanted(
    model: RetentionModel, rows: Sequence[LabelledSnapshot], snapshot: Snapshot, log: TransactionLog
) -> tuple[list[LabelledSnapshot], LabelledSnapshot]:
    """Return the snapshots that the recipe learns from, and the one it is judged on, with its purchase model."""
    kind, horizon_days = model.clv.purchases.name, model.terms.horizon_days
    limit = model.card.get("snapshot_limit") or len(model.card["snapshots"])
    wanted = [*closed_snapshots(snapshot, log.first_day, horizon_days, limit), snapshot]
    have = {
        row.snapshot: row
        for row in rows
        if row.clv.purchases.name == kind and row.window.horizon_days == horizon_days
    }
    if missing := [s for s in wanted if s not in have]:
        with contextlib.suppress(FitError), PurchaseHistory(log) as history:
            made = labelled_snapshots(history, missing, horizon_days, model=kind)
            have |= {row.snapshot: row for row in made}
    known = [have[s] for s in wanted[:-1] if s in have]
    if not known or snapshot not in have:
        raise FitError(f"Before {snapshot} it could not have been trained: no window had closed.")
    return known, have[snapshot]
