"""The order of texts in a list: that of the alphabet of their language, which their code points do not follow."""

from __future__ import annotations

_PERSIAN = ("آ", "اأإءٱ", *"بپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی")
_ALIKE = {"ک": "ك", "و": "ؤ", "ه": "ةۀ", "ی": "يئى"}
_ZERO_WIDTH = "\u200c"

_PLACES = {
    ord(letter): chr(0x600 + place)
    for place, letters in enumerate(_PERSIAN)
    for letter in letters + _ALIKE.get(letters, "")
} | {ord(_ZERO_WIDTH): None}


def alphabetical(text: str) -> str:
    """Return what a text is sorted by: without case, and Persian letters as the alphabet has them.

    Examples
    --------
    >>> sorted(["یزد", "گرگان", "هرمز", "پاوه", "كرمان", "Qom", "abadan", "کاشان"], key=alphabetical)
    ['abadan', 'Qom', 'پاوه', 'کاشان', 'كرمان', 'گرگان', 'هرمز', 'یزد']
    """
    return text.casefold().translate(_PLACES)
