"""One definition of a setting gives its flag, its key in the config file, its default and its help."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, TypeAlias

import pytest
import typer
from pydantic import Field, field_validator
from typer.testing import CliRunner, Result

from features.commands.config_file import config_text
from features.commands.options import CONFIG_ONLY, options, sections_of
from features.log.settings import Columns, LogRules, LogSettings
from features.settings import SECTIONS, Settings

Run: TypeAlias = Callable[..., Result]


class FitSettings(Settings, section="fit"):
    """A section with every kind of setting."""

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


class ListSettings(Settings, section="list"):
    """A section with a setting that has no default."""

    out: Annotated[Path, typer.Option("--out", help="File to write.")]


class ServerSettings(Settings, section="server"):
    """A section that took over a key of others."""

    moved_here = {"address": "url"}

    url: Annotated[str, typer.Option("--url", help="Address.")] = "http://localhost"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Settings]:
    """What the last command was called with; no file lies about."""
    monkeypatch.chdir(tmp_path)
    return []


@pytest.fixture
def program(settings: list[Settings]) -> typer.Typer:
    """A program of two commands: one with the flags of two sections, one that reads a section from the file only."""
    app = typer.Typer()

    @app.command()
    @options
    def train(fit: FitSettings, listing: ListSettings) -> None:
        settings[:] = [fit, listing]

    @app.command()
    @options
    def check(server: ServerSettings, fit: Annotated[FitSettings, CONFIG_ONLY]) -> None:
        settings[:] = [server, fit]

    return app


@pytest.fixture
def run(program: typer.Typer) -> Run:
    """Run the command with flags."""

    def invoke(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(program, ["train", *arguments], env=environment)

    return invoke


def test_a_model_gives_the_flags_their_defaults_and_their_help(run: Run) -> None:
    shown = " ".join(run("--help", COLUMNS="120").stdout.split())

    assert "--horizon-days" in shown
    assert "Days of silence. [default: 90]" in shown
    assert "File to write. [required]" in shown
    assert "Fit: [fit] in stayworth.toml" in shown
    assert "--weights" not in shown


def test_a_command_is_called_with_validated_models(run: Run, settings: list[Settings]) -> None:
    result = run(
        *("--out", "list.csv", "--horizon-days", "30", "--promote", "--test-snapshot", "1998-04-01"),
        *("--tag", "a", "--tag", "b"),
    )

    assert result.exit_code == 0, result.output
    assert settings == [
        FitSettings(horizon_days=30, promote=True, test_snapshot=date(1998, 4, 1), tags=["a", "b"]),
        ListSettings(out=Path("list.csv")),
    ]


def test_a_flag_beats_the_environment_that_beats_the_file_that_beats_the_default(
    run: Run, settings: list[Settings]
) -> None:
    Path("stayworth.toml").write_text('[fit]\nhorizon_days = 60\nlabel = "file"\n[list]\nout = "file.csv"\n')

    def label(*arguments: str, **environment: str) -> str:
        assert run(*arguments, **environment).exit_code == 0
        assert isinstance(settings[0], FitSettings)
        return settings[0].label

    assert label("--label", "flag", TEST_LABEL="environment") == "flag"
    assert label(TEST_LABEL="environment") == "environment"
    assert label() == "file"
    assert settings == [FitSettings(horizon_days=60, label="file"), ListSettings(out=Path("file.csv"))]


def test_a_flag_given_at_its_default_still_beats_the_file(run: Run, settings: list[Settings]) -> None:
    Path("stayworth.toml").write_text("[fit]\nhorizon_days = 60\npromote = true\n")

    assert run("--out", "x.csv", "--horizon-days", "90", "--no-promote").exit_code == 0

    assert settings[0] == FitSettings()


def test_another_file_is_read_where_config_names_it(run: Run, settings: list[Settings]) -> None:
    Path("other.toml").write_text('[fit]\ntest_snapshot = 1998-04-01\nweights = [1, 2]\n[list]\nout = "x"\n')

    assert run("--config", "other.toml").exit_code == 0

    assert settings[0] == FitSettings(test_snapshot=date(1998, 4, 1), weights=[1.0, 2.0])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[fti]\n", "stayworth.toml has no section [fti]. Did you mean fit?"),
        ("[zzz]\n", "has no section [zzz]. Known are "),
        (
            "[other]\naddress = 'x'\n",
            "address is no longer a key of [other]. All commands share it now: "
            "write it once, as url in [server].",
        ),
        ("[fit]\naddress = 'x'\n", "stayworth.toml: address is no longer a key of [fit]. "),
        ("[fit]\nhorizon_day = 1\n", "[fit] has no key 'horizon_day'. Did you mean horizon_days?"),
        ("horizon_days = 1\n", "'horizon_days' stands before any section"),
        ("[fit\n", "Cannot read stayworth.toml: "),
        ("[fit]\nfactor = " + "[" * 5_000, "Cannot read stayworth.toml: it is nested more than 100 deep"),
        (
            "[fit]\n" + "factor." * 3_000 + "x = 1",
            "Cannot read stayworth.toml: it is nested more than 100 deep",
        ),
        (
            "[fit]\nhorizon_days = 0\n",
            "horizon_days in [fit] of the config file: has to be at least 1, not 0",
        ),
        (
            "[fit]\nhorizon_days = 'x'\n",
            "horizon_days in [fit] of the config file: has to be a whole number, not 'x'",
        ),
    ],
)
def test_a_mistake_in_the_file_is_said_with_the_remedy(run: Run, content: str, complaint: str) -> None:
    Path("stayworth.toml").write_text(content)

    result = run("--out", "x.csv")

    assert result.exit_code == 2
    assert complaint in result.stderr


def test_a_command_that_is_a_program_of_its_own_lets_the_sections_of_others_through(tmp_path: Path) -> None:
    # [zzz] might belong to a package that `python -m training` never imports; [fti] is a slip.
    Path(tmp_path / "others.toml").write_text("[zzz]\nport = 3000\n")
    Path(tmp_path / "slip.toml").write_text("[fti]\nhorizon_days = 3\n")
    alone = typer.Typer()

    @alone.command()
    @options
    def train(fit: FitSettings) -> None: ...

    others, slip = (
        CliRunner().invoke(alone, ["--config", str(tmp_path / f"{name}.toml")]) for name in ("others", "slip")
    )
    assert others.exit_code == 0, others.output
    assert slip.exit_code == 2
    assert "has no section [fti]. Did you mean fit?" in slip.stderr


def test_a_command_may_read_a_section_without_having_its_flags(
    program: typer.Typer, settings: list[Settings]
) -> None:
    Path("stayworth.toml").write_text("[fit]\nhorizon_days = 60\n")

    result = CliRunner().invoke(program, ["check", "--url", "http://elsewhere"])

    assert result.exit_code == 0, result.output
    assert settings == [ServerSettings(url="http://elsewhere"), FitSettings(horizon_days=60)]
    assert "--horizon-days" not in CliRunner().invoke(program, ["check", "--help"]).stdout


def test_a_mistake_in_the_environment_names_the_variable(run: Run) -> None:
    result = run("--out", "x.csv", TEST_LABEL="x" * 21)

    assert result.exit_code == 2
    assert result.stderr == "Error: TEST_LABEL: a label has 20 characters at the most.\n"


def test_a_mistake_on_the_command_line_names_the_flag(run: Run) -> None:
    result = run("--horizon-days", "0", "--label", "x" * 21)

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "Error: --horizon-days: has to be at least 1, not 0. --label: a label has 20 characters at the most."
    ]


def test_a_setting_without_default_has_to_come_from_flag_or_file(run: Run) -> None:
    result = run()

    assert result.exit_code == 2
    assert "--out is missing. Give it here or as out in [list] of stayworth.toml." in result.stderr


def test_a_missing_config_file_is_an_error_only_where_it_was_asked_for(run: Run) -> None:
    assert run("--out", "x.csv").exit_code == 0

    result = run("--out", "x.csv", "--config", "no.toml")
    assert result.exit_code == 2
    assert "No config file no.toml. 'stayworth config' prints one" in result.stderr


def test_the_printed_config_is_toml_and_gives_the_defaults() -> None:
    printed = config_text([FitSettings, ListSettings])

    content = tomllib.loads(printed)
    assert set(content) == {"fit", "list"}
    assert FitSettings.model_validate(content["fit"]) == FitSettings()
    assert content["list"] == {}
    assert "# Days of silence. (--horizon-days)\nhorizon_days = 90\n" in printed
    assert "# Known to the file only.\nweights = [0.5, 1.0]\n" in printed
    assert "# A date. (--test-snapshot)\n# test_snapshot =\n" in printed


def test_the_sections_of_a_program_are_those_of_its_commands_in_their_order(program: typer.Typer) -> None:
    assert sections_of(typer.main.get_command(program)) == [FitSettings, ListSettings, ServerSettings]


def test_the_logs_settings_are_sections_too() -> None:
    content = tomllib.loads(config_text([LogSettings, Columns]))

    assert Columns.model_validate(content["columns"]) == Columns()
    assert LogSettings.model_validate(content["log"] | {"transactions": "x.csv"}) == LogSettings(
        transactions="x.csv"
    )


def test_a_section_declares_itself_and_no_other_may_take_its_name() -> None:
    assert SECTIONS["log"] is LogSettings

    with pytest.raises(TypeError, match=r"Log declares the section \[log\], which is LogSettings's"):

        class Log(Settings, section="log"):
            pass


def test_a_command_takes_no_settings_without_a_section() -> None:
    def check(rules: LogRules) -> None: ...

    with pytest.raises(TypeError, match="LogRules declares no section"):
        options(check)


def test_settings_survive_the_way_through_the_environment() -> None:
    fit = FitSettings(label="ours", horizon_days=30)

    assert fit.to_environment() == {"TEST_LABEL": "ours"}
    assert FitSettings.from_environment(fit.to_environment()) == FitSettings(label="ours")
