from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import optuna
import pytest

from features.errors import ModelError
from training.churn.budget import Budget
from training.churn.calibration import Calibrator
from training.churn.fit_options import FitOptions
from training.churn.model import PARAMETERS
from training.churn.recipe import Recipe
from training.churn.recipe_choice import choose_recipe
from training.churn.tuning import SPACE, study_storage, tune
from training.churn.tuning_result import TuningResult
from training.judging.tuning_gain import TuningReport, gain_on_test
from training.metrics.comparison import Comparison
from training.snapshots.dataset import LabelledSnapshot
from training.versions.registry import Registry

OPTIONS = FitOptions(date(2024, 1, 1), dormant_after_days=120)


def _trials(database: Path) -> list[tuple[dict[str, object], float | None]]:
    storage = optuna.storages.RDBStorage(f"sqlite:///{database}", skip_compatibility_check=True)
    try:
        (summary,) = optuna.get_all_study_summaries(storage)
        study = optuna.load_study(study_name=summary.study_name, storage=storage)
        return [(trial.params, trial.value) for trial in study.trials]
    finally:
        storage.remove_session()
        storage.engine.dispose()


@pytest.fixture(scope="module")
def few_rows(shop_rows: list[LabelledSnapshot]) -> list[LabelledSnapshot]:
    """The shop's newest five snapshots: three steps forward in time."""
    return shop_rows[-5:]


@pytest.fixture(scope="module")
def at_once(
    few_rows: list[LabelledSnapshot], tmp_path_factory: pytest.TempPathFactory
) -> tuple[TuningResult, Path]:
    """Four trials in one go, and the database that holds them."""
    database = tmp_path_factory.mktemp("tuning") / "studies.db"
    return tune(
        few_rows, replace(OPTIONS, seed=3), budget=Budget(trials=4), storage=f"sqlite:///{database}"
    ), database


def test_the_defaults_are_tried_first_in_both_forms(at_once: tuple[TuningResult, Path]) -> None:
    free, monotone = (parameters for parameters, _ in _trials(at_once[1])[:2])

    assert free == {name: PARAMETERS[name] for name in SPACE if name != "monotone"} | {"monotone": False}
    assert monotone == free | {"monotone": True}


def test_the_defaults_are_judged_as_the_recipe_judges_them(
    few_rows: list[LabelledSnapshot], at_once: tuple[TuningResult, Path]
) -> None:
    losses = choose_recipe(few_rows, replace(OPTIONS, seed=3)).losses

    # features that can never split are kept here, so the draws of feature_fraction differ a little
    best = min(losses["residual_free"], losses["residual_monotone"])
    assert at_once[0].default_loss == pytest.approx(best, abs=5e-4)


def test_a_study_that_was_interrupted_ends_like_one_that_was_not(
    few_rows: list[LabelledSnapshot], at_once: tuple[TuningResult, Path], tmp_path: Path
) -> None:
    storage = f"sqlite:///{tmp_path / 'studies.db'}"

    tune(few_rows, replace(OPTIONS, seed=3), budget=Budget(trials=3), storage=storage)
    resumed = tune(few_rows, replace(OPTIONS, seed=3), budget=Budget(trials=4), storage=storage)

    assert resumed == at_once[0]
    assert _trials(tmp_path / "studies.db") == _trials(at_once[1])


def test_what_it_found_replaces_the_defaults_only_if_it_is_better_than_noise(
    at_once: tuple[TuningResult, Path],
) -> None:
    tuning = at_once[0]

    # these customers are BG/NBD's own, there is next to nothing to tune
    assert tuning.best_loss <= tuning.default_loss
    assert bool(tuning.parameters) == (tuning.gain.verdict == "better")
    assert tuning.trials == 4
    assert set(SPACE) < set(tuning.best)
    assert json.loads(json.dumps(tuning.to_dict()))["gain"]["verdict"] == tuning.gain.verdict


def test_a_budget_that_is_spent_tries_the_defaults_all_the_same(few_rows: list[LabelledSnapshot]) -> None:
    tuning = tune(few_rows, OPTIONS, budget=Budget(minutes=1e-9))

    assert (tuning.trials, tuning.parameters, tuning.gain.difference) == (1, {}, 0.0)


def test_another_seed_or_other_outcomes_begin_another_study(
    few_rows: list[LabelledSnapshot], at_once: tuple[TuningResult, Path]
) -> None:
    row = few_rows[-1]
    turned = replace(row, outcomes=row.outcomes.assign(churned=1 - row.churned))

    again, seeded, otherwise = (
        tune(rows, replace(OPTIONS, seed=seed), budget=Budget(trials=1)).study
        for rows, seed in ((few_rows, 3), (few_rows, 4), ([*few_rows[:-1], turned], 3))
    )

    assert again == at_once[0].study
    assert len({again, seeded, otherwise}) == 3


@pytest.mark.slow
def test_studies_and_models_share_a_database(few_rows: list[LabelledSnapshot], tmp_path: Path) -> None:
    registry = Registry(f"sqlite:///{tmp_path / 'mlflow.db'}")
    registry.create()

    def stamps() -> list[tuple[str]]:
        with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
            return database.execute("SELECT version_num FROM alembic_version").fetchall()

    before = stamps()
    storage = study_storage(registry.uri.text)
    tune(few_rows, OPTIONS, budget=Budget(trials=1), storage=storage)

    assert stamps() == before  # MLflow's schema, untouched
    assert registry.versions() == []
    assert len(_trials(tmp_path / "mlflow.db")) == 1


def test_a_study_of_another_optuna_is_refused(few_rows: list[LabelledSnapshot], tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "studies.db")) as database, database:
        database.execute("CREATE TABLE version_info (library_version TEXT)")
        database.execute("INSERT INTO version_info VALUES ('2.10.1')")

    with pytest.raises(ModelError, match="written by Optuna 2.10.1"):
        tune(few_rows, OPTIONS, budget=Budget(trials=1), storage=f"sqlite:///{tmp_path / 'studies.db'}")


def test_a_database_that_cannot_be_used_is_named(few_rows: list[LabelledSnapshot], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be used"):
        tune(
            few_rows,
            OPTIONS,
            budget=Budget(trials=1),
            storage=f"sqlite:///{tmp_path / 'none' / 'studies.db'}",
        )


def test_the_untuned_recipe_against_itself_gains_nothing(
    few_rows: list[LabelledSnapshot], at_once: tuple[TuningResult, Path]
) -> None:
    known, test = few_rows[:3], few_rows[-1]
    recipe = Recipe(20, False, Calibrator(), "forward in time")
    probability = recipe.fit(known, OPTIONS).predict(test.columns, test.snapshot)

    found = gain_on_test(probability, recipe, known, test, OPTIONS)

    assert (found.difference, found.verdict) == (0.0, "noise")
    assert "on the test snapshot by +0.0000" in str(TuningReport(at_once[0], found))


def test_where_the_defaults_are_used_nothing_is_said_of_the_test_snapshot(
    at_once: tuple[TuningResult, Path],
) -> None:
    tuning = replace(at_once[0], parameters={}, gain=Comparison(-0.001, -0.002, 0.001, 1_500))

    assert str(TuningReport(tuning, None)).endswith("no better than noise, so the defaults are used.")
    assert TuningReport(tuning, None).to_dict()["test_gain"] is None


@pytest.mark.parametrize("text", ["", "0", "0m", "-5", "ten", "10s", "1.5", "5 m 3"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no budget"):
        Budget.parse(text)


def test_a_budget_is_spent_by_trials_or_by_time() -> None:
    assert [Budget.parse("3").is_spent(trials, 1e9) for trials in (2, 3)] == [False, True]
    assert [Budget.parse("1.5m").is_spent(10**9, seconds) for seconds in (89, 90)] == [False, True]
