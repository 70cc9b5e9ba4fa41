"""The registered versions, asked for again after some seconds: the registry answers slower than a page should."""

from __future__ import annotations

import time
from threading import Lock

from training.versions.registry import Registry
from training.versions.version import CHAMPION, Version

FRESH_SECONDS = 15.0


class KnownVersions:
    """What a registry's versions were a few seconds ago.

    Parameters
    ----------
    registry : Registry
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._lock = Lock()
        self._known: list[Version] = []
        self._asked_at = float("-inf")

    def all(self) -> list[Version]:
        """Return all versions, the newest first.

        Raises
        ------
        ModelError
            If the registry cannot be reached.
        """
        with self._lock:
            if time.monotonic() - self._asked_at > FRESH_SECONDS:
                self._known, self._asked_at = self.registry.versions(), time.monotonic()
            return self._known

    def champion(self) -> Version | None:
        """Return the version that scores; None if nothing was promoted."""
        return next((version for version in self.all() if CHAMPION in version.aliases), None)

    def forget(self) -> None:
        """Ask again when next needed: something was promoted."""
        with self._lock:
            self._asked_at = float("-inf")
