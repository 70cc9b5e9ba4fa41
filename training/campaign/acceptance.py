"""What a campaign taught about an offer's acceptance: from a prior to a posterior.

Acceptance γ is the share of would-be leavers whom the offer keeps. Redemptions do not show it, for those who
would have stayed redeem too. It shows only in the comparison with the holdout, and only if the offer drives
nobody away: then ``q₁ = q₀ + (1 − q₀)γ``, with q₁, q₀ the shares of contacted and held out who stayed.

The posterior is computed on a grid: in each stratum ``y₀ ~ Bin(n₀, q₀)``, ``y₁ ~ Bin(n₁, q₀ + (1 − q₀)γ)``,
one γ for all strata, each stratum's q₀ integrated out with Jeffreys' weight at that γ. (A flat weight would
not do: the contacted, nine of ten customers, pin down q₁, and then flat in q₀ means a factor 1/(1 − γ) per
stratum in favour of great γ. With nine strata of a thousand customers that is five points too many.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from features.language import translated
from training.campaign.effect import Effect, effect
from training.offers.acceptance_band import AcceptanceBand
from training.offers.offers import BetaPrior, Floats, Offer

CUSTOMERS_BEHIND_A_NUMBER = 20.0
"""A plain acceptance rate in an offers file is taken as a guess worth this many observed customers."""
LIKELY = 0.8
GRID = 400


@dataclass(frozen=True)
class AcceptanceUpdate:
    """An offer's acceptance before and after a campaign.

    ``posterior`` equals ``prior`` where the campaign cannot teach it; then ``warning`` says why.
    ``stay`` is the effect on the share of customers who stayed; ``bands`` what is known by silence, from this campaign
    and those before.
    """

    prior: BetaPrior
    posterior: BetaPrior
    stay: Effect
    warning: str | None = None
    bands: tuple[AcceptanceBand, ...] = ()


def acceptance_prior(offer: Offer) -> BetaPrior:
    """Return what an offers file says of the acceptance, as a Beta distribution.

    Examples
    --------
    >>> acceptance_prior(Offer(incentive_cost=10, acceptance_rate=0.3))
    BetaPrior(alpha=6.0, beta=14.0)
    """
    if isinstance(offer.acceptance_rate, BetaPrior):
        return offer.acceptance_rate
    rate = min(max(offer.acceptance_rate, 0.001), 0.999)
    return BetaPrior(alpha=rate * CUSTOMERS_BEHIND_A_NUMBER, beta=(1 - rate) * CUSTOMERS_BEHIND_A_NUMBER)


def update_acceptance(
    prior: BetaPrior,
    stayed: ArrayLike,
    contacted: ArrayLike,
    stratum: ArrayLike,
) -> AcceptanceUpdate:
    """Learn an offer's acceptance from the contacted and the held out of that offer.

    Parameters
    ----------
    prior : BetaPrior
    stayed : array of bool, shape (n_customers,), bought in the churn window
    contacted : array of bool, shape (n_customers,), as drawn
    stratum : array of int, shape (n_customers,)

    Returns
    -------
    AcceptanceUpdate

    Examples
    --------
    Of 400 held out 200 stayed, of 400 contacted 260: (.65 − .5) / (1 − .5) = .3.

    >>> stayed = np.repeat([1, 0, 1, 0], [200, 200, 260, 140])
    >>> contacted = np.repeat([False, True], 400)
    >>> update = update_acceptance(
    ...     BetaPrior(alpha=1, beta=1), stayed, contacted, np.zeros(800)
    ... )
    >>> round(update.posterior.mean, 1)
    0.3
    """
    y, arm = np.asarray(stayed, dtype=bool), np.asarray(contacted, dtype=bool)
    groups = np.asarray(stratum)
    stay = effect(y, arm, groups)
    if stay.probability_negative > LIKELY:
        return AcceptanceUpdate(
            prior,
            prior,
            stay,
            translated(
                "Contacted customers seem to have stayed less often ({contacted:.1%}) than the holdout "
                "({holdout:.1%}), as they are counted here; the effect that is reported is adjusted for the draw and "
                "for what customers did before it. If the offer "
                "drives customers away, one acceptance rate for all cannot "
                "be told from this campaign, so the earlier figure is kept; by silence the harm is "
                "learnt, and the next plan does not contact where it is likely. Look at the offer before "
                "it is used again.",
                contacted=float(y[arm].mean()),
                holdout=float(y[~arm].mean()),
            ),
        )
    rates = (np.arange(GRID) + 0.5) / GRID
    log_density = stats.beta.logpdf(rates, prior.alpha, prior.beta) + log_likelihood(rates, y, arm, groups)
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    mean = float(weight @ rates)
    # Moment matching; the grid cannot tell spreads below its own step.
    variance = max(float(weight @ (rates - mean) ** 2), 1 / (12 * GRID**2))
    customers = mean * (1 - mean) / variance - 1
    return AcceptanceUpdate(prior, BetaPrior(alpha=mean * customers, beta=(1 - mean) * customers), stay)


def log_likelihood(
    rates: Floats, stayed: NDArray[np.bool_], contacted: NDArray[np.bool_], stratum: NDArray[Any]
) -> Floats:
    """Return the log-likelihood of each acceptance rate, perhaps negative, the strata's q₀ integrated out."""
    q = (np.arange(GRID) + 0.5) / GRID
    gone = (1 - q) * (1 - rates[:, None])  # 1 − q₁, so q₁ is never rounded to 1
    possible = gone < 1  # a negative rate may take more than there are
    gone = np.where(possible, gone, 0.5)
    total = np.zeros(rates.size)
    for label in np.unique(stratum):
        inside = stratum == label
        y1, n1 = stayed[inside & contacted].sum(), (inside & contacted).sum()
        y0, n0 = stayed[inside & ~contacted].sum(), (inside & ~contacted).sum()
        likelihood = (
            special.xlogy(y1, 1 - gone)
            + special.xlogy(n1 - y1, gone)
            + special.xlogy(y0, q)
            + special.xlogy(n0 - y0, 1 - q)
        )
        # Fisher information of q₀ at this γ; (1 − γ)² / (q₁(1 − q₁)) = (1 − γ) / (q₁(1 − q₀)).
        information = n0 / (q * (1 - q)) + n1 * (1 - rates[:, None]) / ((1 - gone) * (1 - q))
        weighted = np.where(possible, likelihood + 0.5 * np.log(information + 1e-12), -np.inf)
        total += special.logsumexp(weighted, axis=1)
    return total
