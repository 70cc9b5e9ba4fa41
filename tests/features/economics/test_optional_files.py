"""Files beside the log: each mistake is an error that names the row and the remedy, or a count."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import given, strategies as st

from features.economics.acquisition import Spend
from features.economics.cohort_files import read_cohorts
from features.economics.identities import read_identities, resolved
from features.economics.log_agreement import require_currency
from features.economics.money import Deflator, MoneyUnit
from features.economics.people import CustomerTable, read_wallets
from features.economics.periods import Periods
from features.economics.segments import read_segments
from features.economics.targets import Targets
from features.economics.touches import Touches
from features.errors import StayworthError
from features.log.currencies import same_currency
from features.log.matching import MatchError
from features.log.settings import LogRules

JALALI = LogRules(calendar="jalali")
FIRST, LAST = date(2015, 1, 10), date(2015, 4, 30)


def written(folder: Path, text: str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# --- spend ---------------------------------------------------------------------------------------------------------


@given(
    cents=st.lists(st.integers(0, 10**12), min_size=1, max_size=5),
    start=st.integers(-40, 150),
    days=st.integers(1, 100),
    calendar=st.sampled_from(["gregorian", "jalali"]),
)
def test_spend_is_spread_over_days_to_the_cent(cents, start, days, calendar):
    first = (FIRST - date(1970, 1, 1)).days
    starts = np.full(len(cents), first + start)
    spend = Spend(("tv",) * len(cents), starts, starts + days, np.array(cents))

    found = spend.by_period(Periods(FIRST, LAST, "month", calendar))

    assert int(found.sum(axis="columns").sum()) == sum(cents)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("tv,2015-01-01,2015-02-01,-5", r"1 of its 1 rows have a negative amount: row 1 \('-5'\)"),
        ("tv,2015-02-01,2015-02-01,5", "end before they begin.*first day after"),
        ("tv,2015-02-31,2015-03-01,5", r"no date in from that can be read: row 1 \('2015-02-31'\)"),
        (",2015-02-01,2015-03-01,5", "have no channel"),
        ("tv,2015-02-01,2015-03-01,five", "have no number in amount"),
    ],
)
def test_a_row_of_spend_that_cannot_be_is_named(tmp_path, rows, says):
    path = written(tmp_path, f"channel,from,to,amount\n{rows}\n")

    with pytest.raises(StayworthError, match=says):
        Spend.read(path)


def test_overlapping_spend_is_added_up_and_said(tmp_path):
    path = written(
        tmp_path,
        "channel,from,to,amount\ntv,2015-02-01,2015-03-01,50\nweb,2015-02-10,2015-02-20,7\ntv,2015-02-28,2015-04-01,60\n",
    )

    spend = Spend.read(path)

    (finding,) = spend.findings
    assert (
        finding.name == "overlapping-spend"
        and "1 row overlaps" in finding.message
        and "row 3" in finding.message
    )
    assert int(spend.by_period(Periods(FIRST, LAST)).loc["tv"].sum()) == 11_000


@pytest.mark.parametrize("word", ["Total", "Gesamt:", "Grand total", "All", "جمع کل"])
def test_a_total_of_the_other_channels_is_refused(tmp_path, word):
    span = "2015-01-01,2015-03-01"
    path = written(tmp_path, f"channel,from,to,amount\ntv,{span},50\nweb,{span},7.5\n{word},{span},57.5\n")

    with pytest.raises(
        StayworthError, match="1 of its 3 rows are the sum of others, which count twice: row 3"
    ):
        Spend.read(path)


def test_a_channel_that_is_called_like_a_total_and_is_none_is_used(tmp_path):
    span = "2015-01-01,2015-03-01"
    path = written(
        tmp_path, f"channel,from,to,amount\ntv,{span},50\nTotal,{span},7\nTotalEnergies,{span},50\n"
    )

    assert Spend.read(path).cents.tolist() == [5000, 700, 5000]


def test_spend_in_two_currencies_is_refused(tmp_path):
    head, span = "channel,from,to,amount,currency\n", "2015-01-01,2015-03-01"
    mixed = written(tmp_path, f"{head}tv,{span},50,EUR\nweb,{span},7,usd\nweb,{span},7,\n")
    one = written(tmp_path, f"{head}tv,{span},50,EUR\nweb,{span},7,eur\n", "one.csv")

    with pytest.raises(StayworthError, match=r"mixes 2 currencies in 'currency': EUR \(1\), USD \(1\)"):
        Spend.read(mixed)
    assert Spend.read(one).cents.tolist() == [5000, 700]
    signs = Spend.read(written(tmp_path, f"{head}tv,{span},50,EUR\nweb,{span},7,€\n", "signs.csv"))
    assert (signs.cents.tolist(), signs.currency) == ([5000, 700], "EUR")


def test_a_currency_in_the_cells_or_in_a_workbook_s_formats_is_that_of_the_file(tmp_path):
    head, span = "channel,from,to,amount\n", "2015-01-01,2015-03-01"
    rules = LogRules(accounting=True)
    marked = written(tmp_path, f"{head}tv,{span},€ 500\nweb,{span},7\n")
    mixed = written(tmp_path, f"{head}tv,{span},€ 500\nweb,{span},500 TL\n", "mixed.csv")
    book = openpyxl.Workbook()
    for row in (["channel", "from", "to", "amount"], ["tv", "2015-01-01", "2015-03-01", 500]):
        book.active.append(row)
    book.active["D2"].number_format = '#,##0.00 "TL"'
    book.save(tmp_path / "spend.xlsx")

    assert Spend.read(marked, rules).currency == "€"
    assert Spend.read(tmp_path / "spend.xlsx").currency == "TL"
    with pytest.raises(StayworthError, match="mixes 2 currencies in 'amount': TL, €"):
        Spend.read(mixed, rules)


@pytest.mark.parametrize(
    ("mark", "code", "fits"), [("$", "CAD", True), ("Rs", "PKR", True), ("US$", "CAD", False)]
)
def test_a_sign_of_several_currencies_may_be_each_of_them(mark, code, fits):
    assert same_currency(mark, code) is fits


def test_a_file_in_another_currency_than_the_log_is_refused():
    for theirs, ours in (("EUR", "€"), (None, "EUR"), ("EUR", None)):
        require_currency(theirs, ours, "spend.csv")
    with pytest.raises(StayworthError, match=r"of spend\.csv are in USD, those of the log in €"):
        require_currency("USD", "€", "spend.csv")


# --- identities --------------------------------------------------------------------------------------------------


def test_identities_are_followed_to_their_end_and_a_circle_is_refused(tmp_path):
    assert read_identities(written(tmp_path, "alias_id,customer_id\n007,7\n7,x-7\n")) == {
        "007": "x-7",
        "7": "x-7",
    }
    with pytest.raises(StayworthError, match="'a', 'b', 'c' name each other in a circle"):
        resolved([("b", "c"), ("a", "b"), ("c", "a")])
    with pytest.raises(StayworthError, match="two customers, such as 'a': 'b' and 'c'"):
        resolved([("a", "b"), ("a", "c")])


# --- the deflator ----------------------------------------------------------------------------------------------------


def test_money_of_each_month_becomes_that_of_the_last(tmp_path):
    path = written(tmp_path, "month,index\n2014-12,80\n2015-01,100\n2015-02,125\n2015-03,150\n2015-04,200\n")

    deflator = Deflator.read(path, FIRST, LAST)

    days = np.array([(date(2015, month, 15) - date(1970, 1, 1)).days for month in (1, 2, 4)])
    assert deflator.base == "2015-04"
    assert deflator.factors(days).tolist() == [2.0, 1.6, 1.0]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("2015-01,100\n2015-03,110\n2015-04,120", "no index for 1 of the log's 4 months, such as 2015-02"),
        ("2015-01,100\n2015-02,0\n2015-03,1\n2015-04,1", "not positive"),
        ("2015-01,100\n2015-01,101", "twice"),
        ("2015-13,100", "is no period of this length and calendar. Write it as 1998-04"),
    ],
)
def test_a_deflator_with_a_hole_is_refused(tmp_path, rows, says):
    with pytest.raises(StayworthError, match=says):
        Deflator.read(written(tmp_path, f"month,index\n{rows}\n"), FIRST, LAST)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ((1.8, 2.5, 3.0, 2.1), "holds 3, 2.1, from month to month: are these rates of inflation"),
        ((0.021, 0.022, 0.023, 0.024), "holds 0.021, 0.022, from month to month"),
        ((150, 155, 100, 103), "holds 155, 100, .* join its parts where the base was changed"),
    ],
    ids=["percentages", "shares", "another base"],
)
def test_rates_of_inflation_are_no_index(tmp_path, values, says):
    rows = "".join(f"2015-0{month},{value}\n" for month, value in enumerate(values, start=1))

    with pytest.raises(StayworthError, match=says):
        Deflator.read(written(tmp_path, f"month,index\n{rows}"), FIRST, LAST)


def test_an_index_may_be_of_base_1_and_fall_a_little(tmp_path):
    path = written(tmp_path, "month,index\n2015-01,0.9\n2015-02,0.85\n2015-03,1\n2015-04,1.4\n")

    assert Deflator.read(path, FIRST, LAST).index.tolist() == [0.9, 0.85, 1, 1.4]


def test_a_toman_is_ten_rials():
    toman = MoneyUnit.of("toman", "IRR")

    assert toman.shown(123_400).tolist() == 123.4  # 1,234 rials
    with pytest.raises(StayworthError, match="ten rials, but the log is in EUR"):
        MoneyUnit.of("تومان", "EUR")


# --- dates of another calendar -----------------------------------------------------------------------------------


def test_jalali_dates_with_persian_digits_are_read_and_one_that_does_not_exist_is_refused(tmp_path):
    path = written(tmp_path, "channel,from,to,amount\ntv,۱۳۹۴/۰۱/۰۱,1394-02-01,5\n")
    spend = Spend.read(path, JALALI)
    assert int(spend.ends[0] - spend.starts[0]) == 31

    wrong = written(
        tmp_path, "channel,from,to,amount\ntv,1394/12/01,1394/12/30,5\n"
    )  # 1394 has 29 days there
    with pytest.raises(
        StayworthError, match="1394/12/30' is no day of the Jalali calendar: month 12 of 1394 has 29 days"
    ):
        Spend.read(wrong, JALALI)


# --- targets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("churn,2015-02,,0.1", r"row 2 \('churn'\)\. Did you mean churn_rate\? There are new, returned, "),
        ("answers,2015-02,,0.1", "no indicator that a target can be set for"),
        ("churn_rate,Feb,,0.1", r"no month: row 2 \('Feb'\)\. Write it as .*of the log are 2015-01 to"),
        (
            "churn_rate,2015-02,gold,0.1",
            r"row 2 \('gold'\)\. Did you mean Gold medal\? There are all, Gold medal",
        ),
        ("churn_rate,2015-02,gold medal,0.1", r"row 2 \('gold medal'\)\. Did you mean Gold medal\?"),
        ("churn_rate,2015-02,,low", "no number in target"),
        (
            "churn_rate,2015-02,,20",
            r"no share from 0 to 1: row 2 \('churn_rate', '20'\)\. Write 20% as 0\.2 or 20%",
        ),
        ("churn_rate,2015-02,,-0.1", "no share from 0 to 1"),
        ("churn_rate,2015-02,,120%", "no share from 0 to 1"),
        ("growth,2015-02,,20", "no share from 0 to 1"),
        ("lost,2015-02,,20%", "a percentage for what is no share"),
    ],
)
def test_a_target_that_names_nothing_is_refused(tmp_path, row, says):
    path = written(tmp_path, f"indicator,period,segment,target\nend,2015-02,,5\n{row}\n")

    with pytest.raises(StayworthError, match=says):
        Targets.read(path, Periods(FIRST, LAST), ["all", "Gold medal"])


def test_a_share_is_a_fraction_or_a_percentage(tmp_path):
    rows = "churn_rate,2015-01,0.2\nchurn_rate,2015-02,20%\ngrowth,2015-01,150 %\ngrowth,2015-02,-5%\nend,2015-02,7\n"
    path = written(tmp_path, f"indicator,period,target\n{rows}")

    read = Targets.read(path, Periods(FIRST, LAST), ["all"])

    assert read.rows["target"].tolist() == pytest.approx([0.2, 0.2, 1.5, -0.05, 7])


# --- customers ---------------------------------------------------------------------------------------------------


def test_customers_who_are_not_in_the_log_are_counted(tmp_path):
    path = written(tmp_path, "customer_id,city\n0017,Yazd\n18,\nx,Shiraz\n")

    people = CustomerTable(path, ["0017", "18"])

    assert people.values("city") == {"0017": "Yazd", "18": None}
    assert people.notes == ["2 of 3 customers of file.csv are in the log; the others are left out."]
    with pytest.raises(MatchError, match="1 more would match without leading zeros"):
        CustomerTable(path, ["17"])
    with pytest.raises(StayworthError, match="no column 'town'"):
        people.values("town")


def test_a_share_of_wallet_is_a_fraction_or_a_percentage(tmp_path):
    path = written(tmp_path, "customer_id,share_of_wallet\na,0.6\nb,60%\nc,0.6%\nd,\ne,۶۰٪\n")

    assert read_wallets(CustomerTable(path, list("abcde"))) == pytest.approx(
        {"a": 0.6, "b": 0.6, "c": 0.006, "e": 0.6}
    )
    with pytest.raises(StayworthError, match=r"above 1: row 1 \('60'\)\. Write 60% as 0\.6 or 60%"):
        read_wallets(CustomerTable(written(tmp_path, "customer_id,share_of_wallet\na,60\n"), ["a"]))


def test_an_alias_in_the_file_of_customers_is_its_customer(tmp_path):
    path = written(tmp_path, "customer_id,city\nweb-1,Yazd\n17,Shiraz\n")

    with pytest.raises(StayworthError, match="customer '17' two values of city: 'Yazd' and 'Shiraz'"):
        CustomerTable(path, ["17"], aliases={"web-1": "17"}).values("city")


def test_segments_that_cannot_be_are_refused_with_a_remedy(tmp_path):
    with pytest.raises(StayworthError, match="give --customers"):
        read_segments("city", None, [])
    with pytest.raises(StayworthError, match="Did you mean first_channel"):
        read_segments("first-chanel", None, [])
    with pytest.raises(StayworthError, match="needs a column channel"):
        read_segments("first_channel", None, [])
    with pytest.raises(StayworthError, match="ends before it begins"):
        read_cohorts(
            written(tmp_path, '[[cohorts]]\nname = "x"\nfrom = 2015-03-01\nto = 2015-02-01\n', "c.toml")
        )
    with pytest.raises(StayworthError, match="only = true of 'x' says that all purchases meet its where"):
        read_cohorts(written(tmp_path, '[[cohorts]]\nname = "x"\nonly = true\n', "c.toml"))
    with pytest.raises(StayworthError, match="no \\[\\[cohorts\\]\\]"):
        read_cohorts(written(tmp_path, "", "c.toml"))


# --- numbers and dates written otherwise ----------------------------------------------------------------------------


def test_numbers_whose_mark_may_group_thousands_are_said_and_read_by_the_flag(tmp_path: Path) -> None:
    touches = written(tmp_path, "customer_id,occurred_at,touchpoint,quantity\nann,2015-01-01,call,1.000\n")
    spend = written(tmp_path, "channel,from,to,amount\ntv,2015-01-01,2015-02-01,1.000\n", "spend.csv")
    german = LogRules(decimal=",", thousands=".")

    (of_touches,), (of_spend,) = Touches.read(touches).findings, Spend.read(spend).findings

    assert (
        "file.csv: the numbers in quantity with the mark '.' have three digits after it" in of_touches.message
    )
    assert "--thousands . reads it so" in of_spend.message
    assert (Touches.read(touches, german).quantities.tolist(), Spend.read(spend, german).cents.tolist()) == (
        [1000],
        [100_000],
    )
    assert Touches.read(touches, german).findings == ()


def test_numbers_beside_which_others_have_decimals_are_decimals(tmp_path: Path) -> None:
    path = written(
        tmp_path, "channel,from,to,amount\ntv,2015-01-01,2015-02-01,1.000\ntv,2015-02-01,2015-03-01,2.5\n"
    )

    assert Spend.read(path).findings == ()


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            "tv,2015-01-01,2015-02-01,1.234,50",
            "with dots for thousands and a decimal comma: --decimal , --thousands .",
        ),
        ("tv,2015-01-01,2015-02-01,(5.00)", "in parentheses: --accounting reads them"),
        ("tv,31/01/2015,28/02/2015,5", "--date-format '%d/%m/%Y' reads them"),
        ("tv,15/10/1393,16/10/1393,5", "--log-calendar jalali --date-format '%d/%m/%Y' reads them"),
        ("tv,3 février 2015,4 février 2015,5", "--date-format '%d %B %Y' reads them"),
    ],
)
def test_cells_that_are_written_otherwise_are_named_with_the_flag_that_reads_them(
    tmp_path: Path, row: str, says: str
) -> None:
    path = written(tmp_path, "channel;from;to;amount\n" + row.replace(",", ";", 3) + "\n")

    with pytest.raises(StayworthError) as told:
        Spend.read(path)

    assert says in str(told.value)
