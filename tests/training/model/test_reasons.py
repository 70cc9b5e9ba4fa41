from __future__ import annotations

import pandas as pd
import pytest

from training.churn.model import CHURN_FEATURES, ChurnModel
from training.model.reasons import by_topic, load_wording, word_reasons
from training.run import TrainingRun


def _customer(**known: float) -> pd.DataFrame:
    return pd.DataFrame([dict.fromkeys(CHURN_FEATURES, 0.0) | known])


def _moves(**known: float) -> pd.DataFrame:
    return pd.DataFrame([dict.fromkeys(["silence", "habit", *CHURN_FEATURES, "constant"], 0.0) | known])


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

    (reasons,) = word_reasons(_moves(silence=1.5, spend_90d=0.4, habit=-0.9), customer)

    assert reasons == [
        "last order 94 days ago, usually every 21 (risk up)",
        "5 purchase days in 5 months (risk down)",
        "spend in 90 days 37, 100 in the 90 before (risk up)",
    ]


def test_features_that_tell_one_story_are_one_reason() -> None:
    customer = _customer(frequency=1, orders_90d=2, orders_180d=3)

    (reasons,) = word_reasons(_moves(orders_90d=-0.5, orders_30d=-0.3), customer)

    assert reasons == ["2 orders in 90 days, 1 in the 90 before (risk down)"]


def test_a_one_time_buyer_has_no_rhythm_to_speak_of() -> None:
    customer = _customer(frequency=0, days_since_last_purchase=400, mean_gap_days=float("nan"))

    (reasons,) = word_reasons(_moves(days_since_last_purchase=0.7), customer)

    assert reasons == ["silent for 400 days (risk up)"]


def test_a_number_that_is_missing_is_not_made_up() -> None:
    customer = _customer(frequency=2, distinct_products=float("nan"))

    assert word_reasons(_moves(distinct_products=0.7), customer) == [[]]


def test_topics_sum_to_the_log_odds_less_the_constant(cdnow_run: TrainingRun) -> None:
    model: ChurnModel = cdnow_run.model.churn
    table = cdnow_run.newest.table.head(500)
    parts = model.contributions(table)

    topics = by_topic(parts, load_wording()).sum(axis=1) + parts["constant"]

    assert topics.to_numpy() == pytest.approx(model.log_odds(table), abs=1e-9)
