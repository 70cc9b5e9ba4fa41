"""The id of a scheduled run: what it does, as twelve digits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from features.commands.outputs import WRITTEN, files_of
from features.settings import Settings
from features.snapshot import Snapshot

_NO_RESULT = {
    "log": {"transactions", "memory_limit", "temp_dir", "quarantine", "parts"},
    "train": {"threads", "if_due", "promote"},
}
"""Settings on which no result depends; of the log its content counts, wherever it lies."""

_MADE = {"scores", "before", "parts"}
"""Files that the run itself writes."""


def run_id(
    fingerprint: str, snapshot: Snapshot, groups: Mapping[str, Settings | None], *addresses: str
) -> str:
    """Return the id of a run: the same for the same orders, files, settings, snapshot and release.

    Parameters
    ----------
    fingerprint : str, `features.log.report.LogReport.fingerprint`
    snapshot : Snapshot
    groups : mapping of name to settings, or None where a step is not configured
    addresses : str, where results go, without passwords

    Examples
    --------
    >>> from datetime import date
    >>> from training.settings import TrainSettings
    >>> day = Snapshot(date(1998, 7, 1))
    >>> one, two = (run_id("ab12", day, {"train": TrainSettings(seed=seed)}) for seed in (1, 2))
    >>> len(one), one == two
    (12, False)
    """
    given = {name: group for name, group in groups.items() if group is not None}
    document = {
        "release": metadata.version("stayworth"),
        "log": fingerprint,
        "snapshot": str(snapshot),
        "addresses": addresses,
        "settings": {
            name: group.model_dump(mode="json", exclude=_NO_RESULT.get(group.section, set()))
            for name, group in given.items()
        },
        "files": sorted(
            (name, _digest(path))
            for name, path in files_of(given)
            if name not in (*WRITTEN, *_MADE, "transactions", "temp_dir") and path.exists()
        ),
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()[:12]


def digest_of(path: Path | None) -> str | None:
    """Return a SHA-256 of a file's content; None where there is no file."""
    return _digest(path) if path and path.is_file() else None


def _digest(path: Path) -> str:
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    found = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            found.update(file.name.encode() if path.is_dir() else b"")
            found.update(hashlib.file_digest(opened, "sha256").digest())
    return found.hexdigest()
