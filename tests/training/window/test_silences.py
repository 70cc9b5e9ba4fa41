from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy.stats import CensoredData, ecdf

from features.datasets import simulate_log
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.table.history import PurchaseHistory
from training.window.silences import Silences, silences_of


def _silences(*rows: tuple[int, bool, int, int]) -> Silences:
    days, ended, returns, before = zip(*rows, strict=True)
    return Silences(np.array(days), np.array(ended), np.array(returns), np.array(before))


def test_a_silence_goes_from_a_purchase_to_the_next_or_to_the_logs_last_day(
    log_of: Callable[..., TransactionLog],
) -> None:
    log = log_of(
        ("alice", "2024-01-01", 10.0),
        ("alice", "2024-01-11", 10.0),
        ("alice", "2024-01-11", 5.0),  # the same day: one purchase
        ("alice", "2024-01-20", -5.0),  # a refund ends no silence
        ("alice", "2024-02-10", 10.0),
        ("bob", "2024-02-15", 10.0),
        ("carol", "2024-02-20", -1.0),  # never bought, but the log goes on until then
    )

    with PurchaseHistory(log) as history:
        silences = silences_of(history)

    found = zip(
        *(array.tolist() for array in (silences.days, silences.ended, silences.returns)),
        silences.longest_before.tolist(),
        strict=True,
    )
    # alice: 10 days, then 30, then 10 and counting; bob: 5 and counting. Ordered by days, open ones first.
    assert list(found) == [(5, False, 0, -1), (10, False, 2, 30), (10, True, 2, -1), (30, True, 2, 10)]


def test_each_silence_counts_once_in_the_curve_of_all() -> None:
    silences = _silences((5, True, 1, -1), (8, False, 1, 5), (10, True, 1, -1), (20, False, 1, 10))

    survival = silences.survival()

    # 4 at risk at 5 days, one ends: 3/4. The open one leaves at 8. 2 at risk at 10, one ends: 3/4 · 1/2.
    assert survival([4, 5, 9, 10, 100]).tolist() == [1.0, 0.75, 0.75, 0.375, 0.375]


def test_each_customer_counts_once_in_the_curve_of_customers() -> None:
    often = [(2, True, 4, -1), (2, True, 4, 2), (2, True, 4, 2), (10, True, 4, 2), (7, False, 4, 10)]
    never = [(15, False, 0, -1)]

    survival = _silences(*often, *never).survival_per_customer()

    # the frequent buyer's four gaps weigh 1/4 each, the open silence of someone who came back nothing.
    # 2 days: 2 at risk, 3/4 end: 5/8. 10 days: 1/4 + 1 at risk, 1/4 ends: 5/8 · 4/5 = 1/2.
    assert survival([1, 2, 10, 20]).tolist() == pytest.approx([1.0, 0.625, 0.5, 0.5])


def test_with_one_silence_each_both_curves_are_scipys() -> None:
    rng = np.random.default_rng(0)
    days, ended = rng.integers(1, 60, 300), rng.random(300) < 0.6
    silences = Silences(days, ended, ended.astype(int), np.full(300, -1))

    curve = ecdf(CensoredData(uncensored=days[ended], right=days[~ended])).sf

    at = np.arange(70)
    assert silences.survival()(at) == pytest.approx(curve.evaluate(at))
    assert silences.survival_per_customer()(at) == pytest.approx(curve.evaluate(at))


def test_of_those_silent_so_long_it_says_how_many_come_back_in_the_days_after() -> None:
    silences = _silences(
        (9, True, 1, -1),  # back before
        (12, True, 2, -1),  # back 2 days later
        (40, True, 2, 12),  # the same customer's second silence of more than 10 days
        (11, False, 0, -1),  # watched for one day more
        (60, True, 1, -1),  # back 50 days later
        (90, False, 0, -1),
    )

    per_customer = silences.returning(10, 30)
    per_silence = silences.returning(10, 30, per_customer=False)

    # per customer: 12, 11+, 60 and 90+ were silent for 10 days. The one of 11 leaves after a day; of the 3 that
    # are left at 2 days one comes back: 1/3, and nobody else within 30 days.
    assert per_customer is not None and per_silence is not None
    assert (per_customer.value, per_customer.count) == (pytest.approx(1 / 3), 4)
    # per silence 40 too: 1/4 come back after 2 days, then 1 of 3 after 30: 1 − 3/4·2/3 = 1/2
    assert (per_silence.value, per_silence.count) == (pytest.approx(1 / 2), 5)
    assert per_customer.low <= per_customer.value <= per_customer.high
    assert silences.returning(100, 30) is None


def test_the_log_follows_silences_as_long_as_thirty_are_watched() -> None:
    days = np.arange(1, 1_001)  # 1,000, 999, …: the thirtieth longest is 971
    silences = Silences(days, np.zeros(1_000, bool), np.zeros(1_000, int), np.full(1_000, -1))

    assert silences.reach_days == 971
    assert _silences((3, True, 1, -1), (8, False, 1, 3)).reach_days == 8


# What really happened to customers who follow BG/NBD exactly: a log of 78 weeks, and the two years after it.


@pytest.fixture(scope="module")
def years() -> tuple[Silences, Silences]:
    """Silences as seen after 78 weeks, and the same shop's as seen two years later."""
    start, weeks = date(2020, 1, 1), 78
    future = simulate_log(
        6_000, r=0.6, alpha=6.0, a=0.8, b=2.4, start=start, weeks=weeks + 104, acquisition_weeks=60, seed=2
    ).transactions
    cut = start + timedelta(weeks=weeks)
    seen = future.filter(pc.less(future["ordered_at"], pa.scalar(cut)))
    found = []
    for transactions in (seen, future):
        with PurchaseHistory(validate(transactions)) as history:
            found.append(silences_of(history))
    return found[0], found[1]


@pytest.mark.parametrize("days", [30, 90, 180])
def test_the_share_that_comes_back_is_what_the_future_shows(
    years: tuple[Silences, Silences], days: int
) -> None:
    seen, future = years

    estimate = seen.returning(days, 180)

    # two years later nearly all customers have been followed: counting is enough
    truth = future.returning(days, 180)
    assert estimate is not None and truth is not None
    assert estimate.value == pytest.approx(truth.value, abs=0.03)


@pytest.mark.parametrize("days", [30, 90, 180])
def test_the_curve_of_customers_is_that_of_their_first_silences(
    years: tuple[Silences, Silences], days: int
) -> None:
    seen, future = years
    first = future.longest_before == -1

    truth = (future.days[first] > days).mean()

    # nobody's first purchase is younger than two years in the future: their first silences are all known
    assert float(seen.survival_per_customer()(days)) == pytest.approx(truth, abs=0.02)


def test_weighting_all_silences_of_a_customer_equally_would_be_wrong(
    years: tuple[Silences, Silences],
) -> None:
    seen, future = years
    truth = (future.days[future.longest_before == -1] > 90).mean()

    # per silence, frequent buyers make silences look far shorter
    assert float(seen.survival()(90)) < truth - 0.1
