"""History of champions, kept as tags of the registered model: what a rollback goes back to.

Each promotion and each rollback is one tag with a key of its own. Two processes that promote at once thus both record
it, in any kind of registry and without a lock. Which version is champion now, the alias alone says.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Literal

PREFIX = "champion."


def history_tag(what: Literal["promote", "rollback"], version: str) -> tuple[str, str]:
    """Return the key and value of the tag that records a new champion; keys sort by the writer's clock."""
    return f"{PREFIX}{time.time_ns():020d}.{secrets.token_hex(4)}", f"{what} {version}"


def champions_in_order(tags: Mapping[str, str]) -> list[str]:
    """Return the champions, oldest first; a rollback removes those after the one it went back to.

    Parameters
    ----------
    tags : mapping of str to str
        Of the registered model; other tags are ignored.

    Examples
    --------
    >>> tags = {"champion.1": "promote 1", "champion.2": "promote 2", "champion.3": "promote 5", "team": "crm"}
    >>> champions_in_order(tags)
    ['1', '2', '5']
    >>> champions_in_order(tags | {"champion.4": "rollback 2"})
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


def previous_champion(champions: Sequence[str], champion: str) -> str | None:
    """Return the champion before ``champion``, None if there was none.

    A champion that is not the last in the list got the alias by hand: then the last in the list was before it.

    Examples
    --------
    >>> previous_champion(["1", "2", "5"], "5"), previous_champion(["1", "2"], "7"), previous_champion(["1"], "1")
    ('2', '2', None)
    """
    return next((version for version in reversed(champions) if version != champion), None)


def _last(champions: Sequence[str], version: str) -> int:
    return len(champions) - 1 - list(reversed(champions)).index(version)
