"""Temporary folders that only their owner can look into; what a killed run left in one goes at the next run.

A folder is locked while it is in use, and the kernel ends the lock with the process, however that ends. So a folder
without a lock is nobody's.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "stayworth-run-"


@contextmanager
def temporary_folder(prefix: str = PREFIX, parent: Path | None = None) -> Iterator[Path]:
    """Make a folder of mode 0700 that is removed at the end, and remove those that killed runs left.

    Parameters
    ----------
    prefix : str
        Of the folder's name; eight random digits follow. Folders of the same prefix are tidied.
    parent : Path, optional
        By default the system's folder for temporary files.

    Yields
    ------
    pathlib.Path
        It may be renamed or removed meanwhile.

    Raises
    ------
    OSError
        If the folder cannot be made.

    Examples
    --------
    >>> with temporary_folder() as folder:
    ...     oct(folder.stat().st_mode & 0o777)
    '0o700'
    >>> folder.exists()
    False
    """
    parent = parent or Path(tempfile.gettempdir())
    _tidy(parent, prefix)
    folder = parent / f"{prefix}{secrets.token_hex(4)}"
    unlocked = folder.with_name(f"{folder.name}~")  # not found by others until it is locked
    unlocked.mkdir(mode=0o700)
    lock = os.open(unlocked, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # a file system without locks: its folders stay after a kill
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlocked.rename(folder)
        yield folder
    finally:
        os.close(lock)
        for name in (folder, unlocked):
            shutil.rmtree(name, ignore_errors=True)


def _tidy(parent: Path, prefix: str) -> None:
    """Remove the folders of a prefix that are ours and not locked."""
    with suppress(OSError):
        for found in list(os.scandir(parent)):
            if found.name.startswith(prefix) and _is_random(found.name[len(prefix) :]):
                with suppress(OSError):
                    _remove_unlocked(found.path)


def _is_random(digits: str) -> bool:
    return len(digits) == 8 and set(digits) <= set("0123456789abcdef")


def _remove_unlocked(folder: str) -> None:
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(lock).st_uid == os.geteuid():
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
