"""``stayworth users`` and ``stayworth workbench``: who may come in, and when it does not open at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from serving.cli import app
from serving.store.store import Store


def stayworth(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=typed)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STAYWORTH_STORE", raising=False)
    return tmp_path


def test_users_are_added_listed_and_removed() -> None:
    added = stayworth("users", "add", "sara", "--role", "campaign", typed="correct horse battery\n")
    listed = json.loads(stayworth("users", "list", "--json").stdout)
    removed = stayworth("users", "remove", "sara")

    assert added.stdout == "sara may sign in now, with the role campaign.\n"
    assert [(user["name"], user["role"]) for user in listed] == [("sara", "campaign")]
    assert removed.stdout == "sara is removed.\n"
    assert "There is no user" in stayworth("users", "list").stdout


def test_the_password_is_the_whole_line_and_is_not_repeated() -> None:
    added = stayworth("users", "add", "sara", typed=" with spaces around \n")

    assert "spaces" not in added.output
    assert Store("sqlite:///stayworth.db").users.named("sara", " with spaces around ") is not None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["--host", "0.0.0.0"],
            "0.0.0.0 can be reached from elsewhere, and there are no users who could sign in",
        ),
        (["--certificate", "cert.pem"], "--certificate and --private-key go together"),
        (["--host", "256.0.0.1"], "256.0.0.1:3100 cannot be listened on"),
    ],
)
def test_it_says_why_it_does_not_open(arguments: list[str], complaint: str, here: Path) -> None:
    result = stayworth("workbench", *arguments)

    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.split())
    assert list(here.iterdir()) == []
