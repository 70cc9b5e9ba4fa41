"""Days of the next purchase by customers' own gaps: on the day that is due, and never against the churn probability."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from training.clv.bgnbd import BGNBD
from training.clv.gammagamma import GammaGamma
from training.clv.model import CLVModel
from training.clv.next_purchase import LEVELS
from training.clv.operational_time import CONSTANT, Intensity
from training.clv.rhythm import RATIO_EDGES, SHAPE, Rhythm

HORIZON_DAYS = 60
SNAPSHOT = np.datetime64("2024-09-01", "D")
SEASON = Intensity(
    snapshot_day=int(SNAPSHOT.astype(int)), first_day=19_000, harmonics=((0.3, -0.4),), trend=0.2
)
DUE = RATIO_EDGES.index(61)  # the bin that ends just above 1


def rhythm(on_the_day: float = 0.0, whole_week: float = 0.0) -> Rhythm:
    """Return a rhythm whose hazard is e^on_the_day higher at the mean gap, and e^whole_week after whole weeks."""
    mean, last, weeks = (np.zeros((SHAPE[0], bins)) for bins in SHAPE[1:])
    mean[:, DUE], weeks[:, 0] = on_the_day, whole_week
    return Rhythm(*(tuple(map(tuple, steps.tolist())) for steps in (mean, last, weeks)))


def clv(of: Rhythm | None, intensity: Intensity = CONSTANT) -> CLVModel:
    purchases = BGNBD(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881)
    return CLVModel(purchases, GammaGamma(6.25, 3.74, 15.44), intensity=intensity, rhythm=of)


def columns(*rows: tuple[float, float, float, float, int]) -> dict[str, np.ndarray]:
    """Return a feature table of (frequency, mean gap, its deviation, last gap, days since the last purchase)."""
    x, mean, std, last, since = np.array(rows, dtype=float).T
    recency = np.where(x > 0, x * np.nan_to_num(mean), 0.0)
    return {
        "frequency": x,
        "recency": recency,
        "T": recency + since,
        "mean_gap_days": mean,
        "std_gap_days": std,
        "last_gap_days": last,
        "days_since_last_purchase": since.astype(np.int64),
        "snapshot_date": np.full(len(x), SNAPSHOT),
    }


SUBSCRIBER = (6, 30.0, 0.5, 30, 10)
ONE_GAP, ONCE = (1, 30.0, np.nan, 30, 10), (0, np.nan, np.nan, np.nan, 10)
CUSTOMERS = [
    SUBSCRIBER,
    (40, 7.0, 1.2, 8, 3),
    (12, 25.0, 22.0, 3, 80),
    (2, 200.0, 20.0, 214, 190),
    ONE_GAP,
    ONCE,
]


def test_who_buys_every_30_days_is_due_on_the_30th() -> None:
    # bought 10 days ago: the 30th day is the 21st of the window, after 20 whole days
    days = clv(rhythm(on_the_day=12.0)).next_purchase_days(
        columns(SUBSCRIBER), np.array([0.05]), HORIZON_DAYS
    )

    assert [20 < days[level][0] <= 21 for level in LEVELS] == [True] * 3


def test_whole_weeks_after_a_purchase_are_told_apart() -> None:
    # bought 3 days ago: whole weeks are over after 4, 11, … days of the window
    days = clv(rhythm(whole_week=12.0)).next_purchase_days(
        columns((40, 8.0, 5.0, 8, 3)), np.array([0.5]), HORIZON_DAYS
    )

    assert int(days[0.1][0]) % 7 == 4


def test_without_steps_purchases_come_at_any_time_alike() -> None:
    # hazards are constant: F reaches q after the share ln(1 − q) / ln p of the window
    days = clv(rhythm()).next_purchase_days(columns(SUBSCRIBER), np.array([0.2]), HORIZON_DAYS)

    assert days[0.1] == pytest.approx([60 * np.log(0.9) / np.log(0.2)], rel=1e-9)
    assert days[0.5] == pytest.approx([60 * np.log(0.5) / np.log(0.2)], rel=1e-9)


def test_a_season_moves_the_days_as_it_moves_purchases() -> None:
    p = np.array([0.2])

    days = clv(rhythm(), SEASON).next_purchase_days(columns(SUBSCRIBER), p, HORIZON_DAYS)[0.5][0]

    snapshot = int(SNAPSHOT.astype(int))
    share = SEASON.weeks(snapshot, snapshot + days) / SEASON.weeks(snapshot, snapshot + HORIZON_DAYS)
    assert share == pytest.approx(np.log(0.5) / np.log(0.2), rel=1e-4)


@pytest.mark.parametrize("intensity", [Intensity(), SEASON], ids=["constant", "season"])
@given(p=st.floats(1e-4, 1 - 1e-4), on_the_day=st.floats(-9, 9), whole_week=st.floats(-9, 9))
@settings(max_examples=40, deadline=None)
def test_a_day_lies_in_the_window_where_the_churn_probability_leaves_its_level(
    intensity: Intensity, p: float, on_the_day: float, whole_week: float
) -> None:
    table = columns(*CUSTOMERS)

    days = clv(rhythm(on_the_day, whole_week), intensity).next_purchase_days(
        table, np.full(len(CUSTOMERS), p), HORIZON_DAYS
    )

    for level in LEVELS:
        within = days[level] <= HORIZON_DAYS + 1e-6  # NaN is never, and not within
        assert (within == (1 - p >= level)).all() or abs(1 - p - level) < 1e-6
    low, median, high = (np.nan_to_num(days[level], nan=np.inf) for level in LEVELS)
    assert ((low >= 0) & (low <= median) & (median <= high)).all()


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_who_buys_for_certain_buys_at_once_and_who_is_gone_never(p: float) -> None:
    days = clv(rhythm(3.0)).next_purchase_days(columns(*CUSTOMERS), np.full(len(CUSTOMERS), p), HORIZON_DAYS)

    for level in LEVELS:
        np.testing.assert_array_equal(days[level], np.full(len(CUSTOMERS), np.nan if p else 0.0))


def test_after_one_purchase_and_after_the_window_the_purchase_model_tells_the_day() -> None:
    table, p = columns(*CUSTOMERS), np.array([0.6, 0.6, 0.95, 0.6, 0.6, 0.2])

    days, plain = (clv(of).next_purchase_days(table, p, HORIZON_DAYS) for of in (rhythm(5.0), None))

    for level in LEVELS:
        np.testing.assert_array_equal(days[level][-1], plain[level][-1])
    np.testing.assert_array_equal(days[0.5], plain[0.5])  # all but the last after the window
    np.testing.assert_array_equal(days[0.1][2], plain[0.1][2])
    assert (days[0.1] != plain[0.1])[[0, 1, 3, 4]].all()


def test_a_customer_has_the_same_days_alone_and_among_many() -> None:
    draw = np.random.default_rng(4)
    n = 20_000  # more than are worked on at once
    mean = draw.uniform(2, 90, n)
    rows = [
        draw.integers(1, 30, n), mean, mean * draw.uniform(0, 1.5, n), draw.integers(1, 90, n), draw.integers(1, 90, n)
    ]  # fmt: skip
    table, p = columns(*zip(*rows, strict=True)), draw.uniform(0.01, 0.99, n)
    model = clv(rhythm(3.0, 1.0), SEASON)

    together = model.next_purchase_days(table, p, HORIZON_DAYS)

    for place in range(0, n, 997):
        one = slice(place, place + 1)
        alone = model.next_purchase_days(
            {name: column[one] for name, column in table.items()}, p[one], HORIZON_DAYS
        )
        for level in LEVELS:
            np.testing.assert_array_equal(alone[level], together[level][one])


def test_a_model_comes_back_with_its_rhythm_and_without_one_nothing_is_kept() -> None:
    assert CLVModel.from_dict(clv(rhythm(0.1, 0.7)).to_dict()) == clv(rhythm(0.1, 0.7))
    assert CLVModel.from_dict(clv(None).to_dict()) == clv(None)
    assert "rhythm" not in clv(None).to_dict()
