"""The command ``run``: what a scheduler starts every night, starts twice, and may kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from features.lock import only_one
from features.log.sources import read_table
from features.table_files import write_csv
from serving.cli import app
from serving.store.store import Store
from training.versions.registry import Registry

pytestmark = pytest.mark.slow

CONFIG = """
[log]
transactions = "orders.csv"
[train]
horizon_days = 90
snapshots = 2
threads = 1
[monitor]
{due}
[score]
out = "scored.csv"
publish = true
[alerts]
scores = "scored.csv"
out = "alerts.csv"
before = "before.csv"
"""
NOT_DUE = "max_age_days = 0\nlog_loss_tolerance = 9\ncalibration_tolerance = 9\nvalue_tolerance = 9\npsi = 9"
DUE = "max_age_days = 1"
CUSTOMERS = 2357


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orders: pa.Table) -> Path:
    """A folder with orders, a config file, and no model yet."""
    monkeypatch.chdir(tmp_path)
    for variable in ("STAYWORTH_TRACKING_URI", "STAYWORTH_STORE", "STAYWORTH_WEBHOOK"):
        monkeypatch.delenv(variable, raising=False)
    write_csv(orders, tmp_path / "orders.csv")
    (tmp_path / "stayworth.toml").write_text(CONFIG.format(due=NOT_DUE))
    return tmp_path


@pytest.fixture
def champion(shop: Path, registry_file: Path) -> Path:
    """The shop with a champion; its registry is the test's own, the champion's files are shared."""
    shutil.copy(registry_file, shop / "mlflow.db")
    return shop


def run(*arguments: str) -> tuple[Result, dict[str, Any]]:
    result = CliRunner().invoke(app, ["run", "--json", *arguments])
    return result, json.loads(result.stdout) if result.exit_code in (0, 4, 5) else {}


def later_orders(shop: Path) -> None:
    """Another day of orders: twenty customers who have bought before, on 1 July 1998."""
    lines = (shop / "orders.csv").read_text().splitlines()
    ids = list(dict.fromkeys(line.split(",")[0] for line in lines[1:]))[:20]
    (shop / "orders.csv").write_text(
        "\n".join([*lines, *(f"{each},1998-07-01,12.50,web" for each in ids)]) + "\n"
    )


def test_a_night_is_done_once_and_the_next_keeps_its_list_to_compare_with(champion: Path) -> None:
    first, night = run()
    again, repeated = run()
    later_orders(champion)
    next_night, following = run()

    assert (first.exit_code, again.exit_code, next_night.exit_code) == (5, 5, 5), next_night.stderr
    assert night["outcome"] == "not due" and not night["repeated"]
    assert len(read_table(champion / "before.csv")) == len(read_table(champion / "scored.csv")) == CUSTOMERS
    assert repeated == night | {"repeated": True}
    assert following["run_id"] != night["run_id"] and following["snapshot_date"] == "1998-07-02"
    assert set(read_table(champion / "before.csv")["snapshot_date"]) == {"1998-07-01"}
    with Store("sqlite:///stayworth.db") as store:
        newest = store.newest()
    assert newest and (newest.id, newest.customers) == (2, CUSTOMERS)  # the repeated run published nothing


def test_what_was_taken_away_after_a_run_is_made_again_and_nothing_else(champion: Path) -> None:
    _, night = run()
    whole = (champion / "scored.csv").read_bytes()
    (champion / "scored.csv").write_text("customer_id\n")

    _, mended = run()

    assert (mended["run_id"], mended["repeated"]) == (night["run_id"], False)
    assert (champion / "scored.csv").read_bytes() == whole
    with Store("sqlite:///stayworth.db") as store:
        newest = store.newest()
    assert newest and newest.id == 1


def test_other_settings_are_another_run_and_another_place_of_the_log_is_not(champion: Path) -> None:
    _, night = run()
    os.rename("orders.csv", "moved.csv")
    _, moved = run("--transactions", "moved.csv")
    config = champion / "stayworth.toml"
    config.write_text(config.read_text().replace("publish = true", "publish = true\ntop = 10"))
    _, fewer = run("--transactions", "moved.csv")

    assert (moved["run_id"], moved["repeated"]) == (night["run_id"], True)
    assert fewer["run_id"] != night["run_id"] and fewer["scoring"]["listed"] == 10


def test_of_two_runs_at_a_time_the_second_is_refused(champion: Path) -> None:
    with only_one("sqlite:///mlflow.db", "busy"):
        refused, _ = run()

    assert refused.exit_code == 2
    assert "Another run with the same registry is at work on this machine." in refused.stderr
    assert not (champion / "scored.csv").exists()


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        (
            'scores = "scored.csv"',
            'scores = "old.csv"',
            "scores in [alerts] is old.csv, out in [score] scored.csv.",
        ),
        ('out = "alerts.csv"', 'out = "before.csv"', "out in [alerts] is before.csv, as is before."),
        ('out = "scored.csv"\npublish = true', "", "--out is missing"),
    ],
)
def test_a_config_that_cannot_be_followed_is_refused_before_the_log_is_read(
    shop: Path, before: str, after: str, complaint: str
) -> None:
    config = shop / "stayworth.toml"
    config.write_text(config.read_text().replace(before, after, 1))

    refused, _ = run("--transactions", "nowhere.csv")

    assert refused.exit_code == 2
    assert complaint in refused.stderr


def test_on_a_log_that_lost_its_customers_nothing_is_trained_and_yesterday_s_list_stays(
    champion: Path,
) -> None:
    run()
    whole = (champion / "scored.csv").read_bytes()
    header, *lines = (champion / "orders.csv").read_text().splitlines(keepends=True)
    (champion / "orders.csv").write_text("".join([header, *(line for line in lines if line < '"0500')]))
    (champion / "stayworth.toml").write_text(CONFIG.format(due=DUE))

    lost, _ = run()

    assert lost.exit_code == 2
    assert "(--accept shrunken-list)" in lost.stderr
    assert (champion / "scored.csv").read_bytes() == whole
    assert [version.version for version in Registry("sqlite:///mlflow.db").versions()] == ["1"]


def _killed_at(step: str) -> bool:
    """Start a run and kill it, as the system would, when it begins a step; tell whether it came so far."""
    command = [sys.executable, "-c", "from serving.cli import app; app()", "run"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith(step):
                process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


def rows(file: str, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as database:
        return database.execute(statement).fetchall()


def test_a_run_that_is_killed_again_and_again_ends_as_one_that_never_was(shop: Path) -> None:
    (shop / "stayworth.toml").write_text(CONFIG.format(due=DUE))

    steps = (
        "Validating",
        "Choosing and fitting",
        "Comparing with",
        "Scoring",
        "Writing",
        "Publishing",
        "Reading ",
    )
    killed = [_killed_at(step) for step in steps]
    ended, night = run()
    again, repeated = run()

    assert killed == [True] * len(steps)
    assert ended.exit_code == again.exit_code == 0, ended.output
    assert night["outcome"] == "promoted" and repeated["repeated"]
    assert rows("mlflow.db", "SELECT version FROM model_versions") == [(1,)]  # trained once
    assert rows("mlflow.db", "SELECT count(*) FROM runs WHERE status = 'RUNNING'") == [(0,)]
    sets = "SELECT id, (SELECT count(*) FROM scores WHERE set_id = score_sets.id) FROM score_sets"
    assert rows("stayworth.db", sets) == [(1, CUSTOMERS)]
    assert len(read_table(shop / "scored.csv")) == CUSTOMERS
    left = {"alerts.csv", "mlflow.db", "mlruns", "orders.csv", "scored.csv", "stayworth.db", "stayworth.toml"}
    assert {path.name for path in shop.iterdir()} == left
