"""The lines of a raw log, read column by column; what cannot be read goes to quarantine.

A column that is mostly unreadable is no matter of single rows: it is written in a way that the caller has to
name, and stops the reading.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import LogError
from features.language import translatable, translated
from features.log.amounts import EXPRESSION_ERROR, LARGEST_AMOUNT, Cents, cents, numbers
from features.log.column_text import text
from features.log.date_formats import ISO
from features.log.dates import Times, local_times, past_month
from features.log.expression import AmountExpression
from features.log.identity import encoded_ids, unstorable
from features.log.notation import by_another_column, in_sentences, written_otherwise
from features.log.quarantine import (
    FURTHER_LINE,
    FUTURE_DATE,
    HUGE_AMOUNT,
    INFINITE_AMOUNT,
    LEFT_OUT,
    NO_CUSTOMER,
    NO_ORDERS,
    TOO_EARLY,
    UNREADABLE_AMOUNT,
    UNREADABLE_DATE,
    UNREADABLE_MARGIN,
    UNSTORABLE_CUSTOMER,
    Mask,
    Quarantine,
)
from features.log.settings import LogRules

_PLAIN_NUMBERS = translatable("Write them as plain numbers with a decimal point, such as 1234.50 or -3.")
_SHOWN = 3


def read_lines(
    quarantine: Quarantine,
    names: dict[str, str],
    rules: LogRules,
    expression: AmountExpression | None,
    now: np.datetime64,
) -> pa.Table:
    """Read the contract's columns of every row, and set aside the rows with one that cannot be read.

    Parameters
    ----------
    quarantine : Quarantine
        Holds the raw log, and receives the rows.
    names : dict of str to str
        The log's name of each of the contract's columns, as from :func:`features.log.columns.locate`.
    rules : LogRules
    expression : AmountExpression or None, in place of the amount column
    now : numpy.datetime64
        Later times are in the future; on the clock of ``rules.timezone``.

    Returns
    -------
    pyarrow.Table
        A row for each of the raw log, in its order: ``customer_id`` dictionary of string, ``ordered_at`` timestamp
        on the clock of ``rules.timezone``, ``amount`` double as written, ``amount_cents`` int64, and where the log has
        them ``margin_cents`` int64, ``order_id``, ``channel``, ``product_id``, ``category``, ``currency`` string,
        ``quantity`` double, ``discount_cents`` int64, null where it cannot be read. What stands in a row that was
        set aside means nothing.

    Raises
    ------
    LogError
        If most dates, amounts or margins cannot be read; says how many, gives examples and the remedy.
    """
    raw = quarantine.raw
    customers: pa.DictionaryArray = _column(encoded_ids, raw, names["customer_id"], rules.fold_ids)
    written_as = (rules.timezone, rules.date_format, rules.calendar)
    times: Times = _column(local_times, raw, names["ordered_at"], *written_as)
    if rules.amount_per_order and "order_id" in names:
        totals = _amounts(raw, names, rules, expression)
        further = _repeats_an_order(quarantine, names["order_id"], customers, times, totals)
        quarantine.set_aside(further, FURTHER_LINE, names["order_id"])
    quarantine.set_aside(customers.is_null().to_numpy(False), NO_CUSTOMER, names["customer_id"])
    if pc.any(refused := unstorable(customers.dictionary)).as_py():
        of_rows = pc.fill_null(refused.take(customers.indices), False).to_numpy(False)
        quarantine.set_aside(of_rows, UNSTORABLE_CUSTOMER, names["customer_id"])
    _judge_times(quarantine, times, names["ordered_at"], rules, now)
    lines = {"customer_id": customers, "ordered_at": _unchanged(raw[names["ordered_at"]], times)}
    lines["amount"] = _read_amounts(quarantine, names, rules, expression)
    error = 0.0 if expression is None else EXPRESSION_ERROR
    lines["amount_cents"] = pa.array(cents(lines["amount"].to_numpy(), error))
    if "margin" in names:
        lines["margin_cents"] = pa.array(_read_margins(quarantine, names["margin"], rules))
    for role in ("order_id", "channel", "product_id", "category", "currency"):
        if role in names:
            lines[role] = _column(text, raw, names[role])
    if "quantity" in names:
        lines["quantity"] = _column(numbers, raw, names["quantity"], rules.number_style)
    if "discount" in names:
        lines["discount_cents"] = _column(read_discounts, raw, names["discount"], rules)
    return pa.table(lines)


def _unchanged(raw: pa.ChunkedArray, times: Times) -> pa.Array | pa.ChunkedArray:
    """Return times as an Arrow array; the log's own where it has them so: a large log has them once in memory."""
    same = raw.type == pa.timestamp("us") and raw.null_count == np.count_nonzero(np.isnat(times))
    return raw if same else pa.array(times)


def _column(read: Callable[..., Any], raw: pa.Table, name: str, *options: Any) -> Any:
    try:
        return read(raw[name], *options)
    except LogError as error:
        raise error.of_column(name) from None


def _judge_times(
    quarantine: Quarantine, times: Times, name: str, rules: LogRules, now: np.datetime64
) -> None:
    _require_mostly_readable(
        quarantine, np.isnat(times), translatable("dates"), *_date_form(rules), rules, name
    )
    quarantine.set_aside(np.isnat(times), UNREADABLE_DATE, name)
    if rules.earliest is not None:
        quarantine.set_aside(times < np.datetime64(rules.earliest), TOO_EARLY, name)
    quarantine.set_aside(times > now, FUTURE_DATE, name)


def _date_form(rules: LogRules) -> tuple[str, str]:
    """Return how dates are read, and the flag that reads them otherwise."""
    if rules.calendar == "jalali":
        return (
            translated("Dates are read in the Jalali calendar, as 1402/01/31."),
            translated("Leave --log-calendar out if yours are Gregorian."),
        )
    if rules.date_format is not None:
        return (
            translated(
                "Dates are read with --date-format {form!r}; change it to how yours are written.",
                form=rules.date_format,
            ),
            "",
        )
    return (
        translated("Dates are read as 2011-01-31 or 2011-01-31 12:30:00."),
        translated("If yours are written otherwise, say how: --date-format '%d/%m/%Y', for example."),
    )


def _read_amounts(
    quarantine: Quarantine, names: dict[str, str], rules: LogRules, expression: AmountExpression | None
) -> pa.Array | pa.ChunkedArray:
    shown = (names["amount"],) if expression is None else expression.amounts
    amounts = _amounts(quarantine.raw, names, rules, expression)
    missing, values = amounts.is_null().to_numpy(), amounts.to_numpy()
    _require_mostly_readable(
        quarantine, missing, translatable("amounts"), translated(_PLAIN_NUMBERS), "", rules, *shown
    )
    quarantine.set_aside(missing, UNREADABLE_AMOUNT, *shown)
    quarantine.set_aside(~np.isfinite(values), INFINITE_AMOUNT, *shown)
    quarantine.set_aside(np.abs(values) >= LARGEST_AMOUNT, HUGE_AMOUNT, *shown)
    sound = np.abs(values) < LARGEST_AMOUNT
    return amounts if sound.all() else pa.array(np.where(sound, values, 0.0))  # a copy only where it differs


def _amounts(
    raw: pa.Table, names: dict[str, str], rules: LogRules, expression: AmountExpression | None
) -> pa.ChunkedArray:
    if expression is None:
        read: pa.ChunkedArray = _column(numbers, raw, names["amount"], rules.number_style)
        return read
    terms = {name: _column(numbers, raw, name, rules.number_style) for name in expression.amounts}
    texts = {name: _column(text, raw, name) for name in expression.columns}
    return expression.evaluate(terms, texts)


def _repeats_an_order(
    quarantine: Quarantine, name: str, customers: pa.DictionaryArray, times: Times, amounts: pa.ChunkedArray
) -> Mask:
    """Mark the lines that repeat an order's total, or leave it blank beside the line that has it.

    Ids of orders come again: a refund names the order that it takes back, and numbers restart each year. So lines
    are one order only if customer, day and amount are equal, too. What a line without an amount leaves blank is
    the order's.
    """
    frame = pd.DataFrame(
        {
            "order": _column(text, quarantine.raw, name).to_pandas(),
            "customer": customers.cast(pa.string()).to_pandas(),
            "day": times.astype("datetime64[D]").astype("datetime64[s]"),
            "amount": amounts.to_pandas(),
        }
    )
    known, stated = frame["order"].notna(), frame["amount"].notna()
    counted = frame[known & stated & quarantine.used]
    repeated = counted.index[counted.duplicated()]
    totals, blank = (
        frame[known & stated].drop(columns="amount"),
        frame[known & ~stated].drop(columns="amount"),
    )
    firsts = totals.drop_duplicates("order").set_index("order")
    for column in firsts:
        blank[column] = blank[column].fillna(blank["order"].map(firsts[column]))
    continues = blank.index[pd.MultiIndex.from_frame(blank).isin(pd.MultiIndex.from_frame(totals))]
    marked = np.zeros(len(frame), dtype=bool)
    marked[repeated.union(continues)] = True
    return marked


def _read_margins(quarantine: Quarantine, name: str, rules: LogRules) -> Cents:
    values = _column(numbers, quarantine.raw, name, rules.number_style).to_numpy()
    sound = np.abs(values) < LARGEST_AMOUNT
    _require_mostly_readable(
        quarantine, ~sound, translatable("margins"), translated(_PLAIN_NUMBERS), "", rules, name
    )
    quarantine.set_aside(~sound, UNREADABLE_MARGIN, name)
    return cents(np.where(sound, values, 0.0))


def read_discounts(column: pa.ChunkedArray, rules: LogRules) -> pa.ChunkedArray:
    """Read a column of discounts as cents: 0 where the cell is empty, null where it is no number below the largest.

    A discount decides no score: a row whose discount cannot be read is used, without it.

    Examples
    --------
    >>> read_discounts(pa.chunked_array([["1.5", "", "10%", "-2"]]), LogRules()).to_pylist()
    [150, 0, None, -200]
    """
    values = numbers(column, rules.number_style).to_numpy()
    blank = text(column).is_null().to_numpy()
    sound = np.abs(values) < LARGEST_AMOUNT
    found = pa.array(cents(np.where(sound, values, 0.0)), mask=~sound & ~blank)
    return pa.chunked_array([found])


def _require_mostly_readable(
    quarantine: Quarantine,
    unreadable: Mask,
    what: str,
    form: str,
    remedy: str,
    rules: LogRules,
    *columns: str,
) -> None:
    if quarantine.part:
        return
    unreadable = unreadable & ~quarantine.marked(FURTHER_LINE, LEFT_OUT, *NO_ORDERS)
    count, rows = (
        int(unreadable.sum()),
        quarantine.rows_in - quarantine.rows_of(FURTHER_LINE, LEFT_OUT, *NO_ORDERS).size,
    )
    if 2 * count > rows:
        numbers = np.flatnonzero(unreadable)
        read_as = (rules.date_format or ISO) if count < rows else None
        examples = quarantine.describe(numbers, *columns)
        notations = written_otherwise(quarantine.raw, numbers, what, *columns, read_as=read_as, rules=rules)
        hints = [*in_sentences(notations), *by_another_column(notations)]
        remedy = "" if hints else remedy  # which is of any, and may be none of theirs
        if what == "dates" and rules.calendar == "jalali":
            shown = text(quarantine.raw[columns[0]].take(pa.array(numbers[:_SHOWN]))).to_pylist()
            if beyond := [said for each in shown if (said := past_month(each, rules.date_format))]:
                remedy, hints = beyond[0], []
        cells = [text(quarantine.raw[name].take(pa.array(numbers))) for name in columns]
        blank = int(np.any([cell.is_null().to_numpy() for cell in cells], axis=0).sum())
        if blank and what == "amounts":
            hints.append(
                translated(
                    "{n:,} of them are empty: --amount-per-order if an order's total stands on one of its lines only, "
                    "--blank-is-zero if they mean 0, or in a formula coalesce(COLUMN, 0).",
                    n=blank,
                )
            )
        found = translated(
            "{n:,} of {all:,} {what} cannot be read: {examples}. {form}",
            n=count,
            all=rows,
            what=translated(what),
            examples=examples,
            form=form,
        )
        to_do = " ".join(f"{hint.count()}." for hint in notations)
        raise LogError(found, " ".join([remedy, *hints]).strip(), to_do)
