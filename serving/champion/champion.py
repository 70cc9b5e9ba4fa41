"""The service's scorer, kept up to date with the registry's champion.

A thread asks the registry every few seconds which version is champion. A new one is downloaded and, first in a process
of its own, has to score its own example as when it was saved; only then it replaces the scorer, in one assignment, and
requests under way finish on the one they began with. A running service keeps its scorer when the registry is down, the
alias is removed or a version cannot be used.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from features.errors import ModelError, OutputError
from features.temporary import temporary_folder
from serving.champion.copy import ChampionCopy
from serving.scorer import Scorer
from training.model.retention_model import RetentionModel
from training.versions.registry import Registry
from training.versions.trial import try_version
from training.versions.version import VersionKey
from training.versions.version_files import read_version

RETRY_SECONDS = 5.0
"""While there is no scorer, the registry is asked at least this often."""

REFUSED_SECONDS = 600.0
"""Seconds until a refused version that is still the champion is tried again: its files may be repaired."""

_log = logging.getLogger("stayworth")


@dataclass(frozen=True)
class ChampionState:
    """Version in use and state of the registry, as of the last poll.

    Parameters
    ----------
    version : str or None
        The version that scores.
    trained_at : datetime or None, UTC
    horizon_days : int or None
        Length of its churn window.
    source : {"registry", "cache"} or None
        Whether the registry named that version, or it is a local copy that the registry has not confirmed.
    registry_up : bool
    refused : tuple of (version, reason)
        Champions that could not be used since the start, and have not become usable since.
    refusals : int
        How many versions were refused since the start, each counted once.
    reason : str or None
        Why there is no scorer.
    """

    version: str | None = None
    trained_at: datetime | None = None
    horizon_days: int | None = None
    source: Literal["registry", "cache"] | None = None
    registry_up: bool = False
    refused: tuple[tuple[str, str], ...] = ()
    refusals: int = 0
    reason: str | None = "The service has not asked the registry for a model yet."


class _Answer(NamedTuple):
    """Answer of the registry: its champion, or the problem."""

    up: bool
    champion: VersionKey | None = None
    problem: str = ""


class Champion:
    """The champion's scorer, kept up to date by a thread.

    Parameters
    ----------
    tracking_uri : str
    cache : Path
        Folder for a copy of the last champion, to start from while the registry is down. Processes may share it.
    poll_seconds : float
        Time between two polls.
    tried_apart : bool
        Whether a new version is read by another process first, which a damaged one may crash.

    Raises
    ------
    ModelError
        If the address is not that of a registry.
    """

    def __init__(
        self,
        tracking_uri: str,
        cache: Path,
        *,
        poll_seconds: float = 15.0,
        tried_apart: bool = True,
    ) -> None:
        self.state = ChampionState()
        self.poll_seconds, self.tried_apart = poll_seconds, tried_apart
        self._registry = Registry(tracking_uri)
        self._copy = ChampionCopy(cache, self._registry.uri)
        self._scorer: Scorer | None = None
        self._key: VersionKey | None = None
        self._refused: dict[VersionKey, str] = {}
        self._failed: tuple[VersionKey, float] | None = None  # the last attempt, and when
        self._said = ""
        self._warned: set[str] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Poll once now, and then in a daemon thread."""
        if self._thread and self._thread.is_alive():
            return
        self._stop.clear()
        self._look_safely()
        self._thread = threading.Thread(target=self._watch, name="champion", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop polling; the scorer stays. Waits for a poll under way, but not for a registry that hangs."""
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=RETRY_SECONDS)

    def scorer(self) -> Scorer:
        """Return the scorer; a request keeps the one it got.

        Raises
        ------
        ModelError
            If there is none: nothing was promoted yet, or it cannot be used, and there is no copy.
        """
        scorer = self._scorer
        if scorer is None:
            raise ModelError(self.state.reason or "No champion model is loaded.")
        return scorer

    def _watch(self) -> None:
        while not self._stop.wait(
            self.poll_seconds if self._scorer else min(RETRY_SECONDS, self.poll_seconds)
        ):
            self._look_safely()

    def _look_safely(self) -> None:
        try:
            self._look()
        except Exception:  # the thread has to survive unexpected errors
            _log.exception("Looking for the champion failed.")

    def _look(self) -> None:
        answer = self._ask()
        if answer.champion and answer.champion != self._key and self._is_due(answer.champion):
            answer = self._try(answer.champion)
        reason = self._start_from_copy(answer) if self._scorer is None else None
        if answer.champion and answer.champion == self._key:
            self._failed = None
            self.state = replace(self.state, source="registry")
        self.state = replace(self.state, registry_up=answer.up, reason=reason)
        self._say(answer)

    def _ask(self) -> _Answer:
        """Ask which version is champion."""
        try:
            if self._registry.is_absent():
                return _Answer(False, None, f"The model registry {self._registry.uri} is not there.")
            champion = self._registry.champion_version()
            return _Answer(True, champion, "" if champion else self._registry.no_champion())
        except Exception as error:
            return _Answer(False, None, self._sentence(error))

    def _is_due(self, version: VersionKey) -> bool:
        """Tell whether to try a version: a refused one not at each poll, unless there is no scorer."""
        if self._scorer is None or self._failed is None:
            return True
        failed, at = self._failed
        return failed != version or time.monotonic() - at >= REFUSED_SECONDS

    def _try(self, version: VersionKey) -> _Answer:
        """Use a version that can be read and passes its self-check, else refuse it; return the registry's answer."""
        try:
            model = self._fetch(version)
        except Exception as error:  # a version is refused whatever is wrong with it
            answer = self._ask()
            if answer.up:  # else the registry went down meanwhile, and the version may be sound
                self._refuse(version, self._sentence(error))
            return answer
        self._swap(model, version, "registry")
        return _Answer(True, version)

    def _fetch(self, version: VersionKey) -> RetentionModel:
        """Read a version from the copy that another process may have made, else from the registry."""
        try:
            if found := self._copy.read(version):
                return found[0]
        except ModelError as error:
            self._warn_once(f"{error} It is fetched again.")
        with temporary_folder() as folder:
            files = self._registry.download(version.version, folder)
            if self.tried_apart:
                try_version(files, version.version)
            model = read_version(files, version.version)
            try:
                self._copy.keep(version, files)
            except OutputError as error:
                self._warn_once(
                    f"Version {version.version} is not kept for a start without the registry. {error}"
                )
        return model

    def _swap(self, model: RetentionModel, version: VersionKey, source: Literal["registry", "cache"]) -> None:
        scorer = Scorer(model, version.version)
        scorer.warm_up()
        self._scorer, self._key = scorer, version
        self._refused.pop(version, None)
        self._failed = None
        if source == "registry":
            _log.info("Version %s scores.", version.version)
        self.state = replace(
            self.state,
            version=version.version,
            trained_at=model.card.trained_at,
            horizon_days=model.card.horizon_days,
            source=source,
            refused=self._refusals(),
        )

    def _refuse(self, version: VersionKey, reason: str) -> None:
        self._failed = version, time.monotonic()
        if version not in self._refused:
            _log.error("Version %s is refused: %s%s", version.version, reason, self._goes_on())
            self.state = replace(self.state, refusals=self.state.refusals + 1)
        self._refused[version] = reason
        self.state = replace(self.state, refused=self._refusals())

    def _refusals(self) -> tuple[tuple[str, str], ...]:
        return tuple((version.version, reason) for version, reason in self._refused.items())

    def _start_from_copy(self, answer: _Answer) -> str | None:
        """Use the local copy where the registry gives no usable champion; return the reason where that fails too."""
        if answer.up and answer.champion is None:
            return answer.problem  # the registry has no champion, so no copy may score
        reason = self._refused[answer.champion] if answer.champion else answer.problem
        try:
            found = self._copy.read()
        except ModelError as error:
            return f"{reason} {error}"
        if found is None:
            return self._registry.no_champion() if self._registry.is_absent() else reason
        self._swap(*found, "cache")
        self._said = self._kind(answer)
        why = "" if answer.champion else f"{reason} "
        _log.warning("%sVersion %s scores, from its copy in %s.", why, found[1].version, self._copy.folder)
        return None

    def _kind(self, answer: _Answer) -> str:
        if not answer.up:
            return "down"
        return "followed" if answer.champion else "vacant"

    def _say(self, answer: _Answer) -> None:
        """Log once when the registry goes down, comes back or loses its champion."""
        before, self._said = self._said, self._kind(answer)
        if self._said == before:
            return
        if before == "down" and answer.up:
            _log.info("The model registry %s answers again.", self._registry.uri)
        if self._said != "followed":
            _log.warning("%s%s", self.state.reason or answer.problem, self._goes_on())

    def _goes_on(self) -> str:
        return f" Version {self._scorer.version} goes on scoring." if self._scorer else ""

    def _warn_once(self, warning: str) -> None:
        if warning not in self._warned:
            self._warned.add(warning)
            _log.warning("%s", warning)

    def _sentence(self, error: Exception) -> str:
        """Return the message of our own errors; of others the type and the redacted message."""
        if isinstance(error, ModelError):
            return str(error)
        return f"It failed with {type(error).__name__}: {self._registry.uri.redact(str(error))[:300]}"
