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

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa

from features.arrow_tables import is_text
from features.errors import EmptyLogError, LogError
from features.language import translated
from features.log.databases import open_database
from features.log.delimited import open_delimited
from features.log.file_kinds import PACKED, kind_in_words, require_content, suffix_of
from features.log.hidden_rows import REMARKS, hidden_sentence
from features.log.json_lines import open_json_lines
from features.log.parquet import open_parquet
from features.log.paths import FORMATS, existing, of_two_kinds, several
from features.log.streams import Stream
from features.log.unpacking import unzipped
from features.log.workbook_remarks import currencies_of, hidden_rows_of, with_remarks_of
from features.log.workbooks import open_workbook
from features.progress import Report
from features.spreadsheet_cells import bare_cells

_DELIMITED = (".csv", ".tsv", ".txt")
CURRENCIES = "currencies"
"""Attribute of a table that was read: by column, in which currencies a workbook formats its numbers."""
_KINDS = (*_DELIMITED, ".parquet", ".xlsx", ".jsonl", ".ndjson")
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
    files = several(path)
    opened = (
        _open_file(existing(path), encoding, chunk_rows, first_sheet=True)
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
    files = several(path)
    if files is not None:
        return _open_files(path, files, encoding, chunk_rows)
    return _open_file(existing(path), encoding, chunk_rows)


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
            yield stack.enter_context(open_parquet(path, [path], chunk_rows))
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
                    formats=translated(FORMATS),
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
        raise of_two_kinds(path, parquet[0].name, other.name)
    if parquet:
        with open_parquet(path, files, chunk_rows) as stream:
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
