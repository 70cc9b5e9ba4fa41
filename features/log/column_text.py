"""The cells of a column read as text, of whatever type they are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_tables import is_text
from features.errors import LogError
from features.language import translated

_MARK = "\ufeff"  # of byte order, which is no part of a text
# From here on a float skips whole numbers: two ids may have become one.
_LARGEST_ID = {pa.float32(): 2.0**24, pa.float64(): 2.0**53}


def text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Read a column as text: without surrounding whitespace, blank as null, otherwise to the letter.

    Leading zeros, inner spaces and every alphabet survive; ``="007"``, a text for Excel, is 007. A whole number kept as
    a float or a decimal, as pandas does beside missing values, is written as the whole number.

    Parameters
    ----------
    column : pyarrow.ChunkedArray of any type that can be written as text

    Returns
    -------
    pyarrow.ChunkedArray of string, null where there is nothing

    Raises
    ------
    LogError
        If the type has no text form, or ids kept as floats are too long to have kept their digits.

    Examples
    --------
    >>> text(pa.chunked_array([[" 007", "آرش", " ", None]])).to_pylist()
    ['007', 'آرش', None, None]
    >>> text(pa.chunked_array([[12345.0, None]])).to_pylist()
    ['12345', None]
    """
    column = plain(column)
    if pa.types.is_floating(column.type):
        return _float_text(column)
    try:
        written = column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        nested = pa.types.is_nested(column.type)
        remedy = (
            " Take the part that is meant: FILE?query=SELECT *, column.part AS name FROM log"
            if nested
            else ""
        )
        raise LogError(
            translated(
                "A column of type {type} cannot be read as text: {error}.{remedy}",
                type=column.type,
                error=error,
                remedy=remedy,
            )
        ) from None
    if pa.types.is_decimal(column.type):
        return pc.replace_substring_regex(written, r"\.0+$", "")
    trimmed = pc.utf8_trim_whitespace(written)
    if pc.any(pc.match_substring(trimmed, _MARK)).as_py():
        trimmed = pc.utf8_trim_whitespace(pc.replace_substring(trimmed, _MARK, ""))
    # So programs keep Excel from reading "007" as a number.
    if pc.any(pc.starts_with(trimmed, '="')).as_py():
        trimmed = pc.replace_substring_regex(trimmed, '^="([^"]*)"$', r"\1")
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def blank(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Mark the cells of a column, of any type, that hold nothing.

    Examples
    --------
    >>> blank(pa.chunked_array([["7", " ", None]])), blank(pa.chunked_array([[{"id": 7}, None]]))
    (array([False,  True,  True]), array([False,  True]))
    """
    values = text(column) if is_text(column.type) else column
    found: npt.NDArray[np.bool_] = values.is_null().to_numpy()
    return found


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return categories as their values, and text and bytes of any kind as strings.

    Raises
    ------
    LogError
        If bytes are no text.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if isinstance(column.type, pa.BaseExtensionType):
        if str(column.type) == "extension<arrow.uuid>":
            return pa.chunked_array([pa.array(map(_as_text, column.to_pylist()), pa.string())])
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    kind = column.type
    views = (pa.types.is_string_view(kind), pa.types.is_binary_view(kind))
    if any(views) or pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        column = column.cast(pa.string() if views[0] or pa.types.is_large_string(kind) else pa.binary())
    if pa.types.is_binary(column.type) or pa.types.is_fixed_size_binary(column.type):
        try:
            return column.cast(pa.binary()).cast(pa.string())
        except pa.ArrowInvalid:
            raise LogError(translated("It holds bytes that are no text. Store it as text.")) from None
    return column


def _as_text(value: object) -> str | None:
    return None if value is None else str(value)


def _float_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    column = column.cast(pa.float32()) if pa.types.is_float16(column.type) else column
    finite = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
    whole = pc.equal(finite, pc.floor(finite))
    integers = pc.if_else(whole, finite, pa.scalar(0, column.type))
    if pc.any(pc.greater_equal(pc.abs(integers), _LARGEST_ID[column.type])).as_py():
        raise LogError(
            translated(
                "Long whole numbers kept as floats have lost their last digits: different ids may have "
                "become one. Store the column as text or as whole numbers."
            )
        )
    return pc.if_else(whole, integers.cast(pa.int64()).cast(pa.string()), finite.cast(pa.string()))
