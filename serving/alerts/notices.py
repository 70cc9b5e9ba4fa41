"""Notices of alerts: what a receiver is told when one is opened, heard again after a snooze, or closed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from serving.alerts.open_alerts import ALERT_COLUMNS
from serving.delivery.webhook import Message

OPENED, WOKEN, CLOSED = "alert.opened", "alert.woken", "alert.closed"
_SNOOZED = "snoozed_until"


def notices(found: pd.DataFrame, told: Mapping[str, Any], day: date) -> tuple[dict[str, Any], list[Message]]:
    """Return what to tell of the alerts that are open now, and what will have been told then.

    An alert is told once, and its end. A snoozed one is told when it is heard again.

    Parameters
    ----------
    found : DataFrame of `ALERT_COLUMNS`, all that are open
    told : mapping of alert_id to ``{"times": int, "asleep": bool}``
    day : date of the list
    """
    state: dict[str, Any] = {}
    messages: list[Message] = []
    for row in found[list(ALERT_COLUMNS)].to_dict("records"):
        plain = {str(name): _plain(cell) for name, cell in row.items()}
        alert, asleep = str(plain["alert_id"]), plain[_SNOOZED] is not None
        before = told.get(alert)
        if asleep:
            if before:
                state[alert] = {**before, "asleep": True}
            continue
        times = before["times"] if before else 0
        if before is None or before["asleep"]:
            name = f"alert_{alert}" if before is None else f"alert_{alert}_{times + 1}"
            kind = OPENED if before is None else WOKEN
            del plain[_SNOOZED]
            messages.append(Message(name, kind, day.isoformat(), plain))
            times += 1
        state[alert] = {"times": times, "asleep": False}
    gone = sorted(told.keys() - set(found["alert_id"]))
    messages += [
        Message(f"alert_{alert}_closed", CLOSED, day.isoformat(), {"alert_id": alert}) for alert in gone
    ]
    return state, messages


def _plain(cell: Any) -> Any:
    """Return a cell in JSON's types."""
    if cell is None or cell is pd.NaT or cell != cell:
        return None
    return cell.isoformat() if isinstance(cell, date) else cell
