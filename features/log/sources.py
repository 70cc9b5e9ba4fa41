"""Where a log comes from: CSV, Parquet, a folder of Parquet files, or a database, by path or URI.

Rows arrive raw: nothing is judged here, that is validation's. Text stays text, so that ids keep their leading
zeros and money its digits; only Parquet, and the dates of a database, come with types.

- ``orders.csv``, ``orders.tsv``, also ``.gz``: UTF-8, with or without a byte order mark; separated by comma,
  semicolon, tab or bar, as the header is. A column without a name is left out.
- ``orders.parquet``, or a folder: all its ``.parquet`` files in the order of their names, subfolders too;
  folders named ``column=value`` become a column.
- ``postgresql://user:password@host/database?table=orders``, ``sqlite:///orders.db?table=orders``: see
  :mod:`features.log.databases`.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.fs

from features.errors import EmptyLogError, LogError
from features.log.databases import open_database
from features.log.streams import Stream, wanted
from features.progress import Report
from features.suggestion import did_you_mean

_NAMES = b"stayworth.source_columns"
_SEPARATORS = ",;\t|"
_BLOCK_BYTES = 8 << 20  # a row must fit in one
_END = "\x1fend of file\x1f"
_FORMATS = (
    "a .csv or .tsv file (also .gz), a .parquet file, a folder of .parquet files, "
    "or a postgresql:// or sqlite:/// URI"
)


def read_log(
    source: str | Path,
    *,
    columns: Sequence[str] | None = None,
    chunk_rows: int = 100_000,
    progress: Report | None = None,
) -> pa.Table:
    r"""Read the raw rows of a log.

    Parameters
    ----------
    source : str or Path
        A file, a folder of Parquet files, or the URI of a database's table or query.
    columns : sequence of str, optional
        Read only these, as far as they are there: a missing one is validation's to report. If none is
        there, all are read. By default all.
    chunk_rows : int, at least 1
        Rows fetched at once from Parquet and databases. CSV comes in blocks of 8 MiB.
    progress : Report, optional
        Called after each chunk with the step's name, the rows so far, and the rows in all (0: unknown).

    Returns
    -------
    pyarrow.Table
        Rows in the order of the source; :func:`source_columns` gives the names of all its columns.

    Raises
    ------
    EmptyLogError
        If the source has no rows.
    LogError
        If it is not there or cannot be read; says where, and what to do. Passwords are never shown.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "orders.csv"
    >>> _ = path.write_text("customer_id,ordered_at,amount,note\n007,2011-01-31,20.50,gift\n")
    >>> log = read_log(path, columns=["customer_id", "amount", "margin"])
    >>> log.to_pylist()
    [{'customer_id': '007', 'amount': '20.50'}]
    >>> source_columns(log)
    ['customer_id', 'ordered_at', 'amount', 'note']
    """
    batches, rows = [], 0
    with _open(str(source), columns, chunk_rows) as stream:
        for batch in stream.batches:
            batches.append(batch)
            rows += batch.num_rows
            if progress is not None:
                progress(f"Reading {stream.name}", rows, stream.total_rows)
    if not rows:
        raise EmptyLogError(f"{stream.name} has columns ({', '.join(stream.names)}) but no rows.")
    table = pa.Table.from_batches(batches, stream.schema)
    for name, kind in stream.dates.items():
        table = _dated(table, name, kind)
    return table.replace_schema_metadata({_NAMES: json.dumps(stream.names)})


def source_columns(table: pa.Table) -> list[str]:
    """Return the names of all columns of the source that a table was read from, in its order.

    For a table that :func:`read_log` did not read, its own columns.
    """
    names = (table.schema.metadata or {}).get(_NAMES)
    return list(table.column_names if names is None else json.loads(names))


def _dated(table: pa.Table, name: str, kind: pa.DataType) -> pa.Table:
    """Give a database's date column its type, unless it holds what Arrow cannot (``infinity``, years BC)."""
    try:
        column = table.column(name).cast(kind)
    except pa.ArrowInvalid:
        return table
    return table.set_column(table.column_names.index(name), name, column)


def _open(source: str, columns: Sequence[str] | None, chunk_rows: int) -> AbstractContextManager[Stream]:
    if "://" in source:
        return open_database(source, columns, chunk_rows)
    path = Path(source).expanduser()
    if not path.exists():
        raise LogError(_not_there(path))
    if path.is_dir():
        return _parquet(path, _parts(path), columns, chunk_rows)
    name = path.name.lower()
    if name.endswith(".parquet"):
        return _parquet(path, [path], columns, chunk_rows)
    if name.removesuffix(".gz").endswith((".csv", ".tsv")):
        return _csv(path, columns)
    raise LogError(f"{path} is of no kind that can be read. Give {_FORMATS}.")


def _not_there(path: Path) -> str:
    folder = path.absolute().parent
    if not folder.is_dir():
        return f"There is no {path}: the folder {folder} does not exist."
    return f"There is no file {path.name} in {folder}.{did_you_mean(path.name, [p.name for p in folder.iterdir()])}"


class _Ended:
    """A binary file with one more row at its end, which an unclosed quote swallows."""

    closed = False

    def __init__(self, file: IO[bytes], row: str) -> None:
        self._file, self._end = file, io.BytesIO(f"\n{row}\n".encode())

    def read(self, size: int) -> bytes:
        block = self._file.read(size)
        return block + self._end.read(size - len(block))


@contextmanager
def _csv(path: Path, columns: Sequence[str] | None) -> Iterator[Stream]:
    separator, header = _header(path)
    names = [name for name in header if name]
    chosen = wanted(names, columns, str(path))
    torn: list[pa.csv.InvalidRow] = []

    def remember(row: pa.csv.InvalidRow) -> str:
        torn.append(row)
        return "error"

    try:
        with _bytes(path) as file:
            reader = pa.csv.open_csv(
                pa.PythonFile(_Ended(file, separator.join([_END] * len(header))), mode="r"),
                # Only a single thread knows the number of a row that does not fit.
                pa.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
                pa.csv.ParseOptions(
                    delimiter=separator, newlines_in_values=True, invalid_row_handler=remember
                ),
                pa.csv.ConvertOptions(
                    column_types=dict.fromkeys(chosen, pa.string()), include_columns=chosen
                ),
            )
            yield Stream(str(path), names, reader.schema, _without_end(reader, path))
    except (OSError, EOFError, zlib.error) as error:
        raise LogError(f"{path} cannot be read: {error}.") from None
    except pa.ArrowException as error:
        raise LogError(_csv_fault(path, separator, torn, error)) from None


def _without_end(batches: Iterator[pa.RecordBatch], path: Path) -> Iterator[pa.RecordBatch]:
    """Take off the last row again; if it is another, a cell that was never closed has eaten it."""
    rows, last = 0, None
    for batch in filter(len, batches):
        if last is not None:
            yield last
        rows, last = rows + len(batch), batch
    if last is None or set(last.slice(len(last) - 1).to_pylist()[0].values()) != {_END}:
        raise LogError(
            f'{path}, data row {rows}: a quote (") is opened and never closed. Close it, or double it ("").'
        )
    yield last.slice(0, len(last) - 1)


def _header(path: Path) -> tuple[str, list[str]]:
    """Return the separator, the one that gives the first line most cells, and the column names."""
    try:
        with io.TextIOWrapper(_bytes(path), encoding="utf-8-sig", newline="") as file:
            first = next((line for line in file if line.strip()), None)
            if first is None:
                raise EmptyLogError(f"{path} is empty.")
            separator = max(_SEPARATORS, key=lambda mark: len(next(csv.reader([first], delimiter=mark))))
            return separator, next(csv.reader(chain([first], file), delimiter=separator))
    except UnicodeDecodeError:
        raise LogError(_not_utf8(path)) from None
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise LogError(f"{path} cannot be read: {error}.") from None


def _csv_fault(path: Path, separator: str, torn: list[pa.csv.InvalidRow], error: Exception) -> str:
    """Say which row cannot be read and why, without the customer's values."""
    if torn:
        row = torn[0]
        return (
            f"{path}, data row {row.number - 1}: {row.actual_columns} cells, where the header has "
            f"{row.expected_columns}. A cell that holds {separator!r} must stand in double quotes."
        )
    if "straddling" in str(error):
        return f'{path}: a row is longer than 8 MiB. Most likely a quote (") is opened and never closed.'
    return _not_utf8(path) if "UTF8" in str(error) else f"{path} is not a CSV file that can be read: {error}."


def _not_utf8(path: Path) -> str:
    with _bytes(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return f"{path}, line {number}: not UTF-8. Save it as UTF-8 (in Excel: CSV UTF-8)."
    return f"{path} is not UTF-8. Save it as UTF-8 (in Excel: CSV UTF-8)."


def _zipped(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _bytes(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if _zipped(path) else path.open("rb")


def _parts(folder: Path) -> list[Path]:
    """Return the Parquet files of a folder by name; hidden ones (``.x``, ``_x``) are left out."""
    files = sorted(
        path
        for path in folder.rglob("*.parquet")
        if path.is_file() and not any(part[0] in "._" for part in path.relative_to(folder).parts)
    )
    if not files:
        raise LogError(f"The folder {folder} holds no .parquet file. Give {_FORMATS}.")
    return files


@contextmanager
def _parquet(
    path: Path, files: Sequence[Path], columns: Sequence[str] | None, chunk_rows: int
) -> Iterator[Stream]:
    options = pa.dataset.FileSystemFactoryOptions(
        partition_base_dir=str(path.absolute()), partitioning=pa.dataset.HivePartitioning.discover()
    )
    try:
        factory = pa.dataset.FileSystemDatasetFactory(
            pa.fs.LocalFileSystem(),
            [str(file.absolute()) for file in files],
            pa.dataset.ParquetFileFormat(),
            options,
        )
        # Every file's schema: by default the first file's would drop what only later files have.
        dataset = factory.finish(factory.inspect(promote_options="permissive"))
        chosen = wanted(dataset.schema.names, columns, str(path))
        scanner = dataset.scanner(columns=chosen, batch_size=chunk_rows)
        yield Stream(
            str(path),
            dataset.schema.names,
            scanner.projected_schema,
            scanner.to_batches(),
            total_rows=dataset.count_rows(),
        )
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, pa.ArrowTypeError):
            raise LogError(f"The files of {path} do not go together: {error}.") from None
        raise LogError(f"{path} is not a Parquet file, or is damaged: {error}.") from None
