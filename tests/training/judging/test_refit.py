"""Reading a recipe back from a version, and fitting it again at an earlier date."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.errors import FitError
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from training.clv.mbgnbd import MBGNBD
from training.judging.refit import refit_and_predict
from training.model.files import load_model, save_model
from training.model.retention_model import RetentionModel
from training.pipeline import train
from training.run import TrainingRun
from training.settings import TrainSettings
from training.snapshots.dataset import LabelledSnapshot


@pytest.fixture(scope="module")
def run(shop_log: TransactionLog) -> TrainingRun:
    return train(shop_log, TrainSettings(horizon_days=60, snapshots=4, threads=1))


@pytest.fixture(scope="module")
def loaded(run: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> RetentionModel:
    """The run's model as a registry gives it back."""
    folder = tmp_path_factory.mktemp("model")
    save_model(run.model, folder)
    return load_model(folder)


def test_a_recipe_comes_back_from_the_files_of_its_version(run: TrainingRun, loaded: RetentionModel) -> None:
    assert loaded.card.recipe == run.recipe


def test_a_recipe_fitted_again_predicts_the_test_snapshot_as_the_run_did(
    run: TrainingRun, loaded: RetentionModel, shop_log: TransactionLog
) -> None:
    # only the test snapshot is handed over: those to learn from are built from the log
    again = refit_and_predict(
        loaded, [run.test.labelled], run.schedule.test, shop_log, loaded.terms, seed=0, threads=1
    )

    assert again.snapshots == len(run.schedule.before_test) == 4
    assert again.probability.tobytes() == run.test.probability.tobytes()
    assert again.expected_spend.tobytes() == run.test.expected_spend.tobytes()


def test_a_champion_with_another_purchase_model_gets_its_own(
    loaded: RetentionModel, shop_rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:
    newest = shop_rows[-1].snapshot  # all rows are of BG/NBD
    clv = replace(loaded.clv, purchases=MBGNBD(0.5, 6.0, 0.9, 1.6))
    modified = replace(loaded, clv=clv, card=replace(loaded.card, snapshot_limit=1))

    again = refit_and_predict(modified, shop_rows, newest, shop_log, loaded.terms, seed=0, threads=1)

    assert again.labelled.clv.purchases.name == "mbgnbd"
    assert again.snapshots == 1
    assert again.labelled.table["customer_id"].tolist() == shop_rows[-1].table["customer_id"].tolist()
    assert np.isfinite(again.value_at_stake).all()


def test_before_any_window_has_closed_there_is_nothing_to_fit(
    loaded: RetentionModel, shop_rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:
    early = Snapshot.parse("2024-03-15")

    with pytest.raises(FitError, match="Before 2024-03-15 it could not have been trained"):
        refit_and_predict(loaded, shop_rows, early, shop_log, loaded.terms, seed=0, threads=1)
