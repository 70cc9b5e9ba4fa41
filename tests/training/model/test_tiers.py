"""Tiers: the shares that were asked for, and equal values together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from features.customer_groups import TIERS_OF
from training.model.tiers import Tiers, limits
from training.settings import TrainSettings

VALUES = st.lists(
    st.one_of(st.integers(-3, 3).map(float), st.floats(-1e9, 1e9, allow_nan=False)), min_size=1, max_size=60
).map(np.array)
SHARES = st.lists(st.integers(1, 50), min_size=2, max_size=4).map(
    lambda parts: [100 * part / sum(parts) for part in parts]
)


def counts(values: list[float]) -> dict[str, int]:
    money = {"expected_value": np.array(values)}
    names, sizes = np.unique(Tiers.fitted(money).of(money), return_counts=True)
    return dict(zip(names.tolist(), sizes.tolist(), strict=True))


@pytest.mark.parametrize(
    ("values", "tiers"),
    [
        ([float(value) for value in range(10)], {"vip": 2, "medium": 5, "low": 3}),
        ([5.0] * 10, {"medium": 10}),  # nothing sets anybody above the others: all are the bulk
        ([5.0], {"medium": 1}),
        ([9.0] * 3 + [0.0] * 7, {"vip": 3, "medium": 7}),  # 3 of 10 are nearer to the fifth than none
        ([9.0] * 4 + [0.0] * 6, {"vip": 4, "medium": 6}),
        ([9.0] + [3.0] * 5 + [0.0] * 4, {"vip": 1, "medium": 5, "low": 4}),
        ([9.0] + [3.0] * 9, {"vip": 1, "medium": 9}),
    ],
)
def test_values_that_tie_at_a_limit_stay_together_on_the_nearer_side(
    values: list[float], tiers: dict[str, int]
) -> None:
    assert counts(values) == tiers


@given(VALUES, SHARES)
def test_no_other_limit_comes_nearer_to_the_shares_without_splitting_equal_values(
    values: np.ndarray, shares: list[float]
) -> None:
    cuts = limits(values, shares)

    assert list(cuts) == sorted(cuts, reverse=True)
    possible = {0} | {int((values >= value).sum()) for value in values}
    for place, (cut, wanted) in enumerate(zip(cuts, np.cumsum(shares) * len(values) / 100, strict=False)):
        above = int((values >= cut).sum())
        if place == 0 and len(set(values)) == 1:
            assert above == 0
        else:
            assert abs(above - wanted) == min(abs(count - wanted) for count in possible)


@given(VALUES)
def test_a_higher_value_never_has_a_lower_tier_and_the_order_of_customers_changes_none(
    values: np.ndarray,
) -> None:
    money = {"expected_value": values}
    tiers = Tiers.fitted(money)
    shuffled = np.random.default_rng(len(values)).permutation(values)

    rank = [TIERS_OF["value"].index(name) for name in tiers.of(money)]

    ordered = sorted(zip(values.tolist(), rank, strict=True), key=lambda pair: -pair[0])
    assert [place for _, place in ordered] == sorted(rank)
    assert len({value: place for value, place in ordered}) == len(set(ordered))
    assert Tiers.fitted({"expected_value": shuffled}) == tiers


def test_a_bank_cuts_by_gross_value_and_calls_only_those_destroyers_who_cost_more_than_they_bring() -> None:
    gross = np.arange(100, 0, -1.0)
    money = {"expected_gross_value": gross, "expected_value": np.where(gross == 50, -1.0, gross)}

    found = Tiers.fitted(money, "bank").of(money).tolist()

    # 11, 22, 39 and 28 of 100 by gross value; the one with a net value below 0 is among the fence-sitters.
    assert [found.count(name) for name in ("top", "threshold", "fence-sitter", "lowest")] == [11, 22, 38, 28]
    assert found[50] == "destroyer"


@pytest.mark.parametrize(
    ("tiers", "text", "wrong"),
    [
        ("value", "20/50", "no shares that add up to 100"),
        ("value", "vip", "no shares"),
        ("value", "nan/50/50", "no shares"),
        ("value", "-10/60/50", "no shares"),
        ("bank", "20/50/30", "has 3 shares; the tiers are 4: top, threshold, fence-sitter, lowest"),
    ],
)
def test_shares_that_do_not_fit_the_tiers_are_refused(tiers: str, text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        TrainSettings(tiers=tiers, tier_shares=text)  # type: ignore[arg-type]


def test_shares_are_settings() -> None:
    assert TrainSettings().shares_of_tiers == (20, 50, 30)
    assert TrainSettings(tiers="bank").shares_of_tiers == (11, 22, 39, 28)
    assert TrainSettings(tier_shares="10/60/30").shares_of_tiers == (10, 60, 30)
