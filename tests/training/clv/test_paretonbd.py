"""Pareto/NBD against integrals by another route, and far out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from training.clv.paretonbd import ParetoNBD

CDNOW = ParetoNBD(r=0.5532755, alpha=10.5776123, s=0.6062136, beta=11.6679113)


def history(*rows: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, t_x, T of (x, t_x, T) rows."""
    x, t_x, T = np.array(rows, dtype=float).T
    return x.copy(), t_x.copy(), T.copy()


def test_the_likelihood_is_that_of_the_paper() -> None:
    # (0, 0, 1) with r = α = s = β = 1. Alive: E[e^(−λ)]·E[e^(−μ)] = 1/2 · 1/2;
    # left at τ: ∫₀¹ E[e^(−λτ)]·E[μe^(−μτ)] dτ = ∫ 1/(1+τ) · 1/(1+τ)² dτ = (1 − 1/4)/2 = 3/8. Together 5/8.
    model = ParetoNBD(r=1, alpha=1, s=1, beta=1)

    assert model.log_likelihood(*history((0, 0, 1))) == pytest.approx(np.log(5 / 8))
    assert model.p_alive(*history((0, 0, 1))) == pytest.approx([2 / 5])


@pytest.mark.parametrize("model", [CDNOW, ParetoNBD(0.6, 14.0, 0.7, 0.02), ParetoNBD(0.6, 0.02, 0.7, 14.0)])
@pytest.mark.parametrize("row", [(2, 30.43, 38.86), (0, 0, 38.86), (26, 30.86, 31), (300, 43, 90)])
def test_p_alive_is_its_integral_over_leaving_times(
    model: ParetoNBD, row: tuple[float, float, float]
) -> None:
    # odds of having left = ∫ s/(β+τ) · ((α+T)/(α+τ))^(r+x) · ((β+T)/(β+τ))^s dτ from t_x to T
    x, t_x, T = row
    R, A, B, s = model.r + x, model.alpha, model.beta, model.s

    def left(tau: float) -> float:
        return float(s / (B + tau) * ((A + T) / (A + tau)) ** R * ((B + T) / (B + tau)) ** s)

    points = [t_x + (T - t_x) * share for share in (1e-4, 1e-3, 1e-2, 1e-1)]
    odds = quad(left, t_x, T, points=points, epsabs=0, epsrel=1e-11)[0]

    assert model.p_alive(*history(row)) == pytest.approx([1 / (1 + odds)], rel=1e-9)


def test_a_customer_who_bought_today_is_alive() -> None:
    assert CDNOW.p_alive(*history((3, 20, 20), (0, 0, 0))).tolist() == [1.0, 1.0]


def test_the_published_expectation_without_discount_is_closed() -> None:
    # Schmittlein et al.: E(t | alive) = R/A · B/(s−1) · (1 − (B/(B+t))^(s−1))
    x, t_x, T = history((2, 30.43, 38.86))
    R, A, B, s = CDNOW.r + 2, CDNOW.alpha + 38.86, CDNOW.beta + 38.86, CDNOW.s

    closed = R / A * B / (s - 1) * (1 - (B / (B + 39)) ** (s - 1))

    assert CDNOW.purchases_if_alive(x, T, 39.0) == pytest.approx([closed], rel=1e-12)
    assert CDNOW.expected_purchases(x, t_x, T, 39.0) == pytest.approx(closed * CDNOW.p_alive(x, t_x, T))


def test_silent_buying_and_leaving_add_up_to_one() -> None:
    # P(silent and alive) + P(buys first) + P(leaves first) = 1, the last by its own integral
    x, _, T = history((2, 30.43, 38.86))
    R, A, B, s, H = CDNOW.r + 2, CDNOW.alpha + 38.86, CDNOW.beta + 38.86, CDNOW.s, 13.0

    leaves = quad(lambda t: s / B * (B / (B + t)) ** (s + 1) * (A / (A + t)) ** R, 0, H)[0]

    parts = CDNOW.p_silent_if_alive(x, T, H) + CDNOW.p_purchase_if_alive(x, T, H) + leaves
    assert parts == pytest.approx([1.0], rel=1e-12)


def test_the_next_purchase_has_come_with_its_probability() -> None:
    x, t_x, T = history((7, 29.43, 38.86), (1, 1.71, 38.86))

    weeks = CDNOW.next_purchase(x, t_x, T, np.zeros(2))  # even odds

    assert 1 - CDNOW.p_no_purchase(x, t_x, T, float(weeks[0]))[0] == pytest.approx(0.5)
    assert np.isnan(weeks[1])


def test_a_long_silent_frequent_buyer_is_gone_without_overflow() -> None:
    rows = history((3000, 430, 1500), (500, 70, 71), (1, 0.14, 2000))

    p0 = CDNOW.p_no_purchase(*rows, 13.0)

    assert p0[0] == 1.0
    assert ((p0 >= 0) & (p0 <= 1)).all()
    assert np.isfinite(CDNOW.log_likelihood(*rows))
