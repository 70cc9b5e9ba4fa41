"""Gauges of a live model: its performance on a window that has closed, against that of its test.

A gauge (`training.reference.performance`) is worse only beyond its noise, between customers and between windows, and
only beyond a tolerance: with enough customers, every difference is significant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from training.reference.performance import GAUGES, ExpectedPerformance, Performance


@dataclass(frozen=True)
class GaugeReading:
    """One gauge of a live performance beside what was to be expected.

    Parameters
    ----------
    gauge : str, of `GAUGES`
    live : float
    expected : float
        As at the test; for the log-loss, that of today's customers if the model were as good as at its test.
    low, high : float
        Where noise alone puts the live value.
    worse : bool
        Outside that, off by more than the tolerance, and farther from perfect than expected.
    """

    gauge: str
    live: float
    expected: float
    low: float
    high: float
    worse: bool


def read_gauges(
    live: Performance, reference: ExpectedPerformance, *, confidence: float, tolerances: Mapping[str, float]
) -> list[GaugeReading]:
    """Compare a live performance with the expected one; a gauge that is undefined in either is left out.

    Parameters
    ----------
    live : Performance
    reference : ExpectedPerformance
    confidence : float, in (0, 1)
        Probability that noise alone stays inside the interval, for each gauge.
    tolerances : mapping of gauge to float
        Differences that do not matter: in log-loss, in churn rate, in the value ratio (0.15: a total off by 15%).
    """
    z = float(norm.isf((1 - confidence) / 2))
    found = []
    for gauge in GAUGES:
        now, then = live.deviation(gauge), reference.test.deviation(gauge)
        noise = [live.errors[gauge], reference.test.errors[gauge], reference.spread[gauge]]
        margin = z * float(np.sqrt(np.square(noise).sum()))
        if not np.isfinite([now, then, margin]).all():
            continue
        limit = max(margin, _on_scale(gauge, tolerances[gauge]))
        farther = now > then if gauge == "log_loss" else abs(now) > abs(then)
        low, expected, high = (_read(gauge, live, then + step) for step in (-margin, 0.0, margin))
        found.append(
            GaugeReading(
                gauge, _read(gauge, live, now), expected, low, high, farther and abs(now - then) > limit
            )
        )
    return found


def _on_scale(gauge: str, tolerance: float) -> float:
    return float(np.log1p(tolerance)) if gauge == "value_ratio" else tolerance


def _read(gauge: str, live: Performance, deviation: float) -> float:
    """Turn a deviation into the gauge's own numbers."""
    if gauge == "log_loss":
        return live.expected_log_loss + deviation
    return float(np.exp(deviation)) if gauge == "value_ratio" else deviation
