"""Accounts: settled by hand, intervals held against theory, and CDNOW's last snapshot."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.snapshot import ChurnWindow, Snapshot
from training.backtest.account import AVERAGE, settle
from training.backtest.policies import (
    CHAMPION,
    EVERYBODY,
    FORESIGHT,
    NOBODY,
    POLICIES,
    RANDOM,
    SIMPLER,
    Prospects,
)
from training.backtest.replay import prospects_of
from training.churn.spend import SpendModel
from training.offers.offers import Offer
from training.run import TrainingRun

VOUCHER = Offer(contact_cost=1, incentive_cost=10, acceptance_rate=0.5)
TENTH = Offer(contact_cost=1, incentive_share=0.1, acceptance_rate=0.3)


def four(churned: list[float], on: date = date(2024, 1, 1), names: str = "abcd") -> Prospects:
    """The plan contacts a and b: .9·.5·(100 − 10) − 1 − 1 = 38.5 promised; of c and d −10."""
    p = np.array([0.9, 0.9, 0.0, 0.0])
    return Prospects(
        window=ChurnWindow(Snapshot(on), 90),
        customer_id=np.array(list(names), dtype=object),
        churn_probability=p,
        p0=p,
        days_silent=np.array([90.0, 80.0, 2.0, 1.0]),
        value_at_stake=np.full(4, 100.0),
        spend_per_purchase=np.full(4, 30.0),
        churned=np.array(churned),
    )


def test_profits_are_settled_by_what_customers_did() -> None:
    account = settle([four([1, 0, 1, 0])], VOUCHER, draws=50).table.set_index(["snapshot", "policy"])
    profit = account.loc["2024-01-01", "profit"]

    # A leaver is worth .5·90 − 1 = 44, a stayer −10 − 1 = −11.
    assert profit[NOBODY] == 0
    assert profit[EVERYBODY] == 66  # 2 · 44 − 2 · 11
    assert profit[RANDOM] == 33  # half of that
    assert profit[CHAMPION] == 33  # a and b
    assert profit[FORESIGHT] == 88  # a and c
    assert account.loc[("2024-01-01", CHAMPION), "foresight_share"] == 0.375
    assert account.loc[("2024-01-01", EVERYBODY), "champion_lead"] == -33
    assert account.loc[("2024-01-01", CHAMPION), "contacted"] == 2


def test_the_average_is_over_snapshots_and_its_share_is_of_totals() -> None:
    first, second = four([1, 0, 1, 0]), four([1, 1, 0, 0], date(2024, 2, 1))

    average = settle([first, second], VOUCHER, draws=50).average()

    assert average.loc[CHAMPION, "profit"] == 60.5  # (33 + 88) / 2
    assert average.loc[CHAMPION, "foresight_share"] == 0.6875  # 121 / 176
    assert list(average.index) == list(POLICIES)


def many(seed: int = 0, n: int = 2_000) -> Prospects:
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    return Prospects(
        window=ChurnWindow(Snapshot(date(2024, 1, 1)), 90),
        customer_id=np.arange(n).astype(str).astype(object),
        churn_probability=p,
        p0=np.clip(p + 0.3 * rng.standard_normal(n), 0, 1),
        days_silent=rng.integers(1, 180, n).astype(float),
        value_at_stake=rng.gamma(2.0, 30.0, n),
        spend_per_purchase=np.full(n, 30.0),
        churned=(rng.random(n) < p).astype(float),
    )


def test_intervals_are_as_wide_as_theory_says() -> None:
    prospects = many()
    row = settle([prospects], VOUCHER).table.set_index("policy").query("snapshot == '2024-01-01'")

    gains = prospects.realised_profit(VOUCHER)
    width = 2 * 1.645 * np.sqrt(gains.size) * gains.std()
    found = row.loc[EVERYBODY, "profit_high"] - row.loc[EVERYBODY, "profit_low"]
    assert found == pytest.approx(width, rel=0.1)
    assert row.loc[EVERYBODY, "profit_low"] < row.loc[EVERYBODY, "profit"] < row.loc[EVERYBODY, "profit_high"]


def test_a_customer_of_two_snapshots_is_not_two_customers() -> None:
    twice = [many(), replace(many(), window=ChurnWindow(Snapshot(date(2024, 2, 1)), 90))]
    others = replace(twice[1], customer_id=np.array([f"x{i}" for i in range(2_000)], dtype=object))

    def width(prospects: list[Prospects]) -> float:
        row = settle(prospects, VOUCHER).average().loc[CHAMPION]
        return float(row["profit_high"] - row["profit_low"])

    # The same customers again tell nothing new; others would narrow it by √2.
    assert width(twice) == pytest.approx(width([twice[0]]), rel=0.1)
    assert width([twice[0], others]) == pytest.approx(width(twice) / np.sqrt(2), rel=0.1)


def test_a_calibrated_plan_beats_every_rule_and_says_so() -> None:
    account = settle([many()], VOUCHER)

    assert (account.average().loc[SIMPLER, "lead_low"] > 0).all()
    assert "more than any simpler policy" in account.verdict()
    assert 0 < account.average().loc[CHAMPION, "foresight_share"] < 1


def test_a_plan_by_noise_is_told_to_be_behind() -> None:
    prospects = replace(many(), churn_probability=np.random.default_rng(1).random(2_000))

    assert "A simpler policy earned more: BG/NBD with" in settle([prospects], VOUCHER).verdict()


def test_where_nobody_is_worth_contacting_there_is_no_share_of_foresight() -> None:
    account = settle([four([0, 0, 0, 0])], VOUCHER, draws=50)

    assert account.average().loc[FORESIGHT, "profit"] == 0
    assert np.isnan(account.average().loc[CHAMPION, "foresight_share"])
    assert account.measures["empc"].isna().all()  # nobody churned: no ranking to judge
    assert "nan" not in account.verdict()


def test_the_same_seed_gives_the_same_account() -> None:
    first, second = (settle([many()], VOUCHER, seed=3, draws=50).table for _ in range(2))

    pd.testing.assert_frame_equal(first, second)


@pytest.mark.slow
def test_on_cdnow_the_plan_earns_more_than_simpler_policies(cdnow_run: TrainingRun) -> None:
    test = cdnow_run.test
    recent = test.labelled.recent(cdnow_run.model.card.dormant_after_days)
    terms = replace(cdnow_run.model.terms, resumption=1.0)  # whoever is won back goes on as before
    prospects = prospects_of(test.labelled, test.probability, terms, SpendModel(), recent)

    account = settle([prospects], TENTH, draws=200)

    average = account.average()
    assert len(prospects.churned) == 6_055
    assert average.loc[CHAMPION, "profit_low"] > 0
    assert (average.loc[SIMPLER, "champion_lead"] > 0).all()
    assert average.loc[CHAMPION, "foresight_share"] > 0.26
    measures = account.measures.set_index("ranking").loc[CHAMPION]
    assert measures["empc"] >= measures["empc_floor"] > 0.9 * measures["empc"]
    assert list(account.table["snapshot"].unique()) == ["1998-04-01", AVERAGE]
