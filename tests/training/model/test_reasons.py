from __future__ import annotations

import numpy as np
import pytest

from features.table.columns import Columns, rows_of
from training.churn.model import CHURN_FEATURES, CONTRIBUTIONS, ChurnModel
from training.model.reasons import load_wording, topic_sums, word_reasons
from training.run import TrainingRun


def _customer(**known: float) -> Columns:
    return {name: np.array([known.get(name, 0.0)]) for name in CHURN_FEATURES}


def _reasons(customer: Columns, **moves: float) -> list[str]:
    """Word the reasons of a customer whose log-odds these contributions move."""
    contributions = np.array([[moves.get(name, 0.0) for name in CONTRIBUTIONS]])
    wording = load_wording()
    (reasons,) = word_reasons(topic_sums(contributions, wording), customer, wording)
    return list(reasons)


def test_every_input_of_the_model_belongs_to_exactly_one_topic() -> None:
    told = [name for topic in load_wording().topics.values() for name in topic.features]

    assert sorted(told) == sorted(["silence", "habit", *CHURN_FEATURES])


def test_reasons_have_the_customers_own_numbers_the_strongest_first() -> None:
    customer = _customer(
        frequency=4,
        days_since_last_purchase=94,
        mean_gap_days=21,
        spend_90d=37,
        spend_180d=137,
        active_months=5,
    )

    reasons = _reasons(customer, silence=1.5, spend_90d=0.4, habit=-0.9)

    assert reasons == [
        "last order 94 days ago, usually every 21 (risk up)",
        "5 purchase days in 5 months (risk down)",
        "spend in 90 days 37, 100 in the 90 before (risk up)",
    ]


def test_features_that_tell_one_story_are_one_reason() -> None:
    customer = _customer(frequency=1, orders_90d=2, orders_180d=3)

    reasons = _reasons(customer, orders_90d=-0.5, orders_30d=-0.3)

    assert reasons == ["2 orders in 90 days, 1 in the 90 before (risk down)"]


def test_a_one_time_buyer_has_no_rhythm_to_speak_of() -> None:
    customer = _customer(frequency=0, days_since_last_purchase=400, mean_gap_days=float("nan"))

    reasons = _reasons(customer, days_since_last_purchase=0.7)

    assert reasons == ["silent for 400 days (risk up)"]


def test_a_number_that_is_missing_is_not_made_up() -> None:
    customer = _customer(frequency=2, distinct_products=float("nan"))

    assert _reasons(customer, distinct_products=0.7) == []


def test_topics_sum_to_the_log_odds_less_the_constant(cdnow_run: TrainingRun) -> None:
    model: ChurnModel = cdnow_run.model.churn
    columns = rows_of(cdnow_run.newest.columns, slice(500))
    contributions = model.contributions(columns)

    sums = topic_sums(contributions, load_wording())

    constant = contributions[:, CONTRIBUTIONS.index("constant")]
    assert sums.sum(axis=1) + constant == pytest.approx(model.log_odds(columns), abs=1e-9)
