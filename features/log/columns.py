"""The columns of a raw log: which is which, and their values read as text and as local times.

A value that cannot be read becomes null (NaT for times), never a guess; who calls counts the nulls. All of
it works on whole columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import LogError, MissingColumnError
from features.log.settings import Columns, LogRules
from features.suggestion import nearest

Times = npt.NDArray[np.datetime64]

_FIELDS = {
    "customer_id": "customer_column",
    "ordered_at": "date_column",
    "amount": "amount_column",
    "currency": "currency_column",
    "order_id": "order_column",
    "margin": "margin_column",
    "channel": "channel_column",
    "product_id": "product_column",
    "quantity": "quantity_column",
}
# From here on a float skips whole numbers: two ids may have become one.
_LARGEST_ID = {pa.float32(): 2.0**24, pa.float64(): 2.0**53}

_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
_DATE = r"([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})"
_ISO_LOCAL = rf"^{_DATE}([T ]{_TIME})?$"
_ISO_OFFSET = rf"^{_DATE}[T ]{_TIME} ?(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$"
_FIRST, _LAST = np.datetime64("0001-01-01"), np.datetime64("9999-12-31T23:59:59")
_TWO_DAYS = np.timedelta64(2, "D")


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
    fields = {role: field for role, field in _FIELDS.items() if terms is None or role != "amount"}
    required = {"customer_id", "ordered_at", "amount"} | ({"currency"} if rules.currency else set())
    wanted = {role: str(getattr(columns, field)) for role, field in fields.items()}
    missing = {
        name: f"use {Columns.flag(fields[role])}"
        for role, name in wanted.items()
        if name not in available and (role in required or name != Columns.model_fields[fields[role]].default)
    }
    missing |= {name: "in --amount-expression write" for name in terms or () if name not in available}
    if missing:
        raise MissingColumnError(_missing_columns(missing, available))
    located = {role: name for role, name in wanted.items() if name in available}
    if twice := {name for name in (*located.values(), *(terms or ())) if available.count(name) > 1}:
        raise LogError(f"The log has two columns of one name: {listed(sorted(twice))}. Rename one of them.")
    return located


def _missing_columns(missing: dict[str, str], available: list[str]) -> str:
    """Name what is missing and what there is, and suggest the nearest, with the flag to use."""
    advice = []
    for name, remedy in missing.items():
        near = nearest(name, available, cutoff=0.7)
        if near or remedy.startswith("use"):
            advice.append(f"for {name!r} {remedy} " + (repr(near) if near else "COLUMN"))
    found = f"The log has no column {listed(missing)}; it has {listed(available)}."
    return f"{found} Perhaps {'; '.join(advice)}." if advice else found


def listed(names: Iterable[object]) -> str:
    """Quote names for a message.

    Examples
    --------
    >>> listed(["ts", "Customer ID"])
    "'ts', 'Customer ID'"
    """
    return ", ".join(repr(str(name)) for name in names)


def text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Read a column as text: without surrounding whitespace, blank as null, otherwise to the letter.

    Leading zeros, inner spaces and every alphabet survive. A whole number kept as a float or a decimal, as
    pandas does beside missing values, is written as the whole number.

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
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        return _float_text(column)
    try:
        written = column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise LogError(f"A column of type {column.type} cannot be read as text: {error}.") from None
    if pa.types.is_decimal(column.type):
        return pc.replace_substring_regex(written, r"\.0+$", "")
    trimmed = pc.utf8_trim_whitespace(written)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def _float_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    column = column.cast(pa.float32()) if pa.types.is_float16(column.type) else column
    finite = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
    whole = pc.equal(finite, pc.floor(finite))
    integers = pc.if_else(whole, finite, pa.scalar(0, column.type))
    if pc.any(pc.greater_equal(pc.abs(integers), _LARGEST_ID[column.type])).as_py():
        raise LogError(
            "Long whole numbers kept as floats have lost their last digits: different ids may have become "
            "one. Store the column as text or as whole numbers."
        )
    return pc.if_else(whole, integers.cast(pa.int64()).cast(pa.string()), finite.cast(pa.string()))


def local_times(column: pa.ChunkedArray, timezone: str = "UTC", date_format: str | None = None) -> Times:
    """Read a column as times on the clock of a time zone.

    A time with an offset is converted; one without is taken to be in ``timezone``; a date is its midnight.
    Text is ISO 8601 (``2011-01-31``, ``2011-01-31 12:30:00+02:00``, ``20110131``) unless ``date_format`` says
    otherwise. Day and month are never guessed: ``31/01/2011`` is NaT without a ``date_format``.

    Parameters
    ----------
    column : pyarrow.ChunkedArray of dates, timestamps, text, or whole numbers such as 20110131
    timezone : str, IANA name
    date_format : str, as in :meth:`datetime.datetime.strptime`; for text only

    Returns
    -------
    ndarray of datetime64[us], NaT where missing, unreadable, or not in the years 1 to 9999

    Raises
    ------
    LogError
        If ``date_format`` holds an unknown directive.

    Examples
    --------
    >>> local_times(pa.chunked_array([["2011-01-31", "2011-01-31 23:30:00Z", "31/01/2011"]]), "Europe/Berlin")
    array(['2011-01-31T00:00:00.000000', '2011-02-01T00:30:00.000000', 'NaT'], dtype='datetime64[us]')
    """
    if pa.types.is_date(column.type):
        return _within_calendar(column.cast(pa.date32()).to_numpy())
    if pa.types.is_timestamp(column.type):
        times = _within_calendar(column.to_numpy())
        return times if column.type.tz is None else _to_zone(times, timezone)
    written = text(column)
    if date_format is None:
        local = _parse(_only(_ISO_LOCAL, written), "ISO8601")
        if not np.isnat(local).any():
            return local
        offset = _parse(_only(_ISO_OFFSET, written), "ISO8601")
        return np.where(np.isnat(local), _to_zone(offset, timezone), local)
    try:
        times = _parse(written, date_format)
    except ValueError as error:
        raise LogError(f"The date format {date_format!r} cannot be used: {error}.") from None
    return _to_zone(times, timezone) if "%z" in date_format else times


def _only(pattern: str, written: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.match_substring_regex(written, pattern), written, pa.scalar(None, pa.string()))


def _parse(written: pa.ChunkedArray, date_format: str) -> Times:
    if written.null_count == len(written):
        return np.full(len(written), np.datetime64("NaT", "us"))
    # utc=True only applies the offset, if there is one: a time without stays as it is.
    parsed = pd.to_datetime(written.to_numpy(), format=date_format, errors="coerce", utc=True)
    return _within_calendar(parsed.tz_localize(None).to_numpy())


def _within_calendar(times: Times) -> Times:
    if np.datetime_data(times.dtype)[0] != "ns":  # nanoseconds end in 2262 anyway, and cannot hold the bounds
        unit = times.dtype
        times = np.where(
            (times >= _FIRST.astype(unit)) & (times <= _LAST.astype(unit)), times, np.datetime64("NaT")
        )
    return times.astype("datetime64[us]")


def _to_zone(times: Times, timezone: str) -> Times:
    # No time zone may carry a time out of the calendar; at its ends, the day no longer matters.
    bounded = np.clip(times, _FIRST + _TWO_DAYS, _LAST - _TWO_DAYS)
    zoned = pd.DatetimeIndex(bounded, tz="UTC").tz_convert(timezone)
    local: Times = zoned.tz_localize(None).to_numpy().astype("datetime64[us]")
    return local


def local_now(now: datetime | None, timezone: str) -> np.datetime64:
    """Return a moment, by default this one, on the clock of a time zone; without an offset it already is.

    Examples
    --------
    >>> local_now(datetime.fromisoformat("2011-01-31T23:30+00:00"), "Europe/Berlin")
    np.datetime64('2011-02-01T00:30:00.000000')
    """
    moment = pd.Timestamp.now("UTC") if now is None else pd.Timestamp(now)
    if moment.tzinfo is not None:
        moment = moment.tz_convert(timezone).tz_localize(None)
    return np.datetime64(moment.to_datetime64(), "us")
