"""Fixtures that several packages' tests share: the real logs, and a PostgreSQL server of their own."""

from __future__ import annotations

import os
import pickle
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from features.datasets import cdnow
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from training.churn.calibration import Calibrator
from training.churn.inputs import CHURN_FEATURES
from training.churn.recipe import Recipe
from training.model.card import EvaluationSummary, TrainingCard
from training.model.log_summary import LogSummary
from training.pipeline import train
from training.run import TrainingRun
from training.settings import TrainSettings

settings.register_profile(
    "any machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")  # a busy one is slow, and no test fails for that

_PASSWORD = "open@sesame"

LONGEST = (
    "test_readme.py",
    "test_survival.py",
    "test_service.py",
    "test_notebooks.py",
    "test_pipeline.py",
    "test_front_door.py",
    "test_reasons.py",
    "test_cli.py",
    "test_champion.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: of two processes, neither is to wait for the other at the end.

    What needs the training run on all of CDNOW is slow.
    """
    items.sort(key=lambda item: item.path.name not in LONGEST)
    for item in items:
        if "cdnow_run" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def stayworth_data() -> Path:
    """The folder of real logs: the environment's STAYWORTH_DATA, or ../shared/data beside the project."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("STAYWORTH_DATA") or beside)
    if not folder.is_dir():
        pytest.skip(f"no real logs in {folder}: set STAYWORTH_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Spark session on this machine, for all tests of a process; Java takes seconds to start."""
    from features.engines.spark import spark_session

    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(tmp_path_factory.mktemp("spark"))  # where Spark keeps the tables of its catalogue
        # Queries of seconds are not worth a second compilation.
        patched.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        with spark_session("local[2]") as session:
            yield session


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of three megabytes, where other accounts may enter."""
    with tempfile.TemporaryDirectory(prefix="stayworth-disk-") as name:
        mount = ["mount", "-t", "tmpfs", "-o", "size=3m,mode=755", "stayworth-test", name]
        if subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("only root may mount a small disk; a file that may not grow stands in for it")
        yield Path(name)
        subprocess.run(["umount", "-l", name], check=True)


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server of the tests' own: it can be stopped, and started again."""

    uri: str
    programs: Path
    folder: Path
    port: int
    account: dict[str, Any]

    def start(self) -> None:
        settings = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        settings += " -c fsync=off -c timezone=Asia/Tehran"
        self.run("pg_ctl", "start", "-w", "-D", self.data, "-l", str(self.folder / "log"), "-o", settings)

    def stop(self) -> None:
        self.run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self.data)

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    def run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.programs / program, *arguments],
            **self.account,
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            log = self.folder / "log"
            pytest.fail(f"{program}: {done.stdout}{done.stderr}{log.read_text() if log.exists() else ''}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server with an empty database, which lives as long as the tests."""
    programs = _postgres_programs()
    folder = Path(tempfile.mkdtemp(prefix="stayworth-postgres-"))
    account = _unprivileged(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    uri = f"postgresql://stayworth:{_PASSWORD.replace('@', '%40')}@127.0.0.1:{port}/postgres"
    server = Postgres(uri, programs, folder, port, account)
    (folder / "password").write_text(_PASSWORD)
    try:
        server.run(
            *("initdb", "-D", server.data, "-U", "stayworth", "--pwfile", str(folder / "password")),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync"),
        )
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_uri(postgres: Postgres) -> str:
    """The URI of the server's empty database."""
    return postgres.uri


def _postgres_programs() -> Path:
    """Return the folder of initdb and pg_ctl; without a server, skip, but fail where CI has to have one."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if shutil.which("pg_config"):
        asked = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True)
        folders.insert(0, Path(asked.stdout.strip()))
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    reason = "no PostgreSQL server here: install the Debian package postgresql"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def mariadb_uri() -> Iterator[str]:
    """The URI of an empty database on a MariaDB server of the tests' own."""
    server = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if server is None:
        reason = "no MariaDB server here: install the Debian package mariadb-server"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="stayworth-mariadb-"))
    account = _unprivileged(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    files = (f"--datadir={folder}/data", f"--tmpdir={folder}", "--innodb-flush-log-at-trx-commit=0")
    make = [
        "mariadb-install-db",
        "--no-defaults",
        "--skip-test-db",
        "--auth-root-authentication-method=normal",
    ]
    subprocess.run([*make, *files], **account, cwd=folder, check=True, capture_output=True)
    (folder / "init.sql").write_text(  # a statement a line
        "CREATE DATABASE shop;\n"
        f"CREATE USER crm@127.0.0.1 IDENTIFIED BY '{_PASSWORD}';\n"
        "GRANT ALL ON shop.* TO crm@127.0.0.1;\n"
    )
    listen = ("--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder}/socket")
    start = [
        server,
        "--no-defaults",
        *files,
        *listen,
        f"--init-file={folder}/init.sql",
        "--skip-name-resolve",
    ]
    try:
        with (
            (folder / "log").open("w") as log,
            subprocess.Popen(start, **account, cwd=folder, stderr=log) as process,
        ):
            try:
                _wait_for_mariadb(port, folder / "log")
                yield f"mariadb://crm:{_PASSWORD.replace('@', '%40')}@127.0.0.1:{port}/shop"
            finally:
                process.terminate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_mariadb(port: int, log: Path) -> None:
    import pymysql

    last = time.monotonic() + 60
    while True:
        try:
            pymysql.connect(
                host="127.0.0.1", port=port, user="crm", password=_PASSWORD, database="shop"
            ).close()
            return
        except pymysql.Error as error:
            if time.monotonic() > last:
                pytest.fail(f"MariaDB does not answer ({error}): {log.read_text()}")
            time.sleep(0.2)


def _unprivileged(folder: Path) -> dict[str, Any]:
    """Return how to run as someone else, who then owns the folder: database servers refuse to run as root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, account.pw_uid, account.pw_gid)
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    pytest.fail("root cannot run PostgreSQL, and there is no user postgres or nobody")


@pytest.fixture(scope="session")
def training_card() -> TrainingCard:
    """The card of a made-up run on a log of 1997, whose recipe is the purchase model alone."""
    log = LogSummary(
        first_day=date(1997, 1, 1),
        last_day=date(1997, 9, 30),
        rows_in=6_920,
        rows_used=6_919,
        quarantined={"no customer": 1},
        customers=2_357,
        timezone="UTC",
        fingerprint="ab12",
    )
    return TrainingCard(
        release="0.1.0",
        trained_at=datetime(1997, 10, 1, 12, tzinfo=UTC),
        snapshot=Snapshot(date(1997, 10, 1)),
        horizon_days=90,
        value_horizon_days=365,
        dormant_after_days=180,
        log=log,
        snapshots=(Snapshot(date(1997, 6, 1)), Snapshot(date(1997, 7, 1))),
        snapshot_limit=18,
        test=EvaluationSummary(Snapshot(date(1997, 7, 1)), "stayworth", {"test_auc": 0.8}),
        recipe=Recipe(0, False, Calibrator(), "forward in time", losses={"residual_none": 0.4}),
        notes=(),
        features=CHURN_FEATURES,
    )


@pytest.fixture(scope="session")
def cdnow_log() -> TransactionLog:
    """CDNOW's 69,659 orders, validated."""
    return validate(cdnow())


Trained = Callable[[TransactionLog, TrainSettings, str], TrainingRun]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train on a log, under a name: once for all tests of all processes."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # a worker's folder lies in the session's
        folder = folder.parent

    def once(log: TransactionLog, settings: TrainSettings, name: str) -> TrainingRun:
        kept = folder / f"{name}.pickle"
        with FileLock(f"{kept}.lock"):
            if not kept.exists():
                kept.write_bytes(pickle.dumps(train(log, settings)))
            return pickle.loads(kept.read_bytes())  # type: ignore[no-any-return]

    return once


@pytest.fixture(scope="session")
def cdnow_run(cdnow_log: TransactionLog, trained: Trained) -> TrainingRun:
    """A whole training run on CDNOW with every default: a minute and more, so its tests are slow ones."""
    return trained(cdnow_log, TrainSettings(horizon_days=90), "cdnow")
