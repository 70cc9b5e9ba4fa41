"""The sheets of a workbook, read as rows of text: ids keep their digits, dates are ISO, and hidden rows are counted."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from numpy import format_float_scientific

from features.errors import LogError
from features.language import translated
from features.log.currencies import currency_code
from features.log.delimited import TITLE_LINES
from features.log.hidden_rows import hidden_numbers

MOST_ROWS = 1 << 20  # Excel's own limit; a file may claim more
MOST_CELLS = 50_000_000
MOST_TEXT = 256 << 20
_BATCH_ROWS = 10_000
_LOOKED_AT = 4 << 20
_NOT_COMPUTED = re.compile(rb"<f[^>]*>([^<]{1,200})</f>(?:<v ?/>|<v></v>)?</c>")
_BRACKETED = re.compile(r"\[\$([^\]-]+)(?:-[0-9A-Fa-f]+)?\]")  # a currency in a number format, as [$€-407]
_QUOTED = re.compile(r'"([^"]+)"|([$€£¥₹₺₽₩﷼])')


@dataclass(frozen=True)
class Sheet:
    """A worksheet with a header: its named columns, by their places, and the rows below in batches."""

    header: list[str]
    batches: list[pa.RecordBatch]
    fractions: list[pa.RecordBatch]
    """Which cells of the batches are numbers with a fraction."""
    currencies: dict[str, Counter[str]]
    """By column, how many numbers are formatted in which currency."""
    hidden: bool = False
    hidden_rows: int = 0

    @property
    def rows(self) -> int:
        """How many rows there are below the header."""
        return sum(batch.num_rows for batch in self.batches)


class Fraction(str):
    """The text of a cell that is a number with a fraction: with a point, however text cells write theirs."""


@dataclass
class _Unseen:
    """The numbers of a sheet's hidden rows, and how many of them were read that hold something."""

    numbers: frozenset[int]
    rows: int = 0


@dataclass
class Budget:
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
                translated(
                    "{path} holds more than {most_rows:row|rows} in a sheet, {most_cells:,} cells or {value} "
                    "MiB of text, the most that is read from a workbook. Save the sheet as CSV UTF-8, and "
                    "give that.",
                    path=self.path,
                    most_rows=MOST_ROWS,
                    most_cells=MOST_CELLS,
                    value=MOST_TEXT >> 20,
                )
            )


def read_sheets(book: Any, budget: Budget, first_sheet: bool) -> dict[str, Sheet]:
    """Read the sheets with a cell, by title."""
    sheets = {}
    for sheet in book.worksheets:
        hidden = sheet.sheet_state != "visible"
        if hidden and first_sheet:
            continue
        if not hidden:
            _require_computed(budget.path, sheet)
        sheet.reset_dimensions()  # which the file may state wrongly: rows beyond them would be left out
        currencies: dict[int, Counter[str]] = {}
        unseen = _Unseen(hidden_numbers(budget.path, sheet._worksheet_path))
        first = list(islice(rows := _rows(sheet, budget, currencies, unseen), TITLE_LINES + 1))
        if first:
            # Titles of one cell, above a header of several.
            start = next((place for place, row in enumerate(first) if sum(map(bool, row)) > 1), 0)
            header, rows = first[start], chain(first[start + 1 :], rows)
            both = list(_batches(header, rows))
            sheets[sheet.title] = Sheet(
                header,
                [batch for batch, _ in both],
                [marks for _, marks in both],
                {header[place]: counts for place, counts in currencies.items() if place < len(header)},
                hidden,
                unseen.rows,
            )
            if first_sheet:
                break
    return sheets


def _require_computed(path: Path, sheet: Any) -> None:
    """Refuse a sheet with formulas whose values no program has worked out: their cells would be empty."""
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path.lstrip("/")) as xml:
        found = _NOT_COMPUTED.findall(xml.read(_LOOKED_AT))
    if found:
        raise LogError(
            translated(
                "{path}, sheet {sheet!r}: formulas, such as {formula!r}, have no values yet. Open the file in a "
                "spreadsheet program, save it there, and give it again.",
                path=path,
                sheet=sheet.title,
                formula=f"={found[0].decode(errors='replace')}",
            )
        )


def schema_of(names: list[str]) -> pa.Schema:
    """Return the schema of columns of text."""
    return pa.schema([(name, pa.string()) for name in names])


def _batches(header: list[str], rows: Iterator[list[str]]) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    named = [place for place, name in enumerate(header) if name]
    schema = schema_of([header[place] for place in named])
    while block := list(islice(rows, _BATCH_ROWS)):
        columns = [[row[place] if place < len(row) else "" for row in block] for place in named]
        marks = [pa.array([isinstance(cell, Fraction) for cell in column]) for column in columns]
        texts = [pa.array(column, pa.string()) for column in columns]
        yield pa.record_batch(texts, schema=schema), pa.record_batch(marks, names=schema.names)


def _rows(
    sheet: Any, budget: Budget, currencies: dict[int, Counter[str]], unseen: _Unseen
) -> Iterator[list[str]]:
    """Yield the rows with a cell that is not empty; count by place in which currency numbers are formatted."""
    from openpyxl.utils.escape import unescape

    of_style: dict[int, str] = {}
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        row = ["" if cell.value is None else _cell(cell.value, unescape) for cell in cells]
        budget.spend(number, row)
        for place, cell in enumerate(cells):
            if type(cell.value) in (int, float):
                if cell._style_id not in of_style:
                    of_style[cell._style_id] = _currency_of(cell.number_format)
                if word := of_style[cell._style_id]:
                    currencies.setdefault(place, Counter())[word] += 1
        if any(row):
            unseen.rows += number in unseen.numbers
            while not row[-1]:
                row.pop()
            yield row


def _currency_of(number_format: str) -> str:
    """Return the currency that a number format shows; empty if it shows none.

    Examples
    --------
    >>> _currency_of('#,##0.00 [$€-407]'), _currency_of('"TL" #,##0'), _currency_of('[$-409]d-mmm')
    ('€', 'TL', '')
    """
    if found := _BRACKETED.search(number_format):
        return found[1].strip()
    shown = re.sub(r"\[[^\]]*\]", "", number_format)
    words = (quoted or sign for quoted, sign in _QUOTED.findall(shown))
    return next((word.strip() for word in words if currency_code(word)), "")


def _cell(cell: object, unescape: Callable[[str], str]) -> str:
    fraction = isinstance(cell, float) and not cell.is_integer()
    return Fraction(cell) if fraction else unescape(_as_text(cell))


def _as_text(cell: object) -> str:
    if isinstance(cell, float):
        # From 16 digits on the last ones are lost, and the check of ids has to see that.
        return str(int(cell)) if abs(cell) < 1e15 else format_float_scientific(cell, trim="-")
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ") if cell.time() != time() else cell.date().isoformat()
    return str(cell)
