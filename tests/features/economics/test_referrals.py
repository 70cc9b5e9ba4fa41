"""Referrals: the first referrer counts, and what the referred bring is in no total."""

from datetime import date

import pandas as pd
import pytest

from features.economics.facts import Facts
from features.economics.lifetime import create_lifetimes, lifetime_values
from features.economics.money import MoneyUnit
from features.economics.periods import Periods
from features.economics.referrals import Referrals, referral_results
from features.errors import StayworthError
from features.log.validation import validate

HEADER = "referrer_id,referred_id,referred_at,reward\n"


def test_what_the_referred_brought_stands_beside_their_referrer(tmp_path):
    rows = [("ann", "2015-01-10", 200), ("bob", "2015-01-31", 400), ("cid", "2015-02-20", 30)]
    log = validate(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))
    path = tmp_path / "referrals.csv"
    # ann brought bob; cid did so later, and brought somebody who has not bought
    path.write_text(
        HEADER + "ann,bob,2015-01-15,25\ncid,bob,2015-01-20,25\ncid,zoe,2015-02-21,5\ncid,yan,2015-02-22,\n"
    )

    referrals = Referrals.read(path)
    with Facts(log, Periods(date(2015, 1, 10), date(2015, 2, 28)), 30, margin=1.0) as facts:
        (found,) = referral_results(facts, referrals, MoneyUnit()).to_dict("records")

    assert (found["referrers"], found["referred"], referrals.later) == (2, 1, 1)
    # 200 and 30 of their own, 400 of bob, rewards of 25 and 5, each for two referrers
    assert (found["own_margin"], found["referred_margin"], found["rewards"]) == (115, 200, 15)
    assert found["with_referred"] == 300


def test_the_lifetime_value_of_the_referred_stands_beside_that_of_their_referrer(tmp_path):
    rows = [("ann", "2015-01-01", 200), ("bob", "2015-01-01", 400), ("cid", "2015-01-01", 70)]
    log = validate(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))
    path = tmp_path / "referrals.csv"
    path.write_text(HEADER + "ann,bob,2015-01-15,25\n")
    referrals, unit = Referrals.read(path), MoneyUnit()

    def found(potential):
        with Facts(log, Periods(date(2015, 1, 1), date(2015, 12, 31)), 30, margin=1.0) as facts:
            facts.engine.register("referrals", referrals.table)
            lifetime_values(facts, unit, 0.1, {0: 50.0}, potential)
            create_lifetimes(facts, unit, 0.1, {0: 50.0})
            return referral_results(facts, referrals, unit, lifetimes=True).iloc[0]

    # A year later 200 at 10% are 220, acquisition 55; 30 and 40 are expected of ann and bob.
    known, unknown = found({"ann": 3_000, "bob": 4_000, "cid": 0}), found({"ann": 3_000})

    assert (known["own_lifetime_value"], known["referred_lifetime_value"]) == (220 + 30 - 55, 440 + 40 - 55)
    assert known["lifetime_with_referred"] == 195 + 425 - 25
    assert unknown["own_lifetime_value"] == 195
    assert pd.isna(unknown["referred_lifetime_value"]) and pd.isna(unknown["lifetime_with_referred"])


def test_customers_who_referred_each_other_are_refused(tmp_path):
    path = tmp_path / "referrals.csv"
    path.write_text(HEADER + "ann,bob,2015-01-15,0\nbob,ann,2015-01-20,0\n")

    with pytest.raises(StayworthError, match="'ann', 'bob' referred each other in a circle"):
        Referrals.read(path)
