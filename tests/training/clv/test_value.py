"""What customers are worth: the golden table, the identity, simulated futures, and bits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from features.errors import StayworthError, WindowError
from training.clv.bgnbd import BGNBD
from training.clv.mbgnbd import MBGNBD
from training.clv.paretonbd import ParetoNBD
from training.clv.purchase_models import PurchaseModel
from training.clv.value import CustomerValues, Future, ValueTerms, customer_values

BG = BGNBD(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881)
MBG = MBGNBD(r=0.5248377, alpha=6.1829885, a=0.8913563, b=1.6140000)
PARETO = ParetoNBD(r=0.5532755, alpha=10.5776123, s=0.6062136, beta=11.6679113)
MODELS = [BG, MBG, PARETO]

# H = 13 and W = 52 weeks; 15% for a year of 52 weeks is 1.15^(365/364) − 1 for one of 365 days
GOLDEN_TERMS = ValueTerms(
    horizon_days=91,
    value_horizon_days=364,
    margin=1.0,
    discount_rate=1.15 ** (365 / 364) - 1,
    resumption=1.0,
)

# (x, t_x, T): p0, P(alive)·D, silent, active, won back, at stake; from three million posterior draws a row
GOLDEN = {
    (2, 30.43, 38.86): (0.676537, 1.461783, 0.736489, 2.978765, 2.182316, 1.445827),
    (0, 0, 38.86): (0.938263, 0.235622, 0.140799, 1.676705, 1.108807, 0.968008),
    (26, 30.86, 31): (0.031346, 24.229483, 0.129911, 25.009355, 15.803662, 15.673752),
    (7, 29.43, 38.86): (0.453957, 3.943020, 0.810664, 6.547130, 5.057719, 4.247055),
    (1, 1.71, 38.86): (0.940896, 0.243612, 0.113625, 2.312919, 2.377165, 2.263540),
}


def history(*rows: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, t_x, T of (x, t_x, T) rows."""
    x, t_x, T = np.array(rows, dtype=float).reshape(-1, 3).T
    return x.copy(), t_x.copy(), T.copy()


def alive_and_buying(
    model: PurchaseModel, rows: tuple[np.ndarray, np.ndarray, np.ndarray], terms: ValueTerms
) -> np.ndarray:
    """P(alive)·D(W)."""
    x, t_x, T = rows
    future = Future.of(terms)
    return model.p_alive(x, t_x, T) * model.purchases_if_alive(x, T, future.horizon, future.now)


@pytest.mark.parametrize("row", GOLDEN)
def test_the_golden_table_is_reproduced_to_the_last_printed_digit(row: tuple[int, float, float]) -> None:
    values = customer_values(BG, *history(row), Future.of(GOLDEN_TERMS))

    expected = alive_and_buying(BG, history(row), GOLDEN_TERMS)
    ours = (values.p0, expected, values.silent, values.active, values.won_back, values.at_stake)
    assert tuple(float(value[0].round(6)) for value in ours) == GOLDEN[row]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_two_halves_of_the_future_make_the_whole(model: PurchaseModel) -> None:
    # p0·silent + (1 − p0)·active = P(alive)·D(W): a customer is either silent through the window or not
    rng = np.random.default_rng(1)
    x = rng.integers(0, 30, 500).astype(float)
    T = rng.uniform(5.0, 150.0, 500)
    rows = x, np.where(x > 0, T * rng.uniform(0, 1, 500), 0.0), T

    values = customer_values(model, *rows, Future.of(ValueTerms()))

    whole = alive_and_buying(model, rows, ValueTerms())
    np.testing.assert_allclose(values.expected(values.p0), whole, rtol=1e-11, atol=1e-13)


@given(
    x=st.integers(0, 4000),
    T=st.floats(0.2, 2000.0),
    share=st.floats(0.0, 1.0),
    horizon=st.integers(1, 400),
    more=st.integers(0, 1500),
)
@settings(max_examples=60)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_any_history_has_finite_values_of_the_right_sign(
    model: PurchaseModel, x: int, T: float, share: float, horizon: int, more: int
) -> None:
    terms = ValueTerms(horizon_days=horizon, value_horizon_days=horizon + more)
    T = max(T, x / 7)

    values = customer_values(model, *history((x, T * share if x else 0.0, T)), Future.of(terms))

    end_of_window = Future.of(terms).to_window
    assert 0 <= values.p0[0] <= 1
    assert 0 <= values.silent[0] < math.inf
    assert (
        end_of_window - 1e-9 <= values.active[0] < math.inf
    )  # buys at least once, at the window's end at worst
    assert end_of_window - 1e-9 <= values.won_back[0] < math.inf


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 60), st.integers(1, 60)), min_size=1, max_size=40
    )
)
@settings(max_examples=25)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_customer_is_worth_the_same_bits_alone_and_in_any_company(
    model: PurchaseModel, rows: list[tuple[int, int, int]]
) -> None:
    weeks = [(x, min(t_x, T) / 7 if x else 0.0, T / 7) for x, t_x, T in rows]

    together = customer_values(model, *history(*weeks), Future.of(ValueTerms()))

    for place, row in enumerate(weeks):
        fresh = replace(model)  # type: ignore[type-var]  # a copy remembers nothing
        alone = customer_values(fresh, *history(row), Future.of(ValueTerms()))
        for name in ("p0", "silent", "active", "won_back"):
            assert getattr(alone, name)[0] == getattr(together, name)[place], (name, row)


def test_who_had_left_brings_one_purchase_at_resumption_0_and_the_rest_in_proportion() -> None:
    row = (1, 1.71, 38.86)
    none, half, full = (
        customer_values(BG, *history(row), Future.of(replace(GOLDEN_TERMS, resumption=share)))
        for share in (0.0, 0.5, 1.0)
    )

    # of 2.377165 at ρ = 1, the purchase itself is e^(−δ·6.5 weeks) = .982681
    assert full.won_back.round(6) == [2.377165]
    assert none.won_back > 0.982681
    np.testing.assert_allclose(none.won_back + none.resumed, full.won_back)
    np.testing.assert_allclose(half.won_back, (none.won_back + full.won_back) / 2)
    assert none.silent == half.silent == full.silent


def test_no_customers_have_no_values() -> None:
    assert customer_values(BG, *history(), Future.of(ValueTerms())).at_stake.shape == (0,)


def test_a_churn_probability_weighs_the_two_halves() -> None:
    values = CustomerValues(*(np.array([number]) for number in (2.0, 10.0, 6.0, 1.0)), p0=np.array([0.5]))

    # .25 · 2 + .75 · 10 = 8;  6 − 2 = 4
    assert values.expected(np.array([0.25])) == [8.0]
    assert values.at_stake == [4.0]


def test_at_a_negative_real_rate_what_comes_later_is_worth_more() -> None:
    rows = history((2, 30.43, 38.86))
    nominal, none, real = (replace(GOLDEN_TERMS, discount_rate=rate) for rate in (0.15, 0.0, 1.15 / 1.30 - 1))

    worth = [float(alive_and_buying(BG, rows, terms)[0]) for terms in (nominal, none, real)]

    assert round(100 * real.discount_rate, 4) == -11.5385  # 15% at 30% inflation
    assert worth == sorted(worth)
    # Discounting is by days in the middle of each year at most: within the factors of its two ends.
    assert 1 < worth[2] / worth[1] < 1.30 / 1.15


@pytest.mark.parametrize(
    ("terms", "error", "words"),
    [
        ({"horizon_days": 0}, WindowError, "at least 1"),
        ({"horizon_days": 90, "value_horizon_days": 60}, WindowError, "--value-horizon-days 90 or more"),
        ({"margin": 0.0}, StayworthError, "above 0"),
        ({"margin": math.nan}, StayworthError, "above 0"),
        ({"discount_rate": -1.0}, StayworthError, "above -1"),
        ({"resumption": 1.1}, StayworthError, "from 0 to 1"),
        ({"cost_per_order": -1.0}, StayworthError, "cost per order is -1.0; it must be 0 or more"),
        ({"cost_per_day": math.nan}, StayworthError, "cost per active day is nan; it must be 0 or more"),
        ({"cost_per_day": math.inf}, StayworthError, "cost per active day is inf"),
        ({"bad_debt_rate": 1.5}, StayworthError, "share of spend, from 0 to 1"),
        ({"inactivity_days": 0}, WindowError, "inactivity window is 0 days"),
    ],
)
def test_impossible_terms_are_refused(terms: dict[str, Any], error: type[StayworthError], words: str) -> None:
    with pytest.raises(error, match=words):
        ValueTerms(**terms)


# --- Simulated futures: the models' stories told forward, without any of the formulas ------------------------


@dataclass
class Drawn:
    """Customers drawn from their history's posterior: rates, whether alive, and how to simulate on."""

    rate: np.ndarray
    leaving: np.ndarray
    alive: np.ndarray
    future: Callable[[np.ndarray, np.ndarray, np.ndarray, float], tuple[np.ndarray, np.ndarray]]
    effective: float


DELTA = GOLDEN_TERMS.discount_per_week
PRIOR_DRAWS, DRAWS = 1_000_000, 60_000


def draw(model: BGNBD | ParetoNBD, x: float, t_x: float, T: float, rng: np.random.Generator) -> Drawn:
    """Draw from the prior, keep in proportion to each draw's own likelihood, alive or having left."""
    rate = rng.gamma(model.r, 1 / model.alpha, PRIOR_DRAWS)
    if isinstance(model, ParetoNBD):
        leaving = rng.gamma(model.s, 1 / model.beta, PRIOR_DRAWS)
        both = rate + leaving
        alive = rate**x * np.exp(-both * T)
        left = rate**x * leaving / both * (np.exp(-both * t_x) - np.exp(-both * T))
        future = leave_in_time
    else:
        leaving = rng.beta(model.a, model.b, PRIOR_DRAWS)
        occasions = x + isinstance(
            model, MBGNBD
        )  # to leave: after repeat purchases, MBG/NBD: after the first too
        alive = rate**x * (1 - leaving) ** occasions * np.exp(-rate * T)
        left = (
            rate**x * leaving * (1 - leaving) ** max(occasions - 1, 0) * np.exp(-rate * t_x) * (occasions > 0)
        )
        future = leave_after_purchase
    weight = alive + left
    kept = rng.choice(PRIOR_DRAWS, DRAWS, p=weight / weight.sum())
    is_alive = rng.random(DRAWS) < alive[kept] / weight[kept]
    return Drawn(rate[kept], leaving[kept], is_alive, future, weight.sum() ** 2 / (weight**2).sum())


def leave_after_purchase(
    rate: np.ndarray, leaving: np.ndarray, alive: np.ndarray, weeks: float
) -> tuple[np.ndarray, np.ndarray]:
    """Simulate purchases, each followed by leaving with its probability: first one's time, discounted number."""
    rng = np.random.default_rng(7)
    return _purchases(rate, alive, np.full_like(rate, weeks), lambda: rng.random(len(rate)) < leaving, rng)


def leave_in_time(
    rate: np.ndarray, leaving: np.ndarray, alive: np.ndarray, weeks: float
) -> tuple[np.ndarray, np.ndarray]:
    """Simulate purchases until leaving at a random time: first one's time, discounted number."""
    rng = np.random.default_rng(7)
    until = np.minimum(rng.exponential(1 / leaving), weeks)
    return _purchases(rate, alive, until, lambda: np.zeros(len(rate), dtype=bool), rng)


def _purchases(
    rate: np.ndarray,
    alive: np.ndarray,
    until: np.ndarray,
    leave: Callable[[], np.ndarray],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    time, number, first, active = np.zeros_like(rate), np.zeros_like(rate), np.full_like(rate, np.inf), alive
    while True:
        time = time + rng.exponential(1 / rate)
        active = active & (time < until)
        if not active.any():
            return first, number
        first = np.where(active, np.minimum(first, time), first)
        number += active * np.exp(-DELTA * time)
        active = active & ~leave()


def assert_near(exact: float, simulated: np.ndarray, effective: float) -> None:
    """Assert within five standard errors, of the draws and of the prior draws that they were kept from."""
    noise = 1 / len(simulated) + 1 / (effective * len(simulated) / DRAWS)
    assert abs(float(simulated.mean()) - exact) <= 5 * float(simulated.std()) * math.sqrt(noise)


@pytest.mark.parametrize("row", [(2, 30.43, 38.86), (0, 0, 38.86), (1, 1.71, 38.86)])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_simulated_futures_are_worth_what_the_formulas_say(
    model: BGNBD | ParetoNBD, row: tuple[float, float, float]
) -> None:
    drawn = draw(model, *row, np.random.default_rng(3))
    values = customer_values(model, *history(row), Future.of(GOLDEN_TERMS))

    first, number = drawn.future(drawn.rate, drawn.leaving, drawn.alive, 52.0)
    silent = first >= 13.0

    assert_near(float(model.p_alive(*history(row))[0]), drawn.alive.astype(float), drawn.effective)
    assert_near(float(values.p0[0]), silent.astype(float), drawn.effective)
    assert_near(float(values.silent[0]), number[silent], drawn.effective)
    assert_near(float(values.active[0]), number[~silent], drawn.effective)

    # won back: those silent through the window buy once in its middle, and go on with their own rates
    rate, leaving = drawn.rate[silent], drawn.leaving[silent]
    stays = np.ones(len(rate), dtype=bool)
    if not isinstance(model, ParetoNBD):
        stays = np.random.default_rng(5).random(len(rate)) >= leaving
    _, after = drawn.future(rate, leaving, stays, 52.0 - 6.5)
    assert_near(float(values.won_back[0]), math.exp(-DELTA * 6.5) * (1 + after), drawn.effective)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_half_of_the_simulated_next_purchases_come_by_the_median(model: BGNBD | ParetoNBD) -> None:
    row = (7, 29.43, 38.86)
    drawn = draw(model, *row, np.random.default_rng(4))

    weeks = float(model.next_purchase(*history(row), np.zeros(1))[0])  # even odds

    first, _ = drawn.future(drawn.rate, drawn.leaving, drawn.alive, weeks + 1)
    assert_near(0.5, (first <= weeks).astype(float), drawn.effective)
