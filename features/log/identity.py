"""Customer ids: read in one way from every table, and what spoils them.

An id is text, kept to the letter. Spreadsheets and data frames spoil ids all the same: leading zeros are
lost, ``17`` becomes ``17.0``, a long number ``1.51E+18``; people type one address in two cases. :func:`read_ids`
reads a column of ids, :func:`fold` undoes differences of writing only, and :func:`loose` also those that may
tell two customers apart, such as leading zeros.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.log.column_text import text
from features.log.customer_days import encoded

MISSING_WORDS = ("null", "\\n", "nan", "<na>", "n/a", "#n/a", "none", "nil", "(null)", "undefined")
"""Ids, in lower case, with which programs write that there is none."""

NOBODY = (
    *(
        "guest",
        "anonymous",
        "unknown",
        "anon",
        "unregistered",
        "walk-in",
        "walkin",
        "test",
        "dummy",
        "-1",
        "-",
    ),
    *("cash", "cash customer", "cash sale", "counter sale", "default customer"),
    *("gast", "laufkundschaft", "laufkunde", "barverkauf", "unbekannt", "anonym", "diverse", "cpd"),
    *(
        "invité",
        "client de passage",
        "inconnu",
        "anonyme",
        "invitado",
        "anónimo",
        "consumidor final",
        "mostrador",
    ),
    *("público general", "publico general", "ospite", "sconosciuto", "anonimo", "gast klant", "onbekend"),
    *("misafir", "perakende", "bilinmiyor", "anonim", "гость", "неизвестно"),
    *("مهمان", "ناشناس", "متفرقه", "مشتری متفرقه", "مشتری عمومی", "مشتری گذری", "ضيف", "زائر", "عميل نقدي"),
)
"""Ids, in lower case, that people give to customers whom they do not know: one id, many customers."""

NOBODY_NUMBER = r"^(0+|9{5,})$"
"""Numbers that are given where none is known."""

NOBODY_ADDRESS = (
    r"^(test|demo|dummy|no-?reply|no-?e?-?mail|none|no|keine?(-?e?-?mail)?)([+._-]?[a-z0-9]*)@|"
    r"@(example\.(com|org|net)|test\.(com|de)|marketplace\.invalid)$"
)
"""Addresses, in lower case, that people type to try a shop, or where they have none."""

LONGEST_ID_BYTES = 2_000
"""PostgreSQL's indexes take rows of up to 2,704 bytes."""

SCIENTIFIC = r"^([0-9]([.,][0-9]+)?[eE]\+|[0-9][.,][0-9]+[eE])[0-9]{1,3}$"
_SAME_LETTER = str.maketrans(
    {
        **{"ي": "ی", "ى": "ی", "ك": "ک"},
        **dict(zip("۰۱۲۳۴۵۶۷۸۹", "0123456789", strict=True)),
        **dict(zip("٠١٢٣٤٥٦٧٨٩", "0123456789", strict=True)),
    }
)
_QUOTES = "'’`\""


def read_ids(column: pa.ChunkedArray | pd.Series, folded: bool = False) -> pa.ChunkedArray:
    """Read a column of ids as text; null where there is none, or a word that means so, such as ``NULL``.

    Parameters
    ----------
    column : column of any type that can be written as text
    folded : bool
        Unite ids that differ only in how they are written (:func:`fold`).

    Returns
    -------
    pyarrow.ChunkedArray of string

    Raises
    ------
    LogError
        If the type has no text form, or ids kept as floats are too long to have kept their digits.

    Examples
    --------
    >>> read_ids(pa.chunked_array([[" 007", "NULL", "Ann@x.org ", None]])).to_pylist()
    ['007', None, 'Ann@x.org', None]
    >>> read_ids(pd.Series([17.0, None]))[0].as_py()
    '17'
    """
    if isinstance(column, pd.Series):
        column = _arrow(column)
    ids = text(column)
    missing = pc.is_in(pc.utf8_lower(ids), value_set=pa.array(MISSING_WORDS))
    if pc.any(missing).as_py():
        ids = pc.if_else(missing, pa.scalar(None, pa.string()), ids)
    return _each(ids, fold) if folded else ids


def encoded_ids(column: pa.ChunkedArray, folded: bool = False) -> pa.DictionaryArray:
    """Return ids as the distinct ones, in the order in which they come, and a number for each row, null without an id.

    What an id is is decided once for each text, not for each row, as `read_ids` would: a million customers have ten
    million orders.

    Examples
    --------
    >>> ids = encoded_ids(pa.chunked_array([["7", " 7", None, "8"]]))
    >>> ids.dictionary.to_pylist(), ids.indices.to_pylist()
    (['7', '8'], [0, 0, None, 1])
    """
    if not pa.types.is_string(_value_type(column.type)):
        return encoded(read_ids(column, folded))
    texts = encoded(column)
    ids = encoded(read_ids(pa.chunked_array([texts.dictionary]), folded))
    same = len(ids.dictionary) == len(texts.dictionary)
    places = texts.indices if same else ids.indices.take(texts.indices)
    return pa.DictionaryArray.from_arrays(places, ids.dictionary)


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def unstorable(ids: pa.Array) -> pa.Array:
    r"""Mark ids that PostgreSQL refuses: with a NUL, or longer than an index may be.

    Examples
    --------
    >>> unstorable(pa.array(["17", "1\x007", "x" * 3000, None])).to_pylist()
    [False, True, True, False]
    """
    refused = pc.or_(pc.match_substring(ids, "\0"), pc.greater(pc.binary_length(ids), LONGEST_ID_BYTES))
    return pc.fill_null(refused, False)


def _arrow(column: pd.Series) -> pa.ChunkedArray:
    try:
        return pa.chunked_array([pa.array(column, from_pandas=True)])
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # a column that mixes numbers and text
        return pa.chunked_array([pa.array(column.astype("string"), pa.string())])


def _each(ids: pa.ChunkedArray, change: object) -> pa.ChunkedArray:
    """Change every distinct id, and keep nulls."""
    encoded = ids.combine_chunks().dictionary_encode()
    distinct = pa.array([change(each) or None for each in encoded.dictionary.to_pylist()], pa.string())  # type: ignore[operator]
    return pa.chunked_array([distinct.take(encoded.indices)])


def fold(customer_id: str) -> str:
    """Return an id without differences of writing: case, width, ی and ي, digits, invisible characters, ``.0``.

    Examples
    --------
    >>> fold("Ann@X.org "), fold("ＡＢ１"), fold("علي"), fold("17.0"), fold("0017")
    ('ann@x.org', 'ab1', 'علی', '17', '0017')
    """
    plain = unicodedata.normalize("NFKC", customer_id).translate(_SAME_LETTER)
    plain = "".join(each for each in plain if unicodedata.category(each) not in ("Cf", "Cc"))
    plain = " ".join(plain.split()).casefold()
    stem, point, zeros = plain.rpartition(".")
    return stem if point and stem.isdigit() and zeros and not zeros.strip("0") else plain


def loose(customer_id: str) -> str:
    """Return an id without what spreadsheets change too: apostrophes and quotes around it, leading zeros.

    Examples
    --------
    >>> loose("'0017"), loose("17.0"), loose("0"), loose("A-007")
    ('17', '17', '0', 'a-007')
    """
    plain = fold(customer_id).strip(_QUOTES + " ")
    plain = "".join(fold(plain).split())
    return (plain.lstrip("0") or "0") if plain.isdigit() else plain


def examples(ids: Iterable[object], count: int = 3) -> str:
    """Quote the first few ids for a message.

    Examples
    --------
    >>> examples(["17", "18", "19", "20"])
    "'17', '18', '19' …"
    """
    first = list(map(str, ids))
    return ", ".join(map(repr, first[:count])) + (" …" if len(first) > count else "")
