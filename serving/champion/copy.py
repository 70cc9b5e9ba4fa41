"""Local copy of the last champion's files, to start from while the registry is down.

::

    <cache>/<digest of the registry's address>/champion.json          the version, its folder, each file's SHA-256
                                               version-3-9f2c81d0/    model.json, booster.txt, …

Several worker processes share the folder without a lock. A version's folder is filled under another name and
renamed, never changed afterwards; ``champion.json`` is replaced in one step and names the current folder. A process
that finds a folder missing reads ``champion.json`` again: another process has replaced it. The checksums are verified
first, because LightGBM crashes on a truncated text.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from features.errors import ModelError, OutputError
from features.files import atomic_path
from training.model.retention_model import RetentionModel
from training.tracking_uri import TrackingURI
from training.versions.version import VersionKey
from training.versions.version_files import read_version

POINTER = "champion.json"
YOUNG_SECONDS = 600.0
"""Age in seconds below which a folder without a pointer is kept: another process may be about to name it."""


@dataclass(frozen=True)
class Pointer:
    """Folder of the last champion, with the SHA-256 of each file."""

    version: str
    run_id: str
    folder: str
    sha256: dict[str, str]

    @property
    def key(self) -> VersionKey:
        """The version it names."""
        return VersionKey(self.version, self.run_id)


class ChampionCopy:
    """A local copy of one registry's last champion.

    Parameters
    ----------
    cache : Path
        Folder of the copies of all registries; made when the first is kept.
    uri : TrackingURI
        Another address is another registry; another password is not.
    """

    def __init__(self, cache: Path, uri: TrackingURI) -> None:
        address = f"sqlite:///{uri.sqlite_file}" if uri.sqlite_file else str(uri)
        self.folder = cache.absolute() / hashlib.sha256(address.encode()).hexdigest()[:16]

    def read(self, wanted: VersionKey | None = None) -> tuple[RetentionModel, VersionKey] | None:
        """Read the copy.

        Parameters
        ----------
        wanted : VersionKey, optional
            The version to read; by default the last champion.

        Returns
        -------
        The model and its version; None if there is no copy, or one of another version.

        Raises
        ------
        ModelError
            If the copy is damaged, or of a release that this one cannot read.
        """
        while (pointer := self._pointer()) and wanted in (None, pointer.key):
            folder = self.folder / pointer.folder
            try:
                if (changed := _sums(folder)) != pointer.sha256:
                    names = sorted(name for name, _ in changed.items() ^ pointer.sha256.items())
                    raise ModelError(
                        f"The copy of version {pointer.version} in {self.folder} is damaged: "
                        f"{', '.join(dict.fromkeys(names))}."
                    )
                return read_version(folder, pointer.version), pointer.key
            except ModelError:
                if self._pointer() == pointer:  # else another process has replaced it meanwhile
                    raise
        return None

    def keep(self, version: VersionKey, files: Path) -> None:
        """Copy a version's files; `read` then returns them.

        Parameters
        ----------
        version : VersionKey
        files : Path
            Folder that `training.model.files.save_model` wrote.

        Raises
        ------
        OutputError
            If the folder cannot be written; the copy before is intact.
        """
        sums, before = _sums(files), self._pointer()
        if before and before.key == version and _sums(self.folder / before.folder) == sums:
            return  # another process was faster
        name = f"version-{version.version}-{secrets.token_hex(4)}"
        beside = self.folder / f".{name}"
        try:
            beside.mkdir(parents=True)  # of its own age: copytree would give it that of the files
            for file in files.iterdir():
                shutil.copyfile(file, beside / file.name)
            beside.rename(self.folder / name)
        except OSError as error:
            reason = error.strerror or "a file cannot be copied"
            raise OutputError(f"Cannot write {self.folder}: {reason}.") from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        with atomic_path(self.folder / POINTER) as file:
            pointer = Pointer(version.version, version.run_id, name, sums)
            file.write_text(json.dumps(asdict(pointer), indent=1), encoding="utf-8")
        self._prune()

    def _pointer(self) -> Pointer | None:
        try:
            return Pointer(**json.loads((self.folder / POINTER).read_text(encoding="utf-8")))
        except (OSError, TypeError, ValueError):  # missing or unreadable: as if there were no copy
            return None

    def _prune(self) -> None:
        """Delete cached versions older than YOUNG_SECONDS, except the current one."""
        pointer, old = self._pointer(), time.time() - YOUNG_SECONDS
        for folder in self.folder.glob("*version-*"):
            try:
                if pointer and folder.name != pointer.folder and folder.stat().st_mtime < old:
                    shutil.rmtree(folder, ignore_errors=True)
            except OSError:  # another process was faster
                continue


def _sums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a folder; none of a folder that is not there."""
    sums = {}
    for file in sorted(folder.glob("*")):
        try:
            sums[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError:
            continue
    return sums
