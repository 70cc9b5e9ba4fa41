"""BG/NBD against its published numbers, against integrals by another route, and far out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logit
from scipy.stats import beta, gamma

from training.clv.bgnbd import BGNBD, discounted_purchases, integrated_purchases
from training.clv.operational_time import NO_DISCOUNT, Discount

CDNOW = BGNBD(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881)
EVEN = np.zeros(1)  # log-odds


def history(*rows: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, t_x, T of (x, t_x, T) rows."""
    x, t_x, T = np.array(rows, dtype=float).T
    return x.copy(), t_x.copy(), T.copy()


def test_the_published_expectation_is_reproduced() -> None:
    # Fader, Hardie, Lee (2005), the customer of their spreadsheet: 1.226 purchases in the next 39 weeks
    assert CDNOW.expected_purchases(*history((2, 30.43, 38.86)), 39.0).round(3) == [1.226]


def test_the_probabilities_of_being_alive_are_reproduced() -> None:
    rows = history((2, 30.43, 38.86), (1, 1.71, 38.86), (7, 29.43, 38.86), (26, 30.86, 31))

    assert CDNOW.p_alive(*rows).round(4).tolist() == [0.7266, 0.2122, 0.6418, 0.9689]


@pytest.mark.parametrize("T", [0.14, 38.86, 500.0])
def test_every_one_time_buyer_is_alive(T: float) -> None:
    assert CDNOW.p_alive(*history((0, 0, T))) == [1.0]


def test_silence_through_the_window_is_being_gone_or_alive_and_silent() -> None:
    x, t_x, T = history((2, 30.43, 38.86))

    p0 = CDNOW.p_no_purchase(x, t_x, T, 13.0)

    # P(alive) = .7266086; s = ((4.4136 + 38.86) / (4.4136 + 38.86 + 13))^2.2425945 = .554832
    # p0 = 1 − .7266086 + .7266086 · .554832 = .676537
    assert p0.round(6) == [0.676537]


def test_the_likelihood_is_that_of_the_paper() -> None:
    # eq. 6 by hand for (x, t_x, T) = (1, 2, 5) with r = α = a = b = 1: λ and p uniform enough to integrate.
    # alive: ∫λe^(−λ)·e^(−5λ)dλ · ∫(1−p)dp = 1/36 · 1/2;   gone at 2: ∫λe^(−λ)·e^(−2λ)dλ · ∫p dp = 1/9 · 1/2
    model = BGNBD(r=1, alpha=1, a=1, b=1)

    assert model.log_likelihood(*history((1, 2, 5))) == pytest.approx(np.log(1 / 72 + 1 / 18))
    # P(alive) = (1/72) / (1/72 + 1/18) = 1/5
    assert model.p_alive(*history((1, 2, 5))) == pytest.approx([0.2])


def test_a_weight_counts_customers() -> None:
    one, twice = history((1, 2, 5)), history((1, 2, 5), (1, 2, 5))

    assert CDNOW.log_likelihood(*one, np.array([2.0])) == pytest.approx(CDNOW.log_likelihood(*twice))


@pytest.mark.parametrize("a", [0.3, 1.0, 1.7])
def test_discounted_purchases_are_those_of_the_published_formula_by_parts(a: float) -> None:
    # D = e^(−δW)·E(W) + δ·∫e^(−δt)·E(t)dt; the closed E(t) has a pole at a = 1, where 1 + 1e-7 stands in
    from scipy.special import hyp2f1

    R, A, B, W, delta = 2.24, 43.27, 4.43, 52.0, 0.0027
    near = a + 1e-7 if a == 1.0 else a

    def closed(t: float) -> float:
        ratio = hyp2f1(R, B, near + B - 1, t / (A + t)) * (A / (A + t)) ** R
        return float((near + B - 1) / (near - 1) * (1 - ratio))

    by_parts = (
        np.exp(-delta * W) * closed(W) + delta * quad(lambda t: np.exp(-delta * t) * closed(t), 0, W)[0]
    )

    ours = discounted_purchases(np.array([R]), np.array([A]), a, np.array([B]), W, Discount(delta))
    assert ours[0] == pytest.approx(by_parts, rel=1e-6 if a == 1.0 else 1e-12)


@pytest.mark.parametrize(
    ("R", "A", "a", "B", "weeks"),
    [
        (2000.0, 300.0, 0.8, 2002.0, 520.0),  # ten years more of a customer of 2,000 purchases
        (50.0, 60.0, 300.0, 400.0, 52.0),  # leaving probabilities all alike
        (0.9, 10.0, 0.001, 1000.0, 520.0),  # nobody leaves
        (1.0, 1.0, 1000.0, 1.0, 104.0),  # everybody leaves at once: scipy's hypergeometric function gives NaN
        (0.2, 0.2, 0.01, 0.01, 156.0),
    ],
)
def test_discounted_purchases_hold_far_out(R: float, A: float, a: float, B: float, weeks: float) -> None:
    # E over λ and t first: ∫₀ᵂ E[λ·e^(−λpt)]dt = (1 − (A/(A+pW))^R)/p, then numerically over p by its quantiles
    def over_p(p: float) -> float:
        return -np.expm1(-R * np.log1p(p * weeks / A)) / p if p > 1e-200 else R * weeks / A

    points = np.linspace(0, 1, 41)[1:-1] ** 3
    exact = quad(lambda u: over_p(beta.ppf(u, a, B)), 0, 1, points=points, limit=2000, epsabs=0, epsrel=1e-9)[
        0
    ]

    ours = discounted_purchases(np.array([R]), np.array([A]), a, np.array([B]), weeks, NO_DISCOUNT)

    assert ours[0] == pytest.approx(exact, rel=1e-6)


def test_a_long_silent_frequent_buyer_is_gone_without_overflow() -> None:
    rows = history((3000, 430, 1500), (500, 70, 71), (1, 0.14, 2000))

    p0 = CDNOW.p_no_purchase(*rows, 13.0)

    assert p0[0] == 1.0
    assert ((p0 >= 0) & (p0 <= 1)).all()
    assert np.isfinite(CDNOW.log_likelihood(*rows))


def test_the_next_purchase_has_come_with_its_probability() -> None:
    x, t_x, T = history((7, 29.43, 38.86))

    for level in (0.1, 0.5):
        weeks = CDNOW.next_purchase(x, t_x, T, logit([level]))
        assert 1 - CDNOW.p_no_purchase(x, t_x, T, float(weeks[0])) == pytest.approx([level])


def test_a_purchase_that_never_is_likelier_has_no_date() -> None:
    # P(alive) = .2122 < .5
    assert np.isnan(CDNOW.next_purchase(*history((1, 1.71, 38.86)), EVEN)).all()
    # a one-time buyer is alive for certain, but the median of Gamma(.24)'s slow buyers lies beyond the century
    slow = BGNBD(r=0.05, alpha=4.4, a=0.8, b=2.4)
    assert np.isnan(slow.next_purchase(*history((0, 0, 38.86)), EVEN)).all()


def test_the_chance_of_silence_agrees_with_its_integral_over_rates() -> None:
    # P(silent through 13 | alive) = ∫e^(−13λ) gamma(λ; r+x, α+T) dλ
    x, _, T = history((2, 30.43, 38.86))
    density = gamma(2.2425945, scale=1 / (4.4136019 + 38.86))
    exact = quad(lambda rate: np.exp(-13 * rate) * density.pdf(rate), 0, 2)[0]

    assert CDNOW.p_silent_if_alive(x, T, 13.0) == pytest.approx([exact])
    assert CDNOW.p_purchase_if_alive(x, T, 13.0) == pytest.approx([1 - exact])


def test_few_points_integrate_as_many_do() -> None:
    random = np.random.default_rng(1)
    for _ in range(60):
        r, alpha, a, b = np.exp(random.uniform((-4.0, -2.0, -6.0, -5.0), (4.0, 5.0, 5.0, 6.0)))
        weeks = np.exp(random.uniform(0.0, 6.0))
        discount = Discount(random.choice([0.0, 0.0027, 0.05, -0.005]))
        x, T = random.integers(0, 100, 30).astype(float), random.uniform(0.0, 300.0, 30)
        rows = (r + x, alpha + T, a, b + x, weeks, discount)
        np.testing.assert_allclose(discounted_purchases(*rows), integrated_purchases(*rows, 64), rtol=1e-10)
