"""Slopes of the log-likelihood: in closed form what finite differences give."""

from __future__ import annotations

import numpy as np
import pytest

from training.clv.bgnbd import BGNBD
from training.clv.mbgnbd import MBGNBD
from training.clv.slopes import finite_slopes


@pytest.mark.parametrize(
    "model", [BGNBD(r=0.6, alpha=6.0, a=0.8, b=2.4), MBGNBD(r=0.5, alpha=6.2, a=0.9, b=1.6)]
)
def test_slopes_in_closed_form_are_those_of_finite_differences(model: BGNBD) -> None:
    # bought once; just bought again; long silent; often and long ago; often and lately
    x = np.array([0.0, 1.0, 2.0, 30.0, 45.0])
    t_x = np.array([0.0, 10.0, 5.0, 50.0, 149.0])
    T = np.array([20.0, 10.5, 150.0, 120.0, 150.0])

    exact, finite = model.slopes(x, t_x, T), finite_slopes(model, x, t_x, T)

    np.testing.assert_array_equal(exact.value, finite.value)
    np.testing.assert_allclose(exact.by_parameter, finite.by_parameter, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(exact.by_T, finite.by_T, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(exact.by_t_x[x > 0], finite.by_t_x[x > 0], rtol=1e-6, atol=1e-8)
