from __future__ import annotations

import numpy as np
import pytest

from features.language import use_language
from features.table.columns import Columns, rows_of
from features.table.history import FEATURES
from training.churn.inputs import CHURN_FEATURES, ORDERS_ALONE
from training.churn.model import ChurnModel
from training.model.reasons import load_wording, topic_sums, word_reasons
from training.run import TrainingRun


def _customer(**known: float) -> Columns:
    names = {*CHURN_FEATURES, *(feature.name for feature in FEATURES)}
    return {name: np.array([known.get(name, 0.0)]) for name in names}


def _reasons(customer: Columns, churn_probability: float = 0.5, **moves: float) -> list[str]:
    """Word the reasons of a customer whose log-odds these contributions move."""
    contributions = np.array([[moves.get(name, 0.0) for name in ORDERS_ALONE.contributions]])
    wording = load_wording()
    sums = topic_sums(contributions, wording)
    (reasons,) = word_reasons(sums, np.array([churn_probability]), customer, wording)
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
        tenure_days=240,
    )

    reasons = _reasons(customer, silence=1.5, spend_90d=0.4, habit=-0.9)

    assert reasons == [
        "silent for 13 weeks, usually buys every 3 weeks (risk up)",
        "5 purchases in 8 months (risk down)",
        "spend in 90 days 37, 100 in the 90 before (risk up)",
    ]


@pytest.mark.parametrize(
    ("churn_probability", "silence", "first"),
    [
        (
            0.6,
            2.1,
            "silent for 9 weeks, usually buys every 6 days (risk up)",
        ),  # the topics sum to more than 0
        (0.4, 1.5, "silent for 9 weeks, usually buys every 6 days (risk up)"),  # without the silence .13
        (0.05, 0.5, "71 purchases in 16 months (risk down)"),  # without it .03: nobody would call this a risk
    ],
)
def test_what_raises_the_risk_comes_first_for_a_customer_at_risk(
    churn_probability: float, silence: float, first: str
) -> None:
    customer = _customer(
        frequency=70,
        days_since_last_purchase=65,
        mean_gap_days=6,
        tenure_days=490,
        orders_90d=1,
        orders_180d=9,
    )

    reasons = _reasons(customer, churn_probability, silence=silence, habit=-1.9)

    assert reasons[0] == first
    assert len(reasons) == 2


def test_a_recent_order_against_a_longer_rhythm_is_no_risk() -> None:
    customer = _customer(frequency=5, days_since_last_purchase=2, mean_gap_days=78)

    assert _reasons(customer, mean_gap_days=0.7) == ["usually buys only every 11 weeks (risk up)"]
    assert _reasons(customer, silence=-0.7) == [
        "last order 2 days ago, usually buys every 11 weeks (risk down)"
    ]


def test_a_phrase_reads_the_same_for_one_and_for_many() -> None:
    days = np.random.default_rng(1).integers(1, 2000, 300) / 2.0
    columns = {"days_since_last_purchase": days, "mean_gap_days": np.where(days % 7, days / 3, np.nan)}
    phrase = load_wording().topics["rhythm"].up["overdue"]

    together = phrase.fill(columns, np.arange(300)).tolist()

    assert together == [phrase.fill(columns, np.array([row]))[0] for row in range(300)]
    assert together.count("") == np.isnan(columns["mean_gap_days"]).sum()


def test_features_that_tell_one_story_are_one_reason() -> None:
    customer = _customer(frequency=1, orders_90d=2, orders_180d=3)

    reasons = _reasons(customer, orders_90d=-0.5, orders_30d=-0.3)

    assert reasons == ["2 orders in 90 days, 1 in the 90 before (risk down)"]


def test_a_one_time_buyer_has_no_rhythm_to_speak_of() -> None:
    customer = _customer(frequency=0, days_since_last_purchase=400, mean_gap_days=float("nan"))

    reasons = _reasons(customer, days_since_last_purchase=0.7)

    assert reasons == ["silent for 13 months since the first order (risk up)"]


def test_a_number_that_is_missing_is_not_made_up() -> None:
    customer = _customer(frequency=2, distinct_products=float("nan"))

    assert _reasons(customer, distinct_products=0.7) == []


def test_the_reasons_of_a_real_list_explain_its_risks(cdnow_run: TrainingRun) -> None:
    table = cdnow_run.newest.columns
    columns = {**table, "customer_id": np.arange(len(table["frequency"]))}

    scores = cdnow_run.model.score_columns(columns)

    raised = np.array([texts[0].endswith("(risk up)") for texts in scores["reasons"]])
    probability = scores["churn_probability"]
    assert raised[probability > np.median(probability)].mean() >= 0.9
    assert raised[probability < 0.2].mean() <= 0.2
    overdue = columns["days_since_last_purchase"] > columns["mean_gap_days"]
    for texts, late in zip(scores["reasons"], overdue, strict=True):
        assert late or not any("usually buys every" in text and text.endswith("(risk up)") for text in texts)


def test_topics_sum_to_the_log_odds_less_the_constant(cdnow_run: TrainingRun) -> None:
    model: ChurnModel = cdnow_run.model.churn
    columns = rows_of(cdnow_run.newest.columns, slice(500))
    contributions = model.contributions(columns)

    sums = topic_sums(contributions, load_wording())

    constant = contributions[:, ORDERS_ALONE.contributions.index("constant")]
    assert sums.sum(axis=1) + constant == pytest.approx(model.log_odds(columns), abs=1e-9)


def test_reasons_are_said_in_the_chosen_language() -> None:
    phrase = "silent for {days_since_last_purchase:span}, usually buys every {mean_gap_days:span}"
    columns = {"days_since_last_purchase": np.array([65.0]), "mean_gap_days": np.array([30.0])}
    english = load_wording().topics["rhythm"].up["overdue"]
    with use_language("fa"):
        persian = load_wording().topics["rhythm"].up["overdue"].fill(columns, np.array([0]))

    assert english.template.startswith(phrase)
    assert persian.tolist() == ["۹ هفته بی‌خرید، معمولاً هر ۴ هفته خرید می‌کند (افزایش ریسک)"]
