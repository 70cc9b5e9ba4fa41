"""Measuring: a hand-made campaign to the cent, and simulated ones with a known truth."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from features.errors import StayworthError, WindowError
from features.language import use_language
from features.log.transactions import TransactionLog
from features.log.validation import validate
from serving.campaign.findings import UPDATED_OFFERS, write_findings
from training.campaign.assignment import Assignment
from training.campaign.measurement import measure
from training.campaign.measurement_record import MeasurementRecord
from training.campaign.plan import CampaignPlan, plan
from training.campaign.pooling import pool_campaigns
from training.campaign.record import record_of
from training.campaign.settings import MeasureTerms, PlanTerms
from training.offers.offer_files import read_offers
from training.offers.offers import BetaPrior, Offer

START = date(2024, 1, 1)
VOUCHER = Offer(name="voucher", contact_cost=1, incentive_cost=4, acceptance_rate=BetaPrior(alpha=2, beta=4))


def hand_made(offer: Offer = VOUCHER, horizon_days: int = 90) -> Assignment:
    """Two contacted (c1 buys, c2 does not), two held out (h1 buys, h2 does not)."""
    customers = pd.DataFrame(
        {
            "customer_id": ["c1", "c2", "h1", "h2"],
            "contacted": [True, True, False, False],
            "offer": "voucher",
            "value_tier": "high",
            "churn_probability": 0.5,
            "value_at_stake": 100.0,
            "expected_spend": 10.0,
            "expected_value": 50.0,
            "expected_profit": 5.0,
            "expected_cost": 3.0,
            "incentive_cost": 4.0,
            "stratum": 0,
        }
    )
    scores = customers.assign(snapshot_date=START.isoformat(), horizon_days=horizon_days, margin=0.5)
    return Assignment(customers, record_of(plan(scores, [offer], PlanTerms(holdout=0.5))))


def orders(*rows: tuple[str, date, float]) -> TransactionLog:
    return validate(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))


LOG = orders(
    ("c1", date(2023, 12, 31), 99),  # the day before: not the campaign's doing
    ("c1", date(2024, 1, 11), 40),
    ("c1", date(2024, 1, 11), 20),  # the same day: one order
    ("c1", date(2024, 2, 10), -10),
    ("h1", date(2024, 1, 31), 30),
    ("c2", date(2024, 3, 31), 77),  # the first day after the window of 90 days
)


def test_a_hand_made_campaign_to_the_cent() -> None:
    found = measure(hand_made(), LOG)

    # Margins: c1 .5·(40 + 20 − 10) = 25, h1 15. Costs: 1 each, and c1's voucher of 4.
    assert (found.start, found.end) == (START, date(2024, 3, 31))
    assert found.effects["all", "retention"].difference == 0
    assert found.effects["all", "orders"].contacted == 0.5
    assert found.effects["all", "margin"].difference == pytest.approx(12.5 - 7.5)
    assert found.cost == 6
    assert found.effects["all", "profit"].difference == pytest.approx((25 - 5 - 1) / 2 - 7.5)
    assert found.incremental_profit.difference == pytest.approx(2 * 2.0)
    # c1 after 10 days, c2 not within 90; h1 after 30, h2 not.
    assert found.effects["all", "delay_days"].difference == pytest.approx(50 - 60)


def test_a_plan_net_of_costs_is_measured_net_of_them() -> None:
    gross = hand_made()
    costs = {"cost_per_order": 2.0, "cost_per_day": 0.1, "bad_debt_rate": 0.05, "inactivity_days": 30.0}
    customers = gross.customers.assign(silent_days=[1.0, np.nan, np.nan, 20.0])
    net = Assignment(customers, gross.record.model_copy(update={"costs": costs}))

    found = measure(net, LOG)

    # c1: 25 − 2 − .05·50 − .1·(10 + 30) = 16.5, active from 31 December on; h1: 15 − 2 − .05·30 − .1·30 = 8.5;
    # h2, who bought 20 days before the start, is active for 10 days more: −1
    assert found.effects["all", "margin"].contacted == pytest.approx(16.5 / 2)
    assert found.effects["all", "margin"].holdout == pytest.approx((8.5 - 1) / 2)
    assert found.effects["all", "profit"].difference == pytest.approx((16.5 - 5 - 1) / 2 - 7.5 / 2)
    assert any("net of what customers cost" in note for note in found.notes)


def test_who_redeemed_is_counted_where_it_is_known() -> None:
    found = measure(hand_made(), LOG, redeemed=[])

    assert found.cost == 2
    assert not any("assumed" in note for note in found.notes)
    assert found.offers[0].redemption_rate == 0


def test_a_holdout_that_redeemed_is_said() -> None:
    found = measure(hand_made(), LOG, redeemed=["h1", "c1"])

    assert "1 held-out customer has redeemed the incentive" in " ".join(found.notes)


def test_a_discount_already_in_the_amounts_is_not_subtracted_again() -> None:
    discount = VOUCHER.model_copy(update={"incentive_in_amounts": True})

    assert measure(hand_made(discount), LOG).cost == 2


def test_a_margin_column_beats_the_assumed_rate() -> None:
    raw = pd.DataFrame(
        {
            "customer_id": ["c1", "h1", "x"],
            "ordered_at": [START, START, date(2024, 4, 30)],
            "amount": [100, 100, 1],
            "margin": [9, 4, 1],
        }
    )

    assert measure(hand_made(), validate(raw)).effects["all", "margin"].difference == pytest.approx(2.5)


def test_an_unfinished_window_warns_and_teaches_no_acceptance() -> None:
    found = measure(hand_made(), LOG, MeasureTerms(until=date(2024, 2, 1)))

    assert "Only 31 of 90 days have passed" in found.notes[0]
    assert found.updates == {}
    assert found.offers == (VOUCHER,)
    assert found.power == ()


def test_a_look_before_the_end_holds_at_every_look(simulate: Callable[..., Simulated]) -> None:
    _, assignment, log = simulate(acceptance=0.0, seed=3)

    early = measure(assignment, log, MeasureTerms(until=START + timedelta(days=28)))

    one_look = stats.norm.ppf(0.95) * early.primary.standard_error
    assert early.primary.high - early.primary.low > 3 * one_look  # twice that would be one look's
    assert early.primary.confidence == 0.9
    assert early.verdict().startswith("No verdict yet, after 28 of 90 days: the share who bought differs by ")
    assert "(90%, at whatever day one looks: " in early.verdict()
    assert early.verdict().endswith("The window closes on 2024-03-31.")


def test_a_great_effect_shows_early(simulate: Callable[..., Simulated]) -> None:
    _, assignment, log = simulate(acceptance=0.6)

    said = measure(assignment, log, MeasureTerms(until=START + timedelta(days=60))).verdict()

    assert said.startswith("After 60 of 90 days the campaign has raised the share who bought by ")


def test_the_power_is_told_for_retention_and_for_profit(simulate: Callable[..., Simulated]) -> None:
    _, assignment, log = simulate(acceptance=0.3)

    found = measure(assignment, log)

    power = {each.measure: each for each in found.power}
    # 3,000 customers, a fifth held out: 2.486² · q(1 − q) / (.2 · .8) / effect², q near .4 and .3 · .6 expected
    assert power["retention"].customers == pytest.approx(2.486**2 * 0.24 / 0.16 / 0.18**2, rel=0.5)
    assert power["profit"].customers > power["retention"].customers


def test_campaigns_pooled_are_surer_than_each(simulate: Callable[..., Simulated]) -> None:
    found = [measure(*simulate(acceptance=0.3, seed=seed)[1:]) for seed in (1, 2)]

    pooled = pool_campaigns(found)

    stay = pooled.effects["retention"].effect
    assert min(each.primary.difference for each in found) <= stay.difference
    assert stay.difference <= max(each.primary.difference for each in found)
    assert stay.standard_error < min(each.primary.standard_error for each in found)
    assert pooled.profit.difference == pytest.approx(
        sum(each.incremental_profit.difference for each in found)
    )


def test_a_campaign_that_still_runs_is_not_pooled(simulate: Callable[..., Simulated]) -> None:
    _, assignment, log = simulate(acceptance=0.3)
    early = measure(assignment, log, MeasureTerms(until=START + timedelta(days=28)))

    with pytest.raises(StayworthError, match="has been measured for 28 of 90 days"):
        pool_campaigns([early, early])


@pytest.mark.parametrize(
    ("log", "until", "message"),
    [
        (
            orders(("c1", date(2023, 12, 1), 5)),
            None,
            "campaign starts 2024-01-01 but the log ends 2023-12-01",
        ),
        (LOG, date(2024, 5, 1), "Use --until 2024-04-01 or earlier"),
        (LOG, START, "is not after the campaign's start"),
    ],
)
def test_a_period_that_the_log_cannot_show_is_refused(
    log: TransactionLog, until: date | None, message: str
) -> None:
    with pytest.raises(WindowError, match=message):
        measure(hand_made(), log, MeasureTerms(until=until))


Simulated = tuple[CampaignPlan, Assignment, TransactionLog]


@pytest.fixture(scope="module")
def simulate() -> Callable[..., Simulated]:
    """A campaign of 3,000 whose offer truly keeps a given share of the would-be leavers."""

    def run(acceptance: float, seed: int = 1) -> Simulated:
        rng = np.random.default_rng(seed)
        n = 3000
        churn, rate, spend = rng.beta(3, 2, n), rng.gamma(2, 1, n), rng.lognormal(3, 0.8, n)
        scores = pd.DataFrame(
            {
                "customer_id": [f"{i:04d}" for i in range(n)],
                "snapshot_date": START.isoformat(),
                "churn_probability": churn,
                "value_at_stake": 5 * spend,
                "expected_value": 3 * spend,
                "value_tier": np.where(spend > 20, "high", "low"),
                "horizon_days": 90,
                "margin": 0.3,
            }
        )
        made = plan(scores, [VOUCHER], PlanTerms(holdout=0.2))
        contacted = np.isin(scores["customer_id"], made.contacted["customer_id"])
        leaves = rng.random(n) < churn
        saved = leaves & contacted & (rng.random(n) < acceptance)
        count = np.where(leaves, saved, 1 + rng.poisson(rate))
        before = rng.poisson(rate)
        who, past = np.repeat(np.arange(n), count), np.repeat(np.arange(n), before)
        days = np.concatenate([rng.integers(0, 90, who.size), -rng.integers(1, 300, past.size), [95]])
        everyone = np.concatenate([who, past, [0]])
        log = pd.DataFrame(
            {
                "customer_id": scores["customer_id"].to_numpy()[everyone],
                "ordered_at": [START + timedelta(days=int(day)) for day in days],
                "amount": np.round(spend[everyone] * rng.lognormal(0, 0.4, everyone.size), 2),
            }
        )
        columns = ["expected_spend", "expected_value", "expected_profit", "expected_cost", "incentive_cost"]
        chosen = made.chosen.assign(contacted=lambda t: ~t["held_out"])
        assert set(columns) <= set(chosen.columns)
        return made, Assignment(chosen, record_of(made)), validate(log)

    return run


def test_the_known_effect_and_acceptance_are_found(simulate: Callable[..., Simulated]) -> None:
    made, assignment, log = simulate(acceptance=0.3)

    found = measure(assignment, log)

    truth = 0.3 * made.contacted["churn_probability"].mean()
    assert found.primary.low < truth < found.primary.high
    low, high = found.updates["voucher"].posterior.interval(0.98)
    assert low < 0.3 < high
    assert found.verdict().startswith("The campaign raised the share who bought by")
    assert {group for group, _ in found.effects} == {"all", "offer voucher", "tier high", "tier low"}


def test_what_was_learned_is_written_for_the_next_plan(
    simulate: Callable[..., Simulated], tmp_path: Path
) -> None:
    _, assignment, log = simulate(acceptance=0.3)
    found = measure(assignment, log)

    write_findings(found, tmp_path)

    (learned,) = read_offers(tmp_path / UPDATED_OFFERS)
    assert isinstance(learned.acceptance_rate, BetaPrior)
    assert learned.acceptance_rate.customers > VOUCHER.acceptance_rate.customers  # type: ignore[union-attr]
    record = json.loads((tmp_path / "measured.json").read_text(encoding="utf-8"))
    assert record["verdict"] == found.verdict()
    assert MeasurementRecord.from_dict(record) == MeasurementRecord.of(found)
    assert len((tmp_path / "measured.csv").read_text(encoding="utf-8").splitlines()) == 1 + len(found.effects)


def test_the_page_of_a_measurement_shows_the_verdict_and_every_group_in_the_reader_s_language(
    simulate: Callable[..., Simulated], tmp_path: Path
) -> None:
    _, assignment, log = simulate(acceptance=0.3)
    found = measure(assignment, log)

    with use_language("fa"):
        write_findings(found, tmp_path)
    write_findings(found, tmp_path / "english")

    persian, page = (
        (folder / "measured.html").read_text(encoding="utf-8") for folder in (tmp_path, tmp_path / "english")
    )
    assert '<html lang="fa" dir="rtl">' in persian
    assert all(text in persian for text in ("همه مشتریان", "پیشنهاد: ", "سود به ازای هر مشتری"))
    assert found.verdict() in page
    kept = found.effects["all", "future_profit"]
    profit = f"{kept.n_contacted * kept.difference:+,.2f}"
    assert found.measured_profit.difference == pytest.approx(kept.n_contacted * kept.difference)
    assert re.search(
        rf"{re.escape(profit)}</b><span>measured profit, at the plan&#39;s value of those kept", page
    )
    assert f"The measured profit is {profit} (90%: " in page
    assert "سود سنجیده‌شده، به ارزش برنامه" in persian
    assert all(
        f"<h2>{name}</h2>" in page for name in ("All customers", "Offer: voucher", "Tier: high", "Tier: low")
    )
    assert "src=" not in page  # nothing to load from elsewhere
    assert (tmp_path / "measured.html").stat().st_mode & 0o777 == 0o600


def test_a_campaign_that_did_nothing_says_that_it_cannot_tell(simulate: Callable[..., Simulated]) -> None:
    _, assignment, log = simulate(acceptance=0.0, seed=3)

    found = measure(assignment, log)

    assert not found.primary.conclusive
    assert found.verdict().startswith("The data can't tell yet")
    assert found.incremental_profit.high > 0 > found.incremental_profit.low or found.cost > 0
