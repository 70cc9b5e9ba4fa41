"""Memory and disk of the engines: how much of the one they take, and where on the other they spill.

The memory limit is the whole process's: the log that is read, what the engines keep of it, models and scores. When an
engine opens, it gets most of what is left of it; what does not fit into that is written to a temporary folder.
"""

from __future__ import annotations

import atexit
import errno
import os
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from features.errors import StayworthError
from features.language import translated
from features.log.findings import WARNING
from features.memory import allowed_bytes, bytes_of, held_bytes
from features.temporary import temporary_folder

_SHARE = 0.6  # of what the process may use
_OF_THE_REST = 0.6  # of what is left of the limit: scores and what models are fitted on lie beside it
_LEAST = 0.4  # of the limit, where the log alone takes more than the rest
_ROW_BYTES = 80  # of three columns, with ids of ten letters; longer ones take more
_DISK = (
    "failed to offload",
    "max_temp_directory_size",
    "No space left",
    os.strerror(errno.EDQUOT),
)


@dataclass(frozen=True)
class Resources:
    """What a process may use.

    Parameters
    ----------
    memory : int, bytes
    folder : Path or None
        In which they spill; None for the system's folder of temporary files.
    """

    memory: int
    folder: Path | None = None

    def in_words(self) -> str:
        """Say how much memory that is."""
        return f"{self.memory / 1e9:.3g}GB"


_in_use: list[Resources] = []


def resources() -> Resources:
    """Return what may be used now: as `use_resources` said, else 60% of the memory that the process may use."""
    return _in_use[-1] if _in_use else _by_default()


@cache
def _by_default() -> Resources:
    return Resources(int(_SHARE * allowed_bytes()))


def engine_bytes() -> int:
    """Return how much memory an engine that is opened now may use, beside what the process has already."""
    limit = resources().memory
    return int(max(_LEAST * limit, _OF_THE_REST * (limit - held_bytes())))


def beyond_limit(rows: int) -> list[str]:
    """Return a warning if the rows of a log, while they are validated, take more memory than there is to be."""
    needed = rows * _ROW_BYTES
    if needed <= resources().memory:
        return []
    return [
        translated(
            WARNING,
            sentence=translated(
                "{rows:row|rows} take {needed:.3g}GB or more while they are checked, and --memory-limit is {memory}: "
                "that is not enough for the log alone, and will be exceeded.",
                rows=rows,
                needed=needed / 1e9,
                memory=resources().in_words(),
            ),
        )
    ]


def use_resources(memory_limit: str | None, folder: Path | None) -> None:
    """Say what engines that are opened from now on may use; None leaves what there was.

    Raises
    ------
    StayworthError
        If the folder is none, or cannot be written in.
    """
    if memory_limit is None and folder is None:
        return
    memory = resources().memory if memory_limit is None else bytes_of(memory_limit)
    if folder is not None:
        require_folder(folder)
    _in_use[:] = [Resources(memory, folder or resources().folder)]


def require_folder(folder: Path) -> None:
    """Raise a StayworthError if nothing can be written in a folder."""
    if not folder.is_dir():
        raise StayworthError(
            translated("--temp-dir {folder} is no folder. Create it, or name another.", folder=folder)
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StayworthError(
            translated(
                "--temp-dir {folder}: no permission to write in it. Name another folder.", folder=folder
            )
        )


def spill_folder() -> Path:
    """Return the folder for results that exceed memory; for this user alone, removed at exit."""
    return _spill_folder(resources().folder)


@cache
def _spill_folder(parent: Path | None) -> Path:
    until_exit = ExitStack()
    atexit.register(until_exit.close)
    return until_exit.enter_context(temporary_folder(parent=parent))


def exhausted(error: Exception) -> StayworthError | None:
    """Return what to tell the caller where memory or disk ran out; None where it was something else."""
    said = str(error)
    where = spill_folder()
    if any(words in said for words in _DISK):
        return StayworthError(
            translated(
                "The disk of {parent}, where what exceeds the memory is written, is full.",
                parent=where.parent,
            ),
            translated(
                "Free some space, name a folder on another disk (--temp-dir), or allow more memory "
                "(--memory-limit, now {memory}).",
                memory=resources().in_words(),
            ),
        )
    if "Out of Memory" in said:
        return StayworthError(
            translated("{memory} of memory do not suffice.", memory=resources().in_words()),
            translated("Allow more: --memory-limit 8GB; or use fewer threads: --threads 1."),
        )
    return None
