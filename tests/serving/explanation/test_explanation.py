"""Explanations: they add up to the score, and every scenario is really scored."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.errors import EmptyLogError, StayworthError, WindowError
from features.snapshot import Snapshot
from serving.explanation.explanation import Explanation, explain
from serving.explanation.recommendation import price_offers
from serving.scorer import Scorer
from training.churn.calibration import Calibrator
from training.churn.level import Level, LevelRule
from training.model.score_schema import SCORE_COLUMNS
from training.offers.offers import Offer, OfferError

JULY = Snapshot(date(1998, 7, 1))
VOUCHER = Offer(name="voucher", contact_cost=0.1, incentive_cost=5, acceptance_rate=0.3)
CALL = Offer(name="call", contact_cost=1, incentive_share=0.1, acceptance_rate=0.3, redemption_rate=0.2)
# One purchase; two orders on one day; refunds; a frequent customer; one long gone after 56 orders.
EXAMPLES = ("0016", "1511", "1496", "0232", "1901")


def history(*orders: tuple[str, float], customer: str = "17") -> pa.Table:
    days, amounts = zip(*orders, strict=True)
    return pa.table({"customer_id": [customer] * len(days), "ordered_at": days, "amount": amounts})


# 20, 10 and 30 on 1 April, 1 May and 31 May; 6 given back on 5 June
REGULAR = history(("1998-04-01", 20.0), ("1998-05-01", 10.0), ("1998-05-31", 30.0), ("1998-06-05", -6.0))


def of(orders: pa.Table, customer: str) -> pa.Table:
    return orders.filter(pc.equal(orders["customer_id"], customer))


def sent(explanation: Explanation) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(explanation), allow_nan=False))


@pytest.fixture(scope="module")
def regular(scorer: Scorer) -> Explanation:
    return explain(scorer, REGULAR, JULY, offers=[VOUCHER, CALL])


@pytest.fixture(scope="module", params=EXAMPLES)
def example(request: pytest.FixtureRequest, scorer: Scorer, orders: pa.Table) -> Explanation:
    return explain(scorer, of(orders, request.param), JULY, offers=[VOUCHER, CALL])


def test_contributions_add_up_to_the_score(scorer: Scorer, example: Explanation) -> None:
    found = example.log_odds

    calibrated = scorer.model.churn.calibrator(np.array([found.total + found.level]))
    assert calibrated[0] == pytest.approx(found.churn_probability, abs=1e-12)
    sizes = [abs(part.log_odds) for part in found.contributions]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(part.log_odds for part in found.contributions) == pytest.approx(found.total, abs=1e-12)
    constant = next(part.log_odds for part in found.contributions if part.feature == "constant")
    assert sum(topic.log_odds for topic in found.topics) + constant == pytest.approx(found.total, abs=1e-12)


def test_level_and_calibrator_are_part_of_the_sum(scorer: Scorer) -> None:
    churn = replace(
        scorer.model.churn,
        level=Level((date(1997, 7, 1).toordinal(),), (-0.7,), LevelRule("year_ago")),
        calibrator=Calibrator("platt", slope=0.5, intercept=0.25),
    )
    seasonal = Scorer(replace(scorer.model, churn=churn), "2")

    found = explain(seasonal, REGULAR, JULY).log_odds

    assert (found.level, found.calibrator) == (-0.7, "platt")
    odds = np.exp(0.5 * (found.total - 0.7) + 0.25)
    assert found.churn_probability == pytest.approx(odds / (1 + odds), abs=1e-12)


def test_the_score_is_the_one_of_a_request(scorer: Scorer, orders: pa.Table, example: Explanation) -> None:
    found = sent(example)["score"]

    scores = scorer.score_customers(of(orders, found["customer_id"]), JULY).scores
    assert tuple(found) == SCORE_COLUMNS
    for name in SCORE_COLUMNS:
        value = scores[name].iloc[0]
        if isinstance(value, float) and np.isnan(value):
            value = None
        assert found[name] == (value.isoformat() if isinstance(value, date) else value), name


def test_facts_are_those_of_the_orders(regular: Explanation) -> None:
    # 31 May is 60 days after 1 April; gaps of 30 and 30 days; 31 days of silence until 1 July
    assert asdict(regular.facts) == {
        "frequency": 2,
        "recency": 60,
        "T": 91,
        "monetary_value": 20.0,  # (10 + 30) / 2
        "first_purchase_date": "1998-04-01",
        "last_purchase_date": "1998-05-31",
        "orders": 3,
        "net_spend": 54.0,
        "days_since_last_purchase": 31,
        "mean_gap_days": 30.0,
        "overdue_ratio": 31 / 30,
    }
    assert regular.rows == {"in": 4, "used": 4, "quarantined": {}, "not_yet_visible": 0}


def test_a_single_purchase_leaves_its_rhythm_undefined(scorer: Scorer) -> None:
    found = explain(scorer, history(("1998-05-31", 30.0)), JULY)

    assert (found.facts.frequency, found.facts.mean_gap_days, found.facts.overdue_ratio) == (0, None, None)
    gaps = [part for part in found.log_odds.contributions if part.feature == "mean_gap_days"]
    assert gaps[0].value is None
    assert "silent for 4 weeks since the first order (risk up)" in [
        topic.text for topic in found.log_odds.topics
    ]


def test_two_orders_of_a_day_are_one_purchase_and_two_orders(scorer: Scorer) -> None:
    found = explain(scorer, history(("1998-05-31", 30.0), ("1998-05-31", 5.0)), JULY).facts

    assert (found.frequency, found.orders, found.net_spend) == (0, 2, 35.0)


def test_contributions_carry_the_customers_values_units_and_meanings(regular: Explanation) -> None:
    parts = {part.feature: part for part in regular.log_odds.contributions}

    assert (parts["spend_30d"].value, parts["spend_30d"].unit) == (0.0, "money")
    assert parts["orders_90d"].value == 2  # from 2 April on
    assert parts["refund_count"].meaning == "Rows with a negative amount."
    assert (parts["silence"].value, parts["silence"].unit) == (31, "days")
    assert 0 < float(parts["p0"].value or 0) < 1
    assert parts["constant"].value is None
    assert all(part.meaning for part in parts.values())


def test_topics_are_worded_as_reasons_are(regular: Explanation) -> None:
    told = [topic for topic in regular.log_odds.topics if topic.text]

    # By size, but for the topic that raises the risk of a customer at risk most: it is the first reason.
    lead = next(topic for topic in told if topic.log_odds > 0)
    assert [lead.text, *(topic.text for topic in told if topic is not lead)][:3] == regular.score["reasons"]


def test_if_they_buy_their_usual_order_is_really_added(scorer: Scorer, regular: Explanation) -> None:
    # the mean purchase day: (20 + 10 + 30) / 3 = 20, on the last day that the snapshot sees
    bought = pa.concat_tables([REGULAR, history(("1998-06-30", 20.0))])

    found = regular.what_would_change.if_they_buy

    assert (found.ordered_on, found.amount) == ("1998-06-30", 20.0)
    score = scorer.score_customers(bought, JULY).scores.iloc[0]
    for name in ("churn_probability", "expected_value", "value_at_stake", "value_at_risk"):
        assert getattr(found, name) == score[name]
    assert found.churn_probability < regular.score["churn_probability"]


def test_silence_is_really_scored_later(scorer: Scorer, regular: Explanation) -> None:
    found = regular.what_would_change.if_silent

    assert [ahead.silent_days for ahead in found] == [30, 60, 90, 180]
    for ahead in found:
        later = Snapshot(JULY.date + timedelta(days=ahead.silent_days))
        score = scorer.score_customers(REGULAR, later).scores.iloc[0]
        assert ahead.snapshot_date == str(later)
        assert (ahead.churn_probability, ahead.value_at_risk) == (
            score["churn_probability"],
            score["value_at_risk"],
        )
    assert regular.score["churn_probability"] < found[0].churn_probability < found[-1].churn_probability


def test_silence_may_reach_into_the_future_where_a_score_may_not(scorer: Scorer) -> None:
    today = date.today()
    rows = history((str(today - timedelta(days=40)), 20.0), (str(today - timedelta(days=9)), 30.0))

    found = explain(scorer, rows).what_would_change.if_silent

    assert date.fromisoformat(found[-1].snapshot_date) > today + timedelta(days=179)
    with pytest.raises(WindowError, match="lies in the future"):
        explain(scorer, rows, Snapshot(today + timedelta(days=30)))


def test_the_imagined_order_has_the_usual_margin_and_no_product(scorer: Scorer) -> None:
    raw = REGULAR.append_column("margin", pa.array([6.0, 3.0, 9.0, -2.0]))
    raw = raw.append_column("product_id", pa.array(["a", "b", None, "b"]))
    raw = raw.append_column("order_id", pa.array(["1", "2", "3", "2"]))
    # the mean purchase day's margin: (6 + 3 + 9) / 3 = 6; what is bought is not known
    order = {"margin": 6.0, "product_id": None, "order_id": None}
    usual = {"customer_id": "17", "ordered_at": "1998-06-30", "amount": 20.0} | order
    bought = pa.concat_tables([raw, pa.Table.from_pylist([usual], schema=raw.schema)])

    found = explain(scorer, raw, JULY).what_would_change.if_they_buy

    score = scorer.score_customers(bought, JULY).scores.iloc[0]
    assert (found.churn_probability, found.value_at_stake) == (
        score["churn_probability"],
        score["value_at_stake"],
    )


def test_offers_are_priced_as_beside_a_score(scorer: Scorer, regular: Explanation) -> None:
    (priced,) = price_offers(scorer.score_customers(REGULAR, JULY).columns, [VOUCHER, CALL])

    found = regular.what_would_change.offers

    assert regular.recommended_offer == priced.recommended_offer
    for decision, price in zip(found, priced.offers, strict=True):
        assert asdict(decision).items() >= asdict(price).items()
        assert decision.contact == price.pays


def test_a_decision_flips_on_the_silent_day_that_is_named(scorer: Scorer, regular: Explanation) -> None:
    # A card without incentive wins γ·value_at_risk, half of it, and costs what 45 days of silence would win.
    now, (first, second, *_) = regular.score["value_at_risk"], regular.what_would_change.if_silent
    assert now < first.value_at_risk < second.value_at_risk
    cost = 0.5 * (first.value_at_risk + second.value_at_risk) / 2
    card = Offer(name="card", contact_cost=cost, incentive_cost=0, acceptance_rate=0.5)

    (found,) = explain(scorer, REGULAR, JULY, offers=[card]).what_would_change.offers

    assert not found.contact
    assert found.flips_after_silent_days == 60
    assert found.decision.endswith("; after 60 more silent days it would pay")


def test_an_offer_for_others_is_not_made_however_long_the_silence(scorer: Scorer) -> None:
    gift = Offer(
        name="gift", incentive_cost=0, acceptance_rate=0.9, tiers=("destroyer",), stages=("advocate",)
    )

    found = explain(scorer, REGULAR, JULY, offers=[gift])

    (decision,) = found.what_would_change.offers
    assert found.recommended_offer is None
    assert (decision.eligible, decision.contact, decision.flips_after_silent_days) == (False, False, None)
    assert decision.expected_profit > 0
    assert (
        decision.decision
        == "do not contact: the offer is for others only (value_tier: destroyer; stage: advocate)"
    )


def test_tiers_tell_what_is_missing_to_them(scorer: Scorer, regular: Explanation) -> None:
    value, cuts = regular.score["expected_value"], scorer.model.tiers.cuts

    found = regular.what_would_change.tiers

    assert [(tier.tier, tier.from_value) for tier in found] == list(zip(("vip", "medium"), cuts, strict=True))
    assert [tier.missing for tier in found] == [cut - value for cut in cuts]
    reached = [tier.tier for tier in found if tier.missing <= 0] + ["low"]
    assert reached[0] == regular.score["value_tier"]


def test_the_interval_says_what_it_is_of(scorer: Scorer, regular: Explanation) -> None:
    found = regular.interval

    assert found.level == 0.8
    assert found.of.startswith("80% interval of the expectation: ")
    assert f" {scorer.model.terms.value_horizon_days} days " in found.of
    assert (found.expected_value_low or 0) < found.expected_value < (found.expected_value_high or 0)


def test_an_explanation_is_json_to_the_last_digit(example: Explanation) -> None:
    assert sent(example) == asdict(example)


def test_without_offers_nothing_is_decided(scorer: Scorer) -> None:
    found = explain(scorer, REGULAR, JULY, offers=())

    assert (found.what_would_change.offers, found.recommended_offer) == ([], None)


def test_order_of_rows_and_what_the_snapshot_does_not_see_change_nothing(
    scorer: Scorer, regular: Explanation
) -> None:
    later = history(("1998-07-01", 500.0), ("1998-07-20", 500.0))
    backwards = pa.concat_tables([later, REGULAR.take([3, 2, 1, 0])])

    found = explain(scorer, backwards, JULY, offers=[VOUCHER, CALL])

    # least of all the silence after the snapshot
    assert replace(found, rows=regular.rows) == regular
    assert found.rows == {"in": 6, "used": 4, "quarantined": {}, "not_yet_visible": 2}


def test_what_a_request_lacks_is_noted_as_beside_a_score(scorer: Scorer, regular: Explanation) -> None:
    scored = scorer.score_customers(REGULAR, JULY)

    assert regular.notes == list(scored.notes)
    assert "no channel" in regular.notes[0]


def test_an_id_is_no_sql(scorer: Scorer, regular: Explanation) -> None:
    hostile = REGULAR.set_column(0, "customer_id", pa.array(["1' OR '1'='1"] * 4))

    found = explain(scorer, hostile, JULY, offers=[VOUCHER, CALL])

    assert found.facts == regular.facts
    assert found.what_would_change == regular.what_would_change


def test_only_one_customer_is_explained_at_a_time(scorer: Scorer) -> None:
    two = pa.concat_tables([REGULAR, history(("1998-05-31", 30.0), customer="18")])

    with pytest.raises(StayworthError, match="The rows are of 2 customers"):
        explain(scorer, two, JULY)


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        ([("1998-06-05", -6.0)], "refunds only before the snapshot"),
        ([("1998-07-01", 6.0)], "no order before the snapshot"),
    ],
)
def test_a_customer_who_cannot_be_scored_is_told_why(
    scorer: Scorer, days: list[tuple[str, float]], reason: str
) -> None:
    with pytest.raises(StayworthError, match=f"cannot be scored: {reason}"):
        explain(scorer, history(*days), JULY)


def test_rows_of_which_none_can_be_used_are_an_error(scorer: Scorer) -> None:
    with pytest.raises(EmptyLogError):
        explain(scorer, history(("2999-01-05", 20.0)), JULY)


def test_two_offers_of_one_name_are_refused(scorer: Scorer) -> None:
    with pytest.raises(OfferError, match="Two offers are called 'voucher'"):
        explain(scorer, REGULAR, JULY, offers=[VOUCHER, VOUCHER])


def test_a_version_that_knows_costs_says_what_keeping_the_customer_takes(scorer: Scorer) -> None:
    terms = replace(scorer.model.terms, cost_per_order=1.5, cost_per_day=0.05, bad_debt_rate=0.01)
    costly = Scorer(replace(scorer.model, terms=terms), "2")

    found, gross = explain(costly, REGULAR, JULY), explain(scorer, REGULAR, JULY)

    assert gross.costs is None
    assert found.costs is not None
    costs = found.costs
    assert costs.expected_gross_value == gross.score["expected_value"]
    assert min(costs.of_orders, costs.of_active_days, costs.of_bad_debt) > 0
    total = costs.of_orders + costs.of_active_days + costs.of_bad_debt
    assert costs.expected_gross_value - total == pytest.approx(costs.expected_value)
    assert costs.text == f"costs {total:,.2f} in 365 days to keep, brings {costs.expected_gross_value:,.2f}"
    assert sent(found)["costs"]["days"] == 365


def test_no_offer_is_made_to_keep_a_customer_who_costs_more_than_they_bring(scorer: Scorer) -> None:
    costly = Scorer(replace(scorer.model, terms=replace(scorer.model.terms, cost_per_day=1.0)), "2")

    found = explain(costly, REGULAR, JULY, offers=[VOUCHER])

    assert found.score["expected_value"] < 0
    assert found.recommended_offer is None
    (decision,) = found.what_would_change.offers
    assert not decision.contact
    assert decision.decision.startswith("do not contact: costs more to keep (")
    assert found.score["reasons"][-1].startswith("costs ")
