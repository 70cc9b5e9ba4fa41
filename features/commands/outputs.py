"""Files that a command writes: never one that it reads, or writes twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from features.errors import OutputError
from features.language import translated
from features.settings import Settings

WRITTEN = ("out", "unscored", "quarantine", "plot", "receipt")
"""Settings that name a file that is written."""

_LOG = "transactions"


def require_apart(arguments: Mapping[str, Any]) -> None:
    """Refuse to write over a file that is read, or to write two things into one.

    Folders are let be: `measure` writes into that of the campaign.

    Parameters
    ----------
    arguments : mapping of a command's parameters to groups of settings or values

    Raises
    ------
    OutputError
        Names the file, and the flag that would write it.

    Examples
    --------
    >>> require_apart({"out": Path("scored.csv"), "transactions": "orders.csv"})
    >>> require_apart({"out": Path("orders.csv"), "transactions": "./orders.csv"})
    Traceback (most recent call last):
    features.errors.OutputError: --out: orders.csv is read here, and would be replaced. Name another file.
    """
    seen: dict[Path, str] = {}
    for name, path in sorted(files_of(arguments), key=lambda file: file[0] in WRITTEN):
        place = path.absolute().resolve()
        other = seen.setdefault(place, name)
        if name in WRITTEN and other != name and not path.is_dir():
            what = (
                f"is that of {_flag(other)} too"
                if other in WRITTEN
                else "is read here, and would be replaced"
            )
            raise OutputError(
                translated(
                    "{value}: {path} {what}. Name another file.", value=_flag(name), path=path, what=what
                )
            )


def files_of(arguments: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Yield the names of parameters and the files that they name."""
    for name, value in arguments.items():
        if isinstance(value, Settings):
            yield from files_of({each: getattr(value, each) for each in type(value).model_fields})
        elif isinstance(value, Path):
            yield name, value
        elif isinstance(value, list):
            yield from ((name, each) for each in value if isinstance(each, Path))
        elif name == _LOG and isinstance(value, str) and "://" not in value:
            yield name, Path(value.partition("?")[0])


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
