"""Errors in one line, progress and tables."""

from __future__ import annotations

import errno
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from features.commands.console import errors, progress, show_table
from features.errors import WindowError

ROOT = Path(__file__).resolve().parents[3]


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


def test_numbers_in_persian_digits_are_aligned_as_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    show_table("", ["شمار"], [["۱٬۲۳۴"], ["۵٫۵٪"]])

    lines = capsys.readouterr().out.splitlines()
    assert lines[1].endswith("۱٬۲۳۴") and lines[2].startswith(" ")
