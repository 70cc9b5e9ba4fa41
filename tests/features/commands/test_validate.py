"""The command ``validate``: the whole report alone, and exit codes for scripts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from features.commands.validate import validate

app = typer.Typer()
app.command()(validate)

# Ann buys twice, Bob once and gives half of it back; one order has no customer.
ORDERS = """customer_id,ordered_at,amount,status
0017,1998-01-05,20.50,paid
bob,1998-02-05,7,paid
,1998-02-05,7,paid
bob,1998-02-09,-3.50,paid
0017,1998-03-05,8,STATUS
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(orders: str, *arguments: str) -> Result:
    Path("orders.csv").write_text(orders)
    return CliRunner().invoke(app, ["--transactions", "orders.csv", *arguments])


def document(orders: str, *arguments: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(run(orders, "--json", *arguments).stdout)
    return found


def test_the_report_shows_rows_ids_dates_money_and_findings() -> None:
    result = run(ORDERS.replace("STATUS", "failed"), "--quarantine", "bad.csv")

    assert result.exit_code == 0, result.output
    lines = {" ".join(line.split()) for line in result.stdout.splitlines()}
    assert {"rows in 5", "quarantined: no customer 1 row 3: customer_id (empty)"} <= lines
    assert {"customers 2", "with leading zeros 1"} <= lines
    assert {"first 1998-01-05", "last 1998-03-05", "days 60", "days with orders 4"} <= lines
    assert {"net 32.00", "purchases 35.50", "refunds -3.50"} <= lines
    assert "Warning: Column 'status' has 1 row of 'failed', which count as orders." in result.stdout
    assert result.stdout.endswith("The log can be used.\n")
    assert Path("bad.csv").read_text().count("\n") == 2


def test_a_column_that_is_read_as_the_date_is_a_finding_that_is_said_once() -> None:
    orders = ORDERS.replace("ordered_at", "date")
    remark = "The column 'date' is read as the date of the order; --date-column names another."

    guessed, told = run(orders), run(orders, "--date-column", "date")

    assert (guessed.exit_code, told.exit_code) == (0, 0), guessed.output
    assert guessed.stdout.count(remark) == 1 and remark not in guessed.stderr
    assert remark not in told.output
    assert guessed.stdout.replace(f"\nWarning: {remark} (--accept guessed-date)\n", "") == told.stdout


def test_a_date_that_was_guessed_is_in_the_document_and_stops_where_nothing_may_be_found() -> None:
    orders = ORDERS.replace("ordered_at", "date").replace(",1998-02-05,7,paid\n,", ",1998-02-05,7,paid\neve,")
    accepted = ("--strict", "--accept", "statuses")

    found = document(orders)["findings"]

    assert "guessed-date" in [finding["name"] for finding in found]  # type: ignore[index]
    assert run(orders, *accepted).exit_code == 3
    assert run(orders, *accepted, "--accept", "guessed-date").exit_code == 0
    assert run(orders, *accepted, "--date-column", "date").exit_code == 0


def test_the_document_holds_the_same() -> None:
    found = document(ORDERS.replace("STATUS", "failed"))

    assert found["usable"] is True
    assert found["rows"]["rows_in"] == 5
    assert found["ids"]["customers"] == 2
    assert found["dates"]["last"] == "1998-03-05"
    assert found["money"]["net"] == 32.0
    assert [finding["name"] for finding in found["findings"]] == ["lost-rows", "statuses"]


@pytest.mark.parametrize(
    ("last", "arguments", "code"),
    [
        ("failed", (), 0),
        ("failed", ("--strict",), 3),
        ("failed", ("--strict", "--accept", "statuses", "--accept", "lost-rows"), 0),
        ("paid", ("--customer-column", "client"), 2),
    ],
)
def test_the_exit_code_says_whether_the_log_can_be_used(
    last: str, arguments: tuple[str, ...], code: int
) -> None:
    orders = ORDERS.replace("STATUS", last)

    assert run(orders, *arguments).exit_code == code
    assert run(orders, "--json", *arguments).exit_code == code


def test_what_makes_every_number_wrong_is_an_error_and_is_shown_with_the_rest() -> None:
    result = run(ORDERS.replace("bob,", "1.51E+18,"))

    assert result.exit_code == 2
    assert "Error: 1 id is in scientific notation" in result.stdout
    assert "days with orders" in result.stdout


def test_a_log_that_cannot_be_read_is_a_document_too() -> None:
    found = document("customer_id,ordered_at\nann,1998-01-05\n")

    assert found["usable"] is False
    assert "no column 'amount'" in str(found["error"])


def test_several_ids_of_a_customer_are_united_and_a_circle_is_refused() -> None:
    Path("good.csv").write_text("alias_id,customer_id\nbob,0017\n")
    Path("circle.csv").write_text("alias_id,customer_id\nbob,0017\n0017,bob\n")

    united = run(ORDERS.replace("STATUS", "paid"), "--identities", "good.csv")
    circle = run(ORDERS.replace("STATUS", "paid"), "--identities", "circle.csv")

    assert "customers 1" in {" ".join(line.split()) for line in united.stdout.splitlines()}
    assert "1 of 1 aliases" in united.output or "1 of 1 alias" in united.output
    assert circle.exit_code == 2
    assert "name each other in a circle" in circle.output


def test_every_column_that_is_used_is_shown() -> None:
    shown = run(ORDERS.replace("amount", "Total"), "--amount-column", "Total").stdout

    lines = {" ".join(line.split()) for line in shown.splitlines()}
    assert {"customer id customer_id", "ordered at ordered_at", "amount Total"} <= lines


@pytest.mark.parametrize("name", ["orders.csv", "./orders.csv", "link.csv"])
def test_the_log_is_never_written_over(name: str) -> None:
    Path("link.csv").symlink_to("orders.csv")

    result = run(ORDERS, "--quarantine", name)

    assert result.exit_code == 2
    assert "is read here, and would be replaced" in " ".join(result.output.split())
    assert Path("orders.csv").read_text() == ORDERS


def test_the_document_says_fatal_as_a_boolean() -> None:
    rows = "".join(f"c{n},1998-03-{n + 1:02d},{'(5.00)' if n % 5 == 0 else '5.00'},paid\n" for n in range(20))
    found = json.loads(run("customer_id,ordered_at,amount,status\n" + rows, "--json").stdout)

    assert [each["fatal"] for each in found["findings"] if each["name"] == "amounts-written-otherwise"] == [
        True
    ]


def test_the_report_is_persian_where_it_is_asked_for_and_the_document_keeps_its_names() -> None:
    orders = ORDERS.replace("STATUS", "failed")
    shown = run(orders, "--language", "fa", "--accept", "lost-rows").stdout
    found = document(orders, "--language", "fa")

    tables, *findings = shown.split("\n\nپذیرفته: ")
    titles, facts = [], []
    for table in tables.split("\n\n"):
        title, *lines = table.splitlines()
        titles.append(title)
        facts += [] if title == "ستون‌ها" else [re.split(r"\s{2,}", line)[0] for line in lines]
    assert len(titles) == 5 and len(facts) > 27 and len(findings) == 1
    assert not re.search("[a-z]", " ".join([*titles, *facts]))  # but of its own columns
    assert "هشدار: " in shown and "--accept statuses" in shown
    assert shown.endswith("این سفارش‌ها را می‌توان به کار برد.\n")
    assert found["ids"]["customers"] == 2 and found["dates"]["longest_gap_from"] == "1998-01-05"


def test_where_nothing_is_to_be_said_that_is_persian_too() -> None:
    shown = run("customer_id,ordered_at,amount\nann,1998-01-05,7\n", "--language", "fa").stdout

    assert "نکته‌ای برای گفتن نیست." in shown
