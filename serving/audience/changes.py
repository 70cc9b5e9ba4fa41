"""Changes of an audience since it was synced last, and the messages that tell a webhook of them."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from serving.delivery.webhook import Message

CHANGED = "audience.changed"
_CUSTOMER_ID = "customer_id"
_PER_MESSAGE = 500


@dataclass(frozen=True)
class Changes:
    """Who joined an audience, who left it, and of whom something else is told than before, by id.

    Examples
    --------
    >>> Changes.since(["a", "b"], ["b", "c"])
    Changes(joined=('c',), left=('a',), changed=())
    """

    joined: tuple[str, ...]
    left: tuple[str, ...]
    changed: tuple[str, ...] = ()

    @classmethod
    def since(cls, before: Collection[str], now: Collection[str]) -> Changes:
        """Return the changes from one set of customers to another."""
        was, is_now = frozenset(before), frozenset(now)
        return cls(tuple(sorted(is_now - was)), tuple(sorted(was - is_now)))

    @classmethod
    def of_told(cls, before: Mapping[str, str | None], now: Mapping[str, str]) -> Changes:
        """Return the changes from customers and what was told of them to others; None: it is not known what.

        Examples
        --------
        >>> Changes.of_told({"a": "x", "b": "x", "c": None}, {"a": "x", "b": "y", "c": "y"})
        Changes(joined=(), left=(), changed=('b',))
        """
        found = cls.since(before, now)
        changed = [name for name, told in before.items() if told and name in now and now[name] != told]
        return cls(found.joined, found.left, tuple(sorted(changed)))


def change_messages(
    audience: str, state: Mapping[str, Any], rows: pd.DataFrame
) -> tuple[Changes, dict[str, Any], list[Message]]:
    """Return what has changed, who will have been told of, and the messages that tell it.

    Of what is told only a digest is kept, by which it is seen to change.

    Parameters
    ----------
    audience : str, its name
    state : mapping with ``members``, those who were told of; empty at first
    rows : DataFrame of the members now: customer_id, and columns that go with those who join or change
    """
    told = {
        str(name): {_CUSTOMER_ID: name} | {str(key): _plain(cell) for key, cell in cells.items()}
        for name, cells in rows.set_index(_CUSTOMER_ID).to_dict("index").items()
    }
    digests = {name: _digest(each) for name, each in told.items()}
    changes = Changes.of_told(dict(map(_member, state.get("members", ()))), digests)
    of_kind = {
        "left": [{_CUSTOMER_ID: name} for name in changes.left],
        "joined": [told[name] for name in changes.joined],
        "changed": [told[name] for name in changes.changed],
    }
    sync, now = secrets.token_hex(8), datetime.now(UTC).isoformat(timespec="seconds")
    parts = list(_parts(of_kind))
    messages = [
        Message(
            f"audience_{sync}_{number}",
            CHANGED,
            now,
            {"audience": audience, "part": number, "parts": len(parts), **part},
        )
        for number, part in enumerate(parts, 1)
    ]
    members = [{_CUSTOMER_ID: name, "told": digests[name]} for name in sorted(digests)]
    return changes, {"audience": audience, "members": members}, messages


def _member(entry: str | Mapping[str, str]) -> tuple[str, str | None]:
    """Return a member and the digest of what was told of them, which earlier releases did not keep."""
    return (entry, None) if isinstance(entry, str) else (entry[_CUSTOMER_ID], entry["told"])


def _digest(told: Mapping[str, Any]) -> str:
    """Return a digest of what is told of a member; a column that is empty says as much as none."""
    known = {name: cell for name, cell in told.items() if cell is not None}
    written = json.dumps(known, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(written.encode()).hexdigest()[:16]


def _parts(of_kind: Mapping[str, Sequence[dict[str, Any]]]) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Cut the changes into what one message carries, in their order, those who left first."""
    each = [(kind, entry) for kind, entries in of_kind.items() for entry in entries]
    for start in range(0, len(each), _PER_MESSAGE):
        some = each[start : start + _PER_MESSAGE]
        yield {kind: [entry for name, entry in some if name == kind] for kind in of_kind}


def _plain(cell: Any) -> Any:
    return None if pd.isna(cell) or cell == "" else str(cell)
