"""Open alerts: at most one for each customer and kind, from the signals of each day to the day on which it closes.

An alert that an overdue customer or a risen risk opened is closed by a purchase, however the signal goes on; any other
closes when its signal is gone. Snoozed, it is quiet until a date, or until the value at risk has risen by half.
"""

from __future__ import annotations

import secrets
from datetime import date

import numpy as np
import pandas as pd

from features.errors import StayworthError
from features.language import translated
from serving.alerts.signals import CLOSED_BY_PURCHASE

CALL = "call"
ALERT_COLUMNS = (
    "alert_id",
    "customer_id",
    "kind",
    "since",
    "reason",
    "value_at_risk",
    "offer",
    "expected_profit",
    "snoozed_until",
)
"""Columns of a list of alerts, in this order."""

STATE_COLUMNS = (*ALERT_COLUMNS, "about", "last_purchase_date", "snoozed_at_risk", "checked_on")
_KEYS = ["customer_id", "kind", "about"]
_ENDS_AT = 1.5
"""Times the value at risk at which it was snoozed that an alert is heard again."""


def next_alerts(
    before: pd.DataFrame, signals: pd.DataFrame, customers: pd.DataFrame, snapshot: date
) -> pd.DataFrame:
    """Return the alerts that are open at a date.

    Parameters
    ----------
    before : DataFrame of `STATE_COLUMNS`, open until now
    signals : DataFrame of `serving.alerts.signals.SIGNAL_COLUMNS`
    customers : DataFrame by customer_id: last_purchase_date (date or None), value_at_risk, offer, expected_profit; only
        those whom an alert may be about
    snapshot : date

    Returns
    -------
    DataFrame of `STATE_COLUMNS`, those awake first, then by value at risk, the most valuable first

    Raises
    ------
    StayworthError
        If alerts were made for a later date already.
    """
    if len(before) and max(before["checked_on"]) > snapshot:
        raise StayworthError(
            translated(
                "The alerts were last made for {last:date}, and this list is of {day:date}. Give the newest list.",
                last=max(before["checked_on"]),
                day=snapshot,
            )
        )
    known = signals["customer_id"].isin(customers.index) | (signals["customer_id"] == "")
    now = signals[known].set_index(_KEYS)
    still = before.set_index(_KEYS)
    still = still[_stays_open(still, now, customers)]
    opened = now[~now.index.isin(still.index)]
    opened = opened.assign(
        alert_id=[secrets.token_hex(6) for _ in range(len(opened))],
        snoozed_until=None,
        snoozed_at_risk=np.nan,
        last_purchase_date=_of_customer(opened, customers, "last_purchase_date", None),
    )
    # What is to be seen today is said as of today; the day on which it began stays.
    seen = now["reason"].reindex(still.index)
    still = still.assign(reason=seen.where(seen.notna(), still["reason"]))
    found = pd.concat([part for part in (still, opened) if len(part)]) if len(still) + len(opened) else still
    found = found.assign(
        value_at_risk=_of_customer(found, customers, "value_at_risk", np.nan),
        offer=_of_customer(found, customers, "offer", ""),
        expected_profit=_of_customer(found, customers, "expected_profit", np.nan),
        checked_on=snapshot,
    )
    debts = found.index.get_level_values("kind") == "debt"  # who does not pay is called, and offered nothing
    found.loc[debts, "offer"], found.loc[debts, "expected_profit"] = CALL, np.nan
    found = _woken(found, snapshot).reset_index()
    return _in_order(found)[list(STATE_COLUMNS)]


def snoozed(before: pd.DataFrame, alert_ids: list[str], until: date) -> pd.DataFrame:
    """Return open alerts with some of them snoozed until a date.

    Raises
    ------
    StayworthError
        If an id is that of no open alert.
    """
    unknown = [each for each in alert_ids if each not in set(before["alert_id"])]
    if unknown:
        raise StayworthError(
            translated(
                "No alert {unknown!r} is open. The ids are in the column alert_id of the list that "
                "'stayworth alerts' wrote.",
                unknown=unknown[0],
            )
        )
    chosen = before["alert_id"].isin(alert_ids)
    return before.assign(
        snoozed_until=before["snoozed_until"].where(~chosen, until),
        snoozed_at_risk=before["snoozed_at_risk"].where(~chosen, before["value_at_risk"]),
    )


def _stays_open(still: pd.DataFrame, now: pd.DataFrame, customers: pd.DataFrame) -> np.ndarray:
    """Tell which alerts stay open."""
    kinds = still.index.get_level_values("kind")
    last = _of_customer(still, customers, "last_purchase_date", None)
    bought = np.array(
        [
            new is not None and (old is None or new > old)
            for new, old in zip(last, still["last_purchase_date"], strict=True)
        ],
        dtype=bool,
    )
    listed = still.index.get_level_values("customer_id").isin(customers.index)
    by_purchase = kinds.isin(CLOSED_BY_PURCHASE)
    return np.asarray(np.where(by_purchase, listed & ~bought, still.index.isin(now.index)))


def _of_customer(alerts: pd.DataFrame, customers: pd.DataFrame, column: str, missing: object) -> list[object]:
    values = customers[column].to_dict()
    return [values.get(customer, missing) for customer in alerts.index.get_level_values("customer_id")]


def _woken(found: pd.DataFrame, snapshot: date) -> pd.DataFrame:
    """End what was snoozed until today, and where half as much again is at risk."""
    over = [until is not None and until <= snapshot for until in found["snoozed_until"]]
    risen = found["value_at_risk"].astype(float) >= _ENDS_AT * found["snoozed_at_risk"].astype(float)
    ends = np.array(over, dtype=bool) | (risen & (found["snoozed_at_risk"].astype(float) > 0)).to_numpy()
    return found.assign(
        snoozed_until=found["snoozed_until"].astype(object).where(~ends, None),
        snoozed_at_risk=found["snoozed_at_risk"].astype(float).where(~ends, np.nan),
    )


def _in_order(found: pd.DataFrame) -> pd.DataFrame:
    asleep = pd.Series([until is not None for until in found["snoozed_until"]], index=found.index, dtype=bool)
    return (
        found.assign(asleep=asleep, worth=-found["value_at_risk"].astype(float))
        .sort_values(["asleep", "worth", *_KEYS], na_position="last", ignore_index=True)
        .drop(columns=["asleep", "worth"])
    )
