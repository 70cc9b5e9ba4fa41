"""A service over real HTTP, in processes of its own, and what is needed to ask it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from features.log.transactions import TransactionLog
from serving.scorer import Scorer
from serving.store.store import Store

STAYWORTH = Path(sys.executable).with_name("stayworth")


@dataclass
class Server:
    """A running service: how to ask it, what it printed, its process and its store."""

    client: httpx.Client
    output: Path
    process: subprocess.Popen[bytes]
    store: Store

    @property
    def url(self) -> str:
        return str(self.client.base_url)

    def wait_for(self, path: str, status: int, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.output.read_text()
            try:
                if self.client.get(path).status_code == status:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        pytest.fail(f"{path} never answered {status}: {self.output.read_text()}")

    def workers(self) -> list[psutil.Process]:
        """The processes that answer; the parent only watches them."""
        found = []
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error):  # it is ending
                if "_bentoml_impl.worker.service" in child.cmdline():
                    found.append(child)
        return found

    def with_key(self, *, scopes: tuple[str, ...], name: str, **limits: Any) -> httpx.Client:
        """Return a client with a key of its own."""
        key = self.store.keys.add(name, scopes=scopes, **limits)
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=60)


Serve = Callable[..., AbstractContextManager[Server]]


@contextmanager
def running(folder: Path, *flags: str, store: str | None = None) -> Iterator[Server]:
    """Run ``stayworth serve`` in a folder, on a port of its own, until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    output = folder / "output.txt"
    store = store or f"sqlite:///{folder / 'stayworth.db'}"
    own = {name: value for name, value in os.environ.items() if not name.startswith("STAYWORTH_")}
    with (
        output.open("wb") as printed,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        process = subprocess.Popen(
            [STAYWORTH, "serve", "--port", str(port), *flags],
            cwd=folder,
            stdout=printed,
            stderr=subprocess.STDOUT,
            env=own | {"STAYWORTH_STORE": store},
        )
        try:
            yield Server(client, output, process, Store(store))
        finally:
            process.terminate()
            try:
                process.wait(60)
            finally:
                process.kill()


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Run ``stayworth serve`` in a folder: ``with serve(folder, *flags) as server``."""
    return running


@pytest.fixture(scope="session")
def server(
    registry_file: Path, scorer: Scorer, log: TransactionLog, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A service with published scores and keys, in a folder that has packages named as ours; its client has a key."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for name in ("features", "training", "serving"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise ImportError('not this one')")
    store = Store(f"sqlite:///{folder / 'stayworth.db'}")
    store.publish(scorer.score_log(log).scores)
    key = store.keys.add("crm-1", scopes=("score", "lookup"))
    with running(folder, "--tracking-uri", f"sqlite:///{registry_file}") as server:
        server.client.headers["Authorization"] = f"Bearer {key}"
        server.wait_for("/readyz", 200)
        yield server
