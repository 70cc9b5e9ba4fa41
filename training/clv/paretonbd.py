"""Pareto/NBD: customers buy at a constant rate while alive and leave at a constant rate, unobserved, at any time.

While alive a customer buys with rate λ and leaves with rate μ. Over customers λ ~ Gamma(r, α) and
μ ~ Gamma(s, β). Time is in **weeks**; x, t_x, T are frequency, recency and age.

Given a history, a customer who is alive at T has λ ~ Gamma(r+x, α+T) and μ ~ Gamma(s, β+T); one who left at
τ, between t_x and T, has λ ~ Gamma(r+x, α+τ) and μ ~ Gamma(s+1, β+τ). Everything below is an integral over
τ, or over time to come, of such densities: all terms positive, and no hypergeometric function.

References
----------
Schmittlein, Morrison, Colombo (1987), Counting Your Customers, Management Science 33(1), 1-24;
Fader, Hardie (2005), A Note on Deriving the Pareto/NBD Model, brucehardie.com/notes/009.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy.special import expit, gammaln, log_expit

from features.language import translatable
from training.clv.activity import Activity, discounted_weeks
from training.clv.bgnbd import CENTURY
from training.clv.operational_time import NO_DISCOUNT, Discount
from training.clv.quadrature import POINTS, FloatArray, time_points
from training.clv.row_cache import RowCache, in_blocks, once_per_distinct
from training.clv.slopes import Slopes, finite_by_parameter, finite_slopes

_NOTHING = 40.0  # e^-40 of an integrand is rounding error: integrals stop there
_INNER_POINTS, _LATER_POINTS = 20, 16  # of an integral of integrals: to eight digits, in a third of the time


@dataclass(frozen=True)
class ParetoNBD:
    """The Pareto/NBD model of purchases.

    Parameters
    ----------
    r, alpha : float, above 0
        Shape and rate (weeks) of the purchase rate's Gamma distribution.
    s, beta : float, above 0
        Shape and rate (weeks) of the leaving rate's.

    Notes
    -----
    Methods take x, t_x, T as float arrays of shape (n,), t_x and T in weeks, 0 <= t_x <= T, and work
    elementwise: a row's result has the same bits alone or in any batch.

    Examples
    --------
    >>> model = ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669)
    >>> x, t_x, T = np.array([2.0]), np.array([30.43]), np.array([38.86])
    >>> model.p_alive(x, t_x, T).round(3), model.expected_purchases(x, t_x, T, 39.0).round(3)
    (array([0.869]), array([1.455]))
    """

    r: float
    alpha: float
    s: float
    beta: float

    name: ClassVar[str] = "paretonbd"
    title: ClassVar[str] = "Pareto/NBD"
    at_edge: ClassVar[str] = (  # the meaning of a parameter without a finite estimate
        translatable(
            "Few customers have visibly left, as on a young log, or customers do not differ: P(alive)"
            " and long-run value are unreliable."
        )
    )
    scale_parameters: ClassVar[tuple[str, ...]] = ("alpha", "beta")  # those in units of time

    @cached_property
    def _cache(self) -> RowCache:
        return RowCache()

    def _leaving_times(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return 32 times τ in (t_x, T], weighted by the density of having left at τ, silent since t_x.

        The density is relative to that of a purchase and no leaving at t_x:
        ``((α+t_x)/(α+τ))^(r+x) · ((β+t_x)/(β+τ))^s · s/(β+τ)``.
        """
        R, A, B = self.r + x, self.alpha + t_x, self.beta + t_x
        t, w = time_points(_until_nothing(T - t_x, (A, R), (B, self.s + 1.0)), np.minimum(A, B))
        A, B = A[:, None], B[:, None]
        fading = np.exp(-R[:, None] * np.log1p(t / A) - self.s * np.log1p(t / B))
        return t_x[:, None] + t, w * fading * self.s / (B + t)

    def _alive_logit(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Return the log-odds of being alive at T, silent since t_x; inf where T = t_x."""

        def logit(x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
            left = self._leaving_times(x, t_x, T)[1].sum(axis=1)
            silence = T - t_x
            alive = -(self.r + x) * np.log1p(silence / (self.alpha + t_x))
            alive -= self.s * np.log1p(silence / (self.beta + t_x))
            with np.errstate(divide="ignore"):
                return np.asarray(alive - np.log(left))

        return once_per_distinct(logit, x, t_x, T)

    def log_likelihood(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, weights: FloatArray | float = 1.0
    ) -> float:
        """Return the log-likelihood of the customers, each counted ``weights`` times."""
        return float((weights * self.log_likelihoods(x, t_x, T)).sum())

    def log_likelihoods(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Return each customer's log-likelihood (note 009, eq. 18).

        ``L = Γ(r+x)/Γ(r) · α^r/(α+T)^(r+x) · (β/(β+T))^s / P(alive)``: the probability of the purchases
        together with being alive, over the probability of being alive given the purchases.
        """
        timing = gammaln(self.r + x) - gammaln(self.r) + self.r * np.log(self.alpha)
        staying = -self.s * np.log1p(T / self.beta) - (self.r + x) * np.log(self.alpha + T)
        return np.asarray(timing + staying - log_expit(self._alive_logit(x, t_x, T)))

    def slopes(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> Slopes:
        """Return each customer's log-likelihood, and by how much it rises with the parameters and the times."""
        return finite_slopes(self, x, t_x, T)

    def slope(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, weights: FloatArray | float = 1.0
    ) -> FloatArray:
        """Return by how much `log_likelihood` rises with the logarithm of each parameter, of shape (4,)."""
        return np.array([(weights * each).sum() for each in finite_by_parameter(self, x, t_x, T)])

    def p_alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Return the probability of not having left yet (note 009, eq. 37)."""
        return np.asarray(expit(self._alive_logit(x, t_x, T)))

    def p_silent_if_alive(self, x: FloatArray, T: FloatArray, weeks: float) -> FloatArray:
        """Return P(alive and without a purchase through ``weeks`` | alive): ``(A/(A+H))^R · (B/(B+H))^s``."""
        buying = (self.r + x) * np.log1p(weeks / (self.alpha + T))
        return np.exp(-buying - self.s * np.log1p(weeks / (self.beta + T)))

    def p_purchase_if_alive(self, x: FloatArray, T: FloatArray, weeks: FloatArray | float) -> FloatArray:
        """Return P(a purchase within ``weeks`` | alive at T), before leaving."""

        def integrate(x: FloatArray, T: FloatArray, weeks: FloatArray) -> FloatArray:
            return first_purchase(self.r + x, self.alpha + T, self.s, self.beta + T, weeks)

        return once_per_distinct(integrate, x, T, np.broadcast_to(weeks, x.shape))

    def p_no_purchase(self, x: FloatArray, t_x: FloatArray, T: FloatArray, weeks: float) -> FloatArray:
        """Return the probability of no purchase in the next ``weeks``: p0, the model's churn probability."""
        logit = self._alive_logit(x, t_x, T)
        return np.asarray(expit(-logit) + expit(logit) * (1.0 - self.p_purchase_if_alive(x, T, weeks)))

    def purchases_if_alive(
        self, x: FloatArray, T: FloatArray, weeks: float, discount: Discount = NO_DISCOUNT
    ) -> FloatArray:
        """Return D: the discounted number of purchases expected in ``weeks``, of a customer alive at T."""

        def integrate(x: FloatArray, T: FloatArray) -> FloatArray:
            return discounted_purchases(self.r + x, self.alpha + T, self.s, self.beta + T, weeks, discount)

        return self._cache(("alive", weeks, discount), integrate, x, T)

    def expected_purchases(self, x: FloatArray, t_x: FloatArray, T: FloatArray, weeks: float) -> FloatArray:
        """Return the number of purchases expected in the next ``weeks``, leaving considered (eq. 41)."""
        return self.p_alive(x, t_x, T) * self.purchases_if_alive(x, T, weeks)

    def purchases_after_win_back(
        self,
        x: FloatArray,
        t_x: FloatArray,
        T: FloatArray,
        weeks: float,
        discount: Discount = NO_DISCOUNT,
    ) -> tuple[FloatArray, FloatArray]:
        """Return the purchases expected in the ``weeks`` after one more purchase, that an offer brings about.

        In two parts that sum to the whole: of those who had not left, and of those who had, in case that they go
        on at their old rate. Each is weighted with its probability.

        The customer is silent until T; we don't know whether they have left. Alive or won back, they go on
        with their own rates of buying and of leaving. The new purchase itself is not counted.
        """

        def if_left(x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
            tau, w = self._leaving_times(x, t_x, T)
            after = [
                discounted_purchases(
                    self.r + x, self.alpha + at, self.s + 1.0, self.beta + at, weeks, discount
                )
                for at in np.ascontiguousarray(tau.T)
            ]
            return np.asarray((np.stack(after, axis=1) * w).sum(axis=1) / w.sum(axis=1))

        logit = self._alive_logit(x, t_x, T)
        alive = self.purchases_if_alive(x, T, weeks, discount)
        left = once_per_distinct(if_left, x, t_x, T)
        return np.asarray(expit(logit) * alive), np.asarray(expit(-logit) * left)

    def active_weeks_if_alive(
        self, x: FloatArray, T: FloatArray, begin: FloatArray, activity: Activity
    ) -> FloatArray:
        """Return Q: the discounted weeks, from ``begin`` on, in which a customer alive at T is active."""

        def integrate(x: FloatArray, T: FloatArray, begin: FloatArray) -> FloatArray:
            return active_weeks(self.r + x, self.alpha + T, self.s, self.beta + T, begin, activity)

        return self._cache(("active", activity), integrate, x, T, begin)

    def active_weeks_after_win_back(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, activity: Activity
    ) -> tuple[FloatArray, FloatArray]:
        """Return the discounted active weeks after those of a won-back purchase, silent until T, in two parts.

        The parts and what is known of their customers are those of `purchases_after_win_back`.
        """

        def if_left(x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
            tau, w = self._leaving_times(x, t_x, T)
            R, at = np.repeat(self.r + x, tau.shape[1]), tau.ravel()

            def after_leaving(R: FloatArray, at: FloatArray) -> FloatArray:
                v = np.full_like(at, activity.inactivity_weeks)
                return active_weeks(R, self.alpha + at, self.s + 1.0, self.beta + at, v, activity)

            after = in_blocks(after_leaving, R, at)
            return np.asarray((after.reshape(tau.shape) * w).sum(axis=1) / w.sum(axis=1))

        logit = self._alive_logit(x, t_x, T)
        alive = self.active_weeks_if_alive(x, T, np.full_like(x, activity.inactivity_weeks), activity)
        left = self._cache(("active, had left", activity), if_left, x, t_x, T)
        return np.asarray(expit(logit) * alive), np.asarray(expit(-logit) * left)

    def purchase_log_odds(self, x: FloatArray, t_x: FloatArray, T: FloatArray, weeks: float) -> FloatArray:
        """Return the log-odds of a purchase within ``weeks``."""
        return self._purchase_log_odds(x, T, np.full_like(x, weeks), self._alive_logit(x, t_x, T))

    def _purchase_log_odds(
        self, x: FloatArray, T: FloatArray, weeks: FloatArray, z: FloatArray
    ) -> FloatArray:
        """Return ``ln(q / (1 − q + e^(−z)))``: q = P(a purchase | alive), and z the log-odds of being alive."""
        q = np.minimum(self.p_purchase_if_alive(x, T, weeks), 1.0 - np.finfo(float).epsneg)
        with np.errstate(divide="ignore"):
            return np.log(q) - np.logaddexp(np.log1p(-q), -z)

    def next_purchase(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, log_odds: FloatArray
    ) -> FloatArray:
        """Return the weeks until a next purchase has come with a probability of ``log_odds``.

        The inverse of `purchase_log_odds`, by halving, to a millionth of a day; NaN where they never get there, or not
        within a century.
        """
        logit = self._alive_logit(x, t_x, T)
        early, late = np.zeros_like(x), np.full_like(x, CENTURY)
        never = self._purchase_log_odds(x, T, late, logit) < log_odds
        for _ in range(36):
            middle = (early + late) / 2.0
            reached = self._purchase_log_odds(x, T, middle, logit) >= log_odds
            early, late = np.where(reached, early, middle), np.where(reached, middle, late)
        return np.where(never, np.nan, late)


def first_purchase(
    R: FloatArray, A: FloatArray, s: float, B: FloatArray, weeks: FloatArray, points: int = POINTS
) -> FloatArray:
    """Return P(a purchase within ``weeks``, before leaving) for λ ~ Gamma(R, A), μ ~ Gamma(s, B), alive at 0.

    ``∫₀ᴴ (R/A)·(A/(A+t))^(R+1) · (B/(B+t))^s dt``: the first purchase comes at t and leaving does not.
    """
    t, w = time_points(_until_nothing(weeks, (A, R + 1.0), (B, s)), np.minimum(A, B), points)
    R, A, B = R[:, None], A[:, None], B[:, None]
    fading = np.exp(-(R + 1.0) * np.log1p(t / A) - s * np.log1p(t / B))
    return np.asarray((R / A * fading * w).sum(axis=1))


def discounted_purchases(
    R: FloatArray, A: FloatArray, s: float, B: FloatArray, weeks: float, discount: Discount
) -> FloatArray:
    """Return ``D = ∫₀ᵂ e^(−δt) · E[λ·e^(−μt)] dt`` for λ ~ Gamma(R, A), μ ~ Gamma(s, B).

    A customer alive at 0 is alive at t with probability e^(−μt) and then buys with rate λ; E[λ] = R/A and
    E[e^(−μt)] = (B/(B+t))^s.
    """
    t, w = time_points(_until_nothing(weeks, (B, s)), B)
    fading = np.exp(-s * np.log1p(t / B[:, None]))
    return np.asarray(R / A * (fading * discount(t) * w).sum(axis=1))


def active_weeks(
    R: FloatArray, A: FloatArray, s: float, B: FloatArray, begin: FloatArray, activity: Activity
) -> FloatArray:
    """Return the discounted active weeks from ``begin`` on, for λ ~ Gamma(R, A), μ ~ Gamma(s, B), alive at 0.

    A purchase comes between ``start`` and ``end`` if the customer is alive at the start and buys before they leave:
    E[e^(−μ·start)] times `first_purchase` in ``end − start`` weeks of a customer with μ ~ Gamma(s, B + start).
    """

    def p_purchase(start: FloatArray, end: FloatArray) -> FloatArray:
        def from_start(R: FloatArray, A: FloatArray, B: FloatArray, weeks: FloatArray) -> FloatArray:
            return first_purchase(R, A, s, B, weeks, _INNER_POINTS)

        wide = [np.broadcast_to(column[:, None], start.shape) for column in (R, A)]
        columns = [each.ravel() for each in (*wide, B[:, None] + start, end - start)]
        alive = np.exp(-s * np.log1p(start / B[:, None]))
        return alive * in_blocks(from_start, *columns).reshape(start.shape)

    return discounted_weeks(p_purchase, begin, np.minimum(A, B), activity, _LATER_POINTS)


def _until_nothing(upper: FloatArray | float, *factors: tuple[FloatArray, FloatArray | float]) -> FloatArray:
    """Return the upper limit of an integral of ``(A/(A+t))^k`` factors: ``upper``, or where nothing is left."""
    for A, k in factors:
        upper = np.minimum(upper, A * np.expm1(np.minimum(_NOTHING / k, 100.0)))
    return np.asarray(upper, dtype=np.float64)


MODEL = ParetoNBD
