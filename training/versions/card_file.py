"""The model card's page among a version's files, in each language."""

from __future__ import annotations

import re
from pathlib import Path

FILE = "card.html"
"""The page in the language that the version was trained in."""

_LANGUAGE = re.compile(r'<html lang="([\w-]+)"')
_HEAD = 200
"""Characters in which a page has said its language."""


def file_name(language: str) -> str:
    """Return the name of the page in a language other than that of `FILE`.

    Examples
    --------
    >>> file_name("fa")
    'card.fa.html'
    """
    return f"card.{language}.html"


def language_of(page: Path) -> str | None:
    """Return the language of a page; None where it does not say."""
    with page.open(encoding="utf-8") as file:
        found = _LANGUAGE.search(file.read(_HEAD))
    return found[1] if found else None


def page_of(folder: Path, language: str | None) -> Path | None:
    """Return a version's page in a language, by default that of training.

    Parameters
    ----------
    folder : Path, the version's files
    language : str, optional
        Where there is no such page, as in versions of earlier releases, that of training is returned.

    Returns
    -------
    Path, or None where the version was registered without a card
    """
    for name in (*([file_name(language)] if language else []), FILE):
        if (folder / name).is_file():
            return folder / name
    return None
