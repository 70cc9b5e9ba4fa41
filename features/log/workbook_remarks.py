"""What a workbook has beside its cells, told in the metadata of a schema: sheets, currencies, hidden rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

import pyarrow as pa

_SHEETS, _CURRENCIES = b"stayworth.sheets", b"stayworth.currencies"
_HIDDEN_ROWS = b"stayworth.hidden-rows"


def metadata_of(
    sheets: list[dict[str, Any]],
    currencies: Iterable[Mapping[str, Mapping[str, int]]],
    hidden_rows: Mapping[str, int],
) -> dict[bytes, bytes] | None:
    """Return the metadata that tell of sheets, of currencies by column and of hidden rows by file; None for nothing."""
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
    return table.replace_schema_metadata(metadata_of(told, currencies, unseen))
