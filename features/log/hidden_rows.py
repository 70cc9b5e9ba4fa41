"""Rows of a worksheet that cannot be seen: left out by a filter, folded into a group, or hidden by hand.

They are read like the others, as nobody knows whether a filter was meant to choose; but who saved the file has not
seen them, so that they are counted and said.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from features.language import translated

REMARKS = "remarks"
"""Attribute of a table that was read: sentences on what it holds that its reader may not have seen."""

_PART = 1 << 20
_LONGEST_TAG = 4096
_HIDDEN = re.compile(rb"<(?:\w+:)?row (?=[^>]*\bhidden=\"(?:1|true)\")[^>]*\br=\"([0-9]+)\"")


def hidden_numbers(workbook: Path, worksheet: str) -> frozenset[int]:
    """Return the numbers, from 1, of the rows of a worksheet that are hidden.

    Parameters
    ----------
    workbook : .xlsx file
    worksheet : str, path of its XML inside
    """
    found: set[int] = set()
    rest = b""
    with zipfile.ZipFile(workbook) as archive, archive.open(worksheet.lstrip("/")) as xml:
        while part := xml.read(_PART):
            text = rest + part
            found.update(int(number) for number in _HIDDEN.findall(text))
            rest = text[-_LONGEST_TAG:]  # a tag may be cut; one that is found twice is one number
    return frozenset(found)


def hidden_sentence(file: str, rows: int) -> str:
    """Say that rows are hidden, and what to do."""
    return translated(
        "{n:row|rows} of {file} are hidden, by a filter or by hand, and are read like the others. If they are not "
        "meant, delete them, or copy what can be seen into a file of its own.",
        n=rows,
        file=file,
    )
