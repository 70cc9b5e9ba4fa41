"""The forecast of costs: by hand, judged on closed months, and without the future."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.economics.cost_forecast import Forecast, band_width, forecast_costs, monthly_costs
from features.economics.cost_section import cost_section
from features.economics.cost_table import CostTable, PoolCost, UnitCost
from features.economics.facts import Facts
from features.economics.inputs import CostInputs, Inputs
from features.economics.periods import Periods
from features.economics.tables import Section
from features.economics.touches import Touches
from features.log.transactions import TransactionLog
from features.log.validation import validate

MONTHS = [date(2015, month, 1) for month in range(1, 13)]
CALL = CostTable(
    [
        UnitCost(touchpoint="call", unit_cost=2),
        UnitCost(touchpoint="call", unit_cost=4, valid_from=date(2015, 11, 1)),
    ],
    [PoolCost(pool="desk", month=f"2015-{month:02}", cost=100, driver="equal") for month in range(1, 13)],
)


def log(last_day: str = "2015-12-31", more: list[tuple[str, str, int]] | None = None) -> TransactionLog:
    """Ann and Bob buy every month of 2015, so that two customers are always active for 60 days."""
    rows = [(who, f"2015-{month:02}-01", 10) for month in range(1, 13) for who in ("ann", "bob")]
    rows += [("ann", last_day, 10), *(more or [])]
    return validate(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))


def touches(folder: Path, rows: list[tuple[str, date, int]]) -> Touches:
    table = pd.DataFrame(rows, columns=["touchpoint", "occurred_at", "quantity"]).assign(customer_id="ann")
    table.to_csv(folder / "touchpoints.csv", index=False)
    return Touches.read(folder / "touchpoints.csv")


def daily(folder: Path) -> Touches:
    """Ann is called once a day, from the day after her first purchase to the end of 2015."""
    return touches(folder, [("call", date(2015, 1, 2) + timedelta(days=day), 1) for day in range(364)])


def section_of(orders: TransactionLog, read: Touches, table: CostTable) -> tuple[Section, Forecast | None]:
    with Facts(orders, Periods(orders.first_day, orders.last_day), 60) as facts:
        section = cost_section(Inputs(costs=CostInputs(facts, read, table)))
        return section, forecast_costs(facts, table)


def test_a_forecast_by_hand_follows_the_days_and_the_price_of_today(tmp_path):
    _, found = section_of(log(), daily(tmp_path), CALL)

    assert found is not None
    call, desk, whole = found.rows.to_dict("records")
    # A call a day, half a call per active customer-day, two active: January has 31 calls at 4, and the desk.
    assert found.period.label == "2016-01"
    assert call["forecast_cents"] == pytest.approx(31 * 400)
    assert desk["forecast_cents"] == 100_00
    assert whole["forecast_cents"] == pytest.approx(31 * 400 + 100_00)
    # The first months to learn from are April, May, June (60 days after 1 January are 2 March): six are judged.
    assert call["months_judged"] == whole["months_judged"] == 6
    assert call["forecast_error"] == pytest.approx(0, abs=1e-9) and call["closer"]
    # The last month's cost misses a day's call now and then, and the new price in November.
    days = np.array([monthrange(2015, month)[1] for month in range(1, 13)])
    cost = days * np.where(np.arange(12) >= 10, 4, 2)
    assert call["plain_method"] == "last month"
    assert call["plain_error"] == pytest.approx(np.abs(np.diff(cost)[5:]).sum() / cost[6:].sum())
    # The desk costs the same by any forecast: that is no gain.
    assert desk["forecast_error"] == desk["plain_error"] == 0 and not desk["closer"]
    assert [desk[name] for name in ("band_tried", "band_held")] == [2, 2]  # four months make a band


def test_where_a_plain_forecast_is_closer_it_is_said_with_its_number(tmp_path):
    # Thirty calls a month whoever is active: in May and September eighteen more customers are, for a while.
    crowd = [(f"c{number}", day, 1) for number in range(18) for day in ("2015-05-01", "2015-09-01")]
    rows = [("call", date(2015, month, 2), 30) for month in range(1, 13)]
    table = CostTable([UnitCost(touchpoint="call", unit_cost=2)])

    section, found = section_of(log(more=crowd), touches(tmp_path, rows), table)

    assert found is not None
    whole = found.rows.iloc[-1]
    assert not whole["closer"] and whole["plain_error"] == 0 < whole["forecast_error"]
    assert any("take its 60.00" in note for note in section.notes)
    assert any("closer for 'call'" in note for note in section.notes)


def test_a_band_holds_its_share_of_months_to_come():
    draw = np.random.default_rng(1)
    errors = np.abs(draw.normal(size=(2_000, 25)))

    held = [own[-1] <= band_width(own[:-1]) for own in errors]

    assert np.mean(held) == pytest.approx(0.8 + 0.2 / 25, abs=0.03)  # ceil(0.8 · 25) of 25 orders


def test_the_month_that_the_log_ends_in_is_forecast_and_changes_nothing(tmp_path):
    def made(amounts: list[tuple[str, str, int]], quantity: int) -> pd.DataFrame:
        rows = [("call", date(2015, month, day), 1) for month in range(1, 11) for day in (5, 9, 20)]
        rows += [("call", date(2015, 11, 3), quantity), ("fax", date(2015, 11, 4), quantity)]
        orders = [(who, f"2015-{month:02}-01", 10) for month in range(1, 11) for who in ("ann", "bob")]
        frame = pd.DataFrame([*orders, *amounts], columns=["customer_id", "ordered_at", "amount"])
        table = CostTable([*CALL.units, UnitCost(touchpoint="fax", unit_cost=1)], CALL.pools)
        _, found = section_of(validate(frame), touches(tmp_path, rows), table)
        assert found is not None and found.period.label == "2015-11"
        return found.rows

    plain = made([("ann", "2015-11-15", 10)], 1)
    scrambled = made([("zoe", "2015-11-02", 999), ("bob", "2015-11-15", -5)], 500)

    pd.testing.assert_frame_equal(plain, scrambled)


def test_active_days_are_those_of_a_plain_count():
    draw = np.random.default_rng(3)
    rows = [
        (f"c{who}", date(2015, 1, 1) + timedelta(days=int(day)), 1)
        for who, day in zip(draw.integers(0, 9, 60), draw.integers(0, 150, 60), strict=True)
    ]
    orders = validate(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))

    with Facts(orders, Periods(date(2015, 1, 1), date(2015, 5, 31)), 20) as facts:
        facts.engine.create(
            "touched",
            "SELECT 1 AS customer, 0 AS month, 'x' AS touchpoint, 1 AS quantity, 1 AS keeping, 1 AS touch_cents",
        )
        found = monthly_costs(facts, CostTable())

    def active(day: date) -> int:
        return len({who for who, bought, _ in rows if day - timedelta(days=20) <= bought < day})

    days = [date(2015, 1, 1) + timedelta(days=number) for number in range(151)]
    assert found.active_days.tolist() == [
        sum(active(day) for day in days if day.month == month) for month in range(1, 6)
    ]
    assert found.active.tolist() == [active(date(2015, month, 1)) for month in range(1, 7)]


def test_too_short_a_log_and_files_that_end_early_are_said(tmp_path):
    short = log("2015-12-31").table
    early = validate(
        short.to_pandas()
        .query("ordered_on < @date(2015, 4, 20)")
        .rename(columns={"ordered_on": "ordered_at", "amount_cents": "amount"})
    )
    rows = [("call", date(2015, month, 2), 30) for month in range(1, 7)]
    table = CostTable(CALL.units, CALL.pools[:8])

    brief, nothing = section_of(early, touches(tmp_path, rows), table)
    stopped, _ = section_of(log(), touches(tmp_path, rows), table)

    assert nothing is None and any("Costs are not forecast" in note for note in brief.notes)
    assert any("The last touch is of 2015-06-02, before 2015-12" in each for each in stopped.findings)
    assert any("No cost is booked in 2015-12 for the pools 'desk'" in each for each in stopped.findings)
