"""Runs whose process was killed: MLflow would show them as RUNNING for ever, so the next run closes them.

A run is tagged with the process that logs it. Closed is only what such a process of this machine left, and only if
it is gone: of a run of another machine or container, or of one before the machine was started anew, nobody here can
tell whether it still runs.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

PROCESS_TAG = "stayworth.process"

_PROC = Path("/proc")


def process_tag() -> dict[str, str]:
    """Return the tag of a run that this process logs; none where the system has no ``/proc``."""
    machine, process = _machine(), _process(os.getpid())
    return {PROCESS_TAG: f"{machine}/{process}"} if machine and process else {}


def close_interrupted(client: MlflowClient, experiment: str) -> None:
    """Mark runs as KILLED whose process was of this machine and is gone."""
    from mlflow.exceptions import MlflowException

    if not (machine := _machine()):
        return
    wanted = f"attributes.status = 'RUNNING' AND tags.`{PROCESS_TAG}` LIKE '{machine}/%'"
    for run in client.search_runs([experiment], wanted):
        process = run.data.tags[PROCESS_TAG].partition("/")[2]
        if _process(int(process.partition(":")[0])) != process:
            with suppress(MlflowException):  # another training was faster, or it was deleted
                client.set_terminated(run.info.run_id, "KILLED")


def _machine() -> str:
    """Return what tells this start of this machine, and this container, from all others; nothing if not known."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        container = os.readlink(_PROC / "self/ns/pid")  # within which process ids are unique
    except OSError:
        return ""
    return hashlib.sha256(f"{boot} {container}".encode()).hexdigest()[:16]


def _process(pid: int) -> str:
    """Return a process's id and, as ids are used again, when it began; nothing if it is gone."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return ""
    state, *numbers = stat.rpartition(")")[2].split()  # behind the program's name, which may be anything
    return "" if state in "ZX" else f"{pid}:{numbers[18]}"  # ended, though nobody has taken note
