"""Folders of Parquet that Spark writes: whole or not at all.

Tasks write into a folder beside the target, which takes its name once all of them are done: what readers see is the
list before, or the new one. That is one step where the file system renames in one, as disks and HDFS do; on an object
store, which copies, wait for the file ``_SUCCESS``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from features.engines.spark import failures
from features.errors import OutputError
from features.language import translated

if TYPE_CHECKING:
    from features.engines.spark import DataFrame, SparkSession

_DONE = "_SUCCESS"


class SparkFolder:
    """A folder that a frame is written to.

    Parameters
    ----------
    session : SparkSession
    target : str, a path, or a URI of a file system that the cluster knows
    """

    def __init__(self, session: SparkSession, target: str) -> None:
        self._target = target if ":/" in target else str(Path(target).absolute())
        jvm, state = getattr(session, "_jvm", None), getattr(session, "_jsparkSession", None)
        if jvm is None or state is None:
            raise OutputError(
                translated(
                    "This Spark session cannot rename folders, as none does over Spark Connect. Write to a table of "
                    "the catalogue: --to catalogue.schema.table"
                )
            )
        self._path = jvm.org.apache.hadoop.fs.Path
        with failures(target):
            self._files: Any = self._path(self._target).getFileSystem(state.sessionState().newHadoopConf())

    def __str__(self) -> str:
        return self._target

    def require(self) -> None:
        """Refuse, before the work is done, to replace anything but what Spark wrote.

        Raises
        ------
        OutputError
            If the target is a file, or a folder of something else, or lies in no folder.
        """
        target = self._path(self._target)
        with failures(self._target):
            if not self._files.exists(target.getParent()) and ":/" not in self._target:
                raise OutputError(
                    translated(
                        "Cannot write {path}: the folder {parent} does not exist. Create it first.",
                        path=self._target,
                        parent=str(Path(self._target).parent),
                    )
                )
            if self._files.exists(target) and not self._is_ours(target):
                raise OutputError(
                    translated(
                        "{path} is there and no folder that Spark has finished writing. Name another, or remove it.",
                        path=self._target,
                    )
                )

    def write(self, frame: DataFrame) -> None:
        """Write a frame as Parquet, in place of what was written before.

        Raises
        ------
        StayworthError, EngineError
            If the frame cannot be computed; nothing is written then.
        """
        name = self._target.rstrip("/")
        beside, former = (self._path(f"{name}.{kind}-{uuid4().hex[:12]}") for kind in ("partial", "former"))
        target = self._path(name)
        try:
            with failures(f"INSERT INTO {name}"):
                frame.write.parquet(beside.toString())
                replaced = bool(self._files.exists(target))
                moved = not replaced or self._files.rename(target, former)
                if not (moved and self._files.rename(beside, target)):
                    if replaced and not self._files.exists(target):
                        self._files.rename(former, target)
                    raise OutputError(
                        translated(
                            "Cannot write {path}: {reason}.", path=name, reason=f"rename {beside.getName()}"
                        )
                    )
        finally:
            for each in (beside, former):
                self._files.delete(each, True)

    def _is_ours(self, target: Any) -> bool:
        if not self._files.getFileStatus(target).isDirectory():
            return False
        return bool(self._files.exists(self._path(target, _DONE))) or not len(self._files.listStatus(target))
