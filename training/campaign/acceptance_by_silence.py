"""Acceptance by band of silence, learnt from campaign to campaign: partially pooled towards a line, harm included.

Those who have just gone quiet accept more readily than those silent for half a year, and one number for all settles
where the offer pays for hardly anybody. So acceptance is learnt in five bands of silence. A band that few campaigns
reached borrows from the others::

    γ_b ~ Normal(μ + β·(b − 2), σ),   μ ~ the offer's prior,   β ~ Normal(0, SLOPE),   σ ~ half-normal(SPREAD)

The line matters: it carries what the contacted bands show over to those not yet contacted. Each campaign adds to a
band an estimate and its weight (an observation with normal error), matched to the exact likelihood of
`training.campaign.acceptance.log_likelihood`, q₀ integrated out. These add up, so that an offers file holds all that
past campaigns taught. γ may be negative: the offer then drives customers away.

References
----------
Gelman, Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models, ch. 12 and 13.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from training.campaign.acceptance import acceptance_prior, log_likelihood
from training.offers.acceptance_band import AcceptanceBand
from training.offers.offers import BetaPrior, Floats, Offer

BANDS = 5
SLOPE = 0.1
"""Standard deviation of the change of acceptance from one band to the next."""
SPREAD = 0.15
"""Scale of the bands' standard deviation about the line."""

_RATES = np.linspace(-0.5, 0.995, 300)
_SPREADS = np.linspace(0.01, 0.4, 30)
_BROAD = stats.norm.pdf(_RATES, 0.2, 0.3) / stats.norm.pdf(_RATES, 0.2, 0.3).sum()
"""A broad prior, with which a campaign's likelihood is matched to a normal one, and which is taken out again."""


@dataclass(frozen=True)
class BandPosterior:
    """The joint posterior of the bands' acceptance: a mixture of normal distributions, one for each spread σ.

    Parameters
    ----------
    weights : ndarray of shape (n_spreads,)
    means : ndarray of shape (n_spreads, n_bands)
    covariances : ndarray of shape (n_spreads, n_bands, n_bands)
    """

    weights: Floats
    means: Floats
    covariances: Floats

    @property
    def mean(self) -> Floats:
        """Expected acceptance, of shape (n_bands,)."""
        return np.asarray(self.weights @ self.means)

    @property
    def deviation(self) -> Floats:
        """Standard deviation, of shape (n_bands,)."""
        between = (self.means - self.mean) ** 2
        return np.asarray(np.sqrt(self.weights @ (self._variances + between)))

    @property
    def probability_negative(self) -> Floats:
        """Probability that contact drives customers away, of shape (n_bands,)."""
        return np.asarray(self.weights @ stats.norm.cdf(-self.means / np.sqrt(self._variances)))

    @property
    def _variances(self) -> Floats:
        return np.diagonal(self.covariances, axis1=1, axis2=2)


def pooled(prior: BetaPrior, evidence_mean: ArrayLike, evidence_weight: ArrayLike) -> BandPosterior:
    """Pool what campaigns taught of each band.

    Parameters
    ----------
    prior : BetaPrior, of the acceptance in the middle band
    evidence_mean, evidence_weight : arrays of shape (n_bands,), estimates and one over their variances

    Returns
    -------
    BandPosterior

    Examples
    --------
    Only the last two bands were contacted; the line carries their decline back to the first.

    >>> found = pooled(BetaPrior(alpha=3, beta=12), [0, 0, 0, 0.2, 0.1], [0, 0, 0, 2500, 2500])
    >>> found.mean.round(2).tolist()
    [0.31, 0.27, 0.22, 0.2, 0.1]
    """
    estimates, weight = np.asarray(evidence_mean, dtype=np.float64), np.asarray(evidence_weight, dtype=float)
    n = estimates.size
    line = np.column_stack([np.ones(n), np.arange(n) - (n - 1) / 2])
    scales = np.diag([stats.beta.var(prior.alpha, prior.beta), SLOPE**2])
    centre, seen = np.full(n, prior.mean), weight > 0
    log_weights, means, covariances = [], [], []
    for spread in _SPREADS:
        before = line @ scales @ line.T + spread**2 * np.eye(n)
        observed = before[np.ix_(seen, seen)] + np.diag(1 / weight[seen])
        gain = np.linalg.solve(observed, before[seen]).T
        surprise = estimates[seen] - centre[seen]
        means.append(centre + gain @ surprise)
        covariances.append(before - gain @ before[seen])
        fit = -0.5 * (np.linalg.slogdet(observed)[1] + surprise @ np.linalg.solve(observed, surprise))
        log_weights.append(fit - 0.5 * (spread / SPREAD) ** 2)
    weights = np.exp(np.array(log_weights) - max(log_weights))
    return BandPosterior(weights / weights.sum(), np.array(means), np.array(covariances))


def bands_of(offer: Offer, dormant_after_days: int) -> tuple[AcceptanceBand, ...]:
    """Return an offer's bands; where no campaign was measured yet, fifths of the dormancy, known by the prior alone."""
    if offer.acceptance_by_silence:
        return offer.acceptance_by_silence
    days = [dormant_after_days * number / BANDS for number in range(BANDS)]
    return _described(acceptance_prior(offer), days, np.zeros(BANDS), np.zeros(BANDS))


def learn_by_silence(
    offer: Offer,
    stayed: ArrayLike,
    contacted: ArrayLike,
    silent_days: ArrayLike,
    draw: ArrayLike,
    *,
    dormant_after_days: int,
) -> tuple[AcceptanceBand, ...]:
    """Learn an offer's acceptance by silence from its contacted and held-out customers.

    Parameters
    ----------
    offer : Offer, with what earlier campaigns taught
    stayed, contacted : arrays of bool, shape (n_customers,)
    silent_days : array of shape (n_customers,), when the plan was made; customers with NaN teach nothing here
    draw : array of shape (n_customers,), labels of customers of whom the same share was held out
    dormant_after_days : int, of the plan; the first campaign cuts it into five bands

    Returns
    -------
    tuple of AcceptanceBand; empty if nobody's silence is known
    """
    y, arm = np.asarray(stayed, dtype=bool), np.asarray(contacted, dtype=bool)
    silent, draws = np.asarray(silent_days, dtype=np.float64), np.asarray(draw)
    if np.isnan(silent).all():
        return offer.acceptance_by_silence
    bands = bands_of(offer, dormant_after_days)
    days = [band.from_days for band in bands]
    place = np.where(np.isnan(silent), -1, np.searchsorted(days, silent, side="right") - 1)
    weight = np.array([band.evidence_weight for band in bands])
    total = weight * np.array([band.evidence_mean for band in bands])
    for number in range(len(bands)):
        for label in np.unique(draws):
            found = _evidence(y, arm, (place == number) & (draws == label))
            weight[number] += found[0]
            total[number] += found[1]
    mean = np.divide(total, weight, out=np.zeros(len(bands)), where=weight > 0)
    return _described(offer.acceptance_before or acceptance_prior(offer), days, mean, weight)


def _evidence(
    stayed: NDArray[np.bool_], contacted: NDArray[np.bool_], rows: NDArray[np.bool_]
) -> tuple[float, float]:
    """Return the weight of what some customers show of the acceptance, and the weight times the estimate."""
    if not (rows & contacted).any() or not (rows & ~contacted).any():
        return 0.0, 0.0
    log_density = log_likelihood(_RATES, stayed[rows], contacted[rows], np.zeros(rows.sum()))
    density = _BROAD * np.exp(log_density - log_density.max())
    (m0, v0), (m1, v1) = _moments(_BROAD), _moments(density / density.sum())
    weight = 1 / v1 - 1 / v0
    return (weight, m1 / v1 - m0 / v0) if weight > 0 else (0.0, 0.0)


def _moments(density: Floats) -> tuple[float, float]:
    mean = float(density @ _RATES)
    return mean, float(density @ (_RATES - mean) ** 2)


def _described(
    prior: BetaPrior, days: list[float], evidence_mean: Floats, evidence_weight: Floats
) -> tuple[AcceptanceBand, ...]:
    found = pooled(prior, evidence_mean, evidence_weight)
    columns = (found.mean, found.deviation, found.probability_negative, evidence_mean, evidence_weight)
    return tuple(
        AcceptanceBand(
            from_days=start,
            mean=min(mean, 1.0),
            deviation=deviation,
            probability_negative=min(max(negative, 0.0), 1.0),
            evidence_mean=estimate,
            evidence_weight=weight,
        )
        for start, mean, deviation, negative, estimate, weight in zip(
            days, *(column.tolist() for column in columns), strict=True
        )
    )
