"""Tables that people and other systems open: CSV, Parquet and Excel.

Customer ids are text everywhere: ``0042`` keeps its zeros, a comma or a Persian name stays as it is.
How a CSV is kept safe from formulas is told in
:mod:`features.files`; :func:`features.log.sources.read_table` reads it back to the letter. An Excel workbook
needs no such guard: its cells say that they are text.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from features.arrow_tables import as_arrow, flat, is_text
from features.errors import OutputError
from features.files import atomic_path
from features.language import translated
from features.table_files import write_csv, write_parquet
from serving.lists.excel_book import excel_book

EXTENSIONS = (".csv", ".parquet", ".xlsx")
EXCEL_ROWS = 1_048_576
EXCEL_CELL = 32_767
_WIDEST = 60


def write_table(table: pa.Table | pd.DataFrame, path: str | os.PathLike[str], *, excel: bool = False) -> None:
    """Write a table as CSV, Parquet or Excel, by the extension; whole or not at all, a new one with mode 0600.

    Parameters
    ----------
    table : Arrow or pandas table
        Lists of texts are joined with ``"; "`` in CSV and Excel, and stay lists in Parquet.
    path : file to write, ending in .csv, .parquet or .xlsx
    excel : bool
        Begin a CSV with a byte order mark, which Excel needs to read UTF-8.

    Raises
    ------
    OutputError
        If the extension is another, the table does not fit the format, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from features.log.sources import read_table
    >>> path = Path(tempfile.mkdtemp()) / "scored.csv"
    >>> write_table(pd.DataFrame({"customer_id": ["0042", "=1+1"], "value_at_risk": [0.1, 2.5]}), path)
    >>> print(path.read_text())
    "customer_id","value_at_risk"
    "0042",0.1
    "'=1+1",2.5
    >>> list(read_table(path)["customer_id"])
    ['0042', '=1+1']
    """
    match _extension(path):
        case ".csv":
            write_csv(table, path, excel=excel)
        case ".parquet":
            write_parquet(table, path)
        case _:
            _write_workbook(flat(as_arrow(table)), path)


def require_target(path: str | os.PathLike[str]) -> None:
    """Check that a file can be written, before the work is done.

    Raises
    ------
    OutputError
        If its extension is none of .csv, .parquet, .xlsx, or its folder does not exist.
    """
    _extension(path)
    if not Path(path).parent.is_dir():
        raise OutputError(
            translated(
                "Cannot write {path}: the folder {parent} does not exist. Create it first.",
                path=path,
                parent=Path(path).parent,
            )
        )


def _extension(path: str | os.PathLike[str]) -> str:
    found = Path(path).suffix.lower()
    if found not in EXTENSIONS:
        raise OutputError(
            translated("Cannot write {path}: name it .csv, .parquet or .xlsx to choose a format.", path=path)
        )
    return found


def _write_workbook(table: pa.Table, path: str | os.PathLike[str]) -> None:
    """Write one worksheet: ids as text, dates as dates, the header frozen."""
    _require_fit(table, path)
    # constant_memory: each row goes to the disk before the next, so a million rows need no memory.
    with atomic_path(path, private=True) as beside, excel_book(beside, constant_memory=True) as book:
        _fill_sheet(book, table)


def _fill_sheet(book: Any, table: pa.Table) -> None:
    """Write header and rows, row after row."""
    sheet = book.add_worksheet("stayworth")
    writers = [_cell_writer(sheet, book, field.type) for field in table.schema]
    for index, name in enumerate(table.column_names):
        sheet.set_column(index, index, _width(name, table.column(index)))
    heading = book.add_format({"bold": True, "bottom": 1})
    for index, name in enumerate(table.column_names):
        sheet.write_string(0, index, name, heading)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, table.num_rows, max(table.num_columns - 1, 0))
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    row = 0
    for batch in table.to_batches(max_chunksize=10_000):
        for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            row += 1
            for index, (write, cell) in enumerate(zip(writers, cells, strict=True)):
                if cell is not None and cell == cell:  # NaN, like null, is an empty cell
                    write(row, index, cell)


def _cell_writer(sheet: Any, book: Any, kind: pa.DataType) -> Callable[[int, int, Any], Any]:
    """Return the function (row, column, cell) that writes one cell of a column of this type."""
    text = book.add_format({"num_format": "@"})

    def write_text(row: int, column: int, cell: object) -> None:
        sheet.write_string(row, column, str(cell), text)

    if pa.types.is_boolean(kind):
        return sheet.write_boolean  # type: ignore[no-any-return]
    if pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
        day = book.add_format(
            {"num_format": "yyyy-mm-dd" if pa.types.is_date(kind) else "yyyy-mm-dd hh:mm:ss"}
        )

        def write_date(row: int, column: int, cell: date) -> None:
            if cell.year < 1900:  # where Excel's calendar begins
                write_text(row, column, cell)
            else:
                sheet.write_datetime(row, column, cell, day)

        return write_date
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        # Excel has no infinity.
        return lambda row, column, cell: (
            write_text(row, column, cell) if math.isinf(cell) else sheet.write_number(row, column, cell)
        )
    return write_text


def _require_fit(table: pa.Table, path: str | os.PathLike[str]) -> None:
    """Raise an OutputError if a worksheet cannot hold the table."""
    if table.num_rows >= EXCEL_ROWS:
        raise OutputError(
            translated(
                "Cannot write {path}: {rows:row|rows}, and a worksheet holds {most:,}. Write {name} "
                "instead, or use --top to take fewer.",
                path=path,
                rows=table.num_rows,
                most=EXCEL_ROWS - 1,
                name=Path(path).with_suffix(".csv").name,
            )
        )
    for name, column in zip(table.column_names, table.columns, strict=True):
        longest = pc.max(pc.utf8_length(column)).as_py() if is_text(column.type) else None
        if longest is not None and longest > EXCEL_CELL:
            raise OutputError(
                translated(
                    "Cannot write {path}: column {name!r} has a text of {longest:,} characters, an Excel "
                    "cell holds {most:,}. Write {other} instead.",
                    path=path,
                    name=name,
                    longest=longest,
                    most=EXCEL_CELL,
                    other=Path(path).with_suffix(".csv").name,
                )
            )


def _width(name: str, column: pa.ChunkedArray) -> int:
    """Return a column width in characters, from the name and the first rows."""
    cells = (str(cell) for cell in column.slice(0, 200).to_pylist() if cell is not None)
    return min(max([len(name) + 3, *(len(cell) + 1 for cell in cells)]), _WIDEST)
