"""The compose file: well formed, without a password, and saying nothing that the programs do not know."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import click
import psycopg
import pytest
import typer
import yaml
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import make_url

from serving.cli import app

DEPLOY = Path(__file__).resolve().parents[2] / "serving" / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
CONTENT: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
STAYWORTH = typer.main.get_command(app)
SECRETS = ("POSTGRES_PASSWORD", "MLFLOW_DB_PASSWORD", "SCORES_DB_PASSWORD")

Duration = Annotated[str, Field(pattern=r"^[1-9]\d*(s|m)$")]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Build(_Strict):
    context: str
    dockerfile: str


class Healthcheck(_Strict):
    test: Annotated[list[str], Field(min_length=2)]
    interval: Duration
    timeout: Duration
    retries: int
    start_period: Duration


class Dependency(_Strict):
    condition: Literal["service_healthy"]


class Service(_Strict):
    """The part of the Compose Specification that the file uses."""

    image: Annotated[str, Field(pattern=r"^[a-z]+:\d+\.\d+")]
    build: Build | None = None
    restart: Literal["unless-stopped"]
    init: bool = False
    read_only: bool = False
    tmpfs: list[str] = []
    cap_drop: list[str] = []
    security_opt: list[str] = []
    entrypoint: list[str] | None = None
    command: list[str] | None = None
    environment: dict[str, str] = {}
    ports: list[Annotated[str, Field(pattern=r"^127\.0\.0\.1:\d+:\d+$")]] = []
    volumes: list[Annotated[str, Field(pattern=r"^[^:]+:/[^:]+(:ro)?$")]] = []
    depends_on: dict[str, Dependency] = {}
    healthcheck: Healthcheck
    stop_grace_period: Duration | None = None


class Compose(_Strict):
    name: str
    ours: Annotated[dict[str, Any], Field(alias="x-ours")]
    services: dict[str, Service]
    volumes: dict[str, None]


def commands() -> Iterator[list[str]]:
    """Yield the stayworth commands of the file: the service's, and those that its comments tell to run."""
    yield CONTENT["services"]["service"]["command"]
    for line in re.findall(r"^#\s+stack run --rm (.*)$", COMPOSE.read_text(), re.MULTILINE):
        words = shlex.split(line)
        yield words[words.index("service") + 1 :]


def variables(command: click.Command) -> set[str]:
    """Return the environment variables that a command and its subcommands read."""
    found = {str(option.envvar) for option in command.params if option.envvar}
    for inner in getattr(command, "commands", {}).values():
        found |= variables(inner)
    return found


def test_it_has_the_structure_that_compose_expects() -> None:
    compose = Compose.model_validate(CONTENT)

    for service in compose.services.values():
        assert set(service.depends_on) <= set(compose.services)
        named = {volume.partition(":")[0] for volume in service.volumes}
        assert {name for name in named if not name.startswith("./")} <= set(compose.volumes)
        assert all((DEPLOY / name).is_file() for name in named if name.startswith("./"))
        if service.build:
            assert (DEPLOY / service.build.context / service.build.dockerfile).is_file()


def test_compose_itself_can_read_it() -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True).returncode:
        pytest.skip("no docker compose here")

    read = subprocess.run(
        [docker, "compose", "-f", COMPOSE, "config", "--quiet"],
        env=os.environ | dict.fromkeys(SECRETS, "x"),
        capture_output=True,
        text=True,
    )

    assert read.returncode == 0, read.stderr


def test_it_holds_no_password_and_no_default_for_one() -> None:
    used = re.findall(r"\$\{(\w+)([^}]*)\}", COMPOSE.read_text())

    assert {name for name, _ in used} == set(SECRETS)
    assert all(rest.startswith(":?") for _, rest in used)
    assert re.findall(r"://\w+:[^$]", COMPOSE.read_text()) == []


def test_every_command_in_it_exists_with_its_flags() -> None:
    found = list(commands())

    assert [command[0] for command in found] == ["serve", "train", "score", "keys"]
    for words in found:
        command: Any = STAYWORTH
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        known = {flag for option in command.params for flag in option.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_every_variable_in_it_is_read() -> None:
    given = {name for name in CONTENT["services"]["service"]["environment"] if name.startswith("STAYWORTH_")}

    assert given <= variables(STAYWORTH)


def test_the_image_runs_what_the_project_needs_and_is_nobody() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    users = re.findall(r"^USER (\w+)", dockerfile, re.MULTILINE)

    assert users == ["stayworth"]
    assert 'ENTRYPOINT ["stayworth"]' in dockerfile
    assert "--constraint requirements.lock" in dockerfile


def test_the_two_databases_are_made_and_their_owners_are_kept_apart(postgres_uri: str) -> None:
    server = make_url(postgres_uri)
    passwords = {"mlflow": "it's m\\l", "scores": "$(s) t"}
    told = {f"{name.upper()}_DB_PASSWORD": password for name, password in passwords.items()}
    told |= {"PGHOST": str(server.host), "PGPORT": str(server.port), "PGPASSWORD": str(server.password)}

    subprocess.run(
        [DEPLOY / "databases.sh"], env=os.environ | told | {"POSTGRES_USER": str(server.username)}, check=True
    )

    def owner_of(database: str, user: str) -> str:
        with psycopg.connect(
            host=server.host, port=server.port, dbname=database, user=user, password=passwords[user]
        ) as connection:
            owner = connection.execute(
                "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
            ).fetchone()
        return str(owner and owner[0])

    assert [owner_of(name, name) for name in passwords] == ["mlflow", "scores"]
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        owner_of("mlflow", "scores")
