"""Spellings of what somebody types to find an id: keyboards write other digits and letters than programs do."""

from __future__ import annotations

from features.log.dates import plain_digits

_TO_PERSIAN = str.maketrans("يك", "یک")
_TO_ARABIC = str.maketrans("یک", "يك")
_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def spellings(typed: str) -> list[str]:
    """Return a text as it was typed, and as it may be written where ids come from.

    Examples
    --------
    >>> spellings("c17"), spellings("۱۷"), spellings("علي")
    (['c17', 'c۱۷', 'c١٧'], ['۱۷', '17', '١٧'], ['علي', 'علی'])
    """
    letters = (typed, typed.translate(_TO_PERSIAN), typed.translate(_TO_ARABIC))
    plain = [plain_digits(each) for each in letters]
    written = (each.translate(digits) for digits in (_PERSIAN_DIGITS, _ARABIC_DIGITS) for each in plain)
    return list(dict.fromkeys([*letters, *plain, *written]))
