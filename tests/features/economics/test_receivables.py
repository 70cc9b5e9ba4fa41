"""Receivables: what is open as known at a date, the rates of its ages, and bad debt."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.economics.ageing import AGES, Ageing, ageing_now, bad_debt
from features.economics.cost_table import CostTable
from features.economics.facts import Facts
from features.economics.identities import resolved
from features.economics.periods import Periods
from features.economics.receivables import Receivables
from features.economics.segments import ListedSegments
from features.errors import StayworthError
from features.log.transactions import TransactionLog
from features.log.validation import validate

HEAD = "customer_id,issued_at,due_at,amount,paid_at,paid_amount,written_off_at\n"
HALF = dict.fromkeys(AGES, 0.5)


def log(last: str = "2015-03-31") -> TransactionLog:
    """Ann and Bob buy on 1 January 2015; Ann closes the log."""
    rows = [("ann", "2015-01-01", 10), ("bob", "2015-01-01", 5), ("ann", last, 1)]
    return validate(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))


def read(rows: str, folder: Path, **options: object) -> Receivables:
    path = folder / "receivables.csv"
    path.write_text(HEAD + rows)
    return Receivables.read(path, **options)  # type: ignore[arg-type]


def facts_of(orders: TransactionLog) -> Facts:
    return Facts(
        orders,
        Periods(orders.first_day, orders.last_day),
        60,
        segments=ListedSegments("city", {"ann": "Yazd", "bob": "Shiraz"}),
    )


def test_open_amounts_have_the_age_that_they_have_at_the_logs_end(tmp_path):
    # the log is known until 1 April: due that day is not due, due on 31 March is 1 day over
    rows = (
        "ann,2015-01-01,2015-04-01,1,,,\n"
        "ann,2015-01-01,2015-03-31,2,,,\n"
        "ann,2015-01-01,2015-03-02,4,,,\n"  # 30 days
        "ann,2015-01-01,2015-03-01,8,,,\n"  # 31
        "bob,2014-09-01,2014-10-03,16,,,\n"  # 180
        "bob,2014-09-01,2014-10-02,32,,,\n"  # 181
        "ann,2015-01-01,2015-03-01,64,2015-04-01,,\n"  # paid after the log: open, and 31 days
        "ann,2015-01-01,2015-03-01,128,2015-03-31,,\n"  # paid
        "ann,2015-01-01,2015-03-01,256,2015-03-31,156,\n"  # paid in part: 100 are left
        "ann,2015-01-01,2015-03-01,512,,,2015-03-31\n"  # written off
        "ann,2015-04-01,2015-05-01,1024,,,\n"  # after the log
        "zoe,2015-01-01,2015-03-01,2048,,,\n"  # nobody of the log
        ",2015-01-01,2015-03-01,4096,,,\n"
    )

    with facts_of(log()) as facts:
        ageing = Ageing(facts, read(rows, tmp_path), HALF)
        now = ageing_now(ageing)
        strangers = ageing.strangers

    everyone = now[now["segment"] == "all"].set_index("age_of_debt")
    assert (everyone["open_cents"] / 100).to_dict() == {
        "not_due": 1,
        "days_1_30": 6,
        "days_31_60": 8 + 64 + 100,
        "days_91_180": 16,
        "over_180": 32,
    }
    assert (everyone["expected_loss_cents"] == everyone["open_cents"] / 2).all()
    assert now[now["segment"] == "Shiraz"]["open_cents"].tolist() == [1_600, 3_200]
    assert strangers == 2


def test_bad_debt_is_what_was_written_off_and_the_change_of_the_expected_loss(tmp_path):
    rows = (
        "ann,2015-01-10,2015-01-20,100,2015-02-10,,\n"  # open at the end of January
        "bob,2015-01-10,2015-01-20,40,2015-02-28,10,2015-03-05\n"  # 30 written off in March
        "ann,2015-01-10,2015-01-20,8,2015-03-20,6,2015-02-20\n"  # 8 written off in February, 6 recovered in March
    )

    with facts_of(log()) as facts:
        found = bad_debt(Ageing(facts, read(rows, tmp_path), HALF)) / 100

    months = found.loc["all"]
    assert months["open_cents"].tolist() == [148, 30, 0]
    assert months["written_off_cents"].tolist() == [0, 8, 24]
    assert months["expected_loss_cents"].tolist() == [74, 15, 0]
    assert months["bad_debt_cents"].tolist() == [74, 8 + 15 - 74, 24 - 15]
    assert months["bad_debt_cents"].sum() == 32  # what was never paid
    assert (found.loc["Yazd"] + found.loc["Shiraz"]).equals(months)


def _three_years(folder: Path, cut: date = date.max) -> tuple[TransactionLog, str]:
    """Thirty invoices a month of 1, due after 30 days; of each month 3 are never paid, others on the 40th day."""
    rows = []
    for start in pd.date_range("2013-01-01", "2015-12-01", freq="MS"):
        for number in range(30):
            paid = "" if number < 3 else str((start + pd.Timedelta(days=40)).date())
            rows.append(f"ann,{start.date()},{(start + pd.Timedelta(days=30)).date()},1,{paid},,\n")
    orders = validate(
        pd.DataFrame({"customer_id": "ann", "ordered_at": ["2013-01-01", "2015-12-31"], "amount": [1.0, 1.0]})
    )
    return orders, "".join(rows)


def test_the_rate_of_an_age_is_what_was_unpaid_a_year_later_as_known_then(tmp_path):
    orders, rows = _three_years(tmp_path)

    with facts_of(orders) as facts:
        ageing = Ageing(facts, read(rows, tmp_path))
        early, late = (
            ageing.rates((date(year, month, 1) - date(1970, 1, 1)).days)
            for year, month in ((2014, 1), (2016, 1))
        )

    assert np.isnan(early).all()  # nothing is a year old
    # At a month's start the invoices of the month before are open, thirty of which three are never paid: due since
    # a day after a month of 31 days, not due after a shorter one. What is due since ten days or longer is never paid:
    # that of January on 1 March (29 days), of February on 1 April (29).
    assert late[0] == pytest.approx(0.1)
    assert late[1] == pytest.approx((14 * 3 + 4 * 3) / (14 * 30 + 4 * 3))  # 14 months of 31 days in two years
    assert late[2:].tolist() == [1, 1, 1, 1]


def test_payments_to_come_change_nothing_that_is_known(tmp_path):
    orders, rows = _three_years(tmp_path)
    known = facts_of(orders)
    last = orders.last_day + pd.Timedelta(days=1)
    scrambled = rows.replace(",1,,,", f",1,{last},,{last}") + f"ann,{last},{last},1000,,,\n"

    with known as facts:
        before = bad_debt(Ageing(facts, read(rows, tmp_path)))
    with facts_of(orders) as facts:
        after = bad_debt(Ageing(facts, read(scrambled, tmp_path)))

    pd.testing.assert_frame_equal(before, after)


def test_receivables_of_less_than_a_year_have_ages_and_no_expected_loss(tmp_path):
    with facts_of(log()) as facts:
        ageing = Ageing(facts, read("ann,2015-01-01,2015-02-01,5,,,\n", tmp_path))
        now, months = ageing_now(ageing), bad_debt(ageing)
        known = ageing.create_losses("losses", *map(int, facts.periods.boundaries[[0, -1]]))

    assert now["open_cents"].tolist() == [500, 500]
    assert now["expected_loss_cents"].isna().all()
    assert months.loc["all", "bad_debt_cents"].isna().all()
    assert not known


def test_the_losses_of_customers_add_up_to_the_bad_debt(tmp_path):
    rows = "ann,2015-01-10,2015-01-20,100,,,\nbob,2015-01-10,2015-01-20,40,2015-02-28,10,2015-03-05\n"

    with facts_of(log()) as facts:
        ageing = Ageing(facts, read(rows, tmp_path), HALF)
        ageing.create_losses("losses", *map(int, facts.periods.boundaries[[0, -1]]))
        losses = facts.query("SELECT customer_id, loss_cents FROM losses JOIN customers USING (customer)")
        months = bad_debt(ageing)

    assert losses.set_index("customer_id")["loss_cents"].to_dict() == {"ann": 5_000, "bob": 3_000}
    assert months.loc["all", "bad_debt_cents"].sum() == 8_000


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("ann,2015-01-10,2015-01-09,1,,,", "due before they were issued"),
        ("ann,2015-01-10,2015-02-10,1,,,2015-01-09", "written off before they were issued"),
        ("ann,2015-01-10,2015-02-10,-1,,,", "negative amount"),
        ("ann,2015-01-10,2015-02-10,1,,0.5,", "have a paid_amount and no day in paid_at"),
        ("ann,2015-01-10,2015-02-30,1,,,", "have no date in due_at that can be read"),
        ("ann,2015-01-10,2015-02-10,1,soon,,", "have no date in paid_at that can be read"),
    ],
)
def test_a_row_that_cannot_be_is_refused_and_named(tmp_path, row, says):
    with pytest.raises(StayworthError, match=rf"receivables.csv: 1 of its 1 rows .*{says}.*row 1"):
        read(row + "\n", tmp_path)


def test_what_is_paid_beyond_the_amount_is_reported(tmp_path):
    found = read("ann,2015-01-10,2015-02-10,10,2015-02-01,12,\n", tmp_path)

    assert [finding.name for finding in found.findings] == ["overpaid"]
    assert found.table["paid_cents"].to_pylist() == [1_000]


def test_aliases_are_united_before_anything_is_counted(tmp_path):
    found = read("web-7,2015-01-10,2015-02-10,10,,,\n", tmp_path, aliases=resolved([("web-7", "ann")]))

    assert found.table["customer_id"].to_pylist() == ["ann"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[unpaid_rates]\nnot_due = 1.5\n", "'unpaid_rates', not_due: has to be at most 1, not 1.5"),
        ("[unpaid_rates]\nlate = 0.5\n", "'unpaid_rates', late: is not known"),
        (
            '[[touchpoints]]\ntouchpoint = "call"\nunit_cost = 1\n'
            '[[touchpoints]]\ntouchpoint = "call"\nunit_cost = 1\nvalid_from = 2015-01-01\nkind = "complaint"\n',
            "the costs of 'call' differ in kind or per: contact, period and complaint, period",
        ),
    ],
)
def test_rates_and_kinds_that_cannot_be_are_refused(tmp_path, text, says):
    path = tmp_path / "costs.toml"
    path.write_text(text)

    with pytest.raises(StayworthError, match=says):
        CostTable.read(path)


def test_invoices_that_stand_twice_are_said_by_their_id_or_by_all_that_is_known(tmp_path: Path) -> None:
    row, other = "ann,2015-01-01,2015-02-01,100,,,\n", "ann,2015-01-01,2015-02-01,50,,,\n"
    with_ids = tmp_path / "ids.csv"
    with_ids.write_text(
        "invoice_id,customer_id,issued_at,due_at,amount\n"
        "7,ann,2015-01-01,2015-02-01,100\n8,ann,2015-01-01,2015-02-01,100\n7,ann,2015-01-01,2015-02-01,90\n"
    )

    (same,) = read(row + other + row, tmp_path).findings
    (again,) = Receivables.read(with_ids).findings

    assert same.name == again.name == "invoices-twice"
    assert (
        "1 row has an invoice that stands in the file before, and all count: row 3 ('ann', '2015-01-01'"
        in same.message
    )
    assert "row 3 ('ann', '7', '90')" in again.message
    assert read(row + other, tmp_path).findings == ()


@pytest.mark.parametrize("name", ["invoice", "invoice_no", "invoice_number"])
def test_an_invoice_is_known_by_its_number_whatever_its_column_is_called(tmp_path: Path, name: str) -> None:
    path = tmp_path / "parts.csv"
    path.write_text(
        f"{name},customer_id,issued_at,due_at,amount,paid_at,paid_amount\n"
        "I7,ann,2015-01-01,2015-02-01,100,2015-01-20,50\nI7,ann,2015-01-01,2015-02-01,100,2015-01-25,50\n"
    )

    (twice,) = Receivables.read(path).findings

    assert "row 2 ('ann', 'I7', '100')" in twice.message


def test_days_that_have_not_come_yet_are_said(tmp_path: Path) -> None:
    rows = "ann,2015-01-01,2015-12-01,100,,,\nbob,2015-04-02,2015-05-02,5,2015-07-01,,\n"

    found = read(rows, tmp_path, now=datetime(2015, 3, 1)).findings
    later = read(rows, tmp_path, now=datetime(2015, 7, 1)).findings

    assert [each.name for each in found] == ["receivables-of-the-future"] * 2
    assert "a day in issued_at that has not come yet" in found[0].message
    assert "row 2 ('bob', '2015-07-01')" in found[1].message
    assert later == ()  # the day when an invoice is due may lie ahead
