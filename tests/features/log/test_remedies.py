"""Remedies in messages are typed as they stand: a shell hands them over as meant, and they do what they say."""

from __future__ import annotations

import subprocess
from datetime import date, timedelta

import pyarrow as pa
import pytest

from features.engines.log_query import query_log, rows_where
from features.log.checks import check
from features.log.remedies import typed
from features.log.settings import LogRules
from features.log.validation import validate


def handed_over(arguments: str) -> list[str]:
    """Return the arguments that a program gets from a shell."""
    done = subprocess.run(
        ["sh", "-c", f"printf '%s\\0' {arguments}"], capture_output=True, check=True, text=True
    )
    return done.stdout.split("\0")[:-1]


@pytest.mark.parametrize(
    "value",
    [
        "EUR",
        "€",
        "Unit Price",
        "status = 'paid'",
        "\"Financial Status\" = 'paid'",
        'Quantity * "Unit Price"',
        "\"cost $USD\" <> '`x`'",
        "regexp_replace(id, '^0+([0-9]+)$', '\\1')",
        "'a\\\\b' <> \"c\\\"",
    ],
)
def test_a_shell_hands_a_value_over_as_it_is_meant(value: str) -> None:
    assert handed_over(typed("--flag", value)) == ["--flag", value]


def shop(**columns: list[str]) -> pa.Table:
    days = [(date(2023, 1, 1) + timedelta(days=2 * n)).isoformat() for n in range(100)]
    own = {
        "customer_id": [f"{n % 25:03d}" for n in range(100)],
        "ordered_at": days,
        "amount": ["10.50", "9.25"] * 50,
    }
    return pa.table(own | columns)


@pytest.mark.parametrize("column", ["Financial Status", "order", "select", "état", 'a "b"'])
def test_the_condition_that_is_told_leaves_out_what_is_no_sale(column: str) -> None:
    raw = shop(**{column: ["paid"] * 90 + ["voided"] * 10})
    [finding] = check(validate(raw), LogRules())

    flag, condition = handed_over(finding.message[finding.message.index("--where") : -1])

    assert (flag, rows_where(raw, condition).sum()) == ("--where", 90)


@pytest.mark.parametrize("amounts", ["text", "numbers"])
@pytest.mark.parametrize("column", ["type", "Transaction Kind"])
def test_the_query_that_is_told_turns_refunds_and_no_others(column: str, amounts: str) -> None:
    raw = shop(**{column: ["sale"] * 90 + ["Refund"] * 10})
    raw = raw.set_column(2, "amount", pa.array(["10.50", "-9.25"] * 50))
    if amounts == "numbers":
        raw = raw.set_column(2, "amount", raw["amount"].cast(pa.float64()))
    finding = next(each for each in check(validate(raw), LogRules()) if each.name == "positive-refunds")

    flag, query = handed_over(finding.message[finding.message.index("--transactions") : -1])
    turned = validate(query_log(raw, query.removeprefix("FILE?query=")))

    assert flag == "--transactions"
    assert turned.table["amount_cents"].to_pylist() == [1050, -925] * 45 + [-1050, -925] * 5


def test_refunds_of_a_formula_are_turned_by_a_formula() -> None:
    raw = shop(**{"Kind": ["sale"] * 90 + ["Refund"] * 10, "Qty": ["2"] * 100})
    rules = LogRules(amount_expression="Qty * amount")
    [finding] = check(validate(raw, rules), rules)

    flag, formula = handed_over(finding.message[finding.message.index("--amount-expression") : -1])
    turned = validate(raw, LogRules(amount_expression=formula))

    assert (finding.name, flag) == ("positive-refunds", "--amount-expression")
    assert turned.table["amount_cents"].to_pylist() == [2100, 1850] * 45 + [-2100, -1850] * 5
