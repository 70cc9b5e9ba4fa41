"""CSV files and their like: which separator, where the header is, and the rows as text.

The one place where a separator is guessed: comma, semicolon, tab or bar, whichever gives the header most
cells. Excel's line ``sep=;`` decides; title lines and comments above the header are left out.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from features.errors import EmptyLogError, LogError
from features.language import translated
from features.log.streams import Stream
from features.log.unpacking import plain_text

SEPARATORS = ",;\t|"
_BLOCK_BYTES = 8 << 20  # a row must fit in one
_SAMPLE_LINES = 50
_BLANK_LINES = 10_000  # above the header, at most
_MOST_COLUMNS = 10_000
_TORN_ROW = re.compile(r"^CSV parse error: Row #([0-9]+): Expected ([0-9]+) columns, got ([0-9]+)")
TITLE_LINES = 10
"""Lines above the header, at most."""


@dataclass(frozen=True)
class Layout:
    """How a delimited text is written.

    Attributes
    ----------
    separator : str
    header : tuple of str, the names of the columns; empty for a column without a name
    lines : int, physical lines down to the header, with it
    """

    separator: str
    header: tuple[str, ...]
    lines: int

    @property
    def names(self) -> list[str]:
        """The columns' names, each once: columns of one name are numbered, as in ``Date#1``, ``Date#2``."""
        counts, seen = Counter(self.header), Counter[str]()
        names = []
        for name in self.header:
            seen[name] += 1
            names.append(f"{name}#{seen[name]}" if name and counts[name] > 1 else name)
        return names


def layout_of(lines: Sequence[str]) -> Layout:
    r"""Find the separator and the header in the first lines of a text.

    Examples
    --------
    >>> layout_of(["customer_id;amount\n", "17;20,50\n"])
    Layout(separator=';', header=('customer_id', 'amount'), lines=1)
    >>> layout_of(["Orders of 2024\n", "\n", "id,amount\n", "17,20\n", "18,3\n"]).lines
    3
    """
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    declared = lines[first].strip().strip('"').lower()
    if declared.startswith("sep=") and len(declared) <= 5:
        return _with_header(lines, first + 1, declared[4:] or "\t")
    separator = max(SEPARATORS, key=lambda mark: _width(lines[first], mark))
    skipped = _titles(lines[first:])
    if skipped:
        first += skipped
        separator = max(SEPARATORS, key=lambda mark: _width(lines[first], mark))
    return _with_header(lines, first, separator)


def _with_header(lines: Sequence[str], start: int, separator: str) -> Layout:
    while start < len(lines) and not lines[start].strip():
        start += 1
    reader = csv.reader(lines[start:], delimiter=separator)
    header = tuple(next(reader, []))
    end = start + reader.line_num
    return Layout(separator, header + ("",) * _ends_in_a_mark(lines[end:], separator, len(header)), end)


def _ends_in_a_mark(lines: Sequence[str], separator: str, width: int) -> bool:
    """Tell whether the rows end in a separator, which the header does not: they have a cell more, an empty one."""
    filled = [line for line in lines if line.strip()]
    if not filled or not all(line.rstrip("\r\n").endswith(separator) for line in filled[:-1] or filled):
        return False
    rows = csv.reader(filled[:-1] or filled, delimiter=separator)  # the last line may be torn
    return all(len(row) == width + 1 for row in rows)


def _width(line: str, separator: str) -> int:
    return len(next(csv.reader([line], delimiter=separator), []))


def _titles(lines: Sequence[str]) -> int:
    """Count the lines above the header: comments, and titles of one cell that are no name of a column."""
    for skipped, line in enumerate(lines[: TITLE_LINES + 1]):
        below = next((other for other in lines[skipped + 1 :] if other.strip()), None)
        if below is None:
            return 0
        mark = max(SEPARATORS, key=lambda mark: _width(line, mark))
        width = _width(line, mark)
        if width > 1 and width == _width(below, mark):
            return skipped
        filled = sum(bool(cell.strip()) for cell in next(csv.reader([line], delimiter=mark), []))
        title = filled <= 1 and (skipped > 0 or re.search(r"[\s0-9]", line.strip()))
        if line.strip() and not line.lstrip().startswith("#") and not title:
            return 0
    return 0


@contextmanager
def open_delimited(path: Path, encoding: str | None = None) -> Iterator[Stream]:
    """Open a CSV for reading: every cell as text, an empty one as ``""``.

    Raises
    ------
    EmptyLogError
        If the file is empty.
    LogError
        If it cannot be read, or a row does not fit the header: says which row.
    """
    with plain_text(path, encoding) as text:
        lines = _first_lines(text, path)
        layout = _layout(lines, path)
        names = layout.names
        named = [name for name in names if name]
        schema = pa.schema([(name, pa.string()) for name in named])
        if not any(line.strip() for line in lines[layout.lines :]) and len(lines) < _SAMPLE_LINES:
            yield Stream(str(path), named, schema, iter(()))
            return
        try:
            # Arrow opens the file itself, and nothing here is called by it: its threads must never have to wait for
            # Python, which ends a thread that waits at the end of the process, and the process with it (SIGABRT).
            reader = pa.csv.open_csv(
                pa.OSFile(str(text)),
                # Only a single thread knows the number of a row that does not fit.
                pa.csv.ReadOptions(
                    use_threads=False,
                    block_size=_BLOCK_BYTES,
                    column_names=[name or f"\x1f{place}" for place, name in enumerate(names)],
                    skip_rows=layout.lines,
                ),
                pa.csv.ParseOptions(delimiter=layout.separator, newlines_in_values=True),
                pa.csv.ConvertOptions(
                    column_types={name or f"\x1f{place}": pa.string() for place, name in enumerate(names)}
                ),
            )
            yield Stream(str(path), named, schema, _closed(reader, schema, text, path, layout))
        except pa.ArrowException as error:
            raise LogError(_fault(path, text, layout, str(error))) from None


def _first_lines(text: Path, path: Path) -> list[str]:
    """Return the first lines, as many as it takes to have one that is not blank."""
    lines: list[str] = []
    left = _BLOCK_BYTES
    try:
        with text.open(encoding="utf-8-sig", newline=None) as file:
            while len(lines) < _BLANK_LINES and (line := file.readline(left + 1)):
                lines.append(line)
                left -= len(line)
                if left < 0:
                    raise LogError(_too_long(path))
                if len(lines) % _SAMPLE_LINES == 0 and any(map(str.strip, lines)):
                    return lines
    except UnicodeDecodeError:
        raise LogError(_not_utf8(text, path)) from None
    if not any(map(str.strip, lines)):
        raise EmptyLogError(
            translated("{path} is empty.", path=path)
            if len(lines) < _BLANK_LINES
            else translated("{path} begins with blank lines.", path=path)
        )
    return lines


def _too_long(path: Path) -> str:
    return translated(
        '{path}: a row is longer than {size} MiB. Most likely a quote (") is opened and never closed.',
        path=path,
        size=_BLOCK_BYTES >> 20,
    )


def _layout(lines: Sequence[str], path: Path) -> Layout:
    try:
        layout = layout_of(lines)
    except csv.Error as error:
        raise LogError(translated("{path} cannot be read: {error}.", path=path, error=error)) from None
    if len(layout.header) > _MOST_COLUMNS:
        raise LogError(
            translated(
                "{path} has {n:,} columns; at most {most_columns:,} are read.",
                path=path,
                n=len(layout.header),
                most_columns=_MOST_COLUMNS,
            )
        )
    return layout


def _closed(
    reader: Iterator[pa.RecordBatch], schema: pa.Schema, text: Path, path: Path, layout: Layout
) -> Iterator[pa.RecordBatch]:
    """Yield the named columns of each batch; refuse the last if its last cell was never closed."""
    rows, last = 0, None
    for batch in filter(len, reader):
        rows, last = rows + len(batch), batch.column(batch.num_columns - 1)[-1].as_py()
        yield batch.select(schema.names)
    if last is not None and _never_closed(text, layout.separator, last):
        raise LogError(
            translated(
                '{path}, data row {rows}: a quote (") is opened and never closed. Close it, or double it '
                '("").',
                path=path,
                rows=rows,
            )
        )


def _never_closed(text: Path, separator: str, cell: str) -> bool:
    """Tell whether a file ends with a quote and a cell, instead of a cell or a cell in two quotes."""
    written = cell.replace('"', '""').encode()
    with text.open("rb") as file:
        file.seek(0, io.SEEK_END)
        size = file.tell()
        file.seek(max(0, size - len(written) - 2 * len(cell) - 8))
        tail = file.read().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    written = written.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return any(tail.endswith(mark + b'"' + written) for mark in (separator.encode(), b"\n"))


def _fault(path: Path, text: Path, layout: Layout, error: str) -> str:
    """Say which row cannot be read and why, without the customer's values."""
    if torn := _TORN_ROW.search(error):
        number, expected, actual = map(int, torn.groups())
        found = translated(
            "{path}, data row {row}: {n:cell|cells}, where the header has {expected}.",
            path=path,
            row=number - layout.lines,
            n=actual,
            expected=expected,
        )
        if actual < expected and _ends_in_zeros(text):
            zeros = translated(
                "The file ends in zero bytes, as one that was not written whole: get it again."
            )
            return f"{found} {zeros}"
        remedy = (
            translated(
                "A cell that holds {separator!r} must stand in double quotes.", separator=layout.separator
            )
            if actual > expected
            else translated(
                "A cell that holds a line break must stand in double quotes; a note below the table, or another table, "
                "has to be taken out."
            )
        )
        return f"{found} {remedy}"
    if "straddling" in error:
        return _too_long(path)
    if "UTF8" in error:
        return _not_utf8(text, path)
    return translated("{path} is not a CSV file that can be read: {error}.", path=path, error=error)


def _ends_in_zeros(text: Path) -> bool:
    with text.open("rb") as file:
        file.seek(-1, io.SEEK_END)
        return file.read() == b"\0"


def _not_utf8(text: Path, path: Path) -> str:
    remedy = translated(
        "Save it as UTF-8 (in Excel: CSV UTF-8), or name its encoding: --encoding cp1252 (Western Europe), cp1254 "
        "(Turkish), cp1256 (Arabic, Persian)."
    )
    with text.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_BLOCK_BYTES), b""), start=1):
            if len(line) == _BLOCK_BYTES:  # perhaps cut within a letter
                break
            try:
                line.removeprefix(codecs.BOM_UTF8).decode()
            except UnicodeDecodeError:
                return translated(
                    "{path}, line {line}: not UTF-8. {remedy}", path=path, line=number, remedy=remedy
                )
    return translated("{path} is not UTF-8. {remedy}", path=path, remedy=remedy)
