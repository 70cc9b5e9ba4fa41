"""What a log may hold that can be read and is wrong all the same: found, named, and remedied."""

import re
import shlex
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from features.engines.log_query import query_log
from features.errors import LogError
from features.log.checks import check
from features.log.findings import FindingError, StrictError, settle
from features.log.settings import Columns, LogRules
from features.log.transactions import TransactionLog
from features.log.validation import validate

NOW = datetime(2024, 6, 15, tzinfo=UTC)


def shop(rows: int = 100, **columns: object) -> pa.Table:
    """A sound log: 25 customers, an order every other day, amounts from 10.00 to 10.99."""
    days = [(date(2023, 1, 1) + timedelta(days=2 * n)).isoformat() for n in range(rows)]
    own = {
        "customer_id": [f"{n % 25:03d}" for n in range(rows)],
        "ordered_at": days,
        "amount": [f"{10 + n % 100 / 100:.2f}" for n in range(rows)],
    }
    given = {name: [each] * rows if isinstance(each, str) else each for name, each in columns.items()}
    return pa.table(own | given)


def read(
    raw: pa.Table, columns: Columns | None = None, *, now: datetime = NOW, **rules: Any
) -> TransactionLog:
    return validate(raw, LogRules(**rules), columns, now=now)


def found(raw: pa.Table, **rules: Any) -> dict[str, bool]:
    """Return the names of what is found, and whether each is fatal."""
    return {finding.name: finding.fatal for finding in check(read(raw, **rules), LogRules(**rules))}


def changed(column: str, change: Callable[[int, Any], Any]) -> pa.Table:
    raw = shop()
    given: dict[str, Any] = {column: [change(n, value) for n, value in enumerate(raw[column].to_pylist())]}
    return shop(**given)


def test_nothing_is_found_in_a_sound_log():
    assert found(shop()) == {}


@pytest.mark.parametrize(
    ("amounts", "rules", "told"),
    [
        (["403.000", "1.250", "17.500"], {}, True),
        (["403,000", "1,250"], {"decimal": ","}, True),
        (["403.000"] * 19 + ["800"], {}, True),
        (["403.000"] * 19 + ["1800"], {}, False),
        (["403.000", "0.750"], {}, False),
        (["€ 1.234", "17.500 €"], {"accounting": True}, True),
        (["403.000", "1.25"], {}, False),
        (["403", "1.250"], {}, False),
        (["403.000", "1.250"], {"thousands": "."}, False),
    ],
)
def test_three_digits_after_the_mark_throughout_may_be_thousands(
    amounts: list[str], rules: dict[str, str], told: bool
) -> None:
    log = shop(30, amount=(amounts * 30)[:30])

    assert ("three-decimals" in found(log, **rules)) is told


def test_amounts_for_which_cents_are_too_coarse_are_told():
    in_thousands = check(read(shop(30, amount=["0.01235", "0.0204", "0.0081"] * 10)), LogRules())

    told = next(finding.message for finding in in_thousands if finding.name == "small-amounts")
    assert "rounding changes 11% of the money" in told  # (.00235 + .0004 + .0019) / (.01235 + .0204 + .0081)
    assert '"1000 * amount"' in told
    assert "small-amounts" not in found(shop(30, amount=["0.5", "0.333", "1.249"] * 10))


# --- ids -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda n, each: f"1.5159{n % 25:02d}e+18", {"scientific-ids": True}),
        (lambda n, each: f"1{n % 25:02d}" + "3" * 12 + "0000", {"rounded-ids": True}),
        (lambda n, each: each[:1] + "\x07" + each[1:], {"control-ids": True}),
        (lambda n, each: "caf\ufffd" + each, {"damaged-ids": True}),
        (lambda n, each: each + (".0" if n % 2 else ""), {"float-ids": True}),
        (lambda n, each: each + ".0", {"float-ids": False}),
        (lambda n, each: each + ("A" if n % 2 else "a"), {"similar-ids": False}),
        (lambda n, each: each + ("ي" if n % 2 else "ی"), {"similar-ids": False}),
        (lambda n, each: each + ("\u200b" if n % 2 else ""), {"control-ids": True, "similar-ids": False}),
        (lambda n, each: "guest" if n < 4 else each, {"nobody-ids": False}),
        (lambda n, each: "test@shop.com" if n < 4 else each, {"nobody-ids": False}),
        (lambda n, each: "no@email.com" if n < 4 else each, {"nobody-ids": False}),
        (lambda n, each: "Laufkundschaft" if n < 4 else each, {"nobody-ids": False}),
        (lambda n, each: "مشتری متفرقه" if n < 4 else each, {"nobody-ids": False}),
        (lambda n, each: "00000" if n % 7 == 0 else f"1{each}", {"nobody-ids": False}),
        (lambda n, each: f"{n % 25}@example.com", {}),
        (lambda n, each: f"{n % 25 + 1:05d}" if n < 50 else f"{n % 25 + 1}", {"similar-ids": False}),
        (lambda n, each: f"{n % 25 + 1:02d}" if n else "1", {}),
        (lambda n, each: "777" if n < 55 else each, {"dominant-id": False}),
        (lambda n, each: f"order{n}", {"ids-per-order": False}),
    ],
)
def test_ids_that_were_merged_split_or_name_nobody_are_found(change, expected):
    assert found(changed("customer_id", change)) == expected


def test_the_query_that_is_told_unites_ids_with_and_without_leading_zeros():
    raw = changed("customer_id", lambda n, each: f"{n % 25 + 1:05d}" if n < 50 else f"{n % 25 + 1}")
    [finding] = check(read(raw), LogRules())
    query = re.search(r'FILE\?query=(.+)"\.$', finding.message).group(1)  # type: ignore[union-attr]

    log = read(query_log(raw, query))

    assert (len(log.customer_ids.dictionary), check(log, LogRules())) == (25, [])


def test_an_average_and_a_greatest_below_the_orders_are_no_customers():
    raw = shop(100, customer_id=[f"{n % 25:03d}" for n in range(98)] + ["Average", "MAX"])
    amounts = [float(each) for each in raw["amount"].to_pylist()[:98]]
    below = [f"{sum(amounts) / 98:.2f}", f"{max(amounts):.2f}"]
    raw = raw.set_column(2, "amount", pa.array([f"{each:.2f}" for each in amounts] + below))

    [finding] = check(read(raw), LogRules())

    assert (finding.name, finding.fatal) == ("summary-rows", False)
    assert "--where \"customer_id NOT IN ('Average', 'MAX')\"" in finding.message


def test_a_customer_called_max_is_one():
    assert found(changed("customer_id", lambda n, each: "Max" if n == 50 else each)) == {}


def test_ids_that_differ_in_writing_only_are_united_on_request():
    raw = changed("customer_id", lambda n, each: each + ("X" if n % 2 else "x"))

    assert read(raw).report.customers == 50
    assert read(raw, fold_ids=True).report.customers == 25
    assert found(raw, fold_ids=True) == {}


@pytest.mark.parametrize("word", ["NULL", "\\N", "nan", "N/A", "None", "#N/A"])
def test_a_word_that_means_missing_is_no_customer(word):
    log = read(changed("customer_id", lambda n, each: word if n == 3 else each))

    assert log.report.quarantined == {"no customer": 1}


# --- what was lost -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "rules", "cents"),
    [
        (lambda n, each: "(5.00)" if n < 5 else each, {"accounting": True}, -500),
        (lambda n, each: "5.00-" if n < 5 else each, {"accounting": True}, -500),
        (lambda n, each: "1,234.50" if n < 5 else each, {"thousands": ","}, 123450),
        (lambda n, each: "1.234.000" if n == 0 else "403.000", {"thousands": "."}, 123400000),
        (lambda n, each: "12,50" if n < 5 else each.split(".")[0], {"decimal": ","}, 1250),
        (lambda n, each: "1 234.50" if n < 5 else each, {"thousands": " "}, 123450),
        (
            lambda n, each: "1.234,50" if n < 5 else each.split(".")[0],
            {"decimal": ",", "thousands": "."},
            123450,
        ),
    ],
)
def test_amounts_written_otherwise_stop_the_reading_and_are_read_with_their_flag(change, rules, cents):
    raw = changed("amount", change)

    assert found(raw) == {"amounts-written-otherwise": True}
    log = read(raw, **rules)
    assert log.report.quarantined == {}
    assert log.table["amount_cents"][0].as_py() == cents


@pytest.mark.parametrize(("written", "cents"), [("'-28.64", -2864), ("۱۲٫۵", 1250), ("−5", -500)])
def test_an_amount_that_is_no_guess_is_read_without_a_flag(written, cents):
    assert read(shop(amount=[written, *["3"] * 99])).table["amount_cents"][0].as_py() == cents


def test_a_lost_refund_stops_even_where_it_is_one_in_a_hundred():
    assert found(changed("amount", lambda n, each: "(5.00)" if n == 7 else each)) == {
        "amounts-written-otherwise": True
    }


def test_rows_that_are_lost_beyond_two_percent_are_said_and_fewer_are_not():
    lost = changed("customer_id", lambda n, each: "" if n % 20 == 0 else each)
    few = changed("customer_id", lambda n, each: "" if n == 7 else each)

    (finding,) = check(read(lost), LogRules())
    assert (finding.name, finding.fatal) == ("lost-rows", False)
    assert finding.message.startswith(
        "5 rows (5.0%) with about 5.0% of the money cannot be used: 5 no customer"
    )
    assert found(few) == {}


def test_a_log_without_most_of_its_customers_stops_and_merged_cells_are_named():
    merged = check(
        read(changed("customer_id", lambda n, each: f"{n // 4}" if n % 4 == 0 else "")), LogRules()
    )
    guests = check(read(changed("customer_id", lambda n, each: each if n % 5 > 2 else None)), LogRules())
    few = check(read(changed("customer_id", lambda n, each: each if n % 5 else None)), LogRules())

    lost = [next(each for each in said if each.name == "lost-rows") for said in (merged, guests, few)]

    assert [each.fatal for each in lost] == [True, True, False]
    assert "where cells are merged: fill the ids down" in lost[0].message
    assert "Most rows have no customer" in lost[1].message


def test_the_money_of_cells_that_hold_no_number_is_not_said_to_be_none():
    [finding] = check(read(changed("amount", lambda n, each: "see note" if n % 5 == 0 else each)), LogRules())

    assert (finding.name, finding.fatal) == ("lost-rows", True)
    assert "20 rows (20.0%) cannot be used, and with how much of the money is not known" in finding.message


@pytest.mark.parametrize(
    ("cell", "how", "remedy"),
    [
        ("1.2k", "with k or M for thousands and millions", "export the full numbers"),
        ("€ 3 Mio.", "with k or M for thousands and millions", "export the full numbers"),
        ("=12.5*2", "as formulas", "paste it as values"),
        ("#REF!", "as errors of a spreadsheet", "Mend the formula"),
    ],
)
@pytest.mark.parametrize("accounting", [False, True])
def test_amounts_that_no_flag_reads_are_named_with_what_to_do(
    cell: str, how: str, remedy: str, accounting: bool
) -> None:
    raw = changed("amount", lambda n, each: cell if n % 20 == 0 else each)

    [finding] = check(read(raw, accounting=accounting), LogRules(accounting=accounting))

    assert (finding.name, finding.fatal) == ("amounts-written-otherwise", True)
    assert f"5 amounts are written {how} and were not read: row 1" in finding.message
    assert remedy in finding.message
    with pytest.raises(LogError, match=f"100 of them are written {how}. .*{remedy}"):
        read(changed("amount", lambda n, each: cell), accounting=accounting)


def test_notes_below_the_table_are_said():
    ids, days, amounts = (shop()[name].to_pylist() for name in ("customer_id", "ordered_at", "amount"))
    raw = pa.table(
        {
            "customer_id": [*ids, "Notes:", "amounts with VAT"],
            "ordered_at": [*days, "", ""],
            "amount": [*amounts, "", ""],
        }
    )

    [finding] = check(read(raw), LogRules())

    assert (finding.name, finding.fatal) == ("notes-below", False)
    assert "2 rows below the last order hold one cell alone, such as 'Notes:'" in finding.message


@pytest.mark.parametrize("given", [{}, {"currency": "EUR"}, {"currency": "€"}])
def test_a_currency_by_its_sign_and_by_its_code_is_one(given: dict[str, str]) -> None:
    log = read(shop(currency=["EUR", "€"] * 50), None, now=NOW, **given)

    assert (log.table.num_rows, log.currency) == (100, given.get("currency", "EUR"))
    with pytest.raises(LogError, match=r"mixes 2 currencies in 'currency': EUR \(99 rows\), USD \(1 rows\)"):
        read(shop(currency=["USD", "EUR", "€", *["eur"] * 97]))


def test_amounts_marked_with_one_currency_in_two_ways_are_read():
    log = read(changed("amount", lambda n, each: f"€ {each}" if n % 2 else f"{each} EUR"), accounting=True)

    assert log.table["amount_cents"].to_pylist() == read(shop()).table["amount_cents"].to_pylist()


@pytest.mark.parametrize(
    ("addresses", "told"),
    [
        (lambda n: f"{n % 25}@x.example", '--customer-column "Billing Email"'),
        (
            lambda n: "" if n % 4 else f"{n % 25}@x.example",
            "coalesce(nullif(trim(customer_id), ''), \\\"Billing Email",
        ),
        (lambda n: "x" if n % 8 else "1@x.example", None),
    ],
)
def test_the_addresses_of_guests_are_told(addresses: Callable[[int], str], told: str | None) -> None:
    ids = [each if n % 4 else "" for n, each in enumerate(shop()["customer_id"].to_pylist())]
    raw = shop(100, **{"customer_id": ids, "Billing Email": [addresses(n) for n in range(100)]})

    [lost] = [each for each in check(read(raw), LogRules()) if each.name == "lost-rows"]

    assert (
        (told or "They have an address in 'Billing Email'") in lost.message
        if told
        else "address" not in lost.message
    )


@pytest.mark.parametrize(
    ("written", "how", "remedy"),
    [
        ("2024W05", "as weeks", "Days are needed"),
        ("Q1 2024", "as quarters", "Days are needed"),
        ("2024-05", "as months", "Days are needed"),
        ("Jan-24", "as months", "Days are needed"),
        ("2024-01-31 12:00:00 CET", "with the name of a time zone", "--timezone Europe/Berlin, for example"),
    ],
)
def test_dates_that_no_flag_alone_reads_are_named_with_what_to_do(
    written: str, how: str, remedy: str
) -> None:
    with pytest.raises(LogError, match=re.escape(f"100 of them are written {how}. ")) as caught:
        read(shop(ordered_at=written))
    findings = check(read(changed("ordered_at", lambda n, day: written if n % 20 == 0 else day)), LogRules())

    assert remedy in str(caught.value)
    [found] = [each for each in findings if each.name == "dates-written-otherwise"]
    assert found.fatal and f"5 dates are written {how} and were not read" in found.message


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("31/01/2024, 12:30", "'%d/%m/%Y, %H:%M'"),
        ("31.01.2024 12:30:00 UTC", "'%d.%m.%Y %H:%M:%S %Z'"),
        ("31.01.2024 12:30:00 +0100", "'%d.%m.%Y %H:%M:%S %z'"),
        ("31-01-2024 12.30", "'%d-%m-%Y %H.%M'"),
        ("1706659200000000", "epoch-us"),
        ("1706659200000000000", "epoch-ns"),
    ],
)
def test_the_format_that_is_told_reads_the_dates(written: str, form: str) -> None:
    with pytest.raises(LogError, match=re.escape(f"--date-format {form} reads")):
        read(shop(ordered_at=written))

    assert read(shop(ordered_at=written), date_format=form.strip("'")).last_day == date(2024, 1, 31)


def test_rows_that_hold_nothing_are_counted_and_nothing_is_lost() -> None:
    ids, days, amounts = (shop()[name].to_pylist() for name in ("customer_id", "ordered_at", "amount"))
    raw = pa.table(
        {
            "customer_id": [*ids, *["customer_id"] * 30, *[""] * 300],
            "ordered_at": [*days, *["ordered_at"] * 30, *[""] * 300],
            "amount": [*amounts, *["amount"] * 30, *[" "] * 300],
        }
    )
    log = read(raw)

    assert log.report.quarantined == {"header repeated": 30, "empty row": 300}
    assert check(log, LogRules()) == []


def test_nested_cells_beside_rows_that_hold_nothing_are_passed_over() -> None:
    nested = pa.array([{"sku": "7"}] * 99 + [None], pa.struct([("sku", pa.string())]))
    raw = changed("ordered_at", lambda n, day: None if n > 97 else day).append_column("lines", nested)
    for place, name in enumerate(("customer_id", "ordered_at", "amount")):
        cells = [None if n == 99 else each for n, each in enumerate(raw[name].to_pylist())]
        raw = raw.set_column(place, name, pa.array(cells, pa.string()))

    log = read(raw)

    assert log.report.quarantined == {"unreadable date": 1, "empty row": 1}
    assert check(log, LogRules()) == []


def test_a_margin_is_used_though_empty_rows_have_none() -> None:
    table = shop(margin="2.50")
    raw = pa.concat_tables([table, pa.table({name: [""] * 9 for name in table.column_names})])

    assert read(raw).ignored == () and "margin_cents" in read(raw).columns


def test_days_that_a_spreadsheet_took_for_months_stop() -> None:
    def swapped(day: str) -> str:
        year, month, of_month = day.split("-")
        return f"{year}-{of_month}-{month}" if int(of_month) <= 12 else day

    days = [(date(2023, 1, 1) + timedelta(days=n)).isoformat() for n in range(460)]  # until 4 April 2024
    later = NOW.replace(year=2025)

    [finding] = check(read(shop(460, ordered_at=list(map(swapped, days))), now=later), LogRules())

    assert (finding.name, finding.fatal) == ("swapped-days", True)
    # The nth of January to March 2024 became January to March of the nth month, and 4 April stayed: 4 + 7 · 3.
    assert "In 8 months, such as 2024-04, all orders (25)" in finding.message
    assert found(shop(460, ordered_at=days)) == {}
    monthly = check(read(shop(460, ordered_at=[f"{day[:8]}05" for day in days])), LogRules())
    assert "swapped-days" not in {each.name for each in monthly}  # bills at the beginning of each month


def test_ids_with_invisible_characters_are_told_and_a_byte_order_mark_is_none() -> None:
    marked = changed("customer_id", lambda n, each: f"\u200f{each}" if each == "003" else each)

    assert found(marked) == {"control-ids": True}
    assert found(changed("customer_id", lambda n, each: f"\ufeff{each}" if n == 50 else each)) == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda n, each: f"{int(each) + 1},5E+15", {"scientific-ids": True}),
        (lambda n, each: f"{int(each) % 9 + 1}.{each}E18", {"scientific-ids": True}),
        (lambda n, each: f"E{each}", {}),
        (lambda n, each: f"+49 170 5550{each}" if n % 2 else f"0170/5550{each}", {"similar-ids": False}),
        (lambda n, each: f"+491705550{each}", {}),
        (lambda n, each: f"01705550{each}", {}),
        (lambda n, each: f"00{n % 2 + 1}00{each}000000{each}", {}),  # cards of two branches
    ],
)
def test_numbers_of_spreadsheets_and_telephones_are_found(
    change: Callable[[int, str], str], expected: dict[str, bool]
) -> None:
    assert found(changed("customer_id", change)) == expected


def test_debit_and_credit_beside_amounts_without_a_sign_are_said() -> None:
    raw = shop(**{"Soll/Haben": ["S"] * 90 + ["H"] * 10}, rows=100)

    [finding] = check(read(raw), LogRules())

    assert (
        finding.name == "debit-and-credit" and "If those of 'h' (10 rows) give money back" in finding.message
    )
    assert found(shop(100, kind=["D", "E"] * 50)) == {}


def test_orders_whose_status_is_returned_are_left_out_and_others_of_them_too() -> None:
    states = ["Shipped"] * 80 + ["Cancelled"] * 10 + ["Shipped - Returned to Seller"] * 10

    [finding] = check(read(shop(100, **{"order-status": states})), LogRules())

    assert (
        finding.name == "statuses"
        and "20 rows of 'cancelled', 'shipped - returned to seller'" in finding.message
    )
    assert found(shop(100, kind=["sale"] * 80 + ["voided"] * 10 + ["return"] * 10)) == {
        "positive-refunds": False,
        "statuses": False,
    }


def test_a_header_in_one_cell_is_told_what_separates_columns() -> None:
    for header, says in (
        ("customer_id^ordered_at^amount", "commas, semicolons"),
        ("a,b,c", "the outer quotes off"),
    ):
        with pytest.raises(LogError, match=says):
            read(pa.table({header: ["1"]}))
    with pytest.raises(LogError, match="'amount#1' or 'amount#2', whichever is meant"):
        read(
            pa.table(
                {"customer_id": ["1"], "ordered_at": ["2024-01-01"], "amount#1": ["1"], "amount#2": ["2"]}
            )
        )


def test_a_pivot_table_is_named_for_what_it_is():
    with pytest.raises(
        LogError, match="a pivot table, with a row for each 'customer_id' and a column for each"
    ):
        read(pa.table({"customer_id": ["1"], "2024-01": ["5"], "2024-02": ["6"], "2024-03": ["7"]}))


def test_one_row_with_half_of_the_money_is_no_small_loss():
    raw = changed("amount", lambda n, each: "1000" if n == 7 else each)
    ids = [None if n == 7 else each for n, each in enumerate(raw["customer_id"].to_pylist())]

    assert found(raw.set_column(0, "customer_id", pa.array(ids))) == {"lost-rows": False}


def test_rows_set_aside_on_request_are_no_loss():
    raw = shop(currency=["EUR"] * 50 + ["USD"] * 50)

    assert found(raw, currency="EUR") == {}


def test_two_date_formats_in_one_column_never_lose_the_newest_part():
    raw = changed("ordered_at", lambda n, each: f"{each[8:]}.{each[5:7]}.{each[:4]}" if n >= 60 else each)

    fatal = [name for name, stops in found(raw).items() if stops]

    assert fatal and set(fatal) <= {"dates-written-otherwise", "lost-rows"}


@pytest.mark.parametrize(
    ("written", "first"),
    [
        ("%d/%m/%Y", None),
        ("%d.%m.%Y %H:%M", None),
        ("%m/%d/%Y", None),
        ("%d-%m-%Y %I:%M:%S %p", None),
        ("%Y-%m-%d %I:%M %p", None),
        ("%d/%m/%Y %I:%M%p", "%Y/%m/%d"),
        ("%Y/%m/%d", None),
        ("%Y-%m-%d", "%d/%m/%Y"),
        ("%m/%d/%Y", "%d.%m.%Y"),
    ],
)
@pytest.mark.parametrize("place", [lambda n: n % 2, lambda n: n >= 90, lambda n: n % 10])
def test_the_flag_that_is_advised_for_two_date_formats_reads_every_row(written, first, place):
    def write(n, each):
        form = written if place(n) else first
        return f"{datetime.fromisoformat(each) + timedelta(hours=15):{form}}" if form else each

    raw = changed("ordered_at", write)
    rules = LogRules(date_format=first)
    try:
        said = " ".join(map(str, check(read(raw, date_format=first), rules)))
    except LogError as error:
        said = str(error)
    (advised,) = set(re.findall(r"--date-format '([^']+)' reads them", said))

    log = read(raw, date_format=advised)

    assert log.report.rows_used == raw.num_rows
    assert log.table["ordered_on"].equals(read(shop()).table["ordered_on"])


def both_orders(n: int, each: str) -> str:
    """Write the day first in every second row, and the month first in the others."""
    return f"{date.fromisoformat(each):{('%d/%m/%Y', '%m/%d/%Y')[n % 2]}}"


def test_days_first_and_months_first_in_one_column_are_no_one_s_guess():
    raw = changed("ordered_at", both_orders)

    for date_format in (None, "%d/%m/%Y", "%m/%d/%Y"):
        rules = LogRules(date_format=date_format)
        with pytest.raises(
            LogError, match="01/02/2011 may be either: export the dates as 2011-01-31"
        ) as caught:
            settle(check(read(raw, date_format=date_format), rules), [])
        assert "--date-format '" not in str(caught.value).replace(
            f"--date-format '{date_format}'; change", ""
        )
        assert "as it is meant" not in str(caught.value)
    with pytest.raises(
        LogError, match=r"dates fit two formats of '%d/%m/%Y\|%m/%d/%Y': .* Export the dates as 2011-01-31"
    ):
        read(raw, date_format="%d/%m/%Y|%m/%d/%Y")


def test_where_another_column_tells_the_two_orders_apart_the_query_that_is_advised_reads_every_row():
    raw = changed("ordered_at", both_orders)
    raw = raw.append_column("shop", pa.array(["DE" if n % 2 == 0 else "US" for n in range(raw.num_rows)]))
    with pytest.raises(LogError) as caught:
        read(raw)
    (advised,) = re.findall(r'FILE\?query=([^"]+)"', str(caught.value))

    log = read(query_log(raw, advised.replace("CONDITION", "shop = 'DE'")))

    assert log.report.rows_used == raw.num_rows
    assert log.table["ordered_on"].equals(read(shop()).table["ordered_on"])


@pytest.mark.parametrize("date_format", [None, "%d/%m/%Y", "%m/%d/%Y"])
def test_both_orders_are_read_by_the_flag_that_is_advised_where_no_date_may_be_either(date_format):
    # Days after the 12th alone, but 5 May, which is the same either way.
    raw = changed("ordered_at", lambda n, each: both_orders(n, f"2023-05-{(5, *range(13, 28))[n % 16]:02d}"))
    try:
        said = " ".join(
            map(str, check(read(raw, date_format=date_format), LogRules(date_format=date_format)))
        )
    except LogError as error:
        said = str(error)
    (advised,) = set(re.findall(r"--date-format '([^']+)' reads them", said))

    assert read(raw, date_format=advised).report.rows_used == raw.num_rows


def test_a_second_format_is_never_named_that_contradicts_the_first():
    raw = changed(
        "ordered_at", lambda n, each: "12 am, 5" if n > 75 else f"{date.fromisoformat(each):%m/%d/%Y}"
    )

    said = " ".join(map(str, check(read(raw, date_format="%m/%d/%Y"), LogRules(date_format="%m/%d/%Y"))))

    assert "--date-format '%m/%d/%Y|%Y/%m/%d', for example" in said


def test_half_of_the_rows_unreadable_stop_whatever_they_look_like():
    assert found(changed("ordered_at", lambda n, each: "soon" if n % 5 == 0 else each))["lost-rows"]
    assert not found(changed("ordered_at", lambda n, each: "soon" if n % 20 == 0 else each))["lost-rows"]


# --- dates ---------------------------------------------------------------------------------------------


def test_placeholders_of_an_absurd_year_stop_unless_an_earliest_date_is_named():
    raw = changed("ordered_at", lambda n, each: "1900-01-01" if n < 3 else each)

    assert found(raw)["absurd-dates"] is True
    log = read(raw, earliest=date(1990, 1, 1))
    assert log.report.quarantined == {"date before the earliest": 3}
    assert log.first_day == date(2023, 1, 7)


def test_a_jalali_log_stops_and_is_read_with_its_calendar():
    # 1 Farvardin 1402 is 21 March 2023.
    raw = changed("ordered_at", lambda n, each: f"۱۴۰۲-۰{1 + n % 3}-{10 + n % 20}")
    slashes = changed("ordered_at", lambda n, each: f"1402/{1 + n % 3}/1 12:30")

    (finding,) = [each for each in check(read(raw), LogRules()) if each.name == "absurd-dates"]
    assert finding.fatal and "--log-calendar jalali" in finding.message
    assert read(raw, calendar="jalali").first_day == date(2023, 3, 30)
    assert read(slashes, calendar="jalali").first_day == date(2023, 3, 21)


def test_a_day_that_the_jalali_calendar_does_not_have_is_not_said_to_be_read_by_it():
    raw = changed("ordered_at", lambda n, each: "1394/12/30" if n == 5 else "1394/12/29")  # no leap year

    losses = [
        each
        for each in check(read(raw, calendar="jalali"), LogRules(calendar="jalali"))
        if each.name != "hole"
    ]

    assert not any("--log-calendar jalali reads them" in each.message for each in losses)
    assert read(raw, calendar="jalali").quarantine.counts() == {"unreadable date": 1}


def test_years_of_the_islamic_calendar_are_named():
    raw = changed("ordered_at", lambda n, each: "1444" + each[4:])

    (finding,) = [each for each in check(read(raw), LogRules()) if each.name == "absurd-dates"]
    assert "Islamic calendar" in finding.message


def test_a_hole_of_two_years_is_said():
    raw = changed("ordered_at", lambda n, each: each.replace("2023", "2021") if n < 50 else each)

    assert found(raw) == {"hole": False}


@pytest.mark.parametrize(
    ("written", "date_format", "timezone", "day"),
    [
        ("1704067200", "epoch", "UTC", date(2024, 1, 1)),
        ("1704067200", "%s", "America/New_York", date(2023, 12, 31)),
        ("1704067200000", "epoch-ms", "UTC", date(2024, 1, 1)),
        ("45292", "excel", "Asia/Tehran", date(2024, 1, 1)),
        ("2024-01-01 22:00:00 UTC", None, "Asia/Tehran", date(2024, 1, 2)),
        ("2024-01-01 22:00:00 UTC", "%Y-%m-%d %H:%M:%S UTC", "Asia/Tehran", date(2024, 1, 2)),
        ("2024-01-01T22:00:00Z", "%Y-%m-%dT%H:%M:%SZ", "Asia/Tehran", date(2024, 1, 2)),
        ("01/02/2024 12:05 a.m.", "%d/%m/%Y %I:%M %p", "UTC", date(2024, 2, 1)),
    ],
)
def test_dates_are_read_as_they_are_written(written, date_format, timezone, day):
    assert read(shop(ordered_at=written), date_format=date_format, timezone=timezone).last_day == day


def test_hours_to_24_do_not_go_with_am_and_pm():
    with pytest.raises(ValueError, match="%p, AM or PM, which goes with %I"):
        LogRules(date_format="%d/%m/%Y %H:%M %p")


# --- the grain -----------------------------------------------------------------------------------------


def test_an_orders_total_on_each_of_its_lines_is_said_and_counted_once_on_request():
    # Fifty orders of two products; both lines carry the order's total.
    raw = shop(
        order_id=[f"o{n // 2}" for n in range(100)],
        ordered_at=[f"2023-{1 + n // 2 % 12:02d}-05" for n in range(100)],
        product_id=[f"p{n % 2}" for n in range(100)],
        customer_id=[f"c{n // 2 % 25}" for n in range(100)],
        amount=[f"{20 + n // 2}" for n in range(100)],
    )

    assert found(raw) == {"repeated-totals": False}
    log = read(raw, amount_per_order=True)
    assert log.report.quarantined == {"further line of an order": 50}
    assert sum(log.table["amount_cents"].to_pylist()) == 100 * sum(range(20, 70))


def test_refunds_and_other_orders_of_an_id_count_beside_an_orders_total():
    # Orders of two lines with one total; each is refunded the day after, and its number comes again next year.
    kinds = [
        ("a", "2022-01-01", "20"),
        ("a", "2022-01-01", "20"),
        ("a", "2022-01-02", "-20"),
        ("b", "2023-01-01", "20"),
    ]
    raw = shop(
        order_id=[f"o{n // 4}" for n in range(100)],
        product_id=[f"p{n % 4}" for n in range(100)],
        customer_id=[f"{kinds[n % 4][0]}{n // 4}" for n in range(100)],
        ordered_at=[kinds[n % 4][1] for n in range(100)],
        amount=[kinds[n % 4][2] for n in range(100)],
    )

    log = read(raw, amount_per_order=True)

    assert log.report.quarantined == {"further line of an order": 25}
    assert sum(log.table["amount_cents"].to_pylist()) == 25 * 2000
    assert "repeated-totals" in found(raw)


def test_an_id_that_other_customers_orders_share_is_no_repeated_total():
    raw = shop(
        order_id=[f"o{n % 25}" for n in range(100)],
        customer_id=[f"c{n // 2}" for n in range(100)],
        amount="9",
    )

    assert "repeated-totals" not in found(raw)
    assert read(raw, amount_per_order=True).report.rows_used == 100


def test_lines_that_continue_an_order_have_no_amount_of_their_own():
    # As shops export: the total on the first line, blank on the next three.
    raw = shop(
        order_id=[f"o{n // 4}" for n in range(100)],
        customer_id=[None if n % 4 == 3 else f"c{n // 4}" for n in range(100)],
        ordered_at=[None if n % 4 == 3 else "2023-01-05" for n in range(100)],
        amount=[None if n % 4 else "20" for n in range(100)],
        currency=[None if n % 4 else "EUR" for n in range(100)],
    )

    with pytest.raises(LogError, match="75 of them are empty: --amount-per-order"):
        read(raw)
    log = read(raw, amount_per_order=True)
    assert (log.report.rows_used, log.report.currency) == (25, "EUR")


def test_a_totals_row_stops_the_reading():
    raw = shop()
    total = sum(round(float(each) * 100) for each in raw["amount"].to_pylist()) / 100
    footer = pa.table({"customer_id": ["Total"], "ordered_at": ["2023-07-19"], "amount": [f"{total:.2f}"]})

    assert found(pa.concat_tables([raw, footer]))["totals-row"] is True


@pytest.mark.parametrize("name", ["Total {}", "{} Subtotal", "Summe {}", "ara toplam {}", "جمع {}"])
def test_rows_that_are_called_the_sum_of_those_before_them_stop_the_reading_and_can_be_left_out(name: str):
    rows = with_sums(lambda n: name.format(f"c{n}"))

    (finding,) = [each for each in check(read(rows), LogRules()) if each.name == "totals-row"]
    condition = re.search(r'--where "(.*)"', finding.message)

    assert finding.fatal and "20 rows are the sum of others" in finding.message
    assert condition is not None
    left = read(duckdb.sql(f"SELECT * FROM rows WHERE {condition[1]}").to_arrow_table())
    assert sum(left.table["amount_cents"].to_pylist()) == 20 * 100 * (1 + 2 + 4)


def test_a_last_row_of_each_customer_that_is_the_sum_of_their_rows_stops_the_reading():
    assert found(with_sums(lambda n: f"c{n}")) == {"totals-row": True}


def test_customers_called_total_are_customers():
    rows = with_sums(lambda n: f"Total {n}", times=2)

    assert "totals-row" not in found(rows)


def with_sums(customer: Callable[[int], str], times: int = 1) -> pa.Table:
    """Twenty customers of three orders, each followed by a row with their sum, some times over."""
    rows = [
        (who, f"2023-{1 + n % 12:02d}-{5 + place:02d}", str(amount))
        for n in range(20)
        for place, (who, amount) in enumerate(
            [(f"c{n}", 1), (f"c{n}", 2), (f"c{n}", 4), (customer(n), 7 * times)]
        )
    ]
    customers, days, amounts = zip(*rows, strict=True)
    return pa.table({"customer_id": customers, "ordered_at": days, "amount": amounts})


def test_rows_of_exports_that_overlap_are_said():
    raw = shop()

    assert found(pa.concat_tables([raw, raw.slice(0, 30)])) == {"identical-rows": False}
    assert found(pa.concat_tables([raw, raw.slice(0, 30)]), drop_identical=True) == {}


def test_lines_that_differ_in_a_column_of_no_role_are_not_identical():
    raw = shop(customer_id="17", ordered_at="2023-01-05", amount="10", sku=[f"s{n // 2}" for n in range(100)])

    dropped = read(raw, drop_identical=True)

    assert read(raw).report.identical_rows == 50
    assert dropped.report.quarantined == {"identical row dropped": 50}


def test_statuses_and_positive_refunds_are_said_with_their_columns():
    raw = shop(status=["Failed" if n % 10 == 0 else "Paid" for n in range(100)])
    refunds = shop(kind=["refund" if n % 10 == 0 else "sale" for n in range(100)])

    (finding,) = check(read(raw), LogRules())
    assert finding.name == "statuses" and "10 rows of 'failed'" in finding.message
    assert "--where \"lower(status) NOT IN ('failed')\"" in finding.message
    assert found(refunds) == {"positive-refunds": False}


def test_a_sale_and_its_refund_of_one_amount_are_no_total_on_each_line():
    raw = shop(50, kind="sale", order_id=[f"o{n}" for n in range(50)])
    refunds = shop(20, kind="refund", order_id=[f"o{n}" for n in range(20)], ordered_at="2023-03-03")

    assert found(pa.concat_tables([raw, refunds])) == {"positive-refunds": False}


def test_an_optional_column_that_nobody_asked_for_never_costs_a_row():
    raw = shop(margin=["?" if n < 40 else "2" for n in range(100)])

    log = read(raw)

    assert (log.report.rows_used, log.columns) == (100, ())
    assert log.ignored == (
        "Column 'margin' is not used: 40 of its 100 cells are no number. --margin-column margin asks for it.",
    )
    assert found(raw) == {"ignored-column": False}
    assert read(raw, Columns(margin_column="margin")).report.rows_used == 60
    assert read(shop(margin="2"), ignore_column=["margin"]).columns == ()


# --- what becomes of a finding -------------------------------------------------------------------------


def test_a_fatal_finding_stops_unless_it_is_accepted_and_strict_stops_at_any():
    fatal = check(read(changed("customer_id", lambda n, each: f"1.5159{n % 25:02d}e+18")), LogRules())
    mild = check(read(changed("customer_id", lambda n, each: "guest" if n < 4 else each)), LogRules())

    with pytest.raises(FindingError, match="--accept scientific-ids") as caught:
        settle(fatal, [])
    assert caught.value.exit_code == 2
    assert settle(fatal, ["scientific-ids"]) == []
    assert len(settle(mild, [])) == 1
    with pytest.raises(StrictError) as strict:
        settle(mild, [], strict=True)
    assert strict.value.exit_code == 3


# --- histories -----------------------------------------------------------------------------------------


def histories(customers: int, orders: Callable[[int], int], first: Callable[[int], int]) -> pa.Table:
    """So many customers, each with orders every 20 days from the first day on."""
    rows = [(f"{n:03d}", first(n) + 20 * k) for n in range(customers) for k in range(orders(n))]
    return pa.table(
        {
            "customer_id": [each for each, _ in rows],
            "ordered_at": [(date(2023, 1, 1) + timedelta(days=day)).isoformat() for _, day in rows],
            "amount": [f"{10 + n % 100 / 100:.2f}" for n in range(len(rows))],
        }
    )


def test_a_log_of_customers_who_buy_once_is_said():
    few_return = histories(100, lambda n: 2 if n % 20 == 0 else 1, lambda n: n)

    (said,) = check(read(few_return), LogRules())

    assert said.name == "one-time"
    assert said.message.startswith("95% of 100 customers have bought on one day only")
    assert "--customer-column" in said.message


def test_accounts_that_were_moved_in_on_one_day_are_said_with_the_date_after_it():
    moved = histories(120, lambda n: 3, lambda n: 60 if n % 2 else n)

    (said,) = check(read(moved), LogRules())

    assert said.name == "moved-accounts"
    assert "61 of 120 customers (51%) have their first order on 2023-03-02" in said.message
    assert "--acquired-after 2023-03-03" in said.message


def test_a_cohort_is_not_taken_for_moved_accounts():
    assert found(histories(120, lambda n: 3, lambda n: n % 12)) == {}


def test_a_log_without_money_is_said_with_the_columns_that_may_hold_it():
    free = shop(amount="0", total=[str(n) for n in range(100)], note="none")

    said = next(finding for finding in check(read(free), LogRules()) if finding.name == "zero-amounts")

    assert said.message.startswith(
        "All 100 amounts are 0: churn can be learnt, and every value in money will be 0."
    )
    assert said.message.endswith("Other columns of numbers are 'total'.")
    assert not said.fatal


def test_losses_that_would_be_taken_for_refunds_are_said():
    profits = shop(amount=[f"{-5 if n % 3 else 10}" for n in range(100)])

    said = next(finding for finding in check(read(profits), LogRules()) if finding.name == "negative-amounts")

    # Every third row is a gain of 10, the others lose 5 each: a customer's losses exceed what came before.
    assert said.message.startswith("66 amounts are negative and count as refunds")
    assert "--margin-column" in said.message


def test_refunds_of_earlier_purchases_are_no_losses():
    returned = shop(amount=[f"{-5 if n >= 50 and n % 2 else 10}" for n in range(100)])

    assert "negative-amounts" not in found(returned)


def test_a_log_of_one_day_is_said():
    (said,) = check(read(shop(ordered_at="2024-02-29")), LogRules())

    assert said.name == "one-day"
    assert "All 100 rows are of one day, 2024-02-29" in said.message


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"quantity": ["1"] * 99 + ["-1"]}, "negative-quantities"),
        ({"margin": ["2.5"] * 90 + ["60"] * 10}, "margins-above-amounts"),
        ({"margin": ["-2.5"] * 60 + ["2.5"] * 40}, "negative-margins"),
        ({"discount": ["-1"] * 10 + ["0"] * 90}, "negative-discounts"),
    ],
)
def test_columns_that_contradict_the_amounts_beside_them_are_said(columns: dict[str, Any], name: str):
    assert found(shop(**columns)) == {name: False}


@pytest.mark.parametrize(
    ("column", "values", "flags"),
    [
        (
            "Presentment Currency",
            ["EUR", "USD", "EUR"],
            '--currency-column "Presentment Currency" --currency EUR',
        ),
        ("Devise", ["AMD", "amd", "GEL"], "--currency-column Devise --currency AMD"),
        ("ارز", ["€", "$", "€"], '--currency-column "ارز" --currency "€"'),
        ("vahed", ["rial", "toman", "rial"], "--currency-column vahed --currency RIAL"),
    ],
)
def test_currencies_of_a_column_that_nobody_mapped_are_never_summed(
    column: str, values: list[str], flags: str
):
    raw = shop(30, **{column: values * 10})
    [finding] = check(read(raw), LogRules())
    chosen = re.search(r"--currency (\S+);", finding.message).group(1).strip('"')  # type: ignore[union-attr]

    log = read(raw, Columns(currency_column=column), currency=chosen)

    assert (finding.name, finding.fatal, log.table.num_rows) == ("mixed-currencies", True, 20)
    assert flags in finding.message


def test_a_unit_that_is_money_in_some_rows_and_points_in_others_is_not_summed():
    [finding] = check(read(shop(30, unit=["EUR", "points", "EUR"] * 10)), LogRules())

    assert (finding.name, finding.fatal) == ("mixed-currencies", True)
    assert "EUR (20), POINTS (10)" in finding.message
    assert "--currency-column unit --currency EUR" in finding.message
    assert check(read(shop(30, unit=["kg", "piece", "kg"] * 10)), LogRules()) == []


def test_tomans_are_turned_into_rials_by_the_expression_that_is_told():
    raw = shop(30, واحد=["ریال", "تومان", "ریال"] * 10)
    [finding] = check(read(raw), LogRules())
    told = shlex.split(re.search(r"--amount-expression .+(?=\.$)", finding.message).group())  # type: ignore[union-attr]

    log = read(raw, amount_expression=told[1])

    assert log.table["amount_cents"].to_pylist()[:3] == [1000, 10010, 1002]
    assert check(log, LogRules(amount_expression=told[1])) == []


@pytest.mark.parametrize(
    "columns",
    [
        {"Currency": "USD"},
        {"Currency": ["EUR", "€", "eur"] * 10},
        {"product": ["PEN", "CUP", "TOP"] * 10},
        {"country": ["USA", "EUR", "DEU"] * 10},
    ],
)
def test_one_currency_and_words_that_are_none_are_passed_over(columns: dict[str, Any]):
    assert found(shop(30, **columns)) == {}


@pytest.mark.parametrize(
    ("role", "values", "told"),
    [
        ("margin", ["0.3"] * 100, "--ignore-column margin, and state it where you train: --margin 0.3."),
        ("margin", ["0.3", "0.25"] * 50, "(CAST(amount AS DOUBLE) * CAST(margin AS DOUBLE) AS margin)"),
        ("discount", ["0.1", "0"] * 50, "/ (1 - CAST(discount AS DOUBLE)) AS discount)"),
    ],
)
def test_margins_and_discounts_that_are_shares_are_said_with_their_remedy(
    role: str, values: list[str], told: str
):
    raw = shop(100, amount=[str(100 + n) for n in range(100)], **{role: values})

    [finding] = check(read(raw), LogRules())

    assert (finding.name, finding.fatal) == (f"{role}s-as-shares", False)
    assert told in finding.message
    if "query=" in finding.message:
        query = re.search(r'FILE\?query=(.+)"\.$', finding.message).group(1)  # type: ignore[union-attr]
        assert found(query_log(raw, query)) == {}


def test_a_few_losses_and_large_margins_are_business():
    margins = ["-2.5"] * 10 + ["11"] * 1 + ["2.5"] * 89

    assert found(shop(margin=margins, quantity="2", discount=["-1"] + ["0.5"] * 99)) == {}


def test_the_remedy_for_negative_quantities_turns_the_amounts():
    raw = shop(quantity=["1"] * 90 + ["-1"] * 10)
    [finding] = check(read(raw), LogRules())
    expression = re.search(r'--amount-expression "(.+)"\.', finding.message).group(1)  # type: ignore[union-attr]

    log = read(raw, amount_expression=expression)

    assert (log.report.refunds, check(log, LogRules(amount_expression=expression))) == (10, [])


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"is_test": ["false"] * 90 + ["true"] * 10}, "where \"lower(is_test) NOT IN ('true')\""),
        (
            {"Cancelled At": [""] * 90 + ["2023-02-01"] * 10},
            r"""where "coalesce(\"Cancelled At\", '') = ''" """.strip(),
        ),
        ({"Refunded Amount": [""] * 90 + ["10"] * 10}, "'amount - coalesce(\"Refunded Amount\", 0)'"),
        ({"Storniert": ["nein"] * 90 + ["ja"] * 10}, "where \"lower(Storniert) NOT IN ('ja')\""),
        ({"is_return": [False] * 90 + [True] * 10}, 'where "NOT is_return"'),
        ({"Returned": [0] * 90 + [1] * 10}, 'where "coalesce(Returned, 0) = 0"'),
        (
            {"لغو شده": ["خیر"] * 90 + ["بله"] * 9 + [None]},
            r"""coalesce(lower(\"لغو شده\"), '') NOT IN ('بله')""",
        ),
        ({"Status": ["bezahlt"] * 90 + ["Storniert"] * 10}, "NOT IN ('storniert')"),
        ({"Art": ["Verkauf"] * 90 + ["Retoure"] * 10}, "'retoure'"),
        ({"وضعیت": ["پرداخت شده"] * 90 + ["مرجوعی"] * 10}, "'مرجوعی'"),
    ],
)
def test_columns_that_say_a_row_is_no_sale_are_said_in_the_languages_of_shops(
    columns: dict[str, Any], told: str
):
    [finding] = check(read(shop(**columns)), LogRules())

    assert told in finding.message and not finding.fatal


@pytest.mark.parametrize(
    "columns",
    [
        {"tested_by": "ann"},
        {"is_test": "false"},
        {"refunded_amount": "0"},
        {"cancelled": "no"},
        {"returned": ["no"] * 90 + ["maybe"] * 10},
        {"shipped_at": ["2023-02-01"] * 50 + [""] * 50},
        {"category": ["savoir-faire"] * 50 + ["attestation"] * 50},
    ],
)
def test_columns_that_say_nothing_against_a_sale_are_passed_over(columns: dict[str, Any]):
    assert found(shop(**columns)) == {}


def test_one_amount_that_is_most_of_the_money_is_said():
    assert found(changed("amount", lambda n, value: "1000000" if n == 7 else value)) == {
        "dominant-amount": False
    }


@pytest.mark.parametrize(
    ("dates", "form"),
    [
        (["03 Jan 2022", "17 May 2022"], "%d %b %Y"),
        (["January 3, 2022", "May 17, 2022"], "%B %d, %Y"),
        (["03/01/22", "17/01/22"], "%d/%m/%y"),
        (["01.17.22", "01.03.22"], "%m.%d.%y"),
        (["03.01.2022", "17.01.2022"], "%d.%m.%Y"),
        (["3 février 2022", "1 mai 2022"], "%d %B %Y"),
        (["3 janv. 2022", "1 août 2022"], "%d %B %Y"),
        (["3 Ocak 2022", "12 Ağustos 2022"], "%d %B %Y"),
        (["3. März 2022", "12. Dezember 2022"], "%d. %B %Y"),
        (["3 de enero de 2022", "1 de marzo de 2022"], "%d de %B de %Y"),
        (["Mon, 15 Jan 2024 10:30:00 +0330", "Tue, 16 Jan 2024 10:30:00 +0330"], "%a, %d %b %Y %H:%M:%S %z"),
        (["Mon, 15 Jan 2024 10:30:00 GMT", "Tue, 16 Jan 2024 10:30:00 GMT"], "%a, %d %b %Y %H:%M:%S %Z"),
        (["Mar 15, 2024, 3:04:05 PM", "Mar 5, 2024, 11:04:05 AM"], "%b %d, %Y, %I:%M:%S %p"),  # Magento's
        (
            ["Tue Mar 05 2024 10:00:00 GMT+0100 (CET)", "Mon Apr 15 2024 10:00:00 GMT+0200 (CEST)"],
            "%a %b %d %Y %H:%M:%S GMT%z",
        ),
    ],
)
def test_the_format_that_is_told_reads_all_dates_not_only_those_that_show_it(dates: list[str], form: str):
    raw = shop(ordered_at=dates * 50)
    with pytest.raises(LogError, match="100 of them are written") as told:
        read(raw)

    assert f"--date-format '{form}' reads them" in str(told.value)
    assert read(raw, date_format=form).report.rows_used == 100


@pytest.mark.parametrize(
    ("dates", "date_format"),
    [(["2567-02-29", "2567-03-17"], None), (["29/02/2567", "17/03/2567"], "%d/%m/%Y")],
)
def test_years_of_the_buddhist_era_are_read_by_the_query_that_is_told(
    dates: list[str], date_format: str | None
):
    raw = shop(ordered_at=dates * 50)
    with pytest.raises(LogError, match="Years such as 2567 are of the Buddhist era") as told:
        read(raw, date_format=date_format)
    query = str(told.value).partition("FILE?query=")[2].partition('" reads them')[0].replace('\\"', '"')

    log = read(query_log(raw, query), date_format=date_format)

    assert (log.first_day, log.last_day) == (date(2024, 2, 29), date(2024, 3, 17))


def test_columns_of_an_etsy_export_are_told():
    with pytest.raises(LogError) as told:
        read(
            pa.table(
                {
                    "Sale Date": ["03/15/24"],
                    "Buyer User ID": ["bob"],
                    "Discount Amount": ["0"],
                    "Order Value": ["20.5"],
                }
            )
        )

    for flag in (
        "--customer-column 'Buyer User ID'",
        "--date-column 'Sale Date'",
        "--amount-column 'Order Value'",
    ):
        assert flag in str(told.value)


def test_a_csv_in_single_quotes_is_told_apart():
    with pytest.raises(LogError, match="Its cells stand in single quotes"):
        read(pa.table({"'customer_id'": ["'1'"], "'ordered_at'": ["'2024-01-01'"], "'amount'": ["'5'"]}))


@pytest.mark.parametrize(
    ("amounts", "style", "sum_"),
    [
        (["4.651,20 €", "12,50 €"], {"accounting": True, "decimal": ",", "thousands": "."}, 50 * 4663.7),
        (["4,65,120.00", "1,200.50"], {"thousands": ","}, 50 * 466320.5),
        (["(1.234,50)", "12,50"], {"accounting": True, "decimal": ",", "thousands": "."}, -50 * 1222.0),
        (["１２．５０", "٣٫٥٠"], {}, 50 * 16.0),
    ],
)
def test_amounts_as_people_write_them_are_read_by_the_flags_that_are_told(
    amounts: list[str], style: dict[str, Any], sum_: float
):
    raw = shop(amount=amounts * 50)
    if style:
        with pytest.raises(LogError, match="of them are written") as told:
            read(raw)
        flags = {
            "accounting": "--accounting",
            "decimal": "--decimal ,",
            "thousands": f"--thousands {style.get('thousands')}",
        }
        assert all(flags[name] in str(told.value) for name in style)

    assert sum(read(raw, **style).table["amount_cents"].to_pylist()) == round(100 * sum_)


def test_jalali_dates_with_the_day_first_are_read_by_the_flags_that_are_told():
    raw = shop(ordered_at=["15/10/1402", "05/06/1402"] * 50)  # 5 January 2024, 27 August 2023
    with pytest.raises(LogError, match="--log-calendar jalali --date-format '%d/%m/%Y' reads them"):
        read(raw)

    log = read(raw, calendar="jalali", date_format="%d/%m/%Y")

    assert (log.first_day, log.last_day) == (date(2023, 8, 27), date(2024, 1, 5))


def test_jalali_dates_whose_order_nobody_can_tell_are_not_told_one_format():
    with pytest.raises(LogError, match="'%d/%m/%Y' or '%m/%d/%Y', as it is meant, reads them"):
        read(shop(ordered_at=["05/06/1402", "07/06/1402"] * 50))


def test_dates_whose_order_nobody_can_tell_are_not_told_one_format():
    with pytest.raises(LogError, match="from '%d/%m/%Y' or from '%m/%d/%Y' on as it is meant"):
        read(shop(ordered_at=["03/01/2022", "04/01/2022"] * 50))


@pytest.mark.parametrize(
    "written",
    [
        *("2024-02-30", "31.02.2024", "1900-01-00", "00/00/0000", "2024-01-01 24:00:01"),
        "1402/10/15 - 12:30",
    ],
)
def test_no_flag_is_told_for_dates_that_it_does_not_read(written: str):
    findings = check(read(changed("ordered_at", lambda n, day: day if n % 4 else written)), LogRules())

    (lost,) = [finding for finding in findings if finding.name != "hole"]
    assert lost.name == "lost-rows"
    assert "--" not in lost.message


def test_a_gregorian_log_that_was_read_as_jalali_is_told_to_leave_that_out():
    with pytest.raises(LogError, match="Leave --log-calendar out if yours are Gregorian") as told:
        read(shop(), calendar="jalali")

    assert "--date-format" not in str(told.value)


def test_a_log_with_the_month_first_that_was_read_with_the_day_first_is_told_so():
    raw = shop(ordered_at=["03/05/2023", "03/25/2023", "04/06/2023"] * 33 + ["05/05/2023"])
    (told, *_) = check(read(raw, date_format="%d/%m/%Y"), LogRules(date_format="%d/%m/%Y"))

    assert (told.name, told.fatal) == ("dates-written-otherwise", True)
    assert "--date-format '%m/%d/%Y' reads them" in told.message
    assert read(raw, date_format="%m/%d/%Y").report.rows_used == 100


def test_no_flag_is_told_that_contradicts_one_that_was_given():
    with pytest.raises(LogError, match="100 of 100 amounts cannot be read") as told:
        read(shop(amount="1,500.00"), decimal=",")

    assert "--thousands" not in str(told.value)


def test_an_empty_date_or_a_fault_of_a_workbook_is_no_second_format():
    raw = changed("ordered_at", lambda n, day: (None, "#REF!")[n % 2] if n > 96 else day)

    assert found(raw) == {"lost-rows": False}


@pytest.mark.parametrize(
    ("amount", "style", "value"),
    [
        ("US$1,234.50", {"thousands": ","}, 123450),
        ("R$ 12.50", {}, 1250),
        ("Rs. 120", {}, 12000),
        ("۱۲۰۰۰ ریال", {}, 1200000),
        ("12000 تومان", {}, 1200000),
    ],
)
def test_a_currency_of_several_signs_is_one_and_is_told(amount: str, style: dict[str, Any], value: int):
    with pytest.raises(LogError, match="--accounting"):
        read(shop(amount=amount))

    log = read(shop(amount=amount), accounting=True, **style)
    assert log.table["amount_cents"].to_pylist() == [value] * 100


def test_marks_of_credit_and_debit_are_no_currencies():
    with pytest.raises(LogError, match="credit and debit"):
        read(shop(amount=["5.00 CR", "7.00 DR"] * 50), accounting=True)


def test_a_flag_with_a_day_of_the_logs_own_calendar_is_refused_with_the_gregorian_one():
    with pytest.raises(
        ValueError, match="--earliest 1402-02-01 is a day of the Gregorian calendar.*2023-04-21"
    ):
        LogRules(calendar="jalali", earliest=date(1402, 2, 1))
