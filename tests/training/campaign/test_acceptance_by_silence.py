"""Acceptance by silence: what campaigns teach of each band, pooled, and kept in the offers file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serving.campaign.plan_sentences import sentences
from serving.campaign.summary import render_summary
from training.campaign.acceptance import acceptance_prior
from training.campaign.acceptance_by_silence import bands_of, learn_by_silence, pooled
from training.campaign.alternatives import as_it_is, at_budgets
from training.campaign.candidates import prices
from training.campaign.plan import CampaignPlan, plan
from training.campaign.sensitivity import same_list, tornado
from training.campaign.settings import PlanTerms
from training.offers.acceptance_band import AcceptanceBand
from training.offers.offer_files import read_offers, write_offers
from training.offers.offers import BetaPrior, Offer, OfferError

PRIOR = BetaPrior(alpha=3, beta=12)
MAIL = Offer(name="mail", contact_cost=1, incentive_cost=0, acceptance_rate=PRIOR)
TRUE = np.array([0.5, 0.4, 0.3, 0.1, -0.2])


def measured(n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """A campaign with half held out, half of whom would stay: stayed, contacted, silent days, purpose."""
    rng = np.random.default_rng(seed)
    silent = rng.integers(0, 180, n)
    contacted = rng.random(n) < 0.5
    rate = np.where(contacted, 0.5 + 0.5 * TRUE[silent // 36], 0.5)
    return rng.random(n) < rate, contacted, silent, np.full(n, "profit")


def learnt(n: int = 20_000) -> Offer:
    bands = learn_by_silence(MAIL, *measured(n), dormant_after_days=180)
    return MAIL.model_copy(
        update={"acceptance_by_silence": bands, "acceptance_before": acceptance_prior(MAIL)}
    )


def test_every_band_finds_its_own_acceptance_and_harm_is_one_of_them() -> None:
    bands = learnt().acceptance_by_silence

    assert [band.from_days for band in bands] == [0, 36, 72, 108, 144]
    assert [band.mean for band in bands] == pytest.approx(TRUE, abs=0.06)
    assert [band.harmful for band in bands] == [False, False, False, False, True]


def test_the_intervals_of_the_bands_cover_the_truth() -> None:
    found = [learn_by_silence(MAIL, *measured(2000, seed), dormant_after_days=180) for seed in range(20)]

    off = np.array(
        [[(band.mean - true) / band.deviation for band, true in zip(b, TRUE, strict=True)] for b in found]
    )
    assert np.mean(np.abs(off) < 1.645) == pytest.approx(0.9, abs=0.08)


def test_a_band_that_no_campaign_reached_is_learnt_from_the_others() -> None:
    stayed, contacted, silent, purpose = measured(20_000)
    old = silent >= 72

    bands = learn_by_silence(
        MAIL, stayed[old], contacted[old], silent[old], purpose[old], dormant_after_days=180
    )

    first, second, *reached = bands
    assert first.evidence_weight == second.evidence_weight == 0
    assert first.mean > reached[0].mean > PRIOR.mean
    assert first.deviation > 3 * reached[0].deviation


def test_two_campaigns_teach_what_one_of_both_teaches() -> None:
    one, two = measured(4000, 1), measured(4000, 2)

    first = MAIL.model_copy(
        update={
            "acceptance_by_silence": learn_by_silence(MAIL, *one, dormant_after_days=180),
            "acceptance_before": acceptance_prior(MAIL),
        }
    )
    in_turn = learn_by_silence(first, *two, dormant_after_days=180)
    at_once = learn_by_silence(
        MAIL, *(np.concatenate(pair) for pair in zip(one, two, strict=True)), dormant_after_days=180
    )

    assert [band.mean for band in in_turn] == pytest.approx([band.mean for band in at_once], abs=0.02)
    deviations = [band.deviation for band in at_once]
    assert [band.deviation for band in in_turn] == pytest.approx(deviations, rel=0.1)


def test_without_evidence_the_prior_stands_and_the_bands_may_differ() -> None:
    bands = bands_of(MAIL, 180)

    assert [band.mean for band in bands] == pytest.approx([0.2] * 5)
    assert min(band.deviation for band in bands) > np.sqrt(0.2 * 0.8 / 16)
    assert pooled(PRIOR, [0.0] * 5, [0.0] * 5).probability_negative.max() < 0.3


def test_unknown_silence_teaches_nothing_by_silence() -> None:
    stayed, contacted, silent, purpose = measured(1000)

    assert (
        learn_by_silence(MAIL, stayed, contacted, np.full(1000, np.nan), purpose, dormant_after_days=180)
        == ()
    )


def test_what_was_learnt_survives_the_offers_file(tmp_path: Path) -> None:
    offer = learnt(2000)

    write_offers([offer, MAIL.model_copy(update={"name": "other"})], tmp_path / "offers.toml")

    again, other = read_offers(tmp_path / "offers.toml")
    assert again == offer
    assert other.acceptance_by_silence == ()


def test_bands_out_of_order_are_refused(tmp_path: Path) -> None:
    band = "{ from_days = 30, mean = 0.1, deviation = 0.1, probability_negative = 0.2 }"
    (tmp_path / "offers.toml").write_text(
        f"[[offers]]\nincentive_cost = 1\nacceptance_rate = 0.2\nacceptance_by_silence = [{band}]\n"
    )

    with pytest.raises(OfferError, match="must begin at from_days = 0 and go up from band to band"):
        read_offers(tmp_path / "offers.toml")


def scored(silent: list[int], value: float = 10.0) -> pd.DataFrame:
    snapshot = pd.Timestamp("2024-07-01")
    return pd.DataFrame(
        {
            "customer_id": [f"{i:05d}" for i in range(len(silent))],
            "snapshot_date": "2024-07-01",
            "last_purchase_date": [(snapshot - pd.Timedelta(days=d)).date().isoformat() for d in silent],
            "churn_probability": 0.5,
            "value_at_stake": value,
            "spend_per_purchase": 20.0,
            "horizon_days": 90,
            "margin": 0.3,
            "dormant_after_days": 180,
        }
    )


BANDS = tuple(
    AcceptanceBand(from_days=days, mean=mean, deviation=0.05, probability_negative=negative)
    for days, mean, negative in ((0, 0.4, 0.0), (60, 0.1, 0.02), (120, -0.1, 0.97))
)
BANDED = MAIL.model_copy(update={"acceptance_by_silence": BANDS})


def test_customers_are_priced_by_the_acceptance_of_their_band() -> None:
    # .5·.4·10 − 1, .5·.1·10 − 1, .5·(−.1)·10 − 1
    assert prices(scored([59, 60, 170]), [BANDED])[0].ravel() == pytest.approx([1.0, -0.5, -1.5])


def test_whom_an_offer_drives_away_is_not_contacted_even_to_learn() -> None:
    silent = list(range(180)) * 10

    made = plan(scored(silent), [BANDED], PlanTerms(explore=0.5))

    assert set(made.contacted["purpose"]) == {"profit"}
    assert made.contacted["silent_days"].max() < 60


@pytest.fixture(scope="module")
def exploring() -> CampaignPlan:
    doubtful = BANDS[1].model_copy(update={"mean": 0.15, "deviation": 0.1})
    offer = MAIL.model_copy(update={"acceptance_by_silence": (BANDS[0], doubtful, BANDS[2])})
    return plan(scored(list(range(180)) * 10), [offer], PlanTerms(explore=0.05, budget=300))


def test_some_contacts_are_made_to_learn_within_the_budget_with_as_many_held_out(
    exploring: CampaignPlan,
) -> None:
    explorers, chosen = exploring.explorers, exploring.chosen

    # 5% of a budget of 300, a contact costing 1
    assert 1 <= len(explorers) <= 15
    assert explorers["silent_days"].between(60, 119).all()
    assert (explorers["expected_profit"] <= 0).all()
    assert chosen[chosen["purpose"] == "explore"]["held_out"].mean() == 0.5
    assert exploring.expected_cost <= 300
    assert not set(explorers["stratum"]) & set(chosen[chosen["purpose"] == "profit"]["stratum"])
    assert f"Of these contacts {len(explorers)} are made to learn" in " ".join(sentences(exploring))


def test_a_plan_stands_among_its_alternatives_without_those_it_contacts_to_learn(
    exploring: CampaignPlan,
) -> None:
    unlimited = plan(exploring.known.customers, exploring.offers, PlanTerms(explore=0.2))
    assert len(unlimited.explorers) and len(exploring.explorers)

    own, ample = as_it_is(unlimited), at_budgets(unlimited, [1e6])[0]
    within, same = as_it_is(exploring), at_budgets(exploring, [300.0])[0]

    assert (ample.contacted, ample.held_out) == (own.contacted, own.held_out)
    assert (ample.cost, ample.profit) == (pytest.approx(own.cost), pytest.approx(own.profit))
    assert ample.detectable_effect == own.detectable_effect
    assert within == same
    assert within.cost == pytest.approx(0.95 * 300, rel=0.01)  # the rest is for those made to learn


def test_without_a_holdout_or_doubt_nobody_is_contacted_to_learn() -> None:
    scores = scored(list(range(180)) * 3)

    assert plan(scores, [BANDED], PlanTerms(holdout=0, explore=0.5)).explorers.empty
    assert plan(scores, [MAIL], PlanTerms(explore=0)).explorers.empty
    assert plan(scores, [MAIL], PlanTerms(explore=0.5)).explorers.shape[0] > 0


def test_the_summary_shows_the_acceptance_of_every_band(exploring: CampaignPlan) -> None:
    assert "0.40 from day 0, 0.15 from day 60, -0.10 from day 120" in render_summary(exploring)
    assert "acceptance of mail (90% of every band)" in [swing.assumption for swing in tornado(exploring)]
    assert same_list(exploring) == []
