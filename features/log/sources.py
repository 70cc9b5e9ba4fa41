"""Tables by path or URI: a log of orders, or a list that a person has opened and saved again.

Rows arrive raw: nothing is judged here, that is validation's. Text stays text, so that ids keep their leading
zeros and money its digits; only Parquet, JSON lines and the dates of a database come with types.

- ``orders.csv``, ``.tsv``, ``.txt``: see :mod:`features.log.delimited`; also ``.gz``, ``.bz2``, ``.zst``;
- ``orders.xlsx``: see :mod:`features.log.workbooks`; ``orders.jsonl``: one JSON object per line;
- ``orders.zip`` with one of these in it;
- ``orders.parquet``; a folder, or a pattern such as ``'orders-*.csv'``: all its Parquet files, or all its CSV
  files, in the order of their names, subfolders too; folders named ``column=value`` become a column;
- ``postgresql://user:password@host/database?table=orders``, ``sqlite:///orders.db?table=orders``, and what else
  SQLAlchemy has a driver for: see :mod:`features.log.databases`.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs

from features.errors import EmptyLogError, LogError
from features.files import bare_cells, is_text
from features.language import translated
from features.log.databases import open_database
from features.log.delimited import open_delimited
from features.log.file_kinds import (
    PACKED,
    kind_in_words,
    not_parquet,
    require_content,
    require_plausible_size,
    suffix_of,
    unzipped,
)
from features.log.hidden_rows import REMARKS, hidden_sentence
from features.log.json_lines import open_json_lines
from features.log.streams import Stream, require_distinct
from features.log.workbooks import currencies_of, hidden_rows_of, open_workbook, with_remarks_of
from features.progress import Report
from features.suggestion import did_you_mean

_DELIMITED = (".csv", ".tsv", ".txt")
CURRENCIES = "currencies"
"""Attribute of a table that was read: by column, in which currencies a workbook formats its numbers."""
_KINDS = (*_DELIMITED, ".parquet", ".xlsx", ".jsonl", ".ndjson")
_OTHER_TABLES = (".txt", ".xlsx", ".xls", ".jsonl", ".ndjson", ".zip")  # that a folder is not read for
_NO_TABLE = re.compile(r"(read ?me|licen[sc]e|notice|changelog)\b", re.IGNORECASE)
_FORMATS = (
    "a .csv or .tsv file (also .gz, .bz2, .zst, .zip), a .parquet, .xlsx or .jsonl file, a folder of .parquet "
    "or of .csv files, or a postgresql:// or sqlite:/// URI, or another database's"
)
_FREE_PARQUET_BYTES = 256 << 20
_COMPRESSED = {".gz": ".csv.gz", ".bz2": ".csv.bz2", ".zst": ".csv.zst"}


def read_log(
    source: str | Path,
    *,
    encoding: str | None = None,
    chunk_rows: int = 100_000,
    progress: Report | None = None,
    may_be_empty: bool = False,
) -> pa.Table:
    r"""Read the raw rows of a log.

    Parameters
    ----------
    source : str or Path
        A file, a folder, a pattern of file names, or the URI of a database's table or query.
    encoding : str, optional
        Of a CSV, such as ``cp1252``; by default UTF-8, or UTF-16 where the file begins with its mark.
    chunk_rows : int, at least 1
        Rows fetched at once from Parquet and databases. CSV comes in blocks of 8 MiB.
    progress : Report, optional
        Called after each chunk with the step's name, the rows so far, and the rows in all (0: unknown).
    may_be_empty : bool
        Whether a source without rows is fine.

    Returns
    -------
    pyarrow.Table
        Rows in the order of the source.

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
    >>> _ = path.write_text("customer_id;amount\n007;20,50\n")
    >>> read_log(path).to_pylist()
    [{'customer_id': '007', 'amount': '20,50'}]
    """
    batches, rows = [], 0
    with _open(str(source), encoding, chunk_rows) as stream:
        for batch in stream.batches:
            batches.append(batch)
            rows += batch.num_rows
            if progress is not None:
                progress(translated("Reading {name}", name=stream.name), rows, stream.total_rows)
    if not rows and not may_be_empty:
        raise EmptyLogError(
            translated(
                "{name} has columns ({names}) but no rows.", name=stream.name, names=list(stream.names)
            )
        )
    table = _without_views(pa.Table.from_batches(batches, stream.schema))
    for name, kind in stream.dates.items():
        table = _dated(table, name, kind)
    return table


def read_table(path: str | os.PathLike[str], encoding: str | None = None) -> pd.DataFrame:
    r"""Read a table that a person may have opened and saved: a list of customers, their contacts, opt-outs.

    The readers are those of a log, so that an id is the same text in both; the guard that
    :func:`features.files.write_csv` puts before formulas is taken off again.

    Parameters
    ----------
    path : CSV, Excel (its first sheet), JSON lines or Parquet file, or a folder or pattern of them
    encoding : str, optional, as in :func:`read_log`

    Returns
    -------
    pandas.DataFrame
        Columns of a CSV or a workbook are text, empty cells ``""``; those of Parquet keep their types.

    Raises
    ------
    LogError
        If there is no such file, or it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "stop.csv"
    >>> _ = path.write_bytes("customer_id\tsince\n0042\t\n".encode("utf-16"))
    >>> read_table(path).to_dict("list")
    {'customer_id': ['0042'], 'since': ['']}
    """
    path, chunk_rows = Path(path).expanduser(), 100_000
    files = _several(path)
    opened = (
        _open_file(_existing(path), encoding, chunk_rows, first_sheet=True)
        if files is None
        else _open_files(path, files, encoding, chunk_rows)
    )
    with opened as stream:
        table = _without_views(pa.Table.from_batches(list(stream.batches), stream.schema))
    if suffix_of(files[0] if files else path) in _DELIMITED and table.column_names:
        table = table.rename_columns(bare_cells(pa.array(table.column_names)).to_pylist())
        for place, field in enumerate(table.schema):
            if is_text(field.type):
                table = table.set_column(place, field.name, bare_cells(table.column(place)))
    frame = table.to_pandas()
    formats = {name: found for name in table.column_names if (found := currencies_of(table.schema, [name]))}
    if formats:
        frame.attrs[CURRENCIES] = formats
    if hidden := hidden_rows_of(table.schema):
        frame.attrs[REMARKS] = [hidden_sentence(name, rows) for name, rows in hidden.items()]
    return frame


def _without_views(table: pa.Table) -> pa.Table:
    """Keep texts and bytes as the plain types: Arrow cannot yet take rows of its views."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string_view(field.type) or pa.types.is_binary_view(field.type):
            kind = pa.string() if pa.types.is_string_view(field.type) else pa.binary()
            table = table.set_column(place, field.name, table.column(place).cast(kind))
    return table


def _dated(table: pa.Table, name: str, kind: pa.DataType) -> pa.Table:
    """Give a database's date column its type, unless it holds what Arrow cannot (``infinity``, years BC)."""
    try:
        column = table.column(name).cast(kind)
    except pa.ArrowInvalid:
        return table
    return table.set_column(table.column_names.index(name), name, column)


def _open(source: str, encoding: str | None, chunk_rows: int) -> AbstractContextManager[Stream]:
    if "://" in source:
        return open_database(source, chunk_rows)
    path = Path(source).expanduser()
    files = _several(path)
    if files is not None:
        return _open_files(path, files, encoding, chunk_rows)
    return _open_file(_existing(path), encoding, chunk_rows)


def files_of(path: Path) -> list[Path]:
    """Return the files that a path means: those of a folder or a pattern, or the one."""
    files = _several(path.expanduser())
    return [path] if files is None else files


def _several(path: Path) -> list[Path] | None:
    """Return the files of a folder or a pattern; None for one file."""
    if not path.exists() and glob.has_magic(str(path)):
        return sorted(map(Path, glob.glob(str(path))))
    return _parts(path) if path.is_dir() else None


def _existing(path: Path) -> Path:
    if path.exists():
        return path
    folder = path.absolute().parent
    if not folder.is_dir():
        raise LogError(
            translated("There is no {path}: the folder {folder} does not exist.", path=path, folder=folder)
        )
    near = did_you_mean(path.name, [beside.name for beside in folder.iterdir()])
    raise LogError(
        translated("There is no file {name} in {folder}.{near}", name=path.name, folder=folder, near=near)
    )


@contextmanager
def _open_file(
    path: Path, encoding: str | None, chunk_rows: int, *, first_sheet: bool = False
) -> Iterator[Stream]:
    """Open a file as what its extension says, after a look at whether it is that."""
    with ExitStack() as stack:
        if path.suffix.lower() == ".zip":
            require_content(path, ".zip")
            path = stack.enter_context(unzipped(path, _KINDS))
        kind = suffix_of(path)
        if kind in _DELIMITED:
            require_content(path, _COMPRESSED.get(path.suffix.lower(), ""))
            yield stack.enter_context(open_delimited(path, encoding))
        elif kind == ".parquet" and path.suffix.lower() not in PACKED:
            require_content(path, ".parquet")
            yield stack.enter_context(_parquet(path, [path], chunk_rows))
        elif kind == ".xlsx":
            require_content(path, ".xlsx")
            yield stack.enter_context(open_workbook(path, first_sheet=first_sheet))
        elif kind in (".jsonl", ".ndjson"):
            require_content(path, ".json", ".jsonl", _COMPRESSED.get(path.suffix.lower(), ""))
            yield stack.enter_context(open_json_lines(path, encoding))
        else:
            raise LogError(
                translated(
                    "{path} is of no kind that can be read.{kind} Give {formats}.",
                    path=path,
                    kind=kind_in_words(path),
                    formats=_FORMATS,
                )
            )


def _parts(folder: Path) -> list[Path]:
    """Return the table files of a folder by name; hidden ones (``.x``, ``_x``) are left out."""
    if (folder / "_delta_log").is_dir() or any(folder.glob("metadata/*.metadata.json")):
        kind = "Delta Lake" if (folder / "_delta_log").is_dir() else "Iceberg"
        raise LogError(
            translated(
                "{folder} is a {kind} table: besides its rows it holds files that were deleted or "
                "replaced. Write its current version to one Parquet file, and give that.",
                folder=folder,
                kind=kind,
            )
        )
    seen = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part[0] in "._" for part in path.relative_to(folder).parts)
    )
    files = [path for path in seen if suffix_of(path) in (".parquet", ".csv", ".tsv")]
    others = [
        path.name for path in seen if suffix_of(path) in _OTHER_TABLES and not _NO_TABLE.match(path.name)
    ]
    if files and others:
        raise _of_two_kinds(folder, files[0].name, ", ".join(others[:3]) + " …" * (len(others) > 3))
    if not files:
        raise LogError(
            translated(
                "The folder {folder} holds no .parquet file and no .csv file. Give {formats}.",
                folder=folder,
                formats=_FORMATS,
            )
        )
    return files


def _of_two_kinds(path: Path, one: str, other: str) -> LogError:
    return LogError(
        translated(
            "{path} holds files of two kinds: {one} and {other}. Give one kind.",
            path=path,
            one=one,
            other=other,
        )
    )


@contextmanager
def _open_files(path: Path, files: Sequence[Path], encoding: str | None, chunk_rows: int) -> Iterator[Stream]:
    """Open several files as one table."""
    if not files:
        raise LogError(translated("No file matches {path}.", path=path))
    parquet = [file for file in files if suffix_of(file) == ".parquet"]
    if parquet and len(parquet) < len(files):
        other = next(file for file in files if file not in parquet)
        raise _of_two_kinds(path, parquet[0].name, other.name)
    if parquet:
        with _parquet(path, files, chunk_rows) as stream:
            yield stream
        return
    tables = []
    for file in files:
        with _open_file(file, encoding, chunk_rows) as part:
            tables.append(pa.Table.from_batches(list(part.batches), part.schema))
        if set(tables[-1].column_names) != set(tables[0].column_names):
            odd = sorted(set(tables[-1].column_names) ^ set(tables[0].column_names))
            raise LogError(
                translated(
                    "The files of {path} do not go together: {one} and {other} differ in the columns {odd}.",
                    path=path,
                    one=files[0].name,
                    other=file.name,
                    odd=list(odd),
                )
            )
    try:
        whole = pa.concat_tables([table.select(tables[0].column_names) for table in tables])
        whole = with_remarks_of(whole, [table.schema for table in tables])
    except pa.ArrowException as error:
        raise LogError(
            translated("The files of {path} do not go together: {error}.", path=path, error=error)
        ) from None
    yield Stream(str(path), whole.column_names, whole.schema, iter(whole.to_batches()), whole.num_rows)


def _plausible(batches: Iterator[pa.RecordBatch], path: Path, packed: int) -> Iterator[pa.RecordBatch]:
    """Yield batches as long as what they hold is plausible for the files' size: a run of equal values takes no room."""
    size = 0
    for batch in batches:
        size += batch.nbytes
        require_plausible_size(path, size, packed, free=_FREE_PARQUET_BYTES)
        yield batch


@contextmanager
def _parquet(path: Path, files: Sequence[Path], chunk_rows: int) -> Iterator[Stream]:
    options = pa.dataset.FileSystemFactoryOptions(
        partition_base_dir=str(path.absolute()), partitioning=pa.dataset.HivePartitioning.discover()
    )
    try:
        factory = pa.dataset.FileSystemDatasetFactory(
            pa.fs.LocalFileSystem(),
            [str(file.absolute()) for file in files],
            # Spark's INT96 holds the year 9999; nanoseconds would wrap it around to 1816.
            pa.dataset.ParquetFileFormat(coerce_int96_timestamp_unit="us"),
            options,
        )
        # Every file's schema: by default the first file's would drop what only later files have.
        dataset = factory.finish(factory.inspect(promote_options="permissive"))
        require_distinct(dataset.schema.names, str(path))
        scanner = dataset.scanner(batch_size=chunk_rows)
        yield Stream(
            str(path),
            dataset.schema.names,
            scanner.projected_schema,
            _plausible(scanner.to_batches(), path, sum(file.stat().st_size for file in files)),
            total_rows=dataset.count_rows(),
        )
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, pa.ArrowTypeError):
            raise LogError(
                translated("The files of {path} do not go together: {error}.", path=path, error=error)
            ) from None
        raise LogError(not_parquet(path, error)) from None
