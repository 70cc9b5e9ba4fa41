"""The files that a path means: one, those of a folder, or those whose names fit a pattern."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from features.errors import LogError
from features.language import translatable, translated
from features.log.file_kinds import suffix_of
from features.suggestion import did_you_mean

_OTHER_TABLES = (".txt", ".xlsx", ".xls", ".jsonl", ".ndjson", ".zip")  # that a folder is not read for
_NO_TABLE = re.compile(r"(read ?me|licen[sc]e|notice|changelog)\b", re.IGNORECASE)
FORMATS = translatable(
    "a .csv or .tsv file (also .gz, .bz2, .zst, .zip), a .parquet, .xlsx or .jsonl file, a folder of .parquet "
    "or of .csv files, or a postgresql:// or sqlite:/// URI, or another database's"
)


def files_of(path: Path) -> list[Path]:
    """Return the files that a path means: those of a folder or a pattern, or the one."""
    files = several(path.expanduser())
    return [path] if files is None else files


def several(path: Path) -> list[Path] | None:
    """Return the files of a folder or a pattern; None for one file."""
    if not path.exists() and glob.has_magic(str(path)):
        return sorted(map(Path, glob.glob(str(path))))
    return _parts(path) if path.is_dir() else None


def existing(path: Path) -> Path:
    """Return the path of a file that is there; raise a LogError that names the nearest, if it is not."""
    if path.exists():
        return path
    folder = path.absolute().parent
    if not folder.is_dir():
        raise LogError(
            translated("There is no {path}: the folder {folder} does not exist.", path=path, folder=folder)
        )
    near = did_you_mean(path.name, [beside.name for beside in folder.iterdir()])
    raise LogError(
        translated("There is no file {name} in {folder}.{near}", name=path.name, folder=folder, near=near)
    )


def _parts(folder: Path) -> list[Path]:
    """Return the table files of a folder by name; hidden ones (``.x``, ``_x``) are left out."""
    if (folder / "_delta_log").is_dir() or any(folder.glob("metadata/*.metadata.json")):
        kind = "Delta Lake" if (folder / "_delta_log").is_dir() else "Iceberg"
        raise LogError(
            translated(
                "{folder} is a {kind} table: besides its rows it holds files that were deleted or "
                "replaced. Write its current version to one Parquet file, and give that.",
                folder=folder,
                kind=kind,
            )
        )
    seen = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part[0] in "._" for part in path.relative_to(folder).parts)
    )
    files = [path for path in seen if suffix_of(path) in (".parquet", ".csv", ".tsv")]
    others = [
        path.name for path in seen if suffix_of(path) in _OTHER_TABLES and not _NO_TABLE.match(path.name)
    ]
    if files and others:
        raise of_two_kinds(folder, files[0].name, ", ".join(others[:3]) + " …" * (len(others) > 3))
    if not files:
        raise LogError(
            translated(
                "The folder {folder} holds no .parquet file and no .csv file. Give {formats}.",
                folder=folder,
                formats=translated(FORMATS),
            )
        )
    return files


def of_two_kinds(path: Path, one: str, other: str) -> LogError:
    """Return the error for files that are no table together."""
    return LogError(
        translated(
            "{path} holds files of two kinds: {one} and {other}. Give one kind.",
            path=path,
            one=one,
            other=other,
        )
    )
