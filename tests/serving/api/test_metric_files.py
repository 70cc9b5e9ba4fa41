"""A full disk costs metrics, and never a worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

COUNTING = """
import sys
from pathlib import Path
from serving.api import metrics
if "late" in sys.argv:  # the disk fills up while the worker runs
    filling = Path(sys.argv[1], "filling")
    with filling.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
for number in range(20_000):
    metrics.count_request(f"/route-{number % 2_000}", 200, 0.001)
    metrics.count_scores(["vip"], [0.5])
print("alive")
"""


def counted(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", COUNTING, str(folder), *arguments],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        capture_output=True,
        text=True,
    )


def test_a_disk_that_is_full_or_fills_up_does_not_end_a_worker(small_disk: Path) -> None:
    filling = counted(small_disk, "late")
    full = counted(small_disk)

    assert (filling.returncode, filling.stdout) == (0, "alive\n"), filling.stderr
    assert (full.returncode, full.stdout) == (0, "alive\n"), full.stderr
    assert "This worker's metrics are its own" in full.stderr
