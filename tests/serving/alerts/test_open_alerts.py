"""Alerts of several days: one for each customer and kind, closed, snoozed and heard again."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.errors import StayworthError
from serving.alerts.open_alerts import STATE_COLUMNS, next_alerts, snoozed
from serving.alerts.signals import SIGNAL_COLUMNS

MAY, JUNE, JULY = date(2015, 5, 1), date(2015, 6, 1), date(2015, 7, 1)
NONE = pd.DataFrame(columns=list(STATE_COLUMNS)).astype(object)


def signals(*rows: tuple[str, str], since: date = MAY, about: str = "") -> pd.DataFrame:
    content = [(who, kind, about, since, f"{kind} of {who}") for who, kind in rows]
    return pd.DataFrame(content, columns=list(SIGNAL_COLUMNS)).astype(object)


def customers(**known: dict[str, Any]) -> pd.DataFrame:
    """Customers with a value at risk of 100 who last bought in April, unless said otherwise."""
    usual = {
        "last_purchase_date": date(2015, 4, 1),
        "value_at_risk": 100.0,
        "offer": "voucher",
        "expected_profit": 7.0,
    }
    rows = {who: usual | of_them for who, of_them in known.items()}
    return pd.DataFrame.from_dict(rows, orient="index").astype({"last_purchase_date": object})


def test_a_customer_has_one_open_alert_of_each_kind_however_often_it_is_seen() -> None:
    known = customers(ann={}, bob={"value_at_risk": 300.0})

    first = next_alerts(NONE, signals(("ann", "overdue"), ("bob", "overdue"), ("ann", "risk")), known, MAY)
    second = next_alerts(first, signals(("ann", "overdue"), ("ann", "risk"), since=JUNE), known, JUNE)

    expected = [["bob", "overdue"], ["ann", "overdue"], ["ann", "risk"]]
    assert first[["customer_id", "kind"]].to_numpy().tolist() == expected
    assert second["alert_id"].tolist() == first["alert_id"].tolist()
    assert first["alert_id"].is_unique
    assert second["since"].tolist() == [MAY, MAY, MAY]


def test_a_purchase_closes_overdue_and_risk_and_nothing_else() -> None:
    raised = signals(("ann", "overdue"), ("ann", "risk"), ("ann", "complaint"), ("bob", "risk"))
    before = next_alerts(NONE, raised, customers(ann={}, bob={}), MAY)
    bought = customers(ann={"last_purchase_date": date(2015, 5, 20)}, bob={})

    after = next_alerts(before, signals(("ann", "complaint")), bought, JUNE)

    assert after[["customer_id", "kind"]].to_numpy().tolist() == [["ann", "complaint"], ["bob", "risk"]]


def test_what_is_not_closed_by_a_purchase_closes_when_it_is_over() -> None:
    known = customers(ann={})
    before = next_alerts(NONE, signals(("ann", "complaint"), ("ann", "debt"), ("ann", "overdue")), known, MAY)

    after = next_alerts(before, signals(("ann", "debt")), known, JUNE)

    assert after["kind"].tolist() == ["debt", "overdue"]


def test_a_target_is_about_no_customer_and_the_least_urgent() -> None:
    missed = signals(("", "target"), about="churn_rate of all")

    after = next_alerts(NONE, pd.concat([missed, signals(("ann", "risk"))]), customers(ann={}), MAY)

    assert after["kind"].tolist() == ["risk", "target"]
    assert after["about"].tolist() == ["", "churn_rate of all"]
    assert after["offer"].tolist() == ["voucher", ""]


def test_who_may_not_be_contacted_has_no_alert_and_loses_the_one_that_was_open() -> None:
    raised = signals(("ann", "overdue"), ("bob", "debt"))
    before = next_alerts(NONE, raised, customers(ann={}, bob={}), MAY)

    after = next_alerts(before, raised, customers(bob={}), JUNE)

    assert after["customer_id"].tolist() == ["bob"]


def test_who_does_not_pay_is_called_and_offered_nothing() -> None:
    found = next_alerts(NONE, signals(("ann", "debt"), ("ann", "risk")), customers(ann={}), MAY)

    assert found.set_index("kind")["offer"].to_dict() == {"debt": "call", "risk": "voucher"}
    assert np.isnan(found.set_index("kind").loc["debt", "expected_profit"])


@pytest.mark.parametrize(
    ("day", "at_risk", "asleep"),
    [
        (JUNE, 149.99, True),
        (JUNE, 150.0, False),  # half as much again
        (JUNE, 20.0, True),
        (JULY, 100.0, False),  # the first day on which it is heard again
    ],
)
def test_a_snoozed_alert_is_quiet_until_a_day_or_until_half_as_much_again_is_at_risk(
    day: date, at_risk: float, asleep: bool
) -> None:
    bob = {"value_at_risk": 1.0}
    before = next_alerts(NONE, signals(("ann", "risk"), ("bob", "risk")), customers(ann={}, bob=bob), MAY)
    quiet = snoozed(before, [before["alert_id"].iloc[0]], JULY)

    after = next_alerts(quiet, signals(), customers(ann={"value_at_risk": at_risk}, bob=bob), day)

    assert after["customer_id"].tolist() == (["bob", "ann"] if asleep else ["ann", "bob"])
    until = dict(zip(after["customer_id"], after["snoozed_until"], strict=True))
    assert until == {"ann": JULY if asleep else None, "bob": None}


def test_an_alert_that_is_not_open_cannot_be_snoozed() -> None:
    with pytest.raises(StayworthError, match="No alert 'abc' is open"):
        snoozed(NONE, ["abc"], JULY)


def test_an_older_list_does_not_turn_the_alerts_back() -> None:
    before = next_alerts(NONE, signals(("ann", "risk")), customers(ann={}), JUNE)

    with pytest.raises(StayworthError, match="last made for 2015-06-01, and this list is of 2015-05-01"):
        next_alerts(before, signals(), customers(ann={}), MAY)
