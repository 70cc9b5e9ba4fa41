"""Shadow prices of a plan's limits (Lagrange multipliers): the dual of the allocation, by cutting planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from training.offers.offers import Floats

ROUNDING = 1e-9  # by which floating-point sums may exceed a limit
_MOST_CUTS = 200


@dataclass(frozen=True)
class Limits:
    """The limits that are set: their amounts, and what each customer × offer uses of each."""

    kind: NDArray[np.int64]  # 0 budget, 1 headcount, 2 + offer its capacity
    amount: Floats  # (n_limits,)
    usage: (
        Floats  # (n_limits, n_customers, n_offers); a broadcast view where it is the same for all customers
    )

    @classmethod
    def of(
        cls,
        gain: Floats,
        cost: Floats,
        budget: float | None,
        max_contacts: int | None,
        capacities: Sequence[int | None] | None,
    ) -> Limits:
        """Check the inputs and tabulate what every customer × offer uses of every limit that is set."""
        if gain.ndim != 2 or gain.shape != cost.shape:
            raise ValueError(f"Profits have shape {gain.shape}, costs {cost.shape}: give customers × offers.")
        if not (np.isfinite(gain).all() and np.isfinite(cost).all() and (cost >= 0).all()):
            raise ValueError("Profits and costs must be numbers, and no cost negative.")
        amounts = [budget, max_contacts, *(capacities or [None] * gain.shape[1])]
        if len(amounts) != 2 + gain.shape[1] or any(a is not None and a < 0 for a in amounts):
            raise ValueError("Give one capacity per offer; no limit may be negative.")
        kind = np.array([k for k, amount in enumerate(amounts) if amount is not None], dtype=np.int64)
        offers = np.eye(gain.shape[1])
        usage = [
            cost if k == 0 else np.broadcast_to(1.0 if k == 1 else offers[k - 2], gain.shape) for k in kind
        ]
        return cls(
            kind,
            np.array([amounts[k] for k in kind], dtype=np.float64),
            np.array(usage, dtype=np.float64).reshape(len(usage), *gain.shape),
        )

    def reduced(self, gain: Floats, prices: Floats) -> Floats:
        """Return the profit of every customer × offer after paying for what is scarce."""
        if len(prices) == 1:  # the same number; tensordot copies what is used
            return np.asarray(gain - prices[0] * self.usage[0])
        return np.asarray(gain - np.tensordot(prices, self.usage, axes=1))


@dataclass(frozen=True)
class Duals:
    """The best prices, the bound they prove, and the columns (price vectors) whose mixture is optimal."""

    prices: Floats
    bound: float
    columns: list[Floats]
    weights: Floats


def respond(gain: Floats, limits: Limits, prices: Floats) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return each customer's best offer at these prices, and whether it is worth having."""
    reduced = limits.reduced(gain, prices)
    pick = reduced.argmax(axis=1)
    return pick, reduced[np.arange(pick.size), pick] > 0


def solve_dual(gain: Floats, limits: Limits) -> Duals:
    """Minimise ``Σᵢ max(0, maxₖ reducedᵢₖ) + prices·amounts`` over prices ≥ 0."""
    n_limits = limits.amount.size
    # Above these prices nobody buys, so the minimum lies below.
    positive = np.where(gain > 0, gain, 0.0)
    ceiling = [_steepest(positive, use) + ROUNDING for use in limits.usage]
    prices, best, best_prices = np.zeros(n_limits), np.inf, np.zeros(n_limits)
    columns: list[Floats] = []
    weights, slacks, earnings = np.ones(1), [], []
    for _ in range(_MOST_CUTS):
        pick, keen = respond(gain, limits, prices)
        buys = np.flatnonzero(keen)
        earned = float(gain[buys, pick[buys]].sum())
        slack = limits.amount - limits.usage[:, buys, pick[buys]].sum(axis=1)
        columns.append(prices)
        if earned + prices @ slack < best:
            best, best_prices = float(earned + prices @ slack), prices
        if (slack >= 0).all() and not prices.any():
            break
        # Every choice is a cut: dual(u) ≥ earned + u·slack. The master problem minimises their upper hull.
        slacks.append(np.append(slack, -1.0))
        earnings.append(-earned)
        lowest = _lowest(np.array(slacks)[:, :-1], -np.array(earnings), ceiling)
        if lowest is None:
            break
        prices_there, height, weights = lowest
        if best - height <= 1e-9 * max(1.0, abs(best)):
            break
        prices = prices_there
    active = np.flatnonzero(weights > ROUNDING)
    return Duals(best_prices, best, [columns[at] for at in active], weights[active])


def _lowest(slopes: Floats, heights: Floats, ceiling: Sequence[float]) -> tuple[Floats, float, Floats] | None:
    """Return where the upper hull of some planes is lowest, how low, and the weights of the planes that meet there.

    Parameters
    ----------
    slopes : ndarray of shape (n_planes, n_limits)
    heights : ndarray of shape (n_planes,), at 0
    ceiling : of each price; none is below 0
    """
    if slopes.shape[1] == 1:
        return _lowest_of_lines(slopes[:, 0], heights, ceiling[0])
    master = linprog(
        np.append(np.zeros(slopes.shape[1]), 1.0),
        A_ub=np.column_stack([slopes, -np.ones(len(slopes))]),
        b_ub=-heights,
        bounds=[(0, top) for top in ceiling] + [(None, None)],
    )
    return (master.x[:-1], float(master.fun), -master.ineqlin.marginals) if master.success else None


def _lowest_of_lines(slopes: Floats, heights: Floats, ceiling: float) -> tuple[Floats, float, Floats]:
    """Return the same for lines: it is lowest at an end, or where one that falls meets one that rises.

    Examples
    --------
    >>> _lowest_of_lines(np.array([-1.0, 1.0, 0.5]), np.array([3.0, 0.0, 0.0]), 10.0)
    (array([1.5]), 1.5, array([0.5, 0.5, 0. ]))
    """
    place, weights = 0.0, np.zeros(len(slopes))
    tops = np.flatnonzero(heights == heights.max())
    line = tops[np.argmax(slopes[tops])]
    share = 1.0
    while slopes[line] < 0:
        steeper = np.flatnonzero(slopes > slopes[line])
        meets = (heights[line] - heights[steeper]) / (slopes[steeper] - slopes[line])
        if not steeper.size or meets.min() >= ceiling:
            place = ceiling
            break
        place = max(float(meets.min()), place)
        first = steeper[meets == meets.min()]
        before, line = line, first[np.argmax(slopes[first])]
        if slopes[line] > 0:
            share = -slopes[before] / (slopes[line] - slopes[before])
            weights[before] = 1 - share
    weights[line] = share
    return np.array([place]), float(heights[line] + slopes[line] * place), weights


def _steepest(gain: Floats, use: Floats) -> float:
    ratio = np.divide(gain, use, out=np.zeros_like(gain), where=use > 0)
    return float(ratio.max(initial=0.0))
