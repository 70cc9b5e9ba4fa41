"""The last champion's files, kept on this machine: what a service starts from while the registry is down.

::

    <cache>/<digest of the registry's address>/champion.json          the version, its folder, each file's SHA-256
                                               version-3-9f2c81d0/    model.json, booster.txt, …

Several worker processes share the folder without a lock. A version's folder is filled under another name and
renamed, never changed afterwards; ``champion.json`` is replaced in one step and says which folder counts. Whoever
finds a folder gone reads ``champion.json`` again: another process has moved on. The checksums are looked at
before the files are, for LightGBM does not survive a text that was cut off.
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
"""A folder that no pointer names may be another process's, about to be named, for this long."""

_ATTEMPTS = 3


@dataclass(frozen=True)
class Pointer:
    """Which folder holds the last champion, and what its files have to be."""

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
            The version to read; by default whichever was champion last.

        Returns
        -------
        The model and its version; None if there is no copy, or one of another version.

        Raises
        ------
        ModelError
            If the copy is damaged, or of a release that this one cannot read.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            pointer = self._pointer()
            if pointer is None or wanted not in (None, pointer.key):
                return None
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
                if attempt == _ATTEMPTS or self._pointer() == pointer:
                    raise
        return None

    def keep(self, version: VersionKey, files: Path) -> None:
        """Copy a version's files; from now on they are what `read` gives.

        Parameters
        ----------
        version : VersionKey
        files : Path
            Folder that `RetentionModel.save` wrote.

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
            self.folder.mkdir(parents=True, exist_ok=True)
            shutil.copytree(files, beside)
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
        except (OSError, TypeError, ValueError):  # not there; or not ours, which is as good as not there
            return None

    def _prune(self) -> None:
        """Remove all folders but the one that counts and those too young to tell; who reads one reads on."""
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
