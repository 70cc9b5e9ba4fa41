"""Pauses: days that a shop was all but shut are no time, and what always happens is no pause."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.clv.bgnbd import BGNBD
from training.clv.fitting import fit_clv
from training.clv.model import CLVForm
from training.clv.operational_time import CONSTANT, IntensityForm, RepeatDays
from training.clv.pauses import pauses_in
from training.snapshots.dataset import LabelledSnapshot, describe_snapshot, in_form, label_snapshot

DAY = 20_000  # the first of each log


def usual_trade(days: int = 140, purchases: float = 100.0) -> np.ndarray:
    return np.full(days, purchases)


def test_a_closure_is_a_pause_and_bad_days_beside_it_are_lesser_ones() -> None:
    counts = usual_trade()
    counts[50:60] = 0
    counts[62] = 40  # of 100
    counts[90] = 0  # alone: of no account

    assert pauses_in(DAY, counts) == (*((DAY + day, 0.0) for day in range(50, 60)), (DAY + 62, 0.4))


def test_three_weeks_are_a_pause_and_do_not_become_usual() -> None:
    counts = usual_trade()
    counts[60:81] = 0

    assert [day - DAY for day, _ in pauses_in(DAY, counts)] == list(range(60, 81))


@pytest.mark.parametrize(
    ("quiet", "why"),
    [
        (slice(6, None, 7), "a weekday on which the shop rests"),
        (slice(70, None), "trade that falls for good"),
        (slice(0, 70), "trade that has only begun"),
        (slice(0, 7), "a first week"),
    ],
)
def test_what_stays_so_is_no_pause(quiet: slice, why: str) -> None:
    counts = usual_trade()
    counts[quiet] = 0

    found = [day - DAY for day, _ in pauses_in(DAY, counts)]

    assert found == [], why


def test_for_four_weeks_a_fall_may_be_a_pause() -> None:
    counts = usual_trade()
    counts[70:] = 0

    found = [len(pauses_in(DAY, counts[: 70 + weeks * 7])) for weeks in (1, 2, 4, 6)]

    assert found == [7, 14, 28, 0]


def test_a_quiet_month_that_begins_is_no_pause() -> None:
    after_christmas, shut = usual_trade(purchases=300.0), usual_trade(purchases=300.0)
    after_christmas[70:], shut[70:] = 100, 70

    assert [len(pauses_in(DAY, after_christmas[: 70 + days])) for days in (1, 6, 15, 30)] == [0, 0, 0, 0]
    assert [len(pauses_in(DAY, shut[: 70 + days])) for days in (1, 6, 15)] == [0, 6, 15]


def test_where_half_of_a_day_may_be_chance_nothing_is_a_pause() -> None:
    few, enough = usual_trade(purchases=49.0), usual_trade(purchases=50.0)
    few[50:52] = enough[50:52] = 0

    assert pauses_in(DAY, few) == ()
    assert pauses_in(DAY, enough) == ((DAY + 50, 0.0), (DAY + 51, 0.0))


def test_a_holiday_that_comes_back_each_year_belongs_to_the_season() -> None:
    counts = usual_trade(days=700)
    counts[100:105] = counts[100 + 365 + 6 : 105 + 365 + 6] = 0  # six days later, as Easter may be
    counts[300:302] = 0

    assert [day - DAY for day, _ in pauses_in(DAY, counts)] == [300, 301]
    assert len(pauses_in(DAY, counts[:400])) == 7  # the first time, nobody knew


def test_days_to_come_do_not_change_the_pauses_before() -> None:
    counts = usual_trade()
    counts[50:55] = 0
    days, later = RepeatDays(DAY, counts), counts.copy()
    later[90:] = 1_000

    assert RepeatDays(DAY, later).before(DAY + 90).pauses == days.before(DAY + 90).pauses
    # shut until the snapshot: the last purchase was three days before
    assert [day - DAY for day, _ in RepeatDays(DAY, counts[:87]).before(DAY + 90).pauses][-3:] == [87, 88, 89]


def test_the_pauses_of_a_part_are_those_of_all() -> None:
    counts = usual_trade()
    counts[50:52] = 0

    part = RepeatDays(DAY, counts).of_part(0.3).of_part(0.5)

    assert part.counts[0] == pytest.approx(15.0)
    assert part.pauses == RepeatDays(DAY, counts).pauses != ()


# A shop of 2,000 customers, first seen in its first 60 days, who buy weekly at the rate λ and leave after a purchase;
# shut on the days 150 to 163, a snapshot on day 166.
START, SNAPSHOT, HORIZON = date(2024, 1, 1), 166, 14
SHUT = np.arange(150, 164)


def shop(shut: np.ndarray = SHUT, until: int = SNAPSHOT + HORIZON) -> pa.Table:
    rng = np.random.default_rng(5)
    customers, calendar = 2_000, np.arange(SNAPSHOT + HORIZON + 1)
    elapsed = np.concatenate([[0.0], np.cumsum(~np.isin(calendar[:-1], shut))]) / 7
    rate, leaving = rng.gamma(2.0, 0.5, customers), rng.beta(0.6, 8.0, customers)
    alive, first = np.arange(customers), rng.uniform(0, 60, customers)
    clock = np.interp(first, calendar, elapsed)
    buyers, days = [alive], [first]
    while len(alive):
        clock[alive] += rng.exponential(1, len(alive)) / rate[alive]
        alive = alive[clock[alive] < elapsed[-1]]
        buyers.append(alive)
        days.append(np.interp(clock[alive], elapsed, calendar))
        alive = alive[rng.random(len(alive)) > leaving[alive]]
    day = np.concatenate(days).astype(np.int64)
    when = np.datetime64(START) + day
    ids = np.array([f"C{number:05d}" for number in np.concatenate(buyers)])
    seen = day < until
    amounts = np.full(int(seen.sum()), 20.0)
    return pa.table({"customer_id": ids[seen], "ordered_at": when[seen], "amount": amounts})


def described(table: pa.Table) -> LabelledSnapshot:
    snapshot = Snapshot(START + timedelta(days=SNAPSHOT))
    with PurchaseHistory(validate(table)) as history:
        return label_snapshot(history, describe_snapshot(history, snapshot, HORIZON), HORIZON)


@pytest.fixture(scope="module")
def reopened() -> LabelledSnapshot:
    """The shop, two days after it has opened again."""
    return described(shop())


def test_nobody_seems_to_have_left_for_the_shop_was_shut(reopened: LabelledSnapshot) -> None:
    by_the_calendar = fit_clv(reopened.table)

    pauses = reopened.clv.intensity.pauses
    epoch = (START - date(1970, 1, 1)).days
    assert [day - epoch for day, _ in pauses] == SHUT.tolist()
    assert reopened.clv.purchase_notes[0].startswith(
        "On 14 days trade was below half of the usual, last on 2024-06-12:"
    )
    # a twelfth of the time is expected to be lost again, and none is: both say a little too much, the calendar far more
    churned = reopened.churned.mean()
    assert reopened.table["p0"].mean() == pytest.approx(churned, abs=0.03)
    assert by_the_calendar.predict(reopened.columns, HORIZON)["p0"].mean() > churned + 0.05
    purchases = reopened.clv.purchases
    assert isinstance(purchases, BGNBD)
    assert purchases.r / purchases.alpha == pytest.approx(
        1.0 * (1 - 14 / SNAPSHOT), rel=0.1
    )  # in weeks on average


def test_orders_after_the_snapshot_change_nothing(reopened: LabelledSnapshot) -> None:
    snapshot = Snapshot(START + timedelta(days=SNAPSHOT))
    with PurchaseHistory(validate(shop(until=SNAPSHOT))) as history:
        known = describe_snapshot(history, snapshot, HORIZON)

    assert known.clv == reopened.clv
    assert known.table.equals(reopened.table)


def test_a_season_or_trend_is_fitted_beside_the_pauses(reopened: LabelledSnapshot) -> None:
    trend = in_form(reopened, CLVForm(IntensityForm(0, trend=True)), HORIZON)

    assert trend.clv.intensity.pauses == reopened.clv.intensity.pauses
    assert trend.clv.intensity.form == IntensityForm(0, trend=True)
    assert trend.clv.intensity.trend_fades_days == (
        trend.clv.intensity.snapshot_day - trend.clv.intensity.first_day
    )
    assert in_form(trend, CLVForm(), HORIZON).clv == reopened.clv


def test_a_shop_that_is_always_open_has_the_model_of_calendar_time() -> None:
    row = described(shop(shut=np.zeros(0)))

    assert row.clv.intensity == CONSTANT
    assert row.clv == fit_clv(row.table)
