"""Values net of customers' own costs: in a list by files, in a live request by the version's means."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pydantic import ValidationError

from features.economics.cost_table import CostTable, PoolCost, UnitCost
from features.economics.touches import Touches
from features.economics.trailing import CostFiles
from features.errors import StayworthError
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from serving.api.requests import ScoreRequest
from serving.explanation.caller_card import caller_card
from serving.explanation.explanation import explain
from serving.scorer import Scorer
from training.clv.customer_costs import OwnCosts
from training.model.files import load_model, save_model

JULY = Snapshot(date(1998, 7, 1))
NAMES = ("cost_per_order", "cost_per_day")


@pytest.fixture(scope="module")
def costly(scorer: Scorer) -> Scorer:
    """A version that has learnt from files of costs."""
    terms = replace(scorer.model.terms, cost_per_order=2.0, cost_per_day=0.01)
    return Scorer(replace(scorer.model, terms=terms, own_costs=OwnCosts(NAMES, 30.0)), "7")


def files(folder: Path, log: TransactionLog, calls: int) -> CostFiles:
    """Somebody who bought in 1998 was called so often, and nobody else."""
    table = log.table.to_pandas()
    recent = table[pd.to_datetime(table["ordered_on"]) >= "1998-01-01"]["customer_id"].iloc[0]
    path = folder / "touchpoints.csv"
    path.write_text(f"customer_id,occurred_at,touchpoint,quantity\n{recent},1998-06-30,call,{calls}\n")
    return CostFiles(CostTable([UnitCost(touchpoint="call", unit_cost=10)]), Touches.read(path))


def with_overhead(given: CostFiles) -> CostFiles:
    """The same, and what sending parcels cost in June: shared out among all, so that no request can tell it."""
    parcels = PoolCost(pool="parcels", month="1998-06", cost=900, driver="orders", per="order")
    return replace(given, table=CostTable(given.table.units, [parcels]))


def test_who_costs_more_is_worth_less_and_the_others_are_not(
    costly: Scorer, log: TransactionLog, tmp_path: Path
) -> None:
    none, many = (
        costly.score_log(log, JULY, cost_files=files(tmp_path, log, calls)).scores.set_index("customer_id")
        for calls in (0, 500)
    )
    many = many.reindex(none.index)

    changed = none["expected_value"] != many["expected_value"]
    assert changed.sum() == 1
    assert (many[changed]["expected_value"] < -100).all()
    assert (many["expected_value_low"] <= many["expected_value"]).all()
    assert (many["expected_value"] <= many["expected_value_high"]).all()
    assert (many[changed]["expected_gross_value"] == none[changed]["expected_gross_value"]).all()


def test_customers_own_costs_value_them_as_terms_with_these_costs_do(
    costly: Scorer, log: TransactionLog, tmp_path: Path
) -> None:
    given = files(tmp_path, log, 50)
    mine = given.touches.table["customer_id"][0].as_py()
    year = costly.costs.year_of_files(log, JULY, given)
    assert costly.model.own_costs is not None
    own = costly.model.own_costs.columns(year, costly.model.terms, np.array([mine], dtype=object))

    listed = costly.score_log(log, JULY, cost_files=given).scores.set_index("customer_id").loc[mine]
    terms = replace(costly.model.terms, cost_per_day=float(own["own_cost_per_day"][0]))
    flat = Scorer(replace(costly.model, terms=terms), "7").score_log(log, JULY).scores
    flat = flat.set_index("customer_id").loc[mine]

    for name in ("expected_value", "expected_value_low", "expected_value_high", "value_at_stake"):
        assert listed[name] == pytest.approx(flat[name], rel=1e-12)


def test_a_live_request_takes_the_means_and_says_so(
    costly: Scorer, orders: pa.Table, log: TransactionLog
) -> None:
    live = costly.score_customers(orders, JULY)
    listed = costly.score_log(log, JULY)

    assert any("from the means of version 7" in note for note in live.notes)
    pd.testing.assert_frame_equal(live.scores, listed.scores, check_dtype=False)


def stated(scorer: Scorer, log: TransactionLog, given: CostFiles) -> pd.DataFrame:
    """What each customer cost in the year before, as a caller may say it."""
    year = scorer.costs.year_of_files(log, JULY, given)
    return year.customers.set_index("customer_id")[["order_costs", "period_costs"]]


def test_a_live_request_that_states_the_costs_gets_the_numbers_of_the_list(
    costly: Scorer, orders: pa.Table, log: TransactionLog, tmp_path: Path
) -> None:
    given = with_overhead(files(tmp_path, log, 50))
    listed = costly.score_log(log, JULY, cost_files=given)

    live = costly.score_customers(orders, JULY, costs=stated(costly, log, given))

    assert not any("from the means" in note for note in live.notes)
    pd.testing.assert_frame_equal(live.scores, listed.scores, check_dtype=False)


def test_an_explanation_takes_the_value_apart_by_the_customers_own_costs(
    costly: Scorer, orders: pa.Table, log: TransactionLog, tmp_path: Path
) -> None:
    given = with_overhead(files(tmp_path, log, 50))
    mine = given.touches.table["customer_id"][0].as_py()
    rows = orders.filter(pc.equal(orders["customer_id"], mine))
    costs = stated(costly, log, given).loc[[mine]]

    own, means = (explain(costly, rows, JULY, costs=each) for each in (costs, None))
    card = caller_card(costly, rows, JULY, costs=costs)

    listed = costly.score_log(log, JULY, cost_files=given).scores.set_index("customer_id").loc[mine]
    assert own.score["expected_value"] == listed["expected_value"] == card.expected_value
    assert own.costs and means.costs and own.costs.of_active_days > 20 * means.costs.of_active_days
    taken = own.costs.of_orders + own.costs.of_active_days + own.costs.of_bad_debt
    assert own.costs.expected_gross_value - taken == pytest.approx(own.costs.expected_value)
    for now, later in zip(own.what_would_change.if_silent, means.what_would_change.if_silent, strict=True):
        assert now.expected_value < later.expected_value


def test_a_version_without_customers_own_costs_refuses_them(scorer: Scorer, orders: pa.Table) -> None:
    costs = pd.DataFrame({"order_costs": [1.0]}, index=pd.Index(["00001"], name="customer_id"))

    with pytest.raises(StayworthError, match="Leave `costs` out of the request"):
        scorer.score_customers(orders, JULY, costs=costs)


@pytest.mark.parametrize(
    ("costs", "says"),
    [
        (({"order_costs": 1}, {"period_costs": 1}), "the same of order_costs, period_costs, loss"),
        (({}, {}), "at least one"),
        (({"loss": 1}, None), "costs is given for 1 of 2 customers"),
        (({"order_costs": -1}, {"order_costs": 0}), "A cost is positive money"),
        (({"orders": 1}, {"orders": 0}), "orders"),
    ],
)
def test_a_request_states_the_same_costs_of_all_customers_or_none(
    costs: tuple[object, ...], says: str
) -> None:
    order = {"ordered_at": "1998-01-05", "amount": 20.5}
    customers = [
        {"customer_id": f"{place}", "transactions": [order], "costs": own} for place, own in enumerate(costs)
    ]

    with pytest.raises(ValidationError, match=says):
        ScoreRequest.model_validate_json(json.dumps({"customers": customers}))


def test_files_of_costs_need_a_version_that_learnt_from_them(
    scorer: Scorer, log: TransactionLog, tmp_path: Path
) -> None:
    with pytest.raises(StayworthError, match="Version 1 knows no customers' own costs. Train one"):
        scorer.score_log(log, JULY, cost_files=files(tmp_path, log, 1))


def test_a_version_keeps_which_costs_are_customers_own(costly: Scorer, tmp_path: Path) -> None:
    save_model(costly.model, tmp_path / "model")

    assert load_model(tmp_path / "model").own_costs == OwnCosts(NAMES, 30.0)
