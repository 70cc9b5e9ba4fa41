"""The compose file: well formed, without a password, in words that the programs know; run without containers."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import psycopg
import pyarrow as pa
import pytest
import typer
import yaml
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import URL, make_url

from features.table_files import write_csv
from serving.cli import app
from serving.client.http_client import StayworthClient

DEPLOY = Path(__file__).resolve().parents[2] / "serving" / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
CONTENT: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
STAYWORTH = typer.main.get_command(app)
PASSWORDS = {"POSTGRES_PASSWORD": "a1", "MLFLOW_DB_PASSWORD": "b2", "SCORES_DB_PASSWORD": "c3"}

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
    ours: Annotated[dict[str, Any], Field(alias="x-ours")]
    services: dict[str, Service]
    volumes: dict[str, None]


def commands() -> Iterator[list[str]]:
    """Yield the stayworth commands of the file: the service's, and those that its comments tell to run."""
    yield list(CONTENT["services"]["service"]["command"])
    for line in re.findall(r"^#\s+stack run --rm (.*)$", COMPOSE.read_text(), re.MULTILINE):
        words = shlex.split(line)
        yield words[words.index("service") + 1 :]


def variables(command: Any) -> set[str]:
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
    docker, alone = shutil.which("docker"), shutil.which("docker-compose")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True).returncode == 0:
        compose = [docker, "compose"]
    elif alone:
        compose = [alone]
    else:
        reason = "no docker compose here: install the Debian package docker-compose"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)

    read = subprocess.run(
        [*compose, "-f", COMPOSE, "config", "--quiet"],
        env=os.environ | PASSWORDS,
        capture_output=True,
        text=True,
    )

    assert read.returncode == 0, read.stderr


def test_it_holds_no_password_and_no_default_for_one() -> None:
    said = re.sub(r"^#.*$", "", COMPOSE.read_text(), flags=re.MULTILINE)
    used = re.findall(r"\$\{(\w+)([^}]*)\}", said)

    assert {name for name, _ in used} == set(PASSWORDS)
    assert all(rest.startswith(":?") for _, rest in used)
    assert re.findall(r"://\w+:[^$@/]+@", said) == []


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
    locks = re.findall(r"--require-hashes --requirement (\S+)", dockerfile)
    assert locks == ["requirements.lock", "serving/deploy/requirements-build.lock"]
    assert dockerfile.count("pip install") - dockerfile.count("--no-deps /tmp/wheel") == len(locks)


@pytest.fixture(scope="module")
def database_server(postgres_uri: str) -> URL:
    """A server on which the init script has run."""
    server = make_url(postgres_uri)
    told = {"PGHOST": str(server.host), "PGPORT": str(server.port), "PGPASSWORD": str(server.password)}
    told |= {"POSTGRES_USER": str(server.username)}
    subprocess.run([DEPLOY / "databases.sh"], env=os.environ | told | PASSWORDS, check=True)
    return server


def test_the_two_databases_are_made_and_their_owners_are_kept_apart(database_server: URL) -> None:
    def owner_of(database: str, user: str) -> str:
        password = PASSWORDS[f"{user.upper()}_DB_PASSWORD"]
        server: dict[str, Any] = {"host": database_server.host, "port": database_server.port}
        with psycopg.connect(**server, dbname=database, user=user, password=password) as connection:
            owner = connection.execute(
                "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
            ).fetchone()
        return str(owner and owner[0])

    assert [owner_of(name, name) for name in ("mlflow", "scores")] == ["mlflow", "scores"]
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        owner_of("mlflow", "scores")


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


class Stack:
    """The compose file's commands and variables, with this machine's ports and folders in them."""

    def __init__(self, folder: Path, server: URL) -> None:
        self.folder, self.mlflow, self.service = folder, free_port(), free_port()
        self._here = {
            "@database/": f"@127.0.0.1:{server.port}/",
            "//mlflow:5000": f"//127.0.0.1:{self.mlflow}",
            "5000": self.mlflow,
            "3000": self.service,
            "0.0.0.0": "127.0.0.1",
            "/var/lib/stayworth": str(folder),
        }

    def here(self, text: str) -> str:
        text = re.sub(r"\$\{(\w+):\?[^}]*\}", lambda found: PASSWORDS[found[1]], text)
        for there, here in self._here.items():
            text = text.replace(there, here)
        return text

    def environment(self, name: str) -> dict[str, str]:
        programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        said = {key: self.here(text) for key, text in CONTENT["services"][name]["environment"].items()}
        return os.environ | said | {"PATH": programs}

    @contextmanager
    def up(self, name: str, program: str, address: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a service of the file until the end of the block."""
        output = self.folder / f"{name}.txt"
        with output.open("wb") as printed:
            process = subprocess.Popen(
                [program, *map(self.here, CONTENT["services"][name]["command"])],
                cwd=self.folder,
                env=self.environment(name),
                stdout=printed,
                stderr=printed,
            )
        try:
            wait_until(lambda: httpx.get(address).status_code == 200, process, output)
            yield process
        finally:
            process.terminate()
            process.wait(60)

    def run(self, *arguments: str) -> str:
        """Run a stayworth command, as ``stack run --rm service`` would."""
        command, environment = ["stayworth", *arguments], self.environment("service")
        return subprocess.run(
            command, cwd=self.folder, env=environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout


def wait_until(answered: Callable[[], bool], process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if answered():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail(output.read_text())


@pytest.mark.soak
def test_an_empty_stack_becomes_one_that_answers_by_the_steps_of_its_comment(
    database_server: URL, orders: pa.Table, tmp_path: Path
) -> None:
    write_csv(orders.select(["customer_id", "ordered_at", "amount"]), tmp_path / "orders.csv")
    stack = Stack(tmp_path, database_server)
    mlflow, address = f"http://127.0.0.1:{stack.mlflow}", f"http://127.0.0.1:{stack.service}"
    log = ("--transactions", "orders.csv")

    with (
        stack.up("mlflow", "mlflow", f"{mlflow}/health"),
        stack.up("service", "stayworth", f"{address}/livez") as service,
    ):
        inside = {"Host": f"mlflow:{stack.mlflow}"}
        found = httpx.get(f"{mlflow}/api/2.0/mlflow/registered-models/search", headers=inside)
        assert found.status_code == 200, found.text

        stack.run("train", *log, "--promote", "--snapshots", "2", "--horizon-days", "90", "--threads", "1")
        stack.run("score", *log, "--publish")
        key = stack.run("keys", "add", "crm-1").split()[-1]

        with StayworthClient(address, key) as client:
            wait_until(client.ready, service, tmp_path / "service.txt")
            answer = client.lookup(["0001", "nobody"])
            assert [score["customer_id"] for score in answer.scores] + answer.unknown == ["0001", "nobody"]
            assert answer.source.model_version == client.model()["model_version"] == "1"
    assert list((tmp_path / "models").rglob("booster.txt"))
