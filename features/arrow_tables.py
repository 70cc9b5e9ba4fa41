"""Arrow tables in plain columns: dates for days, texts for categories and, where asked, for lists."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


def as_arrow(table: pa.Table | pd.DataFrame) -> pa.Table:
    """Return an Arrow table of the columns, without an index; timestamps at midnight become dates."""
    if isinstance(table, pd.DataFrame):
        table = pa.Table.from_pandas(table, preserve_index=False)
    table = table.replace_schema_metadata(None)
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz is None:
            column = table.column(index)
            if pc.all(pc.equal(column, pc.floor_temporal(column, unit="day"))).as_py() is not False:
                table = table.set_column(index, field.name, column.cast(pa.date32()))
    return table


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a column holds text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def plain(table: pa.Table) -> pa.Table:
    """Return the table with categories as their values.

    Examples
    --------
    >>> words = pa.array(["late", "silent"]).dictionary_encode()
    >>> lists = pa.ListArray.from_arrays([0, 1, 2], words)
    >>> plain(pa.table({"tier": words, "reasons": lists}).slice(1)).to_pylist()
    [{'tier': 'silent', 'reasons': ['silent']}]
    """
    for index, field in enumerate(table.schema):
        column = table.column(index)
        if pa.types.is_list(field.type) and pa.types.is_dictionary(field.type.value_type):
            kind = field.type.value_type.value_type
            lists = [_plain_lists(chunk, kind) for chunk in column.chunks]
            table = table.set_column(index, field.name, pa.chunked_array(lists, pa.list_(kind)))
        elif pa.types.is_dictionary(field.type):
            table = table.set_column(index, field.name, column.cast(field.type.value_type))
    return table


def _plain_lists(lists: pa.ListArray, kind: pa.DataType) -> pa.ListArray:
    """Return lists of categories as lists of values; to cast a slice would make those of the whole."""
    offsets = lists.offsets
    first, end = offsets[0].as_py(), offsets[-1].as_py()
    values = lists.values.slice(first, end - first).cast(kind)
    mask = lists.is_null() if lists.null_count else None
    return pa.ListArray.from_arrays(pc.subtract(offsets, first), values, mask=mask)


def flat(table: pa.Table) -> pa.Table:
    """Return the table as plain cells: lists of texts joined with ``"; "``, categories as their values."""
    table = plain(table)
    for index, field in enumerate(table.schema):
        if pa.types.is_list(field.type) or pa.types.is_large_list(field.type):
            joined = pc.binary_join(table.column(index).cast(pa.list_(pa.string())), "; ")
            table = table.set_column(index, field.name, joined)
    return table
