"""Excel workbooks, read as text: ids keep their digits, dates are ISO.

A workbook is a ZIP archive of XML, and a megabyte of it may stand for gigabytes; so what is unpacked, and what comes
of it, have limits.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from features.errors import EmptyLogError, LogError
from features.log.delimited import TITLE_LINES
from features.log.file_kinds import require_plausible_size
from features.log.streams import Stream

LARGEST_XML = 512 << 20
LARGEST_PART = 8 << 20  # that may be packed as tightly as it likes
MOST_ROWS = 1 << 20  # Excel's own limit; a file may claim more
MOST_CELLS = 50_000_000
MOST_TEXT = 256 << 20
_BATCH_ROWS = 10_000


@dataclass(frozen=True)
class _Sheet:
    """A worksheet with a header: its named columns, by their places, and the rows below in batches."""

    header: list[str]
    batches: list[pa.RecordBatch]

    @property
    def rows(self) -> int:
        return sum(batch.num_rows for batch in self.batches)


@dataclass
class _Budget:
    """What is left of the cells and the text that a workbook may hold."""

    path: Path
    cells: int = MOST_CELLS
    text: int = MOST_TEXT

    def spend(self, number: int, row: list[str]) -> None:
        """Take a row off, the sheet's ``number``-th."""
        self.cells -= len(row)
        self.text -= sum(map(len, row))
        if number > MOST_ROWS or self.cells < 0 or self.text < 0:
            raise LogError(
                f"{self.path} holds more than {MOST_ROWS:,} rows in a sheet, {MOST_CELLS:,} cells or "
                f"{MOST_TEXT >> 20} MiB of text, the most that is read from a workbook. Save the sheet as CSV UTF-8, "
                "and give that."
            )


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
        If it has no rows, cannot be read, holds more than the limits, or has sheets with rows under another header.
    """
    import openpyxl

    try:
        _require_size(path)
        with path.open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheets = _sheets(book, _Budget(path), first_sheet)
            book.close()
    except LogError:
        raise
    except Exception as error:  # of any kind: openpyxl trusts that the parts of a file go together
        raise LogError(f"{path} cannot be read: {error}.") from None
    if not sheets:
        raise EmptyLogError(f"{path} is empty.")
    first, *others = [sheet for place, sheet in enumerate(sheets.values()) if not place or sheet.rows]
    if any(other.header != first.header for other in others):
        raise LogError(
            f"{path} has sheets with different columns: {', '.join(map(repr, sheets))}. "
            "Save the one that holds the orders as a file of its own."
        )
    names = [name for name in first.header if name]
    if len(set(names)) < len(names):
        raise LogError(f"{path} has two columns of one name. Rename one of them.")
    batches = [batch for sheet in (first, *others) for batch in sheet.batches]
    yield Stream(str(path), names, _schema(names), iter(batches), sum(batch.num_rows for batch in batches))


def _require_size(path: Path) -> None:
    """Refuse a workbook whose parts would be unpacked to more than it may plausibly hold."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    for part in parts:
        require_plausible_size(path, part.file_size, part.compress_size, free=LARGEST_PART)
    if (size := sum(part.file_size for part in parts)) > LARGEST_XML:
        raise LogError(
            f"{path} unpacks to {size >> 20:,} MiB, more than {LARGEST_XML >> 20} MiB, the most that is read from a "
            "workbook. Save the sheet as CSV UTF-8, and give that."
        )


def _sheets(book: Any, budget: _Budget, first_sheet: bool) -> dict[str, _Sheet]:
    """Read the sheets with a cell, by title."""
    sheets = {}
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # which the file may state wrongly: rows beyond them would be left out
        first = list(islice(rows := _rows(sheet, budget), TITLE_LINES + 1))
        if first:
            # Titles of one cell, above a header of several.
            start = next((place for place, row in enumerate(first) if sum(map(bool, row)) > 1), 0)
            header, rows = first[start], chain(first[start + 1 :], rows)
            sheets[sheet.title] = _Sheet(header, list(_batches(header, rows)))
            if first_sheet:
                break
    return sheets


def _schema(names: list[str]) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in names])


def _batches(header: list[str], rows: Iterator[list[str]]) -> Iterator[pa.RecordBatch]:
    named = [place for place, name in enumerate(header) if name]
    schema = _schema([header[place] for place in named])
    while block := list(islice(rows, _BATCH_ROWS)):
        columns = [[row[place] if place < len(row) else "" for row in block] for place in named]
        yield pa.record_batch([pa.array(column, pa.string()) for column in columns], schema=schema)


def _rows(sheet: Any, budget: _Budget) -> Iterator[list[str]]:
    """Yield the rows with a cell that is not empty."""
    from openpyxl.utils.escape import unescape

    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        row = ["" if cell is None else unescape(_as_text(cell)) for cell in cells]
        budget.spend(number, row)
        if any(row):
            while not row[-1]:
                row.pop()
            yield row


def _as_text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ") if cell.time() != time() else cell.date().isoformat()
    return str(cell)
