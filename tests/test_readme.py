"""What the README says is so: its commands run, print what it shows, and its tables are the code's.

Conventions for whoever writes the README:

- A command stands in a block fenced as ``console`` (after ``$ ``, what follows is what it prints) or ``bash``
  (the whole block is commands). Both may go on over lines, by a backslash, an open quote or ``<<EOF``.
- All commands run in the order of the page, in one empty folder, with the project's programs on the PATH and as
  ``.venv/bin``. So a log comes from ``stayworth demo`` (``make demo`` runs that): ``demo/orders.csv``, and models
  from ``--tracking-uri sqlite:///demo/mlflow.db``. The demo runs once, however often it is named.
- A command has to end with exit code 0. `NOT_RUN` names the few that are left out. To show one that fails, use
  a block without a language.
- ``stayworth serve …`` runs until the next such command or the end of the page, and what follows waits until it
  is ready. Write its address as ``localhost:3000``: tests use a free port in its place.
- What is shown below a command must be printed by it, line by line and in that order, but for the digits of
  numbers; a line ``...`` or ``…`` stands for any lines, and one at the end of a line for its rest.
- The feature table stands between ``<!-- features -->`` and ``<!-- /features -->``, that of the score's columns
  between ``<!-- scores -->`` and ``<!-- /scores -->``; ``python tests/test_readme.py`` writes both anew.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from features.table.history import feature_catalogue_markdown
from training.model.score_schema import schema_markdown

README = Path(__file__).resolve().parents[1] / "README.md"

NOT_RUN = ("make ", "git clone", "cd ", "sudo ", "apt-get ", "mlflow ui", ".venv/bin/mlflow ui", "docker ")
"""Beginnings of commands that are not run: they install, open a page, or would run the tests in a test."""

DEMO = "stayworth demo"
PORT = 3000
READY_SECONDS = 120


@dataclass
class Command:
    """A command of the README, and what is shown below it."""

    line: int
    text: str
    shown: list[str] = field(default_factory=list)

    @property
    def program(self) -> str:
        """The command as it is run: ``make demo`` installs, and then runs the demo."""
        text = self.text.removeprefix(".venv/bin/")
        return DEMO if text == "make demo" else text


@dataclass
class Ran:
    command: Command
    exit_code: int
    printed: str
    complained: str


def blocks(markdown: str) -> Iterator[tuple[str, int, list[str]]]:
    """Yield language, number of the first line, and lines of every fenced block."""
    lines = markdown.splitlines()
    opened, language, indent = None, "", ""
    for number, line in enumerate(lines, start=1):
        fence = re.fullmatch(r"(\s*)```\s*(\w*).*", line)
        if fence and opened is None:
            opened, indent, language = number, fence[1], fence[2]
        elif fence and opened is not None:
            yield language, opened + 1, [text.removeprefix(indent) for text in lines[opened : number - 1]]
            opened = None


def commands(markdown: str) -> list[Command]:
    """Return the commands of the page in their order.

    >>> page = "```console\\n$ echo a \\\\\\n    b\\na b\\n```\\n```bash\\n# why\\necho 'c\\nd'\\n```"
    >>> for command in commands(page):
    ...     print(repr(command.text), command.shown)
    'echo a \\\\\\n    b' ['a b']
    "echo 'c\\nd'" []
    """
    found: list[Command] = []
    for language, first, lines in blocks(markdown):
        if language not in ("console", "bash"):
            continue
        unfinished = False
        for number, line in enumerate(lines, start=first):
            prompt = line.startswith("$ ")
            if unfinished:
                found[-1].text += "\n" + line
            elif prompt if language == "console" else line.strip() and not line.startswith("#"):
                found.append(Command(number, line.removeprefix("$ ") if prompt else line))
            elif language == "console" and line.strip():
                assert found, f"README.md:{number}: a console block begins with a command, after '$ '"
                found[-1].shown.append(line)
                continue
            else:
                continue
            unfinished = goes_on(found[-1].text)
        assert not unfinished, f"README.md:{found[-1].line}: the command is not finished when the block ends"
    return found


def goes_on(text: str) -> bool:
    """Tell whether a command needs another line."""
    here_document = re.search(r"<<-?\s*['\"]?(\w+)['\"]?", text)
    if here_document:
        return text.splitlines()[-1].strip() != here_document[1]
    if text.endswith("\\"):
        return True
    try:
        shlex.split(text, comments=True)
    except ValueError:  # a quote is open
        return True
    return False


class Shell:
    """Runs the README's commands one after another in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: subprocess.Popen[str] | None = None
        self.demo: Ran | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        programs = Path(sys.executable).parent
        (folder / ".venv").symlink_to(programs.parent)
        (folder / ".curlrc").write_text("fail\n")  # an answer of 400 is a failure
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("STAYWORTH_")},
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "CURL_HOME": str(folder),
            "COLUMNS": "140",
        }

    def run(self, command: Command) -> Ran:
        text = command.text.replace(f"localhost:{PORT}", f"localhost:{self.port}")
        if command.program.startswith("stayworth serve"):
            return self._serve(command)
        if command.program == DEMO:
            self.demo = self.demo or self._call(command, DEMO)
            return Ran(command, self.demo.exit_code, self.demo.printed, self.demo.complained)
        return self._call(command, text)

    def _call(self, command: Command, text: str) -> Ran:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        return Ran(command, done.returncode, done.stdout, done.stderr)

    def _serve(self, command: Command) -> Ran:
        self.stop()
        log = self.folder / "serve.log"
        with log.open("w") as stream:
            self.server = subprocess.Popen(
                [*shlex.split(command.program.rstrip("& ")), "--port", str(self.port)],
                cwd=self.folder,
                env=self.environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
                text=True,
            )
        deadline = time.monotonic() + READY_SECONDS
        while self.server.poll() is None and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5):
                    return Ran(command, 0, log.read_text(), "")
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        return Ran(command, self.server.poll() or 1, "", f"not ready:\n{log.read_text()}")

    def stop(self) -> None:
        if self.server is not None:
            self.server.terminate()
            try:
                self.server.wait(30)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()
            self.server = None


@pytest.fixture(scope="module")
def page() -> list[Command]:
    return commands(README.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def session(page: list[Command], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Ran]]:
    """The README's commands, run in order until one fails."""
    to_run = [command for command in page if not f"{command.program} ".startswith(NOT_RUN)]
    if any("curl " in command.text for command in to_run) and shutil.which("curl") is None:
        reason = "no curl here: install the Debian package curl"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    shell = Shell(tmp_path_factory.mktemp("readme"))
    results: list[Ran] = []
    try:
        for command in to_run:
            results.append(shell.run(command))
            if results[-1].exit_code:
                break
    finally:
        shell.stop()
    yield results


def test_the_readme_shows_the_whole_way(page: list[Command]) -> None:
    text = "\n".join(command.text for command in page)

    missing = [
        step
        for step in (
            "make demo",
            "make test",
            "stayworth train",
            "stayworth score",
            "stayworth serve",
            "curl",
        )
        if step not in text
    ]
    assert missing == []


def test_every_command_of_the_readme_works(session: list[Ran]) -> None:
    failed = [
        f"README.md:{ran.command.line}: {ran.command.text}\n"
        f"exit code {ran.exit_code}\n{ran.printed}{ran.complained}"
        for ran in session
        if ran.exit_code
    ]

    assert not failed, failed[0]


def test_every_command_prints_what_the_readme_shows(session: list[Ran]) -> None:
    differing = [
        f"README.md:{ran.command.line}: {ran.command.text}\n"
        f"not printed: {line}\nbut:\n{ran.printed}{ran.complained}"
        for ran in session
        if (line := first_missing(ran.command.shown, f"{ran.printed}\n{ran.complained}")) is not None
    ]

    assert not differing, differing[0]


def first_missing(shown: list[str], printed: str) -> str | None:
    """Return the first shown line that is not printed where it should be, digits aside.

    >>> first_missing(["AUC 0.84", "...", "in demo/…"], "AUC  0.8\\nand more\\nin demo/scored.csv")
    >>> first_missing(["AUC 0.84", "in demo/…"], "AUC  0.8\\nand more\\nin demo/scored.csv")
    'in demo/…'
    """
    lines = [plain(line) for line in printed.splitlines() if line.strip()]
    place, anywhere = 0, True  # what a block shows may begin anywhere: progress is not shown
    for line in shown:
        if line.strip() in ("...", "…"):
            anywhere = True
            continue
        open_end = line.rstrip().endswith(("...", "…"))
        wanted = plain(line.rstrip().removesuffix("...").removesuffix("…"))
        candidates = range(place, len(lines) if anywhere else min(place + 1, len(lines)))
        place = next(
            (n for n in candidates if (lines[n].startswith(wanted) if open_end else lines[n] == wanted)), -1
        )
        if place < 0:
            return line
        place, anywhere = place + 1, False
    return None


def plain(line: str) -> str:
    """Return a line with one blank for several, and # for the digits of a number.

    >>> plain("  used     69,659")
    'used #'
    """
    return re.sub(r"\s+", " ", re.sub(r"\d[\d,.]*(?<=\d)", "#", line)).strip()


TABLES = {"features": feature_catalogue_markdown, "scores": schema_markdown}


def with_tables(markdown: str) -> str:
    """Return the page with the tables of the code between their markers."""
    for name, table in TABLES.items():
        marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        assert len(marked.findall(markdown)) == 1, (
            f"README.md needs <!-- {name} --> and <!-- /{name} -->, once"
        )
        markdown = marked.sub(lambda marks, table=table: f"{marks[1]}\n{table()}\n\n{marks[2]}", markdown)  # type: ignore[misc]
    return markdown


def test_the_tables_of_the_readme_are_those_of_the_code() -> None:
    markdown = README.read_text(encoding="utf-8")

    assert with_tables(markdown) == markdown, "stale: run python tests/test_readme.py"


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
