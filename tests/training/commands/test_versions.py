"""The commands that list versions and move the champion, and what ``train --promote`` says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from features.log.transactions import TransactionLog
from training.churn.calibration import Calibrator
from training.churn.level import Level
from training.churn.model import ChurnModel
from training.clv.gammagamma import EmpiricalSpend
from training.clv.mbgnbd import MBGNBD
from training.clv.model import CLVModel
from training.clv.value import ValueTerms
from training.commands.train import show_version, training_document
from training.commands.versions import models, promote, rollback, show_decision
from training.judging.promotion_decision import FORCE, not_compared
from training.model.card import TrainingCard
from training.model.files import save_model
from training.model.retention_model import RetentionModel
from training.model.tiers import Tiers
from training.pipeline import train
from training.registration import register
from training.settings import TrainSettings
from training.versions.mlflow_client import open_client
from training.versions.registry import Registry

app = typer.Typer()
for command in (models, promote, rollback):
    app.command()(command)

MEASURED = {
    "test_auc": 0.8392,
    "test_log_loss": 0.2971,
    "test_calibration_in_the_large": -0.007,
    "test_spend_ratio": 1.141,
}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, training_card: TrainingCard) -> Path:
    """A registry of two versions, the first measured and promoted by force."""
    folder = tmp_path_factory.mktemp("registry")
    clv = CLVModel(MBGNBD(0.5, 6.0, 0.9, 1.6), EmpiricalSpend(20.0))
    churn = ChurnModel(None, Calibrator(), Level(), base_mean=0.0)
    save_model(RetentionModel(churn, clv, ValueTerms(), Tiers((20.0, 5.0)), training_card), folder / "model")
    registry = Registry(f"sqlite:///{folder}/mlflow.db")
    params = {"horizon_days": 90, "test_snapshot": "1998-04-01"}
    registry.log_run(model_folder=folder / "model", params=params, metrics=MEASURED)
    registry.log_run(model_folder=folder / "model", params=params)
    registry.annotate("1", tags={"promotion": "worse"})
    registry.promote("1", how="forced")
    return folder


@pytest.fixture
def here(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(fresh / "mlflow.db", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STAYWORTH_TRACKING_URI", raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_models_lists_versions_with_what_was_measured_and_who_promoted_them(here: Path) -> None:
    listed = run("models").output.splitlines()

    assert listed[0] == "Versions in sqlite:///mlflow.db"
    assert listed[1].split() == [
        *("Version", "Alias", "Registered", "Promoted", "Compared", "Days", "Test", "snapshot", "AUC"),
        *("Log-loss", "In", "the", "large", "Spend", "/", "actual"),
    ]
    assert [line.split()[0] for line in listed[2:]] == ["2", "1"]
    assert "champion" in listed[3]
    assert listed[3].split()[-8:] == [
        *("forced", "worse", "90", "1998-04-01", "0.8392", "0.2971", "-0.0070", "1.141"),
    ]


def test_of_a_first_version_it_is_said_that_there_was_no_champion(here: Path) -> None:
    registry = Registry("sqlite:///mlflow.db")
    registry.annotate("2", tags={"promotion": "first"})
    registry.promote("2", how="by comparison")  # as earlier releases wrote it

    in_english, in_persian = run("models").output, run("models", "--language", "fa").output

    assert "no champion" in in_english and "by comparison" not in in_english
    assert "بی مقایسه" in in_persian and "forced" not in in_persian


def test_models_are_a_document_for_a_script(here: Path) -> None:
    newest, first = json.loads(run("models", "--json").stdout)

    assert (newest["version"], first["version"]) == ("2", "1")
    assert first["aliases"] == ["champion"]
    assert first["metrics"]["test_auc"] == 0.8392


def test_where_nothing_is_registered_models_says_so_and_creates_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    done = run("models")

    assert done.exit_code == 0
    assert done.output.startswith("No version is registered in sqlite:///mlflow.db. Train one:")
    assert list(tmp_path.iterdir()) == []


def test_promote_and_rollback_say_who_was_and_who_is(here: Path) -> None:
    assert run("promote", "2").output == (
        "Version 2 is the champion now; version 1 was. Back again: stayworth rollback\n"
    )
    assert run("promote", "2").output == "Version 2 is the champion already.\n"
    assert run("rollback").output.startswith("Version 1 is the champion again; version 2 was.")
    assert Registry("sqlite:///mlflow.db").champion().version == "1"


def test_promote_and_rollback_tell_a_script_who_was_and_who_is(here: Path) -> None:
    assert json.loads(run("promote", "2", "--json").stdout) == {"champion": "2", "before": "1"}
    assert json.loads(run("rollback", "--json").stdout) == {"champion": "1", "before": "2"}


def test_mistakes_are_named_and_end_with_2(here: Path) -> None:
    unknown, nobody_before = run("promote", "7"), run("rollback")

    assert unknown.exit_code == nobody_before.exit_code == 2
    assert "has no version 7 of stayworth. It has 1, 2." in unknown.output
    assert "There was no champion before version 1" in nobody_before.output


def test_a_champion_without_its_files_is_not_called_the_champion_already(here: Path) -> None:
    registry = Registry("sqlite:///mlflow.db")
    promoted = registry.log_run(model_folder=registry.download("2", here / "model")).version
    registry.promote(promoted)
    with open_client(registry.uri) as client:
        shutil.rmtree(client.get_model_version_download_uri("stayworth", promoted).removeprefix("file://"))

    done = run("promote", promoted)

    assert done.exit_code == 2
    assert (
        "Version 3 of stayworth in sqlite:///mlflow.db has lost its files. Put them back, or" in done.output
    )


def test_how_to_promote_all_the_same_comes_after_why_it_was_not(capsys: pytest.CaptureFixture[str]) -> None:
    show_decision(not_compared("incomparable", "The champion stays: it is another one.", FORCE))

    assert capsys.readouterr().out.splitlines() == ["The champion stays: it is another one.", FORCE]


def test_the_registry_is_also_named_in_the_config_file(here: Path) -> None:
    (here / "mlflow.db").rename(here / "team.db")
    (here / "stayworth.toml").write_text('[registry]\ntracking_uri = "sqlite:///team.db"\n')

    assert run("models").output.startswith("Versions in sqlite:///team.db\n")


@pytest.mark.slow
def test_training_twice_on_the_same_log_leaves_the_first_of_the_two_champion(
    shop_log: TransactionLog, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = Registry("sqlite:///mlflow.db")
    settings = TrainSettings(horizon_days=90, snapshots=2, threads=1, promote=True)
    trained = train(shop_log, settings)

    first, _ = register(trained, shop_log, settings, registry)
    registry.promote(first.version)
    version, decision = register(trained, shop_log, settings, registry)
    show_version(version, decision, registry)

    told = training_document(trained, version, decision)
    assert (told["version"], told["promoted"], told["outcome"]) == ("4", False, "tie")
    assert told["horizon_days"] == 90 and told["test"]["metrics"]["test_auc"] > 0.5
    assert registry.champion().version == "3"
    printed = capsys.readouterr().out
    assert "The new version's recipe against the champion's" in printed
    assert "The champion stays: between the two recipes is no difference that counts.\n" in printed
    assert "Version 4 of the model is registered in sqlite:///mlflow.db.\n" in printed
    assert "It is the champion now" not in printed


def test_force_goes_with_promote_only() -> None:
    with pytest.raises(ValueError, match="--force only goes with --promote"):
        TrainSettings(force=True)
