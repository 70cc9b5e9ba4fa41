"""The holdout: who is drawn, and what it can show."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.campaign.holdout import (
    customers_for,
    draw_holdout,
    holdout_share_for,
    minimum_detectable_effect,
    sample_ratio_p_value,
    stratify,
)


def test_each_offer_holds_out_exactly_its_share_rounded_up() -> None:
    rng = np.random.default_rng(1)
    offer = np.repeat([0, 1], [905, 97])
    strata = stratify(offer, rng.lognormal(size=1002), rng.random(1002), 0.1)

    held_out = draw_holdout(strata, offer, 0.1, seed=7)

    assert (held_out[offer == 0].sum(), held_out[offer == 1].sum()) == (91, 10)


def test_every_stratum_holds_out_its_share_to_within_one() -> None:
    rng = np.random.default_rng(2)
    offer = np.zeros(1000)
    strata = stratify(offer, rng.lognormal(size=1000), rng.random(1000), 0.1)

    held_out = draw_holdout(strata, offer, 0.1, seed=7)

    sizes, held = np.bincount(strata), np.bincount(strata, weights=held_out)
    assert sizes.size == 9
    assert (np.abs(held - 0.1 * sizes) < 1).all()


def test_strata_too_small_for_two_held_out_are_merged() -> None:
    rng = np.random.default_rng(3)
    offer = np.repeat([0, 1], [70, 12])
    strata = stratify(offer, rng.lognormal(size=82), rng.random(82), 0.1)

    assert (np.bincount(strata[offer == 0]) >= 20).all()
    assert np.unique(strata[offer == 1]).size == 1  # offers are never merged with each other
    assert not set(strata[offer == 0]) & set(strata[offer == 1])


def test_the_same_seed_draws_the_same_holdout_and_another_seed_another() -> None:
    strata, offer = np.zeros(200, dtype=int), np.zeros(200)

    first, again, other = (draw_holdout(strata, offer, 0.1, seed) for seed in (7, 7, 8))

    assert (first == again).all()
    assert (first != other).any()


def test_everyone_is_held_out_equally_often() -> None:
    rng = np.random.default_rng(4)
    offer = np.zeros(60)
    strata = stratify(offer, rng.lognormal(size=60), rng.random(60), 0.2)

    often = np.mean([draw_holdout(strata, offer, 0.2, seed) for seed in range(2000)], axis=0)

    assert often.mean() == pytest.approx(0.2)
    assert np.abs(often - 0.2).max() < 5 * math.sqrt(0.2 * 0.8 / 2000)


def test_a_thousand_customers_with_a_tenth_held_out_see_nine_to_thirteen_points() -> None:
    assert minimum_detectable_effect(900, 100, rate=0.15) == pytest.approx(0.094, abs=0.001)
    assert minimum_detectable_effect(900, 100, rate=0.5) == pytest.approx(0.131, abs=0.001)
    assert minimum_detectable_effect(900, 0, rate=0.5) == math.inf


def test_the_holdout_sized_for_an_effect_sees_it_and_one_customer_less_does_not() -> None:
    share = holdout_share_for(0.08, 2000, rate=0.5)

    assert share is not None
    held = round(share * 2000)
    assert minimum_detectable_effect(2000 - held, held, rate=0.5) <= 0.08
    assert minimum_detectable_effect(2001 - held, held - 1, rate=0.5) > 0.08


def test_an_effect_too_small_for_an_even_split_is_out_of_reach() -> None:
    assert holdout_share_for(0.001, 1000, rate=0.5) is None


def test_the_customers_needed_see_the_effect() -> None:
    needed = customers_for(0.05, holdout_share=0.1, rate=0.5)

    assert minimum_detectable_effect(round(0.9 * needed), round(0.1 * needed), 0.5) == pytest.approx(
        0.05, rel=1e-3
    )


def test_a_lost_third_of_the_holdout_is_no_chance() -> None:
    assert sample_ratio_p_value(900, 100, 0.1) == 1
    assert sample_ratio_p_value(900, 60, 0.1) < 0.001
    assert sample_ratio_p_value(903, 97, 0.1) > 0.5
