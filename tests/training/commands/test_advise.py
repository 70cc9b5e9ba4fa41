from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from features.datasets import simulate_log
from training.commands.advise import app


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "orders.parquet"
    log = simulate_log(500, r=0.6, alpha=6.0, a=0.8, b=2.4, weeks=78, acquisition_weeks=60, seed=1)
    pq.write_table(log.transactions, path)
    return path


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_it_prints_windows_a_recommendation_and_the_command_to_train_with(orders: Path) -> None:
    result = _run("--transactions", orders)

    assert result.exit_code == 0, result.output
    assert "Gaps between purchases" in result.output
    assert "Inactivity window: " in result.output
    # not of all who are silent by now, most of them for longer
    assert re.search(
        r"Dormant after \d+ days\. Of those who reach that silence, \d+% buy in the", result.output
    )
    assert "stayworth train --transactions … --horizon-days " in result.output


def test_it_writes_the_picture_and_prints_the_numbers_for_a_script(orders: Path, tmp_path: Path) -> None:
    picture = tmp_path / "window.svg"

    result = _run("--transactions", orders, "--plot", picture, "--json")

    assert result.exit_code == 0, result.output
    assert "<svg" in picture.read_text()
    assert json.loads(result.stdout)["window_days"] > 0
    assert [path.name for path in tmp_path.iterdir()] == ["window.svg"]


def test_a_picture_of_an_unknown_format_is_refused_before_the_log_is_read(tmp_path: Path) -> None:
    result = _run("--transactions", tmp_path / "none.csv", "--plot", tmp_path / "window.txt")

    assert result.exit_code == 2
    assert "ending in .png, .svg, .pdf" in result.output
