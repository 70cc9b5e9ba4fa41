"""Which customers a training run learns from."""

from __future__ import annotations

import numpy as np
import pytest

from features.log.transactions import TransactionLog
from features.progress import Report
from features.table.history import PurchaseHistory
from training.clv.fitting import fit_clv
from training.clv.model import CLVForm
from training.clv.operational_time import IntensityForm
from training.settings import TrainSettings
from training.snapshots.dataset import in_form
from training.snapshots.population import Population
from training.training_data import TrainingData, prepare

_SILENT: Report = lambda step, done, total: None  # noqa: E731


def _prepared(log: TransactionLog, sample_customers: int = 50_000) -> TrainingData:
    settings = TrainSettings(horizon_days=60, snapshots=2, sample_customers=sample_customers)
    return prepare(log, settings, _SILENT)


def test_a_log_of_more_customers_is_learnt_from_by_a_sample_of_whole_histories(
    shop_log: TransactionLog,
) -> None:
    everybody, drawn = _prepared(shop_log), _prepared(shop_log, sample_customers=1_000)

    assert everybody.log is shop_log
    assert len(set(drawn.log.table["customer_id"].to_pylist())) == 1_000
    for all_rows, rows in zip(everybody.labelled, drawn.labelled, strict=True):
        of_all = all_rows.table.set_index("customer_id").loc[rows.table["customer_id"]]
        counts = ["frequency", "recency", "T", "monetary_value", "orders_90d"]
        assert of_all[counts].reset_index(drop=True).equals(rows.table[counts])
        assert (
            all_rows.churned[all_rows.table["customer_id"].isin(rows.table["customer_id"])] == rows.churned
        ).all()


def test_the_deployed_purchase_model_is_fitted_on_every_customer_all_the_same(
    shop_log: TransactionLog,
) -> None:
    everybody, drawn = _prepared(shop_log), _prepared(shop_log, sample_customers=1_000)

    assert len(drawn.newest.table) == 1_000
    assert drawn.newest.clv == everybody.newest.clv
    trend = CLVForm(IntensityForm(0, trend=True))
    assert in_form(drawn.newest, trend, 60).clv == in_form(everybody.newest, trend, 60).clv


def test_a_large_log_is_fitted_on_part_by_part_and_the_same(
    shop_log: TransactionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = _prepared(shop_log).plan.newest
    whole = Population.of_log(shop_log, day, 1)
    monkeypatch.setattr("features.log.customer_days._PART_ROWS", 4_000)

    parts = Population.of_log(shop_log, day, 1)

    assert len(list(shop_log.parts())) > 2
    assert parts.purchases.equals(whole.purchases)
    assert parts.repeat_days.first_day == whole.repeat_days.first_day
    assert parts.repeat_days.counts.tolist() == whole.repeat_days.counts.tolist()


def test_who_is_in_a_small_sample_is_in_a_larger_one_and_another_seed_draws_others(
    shop_log: TransactionLog,
) -> None:
    small, large = (set(shop_log.sample(n).table["customer_id"].to_pylist()) for n in (200, 400))
    other = set(shop_log.sample(200, seed=1).table["customer_id"].to_pylist())

    assert small < large
    assert (len(small), len(large), len(other)) == (200, 400, 200)
    assert len(small & other) < 60  # by chance 27


def test_many_repeat_buyers_are_fitted_on_rounded_amounts_first_and_exactly_then(
    shop_log: TransactionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PurchaseHistory(shop_log) as history:
        table = history.purchases(_prepared(shop_log).plan.newest)
    exact = fit_clv(table)
    monkeypatch.setattr("training.clv.fitting._MANY_REPEATERS", 100)

    of_many = fit_clv(table)

    np.testing.assert_allclose(
        [getattr(of_many.spend, name) for name in "pqv"],
        [getattr(exact.spend, name) for name in "pqv"],
        rtol=1e-3,
    )
