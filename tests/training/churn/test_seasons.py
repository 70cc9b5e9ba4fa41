"""The season of each customer is learnt from where it surely tells who comes back, and only there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import training
from features.datasets.worlds import simulate_world
from features.language import use_language
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from features.table.seasons import NAMES, SEASONS
from training.churn.inputs import CHURN_FEATURES
from training.model.files import load_model, save_model
from training.model.retention_model import RetentionModel
from training.monitoring.columns import monitored_columns, with_predictions
from training.report.formats import files_in_words

CUSTOMERS, YEARS = 1_500, 4


def of_own_seasons() -> pd.DataFrame:
    """Customers who buy in four of five years around a day of their own, and now and then besides."""
    rng = np.random.default_rng(0)
    own = rng.uniform(0, 365, CUSTOMERS)
    feasts = np.arange(YEARS) * 365 + own[:, None] + rng.normal(0, 5, (CUSTOMERS, YEARS))
    comes = (rng.random((CUSTOMERS, YEARS)) < 0.8) & (
        np.arange(YEARS) >= rng.integers(0, 3, CUSTOMERS)[:, None]
    )
    others = rng.integers(0, CUSTOMERS, CUSTOMERS * YEARS)
    days = np.concatenate([feasts[comes], rng.uniform(0, YEARS * 365, len(others))])
    customers = np.concatenate([np.nonzero(comes)[0], others])
    ordered_at = pd.Timestamp("2020-01-01") + pd.to_timedelta(
        np.clip(days, 0, YEARS * 365).astype(int), unit="D"
    )
    return pd.DataFrame({"customer_id": customers.astype(str), "ordered_at": ordered_at, "amount": 20.0})


@pytest.fixture(scope="module")
def of_seasons() -> RetentionModel:
    return training.fit(of_own_seasons(), horizon_days=60, snapshots=12, margin=0.3)


def test_own_seasons_are_learnt_from_where_customers_have_them(of_seasons: RetentionModel) -> None:
    gain = of_seasons.card.recipe.files[SEASONS]

    assert gain.kept and gain.alone < gain.without
    assert set(of_seasons.features) >= NAMES
    assert "The time of year at which customers buy" in next(files_in_words(of_seasons.card.recipe))


def test_their_name_is_a_word_of_the_reader_s_language(of_seasons: RetentionModel) -> None:
    recipe = of_seasons.card.recipe

    with use_language("fa"):
        in_persian = recipe.in_words()

    assert "seasons" in recipe.in_words()
    assert "زمان سال" in in_persian and "seasons" not in in_persian


def test_who_buys_at_the_time_of_year_ahead_is_likelier_to_come(of_seasons: RetentionModel) -> None:
    # Both bought on four days, last on the same two; before that one in two Decembers, the other in two Julys.
    days = {"due": ["2021-12-20", "2022-12-20"], "not due": ["2021-07-01", "2022-07-01"]}
    days = {name: [*own, "2023-03-01", "2023-08-01"] for name, own in days.items()}
    rows = [(name, day, 20.0) for name, own in days.items() for day in own]
    log = validate(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))
    with PurchaseHistory(log) as history:
        scores = of_seasons.score(history.features(Snapshot.parse("2023-12-01"))).set_index("customer_id")

    assert scores.churn_probability["due"] < scores.churn_probability["not due"] - 0.1


def test_own_seasons_are_no_file_that_a_list_could_lack_and_no_drift(of_seasons: RetentionModel) -> None:
    log = validate(of_own_seasons())
    with PurchaseHistory(log) as history:
        table = with_predictions(of_seasons, history.features(Snapshot.after(log.last_day)))

    assert of_seasons.files == () and of_seasons.beside(None) is None
    assert table.columns.is_unique
    assert not NAMES & set(monitored_columns(log, Snapshot.after(log.last_day), table, of_seasons))


def test_a_kept_version_reads_the_seasons_again(of_seasons: RetentionModel, tmp_path: Path) -> None:
    save_model(of_seasons, tmp_path)
    with PurchaseHistory(validate(of_own_seasons())) as history:
        table = history.features(Snapshot.parse("2023-12-01"))

    again = load_model(tmp_path)

    assert again.features == of_seasons.features
    assert_frame_equal(again.score(table), of_seasons.score(table))


def test_customers_without_seasons_are_learnt_from_as_before() -> None:
    log = simulate_world("stationary", n_customers=1_500, seed=1).transactions

    recipe = training.fit(log, horizon_days=60, snapshots=12, margin=0.3).card.recipe

    assert not recipe.files[SEASONS].kept
    assert recipe.inputs.names == CHURN_FEATURES
