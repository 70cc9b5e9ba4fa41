"""Who was champion, in order: what a rollback goes back to.

Each promotion and each rollback is one tag of the registered model, under a key of its own that nobody else
writes. Two processes that promote at once thus both leave their entry, in any kind of registry and without a
lock; none overwrites what the other remembers. The alias alone says who scores now.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Literal

PREFIX = "champion."


def entry(what: Literal["promote", "rollback"], version: str) -> tuple[str, str]:
    """Return the key and value of a tag that says: now this version is champion.

    Keys sort by the clock of whoever writes.
    """
    return f"{PREFIX}{time.time_ns():020d}.{secrets.token_hex(4)}", f"{what} {version}"


def succession(tags: Mapping[str, str]) -> list[str]:
    """Return the champions, oldest first; a rollback takes back those after the one it went to.

    Parameters
    ----------
    tags : mapping of str to str
        Of the registered model; those that are no entry are passed over.

    Examples
    --------
    >>> tags = {"champion.1": "promote 1", "champion.2": "promote 2", "champion.3": "promote 5", "team": "crm"}
    >>> succession(tags)
    ['1', '2', '5']
    >>> succession(tags | {"champion.4": "rollback 2"})
    ['1', '2']
    """
    champions: list[str] = []
    for key in sorted(key for key in tags if key.startswith(PREFIX)):
        what, _, version = tags[key].partition(" ")
        if what == "rollback" and version in champions:
            del champions[_last(champions, version) + 1 :]
        elif champions[-1:] != [version]:
            champions.append(version)
    return champions


def predecessor(champions: Sequence[str], champion: str) -> str | None:
    """Return who was champion before ``champion``, None if nobody was.

    A champion that is not the last in the list got the alias by hand: the last was before it.

    Examples
    --------
    >>> predecessor(["1", "2", "5"], "5"), predecessor(["1", "2"], "7"), predecessor(["1"], "1")
    ('2', '2', None)
    """
    return next((version for version in reversed(champions) if version != champion), None)


def _last(champions: Sequence[str], version: str) -> int:
    return len(champions) - 1 - list(reversed(champions)).index(version)
