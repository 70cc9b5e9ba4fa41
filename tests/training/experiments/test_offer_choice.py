"""The choice among several offers: simulated experiments whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from training.experiments.offer_choice import BEST_FOR_EACH, NOBODY, OfferChoice, choose_offers
from training.experiments.past_experiment import TournamentSettings


def _choice(seed: int, n: int, lifts: dict[str, tuple[float, float]], cost: float = 0.0) -> OfferChoice:
    """Draw customers, half of them young, into equal arms; an offer lifts the outcome of the young and the others."""
    rng = np.random.default_rng(seed)
    young, arm = rng.random(n) < 0.5, rng.integers(0, len(lifts) + 1, n)
    lift = np.array([(0.0, 0.0), *lifts.values()])[arm, 1 - young.astype(int)]
    outcome = rng.random(n) < 0.3 + lift
    features = pd.DataFrame({"young": young.astype(float), "noise": rng.random(n)})
    return choose_offers(features, arm, outcome, dict.fromkeys(lifts, cost))


def test_where_each_offer_suits_half_of_the_customers_the_best_for_each_wins() -> None:
    found = _choice(1, 12_000, {"voucher": (0.3, -0.1), "call": (-0.1, 0.3)})

    gain = {each.policy: each for each in found.standings}
    assert found.winner == BEST_FOR_EACH
    assert found.level == ()
    assert gain[BEST_FOR_EACH].gain_low <= 0.3 <= gain[BEST_FOR_EACH].gain_high
    assert gain["voucher for all"].gain_low <= 0.1 <= gain["voucher for all"].gain_high
    assert gain[BEST_FOR_EACH].shares["voucher"] == pytest.approx(0.5, abs=0.05)
    assert gain[NOBODY].gain_per_customer == 0


def test_costs_decide_between_offers_that_do_the_same() -> None:
    rng = np.random.default_rng(2)
    arm = rng.integers(0, 3, 9000)
    outcome = rng.random(9000) < 0.3 + 0.2 * (arm > 0)

    found = choose_offers(
        pd.DataFrame({"noise": rng.random(9000)}), arm, outcome, {"dear": 5.0, "cheap": 1.0}, outcome_value=10
    )

    gain = {each.policy: each.gain_per_customer for each in found.standings}
    assert gain["cheap for all"] == pytest.approx(1.0, abs=0.3)
    assert gain["dear for all"] == pytest.approx(-3.0, abs=0.3)
    assert found.winner == "cheap for all"


def test_offers_that_do_nothing_and_cost_are_made_to_nobody() -> None:
    found = _choice(3, 6000, {"a": (0.0, 0.0), "b": (0.0, 0.0)}, cost=0.05)

    assert found.winner is None
    assert found.verdict().startswith("No difference")
    gain = {each.policy: each for each in found.standings}
    assert gain["a for all"].gain_high < 0.02


@pytest.mark.soak
def test_of_experiments_without_effect_few_have_a_winner() -> None:
    winners = [_choice(100 + seed, 2000, {"a": (0, 0), "b": (0, 0)}).winner for seed in range(200)]

    assert sum(winner is not None for winner in winners) <= 16  # 8%: asked 5%


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"cost": [1, 2]}, "give one --cost, or one for each --contacted: 2 for 1"),
        ({"cost": -1}, "must be 0 or more"),
        ({"contacted": ["0"]}, "must name different groups"),
        ({"contacted": ["1", "1"]}, "must name different groups"),
    ],
)
def test_groups_and_costs_fit_together(given: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        TournamentSettings.model_validate(
            {"experiment": "past.csv", "treatment": "arm", "outcome": "visit", **given}
        )


def test_a_single_cost_is_that_of_every_offer() -> None:
    settings = TournamentSettings.model_validate(
        {"experiment": "x.csv", "treatment": "arm", "outcome": "visit", "contacted": ["a", "b"], "cost": 2}
    )

    assert settings.offers == {"a": 2.0, "b": 2.0}
