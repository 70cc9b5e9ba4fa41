"""Checks of the optional columns: margins, quantities and discounts that contradict the amounts beside them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from features.language import translated
from features.log.columns import quoted
from features.log.findings import Finding
from features.log.loss_checks import MUCH
from features.log.remedies import typed, with_replaced
from features.log.transactions import TransactionLog

_FEW_ROWS = 20


def check_columns(log: TransactionLog) -> Iterator[Finding]:
    """Look for signs and sizes that no sale has; the rows are used as they are.

    Examples
    --------
    >>> from features.log.validation import validate
    >>> raw = pa.table({
    ...     "customer_id": ["17", "18"] * 20,
    ...     "ordered_at": ["1998-01-05"] * 40,
    ...     "amount": [20.5] * 40,
    ...     "quantity": [1.0] * 30 + [-1.0] * 10,
    ... })
    >>> [finding.name for finding in check_columns(validate(raw))]
    ['negative-quantities']
    """
    sold = log.table["amount_cents"].to_numpy() > 0
    if sold.sum() < _FEW_ROWS:
        return
    yield from _check_quantities(log, sold)
    yield from _check_margins(log, sold)
    yield from _check_shares(log, sold)
    yield from _check_discounts(log, sold)


def _check_quantities(log: TransactionLog, sold: np.ndarray) -> Iterator[Finding]:
    if "quantity" not in log.table.column_names:
        return
    rows = int((sold & (_values(log, "quantity") < 0)).sum())
    if rows:
        quantity, amount = log.names["quantity"], log.names.get("amount", "amount")
        yield Finding(
            "negative-quantities",
            translated(
                "{n:row has|rows have} a negative quantity and a positive amount, and counts as a purchase each. If "
                "they are returns, turn their amounts: {flag}.",
                n=rows,
                flag=typed(
                    "--amount-expression",
                    f"CASE WHEN {quoted(quantity)} < 0 THEN -{quoted(amount)} ELSE {quoted(amount)} END",
                ),
            ),
        )


def _check_margins(log: TransactionLog, sold: np.ndarray) -> Iterator[Finding]:
    if "margin_cents" not in log.table.column_names:
        return
    margins, amounts = _values(log, "margin_cents"), log.table["amount_cents"].to_numpy()
    above, below = int((sold & (margins > amounts)).sum()), int((sold & (margins < 0)).sum())
    if above > MUCH * sold.sum():
        yield Finding(
            "margins-above-amounts",
            translated(
                "{n:row has|rows have} a margin above the amount ({share:.1%} of the sales): is {column} a percentage, "
                "the cost, or in another unit? It has to be the money left of the amount.",
                n=above,
                share=above / sold.sum(),
                column=repr(log.names["margin"]),
            ),
        )
    if 2 * below > sold.sum():
        yield Finding(
            "negative-margins",
            translated(
                "{n:row has|rows have} a negative margin ({share:.1%} of the sales): every customer would be worth "
                "less than nothing. Is {column} the cost? It has to be the money left of the amount.",
                n=below,
                share=below / sold.sum(),
                column=repr(log.names["margin"]),
            ),
        )


def _check_shares(log: TransactionLog, sold: np.ndarray) -> Iterator[Finding]:
    """Look for margins and discounts that are shares of the amount, such as 0.3, and are read as 30 cents."""
    amounts = log.table["amount_cents"].to_numpy()
    for role in ("margin", "discount"):
        if f"{role}_cents" not in log.table.column_names:
            continue
        values = _values(log, f"{role}_cents")
        given = sold & (values > 0)
        if given.sum() < _FEW_ROWS or (sold & ((values < 0) | (values > 100))).any():
            continue
        one = role == "margin" and np.unique(values[sold]).size == 1 and np.unique(amounts[sold]).size > 1
        if one or values[given].sum() < MUCH * amounts[given].sum():
            yield _share(log, role, float(values[given][0]) / 100 if one else None)


def _share(log: TransactionLog, role: str, constant: float | None) -> Finding:
    column, amount = quoted(log.names[role]), quoted(log.names.get("amount", "amount"))
    share, paid = f"CAST({column} AS DOUBLE)", f"CAST({amount} AS DOUBLE)"
    money = f"{paid} * {share}" if role == "margin" else f"{paid} * {share} / (1 - {share})"
    if constant is not None:
        remedy = translated(
            "Leave it out here, {flag}, and state it where you train: {margin}.",
            flag=typed("--ignore-column", log.names[role]),
            margin=f"--margin {constant:g}",
        )
    else:
        remedy = translated(
            "Turn them into money: {flag}.",
            flag=with_replaced(f"{money} AS {column}"),
        )
    message = translated(
        "{column} is never above 1, far below the amounts: a share? It is read as money, and would be next to nothing.",
        column=repr(log.names[role]),
    )
    return Finding(f"{role}s-as-shares", f"{message} {remedy}")


def _check_discounts(log: TransactionLog, sold: np.ndarray) -> Iterator[Finding]:
    if "discount_cents" not in log.table.column_names:
        return
    rows = int((sold & (_values(log, "discount_cents") < 0)).sum())
    if rows > MUCH * sold.sum():
        column = quoted(log.names["discount"])
        yield Finding(
            "negative-discounts",
            translated(
                "{n:row has|rows have} a negative discount, which is left out of what is said of discounts. If the "
                "export writes them so, turn them: {flag}.",
                n=rows,
                flag=with_replaced(f"abs({column}) AS {column}"),
            ),
        )


def _values(log: TransactionLog, name: str) -> np.ndarray:
    """Return a column of numbers, NaN where it is null."""
    values: np.ndarray = log.table[name].cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values
