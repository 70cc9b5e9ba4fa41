"""Changes of an audience since it was synced last, and the messages that tell a webhook of them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping
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
    """Who joined an audience and who left it, by id.

    Examples
    --------
    >>> Changes.since(["a", "b"], ["b", "c"])
    Changes(joined=('c',), left=('a',))
    """

    joined: tuple[str, ...]
    left: tuple[str, ...]

    @classmethod
    def since(cls, before: Collection[str], now: Collection[str]) -> Changes:
        """Return the changes from one set of customers to another."""
        was, is_now = frozenset(before), frozenset(now)
        return cls(tuple(sorted(is_now - was)), tuple(sorted(was - is_now)))


def change_messages(
    audience: str, state: Mapping[str, Any], rows: pd.DataFrame
) -> tuple[Changes, dict[str, Any], list[Message]]:
    """Return what has changed, who will have been told of, and the messages that tell it.

    Parameters
    ----------
    audience : str, its name
    state : mapping with ``members``, the ids that were told of; empty at first
    rows : DataFrame of the members now: customer_id, and columns that go with those who join
    """
    changes = Changes.since(state.get("members", ()), rows[_CUSTOMER_ID])
    told = rows.set_index(_CUSTOMER_ID).to_dict("index")
    joined = [
        {_CUSTOMER_ID: name} | {str(key): _plain(cell) for key, cell in told[name].items()}
        for name in changes.joined
    ]
    left = [{_CUSTOMER_ID: name} for name in changes.left]
    sync, now = secrets.token_hex(8), datetime.now(UTC).isoformat(timespec="seconds")
    parts = list(_parts(left, joined))
    messages = [
        Message(
            f"audience_{sync}_{number}",
            CHANGED,
            now,
            {"audience": audience, "part": number, "parts": len(parts), "left": gone, "joined": new},
        )
        for number, (gone, new) in enumerate(parts, 1)
    ]
    return changes, {"audience": audience, "members": sorted(rows[_CUSTOMER_ID])}, messages


def _parts(
    left: list[dict[str, Any]], joined: list[dict[str, Any]]
) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Cut the changes into what one message carries, those who left first."""
    for start in range(0, len(left) + len(joined), _PER_MESSAGE):
        end = start + _PER_MESSAGE
        yield left[start:end], joined[max(start - len(left), 0) : max(end - len(left), 0)]


def _plain(cell: Any) -> Any:
    return None if pd.isna(cell) or cell == "" else str(cell)
