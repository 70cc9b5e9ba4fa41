"""Texts that a spreadsheet would run: guarded on the way out, and bare again on the way in.

A spreadsheet runs a CSV cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break as a
formula. Such texts get a leading apostrophe, column names too; numbers do not, and neither do texts that
are plain numbers (``-17``, ``+989121234567``), which cannot run. In countries with a decimal comma it takes
semicolons for the separator and our commas and quotes for text, so that a cell may begin after any semicolon or
line break: an apostrophe goes there too. :func:`bare_cells` takes these apostrophes off again, and only these, so
every text survives the round trip to the letter.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

# OWASP, "CSV Injection"; the last four are the full-width forms that East Asian spreadsheets accept.
_FORMULA = "[=+\\-@\t\r\n＝＋－＠]"
_INNER = r'([;\t\r\n]["\s]*)'  # where a cell may begin within a text, for a reader with another separator
_PLAIN_NUMBER = r"^[+-]?[0-9]+(\.[0-9]+)?$"


def safe_cells(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Put an apostrophe before each text that a spreadsheet would run as a formula.

    Parameters
    ----------
    texts : Arrow array of strings; null stays null

    Returns
    -------
    Arrow array of strings, of the same length

    Examples
    --------
    >>> safe_cells(pa.array(["=1+1", "-17", "+1 or less", "0042", "'=x", "Ann;=1+1"])).to_pylist()
    ["'=1+1", '-17', "'+1 or less", '0042', "''=x", "Ann;'=1+1"]
    """
    # An apostrophe before a formula is guarded as well: only so can bare_cells tell the two apart.
    risky = pc.and_(
        pc.match_substring_regex(texts, f"^'*{_FORMULA}"),
        pc.invert(pc.match_substring_regex(texts, _PLAIN_NUMBER)),
    )
    texts = pc.replace_substring_regex(texts, rf"{_INNER}('*{_FORMULA})", r"\1'\2")
    return pc.if_else(risky, pc.binary_join_element_wise(_like("'", texts), texts, _like("", texts)), texts)


def bare_cells(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Undo :func:`safe_cells`.

    Examples
    --------
    >>> bare_cells(safe_cells(pa.array(["=1+1", "-17", "'=x", "'tis", "Ann;'=x"]))).to_pylist()
    ['=1+1', '-17', "'=x", "'tis", "Ann;'=x"]
    """
    guarded = pc.match_substring_regex(texts, f"^'+{_FORMULA}")
    texts = pc.if_else(guarded, pc.utf8_slice_codeunits(texts, start=1), texts)
    return pc.replace_substring_regex(texts, rf"{_INNER}'('*{_FORMULA})", r"\1\2")


def _like(text: str, texts: pa.Array | pa.ChunkedArray) -> pa.Scalar:
    return pa.scalar(text, type=texts.type)
