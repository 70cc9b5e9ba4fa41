"""One definition of a setting, errors in one line, progress and tables, and the command ``features``."""

from __future__ import annotations

import errno
import os
import pty
import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import pytest
import typer
from pydantic import BaseModel, ConfigDict, Field, field_validator
from typer.testing import CliRunner, Result

from features.commands import options as options_module
from features.commands.console import errors, progress, show_table
from features.commands.features import app
from features.commands.options import config_text, options, register, section_of
from features.errors import WindowError
from features.log.settings import Columns, LogSettings

ROOT = Path(__file__).resolve().parents[2]


class TrainSettings(BaseModel):
    """A section with every kind of setting."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    horizon_days: Annotated[int, Field(ge=1), typer.Option("--horizon-days", help="Days of silence.")] = 90
    discount_rate: Annotated[float, typer.Option("--discount-rate", help="A year's discount.")] = 1e-5
    promote: Annotated[bool, typer.Option("--promote/--no-promote", help="Promote.")] = False
    label: Annotated[str, typer.Option("--label", envvar="TEST_LABEL", help="A name.")] = 'a "b" آرش'
    test_snapshot: Annotated[date | None, typer.Option("--test-snapshot", help="A date.")] = None
    tags: Annotated[list[str], typer.Option("--tag", help="Repeat for more.")] = []
    weights: list[float] = Field(default=[0.5, 1.0], description="Known to the file only.")

    @field_validator("label")
    @classmethod
    def _short(cls, label: str) -> str:
        if len(label) > 20:
            raise ValueError("a label has 20 characters at the most")
        return label


class ScoreSettings(BaseModel):
    """A section with a setting that has no default."""

    out: Annotated[Path, typer.Option("--out", help="File to write.")]


Run = Callable[..., Result]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[BaseModel]:
    """What the last command was called with; no section is known yet, and no file lies about."""
    monkeypatch.setattr(options_module, "_models", {})
    monkeypatch.chdir(tmp_path)
    return []


@pytest.fixture
def run(settings: list[BaseModel]) -> Run:
    """Run a command of two sections, both with the flags that their models name."""
    train_app = typer.Typer()

    @train_app.command()
    @options
    def train(train: TrainSettings, score: ScoreSettings) -> None:
        settings[:] = [train, score]

    def invoke(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(train_app, list(arguments), env=environment)

    return invoke


def test_a_model_gives_the_flags_their_defaults_and_their_help(run: Run) -> None:
    shown = " ".join(run("--help", COLUMNS="120").stdout.split())

    assert "--horizon-days" in shown
    assert "Days of silence. [default: 90]" in shown
    assert "File to write. [required]" in shown
    assert "Train: [train] in stayworth.toml" in shown
    assert "--weights" not in shown


def test_a_command_is_called_with_validated_models(run: Run, settings: list[BaseModel]) -> None:
    result = run(
        *("--out", "list.csv", "--horizon-days", "30", "--promote", "--test-snapshot", "1998-04-01"),
        *("--tag", "a", "--tag", "b"),
    )

    assert result.exit_code == 0, result.output
    assert settings == [
        TrainSettings(horizon_days=30, promote=True, test_snapshot=date(1998, 4, 1), tags=["a", "b"]),
        ScoreSettings(out=Path("list.csv")),
    ]


def test_a_flag_beats_the_environment_that_beats_the_file_that_beats_the_default(
    run: Run, settings: list[BaseModel]
) -> None:
    Path("stayworth.toml").write_text(
        '[train]\nhorizon_days = 60\nlabel = "file"\n[score]\nout = "file.csv"\n'
    )

    def label(*arguments: str, **environment: str) -> str:
        assert run(*arguments, **environment).exit_code == 0
        assert isinstance(settings[0], TrainSettings)
        return settings[0].label

    assert label("--label", "flag", TEST_LABEL="environment") == "flag"
    assert label(TEST_LABEL="environment") == "environment"
    assert label() == "file"
    assert settings == [TrainSettings(horizon_days=60, label="file"), ScoreSettings(out=Path("file.csv"))]


def test_a_flag_given_at_its_default_still_beats_the_file(run: Run, settings: list[BaseModel]) -> None:
    Path("stayworth.toml").write_text("[train]\nhorizon_days = 60\npromote = true\n")

    assert run("--out", "x.csv", "--horizon-days", "90", "--no-promote").exit_code == 0

    assert settings[0] == TrainSettings()


def test_another_file_is_read_where_config_names_it(run: Run, settings: list[BaseModel]) -> None:
    Path("other.toml").write_text(
        '[train]\ntest_snapshot = 1998-04-01\nweights = [1, 2]\n[score]\nout = "x"\n'
    )

    assert run("--config", "other.toml").exit_code == 0

    assert settings[0] == TrainSettings(test_snapshot=date(1998, 4, 1), weights=[1.0, 2.0])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[trian]\n", "stayworth.toml has no section [trian]. Did you mean train?"),
        ("[zzz]\n", "has no section [zzz]. Known are log, columns, train, score, serve, "),
        ("[train]\nhorizon_day = 1\n", "[train] has no key 'horizon_day'. Did you mean horizon_days?"),
        ("horizon_days = 1\n", "'horizon_days' stands before any section"),
        ("[train\n", "Cannot read stayworth.toml: "),
        (
            "[train]\nhorizon_days = 0\n",
            "horizon_days in [train] of the config file: 0 should be greater than",
        ),
        (
            "[train]\nhorizon_days = 'x'\n",
            "horizon_days in [train] of the config file: 'x' should be a valid int",
        ),
    ],
)
def test_a_mistake_in_the_file_is_said_with_the_remedy(run: Run, content: str, complaint: str) -> None:
    Path("stayworth.toml").write_text(content)

    result = run("--out", "x.csv")

    assert result.exit_code == 2
    assert complaint in result.stderr


def test_a_section_that_this_command_does_not_know_is_let_through(run: Run) -> None:
    # [serve] belongs to a package that `python -m training` never imports.
    Path("stayworth.toml").write_text("[serve]\nport = 3000\n")

    assert run("--out", "x.csv").exit_code == 0


def test_a_mistake_on_the_command_line_names_the_flag(run: Run) -> None:
    result = run("--horizon-days", "0", "--label", "x" * 21)

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "Error: --horizon-days: 0 should be greater than or equal to 1. "
        "--label: a label has 20 characters at the most."
    ]


def test_a_setting_without_default_has_to_come_from_flag_or_file(run: Run) -> None:
    result = run()

    assert result.exit_code == 2
    assert "--out is missing. Give it here or as out in [score] of stayworth.toml." in result.stderr


def test_a_missing_config_file_is_an_error_only_where_it_was_asked_for(run: Run) -> None:
    assert run("--out", "x.csv").exit_code == 0

    result = run("--out", "x.csv", "--config", "no.toml")
    assert result.exit_code == 2
    assert "No config file no.toml. 'stayworth config' prints one" in result.stderr


@pytest.mark.usefixtures("run")
def test_the_printed_config_is_toml_and_gives_the_defaults() -> None:
    content = tomllib.loads(config_text())

    assert set(content) == {"train", "score"}
    assert TrainSettings.model_validate(content["train"]) == TrainSettings()
    assert content["score"] == {}
    assert "# Days of silence. (--horizon-days)\nhorizon_days = 90\n" in config_text()
    assert "# Known to the file only.\nweights = [0.5, 1.0]\n" in config_text()
    assert "# A date. (--test-snapshot)\n# test_snapshot =\n" in config_text()


@pytest.mark.usefixtures("settings")
def test_the_logs_settings_are_sections_too() -> None:
    register(LogSettings)
    register(Columns)

    content = tomllib.loads(config_text())
    assert Columns.model_validate(content["columns"]) == Columns()
    assert LogSettings.model_validate(content["log"] | {"transactions": "x.csv"}) == LogSettings(
        transactions="x.csv"
    )


@pytest.mark.usefixtures("settings")
def test_two_models_cannot_claim_one_section() -> None:
    class Log(BaseModel):
        pass

    register(LogSettings)

    assert section_of(Log) == section_of(LogSettings)
    with pytest.raises(TypeError, match=r"\[log\]"):
        register(Log)


def failing(error: BaseException, *, debug: bool = False) -> Result:
    command = typer.Typer()

    @command.command()
    @errors(debug=debug)
    def fail() -> None:
        raise error

    return CliRunner().invoke(command)


def test_an_error_that_the_caller_can_mend_is_one_line_and_exit_code_2() -> None:
    result = failing(WindowError("The log ends 1998-06-30."))

    assert (result.exit_code, result.stderr) == (2, "Error: The log ends 1998-06-30.\n")


def test_a_full_disk_is_said_in_a_sentence() -> None:
    result = failing(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/spill"))

    assert (result.exit_code, result.stderr) == (
        2,
        "Error: the disk is full while writing /data/spill. Free some space and try again.\n",
    )


def test_our_own_mistake_is_exit_code_1_and_shows_where_only_when_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quiet, loud = failing(KeyError("x")), failing(KeyError("x"), debug=True)
    monkeypatch.setenv("STAYWORTH_DEBUG", "1")
    asked = failing(KeyError("x"))

    assert {quiet.exit_code, loud.exit_code, asked.exit_code} == {1}
    assert (
        quiet.stderr == "stayworth failed (KeyError: 'x'). Add --debug to see where, and please report it.\n"
    )
    assert "Traceback" in loud.stderr
    assert "Traceback" in asked.stderr


def test_an_interrupt_is_exit_code_130() -> None:
    result = failing(KeyboardInterrupt())

    assert (result.exit_code, result.stderr) == (130, "Stopped.\n")


def test_a_table_aligns_numbers_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(
        "Race", ["Racer", "Rows", "AUC", ""], [["ours", 69659, ".838", None], ["[base]", 0, "–", "simple"]]
    )

    assert capsys.readouterr().out.splitlines() == [
        "Race",
        "Racer     Rows   AUC",
        "ours    69,659  .838",
        "[base]       0     –  simple",
    ]


def test_progress_in_a_pipe_is_a_line_for_each_step(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as report:
        report("Reading", 0, 0)
        for done in range(1000):
            report("Building", done + 1, 1000)

    captured = capsys.readouterr()
    assert captured.err.splitlines() == ["Reading", "Building 1 of 1,000"]
    assert captured.out == ""


def test_progress_on_a_terminal_is_a_bar_with_counts() -> None:
    program = """
from features.commands.console import progress
with progress() as report:
    report("Reading", 500, 0)
    report("Building", 1000, 1000)
"""
    outer, inner = pty.openpty()
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, stderr=inner, check=True, timeout=60)
    os.close(inner)
    shown = os.read(outer, 100_000).decode()
    os.close(outer)

    assert "Reading" in shown
    assert "1,000 of 1,000" in shown
    assert "━" in shown


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ann buys in January and March, Bob in February, and one order has no customer."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "orders.csv"
    path.write_text(
        "customer_id,ordered_at,amount\nann,1998-01-05,20.50\nbob,1998-02-05,7\n,1998-02-05,7\nann,1998-03-05,8\n"
    )
    return path


def run_features(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_features_writes_one_row_for_each_customer_known_at_each_date(orders: Path) -> None:
    result = run_features(
        *("--transactions", orders, "--out", "f.parquet"),
        *("--snapshot-date", "1998-03-05", "--snapshot-date", "1998-02-01"),
    )

    assert result.exit_code == 0, result.output
    table = pq.read_table("f.parquet").to_pandas()
    assert list(zip(table["snapshot_date"].astype(str), table["customer_id"], strict=True)) == [
        ("1998-02-01", "ann"),
        ("1998-03-05", "ann"),
        ("1998-03-05", "bob"),
    ]


def test_features_prints_a_balance_that_adds_up(orders: Path) -> None:
    result = run_features("--transactions", orders, "--out", "f.parquet", "--snapshot-date", "1998-03-05")

    # Ann's order of 5 March cannot be seen on that day:
    # 4 rows in = 2 used + 1 quarantined + 1 not yet visible.
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["rows", "in", "4"] in lines
    assert [line[1] for line in lines if line[:1] == ["used"]] == ["2"]
    assert [line[3] for line in lines if line[:1] == ["quarantined:"]] == ["1"]
    assert [line[3] for line in lines if line[:3] == ["not", "yet", "visible"]] == ["1"]
    assert ["1998-03-05", "2", "2", "1"] in lines


def test_features_describes_the_end_of_the_log_where_no_date_is_given(orders: Path) -> None:
    assert run_features("--transactions", orders, "--out", "end.parquet").exit_code == 0
    assert run_features("--transactions", orders, "--out", "two.parquet", "--snapshots", 2).exit_code == 0

    def dates(name: str) -> set[str]:
        return {str(day) for day in pq.read_table(name).column("snapshot_date").to_pylist()}

    assert dates("end.parquet") == {"1998-03-06"}
    assert dates("two.parquet") == {"1998-02-06", "1998-03-06"}


def test_features_writes_the_quarantined_rows_where_asked(orders: Path) -> None:
    result = run_features("--transactions", orders, "--out", "f.parquet", "--quarantine", "q.csv")

    assert result.exit_code == 0, result.output
    header, *rows = Path("q.csv").read_text().splitlines()
    assert header.startswith('"row_number","reason"')
    assert [row.split(",")[:2] for row in rows] == [["3", '"no customer"']]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("--snapshot-date", "1998-01-05"),
            "No order lies before 1998-01-05. Use --snapshot-date 1998-01-06",
        ),
        (("--snapshot-date", "2998-01-01"), "2998-01-01 lies in the future. Use --snapshot-date 1998-03-06"),
        (("--snapshot-date", "5 March"), "'5 March' is not a date"),
        (
            ("--snapshot-date", "1998-03-05", "--snapshots", "2"),
            "Give --snapshot-date or --snapshots, not both",
        ),
        (("--out", "no/such/f.parquet"), "the folder"),
        (("--out", "f.xlsx"), "Cannot write f.xlsx: name it .csv or .parquet"),
        (("--quarantine", "q.txt"), "Cannot write q.txt: name it .csv or .parquet"),
        (("--customer-column", "client"), "no column 'client'"),
    ],
)
def test_features_says_what_is_wrong_and_writes_nothing(
    orders: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    result = run_features("--transactions", orders, "--out", "f.parquet", *arguments)

    assert result.exit_code == 2
    assert complaint in result.stderr
    assert os.listdir(orders.parent) == ["orders.csv"]


def test_features_is_also_a_module(orders: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "features", "--transactions", orders, "--out", orders.parent / "f.parquet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert (orders.parent / "f.parquet").exists()
