"""The knapsack: small cases by hand, and random ones against an exact solver."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from training.offers import shadow_prices
from training.offers.allocation import NOBODY, allocate


def test_without_limits_everyone_gets_their_best_offer_and_nobody_a_loss() -> None:
    plan = allocate([[5, 8], [-1, -2], [3, 1]], [[1, 2], [1, 2], [1, 2]])

    assert plan.choice.tolist() == [1, NOBODY, 0]
    assert (plan.profit, plan.cost, plan.contacts, plan.budget_price) == (11, 3, 2, 0)


def test_a_budget_goes_where_it_earns_most_per_unit() -> None:
    # Profit per cost: 5, 4, 3; the budget pays for the first two.
    plan = allocate([[5], [8], [3]], [[1], [2], [1]], budget=3.5)

    assert plan.choice.tolist() == [0, 0, NOBODY]
    assert plan.budget_price == pytest.approx(3)  # the next unit would buy the third customer


def test_a_headcount_cap_goes_to_the_greatest_profit() -> None:
    plan = allocate([[5], [8], [3]], [[1], [2], [1]], max_contacts=1)

    assert plan.choice.tolist() == [NOBODY, 0, NOBODY]


def test_a_full_offer_leaves_the_others_to_the_next_best() -> None:
    plan = allocate([[9, 5], [8, 7], [6, 1]], np.ones((3, 2)), capacities=[2, None])

    # The first place is worth 4 to customer 0, 1 to customer 1, 5 to customer 2.
    assert plan.choice.tolist() == [0, 1, 0]


@pytest.mark.parametrize("limit", [{"budget": 0}, {"max_contacts": 0}, {"capacities": [0, 0]}])
def test_nothing_to_spend_means_nobody(limit: dict[str, object]) -> None:
    plan = allocate([[5, 8], [4, 6]], [[1, 2], [1, 2]], **limit)  # type: ignore[arg-type]

    assert plan.choice.tolist() == [NOBODY, NOBODY]
    assert plan.profit == 0


def test_nobody_pays_and_nobody_is_there() -> None:
    assert allocate([[-5.0]], [[1.0]], budget=10).contacts == 0
    assert allocate(np.empty((0, 2)), np.empty((0, 2)), budget=10).contacts == 0


@pytest.mark.parametrize(
    ("profit", "cost", "limits", "message"),
    [
        ([[1.0]], [[1.0, 2.0]], {}, "customers × offers"),
        ([[np.nan]], [[1.0]], {}, "must be numbers"),
        ([[1.0]], [[-1.0]], {}, "no cost negative"),
        ([[1.0]], [[1.0]], {"budget": -1}, "no limit may be negative"),
        ([[1.0]], [[1.0]], {"capacities": [1, 2]}, "one capacity per offer"),
    ],
)
def test_what_is_no_plan_is_refused(
    profit: object, cost: object, limits: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        allocate(profit, cost, **limits)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(40))
def test_within_half_a_percent_of_the_exact_optimum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(200, 400)), int(rng.integers(1, 5))
    value, p = rng.lognormal(4, 1, (n, 1)), rng.beta(2, 2, (n, 1))
    if seed % 5 == 0:  # customers all alike: every choice a tie
        value, p = np.full((n, 1), 100.0), np.full((n, 1), 0.6)
    incentive, contact = rng.uniform(2, 30, k), rng.uniform(0.1, 3, k)
    acceptance = rng.uniform(0.1, 0.5, k)
    cost = contact + incentive * (p * acceptance + 1 - p)
    profit = p * acceptance * value - cost
    budget = float(cost.max(axis=1).sum() * rng.uniform(0.05, 0.5)) if seed % 3 else None
    headcount = int(n * rng.uniform(0.1, 0.6)) if seed % 2 else None
    capacities = [int(n * rng.uniform(0.05, 0.4)) if rng.random() < 0.6 else None for _ in range(k)]

    plan = allocate(profit, cost, budget=budget, max_contacts=headcount, capacities=capacities)

    best = _exact(profit, cost, budget, headcount, capacities)
    assert plan.profit >= 0.995 * best - 1e-9
    assert plan.bound >= best - 1e-6
    assert plan.profit >= (1 - plan.gap) * plan.bound - 1e-9
    chosen = plan.choice != NOBODY
    assert (profit[chosen, plan.choice[chosen]] > 0).all()
    assert budget is None or plan.cost <= budget + 1e-9
    assert headcount is None or plan.contacts <= headcount
    for offer, capacity in enumerate(capacities):
        assert capacity is None or (plan.choice == offer).sum() <= capacity


@pytest.mark.parametrize("seed", range(20))
def test_a_short_list_is_the_best_there_is(seed: int) -> None:
    rng = np.random.default_rng([7, seed])
    n = int(rng.integers(8, 40))
    value, p = rng.lognormal(4, 1, (n, 1)), rng.beta(2, 2, (n, 1))
    incentive, contact, acceptance = rng.uniform(2, 30, 2), rng.uniform(0.1, 3, 2), rng.uniform(0.1, 0.5, 2)
    cost = contact + incentive * (p * acceptance + 1 - p)
    profit = p * acceptance * value - cost
    budget = float(cost.max(axis=1).sum() * rng.uniform(0.05, 0.5))

    plan = allocate(profit, cost, budget=budget)

    assert plan.profit == pytest.approx(_exact(profit, cost, budget, None, [None, None], gap=0), rel=1e-9)


def _exact(
    profit: np.ndarray,
    cost: np.ndarray,
    budget: float | None,
    headcount: int | None,
    capacities: list[int | None],
    gap: float = 1e-3,  # half of what the test allows is enough precision for the solver too
) -> float:
    n, k = profit.shape
    rows = [sparse.kron(sparse.eye_array(n), np.ones((1, k)))]
    limits = [np.ones(n)]
    for usage, limit in [
        (cost.reshape(1, -1), budget),
        (np.ones((1, n * k)), headcount),
        *((np.tile(np.eye(k)[offer], n).reshape(1, -1), c) for offer, c in enumerate(capacities)),
    ]:
        if limit is not None:
            rows.append(sparse.csr_array(usage))
            limits.append(np.array([limit]))
    constraint = LinearConstraint(sparse.vstack(rows), -np.inf, np.concatenate(limits))
    options = {"mip_rel_gap": gap}
    found = milp(
        -profit.ravel(),
        constraints=constraint,
        integrality=np.ones(n * k),
        bounds=Bounds(0, 1),
        options=options,
    )
    return float(-found.fun)


def test_a_budget_of_next_to_nothing_is_priced_in_a_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 0

    def counted(*money: Any, **limits: Any) -> Any:
        nonlocal steps
        steps += 1
        return linprog(*money, **limits)

    monkeypatch.setattr(shadow_prices, "linprog", counted)
    gain = [[0.07, -8.0], [0.28, -9.0], [0.25, -6.0]]
    cost = [[2.0, 11.0], [2.0, 12.0], [2.5, 10.0]]

    found = allocate(gain, cost, budget=0.01, capacities=[None, 55])

    # the best ratio is .28 / 2 for each unit of money
    assert found.contacts == 0 and found.bound == pytest.approx(0.01 * 0.28 / 2)
    assert 0 < steps < 20  # the answers of the solver differ by its rounding for as long as it is asked
