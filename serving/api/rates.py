"""Counts of requests per key and window, shared by the workers of a service through one small file.

The file is allocated whole when it is made, read and written by plain calls rather than mapped, and locked for the
microseconds of a count: a full disk can neither lose a count nor end a worker. Times are of the monotonic clock, which
all processes of a machine share and nobody sets back.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import struct
import time
from pathlib import Path

from limits import RateLimitItem

SLOTS = 4_096
_SLOT = struct.Struct("<16sdQ")  # whose, the end of the window, requests in it
_TRIED = 8

_log = logging.getLogger("stayworth")


class Rates:
    """Fixed windows: the first request of a name opens one.

    Parameters
    ----------
    path : Path, optional
        Of the file that processes share; without one, or where it cannot be written, a process counts for itself.

    Examples
    --------
    >>> from limits import parse
    >>> rates = Rates()
    >>> [rates.hit("crm-1", parse("2/hour")) > 0 for _ in range(3)], rates.hit("crm-2", parse("2/hour"))
    ([False, False, True], 0.0)
    """

    def __init__(self, path: Path | None = None) -> None:
        self._file = _allocated(path)

    def hit(self, name: str, limit: RateLimitItem) -> float:
        """Count a request of a name; return 0, or if it exceeds the limit the seconds until the window ends."""
        whose = hashlib.sha256(f"{name}\0{limit}".encode()).digest()[:16]
        now = time.monotonic()
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            place, until, count = self._find(whose, now)
            if until <= now:
                until, count = now + limit.get_expiry(), 0
            if count >= limit.amount:
                return until - now
            os.pwrite(self._file, _SLOT.pack(whose, until, count + 1), place)
            return 0.0
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _find(self, whose: bytes, now: float) -> tuple[int, float, int]:
        """Return a name's place, the end of its window and its count; of a new name, the place free soonest."""
        first = int.from_bytes(whose[:4], "little") % SLOTS
        places = [(first + step) % SLOTS * _SLOT.size for step in range(_TRIED)]
        slots = [_SLOT.unpack(os.pread(self._file, _SLOT.size, place)) for place in places]
        for place, (owner, until, count) in zip(places, slots, strict=True):
            if owner == whose and until > now:
                return place, until, count
        return min((until, place) for place, (_, until, _) in zip(places, slots, strict=True))[1], 0.0, 0


def _allocated(path: Path | None) -> int:
    if path is not None:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            os.posix_fallocate(file, 0, SLOTS * _SLOT.size)
            return file
        except OSError as error:
            _log.warning("Each worker counts the requests of a key for itself: %s.", error.strerror)
    file = os.memfd_create("stayworth-rates")
    os.posix_fallocate(file, 0, SLOTS * _SLOT.size)
    return file
