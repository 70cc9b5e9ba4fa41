"""Profit, cost and break-even points of a retention offer, per customer.

An offer costs something to make (the contact) and something to honour (the incentive). It earns only where
a customer who would have left accepts it. Profit curves, campaign plans, the backtest and the service all use
these formulas.

Notation of the formulas: p churn probability, V value at stake, f contact cost, d incentive cost,
γ acceptance rate, ψ redemption rate of those who would have stayed anyway.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from training.offers.offers import BetaPrior, Floats, Offer


def _checked(churn_probability: ArrayLike, value_at_stake: ArrayLike) -> tuple[Floats, Floats]:
    p = np.asarray(churn_probability, dtype=np.float64)
    value = np.asarray(value_at_stake, dtype=np.float64)
    if p.shape != value.shape and p.ndim and value.ndim:
        raise ValueError(f"There are {p.size} churn probabilities but {value.size} values at stake.")
    wrong = ~((p >= 0) & (p <= 1))
    if wrong.any():
        raise ValueError(
            f"{int(wrong.sum())} churn probabilities are not within 0 and 1, e.g. {p[wrong].flat[0]}."
        )
    if np.isnan(value).any():
        raise ValueError(f"{int(np.isnan(value).sum())} values at stake are missing.")
    return p, value


def offer_profit(
    churn_probability: ArrayLike,
    value_at_stake: ArrayLike,
    offer: Offer,
    spend_per_purchase: ArrayLike | None = None,
) -> Floats:
    """Return the expected profit of making each customer one retention offer.

    ``p·γ·(V − d) − (1 − p)·ψ·d − f``: a would-be leaver who accepts is worth V less the incentive; those who
    would have stayed take the incentive too. Contact only where the result is positive.

    Parameters
    ----------
    churn_probability : array of shape (n_customers,), in [0, 1]
    value_at_stake : array of shape (n_customers,), money, discounted margin that an accepted offer saves
    offer : Offer
    spend_per_purchase : array of shape (n_customers,), money, only for an incentive that is a share of it

    Returns
    -------
    ndarray of shape (n_customers,), money

    Raises
    ------
    ValueError
        If the two arrays differ in length or a probability lies outside [0, 1].

    References
    ----------
    Neslin et al. (2006), Journal of Marketing Research 43(2), eq. 1, with individual value.

    Examples
    --------
    >>> offer = Offer(incentive_cost=20, contact_cost=2, acceptance_rate=0.25)
    >>> offer_profit(np.array([0.4]), np.array([500.0]), offer)
    array([34.])
    """
    p, value = _checked(churn_probability, value_at_stake)
    return np.asarray(p * offer.acceptance * value - expected_cost(p, offer, spend_per_purchase))


def realised_profit(
    churned: ArrayLike,
    value_at_stake: ArrayLike,
    offer: Offer,
    spend_per_purchase: ArrayLike | None = None,
) -> Floats:
    """Return the profit of contacting each customer, given who churned: `offer_profit` at p = 0 or 1.

    ``y·γ·(V − d) − (1 − y)·ψ·d − f``, y being 1 for a customer who churned. Acceptance and redemption stay
    assumptions.

    Returns
    -------
    ndarray of shape (n_customers,), money

    Examples
    --------
    >>> realised_profit(
    ...     [1, 0], [200.0, 200.0], Offer(contact_cost=1, incentive_cost=10, acceptance_rate=0.3)
    ... )
    array([ 56., -11.])
    """
    y = np.asarray(churned, dtype=np.float64)
    value, d = np.asarray(value_at_stake, dtype=np.float64), offer.incentive(spend_per_purchase)
    accepted = y * offer.acceptance * (value - d)
    return np.asarray(accepted - (1 - y) * offer.redemption_rate * d - offer.contact_cost)


def expected_cost(
    churn_probability: ArrayLike, offer: Offer, spend_per_purchase: ArrayLike | None = None
) -> Floats:
    """Return the expected cost of the offer per customer contacted: ``f + d·(p·γ + (1 − p)·ψ)``.

    Returns
    -------
    ndarray of shape (n_customers,), money

    Examples
    --------
    >>> expected_cost(np.array([0.4]), Offer(incentive_cost=20, contact_cost=2, acceptance_rate=0.25))
    array([16.])
    """
    p, d = np.asarray(churn_probability, dtype=np.float64), offer.incentive(spend_per_purchase)
    kept = max(offer.acceptance, 0.0)  # an offer that drives customers away is taken by none of them
    return np.asarray(offer.contact_cost + d * (p * kept + (1 - p) * offer.redemption_rate))


def greatest_cost(offer: Offer, spend_per_purchase: ArrayLike | None = None) -> Floats:
    """Return the cost per customer contacted if everyone takes the incentive: ``f + d``, money."""
    return np.asarray(offer.contact_cost + offer.incentive(spend_per_purchase))


def break_even_probability(
    value_at_stake: ArrayLike, offer: Offer, spend_per_purchase: ArrayLike | None = None
) -> Floats:
    """Return the churn probability above which the offer pays: ``p* = (f + ψd) / (γ(V − d) + ψd)``.

    Returns
    -------
    ndarray of shape (n_customers,); above 1 or infinite where the offer can never pay

    Examples
    --------
    >>> offer = Offer(incentive_cost=10, contact_cost=1, acceptance_rate=0.3)
    >>> break_even_probability(np.array([200.0]), offer)
    array([0.1641791])
    """
    value, d = np.asarray(value_at_stake, dtype=np.float64), offer.incentive(spend_per_purchase)
    kept = offer.redemption_rate * d
    gain = np.asarray(offer.acceptance * (value - d) + kept)
    paid = np.broadcast_to(offer.contact_cost + kept, gain.shape)
    return _ratio(paid, gain)


def _ratio(paid: Floats, gain: Floats) -> Floats:
    ratio = np.full(gain.shape, np.inf)
    with np.errstate(over="ignore"):  # too much to write is never, too
        np.divide(paid, gain, out=ratio, where=gain > 0)
    return ratio


def break_even_acceptance(
    churn_probability: ArrayLike,
    value_at_stake: ArrayLike,
    offer: Offer,
    spend_per_purchase: ArrayLike | None = None,
) -> Floats:
    """Return the acceptance rate above which the offer pays: ``γ* = ((1 − p)ψd + f) / (p(V − d))``.

    Returns
    -------
    ndarray of shape (n_customers,); above 1 or infinite where the offer can never pay
    """
    p, value = _checked(churn_probability, value_at_stake)
    d = offer.incentive(spend_per_purchase)
    gain = np.asarray(p * (value - d))
    paid = np.asarray((1 - p) * offer.redemption_rate * d + offer.contact_cost)
    return _ratio(paid, gain)


def probability_of_profit(
    churn_probability: ArrayLike,
    value_at_stake: ArrayLike,
    offer: Offer,
    spend_per_purchase: ArrayLike | None = None,
) -> Floats:
    """Return the probability that the expected profit is positive, given only a Beta prior of acceptance.

    ``P(γ > γ*)``. Where the acceptance rate is a plain number, this is 0 or 1. The uncertainty of the churn
    probability and the value is not in it.

    Examples
    --------
    >>> prior = BetaPrior(alpha=6, beta=14)
    >>> offer = Offer(incentive_cost=10, contact_cost=1, acceptance_rate=prior)
    >>> probability_of_profit(np.array([0.2, 0.9]), np.array([200.0, 200.0]), offer).round(3)
    array([0.716, 1.   ])
    """
    needed = break_even_acceptance(churn_probability, value_at_stake, offer, spend_per_purchase)
    prior = offer.acceptance_rate
    if isinstance(prior, BetaPrior):
        return np.asarray(stats.beta.sf(needed, prior.alpha, prior.beta))
    return np.asarray(needed < prior, dtype=np.float64)
