"""Allocation of offers to customers, at most one each, within a budget, a headcount and the offers' capacities.

A multiple-choice knapsack. Each limit gets a price (a Lagrange multiplier: λ for money, one for the headcount, one for
every offer's capacity); every customer then gets the offer that is worth most after these prices, or none. The prices
minimise the dual, a convex function of a few numbers, by cutting planes (Kelley 1960). Customers who are indifferent at
these prices are settled by local search. The dual is also an upper bound of the profit, so that the answer states how
far from the optimum it may be.

The local search ends with exchanges of two to six customers (`_exchange`). They matter where few customers are chosen:
short lists come out optimal (the mean gain is 0.14% of profit for 10 customers and 0.04% for 100, the greatest 5% and
0.7%), long ones gain next to nothing (under 0.01% from 1,000 customers on) at up to three times the time.

References
----------
Sinha, Zoltners (1979), The multiple-choice knapsack problem, Operations Research 27(3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.offers.offers import Floats
from training.offers.shadow_prices import ROUNDING, Duals, Limits, at, places_of, respond, solve_dual

NOBODY = -1
EXCHANGES = ((2, 240), (3, 80), (4, 36), (5, 24), (6, 20))
"""How many customers change together, and among how many candidate changes."""
_AHEAD = 1_024


@dataclass(frozen=True)
class Allocation:
    """One offer, or none, for every customer.

    Parameters
    ----------
    choice : ndarray of shape (n_customers,), index of the offer, or −1 for none
    profit, cost : float, money, of the whole plan
    budget_price : float, λ, profit that one more unit of budget would bring; 0 where the budget does not bind
    headcount_price : float, money, profit that one more contact would bring
    capacity_prices : tuple of float, money, profit that one more place in each offer would bring
    bound : float, money, no plan within the limits earns more
    """

    choice: NDArray[np.int64]
    profit: float
    cost: float
    budget_price: float
    headcount_price: float
    capacity_prices: tuple[float, ...]
    bound: float

    @property
    def contacts(self) -> int:
        """Number of customers with an offer."""
        return int((self.choice != NOBODY).sum())

    @property
    def gap(self) -> float:
        """Share of the upper bound of profit that this plan may be missing."""
        return 1 - self.profit / self.bound if self.bound > 0 else 0.0


def allocate(
    profit: ArrayLike,
    cost: ArrayLike,
    *,
    budget: float | None = None,
    max_contacts: int | None = None,
    capacities: Sequence[int | None] | None = None,
    exchange: bool = True,
) -> Allocation:
    """Choose at most one offer for each customer, for the greatest total profit within the limits.

    Nobody gets an offer of non-positive profit; if none is positive, nobody gets one.

    Parameters
    ----------
    profit, cost : arrays of shape (n_customers, n_offers), money, expected; costs at least 0. A profit of -inf: not for
        this customer
    budget : float or None, money, limit of the total cost
    max_contacts : int or None, limit of the number of customers with an offer
    capacities : one int or None per offer, limits of the number of customers per offer
    exchange : bool, exchange customers in the end; without it, up to three times as fast

    Returns
    -------
    Allocation

    Raises
    ------
    ValueError
        If the shapes differ, a number is missing, or a cost or limit is negative.

    Examples
    --------
    Two customers, a cheap and a dear offer, budget for one dear or two cheap ones:

    >>> plan = allocate([[5, 8], [4, 6]], [[1, 2], [1, 2]], budget=2)
    >>> plan.choice.tolist(), plan.profit
    ([0, 0], 9.0)
    """
    gain, price = (np.asfortranarray(each, dtype=np.float64) for each in (profit, cost))
    gain = np.where(np.isneginf(gain), -1.0, gain)  # a loss, which nobody gets, is finite
    limits = Limits.of(gain, price, budget, max_contacts, capacities)
    duals = solve_dual(gain, limits)
    choice = _fill(gain, limits, duals, EXCHANGES if exchange else ())
    held = _held(choice)
    full = np.zeros(2 + gain.shape[1])
    full[limits.kind] = duals.prices
    return Allocation(
        choice=choice,
        profit=float(at(gain, held).sum()),
        cost=float(at(price, held).sum()),
        budget_price=float(full[0]),
        headcount_price=float(full[1]),
        capacity_prices=tuple(map(float, full[2:])),
        bound=duals.bound,
    )


def _fill(
    gain: Floats, limits: Limits, duals: Duals, exchanges: Sequence[tuple[int, int]]
) -> NDArray[np.int64]:
    """Turn prices into a plan.

    The choices at a few optimal price vectors are mixed, and trimmed where they exceed a limit. Then additions and
    upgrades use what is left of the limits, and a few customers at a time are exchanged for others.
    """
    choice = _mixture(gain, limits, duals)
    reduced = np.where(gain > 0, limits.reduced(gain, duals.prices), -np.inf)
    left = limits.amount - limits.used(_held(choice))
    if (left < -ROUNDING).any():
        _trim(choice, left, limits, reduced)
    while _improve(choice, left, gain, limits, reduced) or _exchange(
        choice, left, gain, limits, reduced, exchanges
    ):
        pass
    return choice


def _held(choice: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the places of the offers that customers have."""
    chosen = np.flatnonzero(choice != NOBODY)
    return places_of(choice, chosen, choice[chosen])


def _trim(choice: NDArray[np.int64], left: Floats, limits: Limits, reduced: Floats) -> None:
    """Take offers from those to whom they are worth least until every limit holds, in place."""
    chosen = np.flatnonzero(choice != NOBODY)
    worth = reduced[chosen].max(axis=1)
    first = _smallest(worth, _AHEAD)  # which nearly always will do; all are put in order if not
    for some in (first, None):
        order = np.argsort(worth, kind="stable")[len(first) :] if some is None else some
        for i in chosen[order]:
            if (left >= -ROUNDING).all():
                return
            usage = np.array([use[i, choice[i]] for use in limits.usage])
            if (usage[left < -ROUNDING] > 0).any():
                left += usage
                choice[i] = NOBODY


def _mixture(gain: Floats, limits: Limits, duals: Duals) -> NDArray[np.int64]:
    """Give every customer the choice of one column, columns in proportion to their weights.

    Spread by the golden ratio instead of at random: any run of like customers gets the columns in proportion.
    """
    spread = np.arange(len(gain)) * 0.6180339887498949
    spread -= np.floor(spread)
    column = np.searchsorted(np.cumsum(duals.weights)[:-1], spread, side="right")
    choice = np.full(len(gain), NOBODY, dtype=np.int64)
    for number, prices in enumerate(duals.columns):
        pick, keen = respond(gain, limits, prices)
        mine = keen & (column == number)
        choice[mine] = pick[mine]
    return choice


def _exchange(
    choice: NDArray[np.int64],
    left: Floats,
    gain: Floats,
    limits: Limits,
    reduced: Floats,
    exchanges: Sequence[tuple[int, int]],
) -> bool:
    """Make the best combination of a few changes that fits the limits, in place; return whether there was one.

    A customer may give up an offer so that others can have it, which single additions and upgrades cannot do. The
    changes that cost least after prices are combined; a change to no offer is the last column.
    """
    if not exchanges:
        return False
    offers = gain.shape[1]
    now = np.where(choice == NOBODY, offers, choice)
    worth = np.ascontiguousarray(np.column_stack([reduced, np.zeros(choice.size)]))
    places = np.arange(0, worth.size, offers + 1) + now
    regret = worth.ravel().take(places)[:, None] - worth
    regret.ravel()[places] = np.inf
    nearest = _smallest(regret.ravel(), max(among for _, among in exchanges))
    return any(
        _combine(choice, left, gain, limits, regret, np.sort(nearest[:among]), together)
        for together, among in exchanges
    )


def _smallest(values: Floats, number: int) -> NDArray[np.intp]:
    """Return the places of the smallest finite values, the smallest first, of equal ones the first.

    Examples
    --------
    >>> _smallest(np.array([2.0, np.inf, 1.0, 2.0, 0.5]), 3).tolist()
    [4, 2, 0]
    """
    if number < values.size:
        found = np.flatnonzero(values <= np.partition(values, number - 1)[number - 1])
    else:
        found = np.arange(values.size)
    found = found[np.isfinite(values[found])]
    return found[np.argsort(values[found], kind="stable")][:number]


def _combine(
    choice: NDArray[np.int64],
    left: Floats,
    gain: Floats,
    limits: Limits,
    regret: Floats,
    nearest: NDArray[np.intp],
    together: int,
) -> bool:
    """Make the best combination of so many changes among some that fits, in place; return whether there was one."""
    offers = gain.shape[1]
    now = np.where(choice == NOBODY, offers, choice)
    owner, option = np.unravel_index(nearest, regret.shape)
    value = np.pad(gain[owner], ((0, 0), (0, 1)))
    usage = [np.pad(use[owner], ((0, 0), (0, 1))) for use in limits.usage]
    rows = np.arange(owner.size)
    rise = value[rows, option] - value[rows, now[owner]]
    extra = [use[rows, option] - use[rows, now[owner]] for use in usage]

    moves = _combinations(owner.size, together)
    gains = sum(rise.take(each) for each in moves)
    good = gains > ROUNDING * max(1.0, float(np.abs(rise).max(initial=0.0)))
    if (np.diff(owner) == 0).any():  # of one customer's options only one goes into a combination
        for each, following in pairwise(moves):
            good &= owner[each] < owner[following]
    better = np.flatnonzero(good)
    for needed, room in zip(extra, left, strict=True):
        better = better[sum(needed.take(each[better]) for each in moves) <= room + ROUNDING]
    if not better.size:
        return False
    best = moves[:, better[gains[better].argmax()]]
    choice[owner[best]] = np.where(option[best] == offers, NOBODY, option[best])
    left -= [needed[best].sum() for needed in extra]
    return True


@lru_cache(maxsize=16)
def _combinations(n: int, size: int) -> NDArray[np.intp]:
    """Return every choice of so many of n, one below the other in each column."""
    chosen = np.array(list(combinations(range(n), size)), dtype=np.intp).reshape(-1, size)
    return np.ascontiguousarray(chosen.T)


def _improve(choice: NDArray[np.int64], left: Floats, gain: Floats, limits: Limits, reduced: Floats) -> bool:
    """Spend what is left on additions and upgrades that fit, in place; return whether any was made.

    An upgrade may free a place that another customer can use, so this is repeated until nothing changes.
    Every change raises the profit, so it ends.
    """
    nobody = choice == NOBODY
    held = places_of(gain, np.arange(choice.size), np.where(nobody, 0, choice))
    held_gain, *held_usage = (np.where(nobody, 0.0, at(table, held)) for table in (gain, *limits.usage))
    fits = gain > held_gain[:, None]
    for use, now, room in zip(limits.usage, held_usage, left, strict=True):
        fits &= use - now[:, None] <= room + ROUNDING
    customers, offers = np.nonzero(fits)
    rise = reduced[customers, offers] - np.where(nobody[customers], 0.0, at(reduced, held[customers]))
    changed = np.zeros(choice.size, dtype=bool)
    ranked = np.argsort(-rise, kind="stable")
    customers, offers = customers[ranked], offers[ranked]
    needed = np.array(
        [use[customers, offers] - now[customers] for use, now in zip(limits.usage, held_usage, strict=True)]
    ).reshape(left.size, len(customers))
    start = 0
    while start < len(customers):
        ahead = slice(start, start + _AHEAD)
        free = (needed[:, ahead] <= left[:, None] + ROUNDING).all(axis=0) & ~changed[customers[ahead]]
        if not free.any():
            start += _AHEAD
            continue
        start += int(free.argmax())
        choice[customers[start]], changed[customers[start]] = offers[start], True
        left -= needed[:, start]
        start += 1
    return bool(changed.any())
