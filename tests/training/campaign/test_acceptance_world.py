"""A world whose customers accept the less, the longer they have been silent: what repeated campaigns earn there.

Acceptance is ½ on the day of a purchase and halves every so many days of silence. Campaign after campaign is planned,
carried out and learnt from; what counts is the true profit of whom the next plan would contact, beside that of one
acceptance rate for all and of bands whose acceptance is known.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from features.log.transactions import TransactionLog
from training.campaign.acceptance import acceptance_prior, update_acceptance
from training.campaign.acceptance_by_silence import BANDS, learn_by_silence
from training.campaign.candidates import scored_customers
from training.campaign.plan import CampaignPlan, plan
from training.campaign.settings import PlanTerms
from training.offers.acceptance_band import AcceptanceBand
from training.offers.offer_profit import offer_profit
from training.offers.offers import BetaPrior, Offer
from training.run import TrainingRun

VOUCHER = Offer(
    name="10% voucher",
    contact_cost=0.5,
    incentive_share=0.1,
    acceptance_rate=BetaPrior(alpha=3, beta=12),
)
ONLY_PROFIT = PlanTerms(holdout=0)
DORMANCY = 180

Learner = Callable[[Offer, CampaignPlan, np.ndarray], Offer]


def by_silence(offer: Offer, made: CampaignPlan, stayed: np.ndarray) -> Offer:
    chosen = made.chosen
    bands = learn_by_silence(
        offer,
        stayed,
        ~chosen["held_out"],
        chosen["silent_days"],
        chosen["purpose"],
        dormant_after_days=DORMANCY,
    )
    before = offer.acceptance_before or acceptance_prior(offer)
    return offer.model_copy(update={"acceptance_by_silence": bands, "acceptance_before": before})


def one_number(offer: Offer, made: CampaignPlan, stayed: np.ndarray) -> Offer:
    chosen = made.chosen
    update = update_acceptance(acceptance_prior(offer), stayed, ~chosen["held_out"], chosen["stratum"])
    return offer.accepting(update.posterior)


class World:
    """Scored customers, and the acceptance that nobody knows."""

    def __init__(self, scores: pd.DataFrame, half_life: float) -> None:
        self.scores = scores
        self.customers = scored_customers(scores).set_index("customer_id")
        self.acceptance = 0.5 * 0.5 ** (self.customers["silent_days"] / half_life)
        p, value = self.customers["churn_probability"], self.customers["value_at_stake"]
        spend = self.customers["spend_per_purchase"]
        none, all_ = (offer_profit(p, value, VOUCHER.accepting(rate), spend) for rate in (0.0, 1.0))
        self.profit = pd.Series(none + self.acceptance * (all_ - none), self.customers.index)

    def earned_by(self, offer: Offer) -> float:
        """The true profit of whom a plan with this offer would contact."""
        return float(self.profit[plan(self.scores, [offer], ONLY_PROFIT).contacted["customer_id"]].sum())

    def earned_by_known_bands(self) -> float:
        """The true profit of a plan that knows the mean acceptance of the would-be leavers of each band."""
        p, width = self.customers["churn_probability"], DORMANCY / BANDS
        place = np.minimum(self.customers["silent_days"] // width, BANDS - 1)
        known = {"deviation": 1e-3, "probability_negative": 0.0}
        bands = tuple(
            AcceptanceBand(
                from_days=number * width,
                mean=(p * self.acceptance)[place == number].sum() / p[place == number].sum(),
                **known,
            )
            for number in range(BANDS)
        )
        return self.earned_by(VOUCHER.model_copy(update={"acceptance_by_silence": bands}))

    def campaign(self, made: CampaignPlan, rng: np.random.Generator) -> np.ndarray:
        """Who of the chosen stays."""
        chosen = made.chosen
        p, rate = chosen["churn_probability"].to_numpy(), self.acceptance[chosen["customer_id"]].to_numpy()
        kept = ~chosen["held_out"].to_numpy() & (rng.random(len(chosen)) < rate)
        return (rng.random(len(chosen)) >= p) | kept

    def after(self, campaigns: int, learn: Learner, explore: float, seed: int) -> Offer:
        """The offer as so many campaigns have taught it."""
        offer, rng = VOUCHER, np.random.default_rng(seed)
        for number in range(campaigns):
            terms = PlanTerms(explore=explore, seed=1000 * seed + number)
            made = plan(self.scores, [offer], terms)
            if len(made.contacted) < 2 or len(made.held_out) < 2:
                break
            offer = learn(offer, made, self.campaign(made, rng))
        return offer

    def mean_profit(self, campaigns: int, learn: Learner, explore: float, seeds: int) -> float:
        offers = [self.after(campaigns, learn, explore, seed) for seed in range(seeds)]
        return float(np.mean([self.earned_by(offer) for offer in offers]))


def shop(n: int = 6000) -> pd.DataFrame:
    """Customers silent for up to 180 days, riskier the longer they are, worth a sixth of a purchase on average."""
    rng = np.random.default_rng(0)
    silent = rng.integers(1, DORMANCY + 1, n)
    risk = 1 / (1 + np.exp(-(0.2 + silent / 120 + rng.normal(0, 0.8, n))))
    spend = rng.lognormal(3.4, 0.5, n)
    return pd.DataFrame(
        {
            "customer_id": [f"{i:05d}" for i in range(n)],
            "snapshot_date": "2024-07-01",
            "last_purchase_date": (pd.Timestamp("2024-07-01") - pd.to_timedelta(silent, "D")).strftime(
                "%Y-%m-%d"
            ),
            "churn_probability": risk,
            "value_at_stake": spend * rng.gamma(1.5, 0.11, n),
            "spend_per_purchase": spend,
            "horizon_days": 90,
            "margin": 0.3,
            "dormant_after_days": DORMANCY,
        }
    )


@pytest.mark.slow
def test_bands_of_silence_earn_what_one_acceptance_rate_for_all_does_not() -> None:
    world = World(shop(), half_life=60)

    learnt = world.mean_profit(5, by_silence, explore=0.05, seeds=2)
    for_all = world.mean_profit(5, one_number, explore=0.0, seeds=1)

    known = world.earned_by_known_bands()
    assert learnt > 0.7 * known
    assert for_all < 0.5 * known


@pytest.mark.soak
@pytest.mark.parametrize(("half_life", "least"), [(60, 0.8), (90, 0.85), (30, 0.2)])
def test_on_a_real_list_a_dozen_campaigns_learn_most_of_what_known_bands_earn(
    cdnow_run: TrainingRun, cdnow_log: TransactionLog, half_life: float, least: float
) -> None:
    scores = cdnow_run.model.predict(cdnow_log)
    silent = pd.to_datetime(scores["snapshot_date"]) - pd.to_datetime(scores["last_purchase_date"])
    world = World(scores[silent <= pd.Timedelta(days=DORMANCY)], half_life)

    learnt = world.mean_profit(12, by_silence, explore=0.05, seeds=16)
    for_all = world.mean_profit(12, one_number, explore=0.0, seeds=2)

    known = world.earned_by_known_bands()
    print(
        f"half-life {half_life:g}: learnt {learnt:,.0f}, one number {for_all:,.0f}, known bands {known:,.0f}"
    )  # noqa: T201
    assert learnt > least * known
    assert learnt > 1.2 * for_all
