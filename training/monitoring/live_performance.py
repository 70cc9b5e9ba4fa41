"""How a model does on churn windows that have closed since its snapshot, beside what its test led to expect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields

import pandas as pd

from features.language import in_digits, translatable, translated, written
from features.log.transactions import TransactionLog
from features.snapshot import ChurnWindow, Snapshot
from features.table.history import PurchaseHistory
from training.model.retention_model import RetentionModel
from training.monitoring.columns import with_predictions
from training.monitoring.gauges import GaugeReading, read_gauges
from training.monitoring.reference_builder import SLICES, measure_slices
from training.monitoring.settings import MonitorSettings
from training.reference.performance import Performance
from training.reference.reference import Reference
from training.snapshots.dataset import DescribedSnapshot, label_snapshot
from training.snapshots.schedule import closed_snapshots

LIVE_SNAPSHOTS = 12
"""Closed windows shown at the most."""

LIVE_COLUMNS = (
    "snapshot_date",
    "customers_slice",
    "customers",
    "churn_rate",
    "auc",
    *(field.name for field in fields(GaugeReading)),
)


def live_performance(
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


def live_reasons(live: pd.DataFrame) -> Iterable[str]:
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
