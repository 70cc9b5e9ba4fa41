"""What acquiring a customer may cost, and how many whom acquiring won say one thing and do another."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.economics.acquisition import Spend
from features.economics.bids import bid_ceilings
from features.economics.cost_section import cost_section
from features.economics.cost_table import CostTable, PoolCost
from features.economics.facts import Facts
from features.economics.inputs import CostInputs, Inputs
from features.economics.periods import Periods
from features.economics.stages import create_stages
from features.economics.surveys import Surveys, attitudes, survey_results
from features.economics.touches import Touches
from features.log.validation import validate

# Old came long before; ann through the web, bob and cid through tv; the log ends on 31 March.
ORDERS = pd.DataFrame(
    [
        ("old", "2014-06-01", 50, "tv"),
        ("ann", "2015-01-10", 10, "web"),
        ("ann", "2015-03-20", 20, "web"),
        ("bob", "2015-02-01", 40, "tv"),
        ("cid", "2015-03-02", 8, "tv"),
        ("old", "2015-03-31", 10, "tv"),
    ],
    columns=["customer_id", "ordered_at", "amount", "channel"],
)
POTENTIAL = {"old": 99_900, "ann": 700, "bob": 300, "cid": 500}


def facts_of() -> Facts:
    log = validate(ORDERS)
    return Facts(log, Periods(log.first_day, log.last_day), 60, margin=0.5)


def spend(folder: Path) -> Spend:
    path = folder / "spend.csv"
    # April lies after the log; of the first quarter all 90 days count.
    path.write_text(
        "channel,from,to,amount\ntv,2015-01-01,2015-04-01,9\nradio,2015-01-01,2015-04-01,3\ntv,2015-04-01,2015-05-01,5\n"
    )
    return Spend.read(path)


def test_a_ceiling_is_what_newcomers_brought_and_will_bring_beside_what_they_cost(tmp_path: Path) -> None:
    with facts_of() as facts:
        found = bid_ceilings(facts, Inputs(potential=POTENTIAL, spend=spend(tmp_path)))

    assert found is not None
    rows = found.set_index("channel")
    assert rows.index.tolist() == ["all", "tv", "web"]
    assert rows["newcomers"].tolist() == [3, 2, 1]  # the old customer is none
    # tv: half of 40 and 8, by two, and (3 + 5) / 2; web: half of 30, and 7
    assert rows.loc["tv", ["past_margin", "potential", "bid_ceiling"]].tolist() == [12, 4, 16]
    assert rows.loc["web", ["past_margin", "potential", "bid_ceiling"]].tolist() == [15, 7, 22]
    # 9 for tv by two; 12 in all by three; no spend is known of the web
    assert rows["cac"].tolist() == pytest.approx([4, 4.5, np.nan], nan_ok=True)
    assert rows["headroom"].tolist() == pytest.approx([14, 11.5, np.nan], nan_ok=True)
    assert rows["few_newcomers"].all()


def test_without_a_scored_list_nobody_knows_what_newcomers_will_bring(tmp_path: Path) -> None:
    with facts_of() as facts:
        assert bid_ceilings(facts, Inputs(spend=spend(tmp_path))) is None


def test_what_customers_say_stands_beside_their_stage(tmp_path: Path) -> None:
    (tmp_path / "surveys.csv").write_text(
        "customer_id,answered_at,kind,score\nann,2015-01-20,nps,3\nann,2015-03-01,nps,9\nbob,2015-02-20,nps,10\n"
        "cid,2015-03-05,nps,6\nold,2013-01-01,nps,10\nold,2015-01-01,csat,5\nzoe,2015-03-01,nps,0\n"
    )

    with facts_of() as facts:
        create_stages(facts.engine, facts.periods, facts.inactivity_days)
        survey_results(facts, Surveys.read(tmp_path / "surveys.csv"))
        found = attitudes(facts).set_index("attitude")

    # Ann's last answer counts, the old one's is too old, and zoe is not in the log.
    assert found["customers"].to_dict() == {"promoters": 2, "detractors": 1}
    assert found.loc["promoters", ["repeat", "first_time"]].tolist() == [1, 1]  # ann, bob
    assert found.loc["detractors", "first_time"] == 1


def test_acquiring_a_customer_stands_beside_a_year_of_keeping_one(tmp_path: Path) -> None:
    table = CostTable([], [PoolCost(pool="desk", month="2015-02", cost=6, driver="equal")])

    with facts_of() as facts:
        inputs = Inputs(spend=spend(tmp_path), costs=CostInputs(facts, Touches.none(), table))
        tables = {each.name: each.rows for each in cost_section(inputs).tables}
    row = tables["acquiring_and_keeping"].iloc[0]

    months = tables["cost_of_keeping"]
    assert row["to"] == date(2015, 4, 1)
    assert row["cac"] == pytest.approx(12 / 4)  # in ten closed months four came, the old one in June
    assert row["keeping_a_year"] == pytest.approx(12 * 6 / months["kept_customers"].sum())
    assert row["cac_to_keeping"] == pytest.approx(row["cac"] / row["keeping_a_year"])
