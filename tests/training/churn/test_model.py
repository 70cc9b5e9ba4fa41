from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from features.table.columns import rows_of
from training.churn.base import base_log_odds
from training.churn.calibration import Calibrator
from training.churn.inputs import CHURN_FEATURES, ORDERS_ALONE
from training.churn.level import Level, LevelRule
from training.churn.model import ChurnModel, fit_churn
from training.snapshots.dataset import LabelledSnapshot


def _fitted(rows: list[LabelledSnapshot], *, monotone: bool = False, rounds: int = 40) -> ChurnModel:
    return fit_churn(
        rows, rounds=rounds, monotone=monotone, calibrator=Calibrator(), level=Level(), seed=0, threads=1
    )


def test_contributions_sum_to_the_log_odds(shop_rows: list[LabelledSnapshot]) -> None:
    model, columns = _fitted(shop_rows), shop_rows[-1].columns

    parts = model.contributions(columns)

    assert parts.shape == (len(shop_rows[-1].table), len(ORDERS_ALONE.contributions))
    assert parts.sum(axis=1) == pytest.approx(model.log_odds(columns), abs=1e-9)


def test_without_a_residual_churn_is_bgnbds_own_probability(shop_rows: list[LabelledSnapshot]) -> None:
    model, row = _fitted(shop_rows, rounds=0), shop_rows[-1]

    assert model.predict(row.columns, row.snapshot) == pytest.approx(row.table["p0"].to_numpy(), abs=1e-9)
    assert model.contributions(row.columns).sum(axis=1) == pytest.approx(base_log_odds(row.columns))


def test_the_season_shifts_everyones_log_odds_alike(shop_rows: list[LabelledSnapshot]) -> None:
    row = shop_rows[-1]
    year_ago = row.snapshot.months_earlier(12).date.toordinal()
    calm = _fitted(shop_rows)
    autumn = ChurnModel(
        calm.booster, calm.calibrator, Level((year_ago,), (-0.5,), LevelRule("year_ago")), calm.base_mean
    )

    expected = expit(calm.log_odds(row.columns) - 0.5)
    assert autumn.predict(row.columns, row.snapshot) == pytest.approx(expected)


def test_a_customers_probability_is_the_same_alone_and_among_others(
    shop_rows: list[LabelledSnapshot],
) -> None:
    model, row = _fitted(shop_rows), shop_rows[-1]
    together = model.predict(row.columns, row.snapshot)

    for place in range(0, len(row.table), 97):
        alone = model.predict(rows_of(row.columns, slice(place, place + 1)), row.snapshot)
        assert alone[0] == together[place]


def test_a_monotone_residual_never_falls_with_silence(shop_rows: list[LabelledSnapshot]) -> None:
    model = _fitted(shop_rows, monotone=True)
    assert model.booster is not None
    silence = np.arange(0.0, 400.0, 10.0)
    same = rows_of(shop_rows[-1].columns, np.full(len(silence), 3))
    same["days_since_last_purchase"] = silence

    residual = model.log_odds(same) - base_log_odds(same)

    assert (np.diff(residual) >= 0).all()


def test_customers_are_not_told_otherwise_because_the_log_has_grown_older(
    shop_rows: list[LabelledSnapshot],
) -> None:
    model, columns = _fitted(shop_rows), shop_rows[-1].columns
    later = {**columns, "T": columns["T"] + 365, "tenure_days": columns["tenure_days"] + 365}

    assert np.array_equal(model.log_odds(later), model.log_odds(columns))
    assert np.ptp(columns["first_purchase_day"]) > 0
    assert "first_purchase_day" in CHURN_FEATURES


def test_a_constant_of_the_snapshot_is_no_input_of_the_model() -> None:
    assert {"snapshot_month", "snapshot_weekday"}.isdisjoint(CHURN_FEATURES)


def test_contributions_have_the_same_bits_alone_and_in_company(shop_rows: list[LabelledSnapshot]) -> None:
    model, columns = _fitted(shop_rows), shop_rows[-1].columns

    together = model.contributions(columns)

    for place in range(0, len(together), 97):
        row = slice(place, place + 1)
        assert (model.contributions(rows_of(columns, row)) == together[row]).all()
