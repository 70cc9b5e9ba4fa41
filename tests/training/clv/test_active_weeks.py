"""Active weeks: the golden table, the identity, simulated futures, a season, and bits."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.integrate import quad
from scipy.special import hyp2f1

from training.clv.active_weeks import ActivityAhead, active_weeks
from training.clv.bgnbd import BGNBD
from training.clv.mbgnbd import MBGNBD
from training.clv.net_value import NetValues
from training.clv.operational_time import Intensity
from training.clv.paretonbd import ParetoNBD
from training.clv.value import Cases, Future, ValueTerms, customer_values

BG = BGNBD(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881)
MBG = MBGNBD(r=0.5248377, alpha=6.1829885, a=0.8913563, b=1.6140000)
PARETO = ParetoNBD(r=0.5532755, alpha=10.5776123, s=0.6062136, beta=11.6679113)
MODELS = [BG, MBG, PARETO]
Model = BGNBD | ParetoNBD

# H = v = 13 and W = 52 weeks; 15% for a year of 52 weeks is 1.15^(365/364) − 1 for one of 365 days
TERMS = ValueTerms(
    horizon_days=91,
    value_horizon_days=364,
    discount_rate=1.15 ** (365 / 364) - 1,
    resumption=1.0,
    inactivity_days=91,
)
DELTA = TERMS.discount_per_week

# (x, t_x, T): expected at p0, silent, won back
GOLDEN: dict[tuple[float, float, float], tuple[float, float, float]] = {
    (2, 30.43, 38.86): (16.382455, 10.798504, 25.090654),
    (0, 0, 38.86): (2.407258, 1.401486, 13.590331),
    (26, 30.86, 31): (38.778430, 12.896986, 35.470870),
}


def history(*rows: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, t_x, T of (x, t_x, T) rows."""
    x, t_x, T = np.array(rows, dtype=float).reshape(-1, 3).T
    return x.copy(), t_x.copy(), T.copy()


def weeks_of(
    model: Model, rows: tuple[np.ndarray, np.ndarray, np.ndarray], terms: ValueTerms = TERMS
) -> Cases:
    """Return the active weeks at constant intensity, where operational time is calendar time."""
    x, t_x, T = rows
    return active_weeks(model, x, t_x, T, T - t_x, Future.of(terms), ActivityAhead.of(terms))


def net(row: tuple[float, float, float], cost_per_week: float) -> NetValues:
    """Return the values of a customer whose purchases bring 1 each."""
    rows = history(row)
    purchases = customer_values(BG, *rows, Future.of(TERMS))
    return NetValues(purchases, weeks_of(BG, rows), np.ones(1), cost_per_week)


@pytest.mark.parametrize("row", GOLDEN)
def test_the_golden_table_is_reproduced_to_the_last_printed_digit(row: tuple[float, float, float]) -> None:
    weeks = weeks_of(BG, history(row))

    p0 = BG.p_no_purchase(*history(row), 13.0)
    ours = weeks.expected(p0), weeks.silent, weeks.won_back
    assert tuple(float(value[0].round(6)) for value in ours) == GOLDEN[row]


@pytest.mark.parametrize(
    ("row", "cost_per_week", "expected", "at_stake"),
    [((2, 30.43, 38.86), 0.1, -0.176463, 0.016612), ((26, 30.86, 31), 0.7, -2.915418, -0.127967)],
)
def test_customers_who_cost_more_than_they_bring_have_the_golden_negative_values(
    row: tuple[float, float, float], cost_per_week: float, expected: float, at_stake: float
) -> None:
    values = net(row, cost_per_week)

    assert values.expected(values.purchases.p0).round(6) == [expected]
    assert values.at_stake.round(6) == [at_stake]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("inactivity_days", [30, 91, 200, 500])
def test_the_two_halves_of_the_future_make_the_whole(model: Model, inactivity_days: int) -> None:
    # p0·silent + (1 − p0)·active = k(c₀) + P(alive)·Q: a customer is either silent through the window or not
    rng = np.random.default_rng(1)
    x = rng.integers(0, 30, 100).astype(float)
    T = rng.uniform(5.0, 150.0, 100)
    rows = x, np.where(x > 0, T * rng.uniform(0, 1, 100), 0.0), T
    terms = replace(TERMS, inactivity_days=inactivity_days)
    ahead = ActivityAhead.of(terms)

    weeks = weeks_of(model, rows, terms)

    still = ahead.still_active(T - rows[1])
    natural = model.p_alive(*rows) * model.active_weeks_if_alive(x, T, still, ahead.now)
    p0 = model.p_no_purchase(*rows, 13.0)
    np.testing.assert_allclose(weeks.expected(p0), ahead.now.paid(still) + natural, rtol=1e-10, atol=1e-12)
    assert (weeks.active <= ahead.now.paid(np.array(52.0)) + 1e-9).all()  # all of the year at the most


def test_a_customer_who_bought_today_is_active_for_the_window_whatever_happens() -> None:
    # 13 weeks, discounted; an inactivity window longer than the horizon makes them active throughout
    rows = history((3, 30.0, 30.0))

    short, long = (weeks_of(BG, rows, replace(TERMS, inactivity_days=days)) for days in (91, 400))

    assert short.silent > (1 - math.exp(-DELTA * 13)) / DELTA
    everything = (1 - math.exp(-DELTA * 52)) / DELTA
    for weeks in (long.silent, long.active, long.won_back):
        np.testing.assert_allclose(weeks, everything)


def test_at_an_annual_rate_of_0_weeks_are_counted_as_they_are() -> None:
    free = weeks_of(BG, history((26, 30.86, 31)), replace(TERMS, discount_rate=0.0, inactivity_days=400))

    np.testing.assert_allclose(free.active, 52.0)


def test_who_had_left_is_billed_for_the_purchase_in_full_and_for_the_rest_in_proportion() -> None:
    row = (1, 1.71, 38.86)
    none, half, full = (
        weeks_of(BG, history(row), replace(TERMS, resumption=share)) for share in (0.0, 0.5, 1.0)
    )

    # from mid-window on 13 weeks, discounted
    assert none.won_back > math.exp(-DELTA * 6.5) * (1 - math.exp(-DELTA * 13)) / DELTA
    np.testing.assert_allclose(none.won_back + none.resumed, full.won_back)
    np.testing.assert_allclose(half.won_back, (none.won_back + full.won_back) / 2)
    assert none.silent == half.silent == full.silent


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 60), st.integers(1, 60)), min_size=1, max_size=30
    )
)
@settings(max_examples=15)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_customer_has_the_same_bits_alone_and_in_any_company(
    model: Model, rows: list[tuple[int, int, int]]
) -> None:
    weeks = [(x, min(t_x, T) / 7 if x else 0.0, T / 7) for x, t_x, T in rows]

    together = weeks_of(model, history(*weeks))

    for place, row in enumerate(weeks):
        fresh = replace(model)  # type: ignore[type-var]  # a copy has an empty cache
        alone = weeks_of(fresh, history(row))
        for name in ("silent", "active", "won_back", "resumed"):
            assert getattr(alone, name)[0] == getattr(together, name)[place], (name, row)


def test_a_season_moves_purchases_and_leaves_the_billing_in_calendar_time() -> None:
    # ∫ e^(−δt)·q(t) dt on a grid of hours, with q from Λ(t) and Λ(t − v) by scipy's ₂F₁
    intensity = Intensity(snapshot_day=20_000, first_day=19_000, harmonics=((0.5, -0.3), (0.2, 0.1)))
    ahead = ActivityAhead.of(TERMS, intensity, 20_000)
    R, A, a, B = BG.r + 2, BG.alpha + 38.86, BG.a, BG.b + 2
    t = np.arange(4.57, 52.0, 1 / 168)
    end = intensity.weeks(20_000, 20_000 + 7 * t)
    start = intensity.weeks(20_000, 20_000 + 7 * np.maximum(t - 13, 0))
    d = end - start
    alive, if_silent = (hyp2f1(R, a, a + B, -start / scale) for scale in (A, A + d))
    on_a_grid = np.trapezoid(np.exp(-DELTA * t) * (alive - (A / (A + d)) ** R * if_silent), t)

    ours = BG.active_weeks_if_alive(np.array([2.0]), np.array([38.86]), np.array([4.57]), ahead.now)

    np.testing.assert_allclose(ours, on_a_grid, rtol=3e-4)


@pytest.mark.parametrize(("x", "t_x", "T"), [(0.0, 0.0, 9.0), (3.0, 35.0, 38.86), (300.0, 99.0, 100.0)])
def test_pareto_nbds_double_integral_is_that_of_an_adaptive_rule(x: float, t_x: float, T: float) -> None:
    activity = ActivityAhead.of(TERMS).now
    R, A, B, s = PARETO.r + x, PARETO.alpha + T, PARETO.beta + T, PARETO.s

    def first(u: float, start: float) -> float:  # alive at the start, the first purchase after it comes at u
        return float(R / A * (A / (A + u)) ** (R + 1) * (B / (B + start + u)) ** s)

    def billed(t: float) -> float:
        start = max(t - 13.0, 0.0)
        return math.exp(-DELTA * t) * float(quad(first, 0, t - start, (start,), epsabs=1e-12, limit=200)[0])

    exact = sum(quad(billed, *piece, epsabs=1e-10)[0] for piece in ((2.0, 13.0), (13.0, 52.0)))

    ours = PARETO.active_weeks_if_alive(np.array([x]), np.array([T]), np.array([2.0]), activity)
    np.testing.assert_allclose(ours, exact, rtol=1e-8)


# --- Simulated futures: the models' stories told forward, without any of the formulas ------------------------

PRIOR_DRAWS, DRAWS = 1_000_000, 40_000


def k(weeks: np.ndarray) -> np.ndarray:
    """Discount so many weeks from now on."""
    return np.asarray((1 - np.exp(-DELTA * weeks)) / DELTA)


def draw(
    model: Model, x: float, t_x: float, T: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Draw rates and leaving from the prior, and keep them by their likelihood; last how many draws that is worth."""
    rate = rng.gamma(model.r, 1 / model.alpha, PRIOR_DRAWS)
    if isinstance(model, ParetoNBD):
        leaving = rng.gamma(model.s, 1 / model.beta, PRIOR_DRAWS)
        both = rate + leaving
        alive = rate**x * np.exp(-both * T)
        left = rate**x * leaving / both * (np.exp(-both * t_x) - np.exp(-both * T))
    else:
        leaving = rng.beta(model.a, model.b, PRIOR_DRAWS)
        occasions = x + isinstance(model, MBGNBD)
        alive = rate**x * (1 - leaving) ** occasions * np.exp(-rate * T)
        stayed = (1 - leaving) ** max(occasions - 1, 0)
        left = rate**x * leaving * stayed * np.exp(-rate * t_x) * (occasions > 0)
    weight = alive + left
    kept = rng.choice(PRIOR_DRAWS, DRAWS, p=weight / weight.sum())
    is_alive = rng.random(DRAWS) < alive[kept] / weight[kept]
    return rate[kept], leaving[kept], is_alive, weight.sum() ** 2 / (weight**2).sum()


def bill(
    model: Model,
    rate: np.ndarray,
    leaving: np.ndarray,
    alive: np.ndarray,
    weeks: float,
    active_until: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Simulate purchases and bill the 13 weeks after each, none twice: the first one's time, discounted weeks."""
    rng = np.random.default_rng(7)
    leaves = rng.exponential(1 / leaving) if isinstance(model, ParetoNBD) else np.full_like(rate, np.inf)
    time, first, billed_until = (
        np.zeros_like(rate),
        np.full_like(rate, np.inf),
        np.full_like(rate, active_until),
    )
    billed = k(billed_until)
    while True:
        time = time + rng.exponential(1 / rate)
        alive = alive & (time < np.minimum(leaves, weeks))
        if not alive.any():
            return first, billed
        first = np.where(alive, np.minimum(first, time), first)
        until = np.minimum(time + 13.0, weeks)
        billed += alive * (k(until) - k(np.maximum(time, np.minimum(billed_until, until))))
        billed_until = np.where(alive, until, billed_until)
        if not isinstance(model, ParetoNBD):
            alive = alive & (rng.random(len(rate)) >= leaving)


def assert_near(exact: float, simulated: np.ndarray, effective: float) -> None:
    """Assert within five standard errors, of the draws and of the prior draws that they were kept from."""
    noise = 1 / len(simulated) + 1 / (effective * len(simulated) / DRAWS)
    assert abs(float(simulated.mean()) - exact) <= 5 * float(simulated.std()) * math.sqrt(noise)


@pytest.mark.parametrize("row", [(2, 30.43, 38.86), (0, 0, 38.86), (3, 35.0, 38.86)])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_simulated_customers_are_active_for_as_many_weeks_as_the_formulas_say(
    model: Model, row: tuple[float, float, float]
) -> None:
    rate, leaving, alive, effective = draw(model, *row, np.random.default_rng(3))
    weeks, still = weeks_of(model, history(row)), max(13.0 - (row[2] - row[1]), 0.0)

    first, billed = bill(model, rate, leaving, alive, 52.0, still)
    silent = first >= 13.0

    assert_near(float(weeks.silent[0]), billed[silent], effective)
    assert_near(float(weeks.active[0]), billed[~silent], effective)

    # won back: those silent through the window buy once in its middle, and go on with their own rates
    rate, leaving = rate[silent], leaving[silent]
    stays = np.ones(len(rate), dtype=bool)
    if not isinstance(model, ParetoNBD):
        stays = np.random.default_rng(5).random(len(rate)) >= leaving
    _, after = bill(model, rate, leaving, stays, 52.0 - 6.5, 13.0)
    until_middle = float(k(np.array(min(still, 6.5))))
    assert_near(float(weeks.won_back[0]), until_middle + math.exp(-DELTA * 6.5) * after, effective)
