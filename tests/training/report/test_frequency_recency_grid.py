from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from training.clv.bgnbd import BGNBD
from training.clv.gammagamma import GammaGamma
from training.clv.model import CLVModel
from training.clv.operational_time import Discount
from training.clv.value import ValueTerms
from training.report.frequency_recency_grid import frequency_recency

PUBLISHED = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
TERMS = ValueTerms(horizon_days=91, value_horizon_days=364, margin=0.25, discount_rate=0.15)


@pytest.fixture
def grid() -> pd.DataFrame:
    """The grid of three customers: the oldest came 272 days ago, the most frequent bought 26 times again."""
    table = pd.DataFrame(
        {"T": [100, 272, 217], "frequency": [0, 2, 26], "spend_per_purchase": [30.0, 40.0, 50.0]}
    )
    return frequency_recency(CLVModel(PUBLISHED, GammaGamma(p=6.25, q=3.74, v=15.44)), table, TERMS)


def test_the_grid_covers_the_customers_frequencies_and_ages(grid: pd.DataFrame) -> None:
    assert (grid["frequency"].min(), grid["frequency"].max()) == (1, 25)  # the 99th percentile of 0, 2, 26
    assert grid["silent_weeks"].min() == 0
    assert grid["silent_weeks"].max() == pytest.approx(271 / 7)


def test_silence_is_bad_news_and_the_sooner_the_more_often_someone_bought(grid: pd.DataFrame) -> None:
    alive = grid.pivot(index="frequency", columns="silent_weeks", values="p_alive")

    assert (alive.diff(axis=1).iloc[:, 1:] < 0).all(axis=None)  # along every row
    assert alive.loc[25].iloc[0] > alive.loc[2].iloc[0]
    assert alive.loc[25].iloc[-1] < alive.loc[2].iloc[-1]


def test_a_cell_is_worth_what_its_living_customers_will_bring(grid: pd.DataFrame) -> None:
    cell = grid.iloc[200]
    x, T = np.array([cell["frequency"]]), np.array([272 / 7])
    t_x = T - cell["silent_weeks"]

    # margin .25 × mean spend 40 × P(alive) × discounted purchases of 52 weeks
    purchases = PUBLISHED.purchases_if_alive(x, T, 52.0, Discount(math.log(1.15) / 365 * 7))
    value = 0.25 * 40 * PUBLISHED.p_alive(x, t_x, T) * purchases
    assert cell["expected_value"] == pytest.approx(value[0])
