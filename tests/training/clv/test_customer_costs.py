"""Customers' own costs: the formulas, the means, and what they do to values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.economics.trailing import TrailingYear
from features.errors import StayworthError
from training.clv.customer_costs import OwnCosts
from training.clv.value import ValueTerms

YEAR = TrailingYear(
    pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "purchases": [3.0, 1.0, 0.0],
            "revenue": [90.0, 40.0, -10.0],
            "margin": [18.0, 30.0, np.nan],
            "active_days": [200.0, 90.0, 10.0],
            "order_costs": [12.0, 0.0, 0.0],
            "period_costs": [0.0, 30.0, 0.0],
            "loss": [0.0, 6.0, 0.0],
        }
    ),
    frozenset({"order", "period"}),
    has_margins=True,
    has_losses=True,
)
IDS = np.array(["a", "b", "c"], dtype=object)


def test_the_means_of_all_are_the_terms_of_the_version() -> None:
    own, terms = OwnCosts.learnt(YEAR, ValueTerms(), margin_given=False)

    # 12 of 4 purchases; 30 of 300 days; 6 and 48 of 120 in all
    assert (terms.cost_per_order, terms.cost_per_day, terms.bad_debt_rate, terms.margin) == (
        3,
        0.1,
        0.05,
        0.4,
    )
    assert own == OwnCosts(("cost_per_order", "cost_per_day", "bad_debt_rate", "margin"), 30.0)
    assert OwnCosts.from_dict(own.to_dict()) == own


def test_each_customers_own_is_shrunk_to_the_means() -> None:
    own, terms = OwnCosts.learnt(YEAR, ValueTerms(), margin_given=False)

    found = own.columns(YEAR, terms, IDS)

    assert found["own_cost_per_order"].tolist() == [(12 + 9) / 6, 9 / 4, 3]
    assert found["own_cost_per_day"].tolist() == [9 / 290, 39 / 180, 9 / 100]
    # three purchases of 30 at the means: 90 of revenue, 4.5 of loss, 36 of margin
    assert found["own_bad_debt_rate"].tolist() == [4.5 / 180, 10.5 / 130, 4.5 / 90]
    assert found["own_margin"].tolist() == [54 / 180, 66 / 130, 36 / 90]


def test_a_margin_that_the_caller_gives_is_everybodys() -> None:
    own, terms = OwnCosts.learnt(YEAR, ValueTerms(margin=0.25), margin_given=True)

    assert terms.margin == 0.25
    assert "own_margin" not in own.columns(YEAR, terms, IDS)


def test_a_year_without_sales_is_refused() -> None:
    idle = replace(YEAR, customers=YEAR.customers.assign(purchases=0.0))

    with pytest.raises(StayworthError, match="nothing was sold"):
        OwnCosts.learnt(idle, ValueTerms(), margin_given=False)


def test_what_a_list_is_scored_without_is_left_to_the_means() -> None:
    own, terms = OwnCosts.learnt(YEAR, ValueTerms(), margin_given=False)
    later = replace(YEAR, per=frozenset({"period"}), has_losses=False)

    assert sorted(own.columns(later, terms, IDS)) == ["own_cost_per_day", "own_margin"]
    assert own.given(later) == ("cost_per_day", "margin")
