"""What a version remembers of its training, to be compared with later days: counts, never customers.

A `Reference` holds, as of the version's newest snapshot, how the log's orders, the customers' features and
their scores were distributed (`training.monitoring.drift`), how much each of these usually drifts in a month, in two, …
(measured between the training snapshots themselves), and what the model promised (`training.monitoring.performance`).

Some columns drift by construction: every customer of a closed cohort is a month older each month. That is why
a shift is held against the usual one, and why a column that looks N days back is compared among customers older
than N days only: for the others the window reaches back to before their first order. Nor is it compared among
the dormant, for whom it is zero: in an old log they are so many that half the orders could vanish unseen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from features.table.history import FEATURES
from training.model.retention_model import RetentionModel
from training.monitoring.drift import Distribution, Mix, compare
from training.monitoring.performance import Performance, Promise, measure
from training.snapshots.dataset import DescribedSnapshot, LabelledSnapshot

ORDERS = ("amount", "channel")
"""Columns of the log, over the last horizon's orders."""

SCORES = ("churn_probability", "expected_value")

SLICES = ("all", "recent")

SAMPLE = 5_000
"""Customers a snapshot for the usual drift and the spread: its noise is far below what matters."""

_FORMAT = 1
_FEW_WINDOWS = 3
_ENOUGH = 100  # customers in both, for a shift to be measured
_CONSTANT = ("snapshot_weekday", "snapshot_month")
_SAME = ("tenure_days",)  # another name of T
_MONTH_DAYS = 30.44
_CALENDAR_SLACK = 2  # three calendar months have up to 92 days, which are not yet a fourth
_WINDOW = re.compile(r"_(trend_)?(\d+)d$")


@dataclass(frozen=True)
class Usual:
    """The largest shift seen between training snapshots at most so many months apart.

    Parameters
    ----------
    psi, psi_of_values : tuple of float
        By months apart, from 1; the last also stands for longer. Empty if there was nothing to compare.
    """

    psi: tuple[float, ...] = ()
    psi_of_values: tuple[float, ...] = ()

    def over(self, days: int) -> tuple[float, float]:
        """Return the usual indices over a time, a month begun as a whole one; NaN where nothing was measured.

        Examples
        --------
        >>> Usual((0.1, 0.3), (0.0, 0.2)).over(days=61)
        (0.3, 0.2)
        """
        if not self.psi:
            return float("nan"), float("nan")
        begun = ceil((days - _CALENDAR_SLACK) / _MONTH_DAYS)
        month = min(max(1, begun), len(self.psi)) - 1
        return self.psi[month], self.psi_of_values[month]


@dataclass(frozen=True)
class Reference:
    """What a version remembers of its training.

    Parameters
    ----------
    snapshot : Snapshot, the newest of the training
    columns : dict of name to Distribution or Mix
    usual : dict of name to Usual
    promises : dict of slice ("all", "recent") to Promise
    rows : int
        Used rows of the log before the snapshot.
    """

    snapshot: Snapshot
    columns: dict[str, Distribution | Mix]
    usual: dict[str, Usual]
    promises: dict[str, Promise]
    rows: int

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        return {
            "format": _FORMAT,
            "snapshot_date": str(self.snapshot),
            "rows": self.rows,
            "columns": {name: column.to_dict() for name, column in self.columns.items()},
            "usual": {name: asdict(usual) for name, usual in self.usual.items()},
            "promises": {name: promise.to_dict() for name, promise in self.promises.items()},
        }

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Any]) -> Reference:
        """Read what `to_dict` wrote."""
        return cls(
            Snapshot(date.fromisoformat(numbers["snapshot_date"])),
            {
                name: Mix.from_dict(column) if "labels" in column else Distribution.from_dict(column)
                for name, column in numbers["columns"].items()
            },
            {
                name: Usual(tuple(usual["psi"]), tuple(usual["psi_of_values"]))
                for name, usual in numbers["usual"].items()
            },
            {name: Promise.from_dict(promise) for name, promise in numbers["promises"].items()},
            numbers["rows"],
        )


def reference_of(
    model: RetentionModel,
    log: TransactionLog,
    rows: Sequence[LabelledSnapshot],
    newest: DescribedSnapshot,
    test: Mapping[str, Performance],
) -> Reference:
    """Write down what a later day will be compared with.

    Parameters
    ----------
    model : RetentionModel
    log : TransactionLog
    rows : sequence of LabelledSnapshot
        The snapshots that the model was trained on.
    newest : DescribedSnapshot
        The snapshot at which it speaks.
    test : mapping of slice to Performance
        What the model promises: `measure_slices` of its test.
    """
    spoken = deployed(model, newest.table)
    columns: dict[str, Distribution | Mix] = {}
    for name, values in columns_of(log, newest.snapshot, spoken, model).items():
        columns[name] = Mix.of(values) if name == "channel" else Distribution.of(values)
    windows = [_window(model, row) for row in _grown(rows, log, model.card["dormant_after_days"])]
    promises = {part: Promise.of(test[part], [w[part] for w in windows]) for part in SLICES}
    usual = _usual(model, log, [*rows, newest])
    seen = _rows_before(log, newest.snapshot)
    return Reference(newest.snapshot, columns, usual, promises, seen)


def deployed(model: RetentionModel, table: pd.DataFrame) -> pd.DataFrame:
    """Return a feature table with the columns that the deployed model gives: those of `SCORES`, expected_spend.

    The same numbers as `RetentionModel.score`, without reasons, tiers and dates.
    """
    plain = table[["snapshot_date", "customer_id", *(f.name for f in FEATURES)]].reset_index(drop=True)
    described = plain.join(model.clv.predict(plain, model.terms.horizon_days))
    probability = model.churn.predict(described, Snapshot(plain["snapshot_date"].iloc[0].date()))
    money = _without_intervals(model).money(described, probability)
    return plain.assign(
        churn_probability=probability,
        expected_value=money["expected_value"],
        expected_spend=money["expected_spend"],
    )


def _without_intervals(model: RetentionModel) -> RetentionModel:
    """Spare the intervals of expected values, which take longer than all else."""
    return replace(model, clv=replace(model.clv, purchase_axes=(), spend_axes=()))


def columns_of(
    log: TransactionLog, snapshot: Snapshot, spoken: pd.DataFrame, model: RetentionModel
) -> dict[str, np.ndarray]:
    """Return what is compared at a snapshot: the last horizon's orders, the features, the scores.

    Returns
    -------
    dict of name to ndarray
        ``channel`` is of str, "(none)" where the log has none; the others of float, NaN where undefined. A
        feature over the last N days holds recent customers older than N days only.
    """
    found = _orders(log, snapshot, model.terms.horizon_days)
    age = spoken["T"].to_numpy()
    recent = spoken["days_since_last_purchase"].to_numpy() <= model.card["dormant_after_days"]
    for name in [f.name for f in FEATURES if f.name not in (*_CONSTANT, *_SAME)]:
        values = spoken[name].to_numpy(dtype=np.float64, na_value=np.nan)
        days = days_back(name)
        found[name] = values[recent & (age > days)] if days else values
    return found | {name: spoken[name].to_numpy(dtype=np.float64) for name in SCORES}


def days_back(name: str) -> int:
    """Return how far a feature looks back, 0 for all of a customer's life.

    Examples
    --------
    >>> days_back("orders_90d"), days_back("spend_trend_90d"), days_back("frequency")
    (90, 180, 0)
    """
    window = _WINDOW.search(name)
    return int(window[2]) * (2 if window[1] else 1) if window else 0


def measure_slices(
    row: LabelledSnapshot, probability: np.ndarray, expected_spend: np.ndarray, dormant_after_days: int
) -> dict[str, Performance]:
    """Judge predictions of a labelled snapshot, for all customers and for recent ones."""
    spend = row.outcomes["spend"].to_numpy()
    keeps = {"all": np.ones(len(spend), bool), "recent": row.recent(dormant_after_days)}
    return {
        part: measure(probability[keep], row.churned[keep], expected_spend[keep], spend[keep])
        for part, keep in keeps.items()
    }


def _grown(
    rows: Sequence[LabelledSnapshot], log: TransactionLog, dormant_after_days: int
) -> Sequence[LabelledSnapshot]:
    """Keep the snapshots at which the log was old enough to tell a pause from an end, if there are some."""
    grown = [row for row in rows if (row.snapshot.date - log.first_day).days >= dormant_after_days]
    return grown if len(grown) >= _FEW_WINDOWS else rows


def _window(model: RetentionModel, row: LabelledSnapshot) -> dict[str, Performance]:
    """Judge the recipe at a training snapshot, as it would have spoken then: BG/NBD as fitted then."""
    keep = _sample(len(row.table))
    table, after = (frame.iloc[keep].reset_index(drop=True) for frame in (row.table, row.outcomes))
    part = replace(row, table=table, outcomes=after)
    probability = model.churn.predict(part.table, part.snapshot)
    spend = _without_intervals(replace(model, clv=row.clv)).money(part.table, probability)["expected_spend"]
    return measure_slices(part, probability, spend, model.card["dormant_after_days"])


def _usual(model: RetentionModel, log: TransactionLog, rows: Sequence[DescribedSnapshot]) -> dict[str, Usual]:
    """Measure the shift between every two training snapshots, and keep the largest by months apart."""
    samples = []
    for row in rows:
        table = row.table.iloc[_sample(len(row.table))]
        seen = columns_of(log, row.snapshot, deployed(model, table), model)
        samples.append({name: values[_sample(len(values))] for name, values in seen.items()})
    months = _months(rows[0].snapshot, rows[-1].snapshot)
    largest: dict[str, np.ndarray] = {name: np.full((2, months), np.nan) for name in samples[-1]}
    for k, then in enumerate(samples[:-1]):
        for name, values in then.items():
            column: Distribution | Mix = Mix.of(values) if name == "channel" else Distribution.of(values)
            for later, now in zip(rows[k + 1 :], samples[k + 1 :], strict=True):
                if min(len(values), len(now[name])) >= _ENOUGH:
                    at = largest[name][:, _months(rows[k].snapshot, later.snapshot) - 1]
                    np.fmax(at, compare(column, now[name])[0].beyond_noise, out=at)
    return {name: _by_months(seen) for name, seen in largest.items()}


def _by_months(largest: np.ndarray) -> Usual:
    """Let a shift that was seen in fewer months be usual in more, and the first seen in fewer still."""
    known = largest[:, ~np.isnan(largest[0])]
    if not known.size:
        return Usual()
    filled = np.fmax.accumulate(largest, axis=1)
    filled = np.where(np.isnan(filled), known[:, :1], filled).round(4).tolist()
    return Usual(tuple(filled[0]), tuple(filled[1]))


def _orders(log: TransactionLog, snapshot: Snapshot, days: int) -> dict[str, np.ndarray]:
    """Return amount and channel of the orders in the days before a snapshot, refunds left out."""
    opens = snapshot.date - timedelta(days=days)
    on, cents = log.table.column("ordered_on"), log.table.column("amount_cents")
    inside = pc.and_(pc.greater_equal(on, opens), pc.less(on, snapshot.date))
    orders = log.table.filter(pc.and_(inside, pc.greater_equal(cents, 0)))
    channel = np.full(orders.num_rows, "(none)", dtype=object)
    if "channel" in orders.column_names:
        channel = pc.fill_null(orders.column("channel"), "(none)").to_numpy(zero_copy_only=False)
    return {"amount": orders.column("amount_cents").to_numpy() / 100, "channel": channel}


def _rows_before(log: TransactionLog, snapshot: Snapshot) -> int:
    return int(pc.sum(pc.less(log.table.column("ordered_on"), snapshot.date)).as_py() or 0)


def rows_lost(reference: Reference, log: TransactionLog) -> int:
    """Return how many rows before the reference's snapshot the log has fewer than it had then."""
    return reference.rows - _rows_before(log, reference.snapshot)


def _sample(n: int) -> np.ndarray:
    """Return evenly spaced rows of an ordered table."""
    return np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(int))


def _months(before: Snapshot, after: Snapshot) -> int:
    return max(1, round((after.date - before.date).days / _MONTH_DAYS))
