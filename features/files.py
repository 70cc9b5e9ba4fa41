"""Output files: whole or not at all, and safe to open in a spreadsheet.

A file is written beside its target, flushed to the disk and renamed over it, so that a full disk or a
killed process leaves the old file as it was.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from features.errors import OutputError
from features.language import translated
from features.memory import give_back
from features.spreadsheet_cells import safe_cells
from features.temporary import temporary_folder

Rows: TypeAlias = "pa.Table | pd.DataFrame | Iterator[pa.Table]"
"""A table, or tables one after the other."""

_SLICE_ROWS = 1 << 20  # those of a row group of Parquet


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


def as_arrow(table: pa.Table | pd.DataFrame) -> pa.Table:
    """Return an Arrow table of the columns, without an index; timestamps at midnight become dates."""
    if isinstance(table, pd.DataFrame):
        table = pa.Table.from_pandas(table, preserve_index=False)
    table = table.replace_schema_metadata(None)
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz is None:
            column = table.column(index)
            if pc.all(pc.equal(column, pc.floor_temporal(column, unit="day"))).as_py() is not False:
                table = table.set_column(index, field.name, column.cast(pa.date32()))
    return table


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a column holds text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def plain(table: pa.Table) -> pa.Table:
    """Return the table with categories as their values.

    Examples
    --------
    >>> words = pa.array(["late", "silent"]).dictionary_encode()
    >>> lists = pa.ListArray.from_arrays([0, 1, 2], words)
    >>> plain(pa.table({"tier": words, "reasons": lists}).slice(1)).to_pylist()
    [{'tier': 'silent', 'reasons': ['silent']}]
    """
    for index, field in enumerate(table.schema):
        column = table.column(index)
        if pa.types.is_list(field.type) and pa.types.is_dictionary(field.type.value_type):
            kind = field.type.value_type.value_type
            lists = [_plain_lists(chunk, kind) for chunk in column.chunks]
            table = table.set_column(index, field.name, pa.chunked_array(lists, pa.list_(kind)))
        elif pa.types.is_dictionary(field.type):
            table = table.set_column(index, field.name, column.cast(field.type.value_type))
    return table


def _plain_lists(lists: pa.ListArray, kind: pa.DataType) -> pa.ListArray:
    """Return lists of categories as lists of values; to cast a slice would make those of the whole."""
    offsets = lists.offsets
    first, end = offsets[0].as_py(), offsets[-1].as_py()
    values = lists.values.slice(first, end - first).cast(kind)
    mask = lists.is_null() if lists.null_count else None
    return pa.ListArray.from_arrays(pc.subtract(offsets, first), values, mask=mask)


def flat(table: pa.Table) -> pa.Table:
    """Return the table as plain cells: lists of texts joined with ``"; "``, categories as their values."""
    table = plain(table)
    for index, field in enumerate(table.schema):
        if pa.types.is_list(field.type) or pa.types.is_large_list(field.type):
            joined = pc.binary_join(table.column(index).cast(pa.list_(pa.string())), "; ")
            table = table.set_column(index, field.name, joined)
    return table


def _slices(rows: Rows) -> Iterator[pa.Table]:
    """Yield tables in slices, at least one of each, so that what is made of a slice takes little memory."""
    for table in rows if isinstance(rows, Iterator) else [as_arrow(rows)]:
        for start in range(0, max(table.num_rows, 1), _SLICE_ROWS):
            yield table.slice(start, _SLICE_ROWS)
            if table.num_rows > _SLICE_ROWS:  # or what was made of the slices before is kept beside the next
                give_back()


def write_csv(table: Rows, path: str | os.PathLike[str], *, excel: bool = False) -> None:
    """Write a UTF-8 CSV, whole or not at all, its texts quoted and safe against formulas; a new one has mode 0600.

    Parameters
    ----------
    table : Arrow or pandas table, or Arrow tables one after the other; lists of texts are joined with ``"; "``
    path : file to write
    excel : bool
        Begin with a byte order mark, which Excel needs to read UTF-8.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with atomic_path(path, private=True) as beside, beside.open("xb") as file:
        if excel:
            file.write(b"\xef\xbb\xbf")
        for number, rows in enumerate(_slices(table)):
            # Arrow writes a float in the fewest digits that read back as the same float, as repr does.
            pa.csv.write_csv(_safe(flat(rows)), file, pa.csv.WriteOptions(include_header=number == 0))


def _safe(rows: pa.Table) -> pa.Table:
    """Return the rows with texts and names of columns that are no formulas."""
    for index, field in enumerate(rows.schema):
        if is_text(field.type):
            rows = rows.set_column(index, field.name, safe_cells(rows.column(index)))
    return rows.rename_columns(safe_cells(pa.array(rows.column_names, pa.string())).to_pylist())


def write_parquet(table: Rows, path: str | os.PathLike[str]) -> None:
    """Write a Parquet file, whole or not at all; a new one has mode 0600.

    Parameters
    ----------
    table : Arrow or pandas table, or Arrow tables one after the other
    path : file to write

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with atomic_path(path, private=True) as beside:
        slices = (plain(rows) for rows in _slices(table))
        first = next(slices)
        with pa.parquet.ParquetWriter(beside, first.schema) as writer:
            for rows in chain([first], slices):
                writer.write_table(rows)


def writer_for(path: str | os.PathLike[str]) -> Callable[[Rows, str | os.PathLike[str]], None]:
    """Return the function that writes tables in the format of the file's extension; call it before the work.

    Raises
    ------
    OutputError
        If the extension is neither .csv nor .parquet.

    Examples
    --------
    >>> writer_for("features.parquet").__name__
    'write_parquet'
    """
    match Path(path).suffix.lower():
        case ".csv":
            return write_csv
        case ".parquet":
            return write_parquet
    raise OutputError(
        translated("Cannot write {path}: name it .csv or .parquet to choose a format.", path=path)
    )
