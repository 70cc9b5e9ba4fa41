"""Maximum likelihood: found by a search, or within bounds where the search failed, and how sure it is."""

from __future__ import annotations

import numpy as np
import pytest

from training.clv.bgnbd import BGNBD
from training.clv.likelihood import (
    HIGHEST,
    LOWEST,
    Problem,
    at_edge,
    climb,
    maximum,
    minimise,
    principal_axes,
    refine,
)
from training.clv.mbgnbd import MBGNBD
from training.clv.paretonbd import ParetoNBD


@pytest.fixture(scope="module")
def problem() -> Problem:
    """3,000 customers of a BG/NBD over a year, in units of 52 weeks."""
    rng = np.random.default_rng(11)
    n, r, alpha, a, b = 3000, 0.6, 6.0, 0.8, 2.4
    rate, leaving = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    x, t_x, T = np.zeros(n), np.zeros(n), rng.uniform(20.0, 52.0, n)
    time, active = rng.exponential(1 / rate), np.ones(n, dtype=bool)
    while (active := active & (time < T)).any():
        x, t_x = x + active, np.where(active, time, t_x)
        active = active & (rng.random(n) >= leaving)
        time = time + rng.exponential(1 / rate)
    return Problem(BGNBD, (x, t_x / 52, T / 52, np.ones(n)), unit=52.0)


@pytest.mark.parametrize("kind", [BGNBD, MBGNBD, ParetoNBD])
def test_the_slope_is_that_of_the_objective(problem: Problem, kind: type) -> None:
    of_kind = Problem(kind, tuple(column[:200] for column in problem.data), unit=52.0)
    here = np.log([0.5, 0.2, 0.8, 2.4])

    slope = of_kind.slope(here)

    steps = 1e-5 * np.eye(4)
    rises = [of_kind.objective(here + step) - of_kind.objective(here - step) for step in steps]
    np.testing.assert_allclose(slope, np.array(rises) / 2e-5, atol=1e-7)


def test_a_search_that_finds_the_maximum_is_believed(problem: Problem) -> None:
    best = minimise(problem.objective, problem.slope, np.zeros(4))

    found, remarks = maximum(problem, lambda *_: best)

    assert found is best
    assert remarks == []


def test_a_search_that_stays_where_it_started_is_found_out(problem: Problem) -> None:
    # lifetimes' silent failure: all parameters e^0.1 = 1.105171
    best, remarks = maximum(problem, lambda *_: np.full(4, 0.1))

    assert remarks == ["BG/NBD: lifetimes found no maximum; the same likelihood was maximised within bounds."]
    assert np.abs(problem.slope(best)).max() < 1e-5
    assert problem.objective(best) < problem.objective(np.full(4, 0.1))


@pytest.mark.parametrize("found", [None, np.full(4, np.nan), np.array([0.0, 0.0, -40.0, -40.0])])
def test_a_search_that_fails_or_runs_away_is_replaced(problem: Problem, found: np.ndarray | None) -> None:
    best, remarks = maximum(problem, lambda *_: found)

    assert len(remarks) == 1
    assert not at_edge(best).any()


def test_the_parameters_that_made_the_data_are_recovered(problem: Problem) -> None:
    best, _ = maximum(problem, None)

    axes = principal_axes(problem.slope, best, problem.weight)
    deviations = np.sqrt(np.diag(axes.T @ axes))
    truth = np.log([0.6, 6.0 / 52, 0.8, 2.4])
    assert (np.abs(best - truth) < 3 * deviations).all()


def test_a_maximum_at_the_edge_is_remarked_with_its_meaning() -> None:
    # everybody buys every week and nobody has stopped: no dropout, and no spread of rates either
    T = np.arange(10.0, 50.0)
    regular = Problem(BGNBD, (T, T / 50, T / 50, np.ones_like(T)), unit=50.0)

    best, remarks = maximum(regular, None)

    assert at_edge(best).any()
    assert remarks[0].startswith("BG/NBD: the maximum lies at the edge of the bounds (")
    assert "Few customers have visibly left" in remarks[0]


def test_newtons_steps_from_a_coarse_fit_reach_the_exact_one(problem: Problem) -> None:
    x, t_x, T, weights = problem.data
    coarse = Problem(BGNBD, (x, np.round(t_x * 13) / 13, np.round(T * 13) / 13, weights), unit=52.0)
    start = minimise(coarse.objective, coarse.slope, np.zeros(4))

    refined = refine(problem, start, principal_axes(coarse.slope, start, coarse.weight))

    assert refined is not None
    np.testing.assert_allclose(refined, minimise(problem.objective, problem.slope, start), atol=1e-5)


def test_a_climb_reaches_the_maximum_of_a_search(problem: Problem) -> None:
    best = minimise(problem.objective, problem.slope, np.zeros(4))

    climbed = climb(problem)

    assert climbed is not None
    np.testing.assert_allclose(climbed, best, atol=1e-5)


def test_a_climb_that_leaves_the_bounds_finds_nothing() -> None:
    T = np.arange(10.0, 50.0)
    regular = Problem(BGNBD, (T, T / 50, T / 50, np.ones_like(T)), unit=50.0)

    assert climb(regular) is None


def test_a_start_at_the_edge_is_not_refined(problem: Problem) -> None:
    assert refine(problem, np.log([LOWEST, 1.0, 1.0, HIGHEST]), np.eye(4)) is None


def test_the_model_is_in_the_original_unit(problem: Problem) -> None:
    # 52 weeks are one unit of the data, so α = 1/8 of a unit is 6.5 weeks
    model = problem.model(np.log([0.5, 0.125, 0.8, 2.4]))
    assert (model.r, model.alpha) == (pytest.approx(0.5), pytest.approx(6.5))


def test_a_flat_direction_is_known_within_a_factor_e() -> None:
    # curvature 4 in the first, none in the second: deviations 1/√(100·4) and 1
    axes = principal_axes(lambda log_p: np.array([4 * log_p[0], 0.0]), np.zeros(2), 100.0)

    np.testing.assert_allclose(np.sort(np.abs(axes).max(axis=1)), [0.05, 1.0], rtol=1e-6)


def test_a_parameter_at_its_bound_is_taken_as_known() -> None:
    at_bound = np.log([1.0, LOWEST])

    axes = principal_axes(lambda log_p: 4 * log_p, at_bound, 100.0)

    np.testing.assert_allclose(axes.T @ axes, [[0.0025, 0.0], [0.0, 0.0]], atol=1e-9)
    assert not principal_axes(np.ones_like, np.log([HIGHEST]), 100.0).any()
