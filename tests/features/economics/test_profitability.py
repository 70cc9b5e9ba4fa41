"""Profitability: the textbooks' two customers, the whale curve, value destroyers and their causes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.economics.acquisition import Spend
from features.economics.ageing import AGES
from features.economics.cost_table import CostTable, PoolCost, UnitCost
from features.economics.facts import Facts
from features.economics.inputs import CostInputs, Inputs
from features.economics.lifetime import lifetime_values
from features.economics.money import MoneyUnit
from features.economics.past_costs import past_costs
from features.economics.periods import Periods
from features.economics.profit_section import profit_section
from features.economics.receivables import Receivables
from features.economics.segments import ListedSegments
from features.economics.tables import Section
from features.economics.touches import Touches
from features.log.validation import validate


def section_of(
    orders: list[tuple[str, str, float]],
    *,
    touches: Touches | None = None,
    costs: CostTable | None = None,
    margin: float | None = 0.5,
    cities: Mapping[str, str | None] | None = None,
    **given: object,
) -> Section:
    log = validate(pd.DataFrame(orders, columns=["customer_id", "ordered_at", "amount"]))
    segments = ListedSegments("city", dict(cities)) if cities else None
    with Facts(log, Periods(log.first_day, log.last_day), 90, margin=margin, segments=segments) as facts:
        inputs = CostInputs(facts, touches or Touches.none(), costs) if costs else None
        return profit_section(facts, Inputs(costs=inputs, **given))  # type: ignore[arg-type]


def rows(section: Section, name: str) -> pd.DataFrame:
    return next(table.rows for table in section.tables if table.name == name)


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


A_AND_B = [
    ("A", "2015-01-01", 4_000_000.0),
    ("A", "2015-02-01", 4_000_000.0),
    ("A", "2015-02-20", 4_000_000.0),
    ("B", "2015-01-01", 6_000_000.0),
]


def test_the_customer_who_costs_half_as_much_of_twice_the_revenue_is_the_more_profitable(tmp_path):
    # A: 3 · 4,000,000 - 1,000,000 = 11,000,000 (91.67%). B: 6,000,000 - 2,000,000 = 4,000,000 (66.67%)
    path = written(
        tmp_path / "t.csv",
        "customer_id,occurred_at,touchpoint,quantity\nA,2015-01-20,call,10\nB,2015-01-20,complaint,4\n",
    )
    costs = CostTable(
        [
            UnitCost(touchpoint="call", unit_cost=100_000),
            UnitCost(touchpoint="complaint", unit_cost=500_000, kind="complaint"),
        ]
    )

    found = section_of(A_AND_B, touches=Touches.read(path), costs=costs)

    customers = rows(found, "customer_profitability").set_index("customer_id")
    assert customers["net_profitability"].to_dict() == {"A": 11_000_000, "B": 4_000_000}
    assert customers["customer_margin"].round(4).to_dict() == {"A": 0.9167, "B": 0.6667}
    assert customers[["keep_cost", "support_cost"]].to_numpy().tolist() == [[1_000_000, 0], [0, 2_000_000]]
    assert customers["net_margin"].to_dict() == {"A": 5_000_000, "B": 1_000_000}  # half of revenue is margin


def test_costs_of_customers_add_up_to_what_was_spent_by_channel_and_segment(tmp_path):
    orders = [
        ("a", "2015-01-01", 10.0),
        ("b", "2015-01-02", 10.0),
        ("c", "2015-01-31", 10.0),
        ("c", "2015-02-03", 5.0),
    ]
    spend = written(
        tmp_path / "s.csv",
        "channel,from,to,amount\nads,2015-01-01,2015-02-01,1.01\nmouth,2015-01-01,2015-02-01,0.66\n",
    )
    pool = PoolCost(pool="desk", month="2015-01", cost=1, driver="equal")

    found = section_of(
        orders,
        costs=CostTable(pools=[pool]),
        spend=Spend.read(spend),
        channel_of={"a": "ads", "b": "ads", "c": "mouth"},
        cities={"a": "Yazd", "b": "Yazd", "c": None},
    )

    customers = rows(found, "customer_profitability").set_index("customer_id").sort_index()
    assert customers["acquire_cost"].tolist() == [0.51, 0.50, 0.66]
    assert customers["keep_cost"].tolist() == [0.34, 0.33, 0.33]
    segments = rows(found, "profitability").set_index("segment")
    assert segments["acquire_cost"].round(2).to_dict() == {"all": 1.67, "Yazd": 1.01, "unknown": 0.66}
    assert segments["net_margin"].round(2).to_dict() == {"all": 17.5 - 2.67, "Yazd": 8.32, "unknown": 6.51}
    assert segments["clv_to_cac"]["all"] == pytest.approx((17.5 - 1) / 1.67)


def test_what_customers_will_bring_is_in_the_return_on_their_acquisition(tmp_path):
    spend = written(tmp_path / "s.csv", "channel,from,to,amount\nads,2015-01-01,2015-02-01,4\n")

    found = section_of(
        [("a", "2015-01-01", 10.0), ("b", "2015-01-31", 10.0)],
        spend=Spend.read(spend),
        potential={"a": 300, "b": -100},
    )

    assert rows(found, "customer_profitability")["clv_to_cac"].tolist() == [4, 2]  # (5 + 3)/2, (5 - 1)/2
    assert rows(found, "profitability")["clv_to_cac"].tolist() == [3]


def test_bad_debt_lowers_the_net_margin_and_the_risk_adjusted_revenue(tmp_path):
    path = written(
        tmp_path / "r.csv",
        "customer_id,issued_at,due_at,amount,paid_at,paid_amount,written_off_at\nB,2015-01-01,2015-01-11,8,,,\n",
    )

    found = section_of(
        [("A", "2015-01-01", 10.0), ("B", "2015-01-31", 10.0)],
        receivables=Receivables.read(path),
        unpaid_rates=dict.fromkeys(AGES, 0.25),
    )

    customers = rows(found, "customer_profitability").set_index("customer_id")
    assert customers["net_margin"].to_dict() == {"A": 5, "B": 3}
    assert customers["risk_adjusted_revenue"].to_dict() == {"A": 10, "B": 8}


def test_the_whale_curve_says_who_brings_most_and_who_takes_it_away(tmp_path):
    path = written(
        tmp_path / "t.csv",
        "customer_id,occurred_at,touchpoint,quantity\ne,2015-01-20,call,20\nd,2015-01-20,call,5\n",
    )
    # net margins 40, 5, 5, 0 and -15 add up to 35; the best bring 40, the first three 50
    orders = [
        (name, "2015-01-01", amount)
        for name, amount in (("a", 80), ("b", 10), ("c", 10), ("d", 10), ("e", 10))
    ]

    found = section_of(
        [*orders, ("a", "2015-01-31", 0.0)],
        touches=Touches.read(path),
        costs=CostTable([UnitCost(touchpoint="call", unit_cost=1)]),
    )

    curve = rows(found, "whale_curve")
    assert curve["cumulative_net_margin"].tolist() == [0, 40, 45, 50, 50, 35]
    assert curve["share_of_net_margin"].iloc[-1] == 1
    assert (
        "The best 20.0% of the customers bring 80% of the net margin; the best 20% bring 114.3%."
        in found.notes
    )
    assert any(note.startswith("The best 60.0% bring 142.9% of it: the other 2") for note in found.notes)
    assert rows(found, "profitability")["top_net_margin_share"].tolist() == [pytest.approx(40 / 35)]


def test_value_destroyers_have_a_cause_and_a_remedy(tmp_path):
    orders = [(name, "2015-01-01", 100.0) for name in ("good", "debt", "served", "back", "cheap")]
    log = pd.DataFrame(orders, columns=["customer_id", "ordered_at", "amount"]).assign(
        margin=[40.0, 40.0, 40.0, 40.0, -20.0]
    )
    log = pd.concat(
        [
            log,
            pd.DataFrame(
                {"customer_id": ["back"], "ordered_at": ["2015-01-31"], "amount": [-90.0], "margin": [-36.0]}
            ),
        ]
    )
    touches = written(
        tmp_path / "t.csv",
        "customer_id,occurred_at,touchpoint,quantity\nserved,2015-01-20,call,60\ngood,2015-01-20,call,1\n",
    )
    owed = written(
        tmp_path / "r.csv",
        "customer_id,issued_at,due_at,amount,paid_at,paid_amount,written_off_at\ndebt,2015-01-01,2015-01-11,100,,,2015-01-20\n",
    )
    potential = {"good": 500, "debt": -100, "served": -400, "back": -300, "cheap": -200}
    high = {"good": 900, "debt": 50, "served": -1, "back": 1, "cheap": -5}
    orders_log = validate(log)

    with Facts(orders_log, Periods(orders_log.first_day, orders_log.last_day), 90) as facts:
        costs = CostInputs(
            facts, Touches.read(touches), CostTable([UnitCost(touchpoint="call", unit_cost=1)])
        )
        section = profit_section(
            facts,
            Inputs(
                costs=costs,
                receivables=Receivables.read(owed),
                unpaid_rates=dict.fromkeys(AGES, 0.5),
                potential=potential,
                potential_high=high,
            ),
        )

    found = rows(section, "value_destroyers")
    assert found[["customer_id", "sure", "cause", "remedy"]].to_numpy().tolist() == [
        ["served", True, "service", "cheaper channel"],
        ["back", False, "returns", "no offer"],
        ["cheap", True, "discount", "no offer"],
        ["debt", False, "debt", "prepayment"],
    ]
    assert any(
        "4 customers are expected to cost 10.00 more than they bring, 2 of them surely" in note
        for note in section.notes
    )


def test_large_revenue_with_a_small_margin_is_told(tmp_path):
    touches = written(
        tmp_path / "t.csv", "customer_id,occurred_at,touchpoint,quantity\nbig,2015-01-20,call,48\n"
    )
    orders = [("big", "2015-01-01", 100.0), *((f"small{n}", "2015-01-31", 10.0) for n in range(4))]

    found = section_of(
        orders, touches=Touches.read(touches), costs=CostTable([UnitCost(touchpoint="call", unit_cost=1)])
    )

    assert rows(found, "large_revenue_small_margin")["customer_id"].tolist() == ["big"]


def test_what_is_not_known_is_empty_and_names_its_file():
    found = section_of(A_AND_B, margin=None)

    customers = rows(found, "customer_profitability")
    assert customers[["margin", "net_margin", "keep_cost", "acquire_cost", "bad_debt"]].isna().all(axis=None)
    assert customers["net_profitability"].tolist() == [12_000_000, 6_000_000]
    assert [each.source.split(" ", 1)[0] for each in found.missing] == [
        "the",  # log's column margin
        "spend.csv",
        "costs.toml",
        "receivables.csv",
        "scored.csv",
    ]
    assert found.notes == ()
    assert found.tables[0].title == "Profitability over the whole log, 2015-01-01 to 2015-02-20"
    assert not np.any([table.name == "whale_curve" for table in found.tables])


def test_what_net_margins_are_before_is_said():
    found = section_of(A_AND_B, costs=CostTable([UnitCost(touchpoint="call", unit_cost=1)]))

    assert found.notes[0].endswith("Net margins are before what is not known here: bad debt.")


def test_lifetime_values_are_net_of_what_keeping_and_bad_debt_cost(tmp_path):
    touches = written(
        tmp_path / "t.csv",
        "customer_id,occurred_at,touchpoint,quantity\na,2015-01-01,call,7\na,2015-01-10,call,2\nzoe,2015-01-10,call,9\n",
    )
    owed = written(
        tmp_path / "r.csv",
        "customer_id,issued_at,due_at,amount,paid_at,paid_amount,written_off_at\na,2015-01-01,2015-01-11,4,,,\n",
    )
    log = validate(
        pd.DataFrame(
            {"customer_id": ["a", "a"], "ordered_at": ["2015-01-01", "2015-12-31"], "amount": [100.0, 0.0]}
        )
    )
    table = CostTable(
        [UnitCost(touchpoint="call", unit_cost=1)],
        [PoolCost(pool="desk", month="2015-01", cost=5, driver="orders")],
    )

    with (
        Facts(log, Periods(log.first_day, log.last_day, "quarter"), 90, margin=0.5) as facts,
        Facts(log, Periods(log.first_day, log.last_day), 90, margin=0.5) as months,
    ):
        inputs = Inputs(
            costs=CostInputs(months, Touches.read(touches), table),
            receivables=Receivables.read(owed),
            unpaid_rates=dict.fromkeys(AGES, 0.5),
        )
        query = past_costs(facts, inputs)
        found = lifetime_values(facts, MoneyUnit(), 0.1, {}, {"a": 1_000}, query).iloc[0]

    # 50 of margin less 2 of calls after the first day, 5 of the desk and half of 4
    assert found["past_margin"] == pytest.approx(41)
    grown = 50 * 1.1 - 2 * 1.1 ** (356 / 365) - 5 * 1.1 ** (335 / 365) - 2
    assert found["compounded_margin"] == pytest.approx(grown, abs=0.01)
    assert found["lifetime_value"] == pytest.approx(grown + 10, abs=0.01)
