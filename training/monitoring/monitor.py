"""Monitoring of a deployed model: whether it is due for retraining, by four rules on the log alone.

1. *Live performance*: on churn windows that have closed since the model's snapshot, is it worse than at its test,
   beyond noise (`training.monitoring.gauges`)? The newest such window decides; the earlier ones are shown.
2. *Pace*: have the customers bought in the latest weeks as often as expected by now (`training.monitoring.pace`)?
3. *Drift*: have orders, features or scores moved by more than they usually do in that time
   (`training.reference`)?
4. *Age*: has the model gone without the newest closed windows for too long?

Each rule that applies is a reason for retraining, in words. Drift may also mean that the log is broken: read the
reason before retraining.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

from features.behaviour.catalogue import FILES
from features.behaviour.files import BehaviourFiles
from features.errors import ModelError, WindowError
from features.language import in_digits, translatable, translated, written
from features.log.transactions import TransactionLog
from features.snapshot import ChurnWindow, Snapshot
from features.table.history import PurchaseHistory
from training.model.retention_model import RetentionModel
from training.monitoring.columns import ORDERS, SCORES, monitored_columns, with_predictions
from training.monitoring.gauges import GaugeReading, read_gauges
from training.monitoring.pace import look, pace_reasons
from training.monitoring.reference_builder import SLICES, measure_slices
from training.monitoring.settings import MonitorSettings
from training.reference.distribution import compare
from training.reference.performance import Performance
from training.reference.reference import Reference
from training.snapshots.dataset import DescribedSnapshot, label_snapshot
from training.snapshots.schedule import closed_snapshots

LIVE_SNAPSHOTS = 12
"""Closed windows shown at the most."""

_NAMED = 5
_USUAL_MARGIN = 0.5
"""A column that usually drifts much counts as drifted only beyond half as much again."""

_LOST_SHARE = 0.005
LIVE_COLUMNS = (
    "snapshot_date",
    "customers_slice",
    "customers",
    "churn_rate",
    "auc",
    *(field.name for field in fields(GaugeReading)),
)


KINDS = {"orders": translatable("orders"), "feature": translatable("feature"), "score": translatable("score")}
"""What a monitored column is of."""


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
        drift = _drift(model, reference, log, history.features(newest), settings)
        live = _live(model, reference, log, history, settings)
        bounds = {"confidence": settings.pace_confidence, "tolerance": settings.pace_tolerance}
        pace = look(model, reference.pace, history, reference.snapshot, newest, **bounds)
    reasons = [
        *_live_reasons(live),
        *pace_reasons(pace),
        *_drift_reasons(drift),
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


def _drift(
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


def _live(
    model: RetentionModel,
    reference: Reference,
    log: TransactionLog,
    history: PurchaseHistory,
    settings: MonitorSettings,
) -> pd.DataFrame:
    """Judge the model at each snapshot from its own on whose window has closed."""
    horizon_days = model.terms.horizon_days
    monthly = closed_snapshots(Snapshot.after(log.last_day), log.first_day, horizon_days, LIVE_SNAPSHOTS)
    own = (
        [reference.snapshot] if ChurnWindow(reference.snapshot, horizon_days).closed_by(log.last_day) else []
    )
    rows: list[dict[str, object]] = []
    for snapshot in sorted({*own, *(s for s in monthly if s >= reference.snapshot)}):
        table = history.features(snapshot)
        predicted = with_predictions(model, table)
        row = label_snapshot(history, DescribedSnapshot(snapshot, table, model.clv), horizon_days)
        measured = measure_slices(
            row,
            predicted["churn_probability"].to_numpy(),
            predicted["expected_spend"].to_numpy(),
            model.card.dormant_after_days,
        )
        for part in SLICES:
            found = read_gauges(
                measured[part],
                reference.expected[part],
                confidence=settings.confidence,
                tolerances=settings.tolerances,
            )
            rows += [_live_row(snapshot, part, measured[part], reading) for reading in found]
    return pd.DataFrame(rows, columns=list(LIVE_COLUMNS))


def _live_row(snapshot: Snapshot, part: str, live: Performance, reading: GaugeReading) -> dict[str, object]:
    whole = {"snapshot_date": str(snapshot), "customers_slice": part, "customers": live.customers}
    return whole | {"churn_rate": live.churn_rate, "auc": live.auc} | asdict(reading)


def _live_reasons(live: pd.DataFrame) -> Iterable[str]:
    """Word what is worse at the newest closed window; each gauge once, for all customers if it is worse there."""
    worse = live[live["worse"] & (live["snapshot_date"] == live["snapshot_date"].max())]
    for row in worse.drop_duplicates("gauge").itertuples():
        if row.gauge == "value_ratio":
            what = translated("expected over actual spend {live:.2f}", live=row.live)
            low, high = written(row.low, ".2f"), written(row.high, ".2f")
            expected = translated(
                "{value} ({low} to {high})", value=written(row.expected, ".2f"), low=low, high=high
            )
        elif row.gauge == "log_loss":
            what = translated("live log-loss {live:.3f}", live=row.live)
            expected = in_digits(f"{row.expected:.3f}") + in_digits(f" ± {row.high - row.expected:.3f}")
        else:
            what = translated("live calibration-in-the-large {live:+.3f}", live=row.live)
            expected = in_digits(f"{row.expected:+.3f}") + in_digits(f" ± {row.high - row.expected:.3f}")
        sentence = translatable("{what} at {day:date}, expected {expected}")
        if row.customers_slice != "all":
            sentence = translatable("{what} at {day:date} for recent customers, expected {expected}")
        yield translated(sentence, what=what, day=row.snapshot_date, expected=expected)


def _drift_reasons(drift: pd.DataFrame) -> Iterable[str]:
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
