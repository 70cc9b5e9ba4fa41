"""The copy of the last champion: whole whatever happens, whoever shares it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from features.datasets import cdnow_sample
from features.errors import ModelError, OutputError
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from serving.champion import copy as champion_copy
from serving.champion.copy import YOUNG_SECONDS, ChampionCopy
from training.churn.calibration import Calibrator
from training.churn.level import Level
from training.churn.model import ChurnModel
from training.clv.fitting import fit_clv
from training.clv.value import ValueTerms
from training.model.card import TrainingCard
from training.model.files import save_model
from training.model.retention_model import RetentionModel
from training.model.tiers import Tiers
from training.tracking_uri import TrackingURI
from training.versions.version import VersionKey

ONE, TWO = VersionKey("1", "a1"), VersionKey("2", "b2")
URI = TrackingURI("http://registry:5000")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, training_card: TrainingCard) -> Path:
    """The folders of two models, 1 and 2, that differ in their margins."""
    with PurchaseHistory(validate(cdnow_sample())) as history:
        clv = fit_clv(history.features(Snapshot.parse("1997-10-01")))
    churn = ChurnModel(None, Calibrator(), Level(), base_mean=0.0)
    model = RetentionModel(churn, clv, ValueTerms(margin=0.1), Tiers((20.0, 5.0)), training_card)
    folder = tmp_path_factory.mktemp("models")
    save_model(model, folder / "1")
    save_model(replace(model, terms=ValueTerms(margin=0.2)), folder / "2")
    return folder


@pytest.fixture
def copy(tmp_path: Path) -> ChampionCopy:
    return ChampionCopy(tmp_path / "cache", URI)


def test_what_was_kept_is_read_and_the_next_takes_its_place(copy: ChampionCopy, files: Path) -> None:
    assert copy.read() is None

    copy.keep(ONE, files / "1")
    copy.keep(TWO, files / "2")

    found = copy.read()
    assert found is not None
    assert (found[0].terms.margin, found[1]) == (0.2, TWO)
    assert copy.read(TWO) is not None
    assert copy.read(ONE) is None


def test_a_version_of_the_same_number_and_another_run_is_another(copy: ChampionCopy, files: Path) -> None:
    copy.keep(ONE, files / "1")

    assert copy.read(VersionKey("1", "c3")) is None


def test_each_registry_has_a_copy_of_its_own_and_a_new_password_changes_nothing(tmp_path: Path) -> None:
    def folder(uri: str) -> Path:
        return ChampionCopy(tmp_path, TrackingURI(uri)).folder

    assert folder("http://ml:old@registry") == folder("http://ml:new@registry") != folder("http://other")
    assert folder("sqlite:///mlflow.db") == folder(f"sqlite:///{Path.cwd()}/mlflow.db")


def test_old_versions_go_and_what_another_process_may_be_filling_stays(
    copy: ChampionCopy, files: Path
) -> None:
    copy.keep(ONE, files / "1")
    (old,) = copy.folder.glob("version-*")
    long_ago = time.time() - 2 * YOUNG_SECONDS
    os.utime(old, (long_ago, long_ago))
    broken_off, filling = copy.folder / ".version-1-0badcafe", copy.folder / ".version-2-c0ffee00"
    broken_off.mkdir()
    os.utime(broken_off, (long_ago, long_ago))
    filling.mkdir()

    copy.keep(TWO, files / "2")

    (kept,) = copy.folder.glob("version-*")
    assert kept.name.startswith("version-2-")
    assert {path.name for path in copy.folder.iterdir()} == {"champion.json", kept.name, filling.name}


def test_a_copy_is_as_old_as_its_keeping_and_not_as_the_files(
    copy: ChampionCopy, files: Path, tmp_path: Path
) -> None:
    trained_long_ago = shutil.copytree(files / "1", tmp_path / "files")
    for path in (*trained_long_ago.iterdir(), trained_long_ago):
        os.utime(path, (0, 0))
    copy.keep(ONE, trained_long_ago)

    copy.keep(TWO, files / "2")

    assert len(list(copy.folder.glob("version-*"))) == 2  # a process may still be about to name the first


def test_who_reads_a_version_that_is_removed_meanwhile_reads_the_next(
    copy: ChampionCopy, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(champion_copy, "YOUNG_SECONDS", 0.0)  # the old one goes at once
    copy.keep(ONE, files / "1")

    def promote() -> None:
        for turn in range(12):
            time.sleep(0.1)
            copy.keep((TWO, ONE)[turn % 2], files / ("2", "1")[turn % 2])

    promoting = threading.Thread(target=promote)
    promoting.start()
    seen = []
    while promoting.is_alive():
        found = copy.read()
        assert found is not None
        seen.append((found[1], found[0].terms.margin))
    promoting.join()

    assert set(seen) == {(ONE, 0.1), (TWO, 0.2)}
    assert len(list(copy.folder.glob("version-*"))) == 1


def test_what_is_already_kept_is_not_written_again(copy: ChampionCopy, files: Path) -> None:
    copy.keep(ONE, files / "1")
    before = sorted(copy.folder.iterdir())

    copy.keep(ONE, files / "1")

    assert sorted(copy.folder.iterdir()) == before


@pytest.mark.parametrize("name", ["booster.txt", "model.json", "example.json"])
@pytest.mark.parametrize("damage", ["cut off", "flipped", "gone", "one more"])
def test_a_damaged_copy_is_named_by_its_file(copy: ChampionCopy, files: Path, name: str, damage: str) -> None:
    copy.keep(ONE, files / "1")
    (folder,) = copy.folder.glob("version-*")
    file = folder / name
    content = file.read_bytes() or b" "
    if damage == "cut off":
        file.write_bytes(content[: len(content) // 2] + b"" if len(content) > 1 else b"x")
    elif damage == "flipped":
        file.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    elif damage == "gone":
        file.unlink()
    else:
        file = folder / "more.txt"
        file.write_bytes(b"")

    with pytest.raises(ModelError, match=rf"The copy of version 1 in .* is damaged: {file.name}\.$"):
        copy.read()


@pytest.mark.parametrize("pointer", ["", "{", "[]", "{}", '"x"', "null", b"\xff"])
def test_a_damaged_pointer_is_no_copy(copy: ChampionCopy, files: Path, pointer: str | bytes) -> None:
    copy.keep(ONE, files / "1")
    content = pointer if isinstance(pointer, bytes) else pointer.encode()
    (copy.folder / "champion.json").write_bytes(content)

    assert copy.read() is None
    copy.keep(ONE, files / "1")
    assert copy.read() is not None


def test_a_copy_that_cannot_be_written_leaves_the_one_before(copy: ChampionCopy, files: Path) -> None:
    copy.keep(ONE, files / "1")

    with pytest.raises(OutputError, match="Cannot write "):
        copy.keep(TWO, files / "nothing here")

    found = copy.read()
    assert found is not None and found[1] == ONE
    assert len(list(copy.folder.iterdir())) == 2


@pytest.mark.slow
def test_processes_that_keep_and_read_at_once_never_see_half_a_version(
    copy: ChampionCopy, files: Path, tmp_path: Path
) -> None:
    work = (
        "import sys\n"
        "from pathlib import Path\n"
        "from serving.champion.copy import ChampionCopy\n"
        "from training.tracking_uri import TrackingURI\n"
        "from training.versions.version import VersionKey\n"
        "copy = ChampionCopy(Path(sys.argv[1]), TrackingURI('http://registry:5000'))\n"
        "turn = 0\n"
        "while not Path(sys.argv[3]).exists():\n"
        "    turn += 1\n"
        "    number = str(1 + turn % 2)\n"
        "    copy.keep(VersionKey(number, 'run'), Path(sys.argv[2]) / number)\n"
        "    model, key = copy.read()\n"
        "    assert model.terms.margin == float(key.version) / 10, key\n"
    )
    copy.keep(ONE, files / "1")
    enough = tmp_path / "enough"

    reads: Counter[str] = Counter()
    named = set[Path]()
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", work, str(copy.folder.parent), str(files), str(enough)]
    ) as other:
        while min(reads["run"], reads["ours"]) < 6 and other.poll() is None:
            found = copy.read()
            assert found is not None
            assert found[0].terms.margin == float(found[1].version) / 10
            reads[found[1].run_id] += 1
            current = copy.folder / json.loads((copy.folder / "champion.json").read_text())["folder"]
            for replaced in named - {current}:  # old enough to go, while the other may be reading it
                with suppress(FileNotFoundError):
                    os.utime(replaced, (0, 0))
            named.add(current)
            if found[1].run_id == "run":  # the other has begun
                copy.keep(VersionKey("1", "ours"), files / "1")
            time.sleep(0.01)
        enough.touch()

    assert other.returncode == 0
    assert not list(copy.folder.glob(".*"))
    copy.keep(TWO, files / "2")
    assert not any(replaced.exists() for replaced in named - {current})
