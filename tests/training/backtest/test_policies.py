"""Policies: five customers whose money fits on a napkin."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, strategies as st

from features.snapshot import ChurnWindow, Snapshot
from training.backtest.policies import (
    BGNBD,
    CHAMPION,
    EVERYBODY,
    FORESIGHT,
    NOBODY,
    POLICIES,
    RANDOM,
    RISK,
    SILENCE,
    VALUE,
    Prospects,
    contacts,
    top,
)
from training.offers.offers import Offer

VOUCHER = Offer(contact_cost=1, incentive_cost=10, acceptance_rate=0.5)


def five() -> Prospects:
    """Two valuable ones who stay, two who leave, and one who leaves but isn't worth the contact."""
    return Prospects(
        window=ChurnWindow(Snapshot(date(2024, 1, 1)), 90),
        customer_id=np.array(["a", "b", "c", "d", "e"], dtype=object),
        churn_probability=np.array([0.1, 0.05, 0.5, 0.9, 0.99]),
        p0=np.array([0.5, 0.1, 0.1, 0.9, 0.99]),
        days_silent=np.array([5.0, 9.0, 30.0, 60.0, 90.0]),
        value_at_stake=np.array([100.0, 200.0, 90.0, 50.0, 11.0]),
        spend_per_purchase=np.full(5, 30.0),
        churned=np.array([0.0, 0.0, 1.0, 1.0, 1.0]),
    )


def test_the_plan_contacts_whoever_promises_a_profit() -> None:
    # p·γ·(V − d) − (1 − p)·d − f: a .05·90 − 9 − 1 = −5.5; b .025·190 − 9.5 − 1 = −5.75; c .25·80 − 5 − 1 = 14;
    # d .45·40 − 1 − 1 = 16; e .495·1 − .1 − 1 = −.605.
    expected = five().expected_profit(five().churn_probability, VOUCHER)

    assert expected == pytest.approx([-5.5, -5.75, 14, 16, -0.605])
    assert contacts(five(), VOUCHER)[CHAMPION].tolist() == [0, 0, 1, 1, 0]


def test_a_rule_without_a_length_gets_the_plan_s() -> None:
    chosen = contacts(five(), VOUCHER)

    assert chosen[SILENCE].tolist() == [0, 0, 0, 1, 1]
    assert chosen[VALUE].tolist() == [1, 1, 0, 0, 0]
    assert chosen[RISK].tolist() == [0, 0, 0, 1, 1]
    assert chosen[RANDOM].tolist() == [0.4] * 5  # 2 of 5


def test_bgnbd_plans_with_its_own_probability_and_its_own_length() -> None:
    # With p0: a .25·90 − 5 − 1 = 16.5; b .05·190 − 9 − 1 = −.5; c .05·80 − 9 − 1 = −6; d as before; e as before.
    assert contacts(five(), VOUCHER)[BGNBD].tolist() == [1, 0, 0, 1, 0]


def test_perfect_foresight_contacts_leavers_who_are_worth_it() -> None:
    # c .5·80 − 1 = 39; d .5·40 − 1 = 19; e .5·1 − 1 = −.5; a and b cost 11 each.
    assert five().realised_profit(VOUCHER).tolist() == [-11, -11, 39, 19, -0.5]
    assert contacts(five(), VOUCHER)[FORESIGHT].tolist() == [0, 0, 1, 1, 0]


def test_nobody_and_everybody_are_what_they_say() -> None:
    chosen = contacts(five(), VOUCHER)

    assert chosen[NOBODY].sum() == 0
    assert chosen[EVERYBODY].sum() == 5
    assert tuple(chosen) == POLICIES


def test_an_incentive_may_be_a_share_of_the_customer_s_purchase() -> None:
    half = Offer(contact_cost=1, incentive_share=0.5, acceptance_rate=0.5)

    assert five().realised_profit(half)[0] == -16  # 30 · .5 + 1


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(0, 40))
def test_a_cut_through_a_tie_is_drawn_by_lot(scores: list[int], size: int) -> None:
    chance = top(np.array(scores, dtype=float), size)

    assert chance.sum() == pytest.approx(min(size, len(scores)))
    assert ((chance >= 0) & (chance <= 1)).all()
    order = np.argsort(scores, kind="stable")
    assert (np.diff(chance[order]) >= 0).all()
