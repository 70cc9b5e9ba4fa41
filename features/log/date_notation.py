"""Ways of writing dates, recognised in cells that could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.log.dates import local_times
from features.log.known_notations import (
    DATES,
    JALALI_EITHER,
    JALALI_ORDERS,
    OTHER_DATES,
    OVER_12,
    UNREAD_DATES,
)

Way = tuple[str, str, npt.NDArray[np.bool_] | npt.NDArray[np.int64], npt.NDArray[np.float64]]
"""In words, the flag or format that reads it, which cells are written so, and their values, NaN where not known."""

_SAMPLE_ROWS = 20_000


def ways_of_dates(written: pa.ChunkedArray, tried: Sequence[str]) -> Iterator[Way]:
    """Yield how dates are written, by formats first; what one reads, and none contradicts, is written so."""
    yield from _ways_of_jalali_days(written)
    left = pc.is_valid(written).to_numpy() & ~_no_days(written)
    for how, pattern, _ in UNREAD_DATES:
        fits = left & matches(written, pattern)
        left &= ~fits
        if fits.any():
            yield how, "", np.flatnonzero(fits), np.full(int(fits.sum()), np.nan)
    some = written.take(
        pa.array(np.linspace(0, len(written) - 1, min(len(written), _SAMPLE_ROWS)).astype(np.int64))
    )
    for how, pattern, form in (*DATES, *OTHER_DATES):
        # There are many patterns, and most logs have few.
        fits = left & matches(written, pattern) if matches(some, pattern).any() else np.zeros_like(left)
        if form in tried or not fits.any():
            continue
        named = fits
        if not form.startswith("--date-format"):
            places = np.flatnonzero(left)
            cells = written.take(pa.array(places))
            read = np.zeros_like(left)
            jalali = form.startswith("--")
            times = local_times(cells, calendar="jalali") if jalali else local_times(cells, date_format=form)
            read[places] = ~np.isnat(times)
            alone = form.startswith("%") and not matches(written, _contrary(pattern)).any()
            # What looks like a format and is no day of the calendar, or has a month of another language, is none's.
            fits, named = (fits | read, read) if alone else (fits, fits & read)
        left &= ~fits
        if named.any():
            yield how, form, named, np.full(int(named.sum()), np.nan)


def _ways_of_jalali_days(written: pa.ChunkedArray) -> Iterator[Way]:
    """Yield dates such as 15/10/1402; none where some have the day first and others the month."""
    looks = matches(written, r"^[0-9]{1,2}[./-][0-9]{1,2}[./-]1[34][0-9]{2}\b")
    if not looks.any():
        return
    read = [
        looks & ~np.isnat(local_times(written, date_format=form, calendar="jalali"))
        for _, form in JALALI_ORDERS
    ]
    shown = [(read[0] & ~read[1]).any(), (read[1] & ~read[0]).any()]
    flag = "--log-calendar jalali --date-format"
    if shown[0] != shown[1]:
        how, form = JALALI_ORDERS[int(shown[1])]
        cells = read[int(shown[1])]
        yield how, f"{flag} '{form}'", cells, np.full(int(cells.sum()), np.nan)
    elif not shown[0] and read[0].any():
        meant = " or ".join(f"'{form}'" for _, form in JALALI_ORDERS)
        yield JALALI_EITHER, f"{flag} {meant}, as it is meant,", read[0], np.full(int(read[0].sum()), np.nan)


def _no_days(written: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Mark dates such as 31.02.2024, no day in whatever order, and 15/10/1402, of another calendar."""
    day = r"^([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})\b.*$"
    looks = matches(written, day)
    dates = pc.replace_substring_regex(written, day, r"\1/\2/\3")
    read = [local_times(dates, date_format=form) for form in ("%d/%m/%Y", "%m/%d/%Y")]
    sound = np.any([times >= np.datetime64("1500-01-01") for times in read], axis=0)
    found: npt.NDArray[np.bool_] = looks & ~sound
    return found


def _contrary(pattern: str) -> str:
    """Return the pattern of dates with day and month the other way round."""
    day, month = f"^{OVER_12}", "^[0-9]{1,2}"
    for mark in ("/", r"\.", r"\-", "-"):
        if pattern.startswith(f"{day}{mark}"):
            return f"{month}{mark}{OVER_12}{mark}"
        if pattern.startswith(f"{month}{mark}{OVER_12}"):
            return f"{day}{mark}{month[1:]}{mark}"
    return "^$"


def matches(written: pa.ChunkedArray, pattern: str) -> npt.NDArray[np.bool_]:
    """Mark the cells that fit a pattern; empty ones fit none."""
    found: npt.NDArray[np.bool_] = pc.fill_null(pc.match_substring_regex(written, pattern), False).to_numpy()
    return found
