"""Whether orders, features or scores have moved by more than they usually do in the time since a model's snapshot."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from features.language import translatable, translated
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from training.model.retention_model import RetentionModel
from training.monitoring.columns import ORDERS, SCORES, monitored_columns, with_predictions
from training.monitoring.settings import MonitorSettings
from training.reference.distribution import compare
from training.reference.reference import Reference

KINDS = {"orders": translatable("orders"), "feature": translatable("feature"), "score": translatable("score")}
"""What a monitored column is of."""

_NAMED = 5
_USUAL_MARGIN = 0.5
"""A column that usually drifts much counts as drifted only beyond half as much again."""


def drift_of(
    model: RetentionModel,
    reference: Reference,
    log: TransactionLog,
    table: pd.DataFrame,
    settings: MonitorSettings,
) -> pd.DataFrame:
    """Compare the newest snapshot with the reference, one row per column."""
    newest = Snapshot.after(log.last_day)
    age = (newest.date - reference.snapshot.date).days
    rows = []
    for name, values in monitored_columns(log, newest, with_predictions(model, table), model).items():
        if name not in reference.columns:  # a feature of files, in a reference of a release that kept none
            continue
        distance, moved = compare(reference.columns[name], values)
        usual, usual_of_values = reference.usual[name].over(age)
        distances = (
            (distance.psi, usual, distance.noise),
            (distance.psi_of_values, usual_of_values, distance.noise_of_values),
        )
        beyond = [
            psi > noise and psi - before > max(settings.psi, _USUAL_MARGIN * before)  # never if before is NaN
            for psi, before, noise in distances
        ]
        rows.append(
            {
                "column": name,
                "of": "orders" if name in ORDERS else "score" if name in SCORES else "feature",
                "psi": distance.psi,
                "usual_psi": usual,
                "psi_of_values": distance.psi_of_values,
                "usual_psi_of_values": usual_of_values,
                "ks": distance.ks,
                "p_value": distance.p_value,
                "drifted": any(beyond),
                "moved": moved,
            }
        )
    found = pd.DataFrame(rows)
    excess = (found["psi"] - found["usual_psi"]).clip(found["psi_of_values"] - found["usual_psi_of_values"])
    order = np.lexsort((-excess.to_numpy(), ~found["drifted"].to_numpy()))
    return found.iloc[order].reset_index(drop=True)


def drift_reasons(drift: pd.DataFrame) -> Iterable[str]:
    """Word the columns that have drifted, the largest drift first."""
    drifted = drift[drift["drifted"]]
    for row in drifted.head(_NAMED).itertuples():
        of_values = row.psi_of_values - row.usual_psi_of_values > row.psi - row.usual_psi
        psi, usual = (row.psi_of_values, row.usual_psi_of_values) if of_values else (row.psi, row.usual_psi)
        column = f"{row.column} ({translated(KINDS[row.of])})"
        if row.of == "orders":
            column = translated("{column} of the latest orders", column=row.column)
        sentence = translatable(
            "{column} has drifted: {moved}; stability index {psi:.2f}, usually up to {usual:.2f}"
        )
        if of_values:
            sentence = translatable(
                "{column} has drifted: {moved}; stability index {psi:.2f} where not zero, usually up to {usual:.2f}"
            )
        yield translated(sentence, column=column, moved=row.moved, psi=psi, usual=usual)
    if len(drifted) > _NAMED:
        yield translated(
            "{n} more columns have drifted: {names}",
            n=len(drifted) - _NAMED,
            names=list(drifted["column"][_NAMED:]),
        )
