"""Shadow prices of a plan's limits (Lagrange multipliers): the dual of the allocation, by cutting planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
    usage: tuple[Floats, ...]  # one per limit, of shape (n_customers, n_offers), column by column

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
            tuple(np.asfortranarray(each, dtype=np.float64) for each in usage),
        )

    def reduced(self, gain: Floats, prices: Floats) -> Floats:
        """Return the profit of every customer × offer after paying for what is scarce."""
        if not len(prices):
            return gain
        paid = prices[0] * self.usage[0]
        for price, use in zip(prices[1:], self.usage[1:], strict=True):
            paid += price * use
        return np.asarray(gain - paid)

    def used(self, places: NDArray[np.intp]) -> Floats:
        """Return what some `places` use of each limit."""
        return np.array([at(use, places).sum() for use in self.usage])


def places_of(table: NDArray[Any], customers: NDArray[np.intp], offers: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the places of some customer × offers in a table that lies column by column, for `at`."""
    return np.asarray(offers * len(table) + customers)


def at(table: Floats, places: NDArray[np.intp]) -> Floats:
    """Return the numbers at some places: a third of the time of an index of customers and one of offers."""
    return np.asarray(table.T.ravel().take(places))


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
    pick, most = np.zeros(len(gain), dtype=np.intp), reduced[:, 0]
    for offer in range(1, gain.shape[1]):  # column by column, a tenth of the time of argmax along short rows
        better = reduced[:, offer] > most
        pick[better] = offer
        most = np.where(better, reduced[:, offer], most)
    return pick, most > 0


def solve_dual(gain: Floats, limits: Limits) -> Duals:
    """Minimise ``Σᵢ max(0, maxₖ reducedᵢₖ) + prices·amounts`` over prices ≥ 0."""
    n_limits = limits.amount.size
    # Above these prices nobody buys, so the minimum lies below.
    positive = np.where(gain > 0, gain, 0.0)
    ceiling = [_steepest(positive, use) + ROUNDING for use in limits.usage]
    prices, best, best_prices = np.zeros(n_limits), np.inf, np.zeros(n_limits)
    columns: list[Floats] = []
    slacks: list[Floats] = []
    earnings: list[float] = []
    weights = np.ones(1)
    for _ in range(_MOST_CUTS):
        pick, keen = respond(gain, limits, prices)
        buys = np.flatnonzero(keen)
        places = places_of(gain, buys, pick[buys])
        earned = float(at(gain, places).sum())
        slack = limits.amount - limits.used(places)
        columns.append(prices)
        if earned + prices @ slack < best:
            best, best_prices = float(earned + prices @ slack), prices
        if (slack >= 0).all() and not prices.any():
            break
        # Every choice is a cut: dual(u) ≥ earned + u·slack. The master problem minimises their upper hull.
        if any(
            -earned == known and (slack == cut[:-1]).all()
            for cut, known in zip(slacks, earnings, strict=True)
        ):
            break  # one that it has: what is between hull and dual is the rounding of its solver
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
    slope, height = slopes.tolist(), heights.tolist()  # a few lines: plain numbers are faster than arrays
    lines = range(len(slope))
    place, line = 0.0, max(lines, key=lambda each: (height[each], slope[each]))
    weights, share = np.zeros(len(slope)), 1.0
    while slope[line] < 0:
        meets = [
            ((height[line] - height[each]) / (slope[each] - slope[line]), -slope[each], each)
            for each in lines
            if slope[each] > slope[line]
        ]
        nearest, _, first = min(meets, default=(ceiling, 0.0, line))
        if nearest >= ceiling:
            place = ceiling
            break
        place = max(nearest, place)
        before, line = line, first
        if slope[line] > 0:
            share = -slope[before] / (slope[line] - slope[before])
            weights[before] = 1 - share
    weights[line] = share
    return np.array([place]), height[line] + slope[line] * place, weights


def _steepest(gain: Floats, use: Floats) -> float:
    ratio = np.divide(gain, use, out=np.zeros_like(gain), where=use > 0)
    return float(ratio.max(initial=0.0))
