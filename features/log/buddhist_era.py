"""Dates of the Buddhist era, whose years are 543 ahead: recognised where they leave a log no rows, and turned."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from features.language import translated
from features.log.column_text import text
from features.log.columns import quoted
from features.log.dates import ascii_digits
from features.log.remedies import with_replaced

_YEAR = "2[456][0-9]{2}"
_AHEAD = 543


def buddhist_remedy(column: pa.ChunkedArray, name: str) -> str:
    """Say what reads a column of dates of the Buddhist era; empty where one is of another.

    Examples
    --------
    >>> print(buddhist_remedy(pa.chunked_array([["2567-03-05"]]), "day"))  # doctest: +ELLIPSIS
    Years such as 2567 are of the Buddhist era, 543 years ahead. --transactions "FILE?query=SELECT * REPLACE (...
    >>> buddhist_remedy(pa.chunked_array([["2567-03-05", "2031-01-01"]]), "day")
    ''
    """
    written = ascii_digits(text(column)).drop_null()
    if not len(written) or not pc.all(pc.match_substring_regex(written, rf"(^|\D){_YEAR}(\D|$)")).as_py():
        return ""
    words = f"CAST({quoted(name)} AS VARCHAR)"
    year = f"CAST(CAST(regexp_extract({words}, '{_YEAR}') AS INT) - {_AHEAD} AS VARCHAR)"
    found = re.search(_YEAR, written[0].as_py())
    return translated(
        "Years such as {year} are of the Buddhist era, {ahead} years ahead. {flag} reads them.",
        year=found[0] if found else "",
        ahead=_AHEAD,
        flag=with_replaced(f"regexp_replace({words}, '{_YEAR}', {year}) AS {quoted(name)}"),
    )
