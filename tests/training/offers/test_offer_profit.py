"""Economics of an offer: hand-computed cases, published numbers, and what must hold for any offer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from training.offers.offer_files import read_offers, write_offers
from training.offers.offer_profit import (
    break_even_acceptance,
    break_even_probability,
    expected_cost,
    greatest_cost,
    offer_profit,
    probability_of_profit,
)
from training.offers.offers import BetaPrior, Offer, OfferError

VOUCHER = Offer(name="voucher", contact_cost=1, incentive_cost=10, acceptance_rate=0.3)


def test_the_profit_is_what_the_accepting_leavers_save_less_what_all_cost() -> None:
    # .4·.3·(200 − 10) − .6·1·10 − 1 = 22.8 − 6 − 1
    profit = offer_profit([0.4], [200.0], VOUCHER)

    assert profit == pytest.approx([15.8])


def test_stayers_who_seldom_redeem_make_the_offer_cheaper() -> None:
    seldom = VOUCHER.model_copy(update={"redemption_rate": 0.5})

    # 1 + 10·(.4·.3 + .6·.5)
    assert expected_cost([0.4], seldom) == pytest.approx([5.2])
    assert greatest_cost(seldom) == pytest.approx(11)


def test_an_incentive_may_be_a_share_of_the_spend_per_purchase() -> None:
    tenth_off = Offer(contact_cost=1, incentive_share=0.1, acceptance_rate=0.3)

    # d = .1·50 = 5: .4·.3·(200 − 5) − .6·5 − 1
    assert offer_profit([0.4], [200.0], tenth_off, [50.0]) == pytest.approx([19.4])


def test_a_share_of_spend_needs_the_spend() -> None:
    tenth_off = Offer(name="tenth", incentive_share=0.1, acceptance_rate=0.3)

    with pytest.raises(OfferError, match="'tenth' is a share of the spend per purchase, which is not given"):
        offer_profit([0.4], [200.0], tenth_off)


def test_the_break_even_probability_of_the_literature_s_offer() -> None:
    assert break_even_probability(200.0, VOUCHER) == pytest.approx(0.164179, abs=5e-7)  # 11 / 67


def test_an_offer_dearer_than_what_it_saves_never_breaks_even() -> None:
    assert break_even_probability([5.0], VOUCHER)[0] > 1
    assert break_even_acceptance([0.9], [5.0], VOUCHER).tolist() == [np.inf]
    assert probability_of_profit([0.9], [5.0], VOUCHER).tolist() == [0.0]


def test_the_probability_of_profit_is_that_of_an_acceptance_above_break_even() -> None:
    prior = VOUCHER.model_copy(update={"acceptance_rate": BetaPrior(alpha=1, beta=1)})

    # γ* = ((1 − .4)·10 + 1) / (.4·190) = 7/76; flat prior: 1 − 7/76
    assert probability_of_profit([0.4], [200.0], prior) == pytest.approx([1 - 7 / 76])


@pytest.mark.parametrize(
    ("p", "value", "message"),
    [
        ([0.1, 0.2], [1.0, 2.0, 3.0], "2 churn probabilities but 3 values"),
        ([1.2], [1.0], "not within 0 and 1, e.g. 1.2"),
        ([float("nan")], [1.0], "not within 0 and 1"),
        ([0.2], [float("nan")], "1 values at stake are missing"),
    ],
)
def test_what_cannot_be_priced_is_refused(p: list[float], value: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        offer_profit(p, value, VOUCHER)


@given(
    p=st.floats(0.01, 0.99),
    value=st.floats(1, 1e4),
    gain=st.floats(0.01, 100),
    contact=st.floats(0, 20),
    incentive=st.floats(0, 50),
    acceptance=st.floats(0.01, 1),
    redemption=st.floats(0, 1),
)
def test_profit_rises_with_value_and_is_positive_just_above_break_even(
    p: float,
    value: float,
    gain: float,
    contact: float,
    incentive: float,
    acceptance: float,
    redemption: float,
) -> None:
    offer = Offer(
        contact_cost=contact,
        incentive_cost=incentive,
        acceptance_rate=acceptance,
        redemption_rate=redemption,
    )

    assert offer_profit([p], [value + gain], offer)[0] > offer_profit([p], [value], offer)[0]
    threshold = break_even_probability([value], offer)[0]
    if abs(p - threshold) > 1e-6 and value > incentive:
        assert (offer_profit([p], [value], offer)[0] > 0) == (p > threshold)


def test_offers_are_read_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "offers.toml"
    path.write_text(
        """
        [[offers]]
        name = "voucher"
        channel = "e-mail"
        contact_cost = 0.1
        incentive_cost = 5
        acceptance_rate = { alpha = 6, beta = 14 }

        [[offers]]
        name = "call"
        incentive_share = 0.2
        acceptance_rate = 0.4
        capacity = 200
        """,
        encoding="utf-8",
    )

    voucher, call = read_offers(path)

    assert (voucher.acceptance, voucher.channel, voucher.redemption_rate) == (0.3, "e-mail", 1.0)
    assert (call.capacity, call.acceptance, call.incentive([50.0]).tolist()) == (200, 0.4, [10.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[offers]]\nname = 'a'\nacceptance_rate = .3", "not valid TOML"),
        ("offers = " + "[" * 5_000, "not valid TOML: it is nested more than 100 deep"),
        ("[[offers]]\nname = 'a'\nacceptance_rate = 0.3", "offer a: give either incentive_cost"),
        ("[[offers]]\nname = 'a'\nincentive_cost = 1\nacceptance_rate = 1.3", "offer a: acceptance_rate"),
        ("[[offers]]\nincentive_cost = -1\nacceptance_rate = 0.3", "offer number 1: incentive_cost"),
        ("[[offers]]\nname='a'\nincentive_cost=1\nacceptance_rate=0.3\ncost=2", "offer a: cost is not known"),
        ("[offer]\nname = 'a'", r"needs \[\[offers\]\] tables"),
        (
            2 * "[[offers]]\nname = 'a'\nincentive_cost = 1\nacceptance_rate = 0.3\n",
            "two offers are called 'a'",
        ),
    ],
)
def test_a_wrong_offers_file_says_where(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "offers.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(OfferError, match=message):
        read_offers(path)


def test_a_missing_offers_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OfferError, match="Can't read the offers file"):
        read_offers(tmp_path / "none.toml")


def test_whom_an_offer_is_for_is_written_and_read_again(tmp_path: Path) -> None:
    limits = {
        "tiers": ["vip", "destroyer"],
        "stages": ["lapsing"],
        "segments": {"home town": ["Yazd", "Qom"]},
    }
    offer = Offer(incentive_cost=1, acceptance_rate=0.2, **limits)  # type: ignore[arg-type]

    write_offers([offer], tmp_path / "offers.toml")

    assert read_offers(tmp_path / "offers.toml") == [offer]


@pytest.mark.parametrize("line", ['tiers = ["VIP"]', 'stages = ["prospect"]', 'segments = ["vip"]'])
def test_a_tier_or_stage_that_there_is_not_is_refused(line: str, tmp_path: Path) -> None:
    path = tmp_path / "offers.toml"
    path.write_text(f"[[offers]]\nincentive_cost = 1\nacceptance_rate = 0.2\n{line}\n")

    with pytest.raises(OfferError, match=f"offer number 1: {line.partition(' ')[0]}"):
        read_offers(path)
