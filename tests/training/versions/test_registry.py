"""The registry: what a run leaves behind, who scores, and what happens when two come at once."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from sqlalchemy import create_engine, text

from features.datasets import cdnow_sample
from features.errors import ModelError
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.churn.calibration import Calibrator
from training.churn.level import Level
from training.churn.model import ChurnModel
from training.clv.fitting import fit_clv
from training.clv.value import ValueTerms
from training.model.card import TrainingCard
from training.model.files import save_model
from training.model.retention_model import RetentionModel
from training.model.tiers import Tiers
from training.pipeline import with_champion_window
from training.settings import TrainSettings
from training.tracking_uri import TrackingURI
from training.versions.interrupted_runs import PROCESS_TAG, process_tag
from training.versions.mlflow_client import open_client
from training.versions.registry import Registry, load_champion
from training.versions.version_files import LostFilesError


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """The feature table of CDNOW's sample on 1 October 1997."""
    with PurchaseHistory(validate(cdnow_sample())) as history:
        return history.features(Snapshot.parse("1997-10-01"))


@pytest.fixture(scope="module")
def model(table: pd.DataFrame, training_card: TrainingCard) -> RetentionModel:
    """A model without a booster: BG/NBD's own probability, which takes a second to fit."""
    churn = ChurnModel(None, Calibrator(), Level(), base_mean=0.0)
    return RetentionModel(churn, fit_clv(table), ValueTerms(), Tiers((20.0, 5.0)), training_card)


@pytest.fixture(scope="module")
def files(model: RetentionModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_model(model, folder)
    return folder


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, files: Path) -> Path:
    """A registry with one version; made once, for MLflow's tables take seconds."""
    file = tmp_path_factory.mktemp("registry") / "mlflow.db"
    Registry(f"sqlite:///{file}").log_run(model_folder=files, metrics={"test_auc": 0.8})
    return file


@pytest.fixture
def uri(fresh: Path, tmp_path: Path) -> str:
    """The address of a copy of that registry."""
    shutil.copy(fresh, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path}/mlflow.db"


def lose_files(registry: Registry, version: str) -> None:
    """Delete a version's folder, as somebody does who clears up."""
    with open_client(registry.uri) as client:
        shutil.rmtree(client.get_model_version_download_uri("stayworth", version).removeprefix("file://"))


def test_a_version_is_registered_with_its_metrics_but_not_promoted(uri: str, files: Path) -> None:
    version = Registry(uri).log_run(model_folder=files, metrics={"test_auc": 0.75})

    assert version.version == "2"
    assert version.metrics == {"test_auc": 0.75}
    assert version.aliases == ()
    assert abs(datetime.now(UTC) - version.created_at) < timedelta(minutes=5)


def test_a_run_says_in_mlflow_what_was_learnt_from_what(uri: str, files: Path) -> None:
    log = {"fingerprint": "ab" * 32, "customers": 2357, "first_day": "1997-01-01"}

    version = Registry(uri).log_run(
        model_folder=files, name="train 1997-10-01, 90 days", description="Churn in 90 days.", dataset=log
    )

    with open_client(TrackingURI(uri)) as client:
        registered = client.get_model_version("stayworth", version.version)
        run = client.get_run(str(registered.run_id))
    assert (run.info.run_name, run.data.tags["mlflow.note.content"]) == (
        "train 1997-10-01, 90 days",
        "Churn in 90 days.",
    )
    assert registered.description == "Churn in 90 days."
    (learnt,) = run.inputs.dataset_inputs
    assert (learnt.dataset.name, learnt.dataset.digest) == ("orders", "ab" * 18)
    assert json.loads(str(learnt.dataset.profile)) == log


def test_versions_come_newest_first_and_the_alias_moves_with_the_promotion(uri: str, files: Path) -> None:
    registry = Registry(uri)
    registry.log_run(model_folder=files)

    registry.promote("1")
    assert registry.champion().version == "1"
    registry.promote("2")

    assert registry.champion().version == "2"
    assert [(v.version, v.aliases) for v in registry.versions()] == [("2", ("champion",)), ("1", ())]


def test_who_asks_often_is_told_the_version_only(uri: str, tmp_path: Path) -> None:
    registry = Registry(uri)
    assert registry.champion_version() is None
    assert Registry(f"sqlite:///{tmp_path}/other.db").champion_version() is None

    registry.promote("1")

    champion = registry.champion()
    assert registry.champion_version() == (champion.version, champion.run_id) == ("1", champion.run_id)


def test_a_version_that_scores_otherwise_than_when_it_was_saved_is_not_loaded(
    uri: str, model: RetentionModel, tmp_path: Path
) -> None:
    save_model(replace(model, terms=ValueTerms(margin=0.9)), tmp_path / "dear")
    save_model(model, tmp_path / "cheap")
    shutil.copy(tmp_path / "dear" / "example.json", tmp_path / "cheap")
    registry = Registry(uri)
    registry.promote(registry.log_run(model_folder=tmp_path / "cheap").version)

    with pytest.raises(ModelError, match="Version 2 of stayworth does not score its own example as when"):
        load_champion(uri)


def test_without_a_champion_the_message_says_how_to_get_one(uri: str) -> None:
    with pytest.raises(ModelError) as error:
        Registry(uri).champion()

    assert str(error.value) == (
        f"No model has the alias 'champion' in {uri}. "
        "Train one first: stayworth train --transactions orders.csv --promote"
    )


def test_reading_a_registry_that_is_not_there_creates_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    registry = Registry("sqlite:///mlflow.db")

    with pytest.raises(
        ModelError, match="No model has the alias 'champion' in sqlite:///mlflow.db. Train one"
    ):
        registry.champion()

    assert registry.versions() == []
    assert list(tmp_path.iterdir()) == []


def test_a_version_that_does_not_exist_cannot_be_promoted(uri: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no version 7 of stayworth. It has 1\.$"):
        Registry(uri).promote("7")
    with pytest.raises(ModelError, match=r"has no version 7 of stayworth. It has none\.$"):
        Registry(f"sqlite:///{tmp_path}/other.db").promote("7")
    assert not (tmp_path / "other.db").exists()


def test_the_champion_scores_as_the_model_that_was_saved(
    uri: str, model: RetentionModel, table: pd.DataFrame
) -> None:
    Registry(uri).promote("1")

    loaded, version = load_champion(uri)

    assert version.version == "1"
    assert loaded.card == model.card
    pd.testing.assert_frame_equal(loaded.score(table), model.score(table), check_exact=True)


def test_mlflow_itself_loads_and_runs_a_version_with_pickles_forbidden(
    uri: str, files: Path, model: RetentionModel, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    version = Registry(uri).log_run(model_folder=files, input_example=table.head(3)).version
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    mlflow.set_tracking_uri(uri)
    try:
        loaded = mlflow.pyfunc.load_model(f"models:/stayworth/{version}")
        predicted = loaded.predict(table.head(20))
        folder = Path(mlflow.artifacts.download_artifacts(f"models:/stayworth/{version}"))
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # back to the default

    numbers = ["churn_probability", "expected_value", "value_at_risk"]
    assert predicted[numbers].equals(model.score(table.head(20))[numbers])
    assert {"snapshot_date", "frequency"} <= set(loaded.metadata.get_input_schema().input_names())
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")]


def test_a_run_keeps_settings_tables_figures_and_documents_beside_the_database(uri: str, files: Path) -> None:
    figure = Figure()
    figure.add_subplot().plot([0, 1])

    version = Registry(uri).log_run(
        model_folder=files,
        params={"horizon_days": 90, "margin": None},
        tables={"race": pd.DataFrame({"racer": ["base rate"], "auc": [0.5]})},
        figures={"gain": figure},
        documents={"card": {"rows_in": 6919}},
        tags={"log_fingerprint": "ab12"},
    )

    from mlflow import MlflowClient

    run = MlflowClient(uri).get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"horizon_days": "90", "margin": "None"}
    assert run.data.tags["log_fingerprint"] == "ab12"
    artifacts = Path(run.info.artifact_uri.removeprefix("file://"))
    assert {path.name for path in artifacts.iterdir()} == {"race.csv", "gain.png", "card.json"}
    assert (artifacts / "race.csv").read_text() == "racer,auc\nbase rate,0.5\n"


def test_artifacts_of_a_relative_registry_lie_beside_it(
    tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    Registry("sqlite:///models/mlflow.db").log_run(model_folder=files, documents={"card": {}})

    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["mlflow.db", "mlruns"]
    assert list(tmp_path.iterdir()) == [tmp_path / "models"]


@pytest.mark.slow
def test_two_trainings_that_start_at_once_on_nothing_both_register_and_promote(
    tmp_path: Path, files: Path
) -> None:
    training = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "import mlflow\n"
        "from training.versions.registry import Registry\n"
        "Path(f'ready{sys.argv[1]}').touch()\n"
        "while not (Path('ready0').exists() and Path('ready1').exists()): time.sleep(0.001)\n"
        "versions = [Registry().log_run(model_folder=Path(sys.argv[2])).version for _ in range(2)]\n"
        "for version in versions: Registry().promote(version)\n"
    )

    running = [
        subprocess.Popen(
            [sys.executable, "-c", training, str(number), str(files)],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in (0, 1)
    ]
    outputs = [process.communicate(timeout=600)[0] for process in running]

    assert outputs == ["", ""]
    assert [process.returncode for process in running] == [0, 0]
    registry = Registry(f"sqlite:///{tmp_path}/mlflow.db")
    assert [version.version for version in registry.versions()] == ["4", "3", "2", "1"]
    champions = [registry.champion().version]
    while len(set(champions)) < 4:  # whoever came last scores, and the way back leads past all the others
        champions.append(registry.rollback()[0])
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_run_that_breaks_off_is_marked_failed_and_registers_nothing(uri: str, tmp_path: Path) -> None:
    registry = Registry(uri)

    with pytest.raises(ModelError, match="cannot be used"):
        registry.log_run(model_folder=tmp_path / "nothing here")

    from mlflow import MlflowClient

    client = MlflowClient(uri)
    (experiment,) = client.search_experiments(filter_string="name = 'stayworth'")
    newest = client.search_runs([experiment.experiment_id])[0]
    assert newest.info.status == "FAILED"
    assert [version.version for version in registry.versions()] == ["1"]


@pytest.mark.slow
def test_the_next_run_closes_one_whose_process_was_killed_and_no_other(uri: str, files: Path) -> None:
    work = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from training.versions.registry import Registry\n"
        "class Table:\n"
        "    def to_csv(self, **options): os.kill(os.getpid(), signal.SIGKILL)\n"
        "Registry(sys.argv[1]).log_run(model_folder=Path(sys.argv[2]), tables={'race': Table()})\n"
    )
    killed = subprocess.run([sys.executable, "-W", "ignore", "-c", work, uri, str(files)])
    (tag,) = process_tag().values()
    machine, _, process = tag.partition("/")
    with open_client(TrackingURI(uri)) as client:
        experiment = client.get_experiment_by_name("stayworth").experiment_id
        (interrupted,) = client.search_runs([experiment], "attributes.status = 'RUNNING'")
        others = {
            "of this process": tag,
            "of another machine": f"{'0' * 16}/{process}",
            "of a process whose id was used again": f"{machine}/{process}0",
        }
        ids = {
            name: client.create_run(experiment, tags={PROCESS_TAG: value}).info.run_id
            for name, value in others.items()
        }
        ids["of an older release"] = client.create_run(experiment).info.run_id

        Registry(uri).log_run(model_folder=files)

        status = {name: client.get_run(run_id).info.status for name, run_id in ids.items()}
        closed = client.get_run(interrupted.info.run_id).info
    assert killed.returncode == -signal.SIGKILL
    assert (closed.status, closed.end_time is not None) == ("KILLED", True)
    assert status == {
        "of this process": "RUNNING",
        "of another machine": "RUNNING",
        "of a process whose id was used again": "KILLED",
        "of an older release": "RUNNING",
    }


def test_a_full_disk_is_told_in_plain_words(fresh: Path, files: Path, small_disk: Path) -> None:
    shutil.copy(fresh, small_disk / "mlflow.db")
    with suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as file:
        while file.write(b"0" * 4096):
            pass

    with pytest.raises(
        ModelError, match=r"^The disk is full: that of the model registry sqlite:///.* Free some"
    ):
        Registry(f"sqlite:///{small_disk}/mlflow.db").log_run(model_folder=files)

    assert [version.version for version in Registry(f"sqlite:///{small_disk}/mlflow.db").versions()] == ["1"]


@pytest.mark.parametrize("whole_folder", [False, True])
def test_a_champion_that_lost_its_files_is_named(uri: str, files: Path, whole_folder: bool) -> None:
    registry = Registry(uri)
    registry.promote(registry.log_run(model_folder=files).version)
    from mlflow import MlflowClient

    folder = Path(MlflowClient(uri).get_model_version_download_uri("stayworth", "2").removeprefix("file://"))
    (model_json,) = folder.rglob("model.json")
    if whole_folder:
        shutil.rmtree(folder)
    else:
        model_json.unlink()

    with pytest.raises(
        ModelError, match="Version 2 of stayworth in .* has lost its files. Put them back, or"
    ):
        load_champion(uri)


def test_a_version_that_lost_its_files_is_neither_promoted_nor_gone_back_to(uri: str, files: Path) -> None:
    registry = Registry(uri)
    whole, lost = (registry.log_run(model_folder=files).version for _ in range(2))
    registry.promote(lost)
    registry.promote(whole)
    lose_files(registry, lost)

    for refused in (registry.rollback, lambda: registry.promote(lost)):
        with pytest.raises(LostFilesError, match="Version 3 of stayworth in .* has lost its files. Put them"):
            refused()

    assert registry.champion().version == whole
    assert (
        "promoted" in registry.champion().tags and "rolled back" not in registry.champion().tags["promoted"]
    )


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ml:s3cr%40t@127.0.0.1:1/mlflow",
        "postgresql://127.0.0.1:1/mlflow?user=ml&password=s3cr%40t",
        "http://ml:s3cr%40t@127.0.0.1:1",
    ],
)
def test_a_registry_that_is_down_is_named_without_its_password(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    with pytest.raises(ModelError, match=r"The model registry .*127\.0\.0\.1:1.* cannot be used") as error:
        Registry(address).champion()
    with pytest.raises(ModelError, match="cannot be used"):
        Registry(address).champion_version()

    assert "s3cr" not in str(error.value) + repr(Registry(address).uri)


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:"])
def test_a_registry_in_memory_is_refused(address: str) -> None:
    with pytest.raises(ModelError, match="names no file"):
        Registry(address)


def test_the_registry_speaks_to_nobody(uri: str, files: Path, capfd: pytest.CaptureFixture[str]) -> None:
    registry = Registry(uri)

    registry.promote(registry.log_run(model_folder=files).version)
    load_champion(uri)

    assert capfd.readouterr() == ("", "")


def test_importing_the_registry_does_not_import_mlflow() -> None:
    check = "import sys, training.versions.registry; print('mlflow' in sys.modules)"

    printed = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout

    assert printed == "False\n"


def test_a_postgresql_registry_works_as_the_sqlite_one(
    postgres_uri: str, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    address = make_database(postgres_uri)
    registry = Registry(address)

    registry.promote(registry.log_run(model_folder=files, metrics={"test_auc": 0.8}).version)

    assert load_champion(address)[1].metrics == {"test_auc": 0.8}


def make_database(server: str) -> str:
    """Create a database of our own on a server and return its URI."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE registry"))
    engine.dispose()
    return server.removesuffix("/postgres") + "/registry"


@pytest.fixture
def three(uri: str, files: Path) -> Registry:
    """A registry of three versions, the last of them the champion after the two others."""
    registry = Registry(uri)
    for _ in range(2):
        registry.log_run(model_folder=files)
    for version in ("1", "2", "3"):
        registry.promote(version, how=f"as number {version}")
    return registry


def test_a_rollback_brings_back_the_champion_before_and_a_second_the_one_before_that(three: Registry) -> None:
    assert three.rollback() == ("2", "3")
    assert three.champion().version == "2"
    assert three.rollback() == ("1", "2")

    assert [(v.version, v.aliases, v.tags["promoted"]) for v in three.versions()] == [
        ("3", (), "as number 3, rolled back"),
        ("2", (), "as number 2, rolled back"),
        ("1", ("champion",), "as number 1"),
    ]
    with pytest.raises(
        ModelError, match="There was no champion before version 1 in .*stayworth promote VERSION"
    ):
        three.rollback()


def test_after_a_rollback_another_promotion_goes_back_to_where_it_came_from(three: Registry) -> None:
    three.rollback()
    three.promote("1")

    assert three.rollback() == ("2", "1")


def test_a_champion_that_was_made_in_mlflow_itself_is_rolled_back_too_and_remembered(three: Registry) -> None:
    from mlflow import MlflowClient

    MlflowClient(three.uri.text).set_registered_model_alias("stayworth", "champion", "1")
    assert three.rollback() == ("3", "1")

    MlflowClient(three.uri.text).set_registered_model_alias("stayworth", "champion", "1")
    three.promote("2")
    assert three.rollback() == ("1", "2")


def test_a_rollback_passes_over_versions_that_were_deleted(three: Registry) -> None:
    from mlflow import MlflowClient

    MlflowClient(three.uri.text).delete_model_version("stayworth", "2")
    assert three.rollback() == ("1", "3")
    three.promote("3")
    MlflowClient(three.uri.text).delete_model_version("stayworth", "3")

    assert three.current() is None
    assert three.rollback() == ("1", None)


def test_without_a_champion_there_is_nothing_to_roll_back(uri: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No model has the alias 'champion'"):
        Registry(uri).rollback()
    with pytest.raises(ModelError, match="No model has the alias 'champion'"):
        Registry(f"sqlite:///{tmp_path}/other.db").rollback()


def test_a_champion_of_an_older_release_does_not_stop_its_successors_training(
    uri: str, model: RetentionModel, tmp_path: Path
) -> None:
    save_model(model, tmp_path / "old")
    content = json.loads((tmp_path / "old" / "model.json").read_text())
    (tmp_path / "old" / "model.json").write_text(json.dumps(content | {"format": 1}))
    registry = Registry(uri)
    registry.promote(registry.log_run(model_folder=tmp_path / "old").version)
    settings = TrainSettings()

    assert with_champion_window(settings, registry) == settings
    with pytest.raises(ModelError, match="trained by another release"):
        load_champion(uri)


def test_what_was_found_out_later_is_added_to_a_version(uri: str, files: Path) -> None:
    registry = Registry(uri)
    version = registry.log_run(model_folder=files, params={"horizon_days": 90})

    registry.annotate(
        version.version,
        tags={"promotion": "tie"},
        tables={"promotion": pd.DataFrame({"measure": ["log-loss"]})},
        documents={"promotion": {"promoted": False}},
    )

    (newest, _) = registry.versions()
    assert (newest.tags, newest.params) == ({"promotion": "tie"}, {"horizon_days": "90"})
    from mlflow import MlflowClient

    artifacts = Path(MlflowClient(uri).get_run(version.run_id).info.artifact_uri.removeprefix("file://"))
    assert (artifacts / "promotion.csv").read_text() == "measure\nlog-loss\n"
    assert (artifacts / "promotion.json").exists()
