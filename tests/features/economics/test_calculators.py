"""The calculators against the numbers of ECONOMICS: where a text's own number differs, the comment says why."""

from collections.abc import Callable

import pytest

from features.economics.calculators import (
    BaseChange,
    blended_cac,
    churn_over,
    customer_base,
    discount_share,
    payback,
    present_value,
    price_index,
    purchase_rhythm,
    real_rate,
    real_value,
    tenure,
    with_referrals,
)
from features.economics.cohort_plan import CohortPlan, what_if
from features.errors import StayworthError

PLAN = CohortPlan(
    customers=100_000,
    cac=100,
    rate=0.15,
    # the text's prose says that 60% leave in the first year; its numbers are of those who stay
    retention=(0.60, 0.70, 0.75, 0.80, 0.85, 0.90, 0.92, 0.94, 0.95, 0.96),
    profit=(50, 70, 100, 140, 190, 250, 320, 400, 450, 500),
)


def test_real_money():  # section 0
    assert 100 * real_rate(0.15, 0.30) == pytest.approx(-11.5385, abs=5e-5)
    assert [round(real_value(100_000, 0.30, years)) for years in (1, 2)] == [76_923, 59_172]
    assert price_index(100_000, 80_000) == 125


def test_changes_of_a_customer_base():  # section 1
    assert BaseChange(1_000, lost=300).end == 700
    change = BaseChange(17_000_000, new=680_000, lost=170_000)
    assert (change.end, change.churn_rate, change.growth, change.gross_growth) == (
        17_510_000,
        0.01,
        0.03,
        0.04,
    )
    assert BaseChange(100, new=14, lost=12).growth == pytest.approx(0.02)  # 14% - 12%
    assert BaseChange(0, new=5).churn_rate is None


def test_two_firms_that_differ_in_churn():  # section 1
    loyal, other = customer_base(1_000, 100, 0.05, 5), customer_base(1_000, 100, 0.10, 5)

    assert loyal == [1100, 1145, 1188, 1229, 1268]
    assert other == [1100, 1090, 1081, 1073, 1066]
    # the text rounds to 19%; its prose swaps the firms and takes 5% for 5 people
    assert 100 * (loyal[-1] / other[-1] - 1) == pytest.approx(18.95, abs=0.005)


@pytest.mark.parametrize(
    ("retention", "periods"),
    [
        (50, 2),
        (67, 3.03),
        (75, 4),
        (80, 5),
        (90, 10),
        (92, 12.5),
        (95, 20),
        (96, 25),
        (97, 33.3),
        (98, 50),
        (99, 100),
    ],
)  # the text rounds 3.03 to 3
def test_tenure_of_a_retention_rate(retention, periods):  # section 1
    assert tenure(1 - retention / 100) == pytest.approx(periods, abs=0.05)


def test_tenure_is_empty_where_nobody_leaves():
    assert tenure(0) is None


def test_churn_of_two_years_in_one():  # section 1; the text says "about 10%"
    assert churn_over(0.25, 1 / 2) == pytest.approx(0.1340, abs=5e-5)
    assert churn_over(churn_over(0.25, 1 / 2), 2) == pytest.approx(0.25)


def test_a_discount_as_a_share_of_the_list_price():  # section 1: sold at 300,000 instead of 2,000,000
    assert discount_share(2_000_000 - 300_000, 300_000) == pytest.approx(0.85)


def test_present_value_of_yearly_flows():  # section 2
    flows = [-50, 30, 40, 55, 72, 88]

    # the text prints 43.76 for the last term, which is 43.7516, and so 127.43
    assert present_value(flows, 0.15) == pytest.approx(127.413882, abs=5e-7)
    terms = [flow / 1.15**year for year, flow in enumerate(flows)]
    assert terms[5] == pytest.approx(43.7516, abs=5e-5)
    rounded = [round(term, 2) for term in terms]
    assert sum(rounded) == pytest.approx(127.42) and sum(rounded[:5]) + 43.76 == pytest.approx(127.43)
    assert present_value(flows, 0) == 235


def test_value_of_a_cohort_year_by_year():  # section 2
    # the text rounds customers to whole ones each year: 15,204
    assert PLAN.surviving[-1] == pytest.approx(15_204.51, abs=0.005)
    whole = 100_000
    for retention in PLAN.retention:
        whole = round(whole * retention)
    assert whole == 15_204
    exact = [2608696, 2223062, 2071176, 2017145, 2023410, 2083603, 2133609, 2179992, 2025971, 1879161]
    assert [round(each) for each in PLAN.discounted] == exact
    # what the text prints, from rounded customers, two-decimal factors, and 4.06 for 1.15^10 = 4.0456
    off = [104, 0, -51, -1145, 1366, 2761, 45, -646, -1227, -6789]
    printed = [value + difference for value, difference in zip(exact, off, strict=True)]
    assert pytest.approx(4.0456, abs=5e-5) == 1.15**10
    assert sum(printed[:5]) - 10_000_000 == pytest.approx(943_763, abs=1)  # +943,763 there
    assert sum(printed) - 10_000_000 == pytest.approx(11_240_243, abs=2)  # +11,240,243 there


def test_a_cohort_is_back_in_year_five():  # section 2
    assert PLAN.payback_year == 5
    assert round(PLAN.cumulative[4]) == 943_489
    assert round(PLAN.value) == 11_245_826


def test_what_each_change_alone_would_add():  # section 2
    gains = what_if(PLAN)

    assert {change: round(money) for change, money in gains.items()} == {
        "retention +1 point in each year": 1_548_600,
        "profit +5%": 1_062_291,
        "CAC -10%": 1_000_000,
        "retention +1 point in year 1": 354_097,
    }
    assert list(gains) == sorted(gains, key=lambda change: -gains[change])


def test_purchases_that_cover_the_cost_of_acquisition():  # section 2
    found = payback(10_000_000 / 18, 150_000)

    assert round(10_000_000 / 18) == 555_556
    assert 18 * 150_000 == 2_700_000
    assert (found.purchases, round(found.exact or 0, 2)) == (4, 3.70)
    assert payback(100, 0).purchases is None
    assert payback(300, 100).purchases == 3


def test_acquisition_cost_over_channels():  # section 2
    # the text's mean of 105 is blended, its mix is not given; the plain mean of the three is 192
    assert blended_cac({"word of mouth": (66, 1), "home visit": (210, 1), "television": (300, 1)}) == 192
    assert blended_cac({"word of mouth": (66, 5), "television": (300, 1)}) == 105


def test_lifetimes_of_purchases_and_referrals():  # section 2
    assert with_referrals(200_000, [400_000]) == 600_000
    cars = purchase_rhythm(276_000, 40, 11)
    assert (round(cars.per_purchase), round(cars.years_between, 2)) == (25_091, 3.64)


@pytest.mark.parametrize(
    ("mistake", "says"),
    [
        (lambda: CohortPlan(100, 1, 0.1, (0.5, 0.5), (10,)), "one of each per year"),
        (lambda: CohortPlan(100, 1, 0.1, (60,), (10,)), "Write 5% as 0.05"),
        (lambda: tenure(1.2), "between 0 and 1"),
        (lambda: BaseChange(10, lost=11), "lost"),
        (lambda: real_rate(0.1, -1), "Inflation"),
        (
            lambda: CohortPlan(100, 1, 15, (0.5,), (10,)),
            "discount rate is 15, which is 1500% a year. Write 15% as",
        ),
        (lambda: present_value([-50, 60], 2), "discount rate is 2, which is 200% a year"),
        (lambda: real_rate(0.1, 30), "Inflation is 30, which is 3000% a year"),
        (lambda: real_value(100, 12.5, 1), "Inflation is 12.5"),
        (lambda: blended_cac({}), "no customers"),
    ],
)
def test_a_number_that_cannot_be_is_refused(mistake, says):
    with pytest.raises(StayworthError, match=says):
        mistake()


def test_a_rate_of_runaway_inflation_is_one():
    assert real_rate(1.33, 2.11) == pytest.approx(2.33 / 3.11 - 1)


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (lambda: payback(1e308, 1e-308), "The result is inf"),
        (lambda: payback(100.0, float("nan")), "The result is nan"),
        (lambda: real_value(100, 0.3, float("nan")), "The result is nan"),
        (lambda: real_value(100, -0.3, 1e9), "0.7 to the power of -1e[+]09 is too large"),
        (lambda: real_value(100, 0.3, -1e9), "1.3 to the power of 1e[+]09 is too large"),
        (lambda: churn_over(0.1, -1), "number of periods must be above 0"),
        (lambda: present_value([1e308, 1e308], 0.0), "The result is inf"),
        (lambda: BaseChange(float("nan")), "counted from 0"),
        (lambda: CohortPlan(10, 1, 0.1, (0.5,), (float("nan"),)), "Each figure must be a number"),
    ],
)
def test_a_figure_that_is_no_number_is_refused(compute: Callable[[], object], message: str) -> None:
    with pytest.raises(StayworthError, match=message):
        compute()


def test_after_a_billion_years_of_inflation_nothing_is_left() -> None:
    assert real_value(100, 0.3, 1e9) == 0
