"""Names of months in the languages of shops, turned into English ones, which formats of dates read."""

from __future__ import annotations

import re
import unicodedata

# By month: French, Spanish, German, Turkish, and short ones; without accents, as `_plain` writes them.
_NAMES = (
    "january janvier enero januar janner ocak jan janv ene oca",
    "february fevrier febrero februar subat feb fevr fev sub",
    "march mars marzo marz mart mar mrz",
    "april avril abril nisan apr avr abr nis",
    "may mai mayo mayis",
    "june juin junio juni haziran jun haz",
    "july juillet julio juli temmuz jul juil tem",
    "august aout agosto agustos aug ago agu",
    "september septembre septiembre setiembre eylul sep sept eyl",
    "october octobre octubre oktober ekim oct okt eki",
    "november novembre noviembre kasim nov kas",
    "december decembre diciembre dezember aralik dec dic dez ara",
)
_MONTH_OF = {name: names.split()[0].capitalize() for names in _NAMES for name in names.split()}
_WORD = re.compile(r"[^\W\d_]{3,}\.?")
_DOTLESS = str.maketrans({"ı": "i"})


def with_english_months(written: str | None, *, short: bool) -> str | None:
    """Return a date with its month's name in English, in three letters if ``short``; other words stay as they are.

    Examples
    --------
    >>> with_english_months("3 févr. 2024", short=False), with_english_months("3 Ağustos 2024", short=True)
    ('3 February 2024', '3 Aug 2024')
    """

    def english(word: re.Match[str]) -> str:
        month = _MONTH_OF.get(_plain(word[0]))
        return word[0] if month is None else month[:3] if short else month

    return written and _WORD.sub(english, written)


def _plain(word: str) -> str:
    letters = unicodedata.normalize("NFKD", word.rstrip(".").casefold())
    return "".join(each for each in letters if not unicodedata.combining(each)).translate(_DOTLESS)
