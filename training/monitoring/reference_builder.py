"""Building a version's reference from its training snapshots.

Some columns drift by construction: every customer of a closed cohort is a month older each month. That is why a later
drift is compared with the usual one, measured here between the training snapshots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from features.behaviour.files import BehaviourFiles
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.churn.level import unsurprised
from training.model.retention_model import RetentionModel
from training.monitoring.columns import described, monitored_columns, with_predictions
from training.monitoring.pace import usual_pace
from training.reference.distribution import CategoryCounts, NumericDistribution, distance
from training.reference.performance import ExpectedPerformance, Performance, measure
from training.reference.reference import MONTH_DAYS, Reference, UsualDrift
from training.snapshots.dataset import DescribedSnapshot, LabelledSnapshot

SLICES = ("all", "recent")

SAMPLE = 5_000
"""Customers per snapshot for the usual drift and the spread: its noise is far below what matters."""

_FEW_WINDOWS = 3
_ENOUGH = 100  # customers in both, for a drift to be measured


def build_reference(
    model: RetentionModel,
    log: TransactionLog,
    rows: Sequence[LabelledSnapshot],
    newest: DescribedSnapshot,
    test: Mapping[str, Performance],
    beside: BehaviourFiles | None = None,
    *,
    drawn: TransactionLog | None = None,
) -> Reference:
    """Build the reference that later logs are compared with.

    Parameters
    ----------
    model : RetentionModel
    log : TransactionLog
    rows : sequence of LabelledSnapshot
        The snapshots that the model was trained on.
    newest : DescribedSnapshot
        The day after the last order.
    test : mapping of slice to Performance
        `measure_slices` of the held-out test.
    beside : BehaviourFiles, optional
        What was known of customers beside their orders.
    drawn : TransactionLog, optional
        Of the customers of the snapshots, where they are a sample.
    """
    drawn = drawn or log
    predicted = with_predictions(model, newest.table)
    columns: dict[str, NumericDistribution | CategoryCounts] = {}
    for name, values in monitored_columns(drawn, newest.snapshot, predicted, model).items():
        columns[name] = described(values)
    sampled = [_sampled(row) for row in _telling(rows, log, model.card.dormant_after_days)]
    windows = [_window(model, row, rows) for row in sampled]
    expected = {part: ExpectedPerformance.of(test[part], [w[part] for w in windows]) for part in SLICES}
    usual = _usual_drift(model, drawn, [*rows, newest])
    with PurchaseHistory(drawn, beside=beside) as history:
        pace = usual_pace(model, history, sampled)
    return Reference(newest.snapshot, columns, usual, expected, log.report.rows_used, pace)


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


def _telling(
    rows: Sequence[LabelledSnapshot], log: TransactionLog, dormant_after_days: int
) -> Sequence[LabelledSnapshot]:
    """Keep the snapshots that tell of later ones, if there are some.

    At them the log was old enough to tell a pause from an end, and no step surprised their windows.
    """
    grown = [
        row for row in unsurprised(rows) if (row.snapshot.date - log.first_day).days >= dormant_after_days
    ]
    return grown if len(grown) >= _FEW_WINDOWS else rows


def _sampled(row: LabelledSnapshot) -> LabelledSnapshot:
    keep = _sample(len(row.table))
    table, after = (frame.iloc[keep].reset_index(drop=True) for frame in (row.table, row.outcomes))
    return replace(row, table=table, outcomes=after)


def _window(
    model: RetentionModel, row: LabelledSnapshot, rows: Sequence[LabelledSnapshot]
) -> dict[str, Performance]:
    """Judge the recipe at a training snapshot, with the purchase model and the level that it could know."""
    churn = model.churn.as_known_at(rows, row.snapshot)
    probability, at_level_0 = churn.predict_both(row.columns, row.snapshot)
    valuation = replace(model.valuation, clv=row.clv)
    purchases, spend_per_purchase = valuation.in_window(row.columns, probability, at_level_0)
    expected_spend = purchases * spend_per_purchase
    return measure_slices(row, probability, expected_spend, model.card.dormant_after_days)


def _usual_drift(
    model: RetentionModel, log: TransactionLog, rows: Sequence[DescribedSnapshot]
) -> dict[str, UsualDrift]:
    """Measure the drift between every two training snapshots, and keep the largest by months apart."""
    samples = []
    for row in rows:
        table = row.table.iloc[_sample(len(row.table))]
        seen = monitored_columns(log, row.snapshot, with_predictions(model, table), model)
        drawn = {name: values[_sample(len(values))] for name, values in seen.items()}
        # In order they are counted several times as fast, and each is counted against all the others.
        samples.append({n: v if v.dtype == object else np.sort(v) for n, v in drawn.items()})
    months = _months(rows[0].snapshot, rows[-1].snapshot)
    largest: dict[str, np.ndarray] = {name: np.full((2, months), np.nan) for name in samples[-1]}
    for k, then in enumerate(samples[:-1]):
        for name, values in then.items():
            column = described(values)
            for later, now in zip(rows[k + 1 :], samples[k + 1 :], strict=True):
                if min(len(values), len(now[name])) >= _ENOUGH:
                    at = largest[name][:, _months(rows[k].snapshot, later.snapshot) - 1]
                    np.fmax(at, distance(column, now[name]).beyond_noise, out=at)
    return {name: _by_months(seen) for name, seen in largest.items()}


def _by_months(largest: np.ndarray) -> UsualDrift:
    """Count a drift seen over fewer months as usual over more, and the first one seen as usual over fewer too."""
    known = largest[:, ~np.isnan(largest[0])]
    if not known.size:
        return UsualDrift()
    filled = np.fmax.accumulate(largest, axis=1)
    filled = np.where(np.isnan(filled), known[:, :1], filled).round(4).tolist()
    return UsualDrift(tuple(filled[0]), tuple(filled[1]))


def _sample(n: int) -> np.ndarray:
    """Return evenly spaced rows of an ordered table."""
    return np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(int))


def _months(before: Snapshot, after: Snapshot) -> int:
    return max(1, round((after.date - before.date).days / MONTH_DAYS))
