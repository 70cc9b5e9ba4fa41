"""The log contract: nothing is lost, nothing is guessed, every error names its remedy."""

import os
import random
import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings, strategies as st
from pydantic import ValidationError

from features.errors import EmptyLogError, LogError, MissingColumnError
from features.language import use_language
from features.log.amounts import EXPRESSION_ERROR, cents
from features.log.settings import Columns, LogRules, LogSettings
from features.log.transactions import TransactionLog
from features.log.validation import validate

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
DATA = Path(os.environ.get("STAYWORTH_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
LINES = Columns(
    customer_column="Customer ID",
    date_column="InvoiceDate",
    order_column="Invoice",
    product_column="StockCode",
)


def log_of(customer="17", day="2024-01-05", amount="10", **more) -> pa.Table:
    """Build a raw log; a column given once is repeated to the length of the longest."""
    columns = {"customer_id": customer, "ordered_at": day, "amount": amount, **more}
    length = max((len(v) for v in columns.values() if isinstance(v, (list, pa.Array))), default=1)
    return pa.table({k: v if isinstance(v, (list, pa.Array)) else [v] * length for k, v in columns.items()})


def read(raw, columns=None, **rules) -> TransactionLog:
    log = validate(raw, LogRules(**rules), columns, now=NOW)
    assert log.report.rows_in == log.report.rows_used + sum(log.report.quarantined.values())
    assert log.report.rows_used == log.table.num_rows
    assert sum(log.report.quarantined.values()) == log.quarantine.table().num_rows
    return log


def real_log(name: str) -> pa.Table:
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not in {DATA}: set STAYWORTH_DATA to the folder that holds it")
    return pq.read_table(DATA / name)


# --- the balance of rows -------------------------------------------------------------------------------


def test_each_unusable_row_is_quarantined_with_its_number_and_one_reason():
    raw = log_of(
        customer=["17", None, "18", "19", "20", "21", "22", "  ", "17"],
        day=["2024-01-05", "x", "2024-02-30", "2024-06-16", *["2024-01-05"] * 5],
        amount=["10", "x", "10", "10", "12 EUR", "1e999", "1e13", "5", "-3"],
    )

    log = read(raw)

    assert log.quarantine.table().select(["row_number", "reason"]).to_pydict() == {
        "row_number": [2, 3, 4, 5, 6, 7, 8],
        "reason": [
            "no customer",  # its date and amount are bad too: the first reason counts
            "unreadable date",  # 2024 has no 30 February
            "date in the future",
            "amount missing or not a number",
            "infinite or NaN amount",
            "amount of ten trillion or more",
            "no customer",
        ],
    }
    assert log.report.quarantined["no customer"] == 2
    assert log.table.to_pydict() == {
        "customer_id": ["17", "17"],
        "ordered_on": [date(2024, 1, 5)] * 2,
        "amount_cents": [1000, -300],
    }


def test_the_quarantine_keeps_the_raw_values_as_text_under_their_own_names():
    raw = log_of(customer=[None, "17"], reason="gift", amount=[2.5, 1.0], tags=pa.array([["a"], None]))

    rows = read(raw).quarantine.table().to_pylist()

    assert rows == [
        {
            "row_number": 1,
            "reason": "no customer",
            "customer_id": None,
            "ordered_at": "2024-01-05",
            "amount": "2.5",
            "reason (log)": "gift",  # the log's own column of that name
            "tags": "['a']",
        }
    ]


def test_the_report_is_a_table_whose_rows_add_up():
    log = read(log_of(customer=["17", "18", None, None]))

    assert log.report.rows() == [
        ("rows in", 4, ""),
        ("used", 2, "2 customers, 2024-01-05 to 2024-01-05"),
        (
            "quarantined: no customer",
            2,
            "row 3: customer_id (empty); row 4: customer_id (empty)",
        ),
    ]
    assert str(log.report) == "4 rows in = 2 used + 2 quarantined (no customer)"
    assert str(read(log_of()).report) == "1 rows in = 1 used + 0 quarantined"


def test_refunds_zero_amounts_and_customers_with_refunds_only_are_counted():
    log = read(log_of(customer=["17", "17", "18", "19"], amount=[10, -4, 0, -2]))

    report = log.report
    assert (report.customers, report.refunds, report.zero_amounts) == (3, 2, 1)
    assert report.refunds_only_customers == 1  # 19; a zero amount makes 18 a buyer


def test_identical_rows_are_kept_and_counted_unless_they_are_to_be_dropped():
    # Rows 1, 2 and 4 are identical; row 3 is of another hour of the same day, row 5 of another order.
    raw = log_of(
        day=[
            "2024-01-05 10:00",
            "2024-01-05 10:00",
            "2024-01-05 11:00",
            "2024-01-05 10:00",
            "2024-01-05 10:00",
        ],
        order_id=["a", "a", "a", "a", "b"],
    )

    kept, dropped = read(raw), read(raw, drop_identical=True)

    assert (kept.report.identical_rows, kept.table.num_rows) == (2, 5)
    assert (dropped.report.identical_rows, dropped.table.num_rows) == (2, 3)
    assert dropped.quarantine.table()["row_number"].to_pylist() == [2, 4]


def test_customers_acquired_earlier_are_left_out_with_all_their_rows():
    raw = log_of(
        customer=["17", "17", "18", "19", "19"],
        day=["2023-12-31", "2024-03-01", "2024-01-01", "2023-12-01", "2024-02-01"],
        amount=["10", "10", "10", "-10", "10"],  # a refund, too, shows an earlier customer
    )

    log = read(raw, acquired_after=date(2024, 1, 1))

    assert log.table["customer_id"].to_pylist() == ["18"]
    assert log.report.quarantined == {"customer acquired earlier": 4}


# --- customers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_ids", "ids"),
    [
        (["00017", " 17 ", "17"], ["00017", "17", "17"]),
        (["آرش کمان‌گیر", "Müller & Söhne", "a  b"], ["آرش کمان‌گیر", "Müller & Söhne", "a  b"]),
        ([12345, 7, 7], ["12345", "7", "7"]),
        ([12345.0, 7.0, 7.5], ["12345", "7", "7.5"]),
        ([Decimal("12345.00"), Decimal("7.00"), Decimal("7.50")], ["12345", "7", "7.50"]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
    ],
)
def test_customer_ids_are_kept_to_the_letter(given_ids, ids):
    assert read(log_of(customer=given_ids)).table["customer_id"].to_pylist() == ids


def test_ids_that_pandas_turned_into_floats_are_whole_numbers_again():
    raw = pd.DataFrame({"customer_id": [12345, np.nan, 7], "ordered_at": "2024-01-05", "amount": 1.5})

    log = read(raw)

    assert log.table["customer_id"].to_pylist() == ["12345", "7"]
    assert log.report.quarantined == {"no customer": 1}


def test_an_id_that_no_database_can_hold_is_quarantined_and_does_not_stop_the_others():
    log = read(log_of(customer=["17", "1\x007", "x" * 3_000, "0018"]))

    assert log.table["customer_id"].to_pylist() == ["17", "0018"]
    assert log.report.quarantined == {"customer id that no database can hold": 2}


def test_ids_too_long_for_a_float_are_refused_for_they_may_have_merged():
    with pytest.raises(LogError, match=r"Column 'customer_id': Long whole numbers .* lost their last digits"):
        read(log_of(customer=[123456789012345678.0]))


def test_a_pandas_column_that_mixes_numbers_and_text_is_read_as_text():
    raw = pd.DataFrame(
        {
            "customer_id": [17, "A18", None],
            "ordered_at": [datetime(2024, 1, 5), "2024-01-06", "2024-01-06"],
            "amount": [1, "2.5", 3],
        }
    )

    log = read(raw)

    assert log.table.to_pydict() == {
        "customer_id": ["17", "A18"],
        "ordered_on": [date(2024, 1, 5), date(2024, 1, 6)],
        "amount_cents": [100, 250],
    }


# --- amounts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (["1.005", "-1.005", " 2.5 ", "+3", "1e3", ".5"], [101, -101, 250, 300, 100000, 50]),
        ([1.005, -1.005, 0.125, 1.115, 0.29, 999999999999.99], [101, -101, 13, 112, 29, 99999999999999]),
        (pa.array([1.005, 2.675], pa.float32()), [101, 268]),
        ([Decimal("1.005"), Decimal("-2.675")], [101, -268]),
        ([3, -4], [300, -400]),
    ],
)
def test_amounts_are_rounded_half_away_from_zero_on_the_decimal_that_was_written(amounts, expected):
    customers = [str(n) for n in range(len(expected))]

    assert read(log_of(customer_id=customers, amount=amounts)).table["amount_cents"].to_pylist() == expected


def test_parts_of_a_cent_are_summed_before_they_are_rounded():
    # Ann: 0.004 + 0.004 = 0.008 on the first day, 0.012 in all. Bob: 0.335 twice is 0.67, not 0.68.
    raw = log_of(
        customer_id=["ann", "bob", "ann", "ann", "bob"],
        ordered_at=["1998-01-06", "1998-01-05", "1998-01-05", "1998-01-05", "1998-01-05"],
        amount=[0.004, 0.335, 0.004, 0.004, 0.335],
    )

    log = read(raw)

    sums = log.table.group_by(["customer_id", "ordered_on"]).aggregate([("amount_cents", "sum")]).to_pylist()
    cents_of = {(row["customer_id"], row["ordered_on"].day): row["amount_cents_sum"] for row in sums}
    assert cents_of == {("ann", 5): 1, ("ann", 6): 0, ("bob", 5): 67}
    assert log.report.identical_rows == 2


@given(st.floats(min_value=-1e12, max_value=1e12, exclude_min=True, exclude_max=True))
def test_cents_equal_those_of_decimal_arithmetic_on_the_shortest_text(amount):
    written = Decimal(repr(amount)) * 100

    assert cents(np.array([amount]))[0] == int(written.quantize(Decimal(1), ROUND_HALF_UP))


@given(st.integers(-10_000, 10_000), st.integers(0, 10**8))
def test_a_product_of_decimals_is_rounded_as_the_exact_product(quantity, price_in_mills):
    exact = Decimal(quantity) * price_in_mills / 1000

    line = np.array([quantity * (price_in_mills / 1000)])

    assert cents(line, EXPRESSION_ERROR)[0] == int((exact * 100).quantize(Decimal(1), ROUND_HALF_UP))


@pytest.mark.parametrize("amount", ["1,234.50", "12,50", "€ 5", "(5)", "1 000", "", None, "nan"])
def test_an_amount_that_would_have_to_be_guessed_is_quarantined(amount):
    log = read(log_of(amount=["10", "11", amount]))

    assert log.report.quarantined == {"amount missing or not a number": 1}


def test_infinite_and_nan_amounts_are_quarantined():
    log = read(log_of(amount=[1.5, float("inf"), float("-inf"), float("nan")]))

    assert log.report.quarantined == {"infinite or NaN amount": 3}


def test_a_log_with_mostly_unreadable_amounts_is_refused_with_examples():
    with pytest.raises(LogError) as caught:
        read(log_of(amount=["10", "1,50", "2,50"]))

    assert str(caught.value) == (
        "2 of 3 amounts cannot be read: row 2: amount '1,50'; row 3: amount '2,50'. "
        "Write them as plain numbers with a decimal point, such as 1234.50 or -3. "
        "2 of them are written with a decimal comma: --decimal , reads them."
    )


def test_an_amount_expression_is_computed_line_by_line():
    raw = log_of(
        Quantity=[3, -2, None, 1],
        customer_id=["a", "b", "c", "d"],
        **{"Unit Price": ["0.145", "1.50", "9", "0.10"]},
    ).drop(["amount"])

    log = read(raw, amount_expression='Quantity * "Unit Price" * (1 - 0)')

    # 3 x 0.145 = 0.435, half a cent up: 0.44, although the product of the doubles is 0.43499999999999994
    assert log.table["amount_cents"].to_pylist() == [44, -300, 10]
    assert log.report.examples == {
        "amount missing or not a number": "row 3: Quantity (empty), Unit Price '9'"
    }


def test_a_division_by_zero_is_an_infinite_amount():
    log = read(log_of(amount=[6, 6], parts=[2, 0]), amount_expression="amount / parts + -amount + +amount")

    assert log.table["amount_cents"].to_pylist() == [300]
    assert log.report.quarantined == {"infinite or NaN amount": 1}


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "5",
        "1 +",
        "amount ** 2",
        "abs(amount)",
        "__import__('os').system('true')",
        "amount.real",
        "amount[0]",
    ]
    + [
        "amount if amount else 1",
        "True * amount",
        "1j * amount",
        "9" * 400 + " * amount",
        "-" * 600 + "amount",
    ]
    + ["(SELECT 1)", "read_csv('/etc/passwd')", "amount; amount", "amount, amount", "amount > 1"],
)
def test_an_amount_expression_holds_arithmetic_and_nothing_else(expression):
    with pytest.raises(LogError, match="The amount expression .* cannot be read. It may hold column names"):
        read(log_of(), amount_expression=expression)


# --- dates ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "utc", "tehran"),  # Tehran is at +03:30 in January
    [
        ("2024-01-05", 5, 5),
        ("20240105", 5, 5),
        ("2024-01-05 23:30", 5, 5),  # without an offset: on the clock of the chosen time zone
        ("2024-01-05T23:30:00.123456", 5, 5),
        ("2024-01-05T23:30:00Z", 5, 6),
        ("2024-01-05 23:30:00 +02:00", 5, 6),  # 21:30 UTC, 01:00 in Tehran
        ("2024-01-05T01:00:00+0330", 4, 5),
        (date(2024, 1, 5), 5, 5),
        (datetime(2024, 1, 5, 23, 30), 5, 5),
        (datetime(2024, 1, 5, 23, 30, tzinfo=UTC), 5, 6),
        (20240105, 5, 5),
    ],
)
def test_the_day_of_an_order_is_that_of_the_chosen_time_zone(moment, utc, tehran):
    raw = log_of(day=[moment])

    assert read(raw).table["ordered_on"].to_pylist() == [date(2024, 1, utc)]
    assert read(raw, timezone="Asia/Tehran").table["ordered_on"].to_pylist() == [date(2024, 1, tehran)]


def test_an_order_is_in_the_future_from_the_moment_after_now():
    moments = ["2024-06-15", "2024-06-15 12:00:00", "2024-06-15 12:00:01", "2024-06-16", "9999-12-31"]

    log = read(log_of(day=moments))

    assert log.report.quarantined == {"date in the future": 3}
    # 12:00 UTC is 15:30 in Tehran: there, an order of 15:00 on the wall clock has been made.
    assert read(log_of(day="2024-06-15 15:00"), timezone="Asia/Tehran").report.rows_used == 1


def test_without_now_the_clock_decides():
    log = validate(log_of(day=["2024-01-05", "2999-01-01"]))

    assert log.report.quarantined == {"date in the future": 1}


@pytest.mark.parametrize(
    "moment", ["31/01/2024", "01/02/2024", "2024-1-5", "2024-02-30", "2024", "soon", "", None]
)
def test_a_date_that_would_have_to_be_guessed_is_quarantined_with_an_example(moment):
    log = read(log_of(day=["2024-01-05", moment]))

    shown = repr(moment) if moment else "(empty)"
    assert log.report.examples == {"unreadable date": f"row 2: ordered_at {shown}"}


@pytest.mark.parametrize(
    ("moment", "rules", "day"),
    [
        ("2024-01-31 24:00", {}, date(2024, 2, 1)),
        ("2024-01-31T24:00:00.000Z", {}, date(2024, 2, 1)),
        ("31.01.2024 24:00", {"date_format": "%d.%m.%Y %H:%M"}, date(2024, 2, 1)),
        ("1402/12/29 24:00", {"calendar": "jalali"}, date(2024, 3, 20)),
        ("2024-01-31 24:01", {}, None),
    ],
)
def test_24_o_clock_is_the_midnight_that_ends_a_day(moment, rules, day):  # ISO 8601
    raw = log_of(
        day=[
            moment,
            "1402/12/01 10:00" if "calendar" in rules else "05.01.2024 10:00" if rules else "2024-01-05",
        ]
    )

    log = read(raw, **rules)

    assert log.table["ordered_on"].to_pylist()[:-1] == ([] if day is None else [day])


def test_a_text_for_excel_is_what_stands_in_it():
    raw = pa.table(
        {"customer_id": ['="007"'] * 2, "ordered_at": ["2024-01-05"] * 2, "amount": ['="12.50"', "3"]}
    )

    log = read(raw)

    assert log.table["customer_id"].to_pylist() == ["007", "007"]
    assert log.table["amount_cents"].to_pylist() == [1250, 300]


def test_days_outside_the_calendar_are_unreadable_rather_than_wrapped_around():
    sentinel = pa.array([2**63 - 1, -(2**63) + 1, 1_700_000_000_000], pa.timestamp("ms"))
    days = pa.array([2**31 - 1, -(2**31), 19_000, 19_001], pa.date32())

    for moments, usable in ((days, 2), (pa.concat_arrays([sentinel, sentinel[2:]]), 2)):
        assert read(log_of(day=moments)).report.rows_used == usable


def test_a_date_format_says_how_dates_are_written():
    raw = log_of(day=["03/02/2024 09:30", "31/01/2024 10:00", "2024-01-05"])

    log = read(raw, date_format="%d/%m/%Y %H:%M")

    assert log.table["ordered_on"].to_pylist() == [date(2024, 2, 3), date(2024, 1, 31)]
    assert log.report.quarantined == {"unreadable date": 1}


def test_a_date_format_with_an_offset_is_converted_to_the_time_zone():
    raw = log_of(day="05.01.2024 23:30 +0000")

    log = read(raw, date_format="%d.%m.%Y %H:%M %z", timezone="Europe/Berlin")

    assert log.last_day == date(2024, 1, 6)


def test_a_log_with_mostly_unreadable_dates_is_refused_with_the_remedy():
    raw = log_of(day=["2024-01-05", "13/01/2024", "14/01/2024", "15/01/2024", "16/01/2024"])

    with pytest.raises(LogError) as caught:
        read(raw)

    assert str(caught.value) == (
        "4 of 5 dates cannot be read: row 2: ordered_at '13/01/2024'; row 3: ordered_at '14/01/2024'; "
        "row 4: ordered_at '15/01/2024'. Dates are read as 2011-01-31 or 2011-01-31 12:30:00. "
        "4 of them are written with the day first: --date-format 'iso|%d/%m/%Y' reads them."
    )
    with pytest.raises(LogError, match="If yours are written otherwise, say how: --date-format"):
        read(log_of(day=["soon", "later"]))
    with pytest.raises(LogError, match="Dates are read with --date-format '%m/%d/%Y'; change it"):
        read(raw, date_format="%m/%d/%Y")
    with pytest.raises(LogError, match="The date format '%d/%m/%Y %Q' cannot be used"):
        read(raw, date_format="%d/%m/%Y %Q")


# --- columns and currencies ----------------------------------------------------------------------------


def test_a_missing_column_is_named_with_those_there_the_nearest_and_the_flag():
    raw = pa.table({"Customer ID": ["17"], "InvoiceDate": ["2024-01-05"], "amounts": [1.0]})

    with pytest.raises(MissingColumnError) as caught:
        read(raw)

    assert str(caught.value) == (
        "The log has no columns 'customer_id', 'ordered_at', 'amount'; it has 'Customer ID', 'InvoiceDate', "
        "'amounts'. Perhaps for 'customer_id' use --customer-column 'Customer ID'; for 'ordered_at' use "
        "--date-column 'InvoiceDate'; for 'amount' use --amount-column 'amounts'."
    )


def test_columns_that_are_missing_are_named_in_the_grammar_of_the_language():
    several, one = log_of().drop_columns(["customer_id", "amount"]), log_of().drop_columns(["amount"])

    with use_language("fa"), pytest.raises(MissingColumnError) as of_several:
        read(several)
    with use_language("fa"), pytest.raises(MissingColumnError) as of_one:
        read(one)
    with pytest.raises(MissingColumnError, match="The log has no column 'amount'; it has 'customer_id'"):
        read(one)

    plain = [re.sub("[\u2066-\u2069]", "", str(each.value)) for each in (of_several, of_one)]
    assert plain[0].startswith("سفارش‌ها ستون‌های 'customer_id'، 'amount' را ندارد؛")
    assert plain[1].startswith("سفارش‌ها ستون 'amount' ندارد؛")


@pytest.mark.parametrize(
    ("columns", "flags"),
    [
        ("kunde datum betrag", "--customer-column 'kunde' --date-column 'datum' --amount-column 'betrag'"),
        (
            "donor gift_date gift",
            "--customer-column 'donor' --date-column 'gift_date' --amount-column 'gift'",
        ),
        (
            "DonorID date donation",
            "--customer-column 'DonorID' --date-column 'date' --amount-column 'donation'",
        ),
        (
            "patient_age patient_id visit_date service_fee fee",
            "--customer-column 'patient_id' --date-column 'visit_date' --amount-column 'fee'",
        ),
        ("Member_No day fees", "--customer-column 'Member_No' --date-column 'day' --amount-column 'fees'"),
        (
            "policy_holder paid_at price_paid",
            "--customer-column 'policy_holder' --date-column 'paid_at' --amount-column 'price_paid'",
        ),
        (
            "subscriber_id is_gift gift_card date charge",
            "--customer-column 'subscriber_id' --date-column 'date' --amount-column 'charge'",
        ),
        (
            "guests guest_id date total",
            "--customer-column 'guest_id' --date-column 'date' --amount-column 'total'",
        ),
        ("بیمار تاریخ مبلغ", "--customer-column 'بیمار' --date-column 'تاریخ' --amount-column 'مبلغ'"),
        ("uid ts price", "--customer-column 'uid' --date-column 'ts' --amount-column 'price'"),
        ("مشتری تاریخ مبلغ", "--customer-column 'مشتری' --date-column 'تاریخ' --amount-column 'مبلغ'"),
        (
            "CustomerID InvoiceDate Price Quantity",
            "--customer-column 'CustomerID' --date-column 'InvoiceDate' --amount-expression \"Quantity * Price\"",
        ),
        ("كد_مشتري تاريخ جمع", "--customer-column 'كد_مشتري' --date-column 'تاريخ' --amount-column 'جمع'"),
        ("user birth_date date sum", "--customer-column 'user' --date-column 'date' --amount-column 'sum'"),
        ("کاربر روز مبلغ", "--customer-column 'کاربر' --date-column 'روز' --amount-column 'مبلغ'"),
        ("a b c", "--customer-column COLUMN --date-column COLUMN --amount-column COLUMN"),
    ],
)
def test_columns_that_shops_call_otherwise_are_suggested(columns: str, flags: str):
    raw = pa.table({name: ["1"] for name in columns.split()})

    with pytest.raises(MissingColumnError) as caught:
        read(raw)

    assert re.findall(r"use (.*?)[;.](?: for|$)", str(caught.value)) == re.split(" (?=--)", flags)


@pytest.mark.parametrize("name", ["date", "Date", "day", "تاریخ", "تاريخ"])
def test_a_column_called_a_date_alone_is_the_order_s_where_nothing_else_is_missing(name: str):
    raw = log_of(channel="web").rename_columns({"ordered_at": name})

    assert read(raw).names["ordered_at"] == name
    for other in ("due_date", "day", "created_at"):  # which of the two is meant, nobody knows
        if other != name:
            with pytest.raises(MissingColumnError, match="no column 'ordered_at'"):
                read(raw.append_column(other, raw[name]))
    with pytest.raises(MissingColumnError, match="no column 'at'"):
        read(raw, columns=Columns(date_column="at"))
    with pytest.raises(MissingColumnError, match="no columns 'ordered_at', 'amount'"):
        read(raw.drop_columns(["amount"]))


def test_an_amount_expression_over_an_unknown_column_is_a_missing_column():
    with pytest.raises(MissingColumnError, match="for 'quantity_' in --amount-expression write 'quantity'"):
        read(log_of(quantity=1), amount_expression="quantity_ * amount")


def test_an_optional_column_may_be_absent_but_not_when_it_is_named():
    assert read(log_of()).columns == ()
    with pytest.raises(MissingColumnError, match="use --margin-column 'Marge'"):
        read(log_of(Marge="1"), Columns(margin_column="marge"))
    with pytest.raises(MissingColumnError, match="use --currency-column 'curr'"):
        read(log_of(curr="EUR"), Columns(currency_column="currenc"), currency="EUR")


def test_optional_columns_are_read_where_the_log_has_them():
    raw = log_of(
        order_id=[1, 2], margin=["1.005", "-2"], channel=["web", ""], product_id="p", quantity=["2", "?"]
    )

    log = read(raw)

    assert log.columns == ("order_id", "margin_cents", "channel", "product_id", "quantity")
    assert log.table.select(log.columns).to_pydict() == {
        "order_id": ["1", "2"],
        "margin_cents": [101, -200],
        "channel": ["web", None],
        "product_id": ["p", "p"],
        "quantity": [2.0, None],
    }
    assert log.table.schema.field("customer_id").type == pa.dictionary(pa.int32(), pa.string())
    assert log.table.schema.field("ordered_on").type == pa.date32()
    assert log.table.schema.field("amount_cents").type == pa.int64()


def test_categories_and_discounts_are_read_and_a_discount_that_cannot_be_costs_no_row():
    log = read(log_of(category=["tea", ""], discount=["1.005", "10%"]))
    asked = read(log_of(discount=["?", "10%"]), Columns(discount_column="discount"))
    unasked = read(log_of(discount=["?", "10%"]))

    assert log.table["category"].to_pylist() == ["tea", None]
    assert log.table["discount_cents"].to_pylist() == [101, None]
    assert asked.table["discount_cents"].to_pylist() == [None, None]
    assert unasked.columns == ()
    assert "Column 'discount' is not used: 2 of its 2 cells are no number." in unasked.ignored[0]


def test_a_row_without_the_margin_that_its_log_promises_is_quarantined():
    log = read(log_of(margin=["1", "2", None, "inf"]), Columns(margin_column="margin"))

    assert log.report.quarantined == {"margin missing or not a finite number": 2}


def test_two_columns_of_one_name_are_refused():
    names = ["customer_id", "ordered_at", "amount", "amount"]
    raw = pa.Table.from_arrays(
        [pa.array(["17"]), pa.array(["2024-01-05"]), pa.array([1]), pa.array([2])], names
    )

    with pytest.raises(LogError, match="two columns of one name: 'amount'"):
        read(raw)
    with pytest.raises(LogError, match="two columns of one name: 'amount'"):
        read(pd.DataFrame([["17", "2024-01-05", 1, 2]], columns=names))


def test_a_log_of_two_currencies_needs_a_choice():
    raw = log_of(currency=["EUR", "eur ", "USD", None])

    with pytest.raises(
        LogError, match=re.escape("3 currencies in 'currency': EUR (2 rows), (none) (1 rows), USD")
    ):
        read(raw)

    log = read(raw, currency="eur")
    assert log.report.currency == "EUR"
    assert log.report.quarantined == {"other currency": 2}


def test_a_log_of_one_currency_needs_none():
    assert read(log_of(currency=["EUR", "EUR"])).report.currency == "EUR"
    assert read(log_of(currency=pa.array([None, None], pa.string()))).report.currency is None


# --- logs that cannot be used --------------------------------------------------------------------------


def test_an_empty_log_is_refused():
    with pytest.raises(
        EmptyLogError, match="The log has no rows; its columns are 'customer_id', 'ordered_at'"
    ):
        read(log_of().slice(0, 0))


def test_a_log_whose_rows_are_all_quarantined_is_refused_with_the_counts():
    raw = log_of(customer=[None, "17", "18"], day=["2024-01-05", "2030-01-01", "2024-02-31"])

    with pytest.raises(EmptyLogError) as caught:
        read(raw)

    assert str(caught.value) == (
        "None of the log's 3 rows can be used: 1 no customer (row 1: customer_id (empty)); "
        "1 unreadable date (row 3: ordered_at '2024-02-31'); "
        "1 date in the future (row 2: ordered_at '2030-01-01')."
    )


def test_a_log_of_refunds_only_is_refused_unless_a_request_may_hold_it():
    raw = log_of(amount=[-1, -2])

    with pytest.raises(LogError, match="All 2 usable rows are refunds.*--amount-expression='-amount'"):
        read(raw)

    assert validate(raw, now=NOW, refunds_only=True).report.refunds_only_customers == 1
    assert read(raw, amount_expression="-amount").table["amount_cents"].to_pylist() == [100, 200]


def test_a_column_of_nested_values_is_refused_by_name():
    with pytest.raises(LogError, match=r"Column 'amount': A column of type list<.*> cannot be read as text"):
        read(log_of(amount=pa.array([[1.0]])))


# --- settings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [Columns, LogRules, LogSettings])
def test_every_setting_has_the_flag_of_its_name_and_a_help_text(model):
    for name, field in model.model_fields.items():
        (option,) = (part for part in field.metadata if hasattr(part, "help"))
        flag = {"calendar": "--log-calendar"}.get(name, "--" + name.replace("_", "-"))  # a report has its own
        assert flag in (option.default, *option.param_decls)
        assert option.help.endswith(".")


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ({"timezone": "Mars/Olympus"}, "there is no time zone 'Mars/Olympus'"),
        ({"timezone": "../etc/passwd"}, "there is no time zone"),
        ({"date_format": "%m/%Y"}, "needs a day, a month and a year"),
        ({"separator": ";"}, "Extra inputs are not permitted"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(setting, complaint):
    with pytest.raises(ValidationError, match=complaint):
        LogRules(**setting)


# --- the fingerprint -----------------------------------------------------------------------------------


def test_the_fingerprint_depends_on_the_rows_but_not_on_their_order():
    raw = log_of(customer=["17", "17", "18"], amount=["1", "2", "3"], channel=["web", None, "shop"])
    changed = [raw.set_column(2, "amount", [["1", "2", "4"]]), raw.slice(1), pa.concat_tables([raw, raw])]

    fingerprint = read(raw).report.fingerprint

    assert re.fullmatch("[0-9a-f]{64}", fingerprint)
    assert read(raw.take([2, 0, 1])).report.fingerprint == fingerprint
    assert all(read(other).report.fingerprint != fingerprint for other in changed)


def test_the_fingerprint_is_the_same_on_every_machine():
    assert (
        read(log_of()).report.fingerprint
        == "ee448a804274ae39ac74d342d5f1259d7df441523eefc269049bd3549ecf477a"
    )


# --- random dirt ---------------------------------------------------------------------------------------

CUSTOMERS = st.sampled_from(["17", "0018", "آرش", None, "", "   "])
DAYS = st.sampled_from(
    ["2024-01-05", "2024-01-05 10:00", "2024-06-16", "05/01/2024", "2023-02-29", None, "x"]
)
AMOUNTS = st.sampled_from(["10", "-2.505", "0", "1,5", "1e999", "1e15", None, "?"])
CURRENCIES = st.sampled_from(["EUR", "USD", None])
DIRTY = st.lists(st.tuples(CUSTOMERS, DAYS, AMOUNTS, CURRENCIES), max_size=12)


def expected_reason(customer, day, amount, currency):
    """Judge one row in plain Python, independently of the columns' code."""
    if not any((cell or "").strip() for cell in (customer, day, amount, currency)):
        return "empty row"
    if not (customer or "").strip():
        return "no customer"
    try:
        moment = datetime.fromisoformat(day or "")
    except ValueError:
        return "unreadable date"
    if moment > NOW.replace(tzinfo=None):
        return "date in the future"
    if amount in (None, "1,5", "?"):
        return "amount missing or not a number"
    if float(amount) >= 1e13:
        return "infinite or NaN amount" if amount == "1e999" else "amount of ten trillion or more"
    return None if currency == "EUR" else "other currency"


@settings(max_examples=60)
@example(dirty=[(None, None, None, None), ("", None, None, "EUR")], order=random.Random(0))
@given(dirty=DIRTY, order=st.randoms(use_true_random=False))
def test_no_row_of_a_dirty_log_is_lost(dirty, order):
    clean = [("17", "2024-01-04", "1", "EUR")] * (len(dirty) + 1)  # most of each column can be read
    rows = [*dirty, *clean]
    order.shuffle(rows)
    customer, day, amount, currency = (list(column) for column in zip(*rows, strict=True))

    log = read(log_of(customer, day, amount, currency=currency), currency="EUR")

    reasons = [expected_reason(*row) for row in rows]
    quarantined = [(number, why) for number, why in enumerate(reasons, start=1) if why]
    pairs = log.quarantine.table().select(["row_number", "reason"]).to_pylist()
    assert [(pair["row_number"], pair["reason"]) for pair in pairs] == quarantined
    used = [row for row, why in zip(rows, reasons, strict=True) if why is None]
    assert log.table["customer_id"].to_pylist() == [row[0] for row in used]
    for each in {row[0] for row in used}:  # sums first, rounded last
        exact = sum(Decimal(row[2]) * 100 for row in used if row[0] == each)
        cents_of = log.table.filter(pc.equal(log.table["customer_id"], each))["amount_cents"]
        assert pc.sum(cents_of).as_py() == int(exact.quantize(Decimal(1), ROUND_HALF_UP))


# --- real logs -----------------------------------------------------------------------------------------


def test_cdnow_is_used_whole_with_its_zero_amounts_and_identical_rows():
    path = distribution("lifetimes").locate_file("lifetimes/datasets/CDNOW_master.txt")
    names = ["customer_id", "ordered_at", "quantity", "amount"]
    raw = pd.read_csv(str(path), sep=r"\s+", skiprows=1, names=names, dtype={"customer_id": str})

    report = read(raw).report

    assert (report.rows_in, report.rows_used, report.quarantined) == (69_659, 69_659, {})
    assert (report.customers, report.zero_amounts, report.identical_rows) == (23_570, 80, 255)
    assert (report.first_day, report.last_day) == (date(1997, 1, 1), date(1998, 6, 30))
    assert read(raw.drop(columns="quantity")).report.identical_rows == 255
    assert read(raw, drop_identical=True).report.quarantined == {"identical row dropped": 255}


def test_the_orders_of_online_retail_are_used_whole():
    raw = real_log("online_retail_II_orders.parquet")

    log = read(raw, Columns(date_column="ts", order_column="invoice_id"))

    report = log.report
    assert (report.rows_in, report.rows_used, report.quarantined) == (44_751, 44_751, {})
    assert (report.customers, report.refunds) == (5_942, 7_894)
    assert (log.first_day, log.last_day) == (date(2009, 12, 1), date(2011, 12, 9))
    exact = sum((Decimal(repr(a)) for a in raw["amount"].to_pylist()), Decimal(0))
    assert sum(log.table["amount_cents"].to_pylist()) == pytest.approx(
        float(exact * 100), abs=raw.num_rows / 2
    )


def test_the_raw_lines_of_online_retail_lose_only_those_without_a_customer():
    raw = real_log("online_retail_II_lines_2009_2010.parquet")

    log = read(raw, LINES, amount_expression="Quantity * Price")

    report = log.report
    assert (report.rows_in, report.rows_used) == (525_461, 417_534)
    assert report.quarantined == {"no customer": 107_927}
    assert log.columns == ("order_id", "product_id")
    frame = raw.to_pandas().dropna(subset="Customer ID")
    # Prices have up to three decimals: the exact line in thousandths is an integer.
    mills = frame["Quantity"] * (frame["Price"] * 1000).round().astype("int64")
    exact = np.sign(mills) * ((mills.abs() + 5) // 10)
    assert log.table["amount_cents"].to_pylist() == exact.tolist()
    assert report.refunds == int((exact < 0).sum())


def test_a_log_without_its_raw_rows_still_accounts_for_all_of_them() -> None:
    raw = log_of(
        customer=["17", "17", " 18 ", None], day=["2024-01-05", "2024-01-05", "no day", "2024-01-06"]
    )

    log, small = read(raw), read(raw).without_raw_rows()

    assert small.customers_without_a_used_row == ["18"]
    assert small.report == log.report
    assert small.report.identical_rows == 1
    assert small.quarantine.table().equals(log.quarantine.table())
    assert (small.quarantine.raw.num_rows, small.lines.num_rows) == (0, 0)
