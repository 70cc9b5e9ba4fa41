"""Excel workbooks, read as text: ids keep their digits, dates are ISO; hidden sheets are left out.

A workbook is a ZIP archive of XML, and a megabyte of it may stand for gigabytes; so what is unpacked, and what comes
of it, have limits.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from features.errors import EmptyLogError, LogError
from features.language import translated
from features.log.streams import Stream
from features.log.unpacking import require_plausible_size
from features.log.workbook_remarks import metadata_of
from features.log.worksheets import Budget, Sheet, read_sheets, schema_of

LARGEST_XML = 512 << 20
LARGEST_PART = 8 << 20  # that may be packed as tightly as it likes
_STYLED = (
    r"^[^0-9]{0,4}[0-9]+([.,' ][0-9]{3})*([.,][0-9]+)?[^0-9]{0,4}$"  # a text that is a number with marks
)


@contextmanager
def open_workbook(path: Path, *, first_sheet: bool = False) -> Iterator[Stream]:
    """Open a workbook for reading: the rows of all sheets that can be seen and have the header of the first.

    The schema tells which sheets those are (`features.log.workbook_remarks.sheets_of`) where there are several, or
    hidden ones with rows.

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
            sheets = read_sheets(book, Budget(path), first_sheet)
            book.close()
    except LogError:
        raise
    except Exception as error:  # of any kind: openpyxl trusts that the parts of a file go together
        raise LogError(translated("{path} cannot be read: {error}.", path=path, error=error)) from None
    used = _shown(path, sheets)
    names = [name for name in used[0].header if name]
    if len(set(names)) < len(names):
        raise LogError(translated("{path} has two columns of one name. Rename one of them.", path=path))
    batches = [batch for sheet in used for batch in sheet.batches]
    schema = schema_of(names)
    if batches and not first_sheet:
        marks = [marks for sheet in used for marks in sheet.fractions]
        table = _with_numbers(pa.Table.from_batches(batches), pa.Table.from_batches(marks))
        batches, schema = table.to_batches(), table.schema
    schema = schema.with_metadata(_remarks(path, sheets, used))
    yield Stream(str(path), names, schema, iter(batches), sum(batch.num_rows for batch in batches))


def _shown(path: Path, sheets: dict[str, Sheet]) -> list[Sheet]:
    """Return the sheets that can be seen, the first and of the others those with rows; all have one header."""
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
    return [first, *others]


def _remarks(path: Path, sheets: dict[str, Sheet], used: list[Sheet]) -> dict[bytes, bytes] | None:
    """Return the metadata that tell of sheets, if there is more to tell than that one was read, and of currencies."""
    read, hidden = (
        {title: sheet.rows for title, sheet in sheets.items() if sheet.rows and sheet.hidden is is_hidden}
        for is_hidden in (False, True)
    )
    told = {"file": path.name, "read": read, "hidden": hidden}
    unseen = sum(sheet.hidden_rows for sheet in used)
    return metadata_of(
        [told] if hidden or len(read) > 1 else [],
        [sheet.currencies for sheet in used],
        {path.name: unseen} if unseen else {},
    )


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
