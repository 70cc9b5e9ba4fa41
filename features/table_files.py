"""Tables in files: CSV that is safe to open in a spreadsheet, and Parquet, written slice by slice."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from features.arrow_tables import as_arrow, flat, is_text, plain
from features.errors import OutputError
from features.files import atomic_path
from features.language import translated
from features.memory import give_back
from features.spreadsheet_cells import safe_cells

Rows: TypeAlias = "pa.Table | pd.DataFrame | Iterator[pa.Table]"
"""A table, or tables one after the other."""

_SLICE_ROWS = 1 << 20  # those of a row group of Parquet


def _slices(rows: Rows) -> Iterator[pa.Table]:
    """Yield tables in slices, at least one of each, so that what is made of a slice takes little memory."""
    for table in rows if isinstance(rows, Iterator) else [as_arrow(rows)]:
        for start in range(0, max(table.num_rows, 1), _SLICE_ROWS):
            yield table.slice(start, _SLICE_ROWS)
            if table.num_rows > _SLICE_ROWS:  # or what was made of the slices before is kept beside the next
                give_back()
        del table  # while the next is made


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
        first = True
        for rows in _slices(table):
            # Arrow writes a float in the fewest digits that read back as the same float, as repr does.
            pa.csv.write_csv(_safe(flat(rows)), file, pa.csv.WriteOptions(include_header=first))
            first = False
            del rows  # a slice holds on to all of its table


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
    with atomic_path(path, private=True) as beside, ExitStack() as opened:
        writer: pa.parquet.ParquetWriter | None = None
        for rows in _slices(table):
            if writer is None:
                schema = plain(rows.slice(0, 0)).schema
                writer = opened.enter_context(pa.parquet.ParquetWriter(beside, schema))
            writer.write_table(plain(rows))
            del rows  # a slice holds on to all of its table


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
