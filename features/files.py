"""Output files and folders: whole or not at all.

A file is written beside its target, flushed to the disk and renamed over it, so that a full disk or a
killed process leaves the old file as it was.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from features.errors import OutputError
from features.language import translated
from features.temporary import temporary_folder


@contextmanager
def atomic_path(path: str | os.PathLike[str], *, private: bool = False) -> Iterator[Path]:
    """Yield a path to write to; it replaces ``path`` when the block ends, and vanishes if it fails.

    Parameters
    ----------
    path : path of the file to write; a link is followed, the folder must exist
    private : bool
        Whether a new file is for its owner alone (mode 0600). One that is replaced keeps its mode.

    Yields
    ------
    pathlib.Path
        The same name in a temporary folder beside it.

    Raises
    ------
    OutputError
        If the file cannot be written, with the reason. What was at ``path`` before is intact.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "scores.txt"
    >>> with atomic_path(target) as beside:
    ...     _ = beside.write_text("new")
    ...     target.exists()
    False
    >>> target.read_text()
    'new'
    """
    target = Path(os.path.realpath(path))
    if os.path.isdir(target):
        raise OutputError(translated("Cannot write {path}: it is a folder. Name a file in it.", path=path))
    if os.path.exists(target) and not os.path.isfile(target):
        raise OutputError(
            translated("Cannot write {path}: it is a device or a pipe. Name a file.", path=path)
        )
    try:
        with temporary_folder(f".{target.stem[:50]}.", target.parent) as folder:
            beside = folder / target.name
            yield beside
            _publish(beside, target, private)
    except OSError as error:
        raise OutputError(
            translated("Cannot write {path}: {reason}", path=path, reason=_reason(error, target))
        ) from error


@contextmanager
def atomic_folder(path: str | os.PathLike[str], made_by: str) -> Iterator[Path]:
    """Yield a folder to write to; it becomes ``path`` when the block ends, and vanishes if it fails.

    Parameters
    ----------
    path : path of a new folder, or of one of the same kind, which is replaced
    made_by : str
        Name of a file that every such folder holds. A folder without it is somebody's, and is left alone.

    Raises
    ------
    OutputError
        If the folder cannot be written, or another one is there. What was at ``path`` before is intact.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "report"
    >>> for text in ("old", "new"):
    ...     with atomic_folder(target, made_by="report.json") as beside:
    ...         _ = (beside / "report.json").write_text(text)
    >>> (target / "report.json").read_text()
    'new'
    """
    target = Path(path)
    if target.exists() and not (target / made_by).is_file():
        raise OutputError(
            translated(
                "Cannot write {path}: it exists, and holds no {made_by}. Choose another folder.",
                path=path,
                made_by=made_by,
            )
        )
    if not target.absolute().parent.is_dir():
        raise OutputError(
            translated(
                "Cannot write {path}: the folder {parent} does not exist.",
                path=path,
                parent=target.absolute().parent,
            )
        )
    try:
        with temporary_folder(f".{target.name[:50]}.", target.absolute().parent) as beside:
            yield beside
            if target.exists():
                with temporary_folder(f".{target.name[:50]}.", target.absolute().parent) as former:
                    target.rename(former / target.name)
                    beside.rename(target)
            else:
                beside.rename(target)
    except OSError as error:
        raise OutputError(
            translated("Cannot write {path}: {reason}", path=path, reason=_reason(error, target))
        ) from error


def _publish(beside: Path, target: Path, private: bool) -> None:
    """Flush ``beside`` to the disk and rename it to ``target``, with the old file's permissions."""
    if target.exists():
        shutil.copymode(target, beside)
    elif private:
        beside.chmod(0o600)
    with beside.open("rb") as written:
        os.fsync(written.fileno())
    os.replace(beside, target)
    with suppress(OSError):  # some file systems cannot flush a folder
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _reason(error: OSError, target: Path) -> str:
    """Return a sentence that says why writing failed, and what to do."""
    if not os.path.isdir(target.parent):
        return f"the folder {target.parent} does not exist. Create it, or choose another."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full. Free some space, or choose another folder."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission to write in {target.parent}. Choose another folder."
    return f"{error.strerror or error}."
