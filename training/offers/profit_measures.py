"""Profit measures of a churn model: what a ranking is worth in money, not in ranks.

MPC takes the best cut-off of a ranking at the expected acceptance rate, EMPC averages the best profit over
what is known of that rate (a Beta prior). Where most customers leave, almost all of EMPC is the profit of
simply contacting everybody; that *floor* comes with it, and a model is judged by what it earns above it.
EMPB gives each customer their own value.

References
----------
Verbraken, Verbeke, Baesens (2013), IEEE Transactions on Knowledge and Data Engineering 25(5), eqs. 6–9.
Janssens et al. (2022), B2Boost: instance-dependent profit-driven modelling of B2B churn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.spatial import ConvexHull, QhullError

from training.offers.offer_profit import realised_profit
from training.offers.offers import BetaPrior, Floats, Offer

STANDARD_OFFER = Offer(
    name="standard", contact_cost=1, incentive_cost=10, acceptance_rate=BetaPrior(alpha=6, beta=14)
)
"""The literature's offer, with a value at stake of 200."""


@dataclass(frozen=True)
class ProfitMeasure:
    """Profit per customer (contacted or not), in money, of the best use of a ranking.

    ``floor`` is the profit per customer without any ranking: the better of everybody and nobody.
    """

    profit: float
    targeted_share: float
    floor: float

    @property
    def above_floor(self) -> float:
        """What the ranking itself earns per customer."""
        return self.profit - self.floor


def roc_hull(churned: ArrayLike, score: ArrayLike) -> tuple[Floats, Floats]:
    """Return the convex hull of the ROC curve: shares of churners and of others contacted, from none to all.

    Parameters
    ----------
    churned : array of shape (n_customers,), 0 or 1, both present
    score : array of shape (n_customers,), higher for likelier churners

    Examples
    --------
    >>> churners, others = roc_hull([0, 1, 0, 1], [0.1, 0.3, 0.2, 0.4])
    >>> churners.tolist(), others.tolist()
    ([0.0, 1.0, 1.0], [0.0, 0.0, 1.0])
    """
    y, s = np.asarray(churned, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if y.size != s.size or not ((y == 0) | (y == 1)).all() or not 0 < y.sum() < y.size:
        raise ValueError("The outcome must be 0 or 1, with both present, one for each score.")
    order = np.argsort(-s, kind="stable")
    last_of_tie = np.append(np.flatnonzero(np.diff(s[order])), y.size - 1)
    churners = np.append(0.0, np.cumsum(y[order])[last_of_tie] / y.sum())
    others = np.append(0.0, np.cumsum(1 - y[order])[last_of_tie] / (y.size - y.sum()))
    on_hull = _upper_hull(others, churners)
    return churners[on_hull], others[on_hull]


def _upper_hull(x: Floats, y: Floats) -> NDArray[np.intp]:
    """Return the indices of the upper hull of a monotone curve from (0, 0) to (1, 1)."""
    corners = np.vstack([np.column_stack([x, y]), [[1.0, 0.0]]])
    try:
        vertices = ConvexHull(corners).vertices
    except QhullError:  # all on one line: only the ends are left
        return np.array([0, x.size - 1])
    vertices = vertices[vertices < x.size]
    return np.asarray(vertices[np.lexsort((y[vertices], x[vertices]))])


def _linear_profit(
    churned: ArrayLike, score: ArrayLike, value: float, offer: Offer
) -> tuple[Floats, Floats, Floats]:
    """Profit at each hull point is ``gain·γ − cost``; also the share contacted there."""
    churners, others = roc_hull(churned, score)
    rate = float(np.mean(np.asarray(churned, dtype=np.float64)))
    d, f = float(offer.incentive()), offer.contact_cost
    gain = rate * churners * (value - d)
    cost = rate * churners * f + (1 - rate) * others * (offer.redemption_rate * d + f)
    return gain, cost, rate * churners + (1 - rate) * others


def mpc(
    churned: ArrayLike, score: ArrayLike, *, value: float = 200.0, offer: Offer = STANDARD_OFFER
) -> ProfitMeasure:
    """Return the maximum profit measure at the expected acceptance rate.

    Parameters
    ----------
    churned : array of shape (n_customers,), 0 or 1
    score : array of shape (n_customers,), higher for likelier churners
    value : float, money, the same value at stake for everyone, above the incentive
    offer : Offer with a fixed incentive

    Examples
    --------
    >>> mpc([0, 1, 0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9]).profit
    23.875
    """
    gain, cost, share = _linear_profit(churned, score, value, offer)
    profit = gain * offer.acceptance - cost
    best = int(np.argmax(profit))
    return ProfitMeasure(float(profit[best]), float(share[best]), max(0.0, float(profit[-1])))


def empc(
    churned: ArrayLike, score: ArrayLike, *, value: float = 200.0, offer: Offer = STANDARD_OFFER
) -> ProfitMeasure:
    """Average the best profit over the Beta prior of the acceptance rate: the expected maximum profit.

    Exact: between two break-even rates one hull point is best, and its profit is linear in the rate.

    Examples
    --------
    >>> measure = empc([0, 1, 0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9])
    >>> round(measure.profit, 7), round(measure.targeted_share, 7), measure.floor
    (23.8755934, 0.8743701, 22.5)
    """
    prior = offer.acceptance_rate
    if not isinstance(prior, BetaPrior):
        return mpc(churned, score, value=value, offer=offer)
    gain, cost, share = _linear_profit(churned, score, value, offer)
    if value <= float(offer.incentive()):
        return ProfitMeasure(0.0, 0.0, 0.0)
    steps = np.diff(gain)
    # A step without churners never pays, whatever the rate.
    break_even = np.divide(np.diff(cost), steps, out=np.full(steps.size, np.inf), where=steps > 0)
    edges = np.concatenate([[0.0], np.clip(break_even, 0.0, 1.0), [1.0]])
    mass = np.diff(stats.beta.cdf(edges, prior.alpha, prior.beta))
    mean = prior.mean * np.diff(stats.beta.cdf(edges, prior.alpha + 1, prior.beta))
    profit = float((gain * mean - cost * mass).sum())
    floor = max(0.0, float(gain[-1] * prior.mean - cost[-1]))
    return ProfitMeasure(profit, float((share * mass).sum()), floor)


def profit_curve(profit: ArrayLike, score: ArrayLike) -> tuple[Floats, Floats]:
    """Return the cumulative profit of contacting the top k, for every k from none to all.

    Customers of equal score are taken together: within a tie the curve rises by their mean.

    Parameters
    ----------
    profit : array of shape (n_customers,), money, of contacting each (see :func:`realised_profit`)
    score : array of shape (n_customers,), the ranking, highest first

    Returns
    -------
    contacted, cumulative : ndarrays of shape (n_customers + 1,), customers and money

    Examples
    --------
    >>> profit_curve([56.0, -11.0, 56.0], [0.9, 0.5, 0.5])[1]
    array([ 0. , 56. , 78.5, 101. ])
    """
    gain, s = np.asarray(profit, dtype=np.float64), np.asarray(score, dtype=np.float64)
    _, tie = np.unique(-s, return_inverse=True)
    even = (np.bincount(tie, weights=gain) / np.bincount(tie))[np.sort(tie)]
    return np.arange(gain.size + 1, dtype=np.float64), np.append(0.0, np.cumsum(even))


def empb(
    churned: ArrayLike,
    score: ArrayLike,
    value_at_stake: ArrayLike,
    *,
    offer: Offer = STANDARD_OFFER,
    spend_per_purchase: ArrayLike | None = None,
) -> ProfitMeasure:
    """Return the profit of the best cut-off of a ranking when every customer has their own value.

    The expectation over the acceptance rate is its mean, for profit is linear in it at a fixed cut-off.
    Profit is per customer of the whole list, as in :func:`empc`.

    Examples
    --------
    >>> empb([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], [200.0, 50.0, 400.0, 10.0]).profit  # (56 - 11 + 116) / 4
    40.25
    """
    profit = realised_profit(churned, value_at_stake, offer, spend_per_purchase)
    contacted, cumulative = profit_curve(profit, score)
    best = int(np.argmax(cumulative))
    n = contacted[-1]
    return ProfitMeasure(
        float(cumulative[best] / n), float(contacted[best] / n), max(0.0, float(cumulative[-1] / n))
    )
