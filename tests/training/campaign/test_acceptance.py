"""Acceptance: recovered from simulated campaigns, and kept where a campaign cannot teach it."""

from __future__ import annotations

import numpy as np
import pytest

from training.campaign.acceptance import acceptance_prior, update_acceptance
from training.campaign.holdout import draw_holdout, stratify
from training.offers.offers import BetaPrior, Offer

FLAT = BetaPrior(alpha=1, beta=1)


def _campaign(seed: int, n: int, acceptance: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    churn = 1 / (1 + np.exp(-rng.normal(0.7, 1, n)))
    strata = stratify(np.zeros(n), rng.lognormal(size=n), churn, 0.1)
    held_out = draw_holdout(strata, np.zeros(n), 0.1, seed)
    stayed = (rng.random(n) > churn) | (~held_out & (rng.random(n) < acceptance))
    return stayed, ~held_out, strata


def test_the_known_acceptance_is_found_and_covered() -> None:
    updates = [update_acceptance(FLAT, *_campaign(seed, 3000, 0.25)) for seed in range(25)]

    means = [update.posterior.mean for update in updates]
    covered = [low <= 0.25 <= high for low, high in (update.posterior.interval() for update in updates)]
    assert np.mean(means) == pytest.approx(0.25, abs=0.015)
    assert np.mean(covered) >= 0.72  # 90% of 25, less three standard errors


def test_more_customers_teach_more() -> None:
    small, large = (update_acceptance(FLAT, *_campaign(1, n, 0.25)).posterior for n in (500, 20_000))

    assert large.customers > 5 * small.customers


def test_nobody_held_out_in_a_stratum_teaches_nothing_there() -> None:
    prior = BetaPrior(alpha=6, beta=14)
    stayed, contacted = np.array([1, 0, 1, 0, 1, 1]), np.array([1, 1, 0, 0, 1, 1])

    update = update_acceptance(prior, stayed, contacted, np.array([0, 0, 0, 0, 1, 1]))

    assert update.posterior.mean == pytest.approx(prior.mean, abs=0.05)


def test_an_offer_that_seems_to_drive_customers_away_keeps_its_prior_with_a_warning() -> None:
    # 40% of 400 contacted stayed, 60% of 100 held out.
    stayed = np.repeat([1, 0, 1, 0], [160, 240, 60, 40])
    contacted = np.repeat([True, False], [400, 100])
    prior = BetaPrior(alpha=6, beta=14)

    update = update_acceptance(prior, stayed, contacted, np.zeros(500))

    assert update.posterior == prior
    assert "stayed less often (40.0%) than the holdout (60.0%)" in str(update.warning)


def test_a_plain_rate_is_a_guess_worth_twenty_customers() -> None:
    assert acceptance_prior(Offer(incentive_cost=1, acceptance_rate=0.25)) == BetaPrior(alpha=5, beta=15)


def test_the_shares_of_a_warning_are_as_they_are_counted_and_not_weighted_by_the_draws_strata() -> None:
    # Stratum 0: 30 of 300 contacted and 10 of 20 held out stayed; stratum 1: 90 of 100 and 80 of 80.
    # Counted: 120 / 400 = 30.0% and 90 / 100 = 90.0%; weighted, the holdout's is (.5 · 300 + 1 · 100) / 400 = 62.5%.
    stayed = np.repeat([1, 0, 1, 0, 1, 0, 1], [30, 270, 10, 10, 90, 10, 80])
    contacted = np.repeat([True, False, True, False], [300, 20, 100, 80])
    stratum = np.repeat([0, 1], [320, 180])

    update = update_acceptance(BetaPrior(alpha=6, beta=14), stayed, contacted, stratum)

    assert "stayed less often (30.0%) than the holdout (90.0%), as they are counted" in str(update.warning)
