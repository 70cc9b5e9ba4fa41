"""The trailing year of customers: what they bought and cost, and nothing that was not known yet."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings, strategies as st

from features.economics.ageing import AGES
from features.economics.cost_table import CostTable, PoolCost, UnitCost
from features.economics.receivables import Receivables
from features.economics.touches import Touches
from features.economics.trailing import CostFiles, TrailingYear, trailing_year
from features.log.prices import Prices
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot

SNAPSHOT = Snapshot(date(2015, 4, 11))
UNITS = [
    UnitCost(touchpoint="call", unit_cost=1),
    UnitCost(touchpoint="call", unit_cost=2, valid_from=date(2015, 1, 1)),
    UnitCost(touchpoint="parcel", unit_cost=5, per="order"),
]
ORDERS = [
    ("ann", "2014-01-10", 100.0, 30.0),
    ("ann", "2015-03-02", 50.0, 10.0),
    ("ann", "2015-03-02", 10.0, 5.0),
    ("ann", "2015-03-20", -20.0, -5.0),
    ("bob", "2014-02-01", 40.0, 20.0),
]
TOUCHES = (
    "ann,2014-01-10,call,9\n"  # acquisition
    "ann,2014-04-10,call,7\n"  # 366 days before
    "ann,2014-04-11,call,3\n"  # 3
    "ann,2015-03-05,call,2\n"  # 4
    "bob,2015-04-10,parcel,1\n"  # 5 per order
    "zoe,2015-03-05,call,1\n"  # not in the log
)


def log(later: list[tuple[str, str, float, float]] | None = None) -> TransactionLog:
    rows = [*ORDERS, *(later or [])]
    return validate(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount", "margin"]))


def files(
    folder: Path, *, touches: str = TOUCHES, pools: tuple[PoolCost, ...] = (), owed: str = ""
) -> CostFiles:
    (folder / "t.csv").write_text("customer_id,occurred_at,touchpoint,quantity\n" + touches)
    (folder / "r.csv").write_text(
        "customer_id,issued_at,due_at,amount,paid_at,paid_amount,written_off_at\n" + owed
    )
    receivables = Receivables.read(folder / "r.csv") if owed else None
    table = CostTable(UNITS, pools, dict.fromkeys(AGES, 0.5))
    return CostFiles(table, Touches.read(folder / "t.csv"), receivables)


def of(year: TrailingYear, customer: str) -> dict[str, float]:
    found: dict[str, float] = year.customers.set_index("customer_id").loc[customer].to_dict()
    return found


def test_a_year_has_the_purchases_days_and_costs_before_the_snapshot(tmp_path):
    owed = (
        "ann,2015-02-01,2015-03-01,8,,,\n"
        "bob,2015-02-01,2015-03-01,6,,,2015-04-01\n"
        "bob,2014-01-01,2014-02-01,2,,,2014-03-01\n"  # two years ago
    )

    year = trailing_year(log(), SNAPSHOT, files(tmp_path, owed=owed), 30)

    assert of(year, "ann") == {
        "purchases": 1,  # two orders of one day
        "revenue": 40,
        "margin": 10,
        "active_days": 30,  # 3 March to 1 April
        "order_costs": 0,
        "period_costs": 7,
        "loss": 4,  # half of what is open
    }
    bob = of(year, "bob")
    assert np.isnan(bob.pop("margin"))  # nothing sold
    assert bob == {
        "purchases": 0,
        "revenue": 0,
        "active_days": 0,
        "order_costs": 5,
        "period_costs": 0,
        "loss": 6,
    }
    assert year.per == {"order", "period"}
    assert year.notes == ("Of 6 touches, 1 are of nobody in the log by 2015-04-11; they are left out.",)
    assert (year.has_margins, year.has_losses) == (True, True)


def test_of_pools_the_twelve_closed_months_count(tmp_path):
    pools = tuple(
        PoolCost(pool="desk", month=month, cost=cost, driver="equal", per="order")
        for month, cost in (("2014-03", 100), ("2014-04", 1), ("2015-03", 2), ("2015-04", 100))
    )
    later = [("ann", "2014-03-30", 1.0, 0.0), ("bob", "2015-03-30", 1.0, 0.0)]

    year = trailing_year(
        log(later), SNAPSHOT, files(tmp_path, touches="ann,2015-03-05,call,2\n", pools=pools), 30
    )

    # April 2014: Ann is active at its start. March 2015: Ann and Bob buy. April 2015 goes on.
    assert of(year, "ann")["order_costs"] == 1 + 1
    assert of(year, "bob")["order_costs"] == 1


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amounts=st.lists(st.integers(-50, 500), max_size=4),
    quantity=st.integers(0, 9),
    paid=st.sampled_from(["2015-04-11", "2015-09-01", ""]),
    cost=st.integers(0, 999),
)
def test_what_comes_after_the_snapshot_changes_nothing(tmp_path, amounts, quantity, paid, cost):
    def at(name: str, day: str, amount: int, quantity: int, paid: str, cost: int) -> pd.DataFrame:
        later = [(name, day, float(amount), 1.0)]
        pool = PoolCost(pool="desk", month="2015-04", cost=cost, driver="orders")
        owed = f"ann,2015-02-01,2015-03-01,8,{paid},,{paid}\nbob,{day},{day},99,,,\n"
        given = files(tmp_path, touches=f"{TOUCHES}ann,{day},call,{quantity}\n", pools=(pool,), owed=owed)
        return trailing_year(log(later), SNAPSHOT, given, 30).customers

    before = at("ann", "2015-04-11", 1, 0, "", 0)

    for amount in amounts:
        pd.testing.assert_frame_equal(before, at("bob", "2015-05-30", amount, quantity, paid, cost))


def test_costs_without_use_and_touches_without_cost_are_said(tmp_path):
    pools = (PoolCost(pool="desk", month="2009-01", cost=1, driver="equal"),)

    year = trailing_year(log(), SNAPSHOT, files(tmp_path, touches="ann,2015-03-05,chat,2\n", pools=pools), 30)

    assert year.notes == (
        "Touches without a cost count as none: 'chat'.",
        "Costs without touches: 'call', 'parcel'.",
        "No pool is of a month of the log before the snapshot.",
    )


def test_bad_debt_without_a_rate_is_left_out_and_said(tmp_path):
    given = files(tmp_path, owed="ann,2015-02-01,2015-03-01,8,,,\n")
    without = CostFiles(CostTable(UNITS), given.touches, given.receivables)

    year = trailing_year(log(), SNAPSHOT, without, 30)

    assert not year.has_losses
    assert any("bad debt is not in the values" in note for note in year.notes)


def test_costs_as_booked_become_the_real_money_of_the_log(tmp_path):
    # Money of 2014 is worth twice that of 2015.
    first = tuple((date(year, 1, 1) - date(1970, 1, 1)).days for year in (2014, 2015))
    real = log().at_prices(Prices("2015-01", ("2014-01", "2015-01"), first, (2.0, 1.0)))
    pools = (PoolCost(pool="rent", month="2014-12", cost=10, driver="equal"),)

    booked, found = (
        of(trailing_year(each, SNAPSHOT, files(tmp_path, pools=pools), 365), "ann") for each in (log(), real)
    )

    # Three calls at 1 in April 2014, two at 2 in March 2015; half of the pool of December, shared with bob.
    assert booked["period_costs"] == 3 + 4 + 5
    assert found["period_costs"] == 2 * 3 + 4 + 2 * 5
    assert found["revenue"] == booked["revenue"] == 40  # all of it of 2015
