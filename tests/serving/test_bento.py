"""The bento: built without a network, served where nothing of the project is installed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import httpx
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
NO_NETWORK = {"PIP_NO_INDEX": "1", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the bento that ``make bento`` builds."""
    build = tmp_path_factory.mktemp("build")
    installed = Path(sys.prefix) / ".installed"
    flags = [f"VENV={sys.prefix}", f"BUILD={build}", "--assume-old", str(installed)]

    subprocess.run(["make", "-C", ROOT, "bento", *flags], env=os.environ | NO_NETWORK, check=True)

    bentos = build / "bentoml" / "bentos" / "stayworth"
    return bentos / (bentos / "latest").read_text().strip()


def pins(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the pinned versions that a requirements file asks for, with their hashes."""
    lines = text.replace("\\\n", "").splitlines()
    wanted = [line.split("--hash=") for line in lines if line and not line.startswith("#")]
    return [(pin.partition(";")[0].strip(), tuple(map(str.strip, hashes))) for pin, *hashes in wanted]


@pytest.fixture
def bare_python(tmp_path: Path) -> list[str]:
    """An interpreter with the libraries of this one, but without stayworth."""
    site = tmp_path / "site"
    site.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "stayworth" not in entry.name and entry.suffix != ".pth":
            (site / entry.name).symlink_to(entry)
    interpreter = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    command = ["env", "-i", f"PATH={os.environ['PATH']}", f"PYTHONPATH={site}", f"HOME={tmp_path}"]
    return [*command, "OMP_NUM_THREADS=1", "BENTOML_DO_NOT_TRACK=true", str(interpreter)]


def test_it_holds_the_three_packages_and_the_lock_and_nothing_else(bento: Path) -> None:
    names = {path.name for path in (bento / "src").iterdir()}

    assert {name for name in names if not name.endswith(".dist-info")} == {
        *("features", "training", "serving"),
        *("requirements.lock", "bentofile.yaml"),
    }
    assert not (bento / "src" / "serving" / "deploy").exists()


def test_it_asks_for_the_locked_versions_from_wherever_pip_looks(bento: Path) -> None:
    packed = pins((bento / "env" / "python" / "requirements.txt").read_text())

    locked = pins((ROOT / "requirements.lock").read_text())
    assert [pin for pin in packed if pin[1]] == locked
    assert {name.partition("==")[0] for name, hashes in packed if not hashes} <= {"bentoml"}  # it adds itself
    assert yaml.safe_load((bento / "bento.yaml").read_text())["service"] == "serving.api.service:service"


def test_it_serves_where_nothing_of_the_project_is_installed(
    bento: Path, bare_python: list[str], registry_file: Path, tmp_path: Path
) -> None:
    absent = subprocess.run([*bare_python, "-c", "import features"], capture_output=True, cwd=tmp_path)
    assert b"No module named 'features'" in absent.stderr
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    serve = ["-m", "bentoml", "serve", str(bento), "--host", "127.0.0.1", "--port", port]
    setting = f"STAYWORTH_TRACKING_URI=sqlite:///{registry_file}"

    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            [*bare_python[:-1], setting, bare_python[-1], *serve], cwd=tmp_path, stdout=output, stderr=output
        )
    try:
        alive, ready = (
            wait_for(f"http://127.0.0.1:{port}/{probe}", process) for probe in ("livez", "readyz")
        )
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)

    assert (alive, ready) == (True, True), (tmp_path / "output").read_text()


def wait_for(address: str, process: subprocess.Popen[bytes]) -> bool:
    """Tell whether an address answers 200 within a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(address).status_code == 200:
                return True
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    return False
