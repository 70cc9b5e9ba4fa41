"""A running service and its registry: what is taken over, what is refused, and what it starts from alone."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pyarrow as pa
import pytest

from features.errors import ModelError
from serving.champion import champion as module
from serving.champion.champion import Champion, ChampionState
from serving.scorer import Scorer
from training import tracking_uri
from training.model.files import load_model, save_model
from training.model.retention_model import RetentionModel
from training.versions.mlflow_client import open_client
from training.versions.records import make_champion
from training.versions.registry import Registry
from training.versions.trial import try_version

pytestmark = pytest.mark.slow

REQUEST = pa.table(
    {
        "customer_id": ["0042", "0042", "17"],
        "ordered_at": ["1998-01-05", "1998-05-20", "1998-06-01"],
        "amount": ["20.50", "31.00", "7.25"],
    }
)


def until(condition: Callable[[], bool], what: str = "it", seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come about"
        time.sleep(0.01)


def answer(scorer: Scorer) -> float:
    """What one customer of a fixed request is worth, by a scorer."""
    scored = scorer.score_customers(REQUEST)
    assert set(scored.scores["model_version"]) == {scorer.version}
    return float(scored.scores["expected_value"].iloc[0])


@dataclass(frozen=True)
class Shop:
    """A registry of its own, whose versions differ in their margin: version n values customers n-fold."""

    file: Path
    cache: Path
    model: RetentionModel

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.file}"

    @property
    def registry(self) -> Registry:
        return Registry(self.uri)

    def model_of(self, version: int) -> RetentionModel:
        terms = replace(self.model.terms, margin=self.model.terms.margin * version)
        return replace(self.model, terms=terms)

    def add(self, version: int, damage: Callable[[Path], object] | None = None) -> str:
        """Register a version, its files damaged first if so asked; make it champion as by hand, unchecked."""
        folder = self.file.parent / f"model-{version}"
        save_model(self.model_of(version), folder)
        if damage:
            damage(folder)
        number = self.registry.log_run(model_folder=folder).version
        assert number == str(version)
        with open_client(self.registry.uri) as client:
            make_champion(client, number)
        return number

    def leave(self) -> None:
        self.file.rename(self.file.with_suffix(".away"))

    def come_back(self) -> None:
        self.file.with_suffix(".away").replace(self.file)

    @property
    def copied(self) -> Path:
        """The folder of the copy that counts."""
        (pointer,) = self.cache.glob("*/champion.json")
        return Path(pointer.parent / json.loads(pointer.read_text())["folder"])


@pytest.fixture
def shop(registry_file: Path, scorer: Scorer, tmp_path: Path) -> Shop:
    """A copy of the trained registry; version 1 is the champion."""
    shutil.copy(registry_file, tmp_path / "mlflow.db")
    return Shop(tmp_path / "mlflow.db", tmp_path / "cache", scorer.model)


@pytest.fixture
def watch(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., Champion]]:
    """Start champions that look twenty times a second, and stop them in the end."""
    started: list[Champion] = []
    caplog.set_level(logging.INFO, "stayworth")

    def start(uri: str, cache: Path) -> Champion:
        champion = Champion(uri, cache, poll_seconds=0.05, tried_apart=False)
        started.append(champion)
        champion.start()
        return champion

    yield start
    for champion in started:
        champion.stop()


Watch = Callable[..., Champion]


def looks(champion: Champion, number: int = 3) -> None:
    """Let some looks go by."""
    seen: list[ChampionState] = []
    look = champion._look

    def counted() -> None:
        look()
        seen.append(champion.state)

    champion._look = counted  # type: ignore[method-assign]
    until(lambda: len(seen) >= number, f"{number} looks")


def a_leaf(folder: Path) -> None:
    """Change one leaf's value in the booster, as someone who can write to the artifacts could."""
    text = (folder / "booster.txt").read_text()
    start = text.index("leaf_value=") + len("leaf_value=")
    end = text.index(" ", start)
    (folder / "booster.txt").write_text(text[:start] + f"{float(text[start:end]) + 0.5!r}" + text[end:])


def the_margin(folder: Path) -> None:
    """Move all values by a thousandth: such files read well."""
    content = json.loads((folder / "model.json").read_text())
    content["terms"]["margin"] *= 1.001
    (folder / "model.json").write_text(json.dumps(content))


def cut_off(folder: Path) -> None:
    text = (folder / "booster.txt").read_bytes()
    (folder / "booster.txt").write_bytes(text[: len(text) // 2])


def flip_a_byte(folder: Path) -> None:
    text = bytearray((folder / "model.json").read_bytes())
    text[len(text) // 2] ^= 1
    (folder / "model.json").write_bytes(text)


def test_a_new_champion_takes_over_and_no_answer_is_lost_or_mixed(shop: Shop, watch: Watch) -> None:
    champion = watch(shop.uri, shop.cache)
    one = answer(champion.scorer())
    answers: list[tuple[str, float]] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def ask() -> None:
        try:
            while not done.is_set():
                scorer = champion.scorer()
                answers.append((scorer.version, answer(scorer)))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    shop.add(2)
    until(lambda: champion.scorer().version == "2", "the swap")
    count = len(answers)
    until(lambda: len(answers) > count + 6)
    done.set()
    for thread in threads:
        thread.join()

    assert failures == []
    assert {version for version, _ in answers} == {"1", "2"}
    assert {(version, round(value / one, 6)) for version, value in answers} == {("1", 1.0), ("2", 2.0)}
    assert (champion.state.version, champion.state.source, champion.state.registry_up) == (
        "2",
        "registry",
        True,
    )


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (a_leaf, "booster.txt was changed since it was saved"),
        (the_margin, "does not score its own example as when it was saved, in expected_value, "),
        (lambda folder: (folder / "model.json").unlink(), "has lost its files"),
    ],
)
def test_a_version_that_cannot_be_used_is_refused_once_and_the_old_one_goes_on(
    shop: Shop,
    watch: Watch,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[Path], object],
    reason: str,
) -> None:
    champion = watch(shop.uri, shop.cache)

    shop.add(2, damage)
    until(lambda: bool(champion.state.refused), "the refusal")
    looks(champion)

    assert champion.scorer().version == champion.state.version == "1"
    assert champion.state.refusals == 1
    ((version, why),) = champion.state.refused
    assert (version, reason in why) == ("2", True), why
    (line,) = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert line == f"Version 2 is refused: {why} Version 1 goes on scoring."


def test_a_version_that_crashes_or_hangs_its_reader_does_so_in_another_process(
    shop: Shop, tmp_path: Path
) -> None:
    save_model(shop.model, tmp_path / "model")
    text, content = tmp_path / "model" / "booster.txt", tmp_path / "model" / "model.json"
    # Damaged, and consistent: a child of every tree lies beyond its memory, behind a split that LightGBM alone reads
    # (what is missing counts as 0).
    damaged = re.sub(r"(?m)^left_child=-?\d+", "left_child=999999999", text.read_text())
    damaged = re.sub(r"(?m)^decision_type=\d+", "decision_type=4", damaged)
    text.write_text(damaged)
    card = json.loads(content.read_text())
    card["sha256"]["booster.txt"] = hashlib.sha256(damaged.encode()).hexdigest()
    content.write_text(json.dumps(card))

    with pytest.raises(ModelError, match=r"^Version 2 of stayworth ends a process that reads it \(SIG"):
        try_version(tmp_path / "model", "2")
    with pytest.raises(ModelError, match=r"^Version 2 of stayworth was not read within 0.01 seconds"):
        try_version(tmp_path / "model", "2", seconds=0.01)


def test_a_refused_version_is_tried_again_when_it_is_promoted_anew(shop: Shop, watch: Watch) -> None:
    champion = watch(shop.uri, shop.cache)
    shop.add(2, a_leaf)
    until(lambda: bool(champion.state.refused), "the refusal")
    (folder,) = (path.parent for path in _artifacts(shop, "2").rglob("booster.txt"))
    save_model(shop.model_of(2), folder)
    looks(champion)
    assert champion.state.version == "1"

    shop.registry.promote("1")
    looks(champion)
    shop.registry.promote("2")
    until(lambda: champion.state.version == "2", "the swap")

    assert (champion.state.refused, champion.state.refusals) == ((), 1)


def test_a_refused_version_is_tried_again_after_long(
    shop: Shop, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    champion = watch(shop.uri, shop.cache)
    shop.add(2, a_leaf)
    until(lambda: bool(champion.state.refused), "the refusal")
    (folder,) = (path.parent for path in _artifacts(shop, "2").rglob("booster.txt"))
    save_model(shop.model_of(2), folder)

    monkeypatch.setattr(module, "REFUSED_SECONDS", 0.1)

    until(lambda: champion.state.version == "2", "the swap")


def test_a_service_goes_on_without_its_registry_and_follows_it_again(
    shop: Shop, watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    champion = watch(shop.uri, shop.cache)
    shop.add(2)
    until(lambda: champion.state.version == "2", "the swap")
    shop.registry.promote("1")
    until(lambda: champion.state.version == "1", "the swap back")
    caplog.clear()

    shop.leave()
    until(lambda: not champion.state.registry_up, "the loss")
    looks(champion)
    assert champion.scorer().version == "1"
    shop.come_back()
    until(lambda: champion.state.registry_up, "the return")
    shop.registry.promote("2")
    until(lambda: champion.state.version == "2", "the swap")

    assert [record.getMessage() for record in caplog.records] == [
        f"The model registry {shop.uri} is not there. Version 1 goes on scoring.",
        f"The model registry {shop.uri} answers again.",
        "Version 2 scores.",
    ]


def test_a_registry_made_anew_at_the_same_place_is_noticed(shop: Shop, watch: Watch) -> None:
    from mlflow import MlflowClient

    champion = watch(shop.uri, shop.cache)
    one = answer(champion.scorer())
    fresh = shop.file.with_name("fresh.db")
    shutil.copy(shop.file, fresh)
    MlflowClient(f"sqlite:///{fresh}").delete_registered_model("stayworth")
    save_model(shop.model_of(3), shop.file.parent / "other")
    anew = Registry(f"sqlite:///{fresh}").log_run(model_folder=shop.file.parent / "other").version
    Registry(f"sqlite:///{fresh}").promote(anew)

    fresh.replace(shop.file)
    until(lambda: answer(champion.scorer()) == pytest.approx(3 * one), "the swap")

    assert champion.state.version == anew == "1"


def test_without_its_registry_a_service_starts_from_the_copy(
    shop: Shop, watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    shop.add(2)
    watch(shop.uri, shop.cache).stop()
    shop.leave()
    caplog.clear()

    champion = watch(shop.uri, shop.cache)
    looks(champion)

    assert (champion.scorer().version, champion.state.source) == ("2", "cache")
    assert champion.state.trained_at is not None
    assert champion.state.reason is None
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == (
        f"The model registry {shop.uri} is not there. "
        f"Version 2 scores, from its copy in {shop.copied.parent}."
    )
    shop.come_back()
    until(lambda: champion.state.source == "registry", "the confirmation")


def test_with_a_champion_that_is_refused_a_service_starts_from_the_one_before(
    shop: Shop, watch: Watch
) -> None:
    watch(shop.uri, shop.cache).stop()
    shop.add(2, a_leaf)

    champion = watch(shop.uri, shop.cache)

    assert (champion.scorer().version, champion.state.source) == ("1", "cache")
    assert [version for version, _ in champion.state.refused] == ["2"]


def test_a_copy_of_another_registry_is_none(shop: Shop, watch: Watch, tmp_path: Path) -> None:
    watch(shop.uri, shop.cache).stop()

    champion = watch(f"sqlite:///{tmp_path}/other.db", shop.cache)

    with pytest.raises(ModelError, match="No model has the alias 'champion' in .*other.db. Train one first"):
        champion.scorer()


@pytest.mark.parametrize("damage", [cut_off, flip_a_byte, shutil.rmtree])
def test_a_damaged_copy_is_fetched_again(
    shop: Shop, watch: Watch, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], object]
) -> None:
    watch(shop.uri, shop.cache).stop()
    damage(shop.copied)
    caplog.clear()

    champion = watch(shop.uri, shop.cache)

    assert (champion.scorer().version, champion.state.refusals) == ("1", 0)
    (line,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert line.startswith("The copy of version 1 in ")
    assert line.endswith(" It is fetched again.")
    assert Scorer(load_model(shop.copied), "1")


@pytest.mark.parametrize("damage", [cut_off, flip_a_byte, shutil.rmtree])
def test_with_a_damaged_copy_and_no_registry_there_is_no_scorer_but_a_reason(
    shop: Shop, watch: Watch, damage: Callable[[Path], object]
) -> None:
    watch(shop.uri, shop.cache).stop()
    damage(shop.copied)
    shop.leave()

    champion = watch(shop.uri, shop.cache)
    looks(champion)

    with pytest.raises(
        ModelError, match="registry .* is not there. The copy of version 1 in .* is damaged: "
    ):
        champion.scorer()
    shop.come_back()
    until(lambda: champion.state.version == "1", "the scorer")


def test_a_service_keeps_its_scorer_when_the_alias_goes(
    shop: Shop, watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    from mlflow import MlflowClient

    champion = watch(shop.uri, shop.cache)
    caplog.clear()

    MlflowClient(shop.uri).delete_registered_model_alias("stayworth", "champion")
    until(lambda: bool(caplog.records), "a line")
    looks(champion)

    assert (champion.scorer().version, champion.state.registry_up) == ("1", True)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("No model has the alias 'champion' in ")
    assert line.endswith(" Version 1 goes on scoring.")
    late = watch(shop.uri, shop.cache)
    with pytest.raises(ModelError, match="No model has the alias 'champion' in .* Train one first: "):
        late.scorer()


def test_a_service_without_a_champion_gets_its_scorer_when_there_is_one(shop: Shop, watch: Watch) -> None:
    shop.leave()
    champion = watch(shop.uri, shop.cache)
    with pytest.raises(ModelError, match=f"No model has the alias 'champion' in {shop.uri}. Train one first"):
        champion.scorer()
    assert champion.state == ChampionState(reason=champion.state.reason)

    shop.come_back()
    until(lambda: champion.state.version is not None, "the scorer")

    assert champion.scorer().version == "1"
    assert champion.state.reason is None


def test_a_server_that_hangs_holds_nothing_up(
    shop: Shop, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking_uri, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        champion = watch(f"http://127.0.0.1:{silent.getsockname()[1]}", shop.cache)

        with pytest.raises(ModelError, match=r"registry http://127.* cannot be used: timed out\. Check that"):
            champion.scorer()
        champion.stop()


def test_a_cache_that_cannot_be_written_costs_the_copy_only(
    shop: Shop, watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    shop.cache.write_text("a file stands where the folder should be")

    champion = watch(shop.uri, shop.cache)

    assert champion.scorer().version == "1"
    (line,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert line.startswith("Version 1 is not kept for a start without the registry. Cannot write ")


def test_a_look_that_fails_as_nobody_thought_is_not_the_last(
    shop: Shop, watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    champion = watch(shop.uri, shop.cache)
    look, failed = champion._look, [RuntimeError("no")] * 3

    def failing() -> None:
        if failed:
            raise failed.pop()
        look()

    champion._look = failing  # type: ignore[method-assign]
    shop.add(2)

    until(lambda: champion.scorer().version == "2", "the new champion")
    assert not failed
    assert [r.getMessage() for r in caplog.records].count("Looking for the champion failed.") == 3


def test_a_champion_stops_and_its_scorer_stays(shop: Shop, watch: Watch) -> None:
    champion = watch(shop.uri, shop.cache)

    champion.stop()

    assert champion.scorer().version == "1"
    assert "champion" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.soak
def test_processes_that_share_a_copy_all_follow_and_leave_it_whole(shop: Shop, watch: Watch) -> None:
    shop.add(2)
    follow = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from serving.champion.champion import Champion\n"
        "champion = Champion(sys.argv[1], Path(sys.argv[2]), poll_seconds=0.01, tried_apart=False)\n"
        "champion.start()\n"
        "print(champion.state.version, flush=True)\n"
        "end = time.monotonic() + 60\n"
        "while champion.state.version != '3' and time.monotonic() < end: time.sleep(0.01)\n"
        "champion.stop()\n"
        "print(champion.state.version, champion.state.refusals)\n"
    )

    running = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", follow, shop.uri, str(shop.cache)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in running:
        assert process.stdout and process.stdout.readline() == "2\n"
    for version in ("1", "2", "1"):
        shop.registry.promote(version)
    shop.add(3)
    outputs = [process.communicate(timeout=90)[0] for process in running]

    assert outputs == ["3 0\n", "3 0\n"]
    shop.leave()
    assert watch(shop.uri, shop.cache).scorer().version == "3"


@pytest.mark.soak
def test_a_server_that_is_killed_and_comes_back_is_followed_again(
    shop: Shop, watch: Watch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    program = f"mlflow server --backend-store-uri {shop.uri} --artifacts-destination {tmp_path / 'files'} --port {port}"

    def serve() -> subprocess.Popen[bytes]:
        server = subprocess.Popen(
            [sys.executable, "-m", *program.split(), "--workers", "1"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: _answers(port), "the server", seconds=120)
        return server

    server = serve()
    try:
        champion = watch(f"http://127.0.0.1:{port}", shop.cache)
        assert champion.scorer().version == "1"
        server.terminate()
        server.wait()
        until(lambda: not champion.state.registry_up, "the loss")
        assert watch(f"http://127.0.0.1:{port}", shop.cache).state.source == "cache"
        shop.add(2)
        server = serve()
        until(lambda: champion.state.version == "2", "the swap")
    finally:
        server.terminate()
        server.wait()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=1).is_success
    except httpx.HTTPError:
        return False


def _artifacts(shop: Shop, version: str) -> Path:
    from mlflow import MlflowClient

    uri = MlflowClient(shop.uri).get_model_version_download_uri("stayworth", version)
    return Path(str(uri).removeprefix("file://"))
