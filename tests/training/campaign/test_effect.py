"""Effects: hand-computed differences, and a thousand simulated campaigns with known truth."""

from __future__ import annotations

import numpy as np
import pytest

from features.errors import StayworthError
from training.campaign.effect import Effect, effect
from training.campaign.holdout import draw_holdout, stratify


def test_strata_count_by_their_size() -> None:
    # Stratum 0: 4 customers, means 3 and 1; stratum 1: 8 customers, means 10 and 9.
    outcome = [2, 4, 0, 2, 9, 11, 9, 11, 8, 10, 8, 10]
    contacted = [1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]
    stratum = [0] * 4 + [1] * 8

    found = effect(outcome, contacted, stratum)

    # (4·2 + 8·1) / 12
    assert found.difference == pytest.approx(16 / 12)
    # Variances 2, 2 with n 2, 2; 4/3, 4/3 with n 4, 4.
    variance = (4 / 12) ** 2 * (1 + 1) + (8 / 12) ** 2 * (1 / 3 + 1 / 3)
    assert found.standard_error == pytest.approx(variance**0.5)
    assert found.low < found.difference < found.high


def test_a_covariate_that_explains_the_outcome_makes_the_interval_narrower() -> None:
    rng = np.random.default_rng(1)
    before = rng.lognormal(3, 1, 400)
    contacted = rng.permutation(400) < 300
    outcome = before + 5 * contacted + rng.normal(0, 2, 400)

    plain, adjusted = effect(outcome, contacted), effect(outcome, contacted, None, before)

    assert adjusted.high - adjusted.low < 0.2 * (plain.high - plain.low)
    assert adjusted.low < 5 < adjusted.high


def test_an_effect_without_any_spread_is_exact() -> None:
    found = effect([1.0] * 6 + [0.0] * 6, [True] * 6 + [False] * 6)

    assert (found.low, found.difference, found.high) == (1, 1, 1)


def test_a_stratum_with_nobody_held_out_joins_its_neighbour() -> None:
    found = effect([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1])

    assert found.difference == pytest.approx(2.5 - 5.5)


def test_one_held_out_customer_is_no_comparison() -> None:
    with pytest.raises(StayworthError, match="3 contacted and 1 held-out customers"):
        effect([1, 2, 3, 4], [1, 1, 1, 0])


def test_a_large_campaign_uses_normal_quantiles() -> None:
    rng = np.random.default_rng(2)
    contacted = rng.permutation(20_000) < 18_000

    found = effect(rng.exponential(size=20_000), contacted)

    assert found.high - found.low == pytest.approx(2 * 1.6448536 * found.standard_error)


@pytest.mark.slow
@pytest.mark.parametrize("acceptance", [0.0, 0.3])
def test_a_thousand_campaigns_hold_the_truth_nine_times_in_ten(acceptance: float) -> None:
    """1,000 customers, 10% held out, margins so skewed that the top 1% make a sixth of them.

    Without an effect the share of intervals that miss it is the share of false alarms.
    """
    found = np.array([_campaign(seed, acceptance) for seed in range(1000)])

    margin_covered, stay_covered, error, narrower = found.T
    assert 0.88 <= margin_covered.mean() <= 0.92
    assert 0.86 <= stay_covered[1::2].mean() <= 0.94
    # Adjustment is unbiased: the mean error is within three of its own standard errors.
    assert abs(error.mean()) < 3 * error.std() / np.sqrt(1000)
    assert narrower.mean() > 0.9


def _campaign(seed: int, acceptance: float) -> tuple[bool, bool, float, bool]:
    rng = np.random.default_rng([seed, int(100 * acceptance)])
    n = 1000
    rate, margin = rng.gamma(1.2, 1.2, n), rng.lognormal(2.3, 1.0, n)
    churn = np.exp(-rate)
    score = 1 / (1 + np.exp(-(np.log(churn / (1 - churn)) + rng.normal(0, 0.5, n))))
    value = margin * rate * 4
    strata = stratify(np.zeros(n), value, score, 0.1)
    held_out = draw_holdout(strata, np.zeros(n), 0.1, seed)

    silent = rng.random(n) < churn
    saved = silent & (rng.random(n) < acceptance)
    alone = np.where(silent, 0.0, np.maximum(rng.poisson(rate), 1) * margin * rng.lognormal(0, 0.4, n))
    contacted = alone + saved * margin * rng.lognormal(0, 0.4, n)
    before = rng.poisson(rate) * margin
    earned = np.where(held_out, alone, contacted)
    covariates = np.column_stack([np.log1p(before), score, np.log1p(value)])

    money = effect(earned, ~held_out, strata, covariates)
    plain = effect(earned, ~held_out, strata) if seed < 50 else None
    truth = float((contacted - alone).mean())
    stay_covered = True
    if seed % 2:  # half of them are enough for a share
        stay = effect(np.where(held_out, ~silent, ~silent | saved), ~held_out, strata)
        stay_covered = stay.low <= float(saved.mean()) <= stay.high
    return (
        money.low <= truth <= money.high,
        stay_covered,
        money.difference - truth,
        plain is None or _width(money) < _width(plain),
    )


def _width(found: Effect) -> float:
    return found.high - found.low


def test_strata_count_by_their_contacted_however_many_of_them_are_held_out() -> None:
    # four of six contacted, who gain 1; two of six contacted, who gain 4
    contacted = np.repeat([True, False, True, False], [4, 2, 2, 4])
    stratum = np.repeat([0, 1], 6)
    outcome = np.tile([0.0, 2.0], 6) + contacted * np.where(stratum == 0, 1.0, 4.0)

    found = effect(outcome, contacted, stratum)

    assert found.difference == pytest.approx((4 * 1.0 + 2 * 4.0) / 6)


def test_the_interval_of_a_share_stays_within_what_the_contacted_could_have_done() -> None:
    # 9 of 10 contacted bought, and 1 of 2 held out: without the contact 0 to 10 of the ten would have.
    outcome, contacted = [1.0] * 9 + [0.0] + [1.0, 0.0], [True] * 10 + [False] * 2

    free, found = effect(outcome, contacted), effect(outcome, contacted, limits=(0, 1))

    assert free.high == pytest.approx(1.203, abs=0.001)
    assert (found.low, found.high) == pytest.approx((free.low, 0.9))
    assert found.difference == pytest.approx(0.4)
