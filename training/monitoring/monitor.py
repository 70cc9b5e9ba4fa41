"""Monitoring of a deployed model: whether it is due for retraining, by four rules on the log alone.

1. *Live performance*: on churn windows that have closed since the model's snapshot, is it worse than at its test,
   beyond noise (`training.monitoring.live_performance`)? The newest such window decides; the earlier ones are shown.
2. *Pace*: have the customers bought in the latest weeks as often as expected by now (`training.monitoring.pace`)?
3. *Drift*: have orders, features or scores moved by more than they usually do in that time
   (`training.monitoring.drift`)?
4. *Age*: has the model gone without the newest closed windows for too long?

Each rule that applies is a reason for retraining, in words. Drift may also mean that the log is broken: read the
reason before retraining.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from features.behaviour.catalogue import FILES
from features.behaviour.files import BehaviourFiles
from features.errors import ModelError, WindowError
from features.language import translatable, translated
from features.log.transactions import TransactionLog
from features.snapshot import ChurnWindow, Snapshot
from features.table.history import PurchaseHistory
from training.model.retention_model import RetentionModel
from training.monitoring.drift import drift_of, drift_reasons
from training.monitoring.live_performance import live_performance, live_reasons
from training.monitoring.pace import look, pace_reasons
from training.monitoring.settings import MonitorSettings
from training.reference.reference import Reference

_LOST_SHARE = 0.005


@dataclass(frozen=True)
class MonitoringResult:
    """Whether a model is due for retraining, why, and the comparisons behind it.

    Parameters
    ----------
    reasons : tuple of str
        Why the model is due; empty if it is not.
    notes : tuple of str
        What is worth knowing and makes nothing due.
    model_snapshot, snapshot : Snapshot
        The newest that the model was trained on, and the day after the log's last order.
    drift : DataFrame, one row per column, those that have drifted first
        ``column``, ``of`` ("orders", "feature" or "score"), ``psi``, ``usual_psi``, ``psi_of_values``,
        ``usual_psi_of_values``, ``ks``, ``p_value``, ``drifted``, ``moved`` (in words).
    live : DataFrame, one row per closed window, slice and gauge, oldest first
        ``snapshot_date``, ``customers_slice``, ``customers``, ``churn_rate``, ``auc``, ``gauge``, ``live``,
        ``expected``, ``low``, ``high``, ``worse``.
    pace : DataFrame, from `training.monitoring.pace.look`
    """

    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    model_snapshot: Snapshot
    snapshot: Snapshot
    drift: pd.DataFrame
    live: pd.DataFrame
    pace: pd.DataFrame

    @property
    def due(self) -> bool:
        """Whether the model is to be trained again."""
        return bool(self.reasons)

    @property
    def age_days(self) -> int:
        """Days of log that the model does not know."""
        return (self.snapshot.date - self.model_snapshot.date).days

    @property
    def metrics(self) -> dict[str, float]:
        """The result as numbers, as they are logged; live ones are of the newest closed window."""
        found = {
            "due": float(self.due),
            "age_days": float(self.age_days),
            "drifting": float(self.drift["drifted"].sum()),
        }
        found |= {f"psi_{row.column}": float(row.psi) for row in self.drift.itertuples()}
        found |= {f"pace_{row.gauge}": float(row.live / row.expected) for row in self.pace.itertuples()}
        newest = self.live[self.live["snapshot_date"] == self.live["snapshot_date"].max()]
        for row in newest.itertuples():
            part = "" if row.customers_slice == "all" else f"{row.customers_slice}_"
            found[f"live_{part}{row.gauge}"] = float(row.live)
        return found


def monitor_model(
    model: RetentionModel,
    log: TransactionLog,
    settings: MonitorSettings | None = None,
    beside: BehaviourFiles | None = None,
) -> MonitoringResult:
    """Compare a log with what a model was trained on, and its predictions with what happened.

    Parameters
    ----------
    model : RetentionModel
    log : TransactionLog
        As it is now: what the model was trained on, and what came since.
    settings : MonitorSettings, optional
    beside : BehaviourFiles, optional
        What is known of customers beside their orders.

    Raises
    ------
    WindowError
        If the log ends before the model's snapshot.
    ModelError
        If the model holds nothing to be compared with.
    """
    settings = settings or MonitorSettings()
    reference = _reference(model)
    newest = Snapshot.after(log.last_day)
    if newest < reference.snapshot:
        raise WindowError(
            translated(
                "The log ends {last_day:date}, but the model was trained on orders up to the eve of "
                "{day:date}. Give the log as it is now, with all that came since.",
                last_day=log.last_day,
                day=reference.snapshot.date,
            )
        )
    with PurchaseHistory(log, beside=model.beside(beside)) as history:
        drift = drift_of(model, reference, log, history.features(newest), settings)
        live = live_performance(model, reference, log, history, settings)
        bounds = {"confidence": settings.pace_confidence, "tolerance": settings.pace_tolerance}
        pace = look(model, reference.pace, history, reference.snapshot, newest, **bounds)
    reasons = [
        *live_reasons(live),
        *pace_reasons(pace),
        *drift_reasons(drift),
        *_age_reasons(model, reference, newest, settings),
    ]
    notes = tuple(_notes(model, reference, log, beside))
    return MonitoringResult(tuple(reasons), notes, reference.snapshot, newest, drift, live, pace)


def _reference(model: RetentionModel) -> Reference:
    if model.card.reference is None:
        raise ModelError(
            translated(
                "The model holds no reference to compare a log with: it was trained by an earlier "
                "release. Train it again: stayworth train --transactions orders.csv --promote"
            )
        )
    return model.card.reference


def _age_reasons(
    model: RetentionModel, reference: Reference, newest: Snapshot, settings: MonitorSettings
) -> Iterable[str]:
    limit = settings.age_limit(model.terms.horizon_days)
    age = (newest.date - reference.snapshot.date).days
    if limit and age >= limit:
        yield (
            translated(
                "the model knows orders before {day:date} only; that was {age} days ago, the limit is "
                "{limit}, and more churn windows have closed since",
                day=reference.snapshot.date,
                age=age,
                limit=limit,
            )
        )


def _notes(
    model: RetentionModel, reference: Reference, log: TransactionLog, beside: BehaviourFiles | None
) -> Iterable[str]:
    given = beside.given if beside else ()
    if lacking := [file for file in model.files if file in FILES and file not in given]:
        yield translated(
            "The model learnt from {files}, and is judged without: give {flags}.",
            files=lacking,
            flags=[f"--{file}" for file in lacking],
        )
    window = ChurnWindow(reference.snapshot, model.terms.horizon_days)
    if not window.closed_by(log.last_day):
        yield translated(
            "Live performance is not known yet: the model's first own churn window closes {day:date}.",
            day=window.closes,
        )
    lost = reference.rows_lost(log)
    if abs(lost) > _LOST_SHARE * reference.rows:
        sentence = translatable(
            "The log has {lost:row|rows} fewer before {day:date} than the {rows:,} that the model was trained on: was "
            "it rewritten?"
        )
        if lost < 0:
            sentence = translatable(
                "The log has {lost:row|rows} more before {day:date} than the {rows:,} that the model was trained on: "
                "was it rewritten?"
            )
        yield translated(sentence, lost=abs(lost), day=reference.snapshot.date, rows=reference.rows)
