"""The language that people read: sentences, numbers and dates. Names that machines read stay English.

A sentence is written in English where it is said, with named placeholders::

    translated("{used:,} of {given:alias|aliases} are in the log.", used=3, given=5)

That text is the key of its translation in ``features/language/<language>.po``; English has no such file. The language
is chosen once, by `use_language`, for all that runs inside it: a command, a request. A sentence that is a constant is
marked by `translatable` where it stands, and translated where it is shown. A word of two meanings gets a context
(`translated_in`). CONTRIBUTING says how a catalogue is kept.

A placeholder has a format of Python's, or one of these:

- ``{n:order|orders}``: a count with its noun in the language's plural forms ("one|other" in English);
- ``{days:span}``: a number of days in the unit that one would say it in, "9 weeks";
- ``{names}`` of a list: its values, with the language's comma between them;
- ``{period:label}``: the name of a period, such as 1997-02 or 1997-Q1;
- ``{day:date}``: a `datetime.date` or its ISO text; Persian writes the Jalali date beside the Gregorian one.

Numbers have the digits and marks of the language.
"""

from features.language.alphabet import alphabetical as alphabetical
from features.language.catalogue import (
    known_sentences as known_sentences,
    saying_instead as saying_instead,
    translation as translation,
)
from features.language.choice import (
    ENGLISH as ENGLISH,
    LANGUAGES as LANGUAGES,
    Language as Language,
    current_language as current_language,
    preferred_language as preferred_language,
    text_direction as text_direction,
    use_language as use_language,
)
from features.language.notation import (
    JALALI_MONTHS as JALALI_MONTHS,
    day_of as day_of,
    in_digits as in_digits,
    short_day as short_day,
)
from features.language.sentences import (
    currency as currency,
    placeholders as placeholders,
    span_units as span_units,
    translatable as translatable,
    translated as translated,
    translated_in as translated_in,
    writer as writer,
    written as written,
)
