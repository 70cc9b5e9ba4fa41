"""Profit measures: the literature's example, hand-computed hulls, and brute force over a grid of rates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from training.offers.offer_profit import realised_profit
from training.offers.offers import Offer
from training.offers.profit_measures import STANDARD_OFFER, empb, empc, mpc, profit_curve, roc_hull

Y = [0, 1, 0, 1, 0, 1, 0, 1]
SCORE = [0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9]


def test_the_published_empc_and_mpc() -> None:
    measure = empc(Y, SCORE)

    assert measure.profit == pytest.approx(23.8755934, abs=5e-8)
    assert measure.targeted_share == pytest.approx(0.8743701, abs=5e-8)
    assert mpc(Y, SCORE).profit == pytest.approx(23.875)


def test_the_floor_is_the_profit_of_contacting_everybody() -> None:
    # .5·.3·190 − .5·10 − 1
    assert empc(Y, SCORE).floor == pytest.approx(22.5)
    assert empc(Y, SCORE).above_floor == pytest.approx(1.3755934, abs=5e-8)


def test_where_nobody_is_worth_a_contact_the_floor_is_zero() -> None:
    dear = Offer(contact_cost=100, incentive_cost=10, acceptance_rate=0.3)

    assert mpc(Y, SCORE, offer=dear).floor == 0
    assert mpc(Y, SCORE, offer=dear).profit == 0
    assert mpc(Y, SCORE, offer=dear).targeted_share == 0


def test_empc_is_the_mean_over_the_prior_of_the_best_cut_off() -> None:
    rng = np.random.default_rng(3)
    y = rng.random(300) < 0.4
    score = np.round(y + rng.normal(0, 1.2, 300), 1)  # with ties
    share, others = roc_hull(y, score)
    rates = (np.arange(20_000) + 0.5) / 20_000
    pi = y.mean()

    profits = pi * np.outer(rates * 190 - 1, share) - (1 - pi) * others * 11
    expected = (profits.max(axis=1) * stats.beta.pdf(rates, 6, 14)).mean()

    assert empc(y, score).profit == pytest.approx(expected, rel=1e-6)


def test_a_useless_score_has_the_diagonal_as_its_hull() -> None:
    churners, others = roc_hull([0, 1, 0, 1], [1, 1, 1, 1])

    assert (churners.tolist(), others.tolist()) == ([0.0, 1.0], [0.0, 1.0])


def test_outcomes_that_are_all_alike_are_refused() -> None:
    with pytest.raises(ValueError, match="with both present"):
        roc_hull([1, 1], [0.2, 0.3])


def test_realised_profit_counts_what_a_leaver_saves_and_a_stayer_takes() -> None:
    profit = realised_profit([1, 0], [100.0, 100.0], STANDARD_OFFER)

    assert profit.tolist() == pytest.approx([0.3 * 90 - 1, -10 - 1])


def test_empb_takes_the_best_cut_off_by_own_value() -> None:
    # Profits 56, −11, 116, −11 in the order of the score; the top three are best: 161 over four customers.
    measure = empb([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], [200.0, 50.0, 400.0, 10.0])

    assert (measure.profit, measure.targeted_share) == (40.25, 0.75)
    assert measure.floor == pytest.approx(150 / 4)


def test_ties_in_a_score_rise_evenly_so_their_order_is_no_luck() -> None:
    first = profit_curve([10.0, -2.0, 4.0], [0.5, 0.5, 0.1])[1]
    second = profit_curve([-2.0, 10.0, 4.0], [0.5, 0.5, 0.1])[1]

    assert first.tolist() == second.tolist() == [0, 4, 8, 12]
