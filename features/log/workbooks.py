"""Excel workbooks, read as text: ids keep their digits, dates are ISO; hidden sheets are left out.

A workbook is a ZIP archive of XML, and a megabyte of it may stand for gigabytes; so what is unpacked, and what comes
of it, have limits.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from numpy import format_float_scientific

from features.errors import EmptyLogError, LogError
from features.language import translated
from features.log.currencies import currency_code
from features.log.delimited import TITLE_LINES
from features.log.file_kinds import require_plausible_size
from features.log.hidden_rows import hidden_numbers
from features.log.streams import Stream

LARGEST_XML = 512 << 20
LARGEST_PART = 8 << 20  # that may be packed as tightly as it likes
MOST_ROWS = 1 << 20  # Excel's own limit; a file may claim more
MOST_CELLS = 50_000_000
MOST_TEXT = 256 << 20
_BATCH_ROWS = 10_000
_LOOKED_AT = 4 << 20
_NOT_COMPUTED = re.compile(rb"<f[^>]*>([^<]{1,200})</f>(?:<v ?/>|<v></v>)?</c>")
_SHEETS, _CURRENCIES = b"stayworth.sheets", b"stayworth.currencies"
_HIDDEN_ROWS = b"stayworth.hidden-rows"
_BRACKETED = re.compile(r"\[\$([^\]-]+)(?:-[0-9A-Fa-f]+)?\]")  # a currency in a number format, as [$€-407]
_QUOTED = re.compile(r'"([^"]+)"|([$€£¥₹₺₽₩﷼])')
_STYLED = (
    r"^[^0-9]{0,4}[0-9]+([.,' ][0-9]{3})*([.,][0-9]+)?[^0-9]{0,4}$"  # a text that is a number with marks
)


@dataclass(frozen=True)
class _Sheet:
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
        return sum(batch.num_rows for batch in self.batches)


class _Fraction(str):
    """The text of a cell that is a number with a fraction: with a point, however text cells write theirs."""


@dataclass
class _Unseen:
    """The numbers of a sheet's hidden rows, and how many of them were read that hold something."""

    numbers: frozenset[int]
    rows: int = 0


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


@contextmanager
def open_workbook(path: Path, *, first_sheet: bool = False) -> Iterator[Stream]:
    """Open a workbook for reading: the rows of all sheets that can be seen and have the header of the first.

    The schema tells which sheets those are (:func:`sheets_of`) where there are several, or hidden ones with rows.

    Parameters
    ----------
    path : .xlsx file
    first_sheet : bool
        Read that sheet only, the first that can be seen, whatever else is there.

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
        raise LogError(translated("{path} cannot be read: {error}.", path=path, error=error)) from None
    seen = {title: sheet for title, sheet in sheets.items() if not sheet.hidden}
    hidden = [f"{title!r} ({sheet.rows:,})" for title, sheet in sheets.items() if sheet.hidden and sheet.rows]
    if hidden and not any(sheet.rows for sheet in seen.values()):
        raise EmptyLogError(
            translated(
                "{path} shows no rows; its hidden sheets have some: {hidden}. Show the one that is meant, and save.",
                path=path,
                hidden=", ".join(hidden),
            )
        )
    if not seen:
        raise EmptyLogError(translated("{path} is empty.", path=path))
    first, *others = [sheet for place, sheet in enumerate(seen.values()) if not place or sheet.rows]
    if any(other.header != first.header for other in others):
        raise LogError(
            translated(
                "{path} has sheets with different columns: {names}. Save the one that holds the orders "
                "as a file of its own, or hide the others.",
                path=path,
                names=", ".join(map(repr, seen)),
            )
        )
    names = [name for name in first.header if name]
    if len(set(names)) < len(names):
        raise LogError(translated("{path} has two columns of one name. Rename one of them.", path=path))
    batches = [batch for sheet in (first, *others) for batch in sheet.batches]
    schema = _schema(names)
    if batches and not first_sheet:
        marks = [marks for sheet in (first, *others) for marks in sheet.fractions]
        table = _with_numbers(pa.Table.from_batches(batches), pa.Table.from_batches(marks))
        batches, schema = table.to_batches(), table.schema
    schema = schema.with_metadata(_remarks(path, sheets, [first, *others]))
    yield Stream(str(path), names, schema, iter(batches), sum(batch.num_rows for batch in batches))


def _remarks(path: Path, sheets: dict[str, _Sheet], used: list[_Sheet]) -> dict[bytes, bytes] | None:
    """Return the metadata that tell of sheets, if there is more to tell than that one was read, and of currencies."""
    read, hidden = (
        {title: sheet.rows for title, sheet in sheets.items() if sheet.rows and sheet.hidden is is_hidden}
        for is_hidden in (False, True)
    )
    told = {"file": path.name, "read": read, "hidden": hidden}
    unseen = sum(sheet.hidden_rows for sheet in used)
    return _metadata(
        [told] if hidden or len(read) > 1 else [],
        [sheet.currencies for sheet in used],
        {path.name: unseen} if unseen else {},
    )


def _metadata(
    sheets: list[dict[str, Any]],
    currencies: Iterable[Mapping[str, Mapping[str, int]]],
    hidden_rows: Mapping[str, int],
) -> dict[bytes, bytes] | None:
    together: dict[str, Counter[str]] = {}
    for name, counts in chain.from_iterable(each.items() for each in currencies):
        together.setdefault(name, Counter()).update(counts)
    made = {_SHEETS: sheets, _CURRENCIES: together, _HIDDEN_ROWS: hidden_rows}
    return {key: json.dumps(value).encode() for key, value in made.items() if value} or None


def sheets_of(schema: pa.Schema) -> list[dict[str, Any]]:
    """Return what a schema tells of sheets: by file, those ``read`` and the ``hidden`` ones, each with its rows."""
    told: list[dict[str, Any]] = json.loads((schema.metadata or {}).get(_SHEETS, b"[]"))
    return told


def currencies_of(schema: pa.Schema, columns: Iterable[str]) -> Counter[str]:
    """Return in which currencies numbers of some columns are formatted, and how many in each."""
    told = json.loads((schema.metadata or {}).get(_CURRENCIES, b"{}"))
    return sum((Counter(told.get(name, {})) for name in columns), Counter())


def hidden_rows_of(schema: pa.Schema) -> dict[str, int]:
    """Return what a schema tells of hidden rows that were read: how many of each file."""
    told: dict[str, int] = json.loads((schema.metadata or {}).get(_HIDDEN_ROWS, b"{}"))
    return told


def with_remarks_of(table: pa.Table, schemas: Iterable[pa.Schema]) -> pa.Table:
    """Return the table that was made of several, with what their schemas tell of sheets, currencies and hidden rows."""
    given = list(schemas)
    told = [each for schema in given for each in sheets_of(schema)]
    currencies = [json.loads((schema.metadata or {}).get(_CURRENCIES, b"{}")) for schema in given]
    unseen = sum((Counter(hidden_rows_of(schema)) for schema in given), Counter())
    return table.replace_schema_metadata(_metadata(told, currencies, unseen))


def _require_size(path: Path) -> None:
    """Refuse a workbook whose parts would be unpacked to more than it may plausibly hold."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    for part in parts:
        require_plausible_size(path, part.file_size, part.compress_size, free=LARGEST_PART)
    if (size := sum(part.file_size for part in parts)) > LARGEST_XML:
        raise LogError(
            translated(
                "{path} unpacks to {value:,} MiB, more than {value_2} MiB, the most that is read from a "
                "workbook. Save the sheet as CSV UTF-8, and give that.",
                path=path,
                value=size >> 20,
                value_2=LARGEST_XML >> 20,
            )
        )


def _sheets(book: Any, budget: _Budget, first_sheet: bool) -> dict[str, _Sheet]:
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
            sheets[sheet.title] = _Sheet(
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


def _schema(names: list[str]) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in names])


def _batches(header: list[str], rows: Iterator[list[str]]) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    named = [place for place, name in enumerate(header) if name]
    schema = _schema([header[place] for place in named])
    while block := list(islice(rows, _BATCH_ROWS)):
        columns = [[row[place] if place < len(row) else "" for row in block] for place in named]
        marks = [pa.array([isinstance(cell, _Fraction) for cell in column]) for column in columns]
        texts = [pa.array(column, pa.string()) for column in columns]
        yield pa.record_batch(texts, schema=schema), pa.record_batch(marks, names=schema.names)


def _with_numbers(table: pa.Table, fractions: pa.Table) -> pa.Table:
    """Give columns of numbers that type, and write numbers between texts as 1125e-3: no mark of theirs is a group's."""
    for place, name in enumerate(table.column_names):
        cells, marks = table.column(place), fractions.column(place)
        if not pc.any(marks).as_py():
            continue
        filled = pc.not_equal(cells, "")
        others = cells.filter(pc.and_(filled, pc.invert(marks)))
        whole = pc.match_substring_regex(others, r"^-?(0|[1-9][0-9]{0,14})$")
        numbers = pc.sum(marks).as_py() + (pc.sum(whole).as_py() or 0)
        if pc.all(whole).as_py() is not False:
            cells = pc.if_else(filled, cells, pa.scalar(None, pa.string())).cast(pa.float64())
        elif (
            2 * numbers > pc.sum(filled).as_py() or pc.any(pc.match_substring_regex(others, _STYLED)).as_py()
        ):
            plain = pa.array(map(_without_mark, cells.filter(marks).to_pylist()), pa.string())
            cells = pc.replace_with_mask(cells.combine_chunks(), marks.combine_chunks(), plain)
        table = table.set_column(place, name, cells)
    return table


def _without_mark(number: str) -> str:
    """Write a number with a fraction without a decimal mark.

    Examples
    --------
    >>> _without_mark("-1.125")
    '-1125e-3'
    """
    sign, digits, exponent = Decimal(number).as_tuple()
    return f"{'-' * sign}{''.join(map(str, digits))}e{exponent}"


def _rows(
    sheet: Any, budget: _Budget, currencies: dict[int, Counter[str]], unseen: _Unseen
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
    return _Fraction(cell) if fraction else unescape(_as_text(cell))


def _as_text(cell: object) -> str:
    if isinstance(cell, float):
        # From 16 digits on the last ones are lost, and the check of ids has to see that.
        return str(int(cell)) if abs(cell) < 1e15 else format_float_scientific(cell, trim="-")
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ") if cell.time() != time() else cell.date().isoformat()
    return str(cell)
