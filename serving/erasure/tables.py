"""Removal of customers' rows from one file: a CSV, a Parquet file or an Excel workbook.

What stays is left as it was: the lines of a CSV byte for byte, the schema of a Parquet file, the sheets of a workbook.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.errors import LogError, StayworthError
from features.files import atomic_path
from features.language import translated
from features.log.delimited import Layout, layout_of
from features.log.identity import loose, read_ids
from features.spreadsheet_cells import bare_cells
from features.suggestion import nearest

EXTENSIONS = (".csv", ".tsv", ".txt", ".parquet", ".xlsx")
_SAMPLE_LINES = 50


class NoIdColumn(StayworthError):
    """A table has no column of customer ids."""


@dataclass(frozen=True)
class Found:
    """Rows of one table.

    Parameters
    ----------
    rows : int
        Of the customers to erase.
    similar : int
        Of ids that differ from theirs in writing only, such as ``17.0`` or ``00017`` from ``17``; they stay.
    """

    rows: int
    similar: int


def erase_rows(path: Path, ids: Collection[str], column: str, *, keep: bool = False) -> Found:
    """Remove the rows of some customers from a table; a file without any is not written.

    Parameters
    ----------
    path : CSV, Parquet or Excel file
    ids : ids to the letter, as `features.log.identity.read_ids` reads them
    column : the column of customer ids
    keep : bool
        Count only.

    Raises
    ------
    NoIdColumn
        If the table lacks the column.
    StayworthError
        If the file is of another kind, or cannot be read or written.
    """
    match path.suffix.lower():
        case ".csv" | ".tsv" | ".txt":
            erase = _erase_lines
        case ".parquet":
            erase = _erase_parquet
        case ".xlsx":
            erase = _erase_cells
        case _:
            raise StayworthError(
                translated(
                    "{path}: rows can be removed from {names}. Unpack it, or save it as one of these.",
                    path=path,
                    names=list(EXTENSIONS),
                )
            )
    wanted = _Wanted(ids)
    try:
        erase(path, wanted, column, True)
        found = Found(wanted.rows, wanted.similar)
        if found.rows and not keep:
            erase(path, _Wanted(ids), column, False)
    except (OSError, UnicodeError, csv.Error, pa.ArrowException) as error:
        raise LogError(translated("{path} cannot be read: {error}.", path=path, error=error)) from None
    return found


class _Wanted:
    """The ids to erase, and how many rows had one."""

    def __init__(self, ids: Collection[str]) -> None:
        self.ids = frozenset(ids)
        self.loose = frozenset(map(loose, ids))
        self.rows = self.similar = 0

    def has(self, cell: str) -> bool:
        """Tell whether a cell has one of the ids, and count it."""
        if cell in self.ids:
            self.rows += 1
            return True
        self.similar += loose(cell) in self.loose
        return False


def _erase_lines(path: Path, wanted: _Wanted, column: str, keep: bool) -> None:
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        head = list(islice(file, _SAMPLE_LINES))
    if not any(line.strip() for line in head):
        raise NoIdColumn(translated("{path} is empty.", path=path))
    layout = layout_of(head)
    names = bare_cells(pa.array(list(layout.header), pa.string())).to_pylist()
    place = _place(names, column, path)
    with path.open(encoding=encoding, newline="") as file:
        kept = _kept_lines(file, layout, place, wanted)
        if keep:
            for _ in kept:
                pass
            return
        with (
            atomic_path(path, private=True) as beside,
            beside.open("x", encoding=encoding, newline="") as out,
        ):
            out.writelines(kept)


def _kept_lines(file: IO[str], layout: Layout, place: int, wanted: _Wanted) -> Iterator[str]:
    """Yield the lines of a text without the records of the customers, as they are written."""
    yield from islice(file, layout.lines)
    record: list[str] = []

    def remembered(lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            record.append(line)
            yield line

    for cells in csv.reader(remembered(file), delimiter=layout.separator):
        cell = cells[place] if place < len(cells) else ""
        if not wanted.has(_bare(cell).strip()):
            yield from record
        record.clear()


def _bare(cell: str) -> str:
    """Take off the apostrophe that `features.files.safe_cells` may have put before a formula."""
    return bare_cells(pa.array([cell]))[0].as_py() if cell.startswith("'") else cell


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"


def _erase_parquet(path: Path, wanted: _Wanted, column: str, keep: bool) -> None:
    with closing(pq.ParquetFile(path)) as file:
        names = file.schema_arrow.names
        ids = read_ids(file.read(columns=[_field(names, column, path)]).column(0))
        distinct = [each for each in ids.unique().to_pylist() if each is not None]
        theirs = pc.is_in(
            ids, value_set=pa.array([each for each in distinct if each in wanted.ids], pa.string())
        )
        alike = [each for each in distinct if each not in wanted.ids and loose(each) in wanted.loose]
        wanted.rows += pc.sum(theirs).as_py() or 0
        wanted.similar += pc.sum(pc.is_in(ids, value_set=pa.array(alike, pa.string()))).as_py() or 0
        if not keep:
            stay = np.flatnonzero(~theirs.to_numpy(zero_copy_only=False))
            table = file.read().take(pa.array(stay))
            with atomic_path(path, private=True) as beside:
                pq.write_table(table, beside)


def _erase_cells(path: Path, wanted: _Wanted, column: str, keep: bool) -> None:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path)
    except (InvalidFileException, KeyError, ValueError) as error:
        raise LogError(translated("{path} cannot be read: {error}.", path=path, error=error)) from None
    sheets = [sheet for sheet in book.worksheets if column in _header(sheet)]
    if not sheets:
        _place(_header(book.worksheets[0]), column, path)
    for sheet in sheets:
        place = _header(sheet).index(column) + 1
        theirs = [
            row for row in range(2, sheet.max_row + 1) if wanted.has(_cell_text(sheet.cell(row, place).value))
        ]
        for row in reversed(theirs):
            sheet.delete_rows(row)
    if not keep:
        with atomic_path(path, private=True) as beside:
            book.save(beside)
    book.close()


def _header(sheet: Any) -> list[str]:
    return ["" if cell.value is None else str(cell.value) for cell in next(sheet.iter_rows(max_row=1), ())]


def _cell_text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def _field(names: list[str], column: str, path: Path) -> str:
    return names[_place(names, column, path)]


def _place(names: list[str], column: str, path: Path) -> int:
    """Return which column has the ids."""
    if column in names:
        return names.index(column)
    near = nearest(column, names)
    remedy = (
        f"--customer-column {near!r}?" if near else translated("Name its column of ids: --customer-column.")
    )
    raise NoIdColumn(
        translated(
            "{path} has no column {column!r}; it has {names}. {remedy}",
            path=path,
            column=column,
            names=list(names),
            remedy=remedy,
        )
    )
