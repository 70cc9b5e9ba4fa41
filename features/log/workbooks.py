"""Excel workbooks, read as text: ids keep their digits, dates are ISO."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time
from pathlib import Path

import pyarrow as pa

from features.errors import EmptyLogError, LogError
from features.log.streams import Stream


@contextmanager
def open_workbook(path: Path, *, first_sheet: bool = False) -> Iterator[Stream]:
    """Open a workbook for reading: the rows of all sheets that have the header of the first.

    Parameters
    ----------
    path : .xlsx file
    first_sheet : bool
        Read that sheet only, whatever else is there.

    Raises
    ------
    EmptyLogError, LogError
        If it has no rows, cannot be read, or has sheets with rows under another header.
    """
    import openpyxl

    try:
        with path.open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheets = {sheet.title: _rows(sheet) for sheet in book.worksheets}
            book.close()
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise LogError(f"{path} cannot be read: {error}.") from None
    filled = {title: rows for title, rows in sheets.items() if rows}
    if not filled:
        raise EmptyLogError(f"{path} is empty.")
    header, *body = next(iter(filled.values()))
    others = {title: rows for title, rows in list(filled.items())[1:] if len(rows) > 1}
    if not first_sheet:
        strange = [title for title, rows in others.items() if rows[0] != header]
        if strange:
            raise LogError(
                f"{path} has sheets with different columns: {', '.join(map(repr, filled))}. "
                "Save the one that holds the orders as a file of its own."
            )
        body += [row for rows in others.values() for row in rows[1:]]
    named = [place for place, name in enumerate(header) if name]
    if len({header[place] for place in named}) < len(named):
        raise LogError(f"{path} has two columns of one name. Rename one of them.")
    schema = pa.schema([(header[place], pa.string()) for place in named])
    cells = [
        pa.array([row[place] if place < len(row) else "" for row in body], pa.string()) for place in named
    ]
    batch = pa.record_batch(cells, schema=schema)
    yield Stream(str(path), schema.names, schema, iter([batch]), total_rows=len(body))


def _rows(sheet: object) -> list[list[str]]:
    from openpyxl.utils.escape import unescape

    rows = ([unescape(_as_text(cell)) for cell in row] for row in sheet.iter_rows(values_only=True))  # type: ignore[attr-defined]
    return [row for row in rows if any(row)]


def _as_text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ") if cell.time() != time() else cell.date().isoformat()
    return str(cell)
