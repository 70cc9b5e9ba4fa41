"""The columns of a raw log: which is which, and their values read as text."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import LogError, MissingColumnError
from features.files import is_text
from features.language import translated
from features.log.remedies import typed
from features.log.settings import Columns, LogRules
from features.suggestion import nearest

FIELDS = {
    "customer_id": "customer_column",
    "ordered_at": "date_column",
    "amount": "amount_column",
    "currency": "currency_column",
    "order_id": "order_column",
    "margin": "margin_column",
    "channel": "channel_column",
    "product_id": "product_column",
    "quantity": "quantity_column",
    "category": "category_column",
    "discount": "discount_column",
}
# Parts of the names by which shops call what is required, in the order of trust.
_USUAL = {
    "customer_id": "customer|client|buyer|member|user|kunde|cliente|müşteri|musteri|مشتری|account|card|email|uid|id",
    "ordered_at": "date|time|datum|tarih|fecha|data|تاریخ|ordered|purchased|created|timestamp|ts|day|when|at",
    "amount": "amount|revenue|total|value|sales|spend|betrag|umsatz|montant|importe|tutar|مبلغ|paid|sum|net|gross",
    "price": "price|preis|prix|precio|prezzo|fiyat|قیمت",
    "quantity": "quantity|qty|units|menge|anzahl|quantité|cantidad|adet|miktar|تعداد",
}
_NO_SALES = re.compile(
    r"(?i)discount|rabatt|remise|descuento|tax|vat|mwst|kdv|shipping|fees?\b|refund|\btips?\b|تخفیف|مالیات"
)
"""Names of amounts that are a part of the price, or none of it."""
_PERIOD = r"(19|20|13|14)[0-9]{2}([-/. ]?(0?[1-9]|1[0-2]|Q[1-4]))?$"  # a year, a month or a quarter
_MARK = "\ufeff"  # of byte order, which is no part of a text
# Words of SQL that a column's name may be.
_RESERVED = re.compile(
    "all|analy[sz]e|and|any|array|as|asc|asymmetric|both|case|cast|check|collate|column|constraint|create|default|"
    "deferrable|desc|describe|distinct|do|else|end|except|false|fetch|for|foreign|from|group|having|in|initially|"
    "intersect|into|lambda|lateral|leading|limit|not|null|offset|on|only|or|order|pivot(_longer|_wider)?|placing|"
    "primary|qualify|references|returning|select|show|some|summarize|symmetric|table|then|to|trailing|true|union|"
    "unique|unpivot|using|variadic|when|where|window|with",
    re.IGNORECASE,
)
# From here on a float skips whole numbers: two ids may have become one.
_LARGEST_ID = {pa.float32(): 2.0**24, pa.float64(): 2.0**53}


def locate(
    available: list[str], rules: LogRules, columns: Columns, terms: tuple[str, ...] | None = None
) -> dict[str, str]:
    """Find the contract's columns in a log.

    Parameters
    ----------
    available : list of str, the log's columns
    rules : LogRules
        With a ``currency``, the currency column is required.
    columns : Columns
        A column that is not required may be absent under its default name, but not under a chosen one.
    terms : tuple of str
        The columns of an amount expression, required in place of the amount column.

    Returns
    -------
    dict of str to str
        The log's name of each of the contract's columns that it has: ``customer_id``, ``ordered_at`` ...

    Raises
    ------
    MissingColumnError
        If a column is missing; names those there are, the nearest, and the flag to use.
    LogError
        If the log has two columns of a name that is wanted.

    Examples
    --------
    >>> locate(["id", "ordered_at", "amount"], LogRules(), Columns(customer_column="id"))
    {'customer_id': 'id', 'ordered_at': 'ordered_at', 'amount': 'amount'}
    """
    fields = {role: field for role, field in FIELDS.items() if terms is None or role != "amount"}
    required = {"customer_id", "ordered_at", "amount"} | ({"currency"} if rules.currency else set())
    wanted = {role: str(getattr(columns, field)) for role, field in fields.items()}
    roles = {name: role for role, name in wanted.items()}
    missing = {
        name: f"use {Columns.flag(fields[role])}"
        for role, name in wanted.items()
        if name not in available and (role in required or name != Columns.model_fields[fields[role]].default)
    }
    missing |= {name: "in --amount-expression write" for name in terms or () if name not in available}
    if missing:
        raise MissingColumnError(_missing_columns(missing, available, roles))
    located = {role: name for role, name in wanted.items() if name in available}
    if twice := {name for name in (*located.values(), *(terms or ())) if available.count(name) > 1}:
        raise LogError(
            translated(
                "The log has two columns of one name: {listed}. Rename one of them.",
                listed=listed(sorted(twice)),
            )
        )
    return located


def _missing_columns(missing: dict[str, str], available: list[str], roles: dict[str, str]) -> str:
    """Name what is missing and what there is, and suggest the nearest or what shops call it, with the flag to use."""
    advice, free = [], [name for name in available if name not in roles]
    for name, remedy in missing.items():
        if twins := [each for each in available if re.fullmatch(rf"{re.escape(name)}#[0-9]+", each)]:
            advice.append(f"for {name!r} {remedy} {' or '.join(map(repr, twins))}, whichever is meant")
            continue
        near = nearest(name, available, cutoff=0.85) or _usual(roles.get(name, ""), free)
        near = near or nearest(name, available, cutoff=0.7)
        price, quantity = (_usual(role, free) if near is None else None for role in ("price", "quantity"))
        if roles.get(name) == "amount" and price and quantity:
            expression = f"{quoted(quantity)} * {quoted(price)}"
            advice.append(f"for {name!r} use {typed('--amount-expression', expression)}")
        elif near := near or (price if roles.get(name) == "amount" else None):
            advice.append(f"for {name!r} {remedy} {near!r}")
        elif remedy.startswith("use"):
            advice.append(f"for {name!r} {remedy} COLUMN")
    found = f"The log has no column {listed(missing)}; it has {listed(available)}."
    if len(available) == 1 and (told := _one_column(available[0])):
        return f"{found} {told}"
    periods = [name for name in available if re.match(_PERIOD, name.strip())]
    if len(periods) > 2 and 2 * len(periods) > len(available) and (near := _usual("customer_id", available)):
        return (
            f"{found} It seems to be a pivot table, with a row for each {near!r} and a column for each period: give "
            "the orders themselves, one a row."
        )
    if all(re.fullmatch("'.*'", name.strip()) for name in available):
        quotes = translated(
            "Its cells stand in single quotes, which are no quotes of a CSV: replace them by double ones."
        )
        return f"{found} {quotes}"
    if any(re.match(r"[+-]?[0-9]+([.,/-][0-9]+)*$", name.strip()) for name in available):
        return f"{found} Its first line seems to be an order: write a header above it, such as {','.join(missing)}."
    return f"{found} Perhaps {'; '.join(advice)}." if advice else found


def _one_column(header: str) -> str:
    """Say why a header is one cell, where it seems to hold several names."""
    if re.search(r"[^,]+,[^,]+", header):
        return translated(
            "Each line stands in quotes as a whole: take the outer quotes off, and write two in a row within as one."
        )
    if re.search(r"\w[^\w\s.-]\w|\w\s{2,}\w", header):
        return translated(
            "Columns are told apart by commas, semicolons, tabs or bars: save the file with one of these."
        )
    return ""


def _usual(role: str, available: list[str]) -> str | None:
    """Return the column whose name has a word by which shops call a role, if there is one."""
    for word in _USUAL.get(role, "").split("|"):
        for name in available:
            if role == "amount" and _NO_SALES.search(name):
                continue
            words = re.sub(r"(?<=[^\W_])(?=[A-Z][a-z])", " ", name).lower()
            if word and re.search(rf"(?:^|[\W_]){word}(?:$|[\W_]|(?:id|no|nr)$)", words):
                return name
    return None


def listed(names: Iterable[object]) -> str:
    """Quote names for a message.

    Examples
    --------
    >>> listed(["ts", "Customer ID"])
    "'ts', 'Customer ID'"
    """
    return ", ".join(repr(str(name)) for name in names)


def quoted(name: str) -> str:
    """Return a column's name as a query or an expression has it.

    Examples
    --------
    >>> quoted("amount"), quoted("Unit Price"), quoted("order")
    ('amount', '"Unit Price"', '"order"')
    """
    plain = name.isidentifier() and not _RESERVED.fullmatch(name)
    return name if plain else '"' + name.replace('"', '""') + '"'


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
