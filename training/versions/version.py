"""One registered version, as the registry lists it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

MODEL_NAME = "stayworth"
CHAMPION = "champion"
PROMOTED = "promoted"
"""Tag of a version that was champion: what decided it, as `training.versions.version_words` has it."""


@dataclass(frozen=True)
class Version:
    """One registered version, and what its run measured.

    Parameters
    ----------
    version : str, "1", "2", … in order of registration
    run_id : str
    created_at : datetime, UTC
    aliases : tuple of str, such as ("champion",)
    metrics : mapping of str to float, as logged with the run
    params : mapping of str to str, the run's settings
    tags : mapping of str to str, the version's own: what `Registry.annotate` and `Registry.promote` left
    """

    version: str
    run_id: str
    created_at: datetime
    aliases: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


class VersionKey(NamedTuple):
    """Key of a version, unique also where a registry was created anew and numbers start again."""

    version: str
    run_id: str
