"""Real money: a log in the money of one month, and what is compared with it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from features.commands.log import open_log
from features.errors import LogError, StayworthError
from features.log.prices import Prices
from features.log.settings import Columns, LogSettings
from features.log.terms import LogTerms
from features.log.transactions import TransactionLog
from features.log.validation import validate

JANUARY, FEBRUARY = ((date(2015, month, 1) - date(1970, 1, 1)).days for month in (1, 2))
PRICES = Prices("2015-02", ("2015-01", "2015-02"), (JANUARY, FEBRUARY), (1.25, 1.0))
WHOSE = "the log that version 3 learnt from"


def log() -> TransactionLog:
    rows = [
        ("a", "2015-01-31", 80_000, 0.02),
        ("a", "2015-02-01", 100_000, -0.02),
        ("b", "2015-01-02", -0.02, 1),
    ]
    return validate(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount", "margin"]))


def test_what_80_000_bought_at_an_index_of_100_takes_100_000_at_125() -> None:
    real = log().at_prices(PRICES)

    # -2 cents · 1.25 = -2.5, away from zero; so is +2.5.
    assert real.table["amount_cents"].to_pylist() == [10_000_000, 10_000_000, -3]
    assert real.table["margin_cents"].to_pylist() == [3, -2, 125]
    assert real.terms.prices == PRICES and real.at_prices(PRICES) is real


def test_real_money_of_one_month_becomes_that_of_an_earlier_one_that_a_version_keeps() -> None:
    earlier = PRICES.in_money_of("2015-01")

    again = log().at_prices(PRICES).at_prices(earlier)

    assert again.table["amount_cents"].to_pylist()[:2] == [8_000_000, 8_000_000]
    assert again.terms.prices == earlier
    assert LogTerms.from_dict(again.terms.to_dict()) == again.terms


@pytest.mark.parametrize(
    ("mine", "theirs", "name", "says"),
    [
        (None, PRICES, "other-deflator", "money is as booked, in the log that version 3 .* Give --deflator"),
        (PRICES, None, "other-deflator", "that of 2015-02, by a deflator, in .* Leave --deflator out"),
        (PRICES, PRICES.in_money_of("2015-01"), "other-deflator", "that of 2015-02, .* that of 2015-01, by"),
        (
            Prices("2015-02", *(PRICES.months, PRICES.first_days, (1.3, 1.0))),
            PRICES,
            "other-index",
            "2015-01",
        ),
    ],
)
def test_money_of_another_month_or_index_is_found(
    mine: Prices | None, theirs: Prices | None, name: str, says: str
) -> None:
    (found,) = LogTerms(prices=mine).differences(LogTerms(prices=theirs), WHOSE)

    assert found.name == name and found.fatal == (name == "other-deflator")
    assert pd.Series(found.message).str.contains(says).all()


def test_a_longer_index_that_says_the_same_is_no_difference() -> None:
    longer = Prices(
        "2015-02", (*PRICES.months, "2015-03"), (*PRICES.first_days, FEBRUARY + 28), (1.25, 1, 0.9)
    )

    assert LogTerms(prices=longer).differences(LogTerms(prices=PRICES), WHOSE) == []


def test_a_command_reads_a_log_in_the_money_of_a_version(tmp_path: Path) -> None:
    orders, index = tmp_path / "orders.csv", tmp_path / "index.csv"
    orders.write_text("customer_id,ordered_at,amount\na,1393/11/12,10\na,1393/12/01,20\n")
    index.write_text("month,index\n1393/11,100\n۱۳۹۳/۱۲,125\n1394/01,150\n")
    settings = LogSettings(transactions=str(orders), calendar="jalali", deflator=index)

    own, versions = (open_log(settings, Columns(), lambda *_: None, base=base) for base in (None, "1394-01"))

    assert own.table["amount_cents"].to_pylist() == [1250, 2000] and own.terms.prices.base == "1393-12"
    assert versions.table["amount_cents"].to_pylist() == [1500, 2400]
    with pytest.raises(StayworthError, match="no index for 1 .* 1394-02"):
        open_log(settings, Columns(), lambda *_: None, base="1394-02")


def test_a_fatal_difference_stops_the_reading(tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text("customer_id,ordered_at,amount\na,2015-01-31,10\na,2015-02-01,20\n")

    with pytest.raises(LogError, match="Give --deflator"):
        open_log(
            LogSettings(transactions=str(orders)),
            Columns(),
            lambda *_: None,
            compare=lambda read: read.terms.differences(LogTerms(prices=PRICES), WHOSE),
        )
