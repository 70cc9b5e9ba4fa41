"""Known notations: ways of writing numbers and dates that people use, each with the flag that reads it."""

from __future__ import annotations

import re
from dataclasses import replace

from features.language import translatable
from features.log.amounts import SCALED
from features.log.date_formats import ISO
from features.log.number_style import NumberStyle

# A letter, of any script. RE2 takes milliseconds to compile its class \p{L}, which hundreds of patterns have; they only
# propose formats, and dates are read by those afterwards.
_LETTER = r"[^\x00-@\[-`{-\x7f]"

_BLANK = r"[ \x{a0}\x{202f}]"
_SIGN = "[+-]?"
OVER_12 = "(1[3-9]|2[0-9]|3[01])"  # a day of the month that is no month
_GERMAN = NumberStyle(decimal=",", thousands=".")
ACCOUNTED, _ACCOUNTING = "--accounting", NumberStyle(accounting=True)
# What it is, a pattern of the whole cell, the flag that reads it, and the style that the flag makes.
_GROUPED: tuple[tuple[str, str, str, NumberStyle], ...] = (
    (
        translatable("with dots for thousands"),
        rf"^{_SIGN}[0-9]{{1,3}}(\.[0-9]{{3}}){{2,}}$",
        "--thousands .",
        _GERMAN,
    ),
    (
        translatable("with dots for thousands and a decimal comma"),
        rf"^{_SIGN}[0-9]{{1,3}}(\.[0-9]{{3}})+,[0-9]+$",
        "--decimal , --thousands .",
        _GERMAN,
    ),
    (
        translatable("with commas for thousands"),
        rf"^{_SIGN}([0-9]{{1,3}}(,[0-9]{{3}})+|[0-9]{{1,2}}(,[0-9]{{2}})+,[0-9]{{3}})(\.[0-9]*)?$",
        "--thousands ,",
        NumberStyle(thousands=","),
    ),
    (
        translatable("with a decimal comma"),
        rf"^{_SIGN}[0-9]+,[0-9]*$",
        "--decimal ,",
        NumberStyle(decimal=","),
    ),
    (
        translatable("with spaces for thousands"),
        rf"^{_SIGN}[0-9]{{1,3}}({_BLANK}[0-9]{{3}})+(\.[0-9]*)?$",
        "--thousands ' '",
        NumberStyle(thousands=" "),
    ),
    (
        translatable("with spaces for thousands and a decimal comma"),
        rf"^{_SIGN}[0-9]{{1,3}}({_BLANK}[0-9]{{3}})+,[0-9]*$",
        "--decimal , --thousands ' '",
        NumberStyle(decimal=",", thousands=" "),
    ),
    (
        translatable("with apostrophes for thousands"),
        rf"^{_SIGN}[0-9]{{1,3}}(['’][0-9]{{3}})+(\.[0-9]*)?$",
        '--thousands "\'"',
        NumberStyle(thousands="'"),
    ),
)
_MARKED: tuple[tuple[str, str, str, NumberStyle], ...] = (
    (translatable("in parentheses"), r"^[^(]*\(.*[0-9].*\)$", ACCOUNTED, _ACCOUNTING),
    (translatable("with a minus at the end"), r"^[0-9.]+ ?-$", ACCOUNTED, _ACCOUNTING),
    (
        translatable("with a currency beside them"),
        r"^-?([^0-9.,()-]{1,6}\.? ?-?[0-9][0-9.]*|[0-9][0-9.]*[^0-9.,()-]{1,6}\.?)$",
        "--accounting",
        _ACCOUNTING,
    ),
)
NUMBERS = (
    *_GROUPED,
    *_MARKED,
    *(
        (how, pattern, f"--accounting {flag}", replace(style, accounting=True))
        for how, pattern, flag, style in _GROUPED
    ),
)
# What no style reads: what it is, a pattern of the cell, and what to do.
UNREAD_NUMBERS = (
    (
        translatable("with k or M for thousands and millions"),
        SCALED,
        translatable("They are rounded: export the full numbers."),
    ),
    (
        translatable("as formulas"),
        r"^=.*[0-9A-Z]",
        translatable("Save what they come to: in the spreadsheet copy the column, and paste it as values."),
    ),
    (
        translatable("as errors of a spreadsheet"),
        r"^#(REF|VALUE|N/A|NAME|DIV/0|NUM|NULL|WERT|BEZUG|NV|VALEUR|VALOR|DEĞER|YOK)[!?]?",
        translatable("Mend the formula there, and export again."),
    ),
)
_DAYS = translatable("Days are needed, such as 2011-01-31: export them.")
UNREAD_DATES = (
    (
        translatable("as weeks"),
        r"(?i)^[0-9]{4}[- ]?(W|KW)[- ]?[0-9]{1,2}$|^(W|KW)[- ]?[0-9]{1,2}[-/ ][0-9]{4}$",
        _DAYS,
    ),
    (translatable("as quarters"), r"(?i)^[0-9]{4}[-/ ]?Q[1-4]$|^Q[1-4][-/ ]?[0-9]{2,4}$", _DAYS),
    (
        translatable("as months"),
        r"^(19|20|1[34])[0-9]{2}[-/.](0?[1-9]|1[0-2])$|^(0?[1-9]|1[0-2])[-/.](19|20)[0-9]{2}$|"
        rf"^{_LETTER}{{3,10}}[-/. ]([0-9]{{2}}){{1,2}}$",
        _DAYS,
    ),
    (
        translatable("with the name of a time zone"),
        r"[0-9]{1,2}:[0-9]{2}\S*( ?[AaPp][Mm])? (C?[EWAPMC][SD]?T|CE[SD]?T|MSK|IR[SD]T|[A-Z][a-z]+/[A-Z][A-Za-z_]+)$",
        translatable(
            "Write the names into the format, and the zone into its flag: "
            "--date-format '%Y-%m-%d %H:%M:%S CET|%Y-%m-%d %H:%M:%S CEST' --timezone Europe/Berlin, for example."
        ),
    ),
)
ADVICE = {how: advice for how, _, advice in (*UNREAD_NUMBERS, *UNREAD_DATES)}
_HALF_DAY = r"(?i:[ap]\.? ?m\.?)"
# A pattern of a time of day, and the format that reads it.
_CLOCKS = (
    ("", ""),
    *(
        (f"{gap} [0-9]{{1,2}}{more}{half}", f"{gap} {hour}{shape}{end}")
        for gap in ("", ",")
        for more, shape in ((":[0-9]{2}", ":%M"), (":[0-9]{2}:[0-9]{2}", ":%M:%S"))
        for half, hour, end in (
            ("", "%H", ""),
            (f" {_HALF_DAY}", "%I", " %p"),
            (_HALF_DAY, "%I", "%p"),
            (" (UTC|GMT)", "%H", " %Z"),
            (" ?[+-][0-9]{2}:?[0-9]{2}", "%H", " %z"),
        )
    ),
    (r" [0-9]{1,2}\.[0-9]{2}", " %H.%M"),
)
_MONTH, _SHORT_MONTH = rf"{_LETTER}{{4,10}}\.?", rf"{_LETTER}{{3}}\.?"
_NAMED = translatable("with the month's name")
_NAMED_MONTHS = (
    (rf"[0-9]{{1,2}}/{_MONTH}/[0-9]{{4}}", "%d/%B/%Y", " -/."),
    (rf"[0-9]{{1,2}}/{_SHORT_MONTH}/[0-9]{{4}}", "%d/%b/%Y", " -/."),
    (rf"{_MONTH}/[0-9]{{1,2}}, [0-9]{{4}}", "%B/%d, %Y", " "),
    (rf"{_SHORT_MONTH}/[0-9]{{1,2}}, [0-9]{{4}}", "%b/%d, %Y", " "),
    (rf"{_SHORT_MONTH}/[0-9]{{1,2}}/[0-9]{{4}}", "%b/%d/%Y", " -"),
    (rf"[0-9]{{1,2}}\. {_MONTH} [0-9]{{4}}", "%d. %B %Y", " "),
    (rf"[0-9]{{1,2}} de {_MONTH} de [0-9]{{4}}", "%d de %B de %Y", " "),
)
_WEEKDAY = "[A-Z][a-z]{2}"  # or month
_IN_MAILS = r"^[A-Za-z]{3}, [0-9]{1,2} [A-Za-z]{3} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}"
# What it is, a pattern of the whole cell, and the --date-format that reads it.
DATES: tuple[tuple[str, str, str], ...] = (
    (
        translatable("as 2011-01-31"),
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9.]+)? ?(Z|UTC|GMT|[+-][0-9:]+)?)?$",
        ISO,
    ),
    (translatable("in seconds since 1970"), r"^(8|9|1[0-9]|2[0-4])[0-9]{8}(\.[0-9]+)?$", "epoch"),
    (translatable("in milliseconds since 1970"), r"^(8|9|1[0-9]|2[0-4])[0-9]{11}$", "epoch-ms"),
    (translatable("in microseconds since 1970"), r"^(8|9|1[0-9]|2[0-4])[0-9]{14}$", "epoch-us"),
    (translatable("in nanoseconds since 1970"), r"^(8|9|1[0-9]|2[0-4])[0-9]{17}$", "epoch-ns"),
    (
        translatable("as JavaScript writes them"),
        rf"^{_WEEKDAY} {_WEEKDAY} [0-9]{{1,2}} [0-9]{{4}} [0-9:]{{8}} GMT[+-][0-9]{{4}}( \(.*\))?$",
        "%a %b %d %Y %H:%M:%S GMT%z",
    ),
    (translatable("as in e-mails"), rf"{_IN_MAILS} [+-][0-9]{{4}}( \(.*\))?$", "%a, %d %b %Y %H:%M:%S %z"),
    (translatable("as in e-mails"), rf"{_IN_MAILS} (GMT|UTC)$", "%a, %d %b %Y %H:%M:%S %Z"),
    (translatable("as Excel's day numbers"), r"^(3[0-9]|4[0-9]|5[0-9])[0-9]{3}(\.[0-9]+)?$", "excel"),
    *(
        (how, rf"^{date.replace('/', re.escape(mark))}{time}$", form.replace("/", mark) + clock)
        for how, date, form, marks in (
            (translatable("with the day first"), f"{OVER_12}/[0-9]{{1,2}}/[0-9]{{4}}", "%d/%m/%Y", "/.-"),
            (translatable("with the month first"), f"[0-9]{{1,2}}/{OVER_12}/[0-9]{{4}}", "%m/%d/%Y", "/.-"),
            (translatable("with the year first"), "(19|20)[0-9]{2}/[0-9]{1,2}/[0-9]{1,2}", "%Y/%m/%d", "/.-"),
            # Not with a hyphen: 22-01-03 may begin with the year.
            (translatable("with the day first"), f"{OVER_12}/[0-9]{{1,2}}/[0-9]{{2}}", "%d/%m/%y", "/."),
            (translatable("with the month first"), f"[0-9]{{1,2}}/{OVER_12}/[0-9]{{2}}", "%m/%d/%y", "/."),
            *((_NAMED, *each) for each in _NAMED_MONTHS),
        )
        for mark in marks
        for time, clock in _CLOCKS
    ),
)
UNSHOWN_ORDER = translatable("with day and month in an order that they do not show")
# What no format of --date-format reads, or none that is known from the cell, and the flag that does.
OTHER_DATES: tuple[tuple[str, str, str], ...] = (
    (
        translatable("in the Jalali calendar"),
        r"^1[34][0-9]{2}/[0-9]{1,2}/[0-9]{1,2}",
        "--log-calendar jalali",
    ),
    (translatable("with an AM or PM"), r"(?i)[0-9] ?[ap]\.? ?m\.?$", "--date-format, with %I and %p"),
    (
        translatable("with the day first"),
        rf"^{OVER_12}[./-][0-9]{{1,2}}[./-][0-9]{{4}}",
        "--date-format, from '%d/%m/%Y' on,",
    ),
    (
        translatable("with the month first"),
        rf"^[0-9]{{1,2}}/{OVER_12}/[0-9]{{4}}",
        "--date-format, from '%m/%d/%Y' on,",
    ),
    (
        UNSHOWN_ORDER,
        r"^[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}",
        "--date-format, from '%d/%m/%Y' or from '%m/%d/%Y' on as it is meant,",
    ),
    (
        translatable("with years of two digits"),
        r"^[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2}",
        "--date-format, with %y and the order that is meant,",
    ),
)
# Orders of days in the Jalali calendar with the year last, and the --date-format that reads them with --log-calendar.
JALALI_ORDERS: tuple[tuple[str, str], ...] = (
    (translatable("in the Jalali calendar with the day first"), "%d/%m/%Y"),
    (translatable("in the Jalali calendar with the month first"), "%m/%d/%Y"),
)
JALALI_EITHER = translatable("in the Jalali calendar with day and month in an order that they do not show")
