"""The cost of keeping: priced touches, overhead shared out to the cent, and what nobody drives."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from features.economics.base import customer_base
from features.economics.cost_table import CostTable, PoolCost, UnitCost
from features.economics.costs import CostOfKeeping, cost_of_keeping, shifts, shown_costs
from features.economics.facts import Facts
from features.economics.money import Deflator, MoneyUnit
from features.economics.periods import Periods
from features.economics.segments import ListedSegments
from features.economics.touches import Touches
from features.errors import StayworthError
from features.log.transactions import TransactionLog
from features.log.validation import validate

SEGMENTS = ListedSegments("city", {"ann": "Yazd", "bob": "Shiraz"})


def log() -> TransactionLog:
    """Ann buys in January and March, Bob in January, Cid in March; the log ends on 31 March."""
    rows = [
        ("ann", "2015-01-10", 10),
        ("bob", "2015-01-31", 5),
        ("ann", "2015-03-20", 30),
        ("cid", "2015-03-31", 8),
    ]
    return validate(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))


def costs_of(touches: str, table: CostTable, folder: Path, inactivity_days: int = 30) -> CostOfKeeping:
    path = folder / "touchpoints.csv"
    path.write_text("customer_id,occurred_at,touchpoint,quantity\n" + touches)
    read = Touches.read(path) if touches else Touches.none()
    orders = log()
    with Facts(
        orders, Periods(orders.first_day, orders.last_day), inactivity_days, segments=SEGMENTS
    ) as facts:
        return cost_of_keeping(facts, read, table, customer_base(facts)["start"])


def test_touches_cost_what_was_valid_on_their_day(tmp_path):
    table = CostTable(
        [
            UnitCost(touchpoint="call", unit_cost=4),
            UnitCost(touchpoint="call", unit_cost=5, valid_from=date(2015, 3, 1)),
        ]
    )
    touches = (
        "ann,2015-01-10,call,1\n"  # the day of the first purchase: acquisition, 4
        "ann,2015-02-28,call,2\n"  # 8, to someone who is active on 1 February
        "ann,2015-03-01,call,0.5\n"  # 2.50: not active on 1 March, but buys in March
        "bob,2015-03-05,call,1\n"  # 5: lapsed, 33 days after 31 January
        "zoe,2015-03-05,call,1\n"  # 5: not in the log
        "ann,2015-03-05,chat,1\n"  # no cost
    )

    found = costs_of(touches, table, tmp_path, inactivity_days=28)

    months = found.months[found.months["segment"] == "all"].set_index("period")
    assert months["acquisition_cents"].tolist() == [400, 0, 0]
    assert months["direct_cents"].tolist() == [0, 800, 250]
    assert months["lapsed_cents"].tolist() == [0, 0, 500]
    assert months["kept_customers"].tolist() == [2, 2, 2]  # in March Ann and Cid, who buy
    call, chat = found.bookings.to_dict("records")
    assert (call["booked_cents"], call["allocated_cents"], call["unallocated_cents"]) == (2_450, 1_950, 500)
    assert (chat["booked_cents"], chat["touches_without_cost"]) == (0, 1)
    assert found.journey[found.journey["segment"] == "Yazd"].to_dict("records") == [
        {"segment": "Yazd", "touchpoint": "call", "touches": 3.5, "cents": 1_450},
        {"segment": "Yazd", "touchpoint": "chat", "touches": 1.0, "cents": 0},
    ]


@pytest.mark.parametrize(
    ("driver", "shares"),
    [
        ("orders", {"Yazd": 5_000, "unknown": 5_000}),  # one order each in March
        ("revenue", {"Yazd": 7_895, "unknown": 2_105}),  # 30 and 8 of 38
        # Ann: 21 to 31 March, 11 days. Bob: 1 and 2 March. Cid: none yet
        ("active days", {"Yazd": 8_462, "Shiraz": 1_538}),
        (
            "equal",
            {"Shiraz": 3_333, "Yazd": 3_334, "unknown": 3_333},
        ),  # the cent over goes to the first by id
        ("visit", {"Shiraz": 2_500}),  # Bob one of four: three are of somebody who is not in the log
    ],
)
def test_overhead_is_shared_out_by_its_driver(tmp_path, driver, shares):
    pool = PoolCost(pool="desk", month="2015-03", cost=100, driver=driver)

    found = costs_of("bob,2015-03-01,visit,1\nzoe,2015-03-02,visit,3\n", CostTable(pools=[pool]), tmp_path)

    march = found.months[found.months["period"] == 2].set_index("segment")
    given = (march["pool_cents"] + march["lapsed_cents"]).drop("all")
    assert given[given > 0].to_dict() == shares
    desk = found.bookings.set_index("item").loc["desk 2015-03"]
    assert desk["allocated_cents"] == sum(shares.values())
    assert desk["unallocated_cents"] == 10_000 - sum(shares.values())


def test_overhead_that_nothing_drives_stays_unallocated(tmp_path):
    pools = [
        PoolCost(pool="desk", month="2015-02", cost=10, driver="orders"),  # no order in February
        PoolCost(pool="desk", month="2014-12", cost=7, driver="equal"),  # before the log
    ]

    found = costs_of("", CostTable(pools=pools), tmp_path)

    assert found.bookings["unallocated_cents"].tolist() == [1_000, 700]
    assert found.months["pool_cents"].sum() == 0


@settings(max_examples=8)
@given(
    cents=st.integers(0, 10**11),
    driver=st.sampled_from(["orders", "revenue", "active days", "equal", "touchpoint"]),
    month=st.sampled_from(["2015-01", "2015-02", "2015-03", "2015-04"]),
)
def test_allocated_and_unallocated_make_what_was_booked_to_the_cent(tmp_path_factory, cents, driver, month):
    pool = PoolCost(pool="desk", month=month, cost=cents / 100, driver=driver)

    found = costs_of(
        "bob,2015-03-01,visit,1\n,2015-03-02,visit,1.3\n",
        CostTable(pools=[pool]),
        tmp_path_factory.mktemp("c"),
    )

    booked = found.bookings
    assert (booked["allocated_cents"] + booked["unallocated_cents"] == booked["booked_cents"]).all()
    assert booked["booked_cents"].sum() == cents
    whole = found.months[found.months["segment"] == "all"]
    assert whole["pool_cents"].sum() + whole["lapsed_cents"].sum() == booked["allocated_cents"].sum()
    parts = found.months[found.months["segment"] != "all"]
    assert parts["pool_cents"].sum() == whole["pool_cents"].sum()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[[touchpoints]]\ntouchpoint = "call"\nunit_cost = -1\n',
            "'call', unit_cost: has to be at least 0, not -1",
        ),
        ('[[pools]]\npool = "desk"\nmonth = "2015-03"\ncost = 1\n', "'desk', driver: is missing"),
        ('[[touchpoints]]\ntouchpoint = "call"\nunit_cost = 1\n' * 2, "two costs of 'call'"),
        ("[touchpoint]\n", "costs stand under"),
    ],
)
def test_a_cost_that_cannot_be_is_refused(tmp_path, text, says):
    path = tmp_path / "costs.toml"
    path.write_text(text)

    with pytest.raises(StayworthError, match=says):
        CostTable.read(path)


def test_a_pool_needs_a_driver_that_there_is(tmp_path):
    pool = PoolCost(pool="desk", month="2015-03", cost=1, driver="order")

    with pytest.raises(StayworthError, match="Did you mean orders"):
        costs_of("", CostTable(pools=[pool]), tmp_path)


def test_a_pool_of_a_month_of_another_calendar_is_named():
    pools = CostTable(pools=[PoolCost(pool="desk", month="2015-02", cost=1, driver="equal")])
    months = Periods(date(2015, 1, 10), date(2015, 3, 31), "month", "jalali")

    with pytest.raises(
        StayworthError, match=r"Pool 'desk' of the costs: '2015-02' is no .* 1393-10 to 1394-01"
    ) as told:
        pools.pool_months(months)
    assert "Months of pools are those of --calendar, here jalali" in str(told.value)


def test_costs_are_of_the_prices_of_the_last_month_where_margins_are(tmp_path):
    pools = [PoolCost(pool="desk", month=month, cost=10, driver="equal") for month in ("2015-01", "2015-03")]
    orders = log()
    months = Periods(orders.first_day, orders.last_day)

    found = shown_costs(
        costs_of("", CostTable(pools=pools), tmp_path),
        MoneyUnit(),
        Deflator(months, np.array([50.0, 80.0, 100.0])),
    )

    whole = found[found["segment"] == "all"]
    assert (whole["pool_cost"] + whole["lapsed_cost"]).tolist() == [20, 0, 10]


def test_a_tenth_of_the_touches_moved_to_a_cheaper_touchpoint_of_the_kind_saves(tmp_path):
    table = CostTable(
        [
            UnitCost(touchpoint="call", unit_cost=9),
            UnitCost(touchpoint="call", unit_cost=4, valid_from=date(2015, 3, 1)),
            UnitCost(touchpoint="chat", unit_cost=1),
            UnitCost(touchpoint="visit", unit_cost=30, valid_from=date(2016, 1, 1)),
            UnitCost(touchpoint="mail", unit_cost=0.1, kind="send"),
        ]
    )
    path = tmp_path / "t.csv"
    path.write_text(
        "customer_id,occurred_at,touchpoint,quantity\nann,2015-03-01,call,30\nbob,2015-02-01,call,10\n"
        "bob,2015-02-01,mail,10\nzoe,2015-02-01,call,10\nann,2015-04-01,call,10\nann,2015-03-01,visit,1\n"
    )
    orders = log()
    with Facts(orders, Periods(orders.first_day, orders.last_day), 30, segments=SEGMENTS) as facts:
        cost_of_keeping(facts, Touches.read(path), table, customer_base(facts)["start"])

        found = shifts(facts, table, MoneyUnit())

    assert found.to_numpy().tolist() == [
        ["all", "call", "chat", 40, 4, 1, pytest.approx(0.1 * 40 * 3)],
        ["Shiraz", "call", "chat", 10, 4, 1, pytest.approx(3)],
        ["Yazd", "call", "chat", 30, 4, 1, pytest.approx(9)],
    ]
