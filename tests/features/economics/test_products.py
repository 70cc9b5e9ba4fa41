"""What customers buy: cross- and up-selling and discounts, by hand, and without the future."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from features.economics.cohort_files import Cohort
from features.economics.facts import Facts
from features.economics.inputs import Inputs
from features.economics.money import Deflator
from features.economics.periods import Periods
from features.economics.product_section import PERIOD_TABLES, product_section
from features.economics.segments import CohortSegments, ListedSegments
from features.economics.tables import Section
from features.engines.duckdb import DuckDBEngine
from features.log.validation import validate

CITIES = ListedSegments("city", {"ann": "Yazd", "bob": "Shiraz"})


def section_of(
    rows: pd.DataFrame, *, last_day: date | None = None, deflator: Deflator | None = None
) -> Section:
    log = validate(rows)
    periods = Periods(log.first_day, last_day or log.last_day)
    with Facts(log, periods, 30, segments=CITIES, deflator=deflator) as facts:
        return product_section(facts, Inputs())


def rows_of(section: Section, table: str, segment: str = "all") -> pd.DataFrame:
    rows = next(each.rows for each in section.tables if each.name == table)
    return rows[rows["segment"] == segment].set_index("period")


def lines(*rows: tuple[object, ...]) -> pd.DataFrame:
    names = ["customer_id", "ordered_at", "amount", "order_id", "category", "quantity"]
    return pd.DataFrame(rows, columns=names)


def test_a_price_of_two_million_sold_at_three_hundred_thousand_has_a_discount_of_85_percent():  # section 1
    rows = pd.DataFrame(
        {"customer_id": "ann", "ordered_at": "2015-01-10", "amount": [300_000], "discount": [1_700_000]}
    )

    found = rows_of(section_of(rows), "discounts")

    assert found.loc["2015-01", "discount_share"] == 0.85
    assert found.loc["2015-01", ["discounts", "orders_on_discount"]].tolist() == [1_700_000, 1]


def test_a_discount_that_cannot_be_used_is_left_out_with_its_amount_and_counted():
    rows = pd.DataFrame(
        [
            ("ann", "2015-01-10", 80, "1", "20"),  # 20 of 100
            ("ann", "2015-01-10", 10, "1", "?"),  # no number, of the same order
            ("ann", "2015-01-11", 50, "2", "-5"),  # negative
            ("bob", "2015-01-12", 1, "3", "100"),  # more than 99% of 101
            ("bob", "2015-01-13", 0, "4", "100"),  # a gift
            ("bob", "2015-01-14", 100, "5", ""),  # none
            ("bob", "2015-01-15", -80, "6", "20"),  # a refund has none
        ],
        columns=["customer_id", "ordered_at", "amount", "order_id", "discount"],
    )

    section = section_of(rows)

    found = rows_of(section, "discounts").loc["2015-01"]
    assert found["discounts"] == 120
    assert found["discount_share"] == 120 / (80 + 0 + 100 + 120)
    assert found["orders_on_discount"] == 2 and found["discounted_order_share"] == pytest.approx(2 / 3)
    assert [note for note in section.findings if "left out" in note] == [
        "1 purchase row is left out of discounts: no number below ten trillion.",
        "1 purchase row is left out of discounts: negative.",
        "1 purchase row is left out of discounts: more than 99% of the price, and not all of it.",
    ]


def test_discounts_that_may_be_percentages_are_asked_about():
    rows = pd.DataFrame(
        {
            "customer_id": "ann",
            "ordered_at": "2015-01-10",
            "amount": range(100, 200),
            "discount": [5, 10] * 50,
        }
    )

    assert any("if they are percentages" in note for note in section_of(rows).findings)
    assert not any("if they are percentages" in note for note in section_of(rows.head(99)).findings)


def test_cross_selling_by_hand():
    rows = lines(
        ("ann", "2015-01-10", 10, "1", "tea", 1),
        ("ann", "2015-01-10", 10, "1", "cups", 1),  # an order of two categories
        ("bob", "2015-01-31", 10, "2", "tea", 1),
        ("bob", "2015-01-31", 10, "3", "cups", 1),  # another order of the same day
        ("ann", "2015-02-01", 10, "4", "tea", 1),
        ("bob", "2015-02-05", 10, "5", "pots", 1),  # new to Bob
        ("cid", "2015-02-06", 10, "6", "tea", 1),
        ("cid", "2015-02-07", 10, "7", "cups", 1),  # Cid had not bought before February
        ("cid", "2015-03-07", 10, "8", None, 1),  # no category
    )

    found = rows_of(section_of(rows), "cross_selling")

    assert found["category_orders"].tolist() == [3, 4, 0]
    assert found["multi_category_share"].tolist()[:2] == [1 / 3, 0]
    assert found["earlier_buyers"].tolist() == [0, 2, 3]
    assert found["cross_buyers"].tolist() == [0, 1, 0]
    assert found["cross_buying_rate"].tolist()[1:] == [1 / 2, 0]
    assert found["cross_share_of_buying"].tolist()[1] == 1 / 2
    assert rows_of(section_of(rows), "cross_selling", "Yazd")["cross_buyers"].tolist() == [0, 0, 0]
    assert rows_of(section_of(rows), "cross_selling", "Shiraz")["cross_buying_rate"].tolist()[1] == 1


def test_without_order_ids_a_day_is_a_basket():
    rows = lines(("ann", "2015-01-10", 10, "", "tea", 1), ("ann", "2015-01-10", 10, "", "cups", 1)).drop(
        columns="order_id"
    )

    section = section_of(rows)

    assert rows_of(section, "cross_selling").loc["2015-01", "multi_category_share"] == 1
    assert any("no order ids" in note for note in section.notes)


def test_a_repeat_purchase_more_than_5_percent_dearer_is_up_selling():
    rows = lines(
        ("ann", "2015-01-01", 20, "1", "tea", 2),  # 10 each
        ("ann", "2015-01-02", 10.5, "2", "tea", 1),  # 5% above: no
        ("ann", "2015-01-03", 11.03, "3", "tea", 1),  # 5.05% above: yes
        ("ann", "2015-01-04", 99, "4", "pots", 1),  # the first of its category
        ("ann", "2015-01-05", 50, "5", "tea", 0),  # no price
        ("ann", "2015-01-06", 5, "6", "tea", 0.5),  # 10 again
        ("bob", "2015-01-07", 50, "7", "tea", 1),
    )

    found = rows_of(section_of(rows), "cross_selling").loc["2015-01"]

    assert found["repeat_purchases"] == 3
    assert found["up_selling_share"] == pytest.approx(1 / 3)


def test_inflation_is_no_up_selling_where_there_is_a_deflator():
    rows = lines(("ann", "2015-01-01", 10, "1", "tea", 1), ("ann", "2015-02-01", 11, "2", "tea", 1))
    months = Periods(date(2015, 1, 1), date(2015, 2, 1))

    nominal = rows_of(section_of(rows), "cross_selling")
    real = rows_of(section_of(rows, deflator=Deflator(months, np.array([100.0, 110.0]))), "cross_selling")

    assert nominal.loc["2015-02", "up_selling_share"] == 1
    assert real.loc["2015-02", "up_selling_share"] == 0


def test_who_bought_only_on_discount_and_who_bought_in_a_sale_are_cohorts():
    rows = pd.DataFrame(
        [
            ("ann", "2015-01-10", 80, 20),
            ("ann", "2015-03-10", 80, 20),  # each time on discount
            ("bob", "2015-01-11", 80, 20),
            ("bob", "2015-03-15", 100, 0),  # once without
            ("cid", "2015-01-12", 100, None),
            ("cid", "2015-01-13", -100, None),
        ],
        columns=["customer_id", "ordered_at", "amount", "discount"],
    )
    log, on_discount = validate(rows), "discount_cents > 0"
    cohorts = [
        Cohort("only on discount", where=on_discount, only=True),
        Cohort("January on discount", date(2015, 1, 1), date(2015, 2, 1), on_discount, only=True),
        Cohort("sale", date(2015, 3, 11), date(2015, 3, 21)),
    ]

    with Facts(log, Periods(log.first_day, log.last_day), 30, segments=CohortSegments(cohorts)) as facts:
        members = facts.query(
            "SELECT segment, customer_id FROM membership JOIN customers ON customers.customer = membership.customer"
        )

    found = members.groupby("segment")["customer_id"].agg(sorted).to_dict()
    assert found == {
        "only on discount": ["ann"],
        "January on discount": ["ann", "bob"],
        "sale": ["bob"],
        "unknown": ["cid"],
    }


def random_lines(seed: int, first: date, days: int, count: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    amounts = draw.integers(100, 5_000, count) / 100
    return pd.DataFrame(
        {
            "customer_id": draw.choice(["ann", "bob", "cid", "dee"], count),
            "ordered_at": [first + timedelta(days=int(day)) for day in draw.integers(0, days, count)],
            "amount": amounts,
            "order_id": draw.integers(0, 60, count),
            "category": draw.choice(["tea", "cups", "pots", "rugs"], count),
            "quantity": draw.integers(1, 5, count),
            "discount": np.round(amounts * draw.choice([0, 0.1, 0.5], count), 2),
        }
    )


def test_no_future_changes_a_closed_period_and_row_order_changes_nothing():
    past = random_lines(1, date(2015, 1, 1), 120, 150)
    past.loc[0, "ordered_at"] = date(2015, 1, 1)
    futures = [random_lines(seed, date(2015, 5, 1), 60, 40) for seed in (2, 3)]
    logs = [
        pd.concat([past, future]).sample(frac=1, random_state=place) for place, future in enumerate(futures)
    ]

    first, second = (section_of(log, last_day=date(2015, 6, 30)) for log in logs)

    for table in PERIOD_TABLES:
        for segment in ("all", "Yazd", "unknown"):
            closed = [rows_of(section, table, segment).loc[:"2015-04"] for section in (first, second)]
            assert len(closed[0]) == 4
            pd.testing.assert_frame_equal(*closed)


def oracle(rows: pd.DataFrame, month: int) -> list[float]:
    """Count a month of cross- and up-selling and discounts by loops over customers."""
    rows = rows.assign(month=[day.month for day in rows["ordered_at"]])
    before, here = rows[rows["month"] < month], rows[rows["month"] == month]
    baskets = here.groupby(["customer_id", "ordered_at", "order_id"])["category"].nunique()
    earlier = set(before["customer_id"])
    had, has = (part.groupby("customer_id")["category"].agg(set) for part in (before, here))
    crossed = [who for who in earlier & set(has.index) if has[who] - had[who]]
    days = rows.groupby(["customer_id", "category", "ordered_at"])[["amount", "quantity"]].sum().sort_index()
    prices = (days["amount"] / days["quantity"]).reset_index(name="price")
    prices["last"] = prices.groupby(["customer_id", "category"])["price"].shift()
    prices["month"] = [day.month for day in prices["ordered_at"]]
    repeats = prices[(prices["month"] == month) & prices["last"].notna()]
    orders = here.groupby(["customer_id", "ordered_at", "order_id"])["discount"].max()
    return [
        len(baskets),
        (baskets > 1).mean(),
        len(earlier),
        len(crossed),
        len(repeats),
        (repeats["price"] > 1.05 * repeats["last"]).mean(),
        here["discount"].sum() / (here["amount"] + here["discount"]).sum(),
        (orders > 0).mean(),
    ]


@pytest.mark.parametrize("small", [True, False])
def test_all_of_it_equals_a_plain_count_by_the_plans_of_small_logs_and_of_large_ones(small):
    rows = random_lines(5, date(2015, 1, 1), 120, 300)
    log = validate(rows)

    with DuckDBEngine(threads=1, small=small) as engine:
        facts = Facts(log, Periods(log.first_day, log.last_day), 30, engine=engine)
        section = product_section(facts, Inputs())

    cross, off = rows_of(section, "cross_selling"), rows_of(section, "discounts")
    names = ["category_orders", "multi_category_share", "earlier_buyers", "cross_buyers", "repeat_purchases"]
    for month in (2, 3, 4):
        label = f"2015-{month:02}"
        found = [*cross.loc[label, [*names, "up_selling_share"]]]
        found += [*off.loc[label, ["discount_share", "discounted_order_share"]]]
        assert found == pytest.approx(oracle(rows, month))


def test_what_would_fill_the_section_is_said_in_a_line():
    rows = pd.DataFrame({"customer_id": ["ann"], "ordered_at": "2015-01-10", "amount": 1})

    section = section_of(rows)

    assert section.tables == ()
    for flag in ("--category-column", "--quantity-column", "--discount-column"):
        assert any(flag in str(each) for each in section.missing)
