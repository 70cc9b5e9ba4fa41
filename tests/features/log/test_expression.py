"""Amount expressions: SQL's CASE, coalesce and comparisons beside arithmetic, and nothing else."""

from __future__ import annotations

import pyarrow as pa
import pytest

from features.errors import LogError
from features.log.expression import AmountExpression

NUMBERS = {"paid": pa.chunked_array([[1.0, None, 3.0]]), "total": pa.chunked_array([[10.0, 20.0, 30.0]])}
TEXTS = {
    "kind": pa.chunked_array([["sale", "refund", None]]),
    "paid": pa.chunked_array([["1", "", "3"]]),
    "total": pa.chunked_array([["10", "20", "30"]]),
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("paid + total", [11, None, 33]),
        ("total - COALESCE(paid, 0)", [9, 20, 27]),
        ("CASE WHEN kind = 'refund' THEN -total ELSE total END", [10, -20, 30]),
        ("case when kind = 'sale' then paid when total > 25 then 0 end", [1, None, 0]),
        ("CASE WHEN kind NOT IN ('sale', 'gift') THEN total ELSE 0 END", [0, 20, 30]),
        ("CASE WHEN NOT kind = 'sale' AND total <= 20 OR paid = 3 THEN 1 ELSE 0 END * total", [0, 20, 30]),
        ("CASE WHEN paid = '' THEN 0 ELSE paid END", [1, 0, 3]),
        ("CASE WHEN kind <> '' THEN CASE WHEN total < 15 THEN 1 ELSE 2 END ELSE 3 END", [1, 2, 3]),
    ],
)
def test_an_expression_is_computed_as_sql_does(expression: str, expected: list[float | None]) -> None:
    assert AmountExpression.parse(expression).evaluate(NUMBERS, TEXTS).to_pylist() == expected


def test_columns_that_are_only_compared_with_texts_are_no_amounts() -> None:
    formula = AmountExpression.parse("CASE WHEN kind = 'refund' THEN -total ELSE total END")

    assert (formula.columns, formula.amounts) == (("kind", "total"), ("total",))


@pytest.mark.parametrize(
    "expression",
    [
        *(
            "kind = 'sale'",
            "total < 5",
            "coalesce()",
            "coalesce(kind = 'x', 0)",
            "'sale'",
            "case(total)",
            "text('x')",
        ),
        *("CASE total END", "CASE WHEN total THEN 1 END", "CASE WHEN kind = 'x' THEN kind = 'y' ELSE 1 END"),
        *(
            "total + 'x'",
            "CASE WHEN total + 1 = 'x' THEN 1 ELSE 0 END",
            "lower(kind)",
            "total if kind else 1",
            "total)",
        ),
    ],
)
def test_what_is_no_amount_is_refused(expression: str) -> None:
    with pytest.raises(LogError, match="cannot be read. It may hold column names"):
        AmountExpression.parse(expression)
