"""Comparison of targeting policies on a past randomised experiment.

Whether to contact first those at risk, those likely to respond, those of high value or those of high predicted uplift
differs between campaigns: on the same mailing, uplift is best for one product and response for another. Each policy
ranks customers whom its models have not seen, and the experiment gives the effect of contacting the top of the
ranking. The best ranking wins if its lead over a random ranking is significant; the best of several by luck alone
leads by more than any one does, so that significance is that of the greatest lead (max-t): its critical value comes
from the same bootstrap draws of all rankings together. Policies that do not differ significantly from the winner are
named too: the simplest of them is enough.

References
----------
Ascarza (2018), Retention futility, Journal of Marketing Research 55(1). Robins, Rotnitzky, Zhao (1994) for the
doubly robust estimate. Westfall, Young (1993), Resampling-Based Multiple Testing, ch. 2, for max-t. Hsu (1984),
Constrained simultaneous confidence intervals for multiple comparisons with the best, Annals of Statistics 12(3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from features.errors import StayworthError
from training.experiments.qini import Ranking, perfect_ranking, qini_area
from training.experiments.simultaneous import (
    BOOTSTRAPS,
    CONFIDENCE,
    ONE_SIDED,
    Comparison,
    behind_the_best,
    greatest,
    standardised,
)
from training.experiments.uplift import Predictions, cross_fit, rank_within_folds
from training.offers.offers import Floats

AT_RANDOM = "random"
_FEWEST = 100
PAIRED = 2**0.5
"""By how much the bootstrap, which takes rankings as given, understates the error of a cross-fitted uplift ranking.

Where the contact does nothing, the area of such a ranking is a sum over pairs of customers of different folds, each of
whom helped to rank the other: every pair counts twice, and the variance is twice that of a ranking from elsewhere."""


@dataclass(frozen=True)
class Standing:
    """Result of one policy on customers its models had not seen.

    Parameters
    ----------
    policy : str
    qini, qini_low, qini_high : float, normalised Qini coefficient with its interval, which holds for all policies
        together; 0 where nothing is ranked
    contacted_share : float, share of customers that the policy contacts
    gain_per_contact, gain_per_contact_low, gain_per_contact_high : float, money (or outcomes) less cost, by the
        doubly robust estimate; NaN for nobody
    gain_per_customer : float, the same spread over all customers
    behind : float, by how much its Qini is behind the best one's; behind_low, the lower end of that
    """

    policy: str
    qini: float
    qini_low: float
    qini_high: float
    contacted_share: float
    gain_per_contact: float
    gain_per_contact_low: float
    gain_per_contact_high: float
    gain_per_customer: float
    behind: float
    behind_low: float


@dataclass(frozen=True)
class Tournament(Comparison):
    """All standings, the winner (None if no policy beats a random ranking), and policies level with the winner."""

    standings: tuple[Standing, ...]
    winner: str | None
    level: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """Return the standings as a table, one row per policy."""
        return pd.DataFrame([vars(standing) for standing in self.standings])

    def _best(self) -> str:
        best = max(self.standings, key=lambda standing: standing.qini)
        if self.winner is None:
            return (
                "No difference: this experiment does not show that any policy ranks customers better than at random. "
                f"The best, {best.policy}, has a Qini of {best.qini:.3f} ({best.qini_low:.3f} to "
                f"{best.qini_high:.3f})."
            )
        return (
            f"Contact by {best.policy}: it ranks customers best, with a Qini of {best.qini:.3f} "
            f"({CONFIDENCE:.0%}: {best.qini_low:.3f} to {best.qini_high:.3f})."
        )


def tournament(
    features: pd.DataFrame,
    treated: ArrayLike,
    outcome: ArrayLike,
    *,
    value: ArrayLike | None = None,
    outcome_value: float = 1.0,
    contact_cost: float = 0.0,
    contacted_share: float = 0.3,
    seed: int = 0,
    threads: int = 1,
) -> Tournament:
    """Compare targeting policies on a past randomised experiment.

    The policies, simplest first: nobody, everybody, random, value (where given), risk (those least likely to
    have the outcome if left alone), response (those likeliest to), uplift by T-learner and by X-learner.

    Parameters
    ----------
    features : DataFrame of shape (n_customers, n_features), known before the experiment
    treated : array of shape (n_customers,), true for those drawn to be contacted
    outcome : array of shape (n_customers,), what is wanted: 1 for a visit, or an amount
    value : array of shape (n_customers,) or None, ranks the policy "value"
    outcome_value : float, money that one unit of the outcome is worth
    contact_cost : float, money per contact
    contacted_share : float in (0, 1], how many from the top each ranking contacts
    seed, threads : int

    Returns
    -------
    Tournament

    Raises
    ------
    StayworthError
        If a group has fewer than 100 customers, or the outcome never varies.
    """
    arm, y = np.asarray(treated, dtype=bool), np.asarray(outcome, dtype=np.float64)
    _require_experiment(arm, y, features)
    predicted = cross_fit(features, arm, y, seed=seed, threads=threads)
    rankings: dict[str, Floats] = {AT_RANDOM: np.random.default_rng(seed).random(y.size)}
    if value is not None:
        rankings["value"] = np.asarray(value, dtype=np.float64)
    learnt = {
        "risk": -predicted.alone,
        "response": predicted.alone,
        "uplift (T)": predicted.t_learner,
        "uplift (X)": predicted.x_learner,
    }
    rankings |= {name: rank_within_folds(score, predicted.fold) for name, score in learnt.items()}
    gain = _doubly_robust(arm, y, predicted) * outcome_value - contact_cost
    return _compared(rankings, *_qini_draws(rankings, y, arm.astype(np.float64), seed), gain, contacted_share)


def _compared(
    rankings: dict[str, Floats], qini: Floats, draws: Floats, gain: Floats, contacted_share: float
) -> Tournament:
    """Return the standings, from each ranking's Qini, its bootstrap draws and every customer's gain of contact."""
    qini[0], draws[:, 0] = 0.0, 0.0  # random rankings in general, not this one
    best = int(qini.argmax())
    error = draws.std(axis=0, ddof=1)
    half = greatest(np.abs(standardised(draws - qini, error)), CONFIDENCE) * error
    _, behind_low = behind_the_best(qini, draws)
    names, n = list(rankings), gain.size
    rows = [("nobody", -1, np.zeros(n, dtype=bool)), ("everybody", -1, np.ones(n, dtype=bool))]
    rows += [(name, at, _top(rankings[name], contacted_share)) for at, name in enumerate(names)]
    standings = []
    for name, at, chosen in rows:
        spread = float(half[at]) if at >= 0 else 0.0
        found = float(qini[at]) if at >= 0 else 0.0
        ranked = (found, found - spread, found + spread)
        trail = (float(qini[best] - found), float(behind_low[max(at, 0)]))
        standings.append(Standing(name, *ranked, float(chosen.mean()), *_gain(gain, chosen), *trail))
    beats_random = qini > greatest(standardised(draws - qini, error), ONE_SIDED) * error
    if not beats_random[best]:
        return Tournament(tuple(standings), None, ())
    level = [name for name, trails in zip(names, behind_low, strict=True) if trails <= 0]
    return Tournament(
        tuple(standings), names[best], tuple(n for n in level if n not in (names[best], AT_RANDOM))
    )


def _require_experiment(arm: NDArray[np.bool_], y: Floats, features: pd.DataFrame) -> None:
    if min(arm.sum(), (~arm).sum()) < _FEWEST:
        raise StayworthError(
            f"The experiment has {int(arm.sum()):,} contacted and {int((~arm).sum()):,} other customers; a "
            f"tournament needs {_FEWEST} of each, and thousands to tell policies apart."
        )
    if np.isnan(y).any() or np.ptp(y) == 0:
        raise StayworthError("The outcome must be a number for everybody, and not the same for all.")
    if not len(features.columns):
        raise StayworthError("There is no column to predict from. Keep what was known before the experiment.")


def _qini_draws(rankings: dict[str, Floats], y: Floats, treated: Floats, seed: int) -> tuple[Floats, Floats]:
    """Return every ranking's Qini coefficient and its bootstrap draws, the same customers drawn for all rankings."""
    orders = [Ranking.of(score) for score in rankings.values()]
    perfect = perfect_ranking(y, treated)
    rng = np.random.default_rng(seed)
    weights = [np.ones(y.size), *(rng.poisson(1.0, y.size).astype(np.float64) for _ in range(BOOTSTRAPS))]
    areas = np.array([[qini_area(each, y, treated, w) for each in (*orders, perfect)] for w in weights])
    best = areas[:, -1:]
    found = np.divide(areas[:, :-1], best, out=np.zeros((len(weights), len(orders))), where=best > 0)
    spread = np.array([PAIRED if name.startswith("uplift") else 1.0 for name in rankings])
    return found[0], found[0] + spread * (found[1:] - found[0])


def _doubly_robust(arm: NDArray[np.bool_], y: Floats, predicted: Predictions) -> Floats:
    """Return each customer's effect of contact: predicted, plus the inverse-probability weighted residual."""
    share = arm.mean()
    with_contact = predicted.contacted + arm / share * (y - predicted.contacted)
    alone = predicted.alone + ~arm / (1 - share) * (y - predicted.alone)
    return np.asarray(with_contact - alone)


def _top(score: Floats, share: float) -> NDArray[np.bool_]:
    chosen = np.zeros(score.size, dtype=bool)
    chosen[np.argsort(-score, kind="stable")[: round(share * score.size)]] = True
    return chosen


def _gain(gain: Floats, chosen: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Return gain per contact with its interval, and per customer."""
    if not chosen.any():
        return np.nan, np.nan, np.nan, 0.0
    part = gain[chosen]
    half = float(stats.norm.ppf((1 + CONFIDENCE) / 2) * part.std(ddof=1) / np.sqrt(part.size))
    mean = float(part.mean())
    return mean, mean - half, mean + half, mean * float(chosen.mean())
