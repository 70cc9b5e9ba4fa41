"""The client's own wheel: installed alone, it asks a service, and nothing that scores comes with it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CLIENT = Path(__file__).resolve().parents[3] / "serving" / "client"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
ALONE = ["--no-index", "--no-deps"]


def needed(requirements: list[str]) -> set[str]:
    """Return the names of the distributions that requirements ask for, and these in turn."""
    found, waiting = set[str](), [Requirement(line) for line in requirements]
    while waiting:
        wanted = waiting.pop()
        if wanted.name not in found and (not wanted.marker or wanted.marker.evaluate({"extra": ""})):
            found.add(wanted.name)
            waiting += map(Requirement, distribution(wanted.name).requires or [])
    return found


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment: the client's wheel, and what its metadata asks for."""
    folder = tmp_path_factory.mktemp("client")
    subprocess.run([*PIP, "wheel", *ALONE, "--no-build-isolation", "-w", folder, CLIENT], check=True)
    [wheel] = folder.glob("stayworth_client-*.whl")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    interpreter = folder / "venv" / "bin" / "python"
    subprocess.run([*PIP, "--python", interpreter, "install", *ALONE, wheel], check=True)
    [site] = (folder / "venv" / "lib").glob("python*/site-packages")
    [metadata] = site.glob("stayworth_client-*.dist-info/METADATA")
    lines = metadata.read_text().splitlines()
    for name in needed([line.partition(": ")[2] for line in lines if line.startswith("Requires-Dist")]):
        for top in {file.parts[0] for file in distribution(name).files or [] if file.parts[0] != ".."}:
            if not (site / top).exists():
                (site / top).symlink_to(str(distribution(name).locate_file(top)))
    return interpreter


@pytest.fixture
def address() -> Iterator[str]:
    """A service that knows one customer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            about = {
                "model_version": "3",
                "snapshot_date": "1998-07-01",
                "published_at": "1998-07-01T05:00:00Z",
            }
            answer = json.dumps(
                {**about, "scores": [{"customer_id": "0042", "value_at_risk": 1.5}], "unknown": []}
            )
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, format: str, *args: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def run(python: Path, program: str) -> str:
    done = subprocess.run([python, "-I", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_asks_a_service(python: Path, address: str) -> None:
    program = f"""
from serving.client import StayworthClient
with StayworthClient({address!r}) as client:
    answer = client.lookup(["0042"])
print(answer.scores[0]["value_at_risk"], answer.source.model_version)
"""

    assert run(python, program).split() == ["1.5", "3"]


def test_its_environment_has_httpx_and_stamina_and_little_else(python: Path) -> None:
    names = run(
        python,
        "from importlib.metadata import distributions\nfor d in distributions(): print(d.name.lower())",
    ).split()

    assert {"stayworth-client", "httpx", "stamina"} <= set(names)
    assert len(names) <= 11
    assert not {"stayworth", "pandas", "numpy", "pydantic", "pyarrow", "lightgbm"} & set(names)


def test_it_has_the_version_of_the_project(python: Path) -> None:
    version = run(
        python, "from importlib.metadata import version; print(version('stayworth-client'))"
    ).strip()

    assert version == distribution("stayworth").version
