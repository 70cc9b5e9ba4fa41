"""Indicators, cohorts and half-years of small logs, against a plain loop over customers, and their identities."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from features.economics.base import customer_base
from features.economics.cohort_files import Cohort
from features.economics.cohorts import purchases, triangle
from features.economics.facts import Facts
from features.economics.indicators import churn_lead, indicators
from features.economics.lifetime import lifetime_values, simple_values
from features.economics.money import MoneyUnit
from features.economics.periods import Periods
from features.economics.relationship import half_years
from features.economics.sales import rows_as_orders
from features.economics.segments import CohortSegments, FirstPurchaseSegments, ListedSegments, Segments
from features.log.transactions import TransactionLog
from features.log.validation import validate

FIRST = date(2015, 1, 10)
UNIT = MoneyUnit()


def random_log(
    seed: int, rows: int = 120, customers: int = 12, days: int = 400, first: date = FIRST
) -> TransactionLog:
    return validate(random_orders(seed, rows, customers, days, first))


def random_orders(seed: int, rows: int, customers: int, days: int, first: date) -> pd.DataFrame:
    """Orders and refunds at random, every optional column filled, one purchase at least."""
    draw = np.random.default_rng(seed)
    amounts = draw.integers(-600, 3_000, rows)
    amounts[0] = 100
    return pd.DataFrame(
        {
            "customer_id": [f"c{number:02}" for number in draw.integers(0, customers, rows)],
            "ordered_at": [first + timedelta(days=int(day)) for day in draw.integers(0, days, rows)],
            "amount": amounts / 100,
            "order_id": [f"o{number}" for number in draw.integers(0, 40, rows)],
            "margin": draw.integers(-200, 900, rows) / 100,
            "channel": draw.choice(["web", "shop", "app"], rows),
        }
    )


def facts_of(
    log: TransactionLog,
    length: str = "month",
    inactivity_days: int = 60,
    calendar: str = "gregorian",
    segments: Segments | None = None,
    until: date | None = None,
) -> Facts:
    periods = Periods(log.first_day, until or log.last_day, length, calendar)  # type: ignore[arg-type]
    return Facts(log, periods, inactivity_days, segments=segments)


# --- the oracle: one customer and one period at a time ------------------------------------------------------------


def oracle(log: TransactionLog, periods: Periods, inactivity_days: int) -> pd.DataFrame:
    """Count and add up by sets of customers, as the definitions say."""
    rows = log.table.to_pandas()
    bought: dict[str, set[date]] = defaultdict(set)
    for row in rows[rows["amount_cents"] >= 0].itertuples():
        bought[row.customer_id].add(row.ordered_on)

    def active(moment: date) -> set[str]:
        opens = moment - timedelta(days=inactivity_days)
        return {who for who, days in bought.items() if any(opens <= day < moment for day in days)}

    found = []
    for period in periods:
        start, end = active(period.start), active(period.end)
        first_here = {who for who, days in bought.items() if period.start <= min(days) < period.end}
        before = {who for who, days in bought.items() if min(days) < period.start}
        here = rows[(rows["ordered_on"] >= period.start) & (rows["ordered_on"] < period.end)]
        buyers = {
            who for who, days in bought.items() if any(period.start <= day < period.end for day in days)
        }
        again = {who for who in buyers if sum(day < period.end for day in bought[who]) >= 2}
        of_buyers = here[here["customer_id"].isin(buyers)].groupby("customer_id")["amount_cents"].sum()
        best = of_buyers.nlargest(-(-len(buyers) // 5)).sum()
        net = here["amount_cents"].sum()
        soon = {
            who
            for who in first_here
            if any(0 < (day - min(bought[who])).days <= inactivity_days for day in bought[who])
        }
        found.append(
            {
                "start": len(start),
                "new": len(first_here & end),
                "returned": len((before & end) - start),
                "lost": len(start - end),
                "end": len(end),
                "passed_through": len(first_here - end),
                "acquired": len(first_here),
                "total_base": len(first_here | before),
                "buyers": len(buyers),
                "gross_revenue": here.loc[here["amount_cents"] >= 0, "amount_cents"].sum() / 100,
                "net_revenue": net / 100,
                "margin": here["margin_cents"].sum() / 100,
                "repeat_rate": len(again) / len(buyers) if buyers else np.nan,
                "first_to_repeat": len(soon) / len(first_here) if first_here else np.nan,
                "top_revenue_share": best / net if net > 0 else np.nan,
                "sales_per_customer": net / 100 / len(buyers) if buyers else np.nan,
            }
        )
    return pd.DataFrame(found)


@settings(max_examples=14)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 150),
    length=st.sampled_from(["week", "month", "quarter", "year"]),
    calendar=st.sampled_from(["gregorian", "jalali"]),
    inactivity_days=st.integers(1, 400),
)
def test_indicators_equal_a_plain_count_in_any_period_and_calendar(
    seed, rows, length, calendar, inactivity_days
):
    log = random_log(seed, rows)

    with facts_of(log, length, inactivity_days, calendar) as facts:
        found = indicators(facts, UNIT)

    expected = oracle(log, facts.periods, inactivity_days)
    pd.testing.assert_frame_equal(found[expected.columns], expected, check_dtype=False, rtol=1e-12)


@settings(max_examples=8)
@given(
    seed=st.integers(0, 2**32 - 1),
    length=st.sampled_from(["week", "month", "quarter", "year"]),
    calendar=st.sampled_from(["gregorian", "jalali"]),
    inactivity_days=st.integers(1, 200),
    by=st.sampled_from(["first_channel", "acquisition_period", "listed", "cohorts"]),
)
def test_start_new_returned_and_lost_make_the_end_in_every_segment_and_calendar(
    seed, length, calendar, inactivity_days, by
):
    log = random_log(seed)
    segments: Segments = FirstPurchaseSegments(by)
    if by == "listed":
        segments = ListedSegments(
            "city", {f"c{number:02}": ["Yazd", "Shiraz", None][number % 3] for number in range(9)}
        )
    elif by == "cohorts":
        segments = CohortSegments(
            [Cohort("spring", date(2015, 3, 1), date(2015, 6, 1)), Cohort("web", where="channel = 'web'")]
        )

    with facts_of(log, length, inactivity_days, calendar, segments) as facts:
        base = customer_base(facts).reset_index()

    assert (base["start"] + base["new"] + base["returned"] - base["lost"] == base["end"]).all()
    assert (base[["start", "new", "returned", "lost", "end", "passed_through"]] >= 0).all().all()
    following = base.groupby("segment")["start"].shift(-1)
    assert (
        following.dropna() == base.loc[following.notna(), "end"]
    ).all()  # one period's end is the next one's start
    if by != "cohorts":  # these may overlap
        parts = base[base["segment"] != "all"].groupby("period")[["start", "new", "lost", "acquired"]].sum()
        whole = base[base["segment"] == "all"].set_index("period")[["start", "new", "lost", "acquired"]]
        pd.testing.assert_frame_equal(parts, whole)


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(0, 80), inactivity_days=st.integers(1, 150))
def test_no_future_changes_a_closed_period(seed, rows, inactivity_days):
    past = random_orders(1, 120, 12, 300, FIRST)
    future = random_orders(seed, rows + 1, 20, 200, FIRST + timedelta(days=300))
    segments = FirstPurchaseSegments("first_channel")

    def known(orders: pd.DataFrame) -> tuple[pd.DataFrame, Periods]:
        with facts_of(validate(orders), "month", inactivity_days, segments=segments) as facts:
            return indicators(facts, UNIT), facts.periods

    expected, periods = known(past)
    scrambled, _ = known(pd.concat([future, past]).sample(frac=1, random_state=seed % 1000))

    closed = [period.label for period in np.array(periods.all, dtype=object)[~periods.open]]
    waiting = [
        period.label for period in np.array(periods.all, dtype=object)[periods.waiting(inactivity_days)]
    ]

    def of_closed_periods(table: pd.DataFrame) -> pd.DataFrame:
        table = table[table["period"].isin(closed) & table["segment"].isin(expected["segment"])]
        table = table.drop(columns=["provisional", "first_to_repeat_provisional"]).reset_index(drop=True)
        return table.assign(first_to_repeat=table["first_to_repeat"].mask(table["period"].isin(waiting)))

    pd.testing.assert_frame_equal(of_closed_periods(scrambled), of_closed_periods(expected), check_exact=True)


@settings(max_examples=4)
@given(seed=st.integers(0, 2**32 - 1))
def test_row_order_changes_nothing(seed):
    log = random_log(5)
    order = np.random.default_rng(seed).permutation(log.table.num_rows)
    shuffled = replace(log, table=log.table.take(order))

    tables = []
    for each in (log, shuffled):
        with facts_of(each, segments=FirstPurchaseSegments("first_channel")) as facts:
            tables.append(
                (
                    indicators(facts, UNIT),
                    triangle(facts, UNIT),
                    purchases(facts, UNIT),
                    half_years(facts, UNIT),
                )
            )

    for one, other in zip(*tables, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


# --- by hand ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def three_customers() -> TransactionLog:
    """Ann buys in January, March and September, Bob in January only, Cid on 2 and 9 March, with a refund in April."""
    rows = [
        ("ann", "2015-01-10", "10.00", "3.00"),
        ("ann", "2015-03-20", "20.00", "6.00"),
        ("ann", "2015-09-05", "30.00", "9.00"),
        ("bob", "2015-01-31", "5.00", "1.00"),
        ("cid", "2015-03-02", "8.00", "2.00"),
        ("cid", "2015-03-09", "8.00", "2.00"),
        ("cid", "2015-04-01", "-4.00", "-1.00"),
    ]
    return validate(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount", "margin"]))


def test_a_customer_base_by_hand(three_customers):
    with facts_of(three_customers, inactivity_days=60) as facts:
        table = indicators(facts, UNIT).set_index("period")

    # 1 March: Ann and Bob. 1 April: Cid too, and Bob for the last day: 31 January lies in [1 April - 60 days, 1 April)
    assert table.loc["2015-03", ["start", "new", "returned", "lost", "end"]].tolist() == [2, 1, 0, 0, 3]
    assert table.loc["2015-04", ["start", "new", "returned", "lost", "end"]].tolist() == [3, 0, 0, 1, 2]
    # Ann is silent from 20 March to 5 September: lost in May (60 days end on 19 May), returned in September
    assert table["lost"].to_dict()["2015-05"] == 2
    assert table.loc["2015-09", ["start", "returned", "end"]].tolist() == [0, 1, 1]
    assert table.loc["2015-04", "net_revenue"] == -4
    assert np.isnan(table.loc["2015-09", "churn_rate"])  # nobody to lose
    # within 60 days of 10 January; and September goes on
    assert table.index[table["provisional"]].tolist() == ["2015-01", "2015-02", "2015-03", "2015-09"]


def test_rates_by_hand(three_customers):
    with facts_of(three_customers, inactivity_days=60) as facts:
        table = indicators(facts, UNIT).set_index("period")

    march, april = table.loc["2015-03"], table.loc["2015-04"]
    # March begins with Ann and Bob, and Cid comes; April begins with three, and Bob is lost.
    rates = ["churn_rate", "retention_rate", "growth", "gross_growth", "total_base_growth", "tenure"]
    assert march[rates].tolist() == pytest.approx([0, 1, 1 / 2, 1 / 2, 1 / 2, np.nan], nan_ok=True)
    assert april[rates].tolist() == pytest.approx([1 / 3, 2 / 3, -1 / 3, 0, 0, 3])
    # 20, 8 and 8 in March, of two buyers; with January's 15 that is 51 of three customers, less April's refund 47
    sales = ["average_order", "orders_per_customer", "sales_per_customer", "sales_per_customer_ever"]
    assert march[sales].tolist() == pytest.approx([36 / 3, 3 / 2, 36 / 2, 51 / 3])
    assert april[sales].tolist() == pytest.approx([np.nan, np.nan, np.nan, 47 / 3], nan_ok=True)
    # the best fifth of two buyers is one: Ann, with 20 of 36, and 6 of 10 of the margin
    assert march[["top_revenue_share", "top_margin_share"]].tolist() == pytest.approx([20 / 36, 6 / 10])


def test_who_comes_and_goes_within_a_period_has_passed_through(three_customers):
    with facts_of(three_customers, "year", inactivity_days=30) as facts:
        (year,) = indicators(facts, UNIT).to_dict("records")

    # at the log's end, 6 September, only Ann is active; all three were acquired in 2015
    assert (year["new"], year["passed_through"], year["acquired"], year["end"]) == (1, 2, 3, 1)


def test_a_cohort_triangle_by_hand(three_customers):
    with facts_of(three_customers, "quarter", inactivity_days=60) as facts:
        cells = triangle(facts, UNIT)
        by_purchase = purchases(facts, UNIT)

    # one cohort of three. Margins: 1st quarter 3 + 6 + 1 + 2 + 2, 2nd -1, 3rd 9
    assert cells["acquired"].tolist() == [3, 3, 3]
    assert cells["buyers"].tolist() == [3, 0, 1]
    assert cells["active"].tolist() == [3, 0, 1]  # Bob on 1 April for the last day
    assert cells["cumulative_margin_per_acquired"].tolist() == pytest.approx([14 / 3, 13 / 3, 22 / 3])
    # by purchases: the first bring 3 + 1 + 2, the second 6 + (2 - 1, the refund), the third 9
    assert by_purchase.loc[0, [1, 2, 3, 60]].tolist() == pytest.approx([6 / 3, 13 / 3, 22 / 3, 22 / 3])


def test_half_years_compare_the_same_customers(three_customers):
    with facts_of(three_customers, until=date(2016, 1, 20)) as facts:
        table = half_years(facts, UNIT)

    # the log is followed to 20 January 2016: Ann for 12 months, Bob and Cid for 6
    assert table["observed"].tolist() == [3, 1]
    assert table["revenue_per_acquired"].tolist() == pytest.approx([(30 + 5 + 12) / 3, 30])
    assert table["first_revenue_per_acquired"].tolist() == pytest.approx([47 / 3, 30])
    assert table["revenue_change"].tolist() == [0, 0]
    assert "cost_per_acquired" not in table


def test_a_half_year_costs_what_keeping_its_customers_cost(three_customers):
    # Ann's first purchase is on 10 January, her second half-year begins on 10 July. A cost in a half-year that goes
    # on, as that on 15 January 2016 is for Bob and Cid, counts nowhere.
    costs = """SELECT customer, CAST(day - DATE '1970-01-01' AS INTEGER) AS day, cents
      FROM (VALUES ('ann', DATE '2015-02-01', 600), ('ann', DATE '2015-08-01', 900), ('bob', DATE '2016-01-15', 50))
        AS costs(name, day, cents)
      JOIN customers ON lower(customer_id) = name"""

    with facts_of(three_customers, until=date(2016, 1, 20)) as facts:
        table = half_years(facts, UNIT, costs)

    assert table["cost_per_acquired"].tolist() == [2, 9]  # 6 of three customers, 9 of Ann alone
    assert table["cost_per_active"].tolist()[0] == 2
    assert table["first_cost_per_acquired"].tolist() == [2, 6]
    assert table["revenue_less_cost_change"].tolist() == [0, 0 - (9 - 6)]


def test_churn_that_rises_beyond_chance_is_an_alert():
    columns = ["segment", "period", "provisional", "start", "lost"]
    quiet = [["all", f"2015-0{month}", False, 1_000, 100] for month in range(1, 5)]
    table = pd.DataFrame(
        [*quiet, ["all", "2015-05", False, 1_000, 120], ["all", "2015-06", True, 1_000, 900]], columns=columns
    )

    def lead(lost: int) -> pd.Series:
        changed = table.assign(lost=table["lost"].where(table["period"] != "2015-05", lost))
        return churn_lead(changed.assign(churn_rate=changed["lost"] / changed["start"])).iloc[0]

    # sqrt(.1 · .9 / 1000) = .0095: twice that is .019
    assert lead(119)["standard_error"] == pytest.approx(0.009487, abs=1e-6)
    assert not lead(118)["alert"]
    assert lead(119)["alert"]
    assert lead(119)["period"] == "2015-05"  # the provisional period is not judged


# --- lifetime value --------------------------------------------------------------------------------------------------


def test_lifetime_value_by_hand(three_customers):
    # the log is followed to 9 January 2016: a year after 9 January 2015, so that 10 January 2015 is 364 days back
    with facts_of(three_customers, "year", until=date(2016, 1, 9)) as facts:
        potential = {"ann": 500, "bob": 0, "cid": 100}
        found = lifetime_values(facts, UNIT, 0.10, {0: 2.0}, potential)
        unscored = lifetime_values(facts, UNIT, 0.10, {}, {"ann": 500})

    end = date(2016, 1, 10)
    margins = [(3, date(2015, 1, 10)), (6, date(2015, 3, 20)), (9, date(2015, 9, 5)), (1, date(2015, 1, 31))]
    margins += [(2, date(2015, 3, 2)), (2, date(2015, 3, 9)), (-1, date(2015, 4, 1))]
    compounded = sum(round(100 * each * 1.1 ** ((end - day).days / 365)) for each, day in margins) / 100 / 3
    firsts = [date(2015, 1, 10), date(2015, 1, 31), date(2015, 3, 2)]
    cac = sum(2 * 1.1 ** ((end - day).days / 365) for day in firsts) / 3
    whole, cohort = found.to_dict("records")
    assert (whole["cohort"], cohort["cohort"], whole["acquired"]) == (-1, 0, 3)
    assert whole["past_margin"] == pytest.approx(22 / 3)
    assert whole["compounded_margin"] == pytest.approx(compounded)
    assert whole["compounded_cac"] == pytest.approx(cac, abs=1e-5)
    assert whole["potential"] == pytest.approx(2)
    assert whole["lifetime_value"] == pytest.approx(compounded + 2 - cac, abs=1e-5)
    assert unscored["lifetime_value"].isna().all()  # two of three have no expected value: not taken as 0


def test_the_textbook_value_is_orders_times_money_times_years():
    columns = ["segment", "provisional", "start", "end", "lost", "orders", "gross_revenue"]
    table = pd.DataFrame(
        [["all", False, 100, 100, 20, 50, 1_000.0], ["all", True, 100, 10, 90, 9, 9.0]], columns=columns
    )

    (found,) = simple_values(table, 365).to_dict("records")

    # 20 an order, half an order a year, five years
    assert found == {
        "segment": "all",
        "average_order": 20,
        "orders_per_year": 0.5,
        "years": 5,
        "simple_value": pytest.approx(50),
    }
    (less,) = simple_values(table, 365, cac=12.0).to_dict("records")
    assert (less["cac"], less["simple_value_less_cac"]) == (12, pytest.approx(38))


@pytest.mark.parametrize(
    ("rows_a_day", "order_ids", "said"), [(2, False, True), (2, True, False), (1, False, False)]
)
def test_rows_that_count_as_orders_are_said(rows_a_day: int, order_ids: bool, said: bool):
    days = [FIRST + timedelta(days=n) for n in range(10) for _ in range(rows_a_day)]
    orders = pd.DataFrame({"customer_id": "ann", "ordered_at": days, "amount": 10.0})
    if order_ids:
        orders["order_id"] = orders["ordered_at"].astype(str)

    with facts_of(validate(orders)) as facts:
        found = rows_as_orders(facts)

    assert bool(found) is said
    assert not said or "20 orders on 10 days" in found[0]
