"""Distance of a column's values from stored bins."""

from __future__ import annotations

import json
from math import log

import numpy as np
import pytest
from scipy.stats import ks_2samp

from training.reference.distribution import MIN_BIN_CUSTOMERS, CategoryCounts, NumericDistribution, compare
from training.reference.distribution_distance import DistributionDistance, stability


def distance(then: np.ndarray, now: np.ndarray) -> DistributionDistance:
    return compare(NumericDistribution.of(then), now)[0]


def test_the_stability_index_of_three_shares_is_what_one_computes_by_hand() -> None:
    psi, _ = stability(np.array([500_000, 300_000, 200_000]), np.array([400_000, 300_000, 300_000]))

    # (.4 − .5)·ln(.4/.5) + 0 + (.3 − .2)·ln(.3/.2) = .022314 + .040547 = .062861
    assert psi == pytest.approx(0.1 * log(5 / 4) + 0.1 * log(3 / 2), abs=3e-4)


def test_a_bin_that_empties_gives_a_finite_index_whatever_the_number_of_customers() -> None:
    few, many = (stability(n * np.array([1, 1]), n * np.array([1, 0]))[0] for n in (100, 100_000))

    assert few == many
    assert 3 < many < 4  # .5·ln(.5 / .0005) = 3.45


def test_bins_empty_in_both_and_columns_of_one_value_do_not_count() -> None:
    assert stability(np.array([10, 0, 10]), np.array([10, 0, 10]))[0] == 0
    assert stability(np.array([10]), np.array([20])) == (0.0, 0.0)
    assert stability(np.array([10, 5]), np.array([0, 0])) == (0.0, 0.0)


def test_zero_and_missing_have_bins_of_their_own() -> None:
    column = NumericDistribution.of(np.array([np.nan, np.nan, 0, 0, 0, -1, 2, 3]))

    # too few values for quantiles, so only zero's own edges: one below, three zeros, two above
    assert (column.counts, column.missing) == ((1, 3, 2), 2)
    assert (column.zero_share, column.missing_share) == (3 / 8, 2 / 8)
    assert column.median == 2  # of −1, 2, 3


def test_customers_of_one_distribution_stay_below_the_noise() -> None:
    rng = np.random.default_rng(1)
    shifts = [distance(rng.gamma(2, 10, 500), rng.gamma(2, 10, 700)) for _ in range(300)]

    above = np.mean([s.psi > s.noise for s in shifts])

    # 1 in 1000 by the asymptotic distribution; the edges are the first sample's own quantiles
    assert above <= 0.01


def test_a_change_among_the_few_who_spend_is_seen_among_them_and_not_over_all() -> None:
    rng = np.random.default_rng(2)
    spends = rng.random(20_000) < 0.1
    before, after = (np.where(spends, rng.lognormal(3, 0.8, 20_000), 0.0) for _ in range(2))

    doubled = distance(before, 2 * after)

    assert doubled.psi < 0.2 < doubled.psi_of_values
    assert distance(before, after).psi_of_values < 0.02


def test_the_distance_from_stored_bins_is_that_of_the_samples() -> None:
    rng = np.random.default_rng(3)
    then, now = rng.normal(0, 1, 5_000), rng.normal(0.3, 1, 4_000)

    measured, exact = distance(then, now), ks_2samp(then, now)

    assert measured.ks == pytest.approx(exact.statistic, abs=0.02)
    assert measured.ks <= exact.statistic + 1e-9  # at the edges only, so never more
    assert measured.p_value < 1e-20


def test_the_p_value_of_like_samples_is_unremarkable() -> None:
    rng = np.random.default_rng(4)

    assert distance(rng.normal(0, 1, 3_000), rng.normal(0, 1, 3_000)).p_value > 0.05


def test_no_edge_stands_for_fewer_than_twenty_customers_and_no_extreme_is_kept() -> None:
    spend = np.random.default_rng(5).lognormal(3, 1, 330)

    column = NumericDistribution.of(spend)

    assert min(count for count in column.counts if count) >= MIN_BIN_CUSTOMERS
    assert spend.max() > column.edges[-1]
    assert spend.min() < column.edges[2]  # the first two are zero's
    assert NumericDistribution.of(spend[: 2 * MIN_BIN_CUSTOMERS - 1]).edges == (-1e-9, 0.0)


def test_a_column_that_vanished_is_found_and_named() -> None:
    column = NumericDistribution.of(np.random.default_rng(6).gamma(2, 1, 1_000))

    measured, words = compare(column, np.full(1_000, np.nan))

    assert measured.psi > 1
    assert words == "missing for 0%, now 100%"


def test_words_name_the_zeros_or_the_median() -> None:
    column = NumericDistribution.of(np.repeat([0.0, 10.0], [600, 400]))

    assert compare(column, np.repeat([0.0, 10.0], [900, 100]))[1] == "zero for 60%, now 90%"
    assert compare(column, np.repeat([0.0, 20.0], [600, 400]))[1] == "median 10, now 20"


def test_a_lost_channel_is_found_and_named() -> None:
    channels = CategoryCounts.of(np.array(["shop"] * 600 + ["web"] * 400))

    lost, words = compare(channels, np.array(["shop"] * 700))

    assert lost.psi > 0.2
    assert words == "web 40%, now 0%"
    assert compare(channels, np.array(["shop"] * 60 + ["web"] * 40))[0].psi == 0


def test_rare_labels_are_kept_together() -> None:
    channels = CategoryCounts.of(np.array(["shop"] * 50 + [f"anna{n}@example.com" for n in range(30)]))

    assert channels.counts == {"shop": 50, "(others)": 30}


@pytest.mark.parametrize(
    "column",
    [
        NumericDistribution.of(np.array([np.nan, 1.0, -2.5])),
        NumericDistribution.of(np.array([0.0])),
        CategoryCounts({"web": 3}),
    ],
)
def test_what_was_stored_is_read_back(column: NumericDistribution | CategoryCounts) -> None:
    text = json.dumps(column.to_dict(), allow_nan=False)

    assert str(type(column).from_dict(json.loads(text))) == str(column)
