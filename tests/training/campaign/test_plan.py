"""Plans: who is chosen, who never is, and how much that depends on the assumptions."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.errors import StayworthError
from serving.campaign.plan_sentences import sentences
from training.campaign.alternatives import as_it_is, at_budgets, at_holdouts, budget_curve
from training.campaign.plan import CampaignPlan, plan
from training.campaign.record import CampaignRecord, record_of
from training.campaign.sensitivity import by_resumption, same_list, tornado, with_dormant
from training.campaign.settings import PlanTerms
from training.offers.allocation import allocate
from training.offers.offers import BetaPrior, Offer

VOUCHER = Offer(
    name="voucher", contact_cost=0.1, incentive_cost=5, acceptance_rate=BetaPrior(alpha=6, beta=14)
)
CALL = Offer(
    name="call", channel="phone", contact_cost=4, incentive_share=0.2, acceptance_rate=0.4, capacity=50
)


def scored(n: int, seed: int = 0) -> pd.DataFrame:
    """A scored list as 'stayworth score' writes it, ids with leading zeros."""
    rng = np.random.default_rng(seed)
    churn, rate, spend = rng.beta(3, 2, n), rng.gamma(1.2, 1.2, n) + 0.01, rng.lognormal(3.6, 0.8, n)
    stake = 0.3 * spend * rng.gamma(2, 1.2, n)
    return pd.DataFrame(
        {
            "customer_id": [f"{i:05d}" for i in range(n)],
            "snapshot_date": "2024-01-01",
            "churn_probability": churn,
            "expected_spend": rate * spend,
            "spend_per_purchase": spend,
            "expected_value": 2 * stake,
            "value_at_stake": stake,
            "value_tier": np.where(stake > 60, "high", "low"),
            "reasons": "long silence; few orders",
            "model_version": "3",
            "horizon_days": 60,
            "margin": 0.25,
            "last_purchase_date": "2023-11-20",
            "value_of_resumption": 0.4 * stake,
            "resumption": 0.5,
            "dormant_after_days": 120,
        }
    )


@pytest.fixture(scope="module")
def planned() -> CampaignPlan:
    return plan(scored(2000), [VOUCHER, CALL], PlanTerms(budget=900, max_contacts=400))


def test_limits_hold_and_no_contact_is_expected_to_lose(planned: CampaignPlan) -> None:
    contacted = planned.contacted
    for_profit = contacted[contacted["purpose"] == "profit"]

    assert planned.expected_cost <= 900
    assert len(contacted) <= 400
    assert (contacted["offer"] == "call").sum() <= 50
    assert (for_profit["expected_profit"] > 0).all()
    assert (for_profit["churn_probability"] > for_profit["break_even_probability"]).all()
    assert planned.expected_cost < planned.greatest_cost


def test_an_offer_goes_to_the_tiers_stages_and_segments_that_it_is_for_and_who_has_none_is_told_so() -> None:
    people = scored(600).assign(
        value_tier=lambda rows: np.where(rows["value_at_stake"] > 40, "vip", "low"),
        stage=np.resize(["loyal", "repeat", "first-time"], 600),
        city=np.resize(["Yazd", "Shiraz"], 600),
    )
    voucher = VOUCHER.model_copy(update={"tiers": ("low",), "stages": ("repeat",)})
    call = CALL.model_copy(update={"tiers": ("vip",), "segments": {"city": ("Yazd",)}})

    made = plan(people, [voucher, call], PlanTerms(explore=0.5))

    chosen = made.chosen
    assert set(chosen["purpose"]) == {"profit", "explore"}
    assert set(chosen["offer"]) == {"voucher", "call"}
    by_call, by_voucher = (chosen[chosen["offer"] == name] for name in ("call", "voucher"))
    assert set(by_call["value_tier"]) == {"vip"} and set(by_call["city"]) == {"Yazd"}
    assert set(by_voucher["value_tier"]) == {"low"} and set(by_voucher["stage"]) == {"repeat"}
    rest = made.not_selected
    neither = (rest["value_tier"] == "vip") & (rest["city"] == "Shiraz")
    assert (rest.loc[neither, "reason"] == "no offer is for their tier, stage or segment").all()
    assert neither.any()
    cost, profit = budget_curve(made)
    assert np.isfinite(cost).all() and (np.diff(profit) >= -1e-9).all()
    kept = made.contacted[made.contacted["purpose"] == "profit"]
    assert profit[-1] == pytest.approx(kept["expected_profit"].sum(), rel=0.2)  # but for the holdout's lot


def test_everyone_is_contacted_held_out_or_told_why_not(planned: CampaignPlan) -> None:
    ids = [frame["customer_id"] for frame in (planned.contacted, planned.held_out, planned.not_selected)]

    assert sorted(pd.concat(ids)) == sorted(scored(2000)["customer_id"])
    assert (planned.not_selected["reason"] != "").all()
    for_profit = planned.chosen[planned.chosen["purpose"] == "profit"]
    assert for_profit["held_out"].mean() == pytest.approx(0.1, abs=0.005)


def test_the_draw_depends_on_the_seed_and_not_on_the_order_of_the_list() -> None:
    terms = PlanTerms(max_contacts=200)
    shuffled = scored(600).sample(frac=1, random_state=1)

    first, again = (plan(scores, [VOUCHER], terms).held_out for scores in (scored(600), shuffled))
    other = plan(scored(600), [VOUCHER], PlanTerms(max_contacts=200, seed=8)).held_out

    assert first["customer_id"].tolist() == again["customer_id"].tolist()
    assert first["customer_id"].tolist() != other["customer_id"].tolist()


def test_the_suppressed_and_the_recently_contacted_never_appear() -> None:
    best = plan(scored(300), [VOUCHER]).chosen["customer_id"]
    past = pd.DataFrame({"customer_id": best[1:3], "contacted_on": ["2023-12-20", "2023-11-30"]})

    made = plan(scored(300), [VOUCHER], PlanTerms(cooldown_days=30), suppress=[best[0]], contacts=past)

    chosen, reasons = set(made.chosen["customer_id"]), made.not_selected.set_index("customer_id")["reason"]
    assert reasons[best[0]] == "asked not to be contacted"
    assert reasons[best[1]] == "contacted within the last 30 days"
    assert best[2] in chosen  # a month and two days ago


def test_treat_nobody_where_nothing_pays() -> None:
    dear = Offer(name="dear", contact_cost=1e6, incentive_cost=0, acceptance_rate=0.5)

    made = plan(scored(50), [dear])

    assert made.chosen.empty
    assert sentences(made) == ["Treat nobody: no offer is worth its cost for anybody."]


def test_an_effect_to_see_sizes_the_holdout() -> None:
    made = plan(scored(2000), [VOUCHER], PlanTerms(effect=0.08))

    assert made.detectable_effect <= 0.0805
    assert 0.1 < made.holdout_share < 0.5


def test_an_effect_out_of_reach_says_what_is_in_reach() -> None:
    with pytest.raises(StayworthError, match="even a holdout of half can only detect effects of"):
        plan(scored(300), [VOUCHER], PlanTerms(effect=0.01))


def test_the_summary_warns_of_a_campaign_too_small_to_learn_from() -> None:
    weak = Offer(name="mail", contact_cost=0.01, incentive_cost=0, acceptance_rate=0.05)

    said = " ".join(sentences(plan(scored(1000), [weak])))

    assert "this campaign can only detect effects of" in said
    assert "So it will probably not show whether it worked." in said


def test_the_profit_interval_covers_nine_plans_in_ten() -> None:
    made = plan(scored(800), [VOUCHER], PlanTerms(holdout=0))
    part, rng = made.contacted, np.random.default_rng(5)
    p, value = part["churn_probability"].to_numpy(), part["value_at_stake"].to_numpy()

    profits = []
    for _ in range(2000):
        leaves = rng.random(len(p)) < p
        accepts = leaves & (rng.random(len(p)) < rng.beta(6, 14))
        profits.append((accepts * (value - 5) - 5.0 * ~leaves - 0.1).sum())

    low, high = made.profit_interval()
    assert np.mean((low <= np.array(profits)) & (np.array(profits) <= high)) == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.drop(columns="value_at_stake"), "no column 'value_at_stake'"),
        (lambda s: pd.concat([s, s.head(2)]), "2 customers are in the scored list more than once"),
        (lambda s: s.rename(columns={"value_at_stake": "Value at stake"}), "Rename 'Value at stake'"),
        (lambda s: s.rename(columns=str.upper), "Rename 'CUSTOMER_ID'"),
        (lambda s: s.assign(churn_probability=100 * s["churn_probability"]), "cells outside 0 to 1"),
        (
            lambda s: s.assign(snapshot_date=["1998-01-01", *s["snapshot_date"][1:]]),
            "is of 2 snapshots, such as 1998-01-01 and",
        ),
        (lambda s: s.assign(margin=30.0), "margin is 30; it must be above 0 and at most 1"),
        (lambda s: s.assign(margin=0.0), "margin is 0; it must be above 0"),
        (
            lambda s: s.assign(spend_per_purchase=[-5.0, *s["spend_per_purchase"][1:]]),
            "'spend_per_purchase' of the scored list holds 1 cell below 0, such as -5",
        ),
        (lambda s: s.head(0), "nobody to contact"),
        (lambda s: s.drop(columns="spend_per_purchase"), "'call' is a share of the spend per purchase"),
    ],
)
def test_a_list_that_cannot_be_planned_from_is_refused(change: object, message: str) -> None:
    with pytest.raises(StayworthError, match=message):
        plan(change(scored(20)), [VOUCHER, CALL])  # type: ignore[operator]


def test_horizon_and_margin_are_those_of_the_scores() -> None:
    made = plan(scored(20), [VOUCHER])

    assert (made.horizon_days, made.margin) == (60, 0.25)


def test_a_list_that_does_not_state_its_horizon_and_margin_needs_them_given() -> None:
    bare = scored(20).drop(columns=["horizon_days", "margin"])

    made = plan(bare, [VOUCHER], horizon_days=30, margin=0.5)

    assert (made.horizon_days, made.margin) == (30, 0.5)
    with pytest.raises(StayworthError, match=r"does not state horizon_days: .* or give --horizon-days"):
        plan(bare, [VOUCHER], margin=0.5)
    with pytest.raises(StayworthError, match=r"does not state margin: .* or give --margin"):
        plan(bare.assign(margin=""), [VOUCHER], horizon_days=30)


def test_what_contradicts_the_scores_is_refused_with_both_values() -> None:
    with pytest.raises(StayworthError, match="--horizon-days 90 contradicts .* whose horizon_days is 60"):
        plan(scored(20), [VOUCHER], horizon_days=90)
    with pytest.raises(StayworthError, match=r"--margin 0.3 contradicts .* whose margin is 0.25"):
        plan(scored(20), [VOUCHER], margin=0.3)

    assert plan(scored(20), [VOUCHER], horizon_days=60, margin=0.25).horizon_days == 60


def test_a_list_of_two_models_is_refused() -> None:
    mixed = scored(20)
    mixed.loc[0, "horizon_days"] = 90

    with pytest.raises(StayworthError, match="has 2 values of horizon_days, e.g. 90 and 60"):
        plan(mixed, [VOUCHER])


def test_the_sensitivity_surrounds_the_plan(planned: CampaignPlan) -> None:
    swings, ranges = tornado(planned), {each.offer: each for each in same_list(planned)}
    cost, profit = budget_curve(planned)

    assert all(min(s.low_profit, s.high_profit) <= planned.expected_profit + 1e-6 for s in swings)
    assert "acceptance of voucher" in " ".join(swing.assumption for swing in swings)
    assert ranges["voucher"].low <= 0.3 <= ranges["voucher"].high
    assert (np.diff(cost) >= -1e-9).all()
    assert (np.diff(profit) >= -1e-6).all()


COSTS = {"cost_per_order": 2.0, "cost_per_day": 0.05, "bad_debt_rate": 0.0, "inactivity_days": 120}


def with_losses() -> pd.DataFrame:
    """A scored list net of costs, a quarter of whose customers cost more than they bring, whatever is at stake."""
    scores = scored(400).assign(**COSTS)
    return scores.assign(expected_value=scores["expected_value"].where(scores.index % 4 > 0, -3.5))


def test_customers_who_cost_more_than_they_bring_are_left_alone_unless_asked_for() -> None:
    made = plan(with_losses(), [VOUCHER])
    asked = plan(with_losses(), [VOUCHER], PlanTerms(allow_loss_makers=True))

    reasons = made.not_selected["reason"].value_counts()
    assert reasons["costs more than they bring: expected value below 0"] == 100
    assert (made.chosen["expected_value"] >= 0).all()
    lost = int((asked.contacted["expected_value"] < 0).sum())
    assert lost > 0
    assert (asked.contacted.query("purpose == 'profit'")["expected_profit"] > 0).all()
    said, said_of_asked = " ".join(sentences(made)), " ".join(sentences(asked))
    assert "Left out: 100 customers who cost more than they bring: -350.00 in all" in said
    assert "net of what customers cost: 2.00 per order, 0.05 per day until 120 days after" in said
    assert f"Of the contacted {lost} cost more than they bring." in said_of_asked


def test_costs_that_contradict_the_scores_are_refused_with_both_values() -> None:
    assert plan(with_losses(), [VOUCHER], costs={"cost_per_order": 2}).costs == COSTS
    with pytest.raises(StayworthError, match="--cost-per-order 3 contradicts .* whose cost_per_order is 2"):
        plan(with_losses(), [VOUCHER], costs={"cost_per_order": 3})
    with pytest.raises(StayworthError, match="--cost-per-order 3: the scored list does not say"):
        plan(scored(20), [VOUCHER], costs={"cost_per_order": 3})


def test_the_record_of_a_plan_keeps_what_customers_cost() -> None:
    record = record_of(plan(with_losses(), [VOUCHER]))

    assert record.costs == COSTS
    assert CampaignRecord.from_dict(record.to_dict()) == record


def test_one_chosen_customer_is_contacted_and_the_effect_cannot_be_measured() -> None:
    for explore in (0.0, 0.05, 0.5):
        made = plan(scored(300), [VOUCHER], PlanTerms(max_contacts=1, explore=explore))

        assert (len(made.contacted), len(made.held_out)) == (1, 0)
        assert set(made.contacted["purpose"]) == {"profit"}
        assert any("effect of this campaign can't be measured" in each for each in sentences(made))


@pytest.mark.parametrize("seed", range(8))
def test_contacts_made_to_learn_keep_within_the_budget_whoever_of_them_is_held_out(seed: int) -> None:
    voucher = Offer(
        name="half off", contact_cost=0.1, incentive_share=0.5, acceptance_rate=BetaPrior(alpha=2, beta=8)
    )

    made = plan(scored(600), [voucher], PlanTerms(budget=200, explore=0.5, seed=seed))

    contacted = made.contacted
    assert (contacted["purpose"] == "explore").sum() >= 3
    assert contacted["expected_cost"].sum() <= 200 + 1e-9


def test_an_acceptance_of_zero_is_certain_and_not_explored() -> None:
    useless = VOUCHER.model_copy(update={"acceptance_rate": 0.0, "contact_cost": 0.5})

    made = plan(scored(2000), [useless], PlanTerms(explore=0.5))

    assert made.chosen.empty
    assert made.expected_profit == 0


def test_a_budget_for_one_contact_goes_to_a_profitable_one() -> None:
    best = plan(scored(300), [VOUCHER], PlanTerms(max_contacts=1, explore=0)).contacted.iloc[0]
    alone = scored(300).query("customer_id == @best.customer_id")

    made = plan(alone, [VOUCHER], PlanTerms(budget=best["expected_cost"] * 1.001, explore=0.05))

    assert made.contacted["purpose"].tolist() == ["profit"]


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"hold_days": 100_000_000_000}, "less than or equal to 3650"),
        ({"cooldown_days": 100_000_000_000}, "less than or equal to 3650"),
        ({"seed": -1}, "greater than or equal to 0"),
        ({"starts_on": "9999-12-31"}, "less than or equal to 2100-01-01"),
    ],
)
def test_terms_out_of_all_bounds_are_refused(terms: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PlanTerms.model_validate(terms)


def test_a_campaign_long_after_the_scores_is_warned_of() -> None:
    late = plan(scored(20), [VOUCHER], PlanTerms(starts_on=date(2025, 1, 2)))
    soon = plan(scored(20), [VOUCHER], PlanTerms(starts_on=date(2024, 12, 31)))

    assert sentences(late)[0].startswith(
        "Warning: The campaign starts on 2025-01-02, 367 days from the scores' "
    )
    assert not any("Warning" in each for each in sentences(soon))


@pytest.mark.parametrize("rate", [{"alpha": 1e308, "beta": 1e308}, {"alpha": 1, "beta": 1e13}])
def test_an_acceptance_worth_more_customers_than_there_are_is_refused(rate: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="less than or equal to 1000000000000"):
        BetaPrior(**rate)


def test_other_budgets_fit_the_plan_that_they_stand_beside_though_they_come_from_a_sample() -> None:
    made = plan(scored(7000), [VOUCHER], PlanTerms(budget=9000))
    expected = 0.9 * made.for_profit[["expected_cost", "expected_profit"]].sum()

    half, same, twice = at_budgets(made, [4500, 9000, 18000])

    assert same == as_it_is(made)
    assert (same.contacted, same.held_out) == (3132, 348)
    assert [same.cost, same.profit] == pytest.approx(list(expected))
    assert half.profit < same.profit < twice.profit


@pytest.mark.parametrize("explore", [0.0, 0.05])
def test_a_plan_and_its_alternatives_are_what_is_expected_before_the_draw(explore: float) -> None:
    terms = PlanTerms(budget=300, holdout=0.2, explore=explore)
    drawn = [
        plan(scored(400), [VOUCHER], terms.model_copy(update={"seed": seed, "holdout": share}))
        for seed in range(40)
        for share in (0.2, 0.4)
    ]
    of_20, of_40 = drawn[::2], drawn[1::2]

    rows = {as_it_is(each) for each in of_20}
    other = at_holdouts(of_20[0], [0.4])[0]

    assert len({each.expected_profit for each in of_20}) > 30  # a lot each
    assert (
        rows == {as_it_is(of_20[0])} == set(at_holdouts(of_40[0], [0.2])) == set(at_budgets(of_20[0], [300]))
    )
    for row, plans in ((as_it_is(of_20[0]), of_20), (other, of_40)):
        paid = [each.contacts[~each.contacts["explores"]]["expected_profit"].sum() for each in plans]
        assert row.profit == pytest.approx(np.mean(paid), rel=0.05)


def test_what_a_sample_lacks_is_found_once_for_a_curve_and_the_alternatives_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[float | None] = []
    made = plan(scored(7000), [VOUCHER], PlanTerms(budget=9000))
    budget_curve(made)

    def counted(*money: Any, budget: float | None, **limits: Any) -> Any:
        asked.append(budget)
        return allocate(*money, budget=budget, **limits)

    monkeypatch.setattr("training.campaign.alternatives.allocate", counted)

    budget_curve(made)
    at_budgets(made, [4500])
    at_holdouts(made, [0.2])
    at_budgets(made, [4500])
    as_it_is(made)

    assert len(asked) == 2


def test_where_everybody_is_left_alone_other_limits_bring_nothing() -> None:
    everybody = scored(20)
    made = plan(everybody, [VOUCHER], PlanTerms(), suppress=set(everybody["customer_id"]))

    cost, profit = budget_curve(made)

    assert not cost.any() and not profit.any()
    assert [each.contacted for each in (*at_budgets(made, [50]), *at_holdouts(made, [0.2]))] == [0, 0]
    assert {each.contacts_if_planned for each in by_resumption(made)} == {0}
    assert with_dormant(made) is None
