"""MBG/NBD: where it is BG/NBD, and where a one-time buyer may have left."""

from __future__ import annotations

import numpy as np
import pytest

from training.clv.bgnbd import BGNBD
from training.clv.mbgnbd import MBGNBD

CDNOW = MBGNBD(r=0.5248377, alpha=6.1829885, a=0.8913563, b=1.6140000)


def history(*rows: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, t_x, T of (x, t_x, T) rows."""
    x, t_x, T = np.array(rows, dtype=float).T
    return x.copy(), t_x.copy(), T.copy()


def test_the_likelihood_has_one_more_occasion_to_leave() -> None:
    # (0, 0, 5) with r = α = a = b = 1. Alive: survived one occasion, ∫(1−p)dp · ∫e^(−λ)e^(−5λ)dλ = 1/2 · 1/6;
    # left at the first purchase: ∫p dp · 1 = 1/2. So L = 1/12 + 1/2 and P(alive) = (1/12)/(7/12) = 1/7.
    model = MBGNBD(r=1, alpha=1, a=1, b=1)

    assert model.log_likelihood(*history((0, 0, 5))) == pytest.approx(np.log(7 / 12))
    assert model.p_alive(*history((0, 0, 5))) == pytest.approx([1 / 7])


def test_a_one_time_buyer_fades_with_time() -> None:
    p_alive = CDNOW.p_alive(*history((0, 0, 0), (0, 0, 10), (0, 0, 38.86)))

    # at T = 0: b/(a + b) = 1.614/2.5053563 = .644220
    assert p_alive[0] == pytest.approx(0.644220, abs=1e-6)
    assert p_alive[0] > p_alive[1] > p_alive[2]


def test_given_being_alive_it_is_bgnbd_with_one_more_survival() -> None:
    x, _, T = history((2, 30.43, 38.86), (0, 0, 38.86))
    shifted = BGNBD(r=CDNOW.r, alpha=CDNOW.alpha, a=CDNOW.a, b=CDNOW.b + 1)

    assert (CDNOW.purchases_if_alive(x, T, 39.0) == shifted.purchases_if_alive(x, T, 39.0)).all()
    assert (CDNOW.p_silent_if_alive(x, T, 13.0) == shifted.p_silent_if_alive(x, T, 13.0)).all()
