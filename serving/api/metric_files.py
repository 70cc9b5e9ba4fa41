"""Prometheus's files of counts, which workers share, made so that a full disk cannot end a worker.

prometheus_client maps files that it has not allocated: a write to one on a full disk ends the process with SIGBUS, and
its successors likewise. Here a file is allocated before it is mapped. Where there is no room for it, a worker keeps its
counts to itself.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from secrets import token_hex

from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
FILE_BYTES = 2**17
"""Of each of a worker's two files: enough for every route, status and bucket."""

_log = logging.getLogger("stayworth")


class Allocated(MmapedDict):
    """A dict in a file whose every byte has its place on the disk.

    Raises
    ------
    OSError
        If the disk is full, here and where a new key makes the file grow.
    """

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        if not read_mode:
            with open(filename, "a+b") as file:
                os.posix_fallocate(file.fileno(), 0, FILE_BYTES)
        super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]

    def _init_value(self, key: str) -> None:
        if self._used + len(key.encode()) + 32 > self._capacity:
            os.posix_fallocate(self._f.fileno(), 0, 2 * self._capacity)
        super()._init_value(key)  # type: ignore[no-untyped-call]


def share_safely() -> None:
    """Have prometheus_client allocate its files; where the disk is full, have it keep counts in memory.

    To be called before the first metric is made.
    """
    folder = os.environ.get(FOLDER)
    if folder is None:
        return
    try:
        _require_room(Path(folder))
    except OSError as error:
        del os.environ[FOLDER]
        values.ValueClass = values.MutexValue
        _log.error("This worker's metrics are its own: %s: %s.", folder, error.strerror)
    else:
        values.MmapedDict = Allocated  # type: ignore[attr-defined]


def _require_room(folder: Path) -> None:
    """Raise an OSError if the disk has no room for a worker's files."""
    probe = folder / f"probe-{token_hex(4)}"
    try:
        with probe.open("xb") as file:
            os.posix_fallocate(file.fileno(), 0, 4 * FILE_BYTES)
    finally:
        probe.unlink(missing_ok=True)
