"""The days of the next purchase: with the churn probability, and by the purchase model's own clock."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.special import expit, logit

from training.clv.bgnbd import BGNBD
from training.clv.gammagamma import GammaGamma
from training.clv.mbgnbd import MBGNBD
from training.clv.model import CLVModel
from training.clv.next_purchase import LEVELS
from training.clv.operational_time import Intensity
from training.clv.paretonbd import ParetoNBD
from training.clv.purchase_models import PurchaseModel

HORIZON_DAYS = 90
SNAPSHOT = np.datetime64("2024-09-01", "D")
MODELS: list[PurchaseModel] = [
    BGNBD(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881),
    MBGNBD(r=0.5248377, alpha=6.1829885, a=0.8913563, b=1.6140000),
    ParetoNBD(r=0.5532755, alpha=10.5776123, s=0.6062136, beta=11.6679113),
]
SEASON = Intensity(
    snapshot_day=int(SNAPSHOT.astype(int)), first_day=19_000, harmonics=((0.3, -0.4),), trend=0.2
)

# frequency, recency and T in days: one-time buyers, regulars, and those long silent
HISTORIES = [
    (0, 0, 5),
    (0, 0, 700),
    (1, 12, 272),
    (2, 213, 272),
    (7, 206, 272),
    (26, 216, 217),
    (60, 400, 800),
]


def clv(purchases: PurchaseModel, intensity: Intensity) -> CLVModel:
    return CLVModel(purchases, GammaGamma(6.25, 3.74, 15.44), intensity=intensity)


def columns(*rows: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """Return a feature table of (frequency, recency, T) rows."""
    x, recency, T = np.array(rows, dtype=float).T
    return {"frequency": x, "recency": recency, "T": T, "snapshot_date": np.full(len(x), SNAPSHOT)}


@pytest.mark.parametrize("intensity", [Intensity(), SEASON], ids=["constant", "season"])
@pytest.mark.parametrize("purchases", MODELS, ids=lambda model: model.name)
@given(p=st.floats(1e-4, 1 - 1e-4))
@settings(max_examples=25, deadline=None)
def test_a_day_lies_in_the_window_where_the_churn_probability_leaves_its_level(
    purchases: PurchaseModel, intensity: Intensity, p: float
) -> None:
    table = columns(*HISTORIES)

    days = clv(purchases, intensity).next_purchase_days(table, np.full(len(HISTORIES), p), HORIZON_DAYS)

    for level in LEVELS:
        within = days[level] <= HORIZON_DAYS + 1e-6  # NaN is never, and not within
        assert (within == (1 - p >= level)).all() or abs(1 - p - level) < 1e-6
    low, median, high = (np.nan_to_num(days[level], nan=np.inf) for level in LEVELS)
    assert ((low >= 0) & (low <= median) & (median <= high)).all()


@pytest.mark.parametrize("intensity", [Intensity(), SEASON], ids=["constant", "season"])
@pytest.mark.parametrize("purchases", MODELS, ids=lambda model: model.name)
def test_where_the_churn_probability_is_p0_the_days_are_the_purchase_models_own(
    purchases: PurchaseModel, intensity: Intensity
) -> None:
    model, table = clv(purchases, intensity), columns(*HISTORIES)

    days = model.next_purchase_days(table, model.predict(spent(table), HORIZON_DAYS)["p0"], HORIZON_DAYS)

    history = model.histories(table)
    for level in LEVELS:
        weeks = purchases.next_purchase(*history, np.full(len(HISTORIES), logit(level)))
        np.testing.assert_allclose(
            days[level], intensity.days_after(int(SNAPSHOT.astype(int)), weeks), rtol=1e-9
        )


def test_the_survival_is_that_of_proportional_hazards() -> None:
    # p0 = .453957 at 13 weeks; with p = .2 the median is where 1 − F0 is .5^(ln .453957 / ln .2) = .7115
    model, table = clv(MODELS[0], Intensity()), columns((7, 206, 272))

    median = model.next_purchase_days(table, np.array([0.2]), 91)[0.5]

    p0 = model.predict(spent(table), 91)["p0"][0]
    assert model.predict(spent(table), 1)["p0"][0] > 0.5 ** (np.log(p0) / np.log(0.2))
    x, t_x, T = model.histories(table)
    at_median = MODELS[0].p_no_purchase(x, t_x, T, float(median[0]) / 7)
    assert at_median == pytest.approx([0.5 ** (np.log(p0) / np.log(0.2))], rel=1e-9)


@pytest.mark.parametrize("p", [0.02, 0.3, 0.95])
@pytest.mark.parametrize(
    "row",
    [
        (3000, 3000, 3001),  # daily, and bought yesterday: p0 is 0 to more digits than a float has below 1
        (900, 900, 1300),  # daily, and silent for a year: p0 is 1 to all digits
    ],
)
def test_a_churn_probability_far_from_a_certain_p0_decides(row: tuple[int, int, int], p: float) -> None:
    nobody_leaves = BGNBD(r=0.8, alpha=8.0, a=1e-60, b=4.0)
    model = clv(nobody_leaves if row[0] == 3000 else MODELS[0], Intensity())
    p0 = model.predict(spent(columns(row)), HORIZON_DAYS)["p0"][0]
    assert min(p0, 1 - p0) < 1e-12

    days = model.next_purchase_days(columns(row), np.array([p]), HORIZON_DAYS)

    assert [bool(days[level][0] <= HORIZON_DAYS) for level in LEVELS] == [1 - p >= level for level in LEVELS]


@pytest.mark.parametrize(("p", "expected"), [(0.0, 0.0), (1.0, np.nan)])
def test_who_buys_for_certain_buys_at_once_and_who_is_gone_never(p: float, expected: float) -> None:
    days = clv(MODELS[0], Intensity()).next_purchase_days(
        columns(*HISTORIES), np.full(len(HISTORIES), p), HORIZON_DAYS
    )

    for level in LEVELS:
        np.testing.assert_array_equal(days[level], np.full(len(HISTORIES), expected))


@pytest.mark.parametrize("purchases", MODELS, ids=lambda model: model.name)
def test_log_odds_of_a_purchase_are_those_of_its_probability(purchases: PurchaseModel) -> None:
    history = clv(purchases, Intensity()).histories(columns(*HISTORIES))

    log_odds = purchases.purchase_log_odds(*history, 13.0)

    assert expit(-log_odds) == pytest.approx(purchases.p_no_purchase(*history, 13.0), rel=1e-9)
    assert purchases.next_purchase(*history, log_odds) == pytest.approx(13.0, rel=1e-7)


def spent(table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the table with what `CLVModel.predict` reads of money."""
    return table | {"monetary_value": np.where(table["frequency"] > 0, 20.0, 0.0)}
