"""How dates may be said to be written: ISO, a format of `strptime`'s, or as numbers."""

from __future__ import annotations

import re

ISO = "iso"
NUMERIC_FORMATS = ("epoch", "epoch-ms", "epoch-us", "epoch-ns", "excel")
"""Date formats that are numbers: seconds or milliseconds since 1970, days since 30 December 1899."""


def completed(text: str) -> str:
    """Return one date format with its time zone spelled out, refusing one without a day, a month or a year."""
    if text == "%s":
        return "epoch"
    if text in (ISO, *NUMERIC_FORMATS):
        return text
    # A letter Z or the word UTC at the end says that times are UTC; it is more than a letter to skip.
    text = re.sub(r"(?<!%)Z$", "%z", re.sub(r"(UTC|GMT)$", "%Z", text))
    if not all(re.search(part, text) for part in ("%[Yy]", "%[mbB]", "%d")):
        raise ValueError(f"{text!r} needs a day, a month and a year, such as %d/%m/%Y")
    return text
