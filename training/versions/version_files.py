"""Files of a version: read, and checked against its example."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from features.errors import ModelError
from training.model.files import load_model
from training.model.retention_model import RetentionModel
from training.model.self_check import check_example
from training.versions.version import MODEL_NAME


class LostFilesError(ModelError):
    """A registered version whose files are gone."""


def folder_at(address: str) -> Path | None:
    """Return the folder that an address of files names on this machine; None for an address elsewhere.

    Examples
    --------
    >>> folder_at("file:///srv/models/3"), folder_at("s3://models/3")
    (PosixPath('/srv/models/3'), None)
    """
    parts = urlsplit(address)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def read_version(folder: Path, version: str) -> RetentionModel:
    """Read a version's files, and check that they score its example as when it was saved.

    Raises
    ------
    ModelError
        If they are damaged, of a release with other features, or score otherwise.
    """
    called = f"Version {version} of {MODEL_NAME}"
    model = load_model(folder, called)
    check_example(model, folder, called)
    return model
