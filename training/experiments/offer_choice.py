"""Which of several offers for whom: what each way of choosing would have earned in a past randomised experiment.

An offer that is best on average need not be best for everybody, and the best one for each customer, as a model
predicts it, need not be better than one offer for all: effects are small beside what they are learnt from. Each way of
choosing is valued on customers whom its models have not seen, by the doubly robust estimate, with intervals that hold
for all of them together.

References
----------
Dudík, Langford, Li (2011), Doubly robust policy evaluation and learning, ICML 28. Zhou, Athey, Wager (2023), Offline
multi-action policy learning, Operations Research 71(1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from training.experiments.simultaneous import (
    BOOTSTRAPS,
    CONFIDENCE,
    ONE_SIDED,
    Comparison,
    behind_the_best,
    greatest,
    standardised,
)
from training.experiments.uplift import cross_fit_arms
from training.offers.offers import Floats

NOBODY = "nobody"
BEST_FOR_EACH = "the best for each"


@dataclass(frozen=True)
class ChoiceStanding:
    """Result of one way of choosing offers.

    Parameters
    ----------
    policy : str
    shares : dict of offer to float, the share of customers who get it
    gain_per_customer, gain_low, gain_high : float, money over contacting nobody, less costs, with its interval, which
        holds for all policies together
    behind, behind_low : float, by how much it gains less than the best; the lower end of that
    """

    policy: str
    shares: dict[str, float]
    gain_per_customer: float
    gain_low: float
    gain_high: float
    behind: float
    behind_low: float


@dataclass(frozen=True)
class OfferChoice(Comparison):
    """All standings, the winner (None if none surely gains more than contacting nobody), and policies level with it."""

    standings: tuple[ChoiceStanding, ...]
    winner: str | None
    level: tuple[str, ...]

    def _best(self) -> str:
        best = max(self.standings, key=lambda standing: standing.gain_per_customer)
        gain = f"{best.gain_per_customer:.4f} a customer"
        interval = f"{CONFIDENCE:.0%}: {best.gain_low:.4f} to {best.gain_high:.4f}"
        if self.winner is None:
            return (
                "No difference: this experiment does not show that any choice of offers gains more than contacting "
                f"nobody. The best, {best.policy}, gains {gain} ({interval})."
            )
        return f"Choose {best.policy}: it gains {gain} over contacting nobody ({interval})."


def choose_offers(
    features: pd.DataFrame,
    arm: ArrayLike,
    outcome: ArrayLike,
    costs: Mapping[str, float],
    *,
    outcome_value: float = 1.0,
    seed: int = 0,
    threads: int = 1,
) -> OfferChoice:
    """Compare contacting nobody, one offer for all, and for each customer the offer with the highest predicted gain.

    Parameters
    ----------
    features : DataFrame of shape (n_customers, n_features), known before the experiment
    arm : array of int, of shape (n_customers,)
        What each was drawn into: 0 not contacted, k the k-th offer.
    outcome : array of shape (n_customers,), what is wanted: 1 for a visit, or an amount
    costs : mapping of offers, in the order of the arms, to the cost of a contact, money
    outcome_value : float, money that one unit of the outcome is worth
    seed, threads : int

    Returns
    -------
    OfferChoice
    """
    drawn, y = np.asarray(arm, dtype=np.int64), np.asarray(outcome, dtype=np.float64)
    predicted = cross_fit_arms(features, drawn, y, seed=seed, threads=threads)
    price = np.array([0.0, *costs.values()])
    worth = outcome_value * predicted - price
    chosen = {NOBODY: np.zeros_like(drawn)}
    chosen |= {f"{name} for all": np.full_like(drawn, number) for number, name in enumerate(costs, 1)}
    chosen[BEST_FOR_EACH] = worth.argmax(axis=1)  # nobody where all gains are 0 or less: the first of equals
    earned = outcome_value * _doubly_robust(drawn, y, predicted) - price
    everybody = np.arange(y.size)
    gains = np.column_stack([earned[everybody, each] - earned[:, 0] for each in chosen.values()])
    return _compared(chosen, list(costs), gains, seed)


def _compared(
    chosen: Mapping[str, NDArray[np.int64]], offers: list[str], gains: Floats, seed: int
) -> OfferChoice:
    rng, gain = np.random.default_rng(seed), gains.mean(axis=0)
    weights = (rng.poisson(1.0, len(gains)).astype(np.float64) for _ in range(BOOTSTRAPS))
    draws = np.array([each @ gains / each.sum() for each in weights])
    error = draws.std(axis=0, ddof=1)
    half = greatest(np.abs(standardised(draws - gain, error)), CONFIDENCE) * error
    behind, behind_low = behind_the_best(gain, draws)
    standings = tuple(
        ChoiceStanding(
            policy=name,
            shares={offer: float((each == number).mean()) for number, offer in enumerate(offers, 1)},
            gain_per_customer=float(gain[at]),
            gain_low=float(gain[at] - half[at]),
            gain_high=float(gain[at] + half[at]),
            behind=float(behind[at]),
            behind_low=float(behind_low[at]),
        )
        for at, (name, each) in enumerate(chosen.items())
    )
    best = int(gain.argmax())
    sure = gain[best] > greatest(standardised(draws - gain, error), ONE_SIDED) * error[best]
    winner = list(chosen)[best] if sure and best else None
    level = (name for name, low in zip(chosen, behind_low, strict=True) if low <= 0)
    return OfferChoice(
        standings, winner, tuple(name for name in level if winner and name not in (winner, NOBODY))
    )


def _doubly_robust(arm: NDArray[np.int64], y: Floats, predicted: Floats) -> Floats:
    """Return each customer's outcome in every arm: predicted, plus the inverse-probability weighted residual."""
    drawn = arm[:, None] == np.arange(predicted.shape[1])
    return np.asarray(predicted + drawn / drawn.mean(axis=0) * (y[:, None] - predicted))
