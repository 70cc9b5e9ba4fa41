"""``card``: the page that was stored with a version, brought to the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from features.datasets import simulate_log
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from features.temporary import temporary_folder
from training.churn.calibration import Calibrator
from training.churn.level import Level
from training.churn.model import ChurnModel
from training.clv.fitting import fit_clv
from training.clv.value import ValueTerms
from training.commands.card import card
from training.model.card import TrainingCard
from training.model.files import save_model
from training.model.retention_model import RetentionModel
from training.model.tiers import Tiers
from training.versions.registry import Registry

app = typer.Typer()
app.command()(card)


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory: pytest.TempPathFactory, training_card: TrainingCard) -> str:
    """The address of a registry: version 1 with a card, the champion; version 2 without."""
    simulated = simulate_log(200, r=0.6, alpha=6.0, a=0.8, b=2.4, p=6.0, q=4.0, v=15.0, weeks=40, seed=1)
    log = validate(simulated.transactions)
    with PurchaseHistory(log) as history:
        clv = fit_clv(history.features(Snapshot.after(log.last_day)))
    model = RetentionModel(
        ChurnModel(None, Calibrator(), Level(), base_mean=0.0),
        clv,
        ValueTerms(),
        Tiers((2.0, 1.0)),
        training_card,
    )
    folder = tmp_path_factory.mktemp("registry")
    save_model(model, folder / "files")
    registry = Registry(f"sqlite:///{folder}/mlflow.db")
    (folder / "files" / "card.html").write_text("<p>Grüße</p>", encoding="utf-8")
    registry.log_run(model_folder=folder / "files")
    (folder / "files" / "card.html").unlink()
    registry.log_run(model_folder=folder / "files")
    registry.promote("1")
    shutil.rmtree(folder / "files")
    return f"sqlite:///{folder}/mlflow.db"


def _run(uri: str, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["--tracking-uri", uri, *arguments])
    return result.exit_code, result.output


def test_without_a_number_the_champions_card_is_written(two_versions: str, tmp_path: Path) -> None:
    out = tmp_path / "card.html"

    code, said = _run(two_versions, "--out", str(out))

    assert (code, said) == (0, f"Card of version 1 (champion) in {out}\n")
    assert out.read_text(encoding="utf-8") == "<p>Grüße</p>"


def test_a_card_is_written_in_the_language_that_is_asked_for(tmp_path: Path, two_versions: str) -> None:
    registry, model = Registry(f"sqlite:///{tmp_path}/other.db"), tmp_path / "files"
    with temporary_folder() as folder:
        shutil.copytree(Registry(two_versions).download("1", folder), model)
    (model / "card.html").write_text('<!DOCTYPE html>\n<html lang="en" dir="ltr">before', encoding="utf-8")
    registry.log_run(model_folder=model)  # as earlier releases did
    (model / "card.fa.html").write_text('<!DOCTYPE html>\n<html lang="fa" dir="rtl">now', encoding="utf-8")
    registry.log_run(model_folder=model)
    out = tmp_path / "out.html"

    said, pages = {}, {}
    for version, language in (("2", "fa"), ("2", "en"), ("2", None), ("1", "fa"), ("1", "en")):
        flags = ["--language", language] if language else []
        said[version, language] = _run(registry.uri.text, "--version", version, "--out", str(out), *flags)[1]
        pages[version, language] = out.read_text(encoding="utf-8")[-3:]

    assert pages == {
        ("2", "fa"): "now",
        ("2", "en"): "ore",
        ("2", None): "ore",
        ("1", "fa"): "ore",
        ("1", "en"): "ore",
    }
    assert said["2", "fa"].startswith("شناسنامهٔ نسخهٔ") and len(said["2", "fa"].splitlines()) == 1
    assert "به زبانی است که نسخه با آن آموخته شده" in said["1", "fa"]
    assert [len(said[each].splitlines()) for each in (("2", "en"), ("2", None), ("1", "en"))] == [1, 1, 1]


def test_the_registry_of_the_config_file_is_the_cards_too(
    two_versions: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STAYWORTH_TRACKING_URI", raising=False)
    (tmp_path / "stayworth.toml").write_text(f"[registry]\ntracking_uri = '{two_versions}'\n")

    result = CliRunner().invoke(app, [])

    assert result.output == "Card of version 1 (champion) in card.html\n"


def test_a_version_without_a_card_or_unknown_leaves_no_file(two_versions: str, tmp_path: Path) -> None:
    out = tmp_path / "card.html"

    bare = _run(two_versions, "--version", "2", "--out", str(out))
    unknown = _run(two_versions, "--version", "7", "--out", str(out))
    empty = _run(f"sqlite:///{tmp_path}/none.db", "--out", str(out))

    assert bare[0] == unknown[0] == empty[0] == 2
    assert "Version 2 was registered without a card. Train again to get one" in bare[1]
    assert "has no version 7 of stayworth. It has 1, 2." in unknown[1]
    assert "Train one first: stayworth train" in empty[1]
    assert list(tmp_path.iterdir()) == []
