"""A lock that only one process of a user holds at a time, and that ends with the process, however that ends."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import StayworthError


@contextmanager
def only_one(of: str, busy: str) -> Iterator[None]:
    """Hold the lock of something; among the processes of this machine that share its folder of temporary files.

    Parameters
    ----------
    of : str, what is locked, such as an address; it is not shown
    busy : str, the error where another process has it

    Raises
    ------
    StayworthError
        If another process has it.

    Examples
    --------
    >>> with only_one("sqlite:///mlflow.db", "Another run is at work."):
    ...     pass
    """
    digest = hashlib.sha256(of.encode()).hexdigest()[:12]
    path = Path(tempfile.gettempdir()) / f"stayworth-{os.getuid()}-{digest}.lock"
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StayworthError(busy) from None
        yield
    finally:
        os.close(lock)
