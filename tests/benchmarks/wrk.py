"""A server in a process of its own, and wrk asking it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

PROGRAMS = Path(sys.executable).parent

# Sends the bodies of a file in turn; ends with one line of JSON, times in microseconds.
SCRIPT = """
local bodies, at = {{}}, 0
for line in io.lines("{bodies}") do bodies[#bodies + 1] = line end
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer {key}"
function request()
  at = at % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[at])
end
function done(summary, latency)
  local e, all = summary.errors, math.max(summary.requests, 1)
  -- Of those that were answered no more than 1% took longer, even if all that took longer were answered.
  local p99 = latency:percentile(100 - (all - e.status) / all)
  io.write(string.format('\\n{{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "failed": %d, ' ..
    '"refused": %d}}\\n', summary.requests, summary.duration, latency:percentile(50), p99,
    e.connect + e.read + e.write + e.timeout, e.status))
end
"""


@dataclass(frozen=True)
class Run:
    """What wrk saw of one server, at so many connections; refused requests are not counted."""

    what: str
    connections: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float


def tell(command: Sequence[str | Path]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


@contextmanager
def serving(
    folder: Path,
    what: str,
    command: Sequence[str | Path],
    ready: str,
    environment: dict[str, str] | None = None,
) -> Iterator[tuple[str, psutil.Process]]:
    """Run a server on a free port, from when it answers until the end of the block."""
    print(f"{what} …", file=sys.stderr)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    alike = {
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",  # where MLflow looks for uvicorn
    }
    with (folder / "output").open("wb") as output:
        process = psutil.Popen(
            [*map(str, command), port],
            cwd=folder,
            env=os.environ | alike | (environment or {}),
            stdout=output,
            stderr=output,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _await(url + ready, process, folder / "output")
        yield url, process
    finally:
        process.terminate()
        process.wait(30)


def _await(address: str, process: psutil.Process, output: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"{address} never answered 200:\n{output.read_text()[-3000:]}")


@dataclass(frozen=True)
class Wrk:
    """wrk, and the server that it asks."""

    folder: Path
    server: psutil.Process
    seconds: int
    key: str = "none"

    def ask(
        self, what: str, url: str, bodies: Path, connections: int, *, may_be_refused: bool = False
    ) -> Run:
        """Warm up, then measure."""
        script = self.folder / "wrk.lua"
        script.write_text(SCRIPT.format(bodies=bodies, key=self.key))
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        first = httpx.post(url, content=bodies.read_text().splitlines()[0], headers=headers, timeout=60)
        if first.status_code != 200:
            raise SystemExit(f"{what}: {first.status_code} {first.text[:500]}")
        command: list[str | Path] = ["wrk", "-t1", f"-c{connections}", "--timeout", "60s", "-s", script, url]
        tell([*command, "-d1s"])
        before = self._cpu_seconds()
        told = json.loads(tell([*command, f"-d{self.seconds}s"]).splitlines()[-1])
        spent = self._cpu_seconds() - before
        refused, answered = told["refused"], told["requests"] - told["refused"]
        if told["failed"] or not answered or (refused and not may_be_refused):
            raise SystemExit(f"{what}: {told['failed'] + refused} of {told['requests']} requests failed.")
        return Run(
            what,
            connections,
            answered / told["microseconds"] * 1e6,
            told["p50"] / 1e3,
            told["p99"] / 1e3,
            1e3 * spent / answered,
        )

    def _cpu_seconds(self) -> float:
        processes = [self.server, *self.server.children(recursive=True)]
        return sum(times.user + times.system for times in (process.cpu_times() for process in processes))
