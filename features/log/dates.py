"""Order dates: read as local times in the ways that people write them, never guessed.

ISO 8601 is read as it stands. Anything else is named by ``--date-format``: a format as of `strptime`, or
``epoch``, ``epoch-ms``, ``epoch-us``, ``epoch-ns`` and ``excel`` for numbers, or several (``iso|%d/%m/%Y``) where no
date fits two of them; and by ``--log-calendar`` where years are Jalali. Persian and Arabic digits are digits, and
months may be named in several languages. A value that cannot be read becomes NaT; who calls counts them.
"""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import LogError
from features.jalali import days_of_month, gregorian
from features.language import translated
from features.log.column_text import plain, text
from features.log.date_formats import ISO, NUMERIC_FORMATS
from features.log.month_names import with_english_months

Times = npt.NDArray[np.datetime64]

# The microseconds of one unit, and the moment that is 0.
_NUMERIC = {
    "epoch": (1_000_000, np.datetime64("1970-01-01", "us")),
    "epoch-us": (1, np.datetime64("1970-01-01", "us")),
    "epoch-ns": (1e-3, np.datetime64("1970-01-01", "us")),
    "epoch-ms": (1_000, np.datetime64("1970-01-01", "us")),
    "excel": (86_400_000_000, np.datetime64("1899-12-30", "us")),
}

_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
_DATE = r"([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})"
_ISO_LOCAL = rf"^{_DATE}([T ]{_TIME})?$"
_ISO_OFFSET = rf"^{_DATE}[T ]{_TIME} ?(Z|UTC|GMT|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$"
_FIRST, _LAST = np.datetime64("0001-01-01"), np.datetime64("9999-12-31T23:59:59")
_TWO_DAYS = np.timedelta64(2, "D")
_ONE_DAY = np.timedelta64(1, "D")
_END_OF_DAY = r"([T ])24:00(:00(?:\.0+)?)?([^0-9:.]|$)"
_FOREIGN_DIGIT = "[۰-۹٠-٩０-９]"
_ASCII_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩０１２３４５６７８９", "0123456789" * 3)
_NUMBER = r"^[0-9]+(\.[0-9]+)?$"
_YEAR, _PART, _CLOCK = "([0-9]{4})", "([0-9]{1,2})", "(?:[T ]+(.*))?"
# By how the format begins: the pattern, and where year, month and day stand in it; else the year comes first.
_JALALI_YEAR_FIRST = (re.compile(rf"^\s*{_YEAR}[-/.]{_PART}[-/.]{_PART}{_CLOCK}$"), (1, 2, 3))
_JALALI_YEAR_LAST = re.compile(rf"^\s*{_PART}[-/.]{_PART}[-/.]{_YEAR}{_CLOCK}$")
_JALALI = {"%d": (_JALALI_YEAR_LAST, (3, 2, 1)), "%m": (_JALALI_YEAR_LAST, (3, 1, 2))}


def local_times(
    column: pa.ChunkedArray,
    timezone: str = "UTC",
    date_format: str | None = None,
    calendar: str = "gregorian",
) -> Times:
    """Read a column as times on the clock of a time zone.

    A time with an offset is converted; one without is taken to be in ``timezone``; a date is its midnight.
    Text is ISO 8601 (``2011-01-31``, ``2011-01-31 12:30:00+02:00``, ``20110131``) unless ``date_format`` says
    otherwise; 24:00 is the midnight that ends a day. Day and month are never guessed: ``31/01/2011`` is NaT without
    a ``date_format``.

    Parameters
    ----------
    column : pyarrow.ChunkedArray of dates, timestamps, text, or whole numbers such as 20110131
    timezone : str, IANA name
    date_format : str, as in :meth:`datetime.datetime.strptime`, for text only; or ``iso`` or one of `NUMERIC_FORMATS`;
        or several of these, with ``|`` between them
    calendar : str, ``gregorian``, or ``jalali`` for text such as 1402/01/31 or 1402-01-31 12:30, and with a
        ``date_format`` that begins with %d or %m for 31/01/1402 or 01/31/1402

    Returns
    -------
    ndarray of datetime64[us], NaT where missing, unreadable, or not in the years 1 to 9999

    Raises
    ------
    LogError
        If ``date_format`` holds an unknown directive, or two of its formats read a date differently.

    Examples
    --------
    >>> local_times(pa.chunked_array([["2011-01-31", "2011-01-31 23:30:00Z", "31/01/2011"]]), "Europe/Berlin")
    array(['2011-01-31T00:00:00.000000', '2011-02-01T00:30:00.000000', 'NaT'], dtype='datetime64[us]')
    """
    column = plain(column)
    if pa.types.is_date(column.type):
        return _within_calendar(column.cast(pa.date32()).to_numpy())
    if pa.types.is_timestamp(column.type):
        times = _within_calendar(column.to_numpy())
        return times if column.type.tz is None else _to_zone(times, timezone)
    written = ascii_digits(text(column))
    ends = pc.fill_null(pc.match_substring_regex(written, _END_OF_DAY), False)
    if not pc.any(ends).as_py():
        return _read_texts(written, timezone, date_format, calendar)
    begun = pc.replace_substring_regex(written, _END_OF_DAY, r"\1" "00:00" r"\2\3")
    times = _read_texts(begun, timezone, date_format, calendar)
    return np.where(ends.to_numpy(), times + _ONE_DAY, times)


def _read_texts(written: pa.ChunkedArray, timezone: str, date_format: str | None, calendar: str) -> Times:
    if date_format and "|" in date_format:
        return _of_several(written, timezone, date_format.split("|"), calendar)
    if date_format == ISO:
        date_format = None
    if date_format in NUMERIC_FORMATS:
        return _from_numbers(written, date_format, timezone)
    if calendar == "jalali":
        texts = (_gregorian_text(each, date_format or "") for each in written.to_pylist())
        written = pa.chunked_array([pa.array(texts, pa.string())])
    if date_format is None or calendar == "jalali":
        local = _parse_iso(_only(_ISO_LOCAL, written))
        if not np.isnat(local).any():
            return local
        offset = pc.replace_substring_regex(_only(_ISO_OFFSET, written), " ?(UTC|GMT)$", "Z")
        return np.where(np.isnat(local), _to_zone(_parse(offset, "ISO8601"), timezone), local)
    if date_format.endswith("%z"):  # a zone's name may follow, as in 10:00:00 GMT+0100 (CET)
        written = pc.replace_substring_regex(written, r" \([^()]*\)$", "")
    if "%p" in date_format:
        written = pc.replace_substring_regex(written, r"(?i)\b([ap])\. ?m\.", r"\1m")
    try:
        times = _with_months(written, _parse(written, date_format), date_format)
    except ValueError as error:
        raise LogError(
            translated(
                "The date format {date_format!r} cannot be used: {error}.",
                date_format=date_format,
                error=error,
            )
        ) from None
    return _to_zone(times, timezone) if "%z" in date_format.lower() else times


def _of_several(written: pa.ChunkedArray, timezone: str, formats: list[str], calendar: str) -> Times:
    """Read each date by the one format that fits it."""
    times = local_times(written, timezone, formats[0], calendar)
    for number, form in enumerate(formats[1:], start=1):
        others = local_times(written, timezone, form, calendar)
        doubtful = np.flatnonzero(~np.isnat(times) & ~np.isnat(others) & (times != others))
        if doubtful.size:
            first, second = (str(each[doubtful[0]])[:10] for each in (times, others))
            raise LogError(
                translated(
                    "{size:,} dates fit two formats of {names!r}: {value!r} is {first} by {names_2}, and "
                    "{second} by {form}.",
                    size=doubtful.size,
                    names="|".join(formats),
                    value=written[int(doubtful[0])].as_py(),
                    first=first,
                    names_2="|".join(formats[:number]),
                    second=second,
                    form=form,
                ),
                translated("Export the dates as 2011-01-31: no format tells which is which."),
            )
        times = np.where(np.isnat(times), others, times)
    return times


def ascii_digits(written: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write Persian, Arabic and full-width digits as ASCII ones.

    Examples
    --------
    >>> ascii_digits(pa.chunked_array([["۱۴۰۲/۰۱/۳۱", "17"]])).to_pylist()
    ['1402/01/31', '17']
    """
    if not pc.any(pc.match_substring_regex(written, _FOREIGN_DIGIT)).as_py():
        return written
    texts = (each and plain_digits(each) for each in written.to_pylist())
    return pa.chunked_array([pa.array(texts, pa.string())])


def plain_digits(written: str) -> str:
    """Write the Persian, Arabic and full-width digits of one text as ASCII ones."""
    return written.translate(_ASCII_DIGITS)


def _from_numbers(written: pa.ChunkedArray, date_format: str, timezone: str) -> Times:
    """Read counts of seconds and their parts as moments, of days as local times."""
    unit, zero = _NUMERIC[date_format]
    readable = pc.if_else(pc.match_substring_regex(written, _NUMBER), written, pa.scalar(None, pa.string()))
    counts = readable.cast(pa.float64()).to_numpy() * unit
    sane = np.where(np.abs(counts) < 2.5e17, counts, np.nan)
    steps = np.round(np.nan_to_num(sane)).astype("timedelta64[us]")
    times = _within_calendar(np.where(np.isnan(sane), np.datetime64("NaT", "us"), zero + steps))
    return times if date_format == "excel" else _to_zone(times, timezone)


def _with_months(written: pa.ChunkedArray, times: Times, date_format: str) -> Times:
    """Read the dates that could not be read with the names of their months in English."""
    if "%b" not in date_format.lower():
        return times
    unread = np.flatnonzero(np.isnat(times) & written.is_valid().to_numpy())
    if not unread.size:
        return times
    cells, short = written.take(pa.array(unread)).to_pylist(), "%b" in date_format
    english = pa.array([with_english_months(each, short=short) for each in cells], pa.string())
    found = times.copy()
    found[unread] = _parse(pa.chunked_array([english]), date_format)
    return found


def _gregorian_text(written: str | None, form: str) -> str | None:
    """Return a Jalali date, perhaps with a time, as its Gregorian ISO text; None where it is no such date."""
    pattern, places = _JALALI.get(form[:2], _JALALI_YEAR_FIRST)
    found = pattern.match(written or "")
    if found is None:
        return None
    year, month, day_of_month = (int(found[place]) for place in places)
    day = gregorian(year, month, day_of_month)
    return None if day is None else f"{day.isoformat()}{' ' + found[4].strip() if found[4] else ''}"


def past_month(written: str | None, form: str | None = None) -> str:
    """Say of a Jalali date beyond the end of its month how many days that has; an empty text for another.

    Examples
    --------
    >>> past_month("1394/12/30"), past_month("1395/12/30"), past_month("30 Esfand")
    ("'1394/12/30' is no day of the Jalali calendar: month 12 of 1394 has 29 days.", '', '')
    """
    pattern, places = _JALALI.get((form or "")[:2], _JALALI_YEAR_FIRST)
    found = pattern.match((written or "").translate(_ASCII_DIGITS))
    if found is None:
        return ""
    year, month, day = (int(found[place]) for place in places)
    days = days_of_month(year, month)
    if not days or not days < day <= 31:
        return ""
    return translated(
        "{date!r} is no day of the Jalali calendar: month {month} of {year:digits} has {days} days.",
        date=written,
        month=month,
        year=year,
        days=days,
    )


def _only(pattern: str, written: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.match_substring_regex(written, pattern), written, pa.scalar(None, pa.string()))


def _parse_iso(written: pa.ChunkedArray) -> Times:
    try:  # of the forms that are admitted Arrow knows the usual ones, and reads them many times faster
        return _within_calendar(written.cast(pa.timestamp("us")).to_numpy())
    except pa.ArrowInvalid:
        return _parse(written, "ISO8601")


def _parse(written: pa.ChunkedArray, date_format: str) -> Times:
    if written.null_count == len(written):
        return np.full(len(written), np.datetime64("NaT", "us"))
    # utc=True only applies the offset, if there is one: a time without stays as it is.
    parsed = pd.to_datetime(written.to_numpy(), format=date_format, errors="coerce", utc=True)
    return _within_calendar(parsed.tz_localize(None).to_numpy())


def _within_calendar(times: Times) -> Times:
    if np.datetime_data(times.dtype)[0] != "ns":  # nanoseconds end in 2262 anyway, and cannot hold the bounds
        unit = times.dtype
        beyond = (times < _FIRST.astype(unit)) | (times > _LAST.astype(unit))
        times = times.astype("datetime64[us]")
        times[beyond] = np.datetime64("NaT")
    return times.astype("datetime64[us]", copy=False)


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
