"""Documents that people write or bring, in TOML and JSON: read within limits of size and depth.

A parser follows nested lists and tables by recursion, so a few kilobytes of ``[[[[`` end it; a key of many dotted
parts takes it hours.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from features.language import translated

Document = TypeVar("Document")
LARGEST_BYTES = 8 << 20
DEEPEST = 100


def read_toml(path: Path) -> dict[str, Any]:
    r"""Read a TOML file.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be read.
    ValueError
        If it is no TOML, or beyond the limits; says which.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "offers.toml"
    >>> _ = path.write_text("a = " + 5000 * "[")
    >>> read_toml(path)
    Traceback (most recent call last):
    ValueError: it is nested more than 100 deep
    """
    text = _text(path)
    parts = max((part.count(".") for line in text.splitlines() for part in line.split("=")), default=0)
    if parts > DEEPEST:
        raise _too_deep()
    try:
        return _within_depth(tomllib.loads(text))
    except RecursionError:
        raise _too_deep() from None


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    OSError, ValueError
        As in `read_toml`.
    """
    try:
        return _within_depth(json.loads(_text(path)))
    except RecursionError:
        raise _too_deep() from None


def _text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise ValueError(translated("it is larger than {limit} MiB", limit=LARGEST_BYTES >> 20))
    return content.decode("utf-8-sig")  # Windows begins a file with a mark


def _within_depth(document: Document) -> Document:
    """Return a document, unless it is nested too deeply for those who read it after the parser."""
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        inner = [each for each in level if isinstance(each, dict | list)]
        level = [part for each in inner for part in (each.values() if isinstance(each, dict) else each)]
        if not level:
            return document
    raise _too_deep()


def _too_deep() -> ValueError:
    return ValueError(translated("it is nested more than {deepest} deep", deepest=DEEPEST))
