"""Coverage: a log that lacks one group, or the campaign's first days, is no ground to measure on."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from features.errors import WindowError
from features.log.matching import MatchError
from features.log.transactions import TransactionLog
from features.log.validation import validate
from training.campaign.assignment import Assignment
from training.campaign.coverage import require_both_groups, require_from_the_start
from training.campaign.plan import plan
from training.campaign.record import record_of
from training.campaign.settings import PlanTerms
from training.offers.offers import Offer

START = date(2024, 1, 1)


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    """A hundred customers, a fifth of them held out."""
    scores = pd.DataFrame(
        {
            "customer_id": [f"{i:03d}" for i in range(100)],
            "snapshot_date": START.isoformat(),
            "churn_probability": 0.5,
            "value_at_stake": 100.0,
            "horizon_days": 90,
            "margin": 0.3,
        }
    )
    made = plan(scores, [Offer(incentive_cost=4, acceptance_rate=0.3)], PlanTerms(holdout=0.2))
    return Assignment(made.chosen.assign(contacted=lambda t: ~t["held_out"]), record_of(made))


def orders(ids: list[str], first: int, last: int) -> pd.DataFrame:
    """An order of each customer, spread over the days from ``first`` to ``last`` after the start."""
    days = [START + timedelta(days=first + i % (last - first + 1)) for i in range(len(ids))]
    return pd.DataFrame({"customer_id": ids, "ordered_at": days, "amount": 10.0})


def log_of(*parts: pd.DataFrame) -> TransactionLog:
    return validate(pd.concat(parts))


def groups(assignment: Assignment) -> tuple[list[str], list[str]]:
    contacted = assignment.customers["contacted"]
    ids = assignment.customers["customer_id"]
    return ids[contacted].tolist(), ids[~contacted].tolist()


def test_a_log_without_the_held_out_is_refused(assignment: Assignment) -> None:
    contacted, _ = groups(assignment)

    with pytest.raises(
        MatchError, match="24 of 80 contacted and 0 of 20 held-out customers have orders since"
    ):
        require_both_groups(assignment, log_of(orders(contacted[:24], 0, 9)))
    with pytest.raises(
        MatchError, match="80 of 80 contacted and 0 of 20 held-out customers have orders before"
    ):
        require_both_groups(assignment, log_of(orders(contacted, -30, 9), orders(contacted, -9, -1)))


def test_a_log_that_lacks_part_of_a_group_shows_it_before_the_start(assignment: Assignment) -> None:
    contacted, held_out = groups(assignment)
    log = log_of(orders(contacted + held_out[:10], -30, -1), orders(contacted + held_out[:10], 0, 30))

    with pytest.raises(
        MatchError, match=r"10 of 20 held-out .* Give the shop's whole log.*--allow-unmatched"
    ):
        require_both_groups(assignment, log)


def test_an_effect_is_no_missing_group(assignment: Assignment) -> None:
    contacted, held_out = groups(assignment)
    new_orders = orders(contacted + held_out[:4], 0, 30)
    early_look = orders(contacted[:3], 0, 1)

    for log in (new_orders, early_look):
        require_both_groups(assignment, log_of(log))
        require_both_groups(assignment, log_of(log, orders(contacted + held_out, -30, -1)))

    assert len(held_out) == 20


def test_a_log_that_begins_in_the_window_says_how_many_days_it_lacks() -> None:
    late = log_of(orders(["a"] * 30, 31, 60))

    with pytest.raises(
        WindowError, match=r"begins on 2024-02-01: .* campaign's first 31 days, since 2024-01-01"
    ):
        require_from_the_start(late, START)


@pytest.mark.parametrize(
    "log",
    [
        orders(["a"] * 30, 0, 60),  # of new orders
        orders(["a"] * 30, 3, 60),  # closed over New Year
        orders(["a"] * 30, -60, 60),
        pd.concat([orders(["a"], 6, 6), orders(["a"], 14, 14)]),  # a shop with an order a week
    ],
)
def test_a_log_that_begins_about_the_start_is_measured(log: pd.DataFrame) -> None:
    assert require_from_the_start(validate(log), START) is None  # type: ignore[func-returns-value]
