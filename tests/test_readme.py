"""README and docs are true: their commands run and print what is shown, their tables are the code's.

Conventions for these pages:

- A command stands in a block fenced as ``console`` (after ``$ ``, what follows is what it prints) or ``bash``
  (the whole block is commands). Both may go on over lines, by a backslash, an open quote or ``<<EOF``.
- All commands run in the order of `PAGES` and of each page, in one empty folder, with the project's programs on
  the PATH and as ``.venv/bin``. ``export NAME=value`` holds for all commands after it. So a log comes from
  ``stayworth demo`` (``make demo`` runs that): ``demo/orders.csv``, and models from ``demo/mlflow.db``. The demo
  runs once, however often it is named.
- A command has to end with exit code 0. `NOT_RUN` names the few that are left out. To show one that fails, use
  a block without a language.
- ``stayworth serve …`` runs until the next such command or the end of all pages, and what follows waits until it
  is ready. Write its address as ``localhost:3000``: tests use a free port in its place.
- What is shown below a command must be printed by it, line by line and in that order, but for the digits of
  numbers; a line ``...`` or ``…`` stands for any lines, and one at the end of a line for its rest.
- The feature table stands between ``<!-- features -->`` and ``<!-- /features -->``, that of behaviour beyond orders
  between ``<!-- behaviour -->`` and ``<!-- /behaviour -->``, that of baskets between ``<!-- baskets -->`` and
  ``<!-- /baskets -->``, that of the score's columns
  between ``<!-- scores -->`` and ``<!-- /scores -->``, that of a report's columns between ``<!-- economics -->`` and
  ``<!-- /economics -->``; ``python tests/test_readme.py`` writes them again.
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

from features.behaviour.catalogue import behaviour_catalogue_markdown
from features.economics.catalogue import catalogue_markdown
from features.table.baskets import basket_catalogue_markdown
from features.table.history import feature_catalogue_markdown
from training.model.score_schema import schema_markdown

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = (
    "README.md",
    "docs/log.md",
    "docs/training.md",
    "docs/service.md",
    "docs/campaigns.md",
    "docs/economics.md",
    "docs/measured.md",
)
LONGEST_README = 200  # lines

NOT_RUN = ("make ", "git clone", "cd ", "sudo ", "apt-get ", "mlflow ui", ".venv/bin/mlflow ui", "docker ")
"""Beginnings of commands that are not run: they install, open a page, or would run the tests in a test."""

DEMO = "stayworth demo"
PORT = 3000
READY_SECONDS = 120


@dataclass
class Command:
    """A command of a page, and what is shown below it."""

    page: str
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


def commands(markdown: str, page: str = "README.md") -> list[Command]:
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
                found.append(Command(page, number, line.removeprefix("$ ") if prompt else line))
            elif language == "console" and line.strip():
                assert found, f"{page}:{number}: a console block begins with a command, after '$ '"
                found[-1].shown.append(line)
                continue
            else:
                continue
            unfinished = goes_on(found[-1].text)
        assert not unfinished, f"{page}:{found[-1].line}: the command is not finished when the block ends"
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
    """Runs the pages' commands one after another in one folder."""

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
        if exported := re.fullmatch(r"export (\w+)=(\S+)", text):
            self.environment[exported[1]] = exported[2]
            return Ran(command, 0, "", "")
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
def pages() -> list[Command]:
    """The commands of all pages, in their order."""
    return [
        command for page in PAGES for command in commands((ROOT / page).read_text(encoding="utf-8"), page)
    ]


@pytest.fixture(scope="module")
def session(pages: list[Command], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Ran]]:
    """The pages' commands, run in order until one fails."""
    to_run = [command for command in pages if not f"{command.program} ".startswith(NOT_RUN)]
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


def test_the_readme_shows_the_whole_way(pages: list[Command]) -> None:
    text = "\n".join(command.text for command in pages if command.page == "README.md")

    missing = [
        step
        for step in (
            "make demo",
            "make test",
            "source .venv/bin/activate",
            "export STAYWORTH_TRACKING_URI",
            "stayworth train",
            "stayworth score",
            "stayworth serve",
            "curl",
            "stayworth plan",
        )
        if step not in text
    ]
    assert missing == []


def test_every_command_of_the_pages_works(session: list[Ran]) -> None:
    failed = [
        f"{ran.command.page}:{ran.command.line}: {ran.command.text}\n"
        f"exit code {ran.exit_code}\n{ran.printed}{ran.complained}"
        for ran in session
        if ran.exit_code
    ]

    assert not failed, failed[0]


def test_every_command_prints_what_the_pages_show(session: list[Ran]) -> None:
    differing = [
        f"{ran.command.page}:{ran.command.line}: {ran.command.text}\n"
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


TABLES = {
    "features": (ROOT / "docs" / "features.md", feature_catalogue_markdown),
    "behaviour": (ROOT / "docs" / "features.md", behaviour_catalogue_markdown),
    "baskets": (ROOT / "docs" / "features.md", basket_catalogue_markdown),
    "scores": (ROOT / "docs" / "scores.md", schema_markdown),
    "economics": (ROOT / "docs" / "economics.md", catalogue_markdown),
}


def with_table(markdown: str, name: str, table: str) -> str:
    """Return the page with a table of the code between its markers."""
    before, start, rest = markdown.partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- /{name} -->")
    assert start and end, f"needs <!-- {name} --> and <!-- /{name} -->"
    return f"{before}{start}\n{table}\n\n{end}{after}"


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_documentation_is_that_of_the_code(name: str) -> None:
    page, table = TABLES[name]
    markdown = page.read_text(encoding="utf-8")

    assert with_table(markdown, name, table()) == markdown, "stale: run python tests/test_readme.py"


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    text = README.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= LONGEST_README
    linked = set(re.findall(r"\]\((docs/[^)#]+)\)", text))
    assert linked == {page.relative_to(ROOT).as_posix() for page in ROOT.glob("docs/*.md")}


if __name__ == "__main__":
    for name, (page, table) in TABLES.items():
        page.write_text(with_table(page.read_text(encoding="utf-8"), name, table()), encoding="utf-8")
