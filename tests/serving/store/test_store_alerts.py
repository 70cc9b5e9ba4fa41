"""Open alerts in the store: replaced as a whole, one for each customer and kind, erased with the customer."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest

from features.errors import StoreError
from serving.store.store import Store


def alert(customer: str, kind: str = "risk", **more: Any) -> dict[str, Any]:
    return {
        "customer_id": customer,
        "kind": kind,
        "about": "",
        "alert_id": f"{kind} of {customer}",
        "since": date(1998, 7, 1),
        "reason": "ریسک بالا رفت",
        "value_at_risk": 0.1 + 0.2,
        "offer": "call",
        "expected_profit": None,
        "snoozed_until": None,
        "snoozed_at_risk": None,
        "last_purchase_date": date(1998, 6, 1),
        "checked_on": date(1998, 7, 1),
    } | more


def keep(store: Store, *alerts: dict[str, Any]) -> None:
    with store.alerts.changing() as change:
        change.after = alerts


def test_alerts_come_back_to_the_last_digit(store: Store) -> None:
    kept = [
        alert("ann", snoozed_until=date(1998, 8, 1), snoozed_at_risk=1 / 3),
        alert("Ann"),
        alert("", "target"),
    ]

    keep(store, *kept)

    assert sorted(store.alerts.all(), key=lambda row: row["alert_id"]) == sorted(
        kept, key=lambda row: row["alert_id"]
    )


def test_a_customer_cannot_have_two_open_alerts_of_a_kind_and_a_change_is_whole(store: Store) -> None:
    keep(store, alert("ann"))

    with pytest.raises(StoreError):
        keep(store, alert("bob"), alert("ann"), alert("ann", alert_id="another"))

    assert store.alerts.all() == [alert("ann")]


def test_of_two_changes_at_once_the_second_sees_the_first(store: Store) -> None:
    keep(store)
    names = [str(number) for number in range(6)]

    def add(name: str) -> None:
        with store.alerts.changing() as change:
            change.after = [*change.before, alert(name)]

    threads = [threading.Thread(target=add, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(row["customer_id"] for row in store.alerts.all()) == names


def test_an_erased_customer_has_no_alert_even_if_nothing_was_published(store: Store) -> None:
    keep(store, alert("ann"), alert("ann", "debt"), alert("bob"))

    counted, erased = store.count(["ann"]), store.erase(["ann", "nobody"])

    assert (counted, erased, store.count(["ann"])) == (2, 2, 0)
    assert [row["customer_id"] for row in store.alerts.all()] == ["bob"]
    assert store.newest() is None


def test_without_a_store_nothing_is_open_and_none_is_made(store: Store) -> None:
    assert store.alerts.all() == []
