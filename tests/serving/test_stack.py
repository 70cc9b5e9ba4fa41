"""What the compose file describes, as processes on this machine: PostgreSQL, an MLflow server, the service."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
import yaml
from sqlalchemy.engine import make_url

from features.files import write_csv
from serving.client import StayworthClient

DEPLOY = Path(__file__).resolve().parents[2] / "serving" / "deploy"
SERVICES: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
PASSWORDS = {"MLFLOW_DB_PASSWORD": "abc123", "SCORES_DB_PASSWORD": "def456"}

pytestmark = pytest.mark.soak


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


class Stack:
    """The compose file's commands and variables, with this machine's ports and folders in them."""

    def __init__(self, folder: Path, postgres_uri: str) -> None:
        server = make_url(postgres_uri)
        self.folder, self.mlflow, self.service = folder, free_port(), free_port()
        self._here = {
            "@database/": f"@127.0.0.1:{server.port}/",
            "//mlflow:5000": f"//127.0.0.1:{self.mlflow}",
            "5000": self.mlflow,
            "3000": self.service,
            "0.0.0.0": "127.0.0.1",
            "/var/lib/stayworth": str(folder),
        }
        told = {"PGHOST": str(server.host), "PGPORT": str(server.port), "PGPASSWORD": str(server.password)}
        told |= {"POSTGRES_USER": str(server.username)}
        subprocess.run([DEPLOY / "databases.sh"], env=os.environ | told | PASSWORDS, check=True)

    def here(self, text: str) -> str:
        text = re.sub(r"\$\{(\w+):\?[^}]*\}", lambda found: PASSWORDS[found[1]], text)
        for there, here in self._here.items():
            text = text.replace(there, here)
        return text

    def environment(self, name: str) -> dict[str, str]:
        programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        said = {key: self.here(text) for key, text in SERVICES[name]["environment"].items()}
        return os.environ | said | {"PATH": programs}

    @contextmanager
    def up(self, name: str, program: str, address: str) -> Iterator[None]:
        """Run a service of the file until the end of the block."""
        output = self.folder / f"{name}.txt"
        with output.open("wb") as printed:
            process = subprocess.Popen(
                [program, *map(self.here, SERVICES[name]["command"])],
                **{"cwd": self.folder, "env": self.environment(name), "stdout": printed, "stderr": printed},
            )
        try:
            wait_until(lambda: httpx.get(address).status_code == 200, output)
            yield
        finally:
            process.terminate()
            process.wait(60)

    def run(self, *arguments: str) -> str:
        """Run a stayworth command, as ``stack run --rm service`` would."""
        command, environment = ["stayworth", *arguments], self.environment("service")
        return subprocess.run(
            command, cwd=self.folder, env=environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout


def wait_until(answered: Callable[[], bool], output: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if answered():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail(output.read_text())


def test_an_empty_stack_becomes_one_that_answers_by_the_steps_of_its_comment(
    postgres_uri: str, orders: pa.Table, tmp_path: Path
) -> None:
    write_csv(orders.select(["customer_id", "ordered_at", "amount"]), tmp_path / "orders.csv")
    stack = Stack(tmp_path, postgres_uri)
    mlflow, address = f"http://127.0.0.1:{stack.mlflow}", f"http://127.0.0.1:{stack.service}"
    log = ("--transactions", "orders.csv")

    with (
        stack.up("mlflow", "mlflow", f"{mlflow}/health"),
        stack.up("service", "stayworth", f"{address}/livez"),
    ):
        inside = {"Host": f"mlflow:{stack.mlflow}"}
        found = httpx.get(f"{mlflow}/api/2.0/mlflow/registered-models/search", headers=inside)
        assert found.status_code == 200, found.text

        stack.run("train", *log, "--promote", "--snapshots", "2", "--horizon-days", "90", "--threads", "1")
        stack.run("score", *log, "--publish")
        key = stack.run("keys", "add", "crm-1").split()[-1]

        with StayworthClient(address, key) as client:
            wait_until(client.ready, tmp_path / "service.txt")
            answer = client.lookup(["0001", "nobody"])
            assert [score["customer_id"] for score in answer.scores] + answer.unknown == ["0001", "nobody"]
            assert answer.source.model_version == client.model()["model_version"] == "1"
    assert list((tmp_path / "models").rglob("booster.txt"))
